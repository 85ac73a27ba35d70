/// <summary>Uploads that go on where they broke: resup for Delphi 7 to 12 and Free Pascal.</summary>
/// <remarks>
/// <code>
///   Client := TResupClient.Create('https://files.example/upload');
///   try
///     Upload := TResupUpload.Create(Client, 'video.mp4');
///     try
///       Upload.Execute;   // breaks are waited out and gone on from
///     finally
///       Upload.Free;
///     end;
///   finally
///     Client.Free;
///   end;
/// </code>
/// Sizes are bytes, times milliseconds. What fails raises EResupError. Texts are of the program's own kind and go to
/// the library as UTF-8; TResupText tells which. Events come on the thread that is inside Execute, Poll or WaitFor,
/// and on no other.
/// SPDX-License-Identifier: MIT OR Apache-2.0</remarks>
unit Resup;

{$IFDEF FPC}{$MODE DELPHI}{$ENDIF}
{$Z4}

interface

uses
  SysUtils, Classes, Resup.Api;

type
  /// <summary>A text or a path: string, and WideString in the Delphis before 2009, whose own strings hold one
  /// code page only. They take both. A Free Pascal program for Windows that is not of Lazarus calls
  /// SetMultiByteConversionCodePage(CP_UTF8) first, or its strings hold one code page, too. On Unix strings are
  /// UTF-8.</summary>
  TResupText = {$IFDEF FPC}string{$ELSE}{$IFDEF UNICODE}string{$ELSE}WideString{$ENDIF}{$ENDIF};

  /// <summary>What an upload is doing: RESUP_STATE_ and the name.</summary>
  /// <remarks>rsHashing: reading what the server already has. rsLocating: asking it what it has. rsVerifying: all is
  /// handed over, the server is to confirm it. rsWaiting: a break; it is tried again. rsFailed: given up.</remarks>
  TResupState = (rsNone, rsReady, rsHashing, rsLocating, rsSending, rsVerifying, rsWaiting, rsPaused, rsComplete,
    rsFailed, rsCancelled);

  /// <summary>Whether the MD5 of the file is computed: not at all, so that nothing is compared; while it is sent (the
  /// default); before, so that a server which has the content gets no byte.</summary>
  TResupDigest = (rdNone, rdMd5, rdMd5First);

  /// <summary>The least important lines of the log that are wanted.</summary>
  TResupLogLevel = (rlNone, rlError, rlWarn, rlInfo, rlDebug);

  /// <summary>How the server is asked for its offset. Default: by POST.</summary>
  TResupLocateMethod = (rmPost, rmGet);

  /// <summary>How forms are signed. Default: HMAC-SHA-256.</summary>
  TResupSigning = (rhSha256, rhMd5);

  /// <summary>Whose root certificates are trusted: the system's (the default), or Mozilla's of the library.</summary>
  TResupTrust = (rtSystem, rtBundled);

  /// <summary>How file names are written into forms: as browsers do (the default), or a second time as
  /// filename*.</summary>
  TResupFilenameStyle = (rfWhatwg, rfRfc8187);

  /// <summary>What is raised when a call fails. Message says what went wrong, and what to do.</summary>
  EResupError = class(Exception)
  private
    FCode, FHttpStatus: Integer;
    FServerMessage: TResupText;
    FRetryable: Boolean;
  public
    /// <summary>One of the RESUP_E_ constants of Resup.Api.</summary>
    property Code: Integer read FCode;
    /// <summary>The HTTP status of the server's last answer; 0 when there was none.</summary>
    property HttpStatus: Integer read FHttpStatus;
    /// <summary>The server's own message for a person; empty when it sent none.</summary>
    property ServerMessage: TResupText read FServerMessage;
    /// <summary>Whether running the upload again, later and unchanged, may succeed.</summary>
    property Retryable: Boolean read FRetryable;
  end;

  /// <summary>The upload was cancelled, by Cancel or by being freed. It may be run again.</summary>
  EResupCancelled = class(EResupError);

  TResupClient = class;
  TResupUpload = class;

  /// <summary>Told one line of the log. Secrets and file contents are never logged.</summary>
  TResupLogEvent = procedure(Client: TResupClient; Level: TResupLogLevel; const Line: TResupText) of object;
  /// <summary>Told about ten times a second while the numbers change, and a last time before the end.</summary>
  TResupProgressEvent = procedure(Upload: TResupUpload; Position, Size: Int64) of object;
  /// <summary>Told each new state.</summary>
  TResupStateEvent = procedure(Upload: TResupUpload; State: TResupState) of object;
  /// <summary>Told once at the end of every run, as the last event. Status is RESUP_OK, or what EResupError.Code will
  /// be.</summary>
  TResupCompleteEvent = procedure(Upload: TResupUpload; Status: Integer) of object;

  /// <summary>A server, and what all uploads to it share: connections, limits, logins, proxies.</summary>
  /// <remarks>Settings count from the next run of each upload on. A setting that cannot be used raises EResupError
  /// with RESUP_E_ARGUMENT. Threads: any. It may be freed before its uploads, which keep what they need; with OnLog
  /// set, not while another thread is inside a run of one.</remarks>
  TResupClient = class
  private
    FHandle: Presup_client;
    FLink: TObject;
    FLogLevel: TResupLogLevel;
    FOnLog: TResupLogEvent;
    procedure Check(Status: resup_status);
    procedure ListenToLog;
    procedure SetUser(const Value: TResupText);
    procedure SetUserAgent(const Value: TResupText);
    procedure SetLocateMethod(Value: TResupLocateMethod);
    procedure SetConnectTimeout(Value: Cardinal);
    procedure SetResponseTimeout(Value: Cardinal);
    procedure SetStallTimeout(Value: Cardinal);
    procedure SetRateLimit(Value: Int64);
    procedure SetRetryLimit(Value: Cardinal);
    procedure SetRetryTimeout(Value: Cardinal);
    procedure SetLoginForm(const Value: TResupText);
    procedure SetBearerToken(const Value: TResupText);
    procedure SetSigning(Value: TResupSigning);
    procedure SetProxy(const Value: TResupText);
    procedure SetNoProxy(const Value: TResupText);
    procedure SetTrust(Value: TResupTrust);
    procedure SetTlsVerify(Value: Boolean);
    procedure SetFilenameStyle(Value: TResupFilenameStyle);
    procedure SetLogLevel(Value: TResupLogLevel);
    procedure SetOnLog(const Value: TResupLogEvent);
  public
    /// <summary>A client for a server. Nothing is sent yet.</summary>
    /// <param name="URL">the server's upload address, http or https</param>
    /// <exception cref="EResupError">RESUP_E_URL</exception>
    /// <exception cref="EResupLibrary">the library is not there, or is another version's</exception>
    constructor Create(const URL: TResupText);
    destructor Destroy; override;

    /// <summary>Waits between attempts: random, up to a bound that doubles from First to Longest. Default: 500 and
    /// 30000.</summary>
    procedure SetRetryBackoff(First, Longest: Cardinal);
    /// <summary>A field of the login form, after LoginForm: user name, password and what else it has.</summary>
    procedure SetLoginField(const Name, Value: TResupText);
    /// <summary>Basic authorization with every request.</summary>
    procedure SetBasicAuth(const User, Password: TResupText);
    /// <summary>A header of the program's own with every request.</summary>
    procedure SetHeader(const Name, Value: TResupText);
    /// <summary>A cookie of the program's own with every request.</summary>
    procedure SetCookie(const Name, Value: TResupText);
    /// <summary>Signs every form with a secret, any bytes; those of a string variable are given as S[1].</summary>
    procedure SetSigningSecret(const Secret; Size: Integer); overload;
    /// <summary>Signs every form with a secret that is a text, as UTF-8.</summary>
    procedure SetSigningSecret(const Secret: TResupText); overload;
    /// <summary>Trusts the CAs in a PEM file, and no others but those of further calls.</summary>
    procedure AddCAFile(const FileName: TResupText);
    /// <summary>Trusts the CAs in a PEM text, and no others but those of further calls.</summary>
    procedure AddCAPem(const Pem: TResupText);
    /// <summary>The certificate that this side shows: PEM files of the chain and of the key.</summary>
    procedure SetClientCertificate(const Certificate, Key: TResupText);

    /// <summary>The C API's handle, still owned by this object.</summary>
    property Handle: Presup_client read FHandle;
    /// <summary>The user name that the server is told with each file. Default: none.</summary>
    property User: TResupText write SetUser;
    /// <summary>The User-Agent header. Default: "resup/" and the version.</summary>
    property UserAgent: TResupText write SetUserAgent;
    /// <summary>How the server is asked for its offset.</summary>
    property LocateMethod: TResupLocateMethod write SetLocateMethod;
    /// <summary>The most time for a name lookup, and for connecting, each. Default: 30000.</summary>
    property ConnectTimeout: Cardinal write SetConnectTimeout;
    /// <summary>The most time from the end of a request to its answer. Default: 120000.</summary>
    property ResponseTimeout: Cardinal write SetResponseTimeout;
    /// <summary>The most time for which the network may take nothing. Default: 60000.</summary>
    property StallTimeout: Cardinal write SetStallTimeout;
    /// <summary>Bytes per second of all uploads together, at once; 0, the default, for no limit.</summary>
    property RateLimit: Int64 write SetRateLimit;
    /// <summary>How many attempts in a row may fail without a byte more having arrived. Default: 8.</summary>
    property RetryLimit: Cardinal write SetRetryLimit;
    /// <summary>For how long attempts may fail without a byte more having arrived; 0, the default: no limit.</summary>
    property RetryTimeout: Cardinal write SetRetryTimeout;
    /// <summary>The address of a form by which is logged in before the first request, and again when the session
    /// ends; cookies are kept. SetLoginField fills it in.</summary>
    property LoginForm: TResupText write SetLoginForm;
    /// <summary>A bearer token with every request.</summary>
    property BearerToken: TResupText write SetBearerToken;
    /// <summary>How forms are signed, where there is a secret.</summary>
    property Signing: TResupSigning write SetSigning;
    /// <summary>"none", "system" (the default) or scheme://user:password@host:port: http, socks4, socks4a, socks5,
    /// socks5h.</summary>
    property Proxy: TResupText write SetProxy;
    /// <summary>Hosts that are reached without a proxy: domains, addresses, CIDR blocks, between commas.</summary>
    property NoProxy: TResupText write SetNoProxy;
    /// <summary>Whose root certificates are trusted while no CA was given.</summary>
    property Trust: TResupTrust write SetTrust;
    /// <summary>Whether the server's certificate is verified. Without, everything can be read and changed on the
    /// way.</summary>
    property TlsVerify: Boolean write SetTlsVerify;
    /// <summary>How file names are written into forms.</summary>
    property FilenameStyle: TResupFilenameStyle write SetFilenameStyle;
    /// <summary>Which lines OnLog is told. Default: rlInfo.</summary>
    property LogLevel: TResupLogLevel read FLogLevel write SetLogLevel;
    /// <summary>The log, from the next run of each upload on; on the threads that are inside a run.</summary>
    property OnLog: TResupLogEvent read FOnLog write SetOnLog;
  end;

  /// <summary>One file's job.</summary>
  /// <remarks>To wait for it, call Execute. In a program with a window, Start it and Poll from a timer; or put
  /// TResumableUploader on the form, which does that. After a failure it may be run again, and goes on where the
  /// server is.
  /// An exception that an event raises cancels the upload, and is raised again from Execute, Poll or WaitFor: the
  /// same object.
  /// Threads: what only reads, Cancel, Pause, Resume and RateLimit from any, at any time, events included; all else
  /// one at a time (RESUP_E_BUSY). It may be freed at any time, in its own events too, and is cancelled then; freed on
  /// another thread than the run's, it waits for that to end; on the main thread what events synchronize is called
  /// meanwhile. What such an event synchronizes must not free the event's own upload: each would wait for the
  /// other.</remarks>
  TResupUpload = class
  private
    FJob: TObject;
    FOnProgress: TResupProgressEvent;
    FOnState: TResupStateEvent;
    FOnComplete: TResupCompleteEvent;
    procedure Made(Client: TResupClient; Status: resup_status);
    procedure Check(Status: resup_status);
    function GetHandle: Presup_upload;
    procedure SetName(const Value: TResupText);
    procedure SetDirectory(const Value: TResupText);
    procedure SetContentType(const Value: TResupText);
    procedure SetDigest(Value: TResupDigest);
    procedure SetStateFile(const Value: TResupText);
    procedure SetSegmentSize(Value: Int64);
    procedure SetRateLimit(Value: Int64);
    function GetState: TResupState;
    function GetSize: Int64;
    function GetOffset: Int64;
    function GetPosition: Int64;
    function GetBytesSent: Int64;
    function GetBytesSkipped: Int64;
    function GetRate: Int64;
    function GetTimeLeft: Int64;
    function GetAttempts: Cardinal;
    function GetRetryIn: Cardinal;
    function GetHttpStatus: Integer;
    function GetRetryable: Boolean;
    function GetId: TResupText;
    function GetLocation: TResupText;
    function GetMd5: TResupText;
    function GetServerMessage: TResupText;
    function GetServerExcerpt: TResupText;
    function GetErrorMessage: TResupText;
  public
    /// <summary>An upload of a file, under its own name. Nothing is sent yet, and the file is not kept open.</summary>
    /// <exception cref="EResupError">RESUP_E_SOURCE_NOT_FOUND, _DENIED, _NOT_A_FILE, _IO</exception>
    constructor Create(Client: TResupClient; const FileName: TResupText);
    /// <summary>An upload of bytes in memory, which are copied; those of a string variable are given as S[1].</summary>
    constructor CreateFromMemory(Client: TResupClient; const Name: TResupText; const Data; Size: Integer);
    /// <summary>An upload of a stream that can seek.</summary>
    /// <remarks>It is read only inside Execute, Poll and WaitFor, and twice: first for its MD5, since nothing else tells
    /// two versions of it apart. What it raises ends the upload and is raised again from there.</remarks>
    /// <param name="Owned">whether the stream is freed with the upload; if this constructor fails it is not</param>
    constructor CreateFromStream(Client: TResupClient; const Name: TResupText; Stream: TStream; Owned: Boolean = False);
    destructor Destroy; override;

    /// <summary>Uploads, and returns when the server has confirmed the whole file.</summary>
    /// <exception cref="EResupError">any failure; EResupCancelled after Cancel</exception>
    procedure Execute;
    /// <summary>Starts it and returns at once; Poll and WaitFor deliver what happens.</summary>
    procedure Start;
    /// <summary>Calls the events for what has happened since the last call, and waits for nothing.</summary>
    /// <returns>whether it is complete; False when it goes on</returns>
    /// <exception cref="EResupError">as Execute; again with each call</exception>
    function Poll: Boolean;
    /// <summary>As Poll, and waits up to so many milliseconds for the end; RESUP_FOREVER for as long as it
    /// takes.</summary>
    function WaitFor(Milliseconds: Cardinal = RESUP_FOREVER): Boolean;
    /// <summary>As WaitFor, but hands over the failure of the run itself instead of raising it: what is raised here is
    /// what an event raised.</summary>
    /// <param name="Error">the caller's, to be freed; nil where the run is complete or goes on</param>
    function TryWaitFor(Milliseconds: Cardinal; out Error: EResupError): Boolean;
    /// <summary>Ends the run, which returns within 100 ms; the next run goes on where the server is. Before the first
    /// run it ends that one.</summary>
    procedure Cancel;
    /// <summary>Closes the connection and waits for Resume.</summary>
    procedure Pause;
    /// <summary>Goes on after Pause, from where the server is then.</summary>
    procedure Resume;
    /// <summary>A form field of the program's own, sent with every request.</summary>
    procedure SetField(const Name, Value: TResupText);

    /// <summary>The C API's handle, still owned by this object.</summary>
    property Handle: Presup_upload read GetHandle;
    /// <summary>The file name that the server is told. Default: the file's own.</summary>
    property Name: TResupText write SetName;
    /// <summary>The directory on the server, separated by "/". Default: the server's own choice.</summary>
    property Directory: TResupText write SetDirectory;
    /// <summary>The MIME type. Default: by the name's extension.</summary>
    property ContentType: TResupText write SetContentType;
    /// <summary>Whether and when the MD5 is computed.</summary>
    property Digest: TResupDigest write SetDigest;
    /// <summary>A file with which a later run need not read again what the server has. Default: none.</summary>
    property StateFile: TResupText write SetStateFile;
    /// <summary>The most file bytes that one request carries, RESUP_SEGMENT_UNLIMITED (the default) or
    /// RESUP_SEGMENT_AUTOMATIC.</summary>
    property SegmentSize: Int64 write SetSegmentSize;
    /// <summary>Bytes per second, at once; 0, the default, for no limit.</summary>
    property RateLimit: Int64 write SetRateLimit;

    /// <summary>What it is doing.</summary>
    property State: TResupState read GetState;
    /// <summary>Bytes in the whole file; 0 before the first run has opened it.</summary>
    property Size: Int64 read GetSize;
    /// <summary>Bytes that the server has confirmed to hold.</summary>
    property Offset: Int64 read GetOffset;
    /// <summary>Those and what was handed to the network since: what a progress bar shows.</summary>
    property Position: Int64 read GetPosition;
    /// <summary>Bytes handed to the network in this run.</summary>
    property BytesSent: Int64 read GetBytesSent;
    /// <summary>Bytes that this run did not have to send.</summary>
    property BytesSkipped: Int64 read GetBytesSkipped;
    /// <summary>Bytes per second over the last seconds; 0 while nothing is being sent.</summary>
    property Rate: Int64 read GetRate;
    /// <summary>Milliseconds left at the present rate; -1 when that cannot be told.</summary>
    property TimeLeft: Int64 read GetTimeLeft;
    /// <summary>How often this run began to ask the server for its offset.</summary>
    property Attempts: Cardinal read GetAttempts;
    /// <summary>In rsWaiting, the milliseconds until the next attempt; else 0.</summary>
    property RetryIn: Cardinal read GetRetryIn;
    /// <summary>The HTTP status of the server's last answer in this run; 0 when there was none.</summary>
    property HttpStatus: Integer read GetHttpStatus;
    /// <summary>Whether running again, later and unchanged, may succeed where the last run failed.</summary>
    property Retryable: Boolean read GetRetryable;
    /// <summary>The server's own key of the upload.</summary>
    property Id: TResupText read GetId;
    /// <summary>Where the finished file is to be found, in the server's words.</summary>
    property Location: TResupText read GetLocation;
    /// <summary>The MD5 of the whole file in lower-case hex, once it is complete and if it was read.</summary>
    property Md5: TResupText read GetMd5;
    /// <summary>The server's last message for a person.</summary>
    property ServerMessage: TResupText read GetServerMessage;
    /// <summary>The start of the body of the server's last refusal.</summary>
    property ServerExcerpt: TResupText read GetServerExcerpt;
    /// <summary>What went wrong in the last call that failed, and what to do about it.</summary>
    property ErrorMessage: TResupText read GetErrorMessage;

    property OnProgress: TResupProgressEvent read FOnProgress write FOnProgress;
    property OnState: TResupStateEvent read FOnState write FOnState;
    property OnComplete: TResupCompleteEvent read FOnComplete write FOnComplete;
  end;

implementation

uses
  {$IFNDEF FPC}
  {$IFDEF MSWINDOWS}
  Windows,
  {$ENDIF}
  {$ENDIF}
  SyncObjs;

var
  /// Guards the counters of all jobs and links.
  Counters: TCriticalSection;

// Texts

{$IFNDEF FPC}
{$IFNDEF UNICODE}
// Those of these Delphis know no characters past U+FFFF.

function UTF8Encode(const Text: WideString): UTF8String;
begin
  SetLength(Result, WideCharToMultiByte(CP_UTF8, 0, PWideChar(Text), Length(Text), nil, 0, nil, nil));
  WideCharToMultiByte(CP_UTF8, 0, PWideChar(Text), Length(Text), PAnsiChar(Result), Length(Result), nil, nil);
end;

function UTF8Decode(const Bytes: UTF8String): WideString;
begin
  SetLength(Result, MultiByteToWideChar(CP_UTF8, 0, PAnsiChar(Bytes), Length(Bytes), nil, 0));
  MultiByteToWideChar(CP_UTF8, 0, PAnsiChar(Bytes), Length(Bytes), PWideChar(Result), Length(Result));
end;
{$ENDIF}
{$ENDIF}

function Utf8(const Text: TResupText): UTF8String;
begin
  {$IFDEF FPC}
  {$IFDEF UNIX}
  // They are UTF-8; to convert them would need a program that uses cwstring.
  SetString(Result, PAnsiChar(Text), Length(Text));
  {$ELSE}
  Result := UTF8Encode(UnicodeString(Text));
  {$ENDIF}
  {$ELSE}
  Result := UTF8Encode(Text);
  {$ENDIF}
end;

function OfUtf8(Borrowed: PAnsiChar): TResupText;
var
  Bytes: {$IFDEF UNIX}string{$ELSE}UTF8String{$ENDIF};
  Count: Integer;
begin
  Count := 0;
  if Borrowed <> nil then
    while Borrowed[Count] <> #0 do
      Inc(Count);
  SetString(Bytes, Borrowed, Count);
  {$IFDEF FPC}
  {$IFDEF UNIX}
  Result := Bytes;
  {$ELSE}
  Result := string(UTF8Decode(Bytes));
  {$ENDIF}
  {$ELSE}
  Result := UTF8Decode(Bytes);
  {$ENDIF}
end;

// Errors

function Failure(Code: resup_status; Message: PAnsiChar): EResupError;
var
  Text: string;
begin
  Text := OfUtf8(Message);
  if Text = '' then
    Text := OfUtf8(resup_status_message(Code));
  if Code = RESUP_E_CANCELLED then
    Result := EResupCancelled.Create(Text)
  else
    Result := EResupError.Create(Text);
  Result.FCode := Code;
end;

// Runs

type
  /// What an upload's runs work on. It outlives its TResupUpload until they end, so that an event may free that.
  TJob = class
    Handle: Presup_upload;
    Upload: TResupUpload;
    Stream: TStream;
    Owned: Boolean;
    Users: Integer;
    destructor Destroy; override;
  end;

  PScope = ^TScope;
  /// One run under way on a thread; all callbacks are called within it.
  TScope = record
    Job: TJob;
    Outer: PScope;
    Raised: TObject;
  end;

threadvar
  Innermost: PScope;

destructor TJob.Destroy;
begin
  // Busy only where the program itself runs it by the C API.
  while (Handle <> nil) and (resup_upload_free(Handle) = RESUP_E_BUSY) do
  begin
    resup_upload_cancel(Handle);
    Sleep(1);
  end;
  if Owned then
    Stream.Free;
  inherited Destroy;
end;

function Counted(var Users: Integer; Change: Integer): Integer;
begin
  Counters.Enter;
  Inc(Users, Change);
  Result := Users;
  Counters.Leave;
end;

procedure LetGo(Job: TJob);
begin
  if Counted(Job.Users, -1) = 0 then
    Job.Free;
end;

/// Whether a callback of this upload is under way on this thread.
function Within(Job: TJob): Boolean;
var
  Scope: PScope;
begin
  Scope := Innermost;
  while (Scope <> nil) and (Scope^.Job <> Job) do
    Scope := Scope^.Outer;
  Result := Scope <> nil;
end;

function OnMainThread: Boolean;
begin
  {$IF Defined(FPC) or Defined(MSWINDOWS)}
  Result := GetCurrentThreadId = MainThreadID;
  {$ELSE}
  Result := TThread.CurrentThread.ThreadID = MainThreadID;
  {$IFEND}
end;

/// In an except block of a callback: keeps what was raised, the first one of a run; Delphi's exceptions must not pass
/// through C.
function Kept: Integer;
begin
  if (Innermost <> nil) and (Innermost^.Raised = nil) then
    Innermost^.Raised := AcquireExceptionObject;
  Result := RESUP_CONTINUE + 1;
end;

/// The error of a run, with all that is known of it.
function RunFailure(Upload: Presup_upload; Code: resup_status): EResupError;
begin
  Result := Failure(Code, resup_upload_error_message(Upload));
  Result.FHttpStatus := resup_upload_http_status(Upload);
  Result.FServerMessage := OfUtf8(resup_upload_server_message(Upload));
  Result.FRetryable := resup_upload_is_retryable(Upload) <> 0;
end;

type
  TStep = function(Upload: Presup_upload; Milliseconds: Cardinal): resup_status;

function Run(Upload: Presup_upload; Milliseconds: Cardinal): resup_status;
begin
  Result := resup_upload_run(Upload);
end;

function Wait(Upload: Presup_upload; Milliseconds: Cardinal): resup_status;
begin
  Result := resup_upload_wait(Upload, Milliseconds);
end;

/// Has a run go on, with its events; then the upload may be gone, and the job is not. What an event raised is raised,
/// Error is the failure of the run itself.
function Delivered(Job: TJob; Step: TStep; Milliseconds: Cardinal; out Error: EResupError): Boolean;
var
  Scope: TScope;
  Status: resup_status;
begin
  Counted(Job.Users, 1);
  try
    Scope.Job := Job;
    Scope.Outer := Innermost;
    Scope.Raised := nil;
    Innermost := @Scope;
    try
      Status := Step(Job.Handle, Milliseconds);
    finally
      Innermost := Scope.Outer;
    end;
    if Scope.Raised <> nil then
      raise Scope.Raised;
    Error := nil;
    if (Status <> RESUP_OK) and (Status <> RESUP_PENDING) then
      Error := RunFailure(Job.Handle, Status);
    Result := Status = RESUP_OK;
  finally
    LetGo(Job);
  end;
end;

function Deliver(Job: TJob; Step: TStep; Milliseconds: Cardinal): Boolean;
var
  Error: EResupError;
begin
  Result := Delivered(Job, Step, Milliseconds, Error);
  if Error <> nil then
    raise Error;
end;

function Progressed(upload: Presup_upload; position, size: resup_uint64; user_data: Pointer): Integer; cdecl;
var
  Told: TResupUpload;
begin
  try
    Result := RESUP_CONTINUE;
    Told := TJob(user_data).Upload;
    if (Told <> nil) and Assigned(Told.FOnProgress) then
      Told.FOnProgress(Told, Int64(position), Int64(size));
  except
    Result := Kept;
  end;
end;

function Entered(upload: Presup_upload; state: Integer; user_data: Pointer): Integer; cdecl;
var
  Told: TResupUpload;
begin
  try
    Result := RESUP_CONTINUE;
    Told := TJob(user_data).Upload;
    if (Told <> nil) and Assigned(Told.FOnState) then
      Told.FOnState(Told, TResupState(state));
  except
    Result := Kept;
  end;
end;

function Completed(upload: Presup_upload; status: resup_status; user_data: Pointer): Integer; cdecl;
var
  Told: TResupUpload;
begin
  try
    Result := RESUP_CONTINUE;
    Told := TJob(user_data).Upload;
    if (Told <> nil) and Assigned(Told.FOnComplete) then
      Told.FOnComplete(Told, status);
  except
    Result := Kept;
  end;
end;

function ReadStream(buffer: Pointer; size: resup_size; read: Presup_size; user_data: Pointer): Integer; cdecl;
begin
  try
    if size > MaxInt then
      size := MaxInt;
    read^ := TJob(user_data).Stream.Read(buffer^, Integer(size));
    Result := 0;
  except
    Result := Kept;
  end;
end;

function SeekStream(offset: resup_uint64; user_data: Pointer): Integer; cdecl;
begin
  try
    TJob(user_data).Stream.Position := Int64(offset);
    Result := 0;
  except
    Result := Kept;
  end;
end;

function SizeOfStream(size: Presup_uint64; user_data: Pointer): Integer; cdecl;
begin
  try
    size^ := resup_uint64(TJob(user_data).Stream.Size);
    Result := 0;
  except
    Result := Kept;
  end;
end;

// TResupClient

type
  /// Who is told the log: the library may have it for longer than the client lives.
  TLink = class
    Client: TResupClient;
    Users: Integer;
  end;

procedure LetGoLink(user_data: Pointer); cdecl;
begin
  if Counted(TLink(user_data).Users, -1) = 0 then
    TLink(user_data).Free;
end;

function Logged(level: Integer; message: PAnsiChar; user_data: Pointer): Integer; cdecl;
var
  Client: TResupClient;
begin
  try
    Result := RESUP_CONTINUE;
    Client := TLink(user_data).Client;
    if (Client <> nil) and Assigned(Client.FOnLog) then
      Client.FOnLog(Client, TResupLogLevel(level), OfUtf8(message));
  except
    Result := Kept;
  end;
end;

constructor TResupClient.Create(const URL: TResupText);
begin
  inherited Create;
  ResupLoad;
  FLogLevel := rlInfo;
  FLink := TLink.Create;
  TLink(FLink).Client := Self;
  TLink(FLink).Users := 1;
  Check(resup_client_new(PAnsiChar(Utf8(URL)), @FHandle));
end;

destructor TResupClient.Destroy;
begin
  if FLink <> nil then
  begin
    TLink(FLink).Client := nil;
    LetGoLink(FLink);
  end;
  if FHandle <> nil then
    resup_client_free(FHandle);
  inherited Destroy;
end;

procedure TResupClient.Check(Status: resup_status);
begin
  if Status <> RESUP_OK then
    raise Failure(Status, resup_client_error_message(FHandle));
end;

procedure TResupClient.ListenToLog;
begin
  if Assigned(FOnLog) and (FLogLevel <> rlNone) then
  begin
    Counted(TLink(FLink).Users, 1);
    Check(resup_client_on_log(FHandle, Ord(FLogLevel), Logged, FLink, LetGoLink));
  end
  else
    Check(resup_client_on_log(FHandle, RESUP_LOG_ERROR, nil, nil, nil));
end;

procedure TResupClient.SetOnLog(const Value: TResupLogEvent);
begin
  FOnLog := Value;
  ListenToLog;
end;

procedure TResupClient.SetLogLevel(Value: TResupLogLevel);
begin
  FLogLevel := Value;
  ListenToLog;
end;

procedure TResupClient.SetUser(const Value: TResupText);
begin
  Check(resup_client_set_user(FHandle, PAnsiChar(Utf8(Value))));
end;

procedure TResupClient.SetUserAgent(const Value: TResupText);
begin
  Check(resup_client_set_user_agent(FHandle, PAnsiChar(Utf8(Value))));
end;

procedure TResupClient.SetLocateMethod(Value: TResupLocateMethod);
begin
  Check(resup_client_set_locate_method(FHandle, Ord(Value)));
end;

procedure TResupClient.SetConnectTimeout(Value: Cardinal);
begin
  Check(resup_client_set_connect_timeout(FHandle, Value));
end;

procedure TResupClient.SetResponseTimeout(Value: Cardinal);
begin
  Check(resup_client_set_response_timeout(FHandle, Value));
end;

procedure TResupClient.SetStallTimeout(Value: Cardinal);
begin
  Check(resup_client_set_stall_timeout(FHandle, Value));
end;

procedure TResupClient.SetRateLimit(Value: Int64);
begin
  Check(resup_client_set_rate_limit(FHandle, resup_uint64(Value)));
end;

procedure TResupClient.SetRetryLimit(Value: Cardinal);
begin
  Check(resup_client_set_retry_limit(FHandle, Value));
end;

procedure TResupClient.SetRetryTimeout(Value: Cardinal);
begin
  Check(resup_client_set_retry_timeout(FHandle, Value));
end;

procedure TResupClient.SetRetryBackoff(First, Longest: Cardinal);
begin
  Check(resup_client_set_retry_backoff(FHandle, First, Longest));
end;

procedure TResupClient.SetLoginForm(const Value: TResupText);
begin
  Check(resup_client_set_login_form(FHandle, PAnsiChar(Utf8(Value))));
end;

procedure TResupClient.SetLoginField(const Name, Value: TResupText);
begin
  Check(resup_client_set_login_field(FHandle, PAnsiChar(Utf8(Name)), PAnsiChar(Utf8(Value))));
end;

procedure TResupClient.SetBasicAuth(const User, Password: TResupText);
begin
  Check(resup_client_set_basic_auth(FHandle, PAnsiChar(Utf8(User)), PAnsiChar(Utf8(Password))));
end;

procedure TResupClient.SetBearerToken(const Value: TResupText);
begin
  Check(resup_client_set_bearer_token(FHandle, PAnsiChar(Utf8(Value))));
end;

procedure TResupClient.SetHeader(const Name, Value: TResupText);
begin
  Check(resup_client_set_header(FHandle, PAnsiChar(Utf8(Name)), PAnsiChar(Utf8(Value))));
end;

procedure TResupClient.SetCookie(const Name, Value: TResupText);
begin
  Check(resup_client_set_cookie(FHandle, PAnsiChar(Utf8(Name)), PAnsiChar(Utf8(Value))));
end;

procedure TResupClient.SetSigningSecret(const Secret; Size: Integer);
begin
  Check(resup_client_set_signing_secret(FHandle, @Secret, resup_size(Size)));
end;

procedure TResupClient.SetSigningSecret(const Secret: TResupText);
var
  Bytes: UTF8String;
begin
  Bytes := Utf8(Secret);
  SetSigningSecret(PAnsiChar(Bytes)^, Length(Bytes));
end;

procedure TResupClient.SetSigning(Value: TResupSigning);
begin
  Check(resup_client_set_signing_algorithm(FHandle, Ord(Value)));
end;

procedure TResupClient.SetProxy(const Value: TResupText);
begin
  Check(resup_client_set_proxy(FHandle, PAnsiChar(Utf8(Value))));
end;

procedure TResupClient.SetNoProxy(const Value: TResupText);
begin
  Check(resup_client_set_no_proxy(FHandle, PAnsiChar(Utf8(Value))));
end;

procedure TResupClient.SetTrust(Value: TResupTrust);
begin
  Check(resup_client_set_trust(FHandle, Ord(Value)));
end;

procedure TResupClient.AddCAFile(const FileName: TResupText);
begin
  Check(resup_client_set_ca_file(FHandle, PAnsiChar(Utf8(FileName))));
end;

procedure TResupClient.AddCAPem(const Pem: TResupText);
begin
  Check(resup_client_set_ca_pem(FHandle, PAnsiChar(Utf8(Pem))));
end;

procedure TResupClient.SetClientCertificate(const Certificate, Key: TResupText);
begin
  Check(resup_client_set_client_certificate(FHandle, PAnsiChar(Utf8(Certificate)), PAnsiChar(Utf8(Key))));
end;

procedure TResupClient.SetTlsVerify(Value: Boolean);
begin
  Check(resup_client_set_tls_verify(FHandle, Ord(Value)));
end;

procedure TResupClient.SetFilenameStyle(Value: TResupFilenameStyle);
begin
  Check(resup_client_set_filename_style(FHandle, Ord(Value)));
end;

// TResupUpload

function NewJob(Upload: TResupUpload): TJob;
begin
  Result := TJob.Create;
  Result.Upload := Upload;
  Result.Users := 1;
end;

constructor TResupUpload.Create(Client: TResupClient; const FileName: TResupText);
begin
  inherited Create;
  FJob := NewJob(Self);
  Made(Client, resup_upload_new_file(Client.FHandle, PAnsiChar(Utf8(FileName)), @TJob(FJob).Handle));
end;

constructor TResupUpload.CreateFromMemory(Client: TResupClient; const Name: TResupText; const Data; Size: Integer);
begin
  inherited Create;
  FJob := NewJob(Self);
  Made(Client, resup_upload_new_memory(Client.FHandle, @Data, resup_size(Size), PAnsiChar(Utf8(Name)),
    @TJob(FJob).Handle));
end;

constructor TResupUpload.CreateFromStream(Client: TResupClient; const Name: TResupText; Stream: TStream;
  Owned: Boolean);
begin
  inherited Create;
  FJob := NewJob(Self);
  TJob(FJob).Stream := Stream;
  Made(Client, resup_upload_new_stream(Client.FHandle, PAnsiChar(Utf8(Name)), ReadStream, SeekStream, SizeOfStream,
    FJob, nil, @TJob(FJob).Handle));
  TJob(FJob).Owned := Owned;
end;

procedure TResupUpload.Made(Client: TResupClient; Status: resup_status);
begin
  Client.Check(Status);
  Check(resup_upload_on_progress(Handle, Progressed, FJob, nil));
  Check(resup_upload_on_state(Handle, Entered, FJob, nil));
  Check(resup_upload_on_complete(Handle, Completed, FJob, nil));
end;

destructor TResupUpload.Destroy;
var
  Job: TJob;
begin
  Job := TJob(FJob);
  if Job <> nil then
  begin
    Cancel;
    if not Within(Job) then
      while Counted(Job.Users, 0) > 1 do
      begin
        // An event of the run may wait for this thread.
        if OnMainThread then
          CheckSynchronize;
        Sleep(1);
        Cancel; // Once more, for a run that has begun only now.
      end;
    Job.Upload := nil;
    LetGo(Job);
  end;
  inherited Destroy;
end;

procedure TResupUpload.Check(Status: resup_status);
begin
  if Status <> RESUP_OK then
    raise Failure(Status, resup_upload_error_message(Handle));
end;

function TResupUpload.GetHandle: Presup_upload;
begin
  Result := TJob(FJob).Handle;
end;

procedure TResupUpload.Execute;
begin
  Deliver(TJob(FJob), Run, 0);
end;

procedure TResupUpload.Start;
begin
  Check(resup_upload_start(Handle));
end;

function TResupUpload.Poll: Boolean;
begin
  Result := Deliver(TJob(FJob), Wait, 0);
end;

function TResupUpload.WaitFor(Milliseconds: Cardinal): Boolean;
begin
  Result := Deliver(TJob(FJob), Wait, Milliseconds);
end;

function TResupUpload.TryWaitFor(Milliseconds: Cardinal; out Error: EResupError): Boolean;
begin
  Result := Delivered(TJob(FJob), Wait, Milliseconds, Error);
end;

procedure TResupUpload.Cancel;
begin
  resup_upload_cancel(Handle);
end;

procedure TResupUpload.Pause;
begin
  resup_upload_pause(Handle);
end;

procedure TResupUpload.Resume;
begin
  resup_upload_resume(Handle);
end;

procedure TResupUpload.SetField(const Name, Value: TResupText);
begin
  Check(resup_upload_set_field(Handle, PAnsiChar(Utf8(Name)), PAnsiChar(Utf8(Value))));
end;

procedure TResupUpload.SetName(const Value: TResupText);
begin
  Check(resup_upload_set_name(Handle, PAnsiChar(Utf8(Value))));
end;

procedure TResupUpload.SetDirectory(const Value: TResupText);
begin
  Check(resup_upload_set_directory(Handle, PAnsiChar(Utf8(Value))));
end;

procedure TResupUpload.SetContentType(const Value: TResupText);
begin
  Check(resup_upload_set_content_type(Handle, PAnsiChar(Utf8(Value))));
end;

procedure TResupUpload.SetDigest(Value: TResupDigest);
begin
  Check(resup_upload_set_digest(Handle, Ord(Value)));
end;

procedure TResupUpload.SetStateFile(const Value: TResupText);
begin
  Check(resup_upload_set_state_file(Handle, PAnsiChar(Utf8(Value))));
end;

procedure TResupUpload.SetSegmentSize(Value: Int64);
begin
  Check(resup_upload_set_segment_size(Handle, resup_uint64(Value)));
end;

procedure TResupUpload.SetRateLimit(Value: Int64);
begin
  Check(resup_upload_set_rate_limit(Handle, resup_uint64(Value)));
end;

function TResupUpload.GetState: TResupState;
begin
  Result := TResupState(resup_upload_state(Handle));
end;

function TResupUpload.GetSize: Int64;
begin
  Result := Int64(resup_upload_size(Handle));
end;

function TResupUpload.GetOffset: Int64;
begin
  Result := Int64(resup_upload_offset(Handle));
end;

function TResupUpload.GetPosition: Int64;
begin
  Result := Int64(resup_upload_position(Handle));
end;

function TResupUpload.GetBytesSent: Int64;
begin
  Result := Int64(resup_upload_bytes_sent(Handle));
end;

function TResupUpload.GetBytesSkipped: Int64;
begin
  Result := Int64(resup_upload_bytes_skipped(Handle));
end;

function TResupUpload.GetRate: Int64;
begin
  Result := Int64(resup_upload_rate(Handle));
end;

function TResupUpload.GetTimeLeft: Int64;
begin
  Result := resup_upload_time_left(Handle);
  if Result >= RESUP_FOREVER then
    Result := -1;
end;

function TResupUpload.GetAttempts: Cardinal;
begin
  Result := resup_upload_attempts(Handle);
end;

function TResupUpload.GetRetryIn: Cardinal;
begin
  Result := resup_upload_retry_in(Handle);
end;

function TResupUpload.GetHttpStatus: Integer;
begin
  Result := resup_upload_http_status(Handle);
end;

function TResupUpload.GetRetryable: Boolean;
begin
  Result := resup_upload_is_retryable(Handle) <> 0;
end;

function TResupUpload.GetId: TResupText;
begin
  Result := OfUtf8(resup_upload_id(Handle));
end;

function TResupUpload.GetLocation: TResupText;
begin
  Result := OfUtf8(resup_upload_location(Handle));
end;

function TResupUpload.GetMd5: TResupText;
begin
  Result := OfUtf8(resup_upload_md5(Handle));
end;

function TResupUpload.GetServerMessage: TResupText;
begin
  Result := OfUtf8(resup_upload_server_message(Handle));
end;

function TResupUpload.GetServerExcerpt: TResupText;
begin
  Result := OfUtf8(resup_upload_server_excerpt(Handle));
end;

function TResupUpload.GetErrorMessage: TResupText;
begin
  Result := OfUtf8(resup_upload_error_message(Handle));
end;

initialization
  Counters := TCriticalSection.Create;

finalization
  Counters.Free;

end.
