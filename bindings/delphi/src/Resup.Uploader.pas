/// <summary>The component for the palette.</summary>
/// <remarks>Lazarus: packages/resup_lazarus.lpk. Delphi: packages/ResupDelphi7.dpk (7 to 2007) and ResupDelphi.dpk
/// (2009 to 12).
/// SPDX-License-Identifier: MIT OR Apache-2.0</remarks>
unit Resup.Uploader;

{$IFDEF FPC}{$MODE DELPHI}{$ENDIF}
{$Z4}

interface

uses
  SysUtils, Classes, ExtCtrls, Resup;

type
  TResumableUploader = class;

  /// <summary>Makes last settings by the classes of Resup.pas, just before an upload starts.</summary>
  TResumablePrepareEvent = procedure(Sender: TObject; Client: TResupClient; Upload: TResupUpload) of object;
  /// <summary>Told about ten times a second while the numbers change.</summary>
  TResumableProgressEvent = procedure(Sender: TObject; Position, Size: Int64) of object;
  /// <summary>Told each new state.</summary>
  TResumableStateEvent = procedure(Sender: TObject; State: TResupState) of object;
  /// <summary>Told the end: Error is nil when the server has all of it, EResupCancelled after Cancel. Error is freed
  /// after the event.</summary>
  TResumableCompleteEvent = procedure(Sender: TObject; Error: EResupError) of object;
  /// <summary>Told a line of the log.</summary>
  TResumableLogEvent = procedure(Sender: TObject; Level: TResupLogLevel; const Line: TResupText) of object;

  /// <summary>Uploads a file, without threads to think of: put it on a form, set URL and FileName, and Active.</summary>
  /// <remarks>
  /// The upload goes on by itself; a timer of the component's looks every Interval milliseconds what has happened, so
  /// that all events come on the main thread. All settings count from the next start on, but RateLimit, which counts at
  /// once. An exception that an event raises cancels the upload, and goes where those of timers go
  /// (Application.OnException).
  /// Threads: the main thread's only. It may be freed at any time, in its own events too.
  /// Delphi writes the events that its object inspector makes with the types of unit Resup, and does not add that unit
  /// to the form's: add Resup to the uses clause.</remarks>
  TResumableUploader = class(TComponent)
  private
    FURL, FFileName, FRemoteName, FDirectory, FContentType, FStateFile: TResupText;
    FUserName, FPassword, FBearerToken, FProxy, FCAFile: TResupText;
    FFields, FHeaders: TStrings;
    FStream: TStream;
    FDigest: TResupDigest;
    FLogLevel: TResupLogLevel;
    FTlsVerify, FStarting, FActive, FWanted, FLooking: Boolean;
    FRateLimit, FSegmentSize: Int64;
    FRetryLimit: Cardinal;
    FTimer: TTimer;
    FClient: TResupClient;
    FUpload: TResupUpload;
    FWatch: Pointer;
    FOnPrepare: TResumablePrepareEvent;
    FOnProgress: TResumableProgressEvent;
    FOnState: TResumableStateEvent;
    FOnComplete: TResumableCompleteEvent;
    FOnLog: TResumableLogEvent;
    procedure Configure;
    procedure LetGo;
    function Look(Milliseconds: Cardinal): Boolean;
    procedure Tick(Sender: TObject);
    procedure Ended(Error: EResupError);
    procedure Progressed(Upload: TResupUpload; Position, Size: Int64);
    procedure Entered(Upload: TResupUpload; State: TResupState);
    procedure Logged(Client: TResupClient; Level: TResupLogLevel; const Line: TResupText);
    procedure SetActive(Value: Boolean);
    procedure SetFields(Value: TStrings);
    procedure SetHeaders(Value: TStrings);
    procedure SetRateLimit(Value: Int64);
    function GetInterval: Cardinal;
    procedure SetInterval(Value: Cardinal);
    function GetPaused: Boolean;
    procedure SetPaused(Value: Boolean);
    function GetState: TResupState;
    function GetPosition: Int64;
    function GetSize: Int64;
    function GetRate: Int64;
    function GetTimeLeft: Int64;
  protected
    procedure Loaded; override;
  public
    constructor Create(AOwner: TComponent); override;
    destructor Destroy; override;

    /// <summary>Starts the upload; so does setting Active. The end comes as OnComplete.</summary>
    /// <exception cref="EResupError">what cannot be started: no such file, a setting that cannot be used</exception>
    procedure Start;
    /// <summary>Waits for the end; events come meanwhile. For programs without a message loop.</summary>
    /// <exception cref="EInvalidOperation">it is called within an event of this upload</exception>
    procedure WaitFor;
    /// <summary>Ends the upload; OnComplete comes within 100 ms, with EResupCancelled. What the server has is kept
    /// there.</summary>
    procedure Cancel;
    /// <summary>Closes the connection and waits for Resume.</summary>
    procedure Pause;
    /// <summary>Goes on after Pause.</summary>
    procedure Resume;

    /// <summary>The last upload, with more to read (Id, Location, Md5, …), until the next starts; nil before the
    /// first.</summary>
    property Upload: TResupUpload read FUpload;
    /// <summary>Uploads this, as RemoteName, instead of the file; it stays the program's.</summary>
    property Stream: TStream read FStream write FStream;
    /// <summary>Whether it is paused; to be set, too.</summary>
    property Paused: Boolean read GetPaused write SetPaused;
    /// <summary>What it is doing.</summary>
    property State: TResupState read GetState;
    /// <summary>Bytes that the server has or that are on their way.</summary>
    property Position: Int64 read GetPosition;
    /// <summary>Bytes in the whole file.</summary>
    property Size: Int64 read GetSize;
    /// <summary>Bytes per second over the last seconds.</summary>
    property Rate: Int64 read GetRate;
    /// <summary>Milliseconds left at the present rate; -1 when that cannot be told.</summary>
    property TimeLeft: Int64 read GetTimeLeft;
  published
    /// <summary>Whether an upload is under way. Set it to start, clear it to cancel. On a form it starts when the form
    /// has been loaded.</summary>
    property Active: Boolean read FActive write SetActive default False;
    /// <summary>The server's upload address, http or https.</summary>
    property URL: TResupText read FURL write FURL;
    /// <summary>The file.</summary>
    property FileName: TResupText read FFileName write FFileName;
    /// <summary>The name that the server is told. Default: the file's own.</summary>
    property RemoteName: TResupText read FRemoteName write FRemoteName;
    /// <summary>The directory on the server, separated by "/".</summary>
    property Directory: TResupText read FDirectory write FDirectory;
    /// <summary>The MIME type. Default: by the name's extension.</summary>
    property ContentType: TResupText read FContentType write FContentType;
    /// <summary>Form fields of the program's own, name=value.</summary>
    property Fields: TStrings read FFields write SetFields;
    /// <summary>Headers of the program's own, name=value.</summary>
    property Headers: TStrings read FHeaders write SetHeaders;
    /// <summary>With Password: Basic authorization. OnPrepare can log in by a form.</summary>
    property UserName: TResupText read FUserName write FUserName;
    property Password: TResupText read FPassword write FPassword;
    /// <summary>A bearer token, in place of UserName and Password.</summary>
    property BearerToken: TResupText read FBearerToken write FBearerToken;
    /// <summary>"none", or scheme://user:password@host:port. Default: what the system says.</summary>
    property Proxy: TResupText read FProxy write FProxy;
    /// <summary>A PEM file with the CAs to trust. Default: the system's.</summary>
    property CAFile: TResupText read FCAFile write FCAFile;
    /// <summary>Whether the server's certificate is verified.</summary>
    property TlsVerify: Boolean read FTlsVerify write FTlsVerify default True;
    /// <summary>Bytes per second; 0 for no limit. Counts at once.</summary>
    property RateLimit: Int64 read FRateLimit write SetRateLimit default 0;
    /// <summary>How many attempts in a row may fail without a byte more having arrived.</summary>
    property RetryLimit: Cardinal read FRetryLimit write FRetryLimit default 8;
    /// <summary>The most bytes that one request carries: 0 for all of them, 1 for what the network is good
    /// for.</summary>
    property SegmentSize: Int64 read FSegmentSize write FSegmentSize default 0;
    /// <summary>Whether and when the MD5 of the file is computed.</summary>
    property Digest: TResupDigest read FDigest write FDigest default rdMd5;
    /// <summary>A file with which a later run need not read again what the server has. Default: none.</summary>
    property StateFile: TResupText read FStateFile write FStateFile;
    /// <summary>Which lines OnLog is told.</summary>
    property LogLevel: TResupLogLevel read FLogLevel write FLogLevel default rlInfo;
    /// <summary>Milliseconds between two looks, 1 at least. With a Stream each look reads for half of them.</summary>
    property Interval: Cardinal read GetInterval write SetInterval default 100;

    property OnPrepare: TResumablePrepareEvent read FOnPrepare write FOnPrepare;
    property OnProgress: TResumableProgressEvent read FOnProgress write FOnProgress;
    property OnState: TResumableStateEvent read FOnState write FOnState;
    property OnComplete: TResumableCompleteEvent read FOnComplete write FOnComplete;
    property OnLog: TResumableLogEvent read FOnLog write FOnLog;
  end;

/// <summary>For the IDE.</summary>
procedure Register;

implementation

procedure Register;
begin
  RegisterComponents('Internet', [TResumableUploader]);
end;

type
  PWatch = ^TWatch;
  /// By which a call that lets events come learns that one has freed the component. FWatch is the innermost one's.
  TWatch = record
    Gone: Boolean;
    Outer: PWatch;
  end;

procedure Watched(var Watch: TWatch; var Innermost: Pointer);
begin
  Watch.Gone := False;
  Watch.Outer := Innermost;
  Innermost := @Watch;
end;

constructor TResumableUploader.Create(AOwner: TComponent);
begin
  inherited Create(AOwner);
  FFields := TStringList.Create;
  FHeaders := TStringList.Create;
  FDigest := rdMd5;
  FLogLevel := rlInfo;
  FTlsVerify := True;
  FRetryLimit := 8;
  FTimer := TTimer.Create(Self);
  FTimer.Enabled := False;
  FTimer.Interval := 100;
  FTimer.OnTimer := Tick;
end;

destructor TResumableUploader.Destroy;
begin
  while FWatch <> nil do
  begin
    PWatch(FWatch)^.Gone := True;
    FWatch := PWatch(FWatch)^.Outer;
  end;
  LetGo;
  FFields.Free;
  FHeaders.Free;
  inherited Destroy;
end;

procedure TResumableUploader.LetGo;
begin
  FreeAndNil(FUpload);
  FreeAndNil(FClient);
end;

procedure TResumableUploader.Loaded;
begin
  inherited Loaded;
  if FWanted then
    Active := True;
end;

procedure TResumableUploader.SetActive(Value: Boolean);
begin
  if csLoading in ComponentState then
    FWanted := Value
  else if csDesigning in ComponentState then
    FActive := Value
  else if Value and not FActive then
    Start
  else if FActive and not Value then
  begin
    Cancel;
    // Within an event the end cannot be waited for.
    if not FLooking then
      WaitFor;
  end;
end;

procedure TResumableUploader.Start;
var
  Watch: TWatch;
begin
  if FStarting or FActive then
    raise EInvalidOperation.Create('an upload is under way: wait for OnComplete, or Cancel');
  LetGo;
  FStarting := True;
  Watched(Watch, FWatch);
  try
    Configure;
    if Assigned(FOnPrepare) then
      FOnPrepare(Self, FClient, FUpload);
    if not Watch.Gone then
    begin
      FStarting := False;
      FUpload.Start;
      FTimer.Enabled := True;
      FActive := True;
    end;
  except
    if not Watch.Gone then
    begin
      FStarting := False;
      FWatch := Watch.Outer;
      LetGo;
    end;
    raise;
  end;
  if not Watch.Gone then
    FWatch := Watch.Outer;
end;

procedure TResumableUploader.Configure;
var
  I: Integer;
begin
  FClient := TResupClient.Create(FURL);
  FClient.RetryLimit := FRetryLimit;
  FClient.TlsVerify := FTlsVerify;
  if FProxy <> '' then
    FClient.Proxy := FProxy;
  if FCAFile <> '' then
    FClient.AddCAFile(FCAFile);
  if FUserName <> '' then
    FClient.SetBasicAuth(FUserName, FPassword);
  if FBearerToken <> '' then
    FClient.BearerToken := FBearerToken;
  for I := 0 to FHeaders.Count - 1 do
    FClient.SetHeader(FHeaders.Names[I], FHeaders.Values[FHeaders.Names[I]]);
  FClient.LogLevel := FLogLevel;
  if Assigned(FOnLog) then
    FClient.OnLog := Logged;

  if FStream <> nil then
    FUpload := TResupUpload.CreateFromStream(FClient, FRemoteName, FStream)
  else
    FUpload := TResupUpload.Create(FClient, FFileName);
  if FRemoteName <> '' then
    FUpload.Name := FRemoteName;
  FUpload.Directory := FDirectory;
  if FContentType <> '' then
    FUpload.ContentType := FContentType;
  for I := 0 to FFields.Count - 1 do
    FUpload.SetField(FFields.Names[I], FFields.Values[FFields.Names[I]]);
  FUpload.Digest := FDigest;
  if FStateFile <> '' then
    FUpload.StateFile := FStateFile;
  FUpload.SegmentSize := FSegmentSize;
  FUpload.RateLimit := FRateLimit;
  FUpload.OnProgress := Progressed;
  FUpload.OnState := Entered;
end;

procedure TResumableUploader.Tick(Sender: TObject);
begin
  // A stream is read inside only: who left at once would read one block.
  if FStream <> nil then
    Look(FTimer.Interval div 2)
  else
    Look(0);
end;

procedure TResumableUploader.WaitFor;
begin
  if FLooking then
    raise EInvalidOperation.Create('WaitFor was called within an event of this upload, which goes on when that ' +
      'returns: let it return, and wait for OnComplete');
  while FActive do
    if not Look(50) then
      Exit;
end;

/// Delivers what has happened; an event may free the component, or show a dialog in which the timer goes on. Returns
/// whether the component is still there.
function TResumableUploader.Look(Milliseconds: Cardinal): Boolean;
var
  Watch: TWatch;
  Complete: Boolean;
  Error: EResupError;
begin
  Result := True;
  if not FActive or FLooking then
    Exit;
  Watched(Watch, FWatch);
  try
    FLooking := True;
    try
      Complete := FUpload.TryWaitFor(Milliseconds, Error);
    finally
      if not Watch.Gone then
        FLooking := False;
    end;
    try
      if not Watch.Gone and (Complete or (Error <> nil)) then
        Ended(Error);
    finally
      Error.Free;
    end;
  finally
    if not Watch.Gone then
      FWatch := Watch.Outer;
  end;
  Result := not Watch.Gone;
end;

procedure TResumableUploader.Ended(Error: EResupError);
begin
  FActive := False;
  FTimer.Enabled := False;
  if Assigned(FOnComplete) then
    FOnComplete(Self, Error);
end;

procedure TResumableUploader.Progressed(Upload: TResupUpload; Position, Size: Int64);
begin
  if Assigned(FOnProgress) then
    FOnProgress(Self, Position, Size);
end;

procedure TResumableUploader.Entered(Upload: TResupUpload; State: TResupState);
begin
  if Assigned(FOnState) then
    FOnState(Self, State);
end;

procedure TResumableUploader.Logged(Client: TResupClient; Level: TResupLogLevel; const Line: TResupText);
begin
  if Assigned(FOnLog) then
    FOnLog(Self, Level, Line);
end;

procedure TResumableUploader.Cancel;
begin
  if FUpload <> nil then
    FUpload.Cancel;
end;

procedure TResumableUploader.Pause;
begin
  if FUpload <> nil then
    FUpload.Pause;
end;

procedure TResumableUploader.Resume;
begin
  if FUpload <> nil then
    FUpload.Resume;
end;

procedure TResumableUploader.SetFields(Value: TStrings);
begin
  FFields.Assign(Value);
end;

procedure TResumableUploader.SetHeaders(Value: TStrings);
begin
  FHeaders.Assign(Value);
end;

procedure TResumableUploader.SetRateLimit(Value: Int64);
begin
  FRateLimit := Value;
  if FUpload <> nil then
    FUpload.RateLimit := Value;
end;

function TResumableUploader.GetInterval: Cardinal;
begin
  Result := FTimer.Interval;
end;

procedure TResumableUploader.SetInterval(Value: Cardinal);
begin
  // A timer of 0 never ticks.
  if Value = 0 then
    Value := 1;
  FTimer.Interval := Value;
end;

function TResumableUploader.GetPaused: Boolean;
begin
  Result := State = rsPaused;
end;

procedure TResumableUploader.SetPaused(Value: Boolean);
begin
  if Value then
    Pause
  else
    Resume;
end;

function TResumableUploader.GetState: TResupState;
begin
  Result := rsNone;
  if FUpload <> nil then
    Result := FUpload.State;
end;

function TResumableUploader.GetPosition: Int64;
begin
  Result := 0;
  if FUpload <> nil then
    Result := FUpload.Position;
end;

function TResumableUploader.GetSize: Int64;
begin
  Result := 0;
  if FUpload <> nil then
    Result := FUpload.Size;
end;

function TResumableUploader.GetRate: Int64;
begin
  Result := 0;
  if FUpload <> nil then
    Result := FUpload.Rate;
end;

function TResumableUploader.GetTimeLeft: Int64;
begin
  Result := -1;
  if FUpload <> nil then
    Result := FUpload.TimeLeft;
end;

end.
