/// Runs and their events.
unit RunTests;

{$MODE DELPHI}

interface

uses
  Classes, SysUtils, Support, testregistry, Resup.Api, Resup.Types,
  Resup.Client, Resup.Upload;

type
  TRunTests = class(TListeningTests)
  private
    PauseRequested: Boolean;
    procedure CancelWhenSending(Sender: TObject; APosition, ASize: Int64);
    procedure PauseOnce(Sender: TObject; APosition, ASize: Int64);
  published
    procedure EventsReportStatesProgressAndTheEnd;
    procedure WhatTheServerHasIsSkipped;
    procedure NamesAreUnicode;
    procedure SizesArePast4GiB;
    procedure ALostConnectionIsResumed;
    procedure ACancelledRunIsRunAgain;
    procedure ADiscardedUploadBeginsAnew;
    procedure PollDeliversTheEvents;
    procedure APauseIsResumed;
    procedure LinesAreLogged;
    procedure ManyUploadsGoOnAtOnce;
    procedure UploadsOutliveTheirClient;
  end;

implementation

procedure TRunTests.EventsReportStatesProgressAndTheEnd;
var
  Upload: TResupUpload;
begin
  Upload := Listen(TResupUpload.Create(Client, MakeFile('events', 2000000)));
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
    CheckTrue(Upload.DigestUsed <> raAutomatic);
    CheckEquals(64 - 32 * Ord(Upload.DigestUsed = raMd5), Length(Upload.DigestValue));
    CheckTrue((Upload.Id <> '') and (Upload.Location <> ''));
    CheckEquals('form', Upload.ProtocolUsed);
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
  First := TResupUpload.Create(Client, MakeFile('twice', 500000));
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
  Upload := TResupUpload.Create(Client, MakeFile(NAME, 1000));
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

procedure TRunTests.SizesArePast4GiB;
var
  Far: TResupClient;
  Upload: TResupUpload;
begin
  Far := TResupClient.Create(Huge);
  Upload := Listen(TResupUpload.Create(Far, Folder + PathDelim + 'huge'));
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

procedure TRunTests.ALostConnectionIsResumed;
var
  Far: TResupClient;
  Upload: TResupUpload;
begin
  Far := TResupClient.Create(Cutting);
  Far.SetRetryBackoff(1, 10);
  Upload := Listen(TResupUpload.Create(Far, MakeFile('cut', 3000000)));
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

procedure TRunTests.CancelWhenSending(Sender: TObject; APosition, ASize: Int64);
begin
  with Sender as TResupUpload do
    if State = rsSending then
      Cancel;
end;

procedure TRunTests.ACancelledRunIsRunAgain;
var
  Upload: TResupUpload;
begin
  Upload := Listen(TResupUpload.Create(Client, MakeFile('cancelled', 3000000)));
  try
    Upload.RateLimit := 1500000;
    Upload.OnProgress := CancelWhenSending;
    try
      Upload.Execute;
      Fail('it was not cancelled');
    except
      on E: EResupCancelled do
      begin
        CheckCode(RESUP_E_CANCELLED, E);
        CheckFalse(E.Retryable);
      end;
    end;
    CheckFalse(Upload.Retryable);
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

procedure TRunTests.ADiscardedUploadBeginsAnew;
var
  Upload: TResupUpload;
begin
  Upload := Listen(TResupUpload.Create(Client, MakeFile('discarded', 3000000)));
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
    Upload.OnProgress := nil;
    Upload.RateLimit := 0;
    Upload.Discard;
    CheckTrue(Upload.State = rsReady);
    CheckEquals(1, Ends);
    Upload.Execute;
    CheckEquals(0, Upload.BytesSkipped);
    try
      Upload.Discard;
      Fail('a finished file was discarded');
    except
      on E: EResupError do
        CheckCode(RESUP_E_REFUSED, E);
    end;
  finally
    Upload.Free;
  end;
end;

procedure TRunTests.PollDeliversTheEvents;
var
  Upload: TResupUpload;
begin
  Upload := Listen(TResupUpload.Create(Client, MakeFile('polled', 800000)));
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
    CheckTrue(Upload.Poll, 'the end must stay');
    CheckEquals(1, Ends);
    CheckEquals(800000, LastPosition);
  finally
    Upload.Free;
  end;
end;

procedure TRunTests.PauseOnce(Sender: TObject; APosition, ASize: Int64);
begin
  if not PauseRequested and ((Sender as TResupUpload).State = rsSending) then
  begin
    PauseRequested := True;
    (Sender as TResupUpload).Pause;
  end;
end;

procedure TRunTests.APauseIsResumed;
var
  Upload: TResupUpload;
begin
  Upload := Listen(TResupUpload.Create(Client, MakeFile('paused', 3000000)));
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

procedure TRunTests.LinesAreLogged;
var
  Upload: TResupUpload;
begin
  Client.OnLog := NoteLog;
  Upload := TResupUpload.Create(Client, MakeFile('logged', 1000));
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
    Uploads[I] := Listen(TResupUpload.Create(Client, MakeFile(Format('many-%d', [I]), 50000 + I)));
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
  Upload := Listen(TResupUpload.Create(Client, MakeFile('orphan', 100000)));
  try
    FreeAndNil(Client);
    Upload.Execute;
    CheckEquals(1, Ends);
    CheckEquals(0, LogLines, 'a line was logged to a client that was freed');
  finally
    Upload.Free;
  end;
end;

initialization
  RegisterTest(TRunTests);

end.
