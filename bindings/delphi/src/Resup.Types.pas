/// <summary>The types of Resup.Client and Resup.Upload: texts, states, choices, errors, events.</summary>
/// <remarks>
/// Sizes are bytes, times milliseconds. Texts are of the program's own kind and go to the library as UTF-8.
/// SPDX-License-Identifier: MIT OR Apache-2.0</remarks>
unit Resup.Types;

{$IFDEF FPC}{$MODE DELPHI}{$ENDIF}
{$Z4}

interface

uses
  SysUtils, Resup.Api;

type
  /// <summary>A text or a path: string, and WideString in the Delphis before 2009, whose own strings hold one
  /// code page only. They take both. A Free Pascal program for Windows that is not of Lazarus calls
  /// SetMultiByteConversionCodePage(CP_UTF8) first, or its strings hold one code page, too. On Unix strings are
  /// UTF-8.</summary>
  TResupText = {$IFDEF FPC}string{$ELSE}{$IFDEF UNICODE}string{$ELSE}WideString{$ENDIF}{$ENDIF};

const
  /// <summary>The size of a stream that is read once, until its end.</summary>
  ResupSizeUnknown = -1;

type
  /// <summary>The state of an upload: RESUP_STATE_ and the name.</summary>
  /// <remarks>rsHashing: it reads what the server already has. rsLocating: it asks the server what it has.
  /// rsVerifying: everything is sent, the server has to confirm it. rsWaiting: an attempt failed, and it waits
  /// for the next one; ErrorMessage says why. rsFailed: it gave up.</remarks>
  TResupState = (rsNone, rsReady, rsHashing, rsLocating, rsSending, rsVerifying, rsWaiting, rsPaused, rsComplete,
    rsFailed, rsCancelled);

  /// <summary>Whether the digest of the file is computed: not at all, so that nothing is compared; while it is sent (the
  /// default); before that, so that a server that already has the content gets no byte. With rdNone and an algorithm by
  /// its name the upload of a file does not start.</summary>
  TResupDigest = (rdNone, rdOnePass, rdFirst);

  /// <summary>The algorithm of the digest: the best one that the server has, too (the default), or one by its name;
  /// then the run ends where the server does not use it. Every server has MD5, which protects against accidents
  /// only.</summary>
  TResupDigestAlgorithm = (raAutomatic, raBlake3, raSha256, raMd5);

  /// <summary>The least important lines of the log that are wanted.</summary>
  TResupLogLevel = (rlNone, rlError, rlWarn, rlInfo, rlDebug);

  /// <summary>The protocol between a client and its server: the one that the server speaks, by its first response (the
  /// default); form resume; tus 1.0; the IETF's resumable uploads; WebDAV; sessions (308).</summary>
  TResupProtocol = (rpAuto, rpForm, rpTus, rpIetf, rpDav, rpSession);

  /// <summary>The HTTP method that asks the server for its offset. Default: POST.</summary>
  TResupLocateMethod = (rmPost, rmGet);

  /// <summary>The algorithm that signs forms. Default: HMAC-SHA-256.</summary>
  TResupSigning = (rhSha256, rhMd5);

  /// <summary>The root certificates that are trusted: the system's (the default), or Mozilla's of the
  /// library.</summary>
  TResupTrust = (rtSystem, rtBundled);

  /// <summary>The way in which forms hold file names: as browsers write them (the default), or a second time as
  /// filename*.</summary>
  TResupFilenameStyle = (rfWhatwg, rfRfc8187);

  /// <summary>The failure of a call or of a run. Message says what went wrong, and what to do.</summary>
  EResupError = class(Exception)
  private
    FCode, FHttpStatus: Integer;
    FServerMessage: TResupText;
    FRetryable: Boolean;
  public
    /// <summary>One of the RESUP_E_ constants of Resup.Api.</summary>
    property Code: Integer read FCode;
    /// <summary>The HTTP status of the server's last response in the run; 0 when there was none.</summary>
    property HttpStatus: Integer read FHttpStatus;
    /// <summary>The server's own message for a person; empty when it sent none.</summary>
    property ServerMessage: TResupText read FServerMessage;
    /// <summary>Whether the same upload may succeed when it is run again later, as the library says.</summary>
    property Retryable: Boolean read FRetryable;
  end;

  /// <summary>The end of an upload that was cancelled, by Cancel or because it was freed. It may be run
  /// again.</summary>
  EResupCancelled = class(EResupError);

  /// <summary>A handler of one line of the log. Secrets and file contents are never logged.</summary>
  TResupLogEvent = procedure(Sender: TObject; ALevel: TResupLogLevel; const ALine: TResupText) of object;
  /// <summary>A handler of progress, in bytes. It is called about ten times a second while the numbers change, and a
  /// last time before the end.</summary>
  TResupProgressEvent = procedure(Sender: TObject; APosition, ASize: Int64) of object;
  /// <summary>A handler of each new state.</summary>
  TResupStateEvent = procedure(Sender: TObject; AState: TResupState) of object;
  /// <summary>A handler of the end of a run, the last event of each. AStatus is RESUP_OK, or what EResupError.Code
  /// will be.</summary>
  TResupCompleteEvent = procedure(Sender: TObject; AStatus: Integer) of object;

/// <summary>Converts a text to the UTF-8 that the functions of Resup.Api take.</summary>
function ResupToUtf8(const AText: TResupText): UTF8String;

/// <summary>Converts a text that a function of Resup.Api returns; nil gives an empty text.</summary>
function ResupFromUtf8(ABytes: PAnsiChar): TResupText;

/// <summary>Makes the exception for a call that failed: EResupCancelled or EResupError, with the library's message,
/// or with the meaning of the status where that is empty.</summary>
function ResupFailure(AStatus: resup_status; AMessage: PAnsiChar): EResupError;

/// <summary>Returns a number of bytes as the functions of Resup.Api take it.</summary>
/// <exception cref="EResupError">RESUP_E_ARGUMENT: it is less than 0</exception>
function ResupBytes(const AWhat: string; AValue: Int64): resup_uint64;

/// <summary>Makes the exception for a run that failed, with what the server said and whether to retry.</summary>
function ResupRunFailure(AStatus: resup_status; AUpload: Presup_upload): EResupError;

implementation

{$IFNDEF FPC}
{$IFDEF MSWINDOWS}
uses
  Windows;
{$ENDIF}
{$IFNDEF UNICODE}
// Those of these Delphis know no characters past U+FFFF.

function UTF8Encode(const AText: WideString): UTF8String;
begin
  SetLength(Result, WideCharToMultiByte(CP_UTF8, 0, PWideChar(AText), Length(AText), nil, 0, nil, nil));
  WideCharToMultiByte(CP_UTF8, 0, PWideChar(AText), Length(AText), PAnsiChar(Result), Length(Result), nil, nil);
end;

function UTF8Decode(const ABytes: UTF8String): WideString;
begin
  SetLength(Result, MultiByteToWideChar(CP_UTF8, 0, PAnsiChar(ABytes), Length(ABytes), nil, 0));
  MultiByteToWideChar(CP_UTF8, 0, PAnsiChar(ABytes), Length(ABytes), PWideChar(Result), Length(Result));
end;
{$ENDIF}
{$ENDIF}

function ResupToUtf8(const AText: TResupText): UTF8String;
begin
  {$IFDEF FPC}
  {$IFDEF UNIX}
  // It is UTF-8 already; a conversion would need a program that uses cwstring.
  SetString(Result, PAnsiChar(AText), Length(AText));
  {$ELSE}
  Result := UTF8Encode(UnicodeString(AText));
  {$ENDIF}
  {$ELSE}
  Result := UTF8Encode(AText);
  {$ENDIF}
end;

function ResupFromUtf8(ABytes: PAnsiChar): TResupText;
var
  Bytes: {$IFDEF UNIX}string{$ELSE}UTF8String{$ENDIF};
  Count: Integer;
begin
  Count := 0;
  if ABytes <> nil then
    while ABytes[Count] <> #0 do
      Inc(Count);
  SetString(Bytes, ABytes, Count);
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

function ResupFailure(AStatus: resup_status; AMessage: PAnsiChar): EResupError;
var
  Text: string;
begin
  Text := ResupFromUtf8(AMessage);
  if Text = '' then
    Text := ResupFromUtf8(resup_status_message(AStatus));
  if AStatus = RESUP_E_CANCELLED then
    Result := EResupCancelled.Create(Text)
  else
    Result := EResupError.Create(Text);
  Result.FCode := AStatus;
end;

function ResupBytes(const AWhat: string; AValue: Int64): resup_uint64;
var
  Failure: EResupError;
begin
  if AValue < 0 then
  begin
    Failure := EResupError.CreateFmt('%s must not be less than 0, but is %d', [AWhat, AValue]);
    Failure.FCode := RESUP_E_ARGUMENT;
    raise Failure;
  end;
  Result := resup_uint64(AValue);
end;

function ResupRunFailure(AStatus: resup_status; AUpload: Presup_upload): EResupError;
begin
  Result := ResupFailure(AStatus, resup_upload_error_message(AUpload));
  Result.FHttpStatus := resup_upload_http_status(AUpload);
  Result.FServerMessage := ResupFromUtf8(resup_upload_server_message(AUpload));
  Result.FRetryable := resup_upload_is_retryable(AUpload) <> 0;
end;

end.
