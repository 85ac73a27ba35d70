/// <summary>TResumableUploader: the component for the palette.</summary>
/// <remarks>Lazarus: packages/resup_lazarus.lpk. Delphi: packages/ResupDelphi7.dpk (7 to 2007) and ResupDelphi.dpk
/// (2009 to 12).
/// SPDX-License-Identifier: MIT OR Apache-2.0</remarks>
unit Resup.Uploader;

{$IFDEF FPC}{$MODE DELPHI}{$ENDIF}
{$Z4}

interface

uses
  SysUtils, Classes, ExtCtrls, Resup.Types, Resup.Client, Resup.Upload, Resup.Settings;

type
  /// <summary>A handler that makes last settings, just before an upload starts.</summary>
  TResumablePrepareEvent = procedure(Sender: TObject; AClient: TResupClient; AUpload: TResupUpload) of object;
  /// <summary>A handler of the end: AError is nil when the upload is complete, EResupCancelled after Cancel. AError is
  /// freed after the event.</summary>
  TResumableCompleteEvent = procedure(Sender: TObject; AError: EResupError) of object;

  PResumableWatch = ^TResumableWatch;
  /// <summary>How a call that lets events come learns that one of them has freed the component.</summary>
  TResumableWatch = record
    Gone: Boolean;
    Outer: PResumableWatch;
  end;

  /// <summary>A component that uploads a file without threads of the program: put it on a form, set URL and FileName,
  /// and Active.</summary>
  /// <remarks>
  /// The upload goes on by itself; a timer of the component's looks every Interval milliseconds what has happened, so
  /// that all events come on the main thread, with the component as Sender. All settings count from the next start on,
  /// but RateLimit, which counts at once. An exception that an event raises cancels the upload, and goes where those of
  /// timers go (Application.OnException).
  /// Threads: the main thread's only. It may be freed at any time, in its own events too.
  /// Delphi writes the events that its object inspector makes with the types of other units, and does not add these to
  /// the form's: add Resup.Types to the uses clause, and for OnPrepare Resup.Client and Resup.Upload.</remarks>
  TResumableUploader = class(TResumableSettings)
  private
    FStarting, FActive, FActiveWhenLoaded, FLooking: Boolean;
    FRateLimit: Int64;
    FTimer: TTimer;
    FClient: TResupClient;
    FUpload: TResupUpload;
    FWatch: PResumableWatch; // The innermost one.
    FOnPrepare: TResumablePrepareEvent;
    FOnProgress: TResupProgressEvent;
    FOnState: TResupStateEvent;
    FOnComplete: TResumableCompleteEvent;
    FOnLog: TResupLogEvent;
    procedure MakeUpload;
    procedure RefuseWhileActive;
    procedure FreeUpload;
    procedure BeginWatch(out AWatch: TResumableWatch);
    function Look(AMilliseconds: Cardinal): Boolean;
    procedure Tick(Sender: TObject);
    procedure Finish(AError: EResupError);
    procedure DoProgress(Sender: TObject; APosition, ASize: Int64);
    procedure DoState(Sender: TObject; AState: TResupState);
    procedure DoLog(Sender: TObject; ALevel: TResupLogLevel; const ALine: TResupText);
    procedure SetActive(AValue: Boolean);
    procedure SetRateLimit(AValue: Int64);
    function GetInterval: Cardinal;
    procedure SetInterval(AValue: Cardinal);
    function GetPaused: Boolean;
    procedure SetPaused(AValue: Boolean);
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
    /// <summary>Takes back what the server has of the unfinished file of the last upload, or of the file that is set where
    /// there was none, and returns at the end. Events come meanwhile, but OnComplete.</summary>
    /// <exception cref="EResupError">as TResupUpload.Discard</exception>
    /// <exception cref="EInvalidOperation">an upload is running</exception>
    procedure Discard;
    /// <summary>Ends the upload; OnComplete comes within 100 ms, with EResupCancelled. What the server has is kept
    /// there.</summary>
    procedure Cancel;
    /// <summary>Closes the connection and waits for Resume.</summary>
    procedure Pause;
    /// <summary>Goes on after Pause.</summary>
    procedure Resume;

    /// <summary>The last upload, with more to read (Id, Location, DigestValue, …), until the next starts; nil before the
    /// first.</summary>
    property Upload: TResupUpload read FUpload;
    /// <summary>Whether the upload is paused; setting it pauses and resumes.</summary>
    property Paused: Boolean read GetPaused write SetPaused;
    /// <summary>The state of the upload; rsNone before the first.</summary>
    property State: TResupState read GetState;
    /// <summary>Bytes that the server has or that are on their way.</summary>
    property Position: Int64 read GetPosition;
    /// <summary>Bytes in the whole file.</summary>
    property Size: Int64 read GetSize;
    /// <summary>Bytes per second over the last seconds.</summary>
    property Rate: Int64 read GetRate;
    /// <summary>Milliseconds left at the present rate; -1 when that is not known.</summary>
    property TimeLeft: Int64 read GetTimeLeft;
  published
    /// <summary>Whether an upload is running. Set it to start, clear it to cancel. On a form it starts when the form
    /// has been loaded.</summary>
    property Active: Boolean read FActive write SetActive default False;
    /// <summary>Bytes per second; 0 for no limit. It counts at once.</summary>
    property RateLimit: Int64 read FRateLimit write SetRateLimit default 0;
    /// <summary>Milliseconds between two looks, 1 at least. With a Stream each look reads for half of them.</summary>
    property Interval: Cardinal read GetInterval write SetInterval default 100;

    property OnPrepare: TResumablePrepareEvent read FOnPrepare write FOnPrepare;
    property OnProgress: TResupProgressEvent read FOnProgress write FOnProgress;
    property OnState: TResupStateEvent read FOnState write FOnState;
    property OnComplete: TResumableCompleteEvent read FOnComplete write FOnComplete;
    property OnLog: TResupLogEvent read FOnLog write FOnLog;
  end;

/// <summary>Registers the component with the IDE.</summary>
procedure Register;

implementation

procedure Register;
begin
  RegisterComponents('Internet', [TResumableUploader]);
end;

constructor TResumableUploader.Create(AOwner: TComponent);
begin
  inherited Create(AOwner);
  FTimer := TTimer.Create(Self);
  FTimer.Enabled := False;
  FTimer.Interval := 100;
  FTimer.OnTimer := Tick;
end;

destructor TResumableUploader.Destroy;
begin
  while FWatch <> nil do
  begin
    FWatch^.Gone := True;
    FWatch := FWatch^.Outer;
  end;
  FreeUpload;
  inherited Destroy;
end;

procedure TResumableUploader.FreeUpload;
begin
  FreeAndNil(FUpload);
  FreeAndNil(FClient);
end;

procedure TResumableUploader.Loaded;
begin
  inherited Loaded;
  if FActiveWhenLoaded then
    Active := True;
end;

procedure TResumableUploader.SetActive(AValue: Boolean);
begin
  if csLoading in ComponentState then
    FActiveWhenLoaded := AValue
  else if csDesigning in ComponentState then
    FActive := AValue
  else if AValue and not FActive then
    Start
  else if FActive and not AValue then
  begin
    Cancel;
    // Within an event the end cannot be waited for.
    if not FLooking then
      WaitFor;
  end;
end;

procedure TResumableUploader.RefuseWhileActive;
begin
  if FStarting or FActive then
    raise EInvalidOperation.Create('an upload is running: wait for OnComplete, or Cancel');
end;

procedure TResumableUploader.Discard;
var
  Watch: TResumableWatch;
begin
  RefuseWhileActive;
  FStarting := True;
  BeginWatch(Watch);
  try
    // Where no state file has it, only that upload knows its URL at the server.
    if FUpload = nil then
    begin
      MakeUpload;
      if Assigned(FOnPrepare) then
        FOnPrepare(Self, FClient, FUpload);
    end;
    if not Watch.Gone then
      FUpload.Discard;
  finally
    if not Watch.Gone then
    begin
      FStarting := False;
      FWatch := Watch.Outer;
    end;
  end;
end;

procedure TResumableUploader.Start;
var
  Watch: TResumableWatch;
begin
  RefuseWhileActive;
  FreeUpload;
  FStarting := True;
  BeginWatch(Watch);
  try
    MakeUpload;
    if Assigned(FOnPrepare) then
      FOnPrepare(Self, FClient, FUpload);
    if not Watch.Gone then
    begin
      FUpload.Start;
      FTimer.Enabled := True;
      FActive := True;
    end;
  finally
    if not Watch.Gone then
    begin
      FStarting := False;
      FWatch := Watch.Outer;
      if not FActive then
        FreeUpload;
    end;
  end;
end;

procedure TResumableUploader.MakeUpload;
begin
  FClient := TResupClient.Create(URL);
  Configure(FClient);
  if Assigned(FOnLog) then
    FClient.OnLog := DoLog;
  FUpload := NewUpload(FClient);
  Configure(FUpload);
  FUpload.RateLimit := FRateLimit;
  FUpload.OnProgress := DoProgress;
  FUpload.OnState := DoState;
end;

procedure TResumableUploader.Tick(Sender: TObject);
begin
  // A stream is read only inside the call, one block at least.
  if Stream <> nil then
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

procedure TResumableUploader.BeginWatch(out AWatch: TResumableWatch);
begin
  AWatch.Gone := False;
  AWatch.Outer := FWatch;
  FWatch := @AWatch;
end;

/// Calls the events for what has happened, of which one may free the component, or show a dialog in which the timer
/// goes on. Returns whether the component is still there.
function TResumableUploader.Look(AMilliseconds: Cardinal): Boolean;
var
  Watch: TResumableWatch;
  Complete: Boolean;
  Error: EResupError;
begin
  Result := True;
  if not FActive or FLooking then
    Exit;
  BeginWatch(Watch);
  try
    FLooking := True;
    try
      Complete := FUpload.TryWaitFor(AMilliseconds, Error);
    finally
      if not Watch.Gone then
        FLooking := False;
    end;
    try
      if not Watch.Gone and (Complete or (Error <> nil)) then
        Finish(Error);
    finally
      Error.Free;
    end;
  finally
    if not Watch.Gone then
      FWatch := Watch.Outer;
  end;
  Result := not Watch.Gone;
end;

procedure TResumableUploader.Finish(AError: EResupError);
begin
  FActive := False;
  FTimer.Enabled := False;
  if Assigned(FOnComplete) then
    FOnComplete(Self, AError);
end;

procedure TResumableUploader.DoProgress(Sender: TObject; APosition, ASize: Int64);
begin
  if Assigned(FOnProgress) then
    FOnProgress(Self, APosition, ASize);
end;

procedure TResumableUploader.DoState(Sender: TObject; AState: TResupState);
begin
  if Assigned(FOnState) then
    FOnState(Self, AState);
end;

procedure TResumableUploader.DoLog(Sender: TObject; ALevel: TResupLogLevel; const ALine: TResupText);
begin
  if Assigned(FOnLog) then
    FOnLog(Self, ALevel, ALine);
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

procedure TResumableUploader.SetRateLimit(AValue: Int64);
begin
  ResupBytes('the rate limit', AValue);
  FRateLimit := AValue;
  if FUpload <> nil then
    FUpload.RateLimit := AValue;
end;

function TResumableUploader.GetInterval: Cardinal;
begin
  Result := FTimer.Interval;
end;

procedure TResumableUploader.SetInterval(AValue: Cardinal);
begin
  // A timer of 0 never ticks.
  if AValue = 0 then
    AValue := 1;
  FTimer.Interval := AValue;
end;

function TResumableUploader.GetPaused: Boolean;
begin
  Result := State = rsPaused;
end;

procedure TResumableUploader.SetPaused(AValue: Boolean);
begin
  if AValue then
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
