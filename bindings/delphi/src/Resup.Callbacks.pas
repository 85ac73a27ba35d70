/// <summary>What the library calls back, and what that works with: for Resup.Client, Resup.Run and Resup.Upload, not
/// for programs.</summary>
/// <remarks>SPDX-License-Identifier: MIT OR Apache-2.0</remarks>
unit Resup.Callbacks;

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
    function Owners: Integer;
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

  /// <summary>What the library's callbacks work with. It lives as long as the library's upload, which may outlive the
  /// TResupUpload.</summary>
  TResupTarget = class(TResupShared)
  public
    Sender: TObject;
    /// <summary>The events; nil when the TResupUpload has been freed.</summary>
    Events: PResupEvents;
    Stream: TStream;
    OwnsStream: Boolean;
    destructor Destroy; override;
    /// <summary>Makes an upload of Stream, which can seek or is read once.</summary>
    function OpenStream(AClient: Presup_client; const AName: UTF8String; ACanSeek: Boolean;
      out AUpload: Presup_upload): resup_status;
    /// <summary>Registers the callbacks of events with an upload.</summary>
    function Listen(AUpload: Presup_upload): resup_status;
  end;

  PResupScope = ^TResupScope;
  /// <summary>A call on this thread, during which the library calls back.</summary>
  TResupScope = record
    Owner: TObject;
    Outer: PResupScope;
    /// <summary>What a callback raised, for its caller.</summary>
    Raised: TObject;
  end;

/// <summary>Begins and ends a call during which the library calls back.</summary>
procedure ResupEnter(var AScope: TResupScope; AOwner: TObject);
procedure ResupLeave(var AScope: TResupScope);
/// <summary>Tells whether this thread is inside such a call of AOwner.</summary>
function ResupIsInside(AOwner: TObject): Boolean;
/// <summary>Tells whether this thread is in a callback of any upload or client.</summary>
function ResupIsInCallback: Boolean;

implementation

uses
  SyncObjs;

var
  /// Guards the counters of owners.
  Lock: TCriticalSection;

threadvar
  Innermost: PResupScope;
  /// The callbacks that are under way on this thread.
  Callbacks: Integer;

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

function TResupShared.Owners: Integer;
begin
  Result := ChangeOwners(0);
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
  Inc(Callbacks);
  try
    Result := RESUP_CONTINUE;
    Log := TResupLog(user_data);
    Sender := Log.Sender;
    if (Sender <> nil) and Assigned(Log.OnLog) then
      Log.OnLog(Sender, TResupLogLevel(level), ResupFromUtf8(message));
  except
    Result := KeepException;
  end;
  Dec(Callbacks);
end;

procedure ReleaseShared(user_data: Pointer); cdecl;
begin
  TResupShared(user_data).Release;
end;

function HandleProgress(upload: Presup_upload; position, size: resup_uint64; user_data: Pointer): Integer; cdecl;
var
  Target: TResupTarget;
begin
  Inc(Callbacks);
  try
    Result := RESUP_CONTINUE;
    Target := TResupTarget(user_data);
    if (Target.Events <> nil) and Assigned(Target.Events^.OnProgress) then
      Target.Events^.OnProgress(Target.Sender, Int64(position), Int64(size));
  except
    Result := KeepException;
  end;
  Dec(Callbacks);
end;

function HandleState(upload: Presup_upload; state: Integer; user_data: Pointer): Integer; cdecl;
var
  Target: TResupTarget;
begin
  Inc(Callbacks);
  try
    Result := RESUP_CONTINUE;
    Target := TResupTarget(user_data);
    if (Target.Events <> nil) and Assigned(Target.Events^.OnState) then
      Target.Events^.OnState(Target.Sender, TResupState(state));
  except
    Result := KeepException;
  end;
  Dec(Callbacks);
end;

function HandleComplete(upload: Presup_upload; status: resup_status; user_data: Pointer): Integer; cdecl;
var
  Target: TResupTarget;
begin
  Inc(Callbacks);
  try
    Result := RESUP_CONTINUE;
    Target := TResupTarget(user_data);
    if (Target.Events <> nil) and Assigned(Target.Events^.OnComplete) then
      Target.Events^.OnComplete(Target.Sender, status);
  except
    Result := KeepException;
  end;
  Dec(Callbacks);
end;

const
  /// What the callbacks of a stream return when the program may have freed it.
  STREAM_GONE = 1;

function ReadStream(buffer: Pointer; size: resup_size; read: Presup_size; user_data: Pointer): Integer; cdecl;
var
  Stream: TStream;
begin
  Inc(Callbacks);
  Result := STREAM_GONE;
  try
    if size > MaxInt then
      size := MaxInt;
    Stream := TResupTarget(user_data).Stream;
    if Stream <> nil then
    begin
      read^ := Stream.Read(buffer^, Integer(size));
      Result := 0;
    end;
  except
    Result := KeepException;
  end;
  Dec(Callbacks);
end;

function SeekStream(offset: resup_uint64; user_data: Pointer): Integer; cdecl;
var
  Stream: TStream;
begin
  Inc(Callbacks);
  Result := STREAM_GONE;
  try
    Stream := TResupTarget(user_data).Stream;
    if Stream <> nil then
    begin
      Stream.Position := Int64(offset);
      Result := 0;
    end;
  except
    Result := KeepException;
  end;
  Dec(Callbacks);
end;

function GetStreamSize(size: Presup_uint64; user_data: Pointer): Integer; cdecl;
var
  Stream: TStream;
begin
  Inc(Callbacks);
  Result := STREAM_GONE;
  try
    Stream := TResupTarget(user_data).Stream;
    if Stream <> nil then
    begin
      size^ := resup_uint64(Stream.Size);
      Result := 0;
    end;
  except
    Result := KeepException;
  end;
  Dec(Callbacks);
end;

// TResupLog

function TResupLog.Listen(AClient: Presup_client; ALevel: TResupLogLevel): resup_status;
begin
  if Assigned(OnLog) and (ALevel <> rlNone) then
  begin
    AddOwner;
    Result := resup_client_on_log(AClient, Ord(ALevel), HandleLog, Self, ReleaseShared);
  end
  else
    Result := resup_client_on_log(AClient, RESUP_LOG_ERROR, nil, nil, nil);
end;

// TResupTarget

destructor TResupTarget.Destroy;
begin
  if OwnsStream then
    Stream.Free;
  inherited Destroy;
end;

function TResupTarget.OpenStream(AClient: Presup_client; const AName: UTF8String; ACanSeek: Boolean;
  out AUpload: Presup_upload): resup_status;
begin
  if ACanSeek then
    Result := resup_upload_new_stream(AClient, PAnsiChar(AName), ReadStream, SeekStream, GetStreamSize, Self, nil,
      @AUpload)
  else
    Result := resup_upload_new_stream(AClient, PAnsiChar(AName), ReadStream, nil, nil, Self, nil, @AUpload);
end;

function TResupTarget.Listen(AUpload: Presup_upload): resup_status;
begin
  // The library lets go of it when it frees the upload.
  AddOwner;
  Result := resup_upload_on_complete(AUpload, HandleComplete, Self, ReleaseShared);
  if Result = RESUP_OK then
    Result := resup_upload_on_progress(AUpload, HandleProgress, Self, nil);
  if Result = RESUP_OK then
    Result := resup_upload_on_state(AUpload, HandleState, Self, nil);
end;

// TResupScope

procedure ResupEnter(var AScope: TResupScope; AOwner: TObject);
begin
  AScope.Owner := AOwner;
  AScope.Outer := Innermost;
  AScope.Raised := nil;
  Innermost := @AScope;
end;

procedure ResupLeave(var AScope: TResupScope);
begin
  Innermost := AScope.Outer;
end;

function ResupIsInside(AOwner: TObject): Boolean;
var
  Scope: PResupScope;
begin
  Scope := Innermost;
  while (Scope <> nil) and (Scope^.Owner <> AOwner) do
    Scope := Scope^.Outer;
  Result := Scope <> nil;
end;

function ResupIsInCallback: Boolean;
begin
  Result := Callbacks > 0;
end;

initialization
  Lock := TCriticalSection.Create;

finalization
  Lock.Free;

end.
