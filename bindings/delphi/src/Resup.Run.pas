/// <summary>The runs of uploads: for Resup.Upload, not for programs.</summary>
/// <remarks>SPDX-License-Identifier: MIT OR Apache-2.0</remarks>
unit Resup.Run;

{$IFDEF FPC}{$MODE DELPHI}{$ENDIF}
{$Z4}

interface

uses
  SysUtils, Classes, Resup.Api, Resup.Types, Resup.Callbacks;

type
  /// <summary>The data of an upload's runs. It lives until the last run has ended, so that an event may free the
  /// TResupUpload.</summary>
  TResupRun = class(TResupShared)
  private
    FTarget: TResupTarget;
  public
    Handle: Presup_upload;
    constructor Create(ASender: TObject; AEvents: PResupEvents);
    destructor Destroy; override;
    /// <summary>Runs the upload to its end, with its events.</summary>
    /// <param name="AError">the failure of the run itself, which the caller frees; nil where there is none</param>
    /// <returns>whether it is complete</returns>
    /// <exception cref="Exception">what an event raised</exception>
    /// <remarks>The upload, and this object, may be gone when it returns.</remarks>
    function Run(out AError: EResupError): Boolean;
    /// <summary>Takes the upload back; parameter and exceptions are those of Run.</summary>
    /// <returns>whether the server has nothing of it</returns>
    function Discard(out AError: EResupError): Boolean;
    /// <summary>Waits up to AMilliseconds for the end of a run that was started, and calls its events; parameter,
    /// result and exceptions are those of Run.</summary>
    function Wait(AMilliseconds: Cardinal; out AError: EResupError): Boolean;
    /// <summary>Cancels the run for an upload that is being freed, and waits for the run's end, except in an event of
    /// it. Then nothing of the upload is used any more.</summary>
    procedure Abandon;
    property Target: TResupTarget read FTarget;
  end;

implementation

{$IFNDEF FPC}
{$IFDEF MSWINDOWS}
uses
  Windows;
{$ENDIF}
{$ENDIF}

constructor TResupRun.Create(ASender: TObject; AEvents: PResupEvents);
begin
  inherited Create;
  FTarget := TResupTarget.Create;
  FTarget.Sender := ASender;
  FTarget.Events := AEvents;
end;

function IsMainThread: Boolean;
begin
  {$IF Defined(FPC) or Defined(MSWINDOWS)}
  Result := GetCurrentThreadId = MainThreadID;
  {$ELSE}
  Result := TThread.CurrentThread.ThreadID = MainThreadID;
  {$IFEND}
end;

/// Waits for a moment, in which what other threads synchronize is done.
procedure ServeOthers;
begin
  // An event of the run may wait for this thread.
  if IsMainThread then
    CheckSynchronize;
  Sleep(1);
end;

destructor TResupRun.Destroy;
begin
  // Busy only where the program itself runs it by the C API.
  while (Handle <> nil) and (resup_upload_free(Handle) = RESUP_E_BUSY) do
  begin
    resup_upload_cancel(Handle);
    // That run may be the caller of this callback, and end only after it; the callback may also be another upload's. Who
    // runs it frees it.
    if ResupIsInCallback then
      Break;
    ServeOthers;
  end;
  FTarget.Release;
  inherited Destroy;
end;

type
  TStep = function(upload: Presup_upload; milliseconds: Cardinal): resup_status; cdecl;

function RunStep(upload: Presup_upload; milliseconds: Cardinal): resup_status; cdecl;
begin
  Result := resup_upload_run(upload);
end;

function DiscardStep(upload: Presup_upload; milliseconds: Cardinal): resup_status; cdecl;
begin
  Result := resup_upload_discard(upload);
end;

/// Makes a step of a run, keeps the run alive meanwhile, and raises what an event raised.
function Deliver(ARun: TResupRun; AStep: TStep; AMilliseconds: Cardinal; out AError: EResupError): Boolean;
var
  Scope: TResupScope;
  Status: resup_status;
begin
  ARun.AddOwner;
  try
    ResupEnter(Scope, ARun);
    try
      Status := AStep(ARun.Handle, AMilliseconds);
    finally
      ResupLeave(Scope);
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

function TResupRun.Discard(out AError: EResupError): Boolean;
begin
  Result := Deliver(Self, DiscardStep, 0, AError);
end;

function TResupRun.Wait(AMilliseconds: Cardinal; out AError: EResupError): Boolean;
begin
  Result := Deliver(Self, resup_upload_wait, AMilliseconds, AError);
end;

procedure TResupRun.Abandon;
begin
  resup_upload_cancel(Handle);
  if not ResupIsInside(Self) then
    while Owners > 1 do
    begin
      ServeOthers;
      resup_upload_cancel(Handle); // Once more, for a run that has begun only now.
    end;
  FTarget.Events := nil;
  // A stream of the program's may be freed next.
  if not FTarget.OwnsStream then
    FTarget.Stream := nil;
end;

end.
