/// <summary>TResupRemote: what any thread may do with an upload at any time.</summary>
/// <remarks>SPDX-License-Identifier: MIT OR Apache-2.0</remarks>
unit Resup.Remote;

{$IFDEF FPC}{$MODE DELPHI}{$ENDIF}
{$Z4}

interface

uses
  Resup.Api, Resup.Types, Resup.Run;

type
  /// <summary>The part of TResupUpload that any thread may use at any time, in events too: cancel, pause, numbers and
  /// texts.</summary>
  TResupRemote = class
  private
    function GetHandle: Presup_upload;
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
    function GetProtocolUsed: TResupText;
    function GetId: TResupText;
    function GetLocation: TResupText;
    function GetDigestUsed: TResupDigestAlgorithm;
    function GetDigestValue: TResupText;
    function GetMd5: TResupText;
    function GetServerMessage: TResupText;
    function GetServerExcerpt: TResupText;
    function GetErrorMessage: TResupText;
  protected
    FRun: TResupRun;
  public
    /// <summary>Ends the run within 100 ms; the next run goes on from what the server has. Before the first run it ends
    /// that one.</summary>
    procedure Cancel;
    /// <summary>Closes the connection and waits for Resume.</summary>
    procedure Pause;
    /// <summary>Goes on after Pause, from what the server has then.</summary>
    procedure Resume;

    /// <summary>The C API's handle, still owned by this object.</summary>
    property Handle: Presup_upload read GetHandle;
    /// <summary>The state of the upload.</summary>
    property State: TResupState read GetState;
    /// <summary>Bytes in the whole file; 0 before the first run has opened it; ResupSizeUnknown until the end of a stream
    /// that is read once.</summary>
    property Size: Int64 read GetSize;
    /// <summary>Bytes that the server has confirmed.</summary>
    property Offset: Int64 read GetOffset;
    /// <summary>The confirmed bytes and those handed to the network since: what a progress bar shows.</summary>
    property Position: Int64 read GetPosition;
    /// <summary>Bytes handed to the network in this run.</summary>
    property BytesSent: Int64 read GetBytesSent;
    /// <summary>Bytes that this run did not have to send.</summary>
    property BytesSkipped: Int64 read GetBytesSkipped;
    /// <summary>Bytes per second over the last seconds; 0 while nothing is being sent.</summary>
    property Rate: Int64 read GetRate;
    /// <summary>Milliseconds left at the present rate; -1 when that is not known.</summary>
    property TimeLeft: Int64 read GetTimeLeft;
    /// <summary>How often this run began to ask the server for its offset.</summary>
    property Attempts: Cardinal read GetAttempts;
    /// <summary>In rsWaiting, the milliseconds until the next attempt; else 0.</summary>
    property RetryIn: Cardinal read GetRetryIn;
    /// <summary>The HTTP status of the server's last response in this run; 0 when there was none.</summary>
    property HttpStatus: Integer read GetHttpStatus;
    /// <summary>Whether running again, later and unchanged, may succeed where the last run failed.</summary>
    property Retryable: Boolean read GetRetryable;
    /// <summary>The protocol or dialect that the server has answered in, such as 'tus' or 'plain'; empty before.</summary>
    property ProtocolUsed: TResupText read GetProtocolUsed;
    /// <summary>The server's own key of the upload.</summary>
    property Id: TResupText read GetId;
    /// <summary>The place of the complete file, in the server's words.</summary>
    property Location: TResupText read GetLocation;
    /// <summary>The algorithm of the digest; raAutomatic before the server has agreed to one.</summary>
    property DigestUsed: TResupDigestAlgorithm read GetDigestUsed;
    /// <summary>The digest of the whole file in lower-case hex, once it is complete and if it was read.</summary>
    property DigestValue: TResupText read GetDigestValue;
    /// <summary>DigestValue where that is an MD5, else empty.</summary>
    property Md5: TResupText read GetMd5;
    /// <summary>The server's last message for a person.</summary>
    property ServerMessage: TResupText read GetServerMessage;
    /// <summary>The start of the body of the server's last refusal.</summary>
    property ServerExcerpt: TResupText read GetServerExcerpt;
    /// <summary>What went wrong in the last call that failed, and what to do about it. During a run: why the last
    /// attempt failed, until the server answers again; in rsWaiting, why it waits.</summary>
    property ErrorMessage: TResupText read GetErrorMessage;
  end;

implementation

function TResupRemote.GetHandle: Presup_upload;
begin
  Result := FRun.Handle;
end;

procedure TResupRemote.Cancel;
begin
  resup_upload_cancel(Handle);
end;

procedure TResupRemote.Pause;
begin
  resup_upload_pause(Handle);
end;

procedure TResupRemote.Resume;
begin
  resup_upload_resume(Handle);
end;

function TResupRemote.GetState: TResupState;
begin
  Result := TResupState(resup_upload_state(Handle));
end;

function TResupRemote.GetSize: Int64;
begin
  Result := Int64(resup_upload_size(Handle));
end;

function TResupRemote.GetOffset: Int64;
begin
  Result := Int64(resup_upload_offset(Handle));
end;

function TResupRemote.GetPosition: Int64;
begin
  Result := Int64(resup_upload_position(Handle));
end;

function TResupRemote.GetBytesSent: Int64;
begin
  Result := Int64(resup_upload_bytes_sent(Handle));
end;

function TResupRemote.GetBytesSkipped: Int64;
begin
  Result := Int64(resup_upload_bytes_skipped(Handle));
end;

function TResupRemote.GetRate: Int64;
begin
  Result := Int64(resup_upload_rate(Handle));
end;

function TResupRemote.GetTimeLeft: Int64;
begin
  Result := resup_upload_time_left(Handle);
  if Result >= RESUP_FOREVER then
    Result := -1;
end;

function TResupRemote.GetAttempts: Cardinal;
begin
  Result := resup_upload_attempts(Handle);
end;

function TResupRemote.GetRetryIn: Cardinal;
begin
  Result := resup_upload_retry_in(Handle);
end;

function TResupRemote.GetHttpStatus: Integer;
begin
  Result := resup_upload_http_status(Handle);
end;

function TResupRemote.GetRetryable: Boolean;
begin
  Result := resup_upload_is_retryable(Handle) <> 0;
end;

function TResupRemote.GetProtocolUsed: TResupText;
begin
  Result := ResupFromUtf8(resup_upload_protocol(Handle));
end;

function TResupRemote.GetId: TResupText;
begin
  Result := ResupFromUtf8(resup_upload_id(Handle));
end;

function TResupRemote.GetLocation: TResupText;
begin
  Result := ResupFromUtf8(resup_upload_location(Handle));
end;

function TResupRemote.GetDigestUsed: TResupDigestAlgorithm;
begin
  Result := TResupDigestAlgorithm(resup_upload_digest_algorithm(Handle));
end;

function TResupRemote.GetDigestValue: TResupText;
begin
  Result := ResupFromUtf8(resup_upload_digest(Handle));
end;

function TResupRemote.GetMd5: TResupText;
begin
  Result := ResupFromUtf8(resup_upload_md5(Handle));
end;

function TResupRemote.GetServerMessage: TResupText;
begin
  Result := ResupFromUtf8(resup_upload_server_message(Handle));
end;

function TResupRemote.GetServerExcerpt: TResupText;
begin
  Result := ResupFromUtf8(resup_upload_server_excerpt(Handle));
end;

function TResupRemote.GetErrorMessage: TResupText;
begin
  Result := ResupFromUtf8(resup_upload_error_message(Handle));
end;

end.
