/// What a run does and tells.
unit RunTests;

{$MODE DELPHI}

interface

uses
  Classes, SysUtils, Support, testregistry, Resup, Resup.Api;

type
  TRunTests = class(TBehaviour)
  private
    States: set of TResupState;
    LastState: TResupState;
    LastPosition: Int64;
    Ends, EndStatus, LogLines: Integer;
    LogText: string;
    Pausing: Boolean;
    procedure NoteState(Upload: TResupUpload; State: TResupState);
    procedure NoteProgress(Upload: TResupUpload; Position, Size: Int64);
    procedure NoteEnd(Upload: TResupUpload; Status: Integer);
    procedure NoteLog(Client: TResupClient; Level: TResupLogLevel; const Line: TResupText);
    function Listening(Upload: TResupUpload): TResupUpload;
    procedure CancelWhenSending(Upload: TResupUpload; Position, Size: Int64);
    procedure PauseOnce(Upload: TResupUpload; Position, Size: Int64);
  protected
    procedure SetUp; override;
  published
    procedure ARunTellsStatesProgressAndItsEnd;
    procedure WhatTheServerHasIsSkipped;
    procedure NamesAreUnicode;
    procedure ACAOfOnesOwnIsTrusted;
    procedure SizesArePast4GiB;
    procedure ACutIsGoneOnFrom;
    procedure ACancelledRunIsRunAgain;
    procedure PollDeliversTheEvents;
    procedure APauseIsResumed;
    procedure ErrorsTellEverything;
    procedure SettingsThatCannotBeAreRefused;
    procedure SettingsAreTaken;
    procedure FormsAreSignedWithATextInUtf8;
    procedure TheLogIsTold;
    procedure ManyUploadsGoOnAtOnce;
    procedure UploadsOutliveTheirClient;
  end;

implementation

procedure TRunTests.SetUp;
begin
  inherited SetUp;
  States := [];
  LastPosition := -1;
  Ends := 0;
  LogLines := 0;
  LogText := '';
  Pausing := False;
end;

procedure TRunTests.NoteState(Upload: TResupUpload; State: TResupState);
begin
  Include(States, State);
  LastState := State;
end;

procedure TRunTests.NoteProgress(Upload: TResupUpload; Position, Size: Int64);
begin
  CheckTrue(Position <= Size);
  CheckEquals(0, Ends);
  LastPosition := Position;
end;

procedure TRunTests.NoteEnd(Upload: TResupUpload; Status: Integer);
begin
  Inc(Ends);
  EndStatus := Status;
end;

procedure TRunTests.NoteLog(Client: TResupClient; Level: TResupLogLevel; const Line: TResupText);
begin
  CheckTrue(Level in [rlError, rlWarn, rlInfo]);
  LogText := LogText + Line + LineEnding;
  Inc(LogLines);
end;

function TRunTests.Listening(Upload: TResupUpload): TResupUpload;
begin
  Upload.OnState := NoteState;
  Upload.OnProgress := NoteProgress;
  Upload.OnComplete := NoteEnd;
  Result := Upload;
end;

procedure TRunTests.ARunTellsStatesProgressAndItsEnd;
var
  Upload: TResupUpload;
begin
  Upload := Listening(TResupUpload.Create(Client, Made('told', 2000000)));
  try
    Upload.Directory := 'a/b';
    Upload.ContentType := 'application/x-test';
    Upload.SetField('ticket', '4711');
    CheckTrue(Upload.State = rsReady);
    Upload.Execute;
    CheckEquals(1, Ends);
    CheckEquals(RESUP_OK, EndStatus);
    CheckEquals(2000000, LastPosition);
    CheckTrue(States * [rsLocating, rsSending, rsComplete] = [rsLocating, rsSending, rsComplete]);
    CheckTrue(LastState = rsComplete);
    CheckTrue(Upload.State = rsComplete);
    CheckEquals(2000000, Upload.Size);
    CheckEquals(2000000, Upload.Offset);
    CheckEquals(2000000, Upload.Position);
    CheckEquals(2000000, Upload.BytesSent);
    CheckEquals(0, Upload.BytesSkipped);
    CheckEquals(32, Length(Upload.Md5));
    CheckTrue((Upload.Id <> '') and (Upload.Location <> ''));
    CheckEquals(200, Upload.HttpStatus);
    CheckEquals(1, Upload.Attempts);
    CheckEquals(0, Upload.RetryIn);
    CheckEquals('', Upload.ErrorMessage);
    CheckEquals('', Upload.ServerExcerpt);
    CheckEquals(-1, Upload.TimeLeft);
    CheckEquals(0, Upload.Rate);
  finally
    Upload.Free;
  end;
end;

procedure TRunTests.WhatTheServerHasIsSkipped;
var
  First, Second: TResupUpload;
begin
  First := TResupUpload.Create(Client, Made('twice', 500000));
  Second := TResupUpload.Create(Client, Folder + PathDelim + 'twice');
  try
    First.Execute;
    Second.Execute;
    CheckEquals(500000, Second.BytesSkipped);
    CheckEquals(0, Second.BytesSent);
    CheckEquals(First.Id, Second.Id);
  finally
    First.Free;
    Second.Free;
  end;
end;

procedure TRunTests.NamesAreUnicode;
const
  NAME = '文件 é 😀.bin';
var
  Upload: TResupUpload;
begin
  Client.OnLog := NoteLog;
  Upload := TResupUpload.Create(Client, Made(NAME, 1000));
  try
    Upload.Directory := '目录';
    Upload.SetField('ключ', 'значение');
    Upload.Execute;
    CheckTrue(Upload.State = rsComplete);
    CheckTrue(Pos(NAME, LogText) > 0, LogText);
  finally
    Upload.Free;
  end;
  try
    TResupUpload.Create(Client, Folder + PathDelim + 'нет').Free;
    Fail('what is not there was taken');
  except
    on E: EResupError do
    begin
      CheckCode(RESUP_E_SOURCE_NOT_FOUND, E);
      CheckTrue(Pos('нет', E.Message) > 0, E.Message);
    end;
  end;
end;

procedure TRunTests.ACAOfOnesOwnIsTrusted;
var
  Far: TResupClient;
  Upload: TResupUpload;
  Pem: TStringList;
begin
  Pem := TStringList.Create;
  Far := TResupClient.Create(Secure);
  Upload := TResupUpload.Create(Far, Made('secure', 300000));
  try
    try
      Upload.Execute;
      Fail('a CA that nobody knows was trusted');
    except
      on E: EResupError do
        CheckCode(RESUP_E_TLS, E);
    end;
    Far.AddCAFile(Folder + PathDelim + 'ca.pem');
    Upload.Execute;
    CheckEquals(300000, Upload.BytesSent);
    FreeAndNil(Upload);
    FreeAndNil(Far);
    Far := TResupClient.Create(Secure);
    Pem.LoadFromFile(Folder + PathDelim + 'ca.pem');
    Far.AddCAPem(Pem.Text);
    Upload := TResupUpload.Create(Far, Folder + PathDelim + 'secure');
    Upload.Execute;
    CheckEquals(300000, Upload.BytesSkipped);
  finally
    Upload.Free;
    Far.Free;
    Pem.Free;
  end;
end;

procedure TRunTests.SizesArePast4GiB;
var
  Far: TResupClient;
  Upload: TResupUpload;
begin
  Far := TResupClient.Create(Huge);
  Upload := Listening(TResupUpload.Create(Far, Folder + PathDelim + 'huge'));
  try
    Upload.Digest := rdNone;
    Upload.Execute;
    CheckEquals(HUGE_SIZE, Upload.Size);
    CheckEquals(HUGE_SIZE, Upload.Offset);
    CheckEquals(HUGE_SIZE, LastPosition);
    CheckEquals(HUGE_SIZE - HUGE_REST, Upload.BytesSkipped);
    CheckEquals(HUGE_REST, Upload.BytesSent);
  finally
    Upload.Free;
    Far.Free;
  end;
end;

procedure TRunTests.ACutIsGoneOnFrom;
var
  Far: TResupClient;
  Upload: TResupUpload;
begin
  Far := TResupClient.Create(Cutting);
  Far.SetRetryBackoff(1, 10);
  Upload := Listening(TResupUpload.Create(Far, Made('cut', 3000000)));
  try
    Upload.Execute;
    CheckTrue(Upload.Attempts >= 2, 'it was not cut');
    CheckTrue(rsWaiting in States);
    CheckEquals(3000000, Upload.Offset);
  finally
    Upload.Free;
    Far.Free;
  end;
end;

procedure TRunTests.CancelWhenSending(Upload: TResupUpload; Position, Size: Int64);
begin
  if Upload.State = rsSending then
    Upload.Cancel;
end;

procedure TRunTests.ACancelledRunIsRunAgain;
var
  Upload: TResupUpload;
begin
  Upload := Listening(TResupUpload.Create(Client, Made('cancelled', 3000000)));
  try
    Upload.RateLimit := 1500000;
    Upload.OnProgress := CancelWhenSending;
    try
      Upload.Execute;
      Fail('it was not cancelled');
    except
      on E: EResupCancelled do
        CheckCode(RESUP_E_CANCELLED, E);
    end;
    CheckTrue(Upload.State = rsCancelled);
    CheckEquals(RESUP_E_CANCELLED, EndStatus);
    Upload.OnProgress := nil;
    Upload.RateLimit := 0;
    Upload.Execute;
    CheckTrue(Upload.State = rsComplete);
    CheckEquals(2, Ends);
  finally
    Upload.Free;
  end;
end;

procedure TRunTests.PollDeliversTheEvents;
var
  Upload: TResupUpload;
begin
  Upload := Listening(TResupUpload.Create(Client, Made('polled', 800000)));
  try
    try
      Upload.Poll;
      Fail('it was polled before it was started');
    except
      on E: EResupError do
        CheckCode(RESUP_E_STATE, E);
    end;
    Upload.Start;
    while not Upload.Poll do
      Sleep(5);
    CheckEquals(1, Ends);
    CheckTrue(Upload.Poll, 'the end stays');
    CheckEquals(1, Ends);
    CheckEquals(800000, LastPosition);
  finally
    Upload.Free;
  end;
end;

procedure TRunTests.PauseOnce(Upload: TResupUpload; Position, Size: Int64);
begin
  if not Pausing and (Upload.State = rsSending) then
  begin
    Pausing := True;
    Upload.Pause;
  end;
end;

procedure TRunTests.APauseIsResumed;
var
  Upload: TResupUpload;
begin
  Upload := Listening(TResupUpload.Create(Client, Made('paused', 3000000)));
  try
    Upload.RateLimit := 3000000;
    Upload.OnProgress := PauseOnce;
    Upload.Start;
    while Upload.State <> rsPaused do
      CheckFalse(Upload.WaitFor(5));
    CheckFalse(Upload.WaitFor(300));
    CheckTrue(Upload.State = rsPaused);
    CheckTrue(rsPaused in States);
    Upload.RateLimit := 0;
    Upload.Resume;
    CheckTrue(Upload.WaitFor);
    CheckEquals(2, Upload.Attempts);
  finally
    Upload.Free;
  end;
end;

procedure TRunTests.ErrorsTellEverything;
var
  Strange: TResupClient;
  Upload: TResupUpload;
begin
  Strange := TResupClient.Create(Forbidden);
  Upload := Listening(TResupUpload.Create(Strange, Made('forbidden', 1000)));
  try
    try
      Upload.Execute;
      Fail('it was not refused');
    except
      on E: EResupError do
      begin
        CheckCode(RESUP_E_NOT_ALLOWED, E);
        CheckEquals(403, E.HttpStatus);
        CheckEquals('not you', E.ServerMessage);
        CheckFalse(E.Retryable);
        CheckTrue(Pos('not you', E.Message) > 0, E.Message);
        CheckEquals(E.Message, Upload.ErrorMessage);
      end;
    end;
    CheckEquals('not you', Upload.ServerMessage);
    CheckEquals(RESUP_E_NOT_ALLOWED, EndStatus);
    CheckTrue(LastState = rsFailed);
    try
      Upload.Name := '';
      Fail('a name that is none was taken');
    except
      on E: EResupError do
      begin
        CheckCode(RESUP_E_ARGUMENT, E);
        CheckEquals(0, E.HttpStatus, 'that is the run''s');
      end;
    end;
  finally
    Upload.Free;
    Strange.Free;
  end;
end;

procedure TRunTests.SettingsThatCannotBeAreRefused;
begin
  try
    Client.Proxy := 'gopher://x';
    Fail('gopher was taken');
  except
    on E: EResupError do
    begin
      CheckCode(RESUP_E_ARGUMENT, E);
      CheckTrue(Pos('gopher', E.Message) > 0, E.Message);
    end;
  end;
  try
    TResupClient.Create('ftp://example.org').Free;
    Fail('ftp was taken');
  except
    on E: EResupError do
      CheckCode(RESUP_E_URL, E);
  end;
end;

procedure TRunTests.SettingsAreTaken;
const
  BYTES: array[0..3] of Byte = (0, 1, 254, 255);
var
  Upload: TResupUpload;
begin
  Client.User := 'joe';
  Client.UserAgent := 'test/1';
  Client.LocateMethod := rmGet;
  Client.ConnectTimeout := 10000;
  Client.ResponseTimeout := 100000;
  Client.StallTimeout := 10000;
  Client.RateLimit := Int64(1) shl 40;
  Client.RetryLimit := 3;
  Client.RetryTimeout := 60000;
  Client.SetRetryBackoff(10, 100);
  Client.SetHeader('X-Test', 'yes');
  Client.SetCookie('flavour', 'oat');
  Client.SetBasicAuth('joe', 'hunter2');
  Client.BearerToken := 'abc';
  Client.SetSigningSecret(BYTES, SizeOf(BYTES));
  Client.Signing := rhMd5;
  Client.Proxy := 'none';
  Client.NoProxy := '*';
  Client.Trust := rtBundled;
  Client.TlsVerify := True;
  Client.FilenameStyle := rfRfc8187;
  Client.LogLevel := rlDebug;
  Upload := TResupUpload.Create(Client, Made('settings', 100000));
  try
    Upload.Name := 'otherwise';
    Upload.Digest := rdMd5First;
    Upload.StateFile := Folder + PathDelim + 'settings.state';
    Upload.SegmentSize := 30000;
    Upload.Execute;
    CheckEquals(100000, Upload.Offset);
  finally
    Upload.Free;
  end;
  try
    Client.AddCAFile(Folder + PathDelim + 'missing.pem');
    Fail('a CA that is not there was taken');
  except
    on E: EResupError do
      CheckCode(RESUP_E_ARGUMENT, E);
  end;
  try
    Client.AddCAPem('no certificate');
    Fail('a CA that is none was taken');
  except
    on E: EResupError do
      CheckCode(RESUP_E_ARGUMENT, E);
  end;
  try
    Client.SetClientCertificate('missing', 'missing');
    Fail('a certificate that is not there was taken');
  except
    on E: EResupError do
      CheckCode(RESUP_E_ARGUMENT, E);
  end;
  Client.LoginForm := Endpoint;
  Client.SetLoginField('user', 'joe');
end;

procedure TRunTests.FormsAreSignedWithATextInUtf8;
var
  Far: TResupClient;
  Upload: TResupUpload;
begin
  Far := TResupClient.Create(Signed);
  Upload := TResupUpload.Create(Far, Made('signed', 100000));
  try
    Far.SetSigningSecret('another');
    try
      Upload.Execute;
      Fail('another secret was taken');
    except
      on E: EResupError do
        CheckCode(RESUP_E_NOT_ALLOWED, E);
    end;
    Far.SetSigningSecret(SECRET);
    Upload.Execute;
    CheckEquals(100000, Upload.Offset);
  finally
    Upload.Free;
    Far.Free;
  end;
end;

procedure TRunTests.TheLogIsTold;
var
  Upload: TResupUpload;
begin
  Client.OnLog := NoteLog;
  Upload := TResupUpload.Create(Client, Made('logged', 1000));
  try
    Upload.Execute;
    CheckTrue(Pos('complete: 1000 bytes', LogText) > 0, LogText);
    Client.LogLevel := rlNone;
    LogText := '';
    Upload.Execute;
    CheckEquals('', LogText);
  finally
    Upload.Free;
  end;
end;

procedure TRunTests.ManyUploadsGoOnAtOnce;
const
  COUNT = 30;
var
  Uploads: array[1..COUNT] of TResupUpload;
  I, Done: Integer;
begin
  for I := 1 to COUNT do
  begin
    Uploads[I] := Listening(TResupUpload.Create(Client, Made(Format('many-%d', [I]), 50000 + I)));
    Uploads[I].OnProgress := nil;
    Uploads[I].Start;
  end;
  try
    repeat
      Done := 0;
      for I := 1 to COUNT do
        Inc(Done, Ord(Uploads[I].WaitFor(1)));
    until Done = COUNT;
    CheckEquals(COUNT, Ends);
    for I := 1 to COUNT do
      CheckEquals(50000 + I, Uploads[I].Offset);
  finally
    for I := 1 to COUNT do
      Uploads[I].Free;
  end;
end;

procedure TRunTests.UploadsOutliveTheirClient;
var
  Upload: TResupUpload;
begin
  Client.OnLog := NoteLog;
  Upload := Listening(TResupUpload.Create(Client, Made('orphan', 100000)));
  try
    FreeAndNil(Client);
    Upload.Execute;
    CheckEquals(1, Ends);
    CheckEquals(0, LogLines, 'the log went to a client that is gone');
  finally
    Upload.Free;
  end;
end;

initialization
  RegisterTest(TRunTests);

end.
