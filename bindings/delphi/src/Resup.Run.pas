/// <summary>The runs of uploads and the library's callbacks: for Resup.Client and Resup.Upload, not for
/// programs.</summary>
/// <remarks>SPDX-License-Identifier: MIT OR Apache-2.0</remarks>
unit Resup.Run;

{$IFDEF FPC}{$MODE DELPHI}{$ENDIF}
{$Z4}

interface

uses
  SysUtils, Classes, Resup.Api, Resup.Types;

type
  /// <summary>An object with several owners, on any threads. The last one to release it frees it.</summary>
  TResupShared = class
  private
    FOwners: Integer;
    function ChangeOwners(AChange: Integer): Integer;
  public
    constructor Create;
    procedure AddOwner;
    procedure Release;
  end;

  /// <summary>The log of a client. The library may keep it for longer than the client lives.</summary>
  TResupLog = class(TResupShared)
  public
    /// <summary>The client; nil when it has been freed.</summary>
    Sender: TObject;
    OnLog: TResupLogEvent;
    /// <summary>Registers it with a client, or no log where nobody listens.</summary>
    function Listen(AClient: Presup_client; ALevel: TResupLogLevel): resup_status;
  end;

  PResupEvents = ^TResupEvents;
  /// <summary>The events of an upload.</summary>
  TResupEvents = record
    OnProgress: TResupProgressEvent;
    OnState: TResupStateEvent;
    OnComplete: TResupCompleteEvent;
  end;

  /// <summary>The data of an upload's runs. It lives until the last run has ended, so that an event may free the
  /// TResupUpload.</summary>
  TResupRun = class(TResupShared)
  private
    FSender: TObject;
    FEvents: PResupEvents;
  public
    Handle: Presup_upload;
    Stream: TStream;
    OwnsStream: Boolean;
    constructor Create(ASender: TObject; AEvents: PResupEvents);
    destructor Destroy; override;
    /// <summary>Makes Handle, an upload of Stream.</summary>
    function OpenStream(AClient: Presup_client; const AName: UTF8String): resup_status;
    /// <summary>Registers the callbacks of events.</summary>
    function Listen: resup_status;
    /// <summary>Runs the upload to its end, with its events.</summary>
    /// <param name="AError">the failure of the run itself, which the caller frees; nil where there is none</param>
    /// <returns>whether it is complete</returns>
    /// <exception cref="Exception">what an event raised</exception>
    /// <remarks>The upload, and this object, may be gone when it returns.</remarks>
    function Run(out AError: EResupError): Boolean;
    /// <summary>Waits up to AMilliseconds for the end of a run that was started, and calls its events; parameter,
    /// result and exceptions are those of Run.</summary>
    function Wait(AMilliseconds: Cardinal; out AError: EResupError): Boolean;
    /// <summary>Cancels the run for an upload that is being freed, and waits for the run's end, except in an event of
    /// it. Then nothing of the upload is used any more.</summary>
    procedure Abandon;
  end;

implementation

uses
  {$IFNDEF FPC}
  {$IFDEF MSWINDOWS}
  Windows,
  {$ENDIF}
  {$ENDIF}
  SyncObjs;

type
  PScope = ^TScope;
  /// A call on this thread, during which the library calls back.
  TScope = record
    Run: TResupRun;
    Outer: PScope;
    Raised: TObject;
  end;

var
  /// Guards the counters of owners.
  Lock: TCriticalSection;

threadvar
  Innermost: PScope;

// TResupShared

constructor TResupShared.Create;
begin
  inherited Create;
  FOwners := 1;
end;

function TResupShared.ChangeOwners(AChange: Integer): Integer;
begin
  Lock.Enter;
  Inc(FOwners, AChange);
  Result := FOwners;
  Lock.Leave;
end;

procedure TResupShared.AddOwner;
begin
  ChangeOwners(1);
end;

procedure TResupShared.Release;
begin
  if ChangeOwners(-1) = 0 then
    Free;
end;

// The library's callbacks

/// Keeps what a callback raised, if it is the first of a call, since no exception may pass through C. It is for except
/// blocks only. Returns what cancels the upload.
function KeepException: Integer;
begin
  if (Innermost <> nil) and (Innermost^.Raised = nil) then
    Innermost^.Raised := AcquireExceptionObject;
  Result := RESUP_CONTINUE + 1;
end;

function HandleLog(level: Integer; message: PAnsiChar; user_data: Pointer): Integer; cdecl;
var
  Log: TResupLog;
  Sender: TObject;
begin
  try
    Result := RESUP_CONTINUE;
    Log := TResupLog(user_data);
    Sender := Log.Sender;
    if (Sender <> nil) and Assigned(Log.OnLog) then
      Log.OnLog(Sender, TResupLogLevel(level), ResupFromUtf8(message));
  except
    Result := KeepException;
  end;
end;

procedure ReleaseLog(user_data: Pointer); cdecl;
begin
  TResupLog(user_data).Release;
end;

function HandleProgress(upload: Presup_upload; position, size: resup_uint64; user_data: Pointer): Integer; cdecl;
var
  Run: TResupRun;
begin
  try
    Result := RESUP_CONTINUE;
    Run := TResupRun(user_data);
    if (Run.FEvents <> nil) and Assigned(Run.FEvents^.OnProgress) then
      Run.FEvents^.OnProgress(Run.FSender, Int64(position), Int64(size));
  except
    Result := KeepException;
  end;
end;

function HandleState(upload: Presup_upload; state: Integer; user_data: Pointer): Integer; cdecl;
var
  Run: TResupRun;
begin
  try
    Result := RESUP_CONTINUE;
    Run := TResupRun(user_data);
    if (Run.FEvents <> nil) and Assigned(Run.FEvents^.OnState) then
      Run.FEvents^.OnState(Run.FSender, TResupState(state));
  except
    Result := KeepException;
  end;
end;

function HandleComplete(upload: Presup_upload; status: resup_status; user_data: Pointer): Integer; cdecl;
var
  Run: TResupRun;
begin
  try
    Result := RESUP_CONTINUE;
    Run := TResupRun(user_data);
    if (Run.FEvents <> nil) and Assigned(Run.FEvents^.OnComplete) then
      Run.FEvents^.OnComplete(Run.FSender, status);
  except
    Result := KeepException;
  end;
end;

function ReadStream(buffer: Pointer; size: resup_size; read: Presup_size; user_data: Pointer): Integer; cdecl;
begin
  try
    if size > MaxInt then
      size := MaxInt;
    read^ := TResupRun(user_data).Stream.Read(buffer^, Integer(size));
    Result := 0;
  except
    Result := KeepException;
  end;
end;

function SeekStream(offset: resup_uint64; user_data: Pointer): Integer; cdecl;
begin
  try
    TResupRun(user_data).Stream.Position := Int64(offset);
    Result := 0;
  except
    Result := KeepException;
  end;
end;

function GetStreamSize(size: Presup_uint64; user_data: Pointer): Integer; cdecl;
begin
  try
    size^ := resup_uint64(TResupRun(user_data).Stream.Size);
    Result := 0;
  except
    Result := KeepException;
  end;
end;

// TResupLog

function TResupLog.Listen(AClient: Presup_client; ALevel: TResupLogLevel): resup_status;
begin
  if Assigned(OnLog) and (ALevel <> rlNone) then
  begin
    AddOwner;
    Result := resup_client_on_log(AClient, Ord(ALevel), HandleLog, Self, ReleaseLog);
  end
  else
    Result := resup_client_on_log(AClient, RESUP_LOG_ERROR, nil, nil, nil);
end;

// TResupRun

constructor TResupRun.Create(ASender: TObject; AEvents: PResupEvents);
begin
  inherited Create;
  FSender := ASender;
  FEvents := AEvents;
end;

destructor TResupRun.Destroy;
begin
  // Busy only where the program itself runs it by the C API.
  while (Handle <> nil) and (resup_upload_free(Handle) = RESUP_E_BUSY) do
  begin
    resup_upload_cancel(Handle);
    Sleep(1);
  end;
  if OwnsStream then
    Stream.Free;
  inherited Destroy;
end;

function TResupRun.OpenStream(AClient: Presup_client; const AName: UTF8String): resup_status;
begin
  Result := resup_upload_new_stream(AClient, PAnsiChar(AName), ReadStream, SeekStream, GetStreamSize, Self, nil,
    @Handle);
end;

function TResupRun.Listen: resup_status;
begin
  Result := resup_upload_on_progress(Handle, HandleProgress, Self, nil);
  if Result = RESUP_OK then
    Result := resup_upload_on_state(Handle, HandleState, Self, nil);
  if Result = RESUP_OK then
    Result := resup_upload_on_complete(Handle, HandleComplete, Self, nil);
end;

type
  TStep = function(upload: Presup_upload; milliseconds: Cardinal): resup_status; cdecl;

function RunStep(upload: Presup_upload; milliseconds: Cardinal): resup_status; cdecl;
begin
  Result := resup_upload_run(upload);
end;

/// Makes a step of a run, keeps the run alive meanwhile, and raises what an event raised.
function Deliver(ARun: TResupRun; AStep: TStep; AMilliseconds: Cardinal; out AError: EResupError): Boolean;
var
  Scope: TScope;
  Status: resup_status;
begin
  ARun.AddOwner;
  try
    Scope.Run := ARun;
    Scope.Outer := Innermost;
    Scope.Raised := nil;
    Innermost := @Scope;
    try
      Status := AStep(ARun.Handle, AMilliseconds);
    finally
      Innermost := Scope.Outer;
    end;
    if Scope.Raised <> nil then
      raise Scope.Raised;
    AError := nil;
    if (Status <> RESUP_OK) and (Status <> RESUP_PENDING) then
      AError := ResupRunFailure(Status, ARun.Handle);
    Result := Status = RESUP_OK;
  finally
    ARun.Release;
  end;
end;

function TResupRun.Run(out AError: EResupError): Boolean;
begin
  Result := Deliver(Self, RunStep, 0, AError);
end;

function TResupRun.Wait(AMilliseconds: Cardinal; out AError: EResupError): Boolean;
begin
  Result := Deliver(Self, resup_upload_wait, AMilliseconds, AError);
end;

/// Tells whether this thread is in a callback of a run.
function IsInside(ARun: TResupRun): Boolean;
var
  Scope: PScope;
begin
  Scope := Innermost;
  while (Scope <> nil) and (Scope^.Run <> ARun) do
    Scope := Scope^.Outer;
  Result := Scope <> nil;
end;

function IsMainThread: Boolean;
begin
  {$IF Defined(FPC) or Defined(MSWINDOWS)}
  Result := GetCurrentThreadId = MainThreadID;
  {$ELSE}
  Result := TThread.CurrentThread.ThreadID = MainThreadID;
  {$IFEND}
end;

procedure TResupRun.Abandon;
begin
  resup_upload_cancel(Handle);
  if not IsInside(Self) then
    while ChangeOwners(0) > 1 do
    begin
      // An event of the run may wait for this thread.
      if IsMainThread then
        CheckSynchronize;
      Sleep(1);
      resup_upload_cancel(Handle); // Once more, for a run that has begun only now.
    end;
  FEvents := nil;
end;

initialization
  Lock := TCriticalSection.Create;

finalization
  Lock.Free;

end.
