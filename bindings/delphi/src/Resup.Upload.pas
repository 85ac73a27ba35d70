/// <summary>TResupUpload: one file, and the way to upload it. An upload that was interrupted
/// resumes.</summary>
/// <remarks>
/// <code>
///   Client := TResupClient.Create('https://files.example/upload');
///   try
///     Upload := TResupUpload.Create(Client, 'video.mp4');
///     try
///       Upload.Execute;   // after a lost connection it tries again, and goes on
///     finally
///       Upload.Free;
///     end;
///   finally
///     Client.Free;
///   end;
/// </code>
/// SPDX-License-Identifier: MIT OR Apache-2.0</remarks>
unit Resup.Upload;

{$IFDEF FPC}{$MODE DELPHI}{$ENDIF}
{$Z4}

interface

uses
  Classes, Resup.Api, Resup.Types, Resup.Client, Resup.Callbacks, Resup.Run, Resup.Remote;

type
  /// <summary>One file's upload.</summary>
  /// <remarks>A program that can wait calls Execute. A program with a window calls Start, and Poll from a timer; or it
  /// puts TResumableUploader on the form, which does that. After a failure the upload may be run again, and goes on
  /// from what the server has.
  /// Events come on the thread that is inside Execute, Poll or WaitFor, and on no other; their Sender is the upload. An
  /// exception that an event raises cancels the upload, and is raised again from Execute, Poll or WaitFor: the same
  /// object.
  /// Threads: all of TResupRemote, and setting RateLimit, from any, at any time, in events too; all else from one at a
  /// time (RESUP_E_BUSY). It may be freed at any time, in its own events too, and is cancelled then. Freed on another
  /// thread than the run's, it waits for the end of the run; on the main thread it calls meanwhile what events
  /// synchronize. What such an event synchronizes must not free the event's own upload: each would wait for the
  /// other. A program that makes a run itself, by resup_upload_run, frees the library's upload after it, by
  /// resup_upload_free, if an event freed the object.</remarks>
  TResupUpload = class(TResupRemote)
  private
    FEvents: TResupEvents;
    FName, FDirectory, FContentType, FParts, FStateFile: TResupText;
    FDigest: TResupDigest;
    FDigestAlgorithm: TResupDigestAlgorithm;
    FReadBack: Boolean;
    FConnections: Cardinal;
    FSegmentSize, FRateLimit: Int64;
    procedure Prepare(const AName: TResupText);
    procedure Open(AClient: TResupClient; AStatus: resup_status);
    procedure OpenStream(AClient: TResupClient; const AName: TResupText; AStream: TStream; ACanSeek, AOwns: Boolean);
    procedure Check(AStatus: resup_status);
    procedure SetName(const AValue: TResupText);
    procedure SetDirectory(const AValue: TResupText);
    procedure SetContentType(const AValue: TResupText);
    procedure SetDigest(AValue: TResupDigest);
    procedure SetDigestAlgorithm(AValue: TResupDigestAlgorithm);
    procedure SetReadBack(AValue: Boolean);
    procedure SetConnections(AValue: Cardinal);
    procedure SetParts(const AValue: TResupText);
    procedure SetStateFile(const AValue: TResupText);
    procedure SetSegmentSize(AValue: Int64);
    procedure SetRateLimit(AValue: Int64);
  public
    /// <summary>Makes an upload of a file, under its own name. Nothing is sent yet, and the file is not kept
    /// open.</summary>
    /// <exception cref="EResupError">RESUP_E_SOURCE_NOT_FOUND, _DENIED, _NOT_A_FILE, _IO</exception>
    constructor Create(AClient: TResupClient; const AFileName: TResupText);
    /// <summary>Makes an upload of ASize bytes in memory, which are copied; those of a string variable are given as
    /// S[1].</summary>
    constructor CreateFromMemory(AClient: TResupClient; const AName: TResupText; const AData; ASize: Integer);
    /// <summary>Makes an upload of a stream that can seek.</summary>
    /// <remarks>It is read only inside Execute, Poll and WaitFor, and twice: first for its digest, since nothing else
    /// tells two versions of it apart. What it raises ends the upload and is raised again from there.</remarks>
    /// <param name="AOwnsStream">whether the stream is freed with the upload; if this constructor fails it is
    /// not</param>
    constructor CreateFromStream(AClient: TResupClient; const AName: TResupText; AStream: TStream;
      AOwnsStream: Boolean = False);
    /// <summary>Makes an upload of a stream that is read once, to its end: a pipe, an archive that is made on the
    /// way. Size is ResupSizeUnknown until then.</summary>
    /// <remarks>The server has to speak tus with creation-defer-length, or the IETF's protocol. What it has not confirmed
    /// is kept in memory, 8 MiB at most: the upload goes on after a lost connection, but never anew. All else is as for
    /// CreateFromStream; Seek and Size of the stream are not used.</remarks>
    constructor CreateFromReader(AClient: TResupClient; const AName: TResupText; AStream: TStream;
      AOwnsStream: Boolean = False);
    destructor Destroy; override;

    /// <summary>Uploads, and returns when the server has confirmed the whole file.</summary>
    /// <exception cref="EResupError">any failure; EResupCancelled after Cancel</exception>
    procedure Execute;
    /// <summary>Takes the upload back, and returns at the end: the server drops what it has of an unfinished file, and a
    /// later run begins anew. What the server does not have is a success, too.</summary>
    /// <exception cref="EResupError">RESUP_E_REFUSED when the file is complete or the server takes none back;
    /// RESUP_E_STATE during a run, and when nothing tells the upload's URL (tus); else as Execute</exception>
    procedure Discard;
    /// <summary>Starts a run and returns at once; Poll and WaitFor call the events.</summary>
    procedure Start;
    /// <summary>Calls the events for what has happened since the last call, and does not wait.</summary>
    /// <returns>whether the upload is complete; False while it goes on</returns>
    /// <exception cref="EResupError">as Execute; again with each call</exception>
    function Poll: Boolean;
    /// <summary>Waits up to so many milliseconds for the end, else as Poll; RESUP_FOREVER is for as long as it
    /// takes.</summary>
    function WaitFor(AMilliseconds: Cardinal = RESUP_FOREVER): Boolean;
    /// <summary>Waits as WaitFor does, but returns the failure of the run in AError instead of raising it; what an
    /// event raised is still raised.</summary>
    /// <param name="AError">the failure, which the caller frees; nil where the run is complete or goes on</param>
    function TryWaitFor(AMilliseconds: Cardinal; out AError: EResupError): Boolean;
    /// <summary>Sets a form field of the program's own, which is sent with every request.</summary>
    procedure SetField(const AName, AValue: TResupText);

    /// <summary>The file name that the server gets. Default: the file's own.</summary>
    property Name: TResupText read FName write SetName;
    /// <summary>The directory on the server, separated by "/". Default: empty, the server's own choice.</summary>
    property Directory: TResupText read FDirectory write SetDirectory;
    /// <summary>The MIME type. Default: empty, by the name's extension; it cannot be set back to that.</summary>
    property ContentType: TResupText read FContentType write SetContentType;
    /// <summary>Whether and when the digest is computed. Default: rdOnePass.</summary>
    property Digest: TResupDigest read FDigest write SetDigest;
    /// <summary>The algorithm of the digest. Default: raAutomatic; DigestUsed says which one the run uses then.</summary>
    property DigestAlgorithm: TResupDigestAlgorithm read FDigestAlgorithm write SetDigestAlgorithm;
    /// <summary>Whether the finished file is read back, and its digest compared, where the server tells none: by
    /// WebDAV, tus and the IETF's protocol. Another file ends the run, and stays there. Default: False.</summary>
    property ReadBack: Boolean read FReadBack write SetReadBack;
    /// <summary>The most connections that send parts of the file, where the server takes parts: 1 to 6. Default:
    /// 0, for as many as help. A stream uses one.</summary>
    property Connections: Cardinal read FConnections write SetConnections;
    /// <summary>Presigned URLs of S3 and its likes, to which the parts of the file go in place of the client's URL: a JSON
    /// object, whose keys docs/OTHER-SERVERS.md has. The URLs are secrets. Default: empty; it cannot be set back to
    /// that.</summary>
    property Parts: TResupText read FParts write SetParts;
    /// <summary>A file with which a later run of the program need not read again what the server has; in tus it begins
    /// anew without one. Only its owner may read it. Default: empty, for none; it cannot be set back to that.</summary>
    property StateFile: TResupText read FStateFile write SetStateFile;
    /// <summary>The most file bytes that one request carries, or RESUP_SEGMENT_UNLIMITED (the default) or
    /// RESUP_SEGMENT_AUTOMATIC.</summary>
    property SegmentSize: Int64 read FSegmentSize write SetSegmentSize;
    /// <summary>Bytes per second. It counts at once. Default: 0, for no limit.</summary>
    property RateLimit: Int64 read FRateLimit write SetRateLimit;

    property OnProgress: TResupProgressEvent read FEvents.OnProgress write FEvents.OnProgress;
    property OnState: TResupStateEvent read FEvents.OnState write FEvents.OnState;
    property OnComplete: TResupCompleteEvent read FEvents.OnComplete write FEvents.OnComplete;
  end;

implementation

/// Cuts the directories off a path.
function NameOf(const APath: TResupText): TResupText;
var
  I: Integer;
begin
  Result := APath;
  for I := Length(APath) downto 1 do
    if (APath[I] = '/') {$IFDEF MSWINDOWS} or (APath[I] = '\') or (APath[I] = ':'){$ENDIF} then
    begin
      Result := Copy(APath, I + 1, MaxInt);
      Break;
    end;
end;

constructor TResupUpload.Create(AClient: TResupClient; const AFileName: TResupText);
begin
  inherited Create;
  Prepare(NameOf(AFileName));
  Open(AClient, resup_upload_new_file(AClient.Handle, PAnsiChar(ResupToUtf8(AFileName)), @FRun.Handle));
end;

constructor TResupUpload.CreateFromMemory(AClient: TResupClient; const AName: TResupText; const AData;
  ASize: Integer);
begin
  inherited Create;
  Prepare(AName);
  Open(AClient, resup_upload_new_memory(AClient.Handle, @AData, resup_size(ASize), PAnsiChar(ResupToUtf8(AName)),
    @FRun.Handle));
end;

constructor TResupUpload.CreateFromStream(AClient: TResupClient; const AName: TResupText; AStream: TStream;
  AOwnsStream: Boolean);
begin
  inherited Create;
  OpenStream(AClient, AName, AStream, True, AOwnsStream);
end;

constructor TResupUpload.CreateFromReader(AClient: TResupClient; const AName: TResupText; AStream: TStream;
  AOwnsStream: Boolean);
begin
  inherited Create;
  OpenStream(AClient, AName, AStream, False, AOwnsStream);
end;

procedure TResupUpload.OpenStream(AClient: TResupClient; const AName: TResupText; AStream: TStream;
  ACanSeek, AOwns: Boolean);
begin
  Prepare(AName);
  FRun.Target.Stream := AStream;
  Open(AClient, FRun.Target.OpenStream(AClient.Handle, ResupToUtf8(AName), ACanSeek, FRun.Handle));
  FRun.Target.OwnsStream := AOwns;
end;

procedure TResupUpload.Prepare(const AName: TResupText);
begin
  FName := AName;
  FDigest := rdOnePass;
  FRun := TResupRun.Create(Self, @FEvents);
end;

procedure TResupUpload.Open(AClient: TResupClient; AStatus: resup_status);
begin
  if AStatus <> RESUP_OK then
    raise ResupFailure(AStatus, resup_client_error_message(AClient.Handle));
  Check(FRun.Target.Listen(FRun.Handle));
end;

destructor TResupUpload.Destroy;
begin
  if FRun <> nil then
  begin
    FRun.Abandon;
    FRun.Release;
  end;
  inherited Destroy;
end;

procedure TResupUpload.Check(AStatus: resup_status);
begin
  if AStatus <> RESUP_OK then
    raise ResupFailure(AStatus, resup_upload_error_message(Handle));
end;

procedure TResupUpload.Execute;
var
  Error: EResupError;
begin
  FRun.Run(Error);
  if Error <> nil then
    raise Error;
end;

procedure TResupUpload.Discard;
var
  Error: EResupError;
begin
  FRun.Discard(Error);
  if Error <> nil then
    raise Error;
end;

procedure TResupUpload.Start;
begin
  Check(resup_upload_start(Handle));
end;

function TResupUpload.Poll: Boolean;
begin
  Result := WaitFor(0);
end;

function TResupUpload.WaitFor(AMilliseconds: Cardinal): Boolean;
var
  Error: EResupError;
begin
  Result := TryWaitFor(AMilliseconds, Error);
  if Error <> nil then
    raise Error;
end;

function TResupUpload.TryWaitFor(AMilliseconds: Cardinal; out AError: EResupError): Boolean;
begin
  Result := FRun.Wait(AMilliseconds, AError);
end;

procedure TResupUpload.SetField(const AName, AValue: TResupText);
begin
  Check(resup_upload_set_field(Handle, PAnsiChar(ResupToUtf8(AName)), PAnsiChar(ResupToUtf8(AValue))));
end;

procedure TResupUpload.SetName(const AValue: TResupText);
begin
  Check(resup_upload_set_name(Handle, PAnsiChar(ResupToUtf8(AValue))));
  FName := AValue;
end;

procedure TResupUpload.SetDirectory(const AValue: TResupText);
begin
  Check(resup_upload_set_directory(Handle, PAnsiChar(ResupToUtf8(AValue))));
  FDirectory := AValue;
end;

procedure TResupUpload.SetContentType(const AValue: TResupText);
begin
  Check(resup_upload_set_content_type(Handle, PAnsiChar(ResupToUtf8(AValue))));
  FContentType := AValue;
end;

procedure TResupUpload.SetDigest(AValue: TResupDigest);
begin
  Check(resup_upload_set_digest(Handle, Ord(AValue)));
  FDigest := AValue;
end;

procedure TResupUpload.SetDigestAlgorithm(AValue: TResupDigestAlgorithm);
begin
  Check(resup_upload_set_digest_algorithm(Handle, Ord(AValue)));
  FDigestAlgorithm := AValue;
end;

procedure TResupUpload.SetReadBack(AValue: Boolean);
begin
  Check(resup_upload_set_read_back(Handle, Ord(AValue)));
  FReadBack := AValue;
end;

procedure TResupUpload.SetConnections(AValue: Cardinal);
begin
  Check(resup_upload_set_connections(Handle, AValue));
  FConnections := AValue;
end;

procedure TResupUpload.SetParts(const AValue: TResupText);
begin
  Check(resup_upload_set_parts(Handle, PAnsiChar(ResupToUtf8(AValue))));
  FParts := AValue;
end;

procedure TResupUpload.SetStateFile(const AValue: TResupText);
begin
  Check(resup_upload_set_state_file(Handle, PAnsiChar(ResupToUtf8(AValue))));
  FStateFile := AValue;
end;

procedure TResupUpload.SetSegmentSize(AValue: Int64);
begin
  Check(resup_upload_set_segment_size(Handle, ResupBytes('the segment size', AValue)));
  FSegmentSize := AValue;
end;

procedure TResupUpload.SetRateLimit(AValue: Int64);
begin
  Check(resup_upload_set_rate_limit(Handle, ResupBytes('the rate limit', AValue)));
  FRateLimit := AValue;
end;

end.
