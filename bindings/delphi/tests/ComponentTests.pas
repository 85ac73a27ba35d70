/// The component, with a message loop.
unit ComponentTests;

{$MODE DELPHI}

interface

uses
  Classes, SysUtils, Forms, Support, testregistry, Resup.Api, Resup.Types,
  Resup.Client, Resup.Upload, Resup.Uploader;

type
  EOwn = class(Exception);

  TComponentTests = class(TBehaviour)
  private
    Uploader: TResumableUploader;
    Ends, EndCode, Prepared, Caught: Integer;
    ServerMessage, LogText: string;
    LastPosition: Int64;
    States: set of TResupState;
    EventThread: TThreadID;
    Raises, Frees, OtherSender: Boolean;
    procedure NotePrepare(Sender: TObject; AClient: TResupClient; AUpload: TResupUpload);
    procedure NoteProgress(Sender: TObject; APosition, ASize: Int64);
    procedure NoteState(Sender: TObject; AState: TResupState);
    procedure NoteEnd(Sender: TObject; AError: EResupError);
    procedure NoteLog(Sender: TObject; ALevel: TResupLogLevel; const ALine: TResupText);
    procedure NoteException(Sender: TObject; E: Exception);
    procedure PumpTo(State: TResupState);
    procedure PumpToEnd(Count: Integer);
  protected
    procedure SetUp; override;
    procedure TearDown; override;
  published
    procedure AFileIsUploadedByTheTimer;
    procedure AStreamIsUploaded;
    procedure AStreamWithoutASizeIsUploaded;
    procedure WhatTheServerHasIsDiscarded;
    procedure ACAOfOnesOwnIsTrusted;
    procedure SizesArePast4GiB;
    procedure ItIsPausedResumedAndCancelled;
    procedure InactiveIsCancelled;
    procedure ErrorsTellEverything;
    procedure WhatCannotStartIsRaised;
    procedure ALostConnectionIsResumed;
    procedure WhatAnEventRaisesGoesToTheApplication;
    procedure ItMayBeFreedInItsEvents;
    procedure ManyGoOnAtOnce;
  end;

implementation

procedure TComponentTests.SetUp;
begin
  inherited SetUp;
  Ends := 0;
  EndCode := -1;
  Prepared := 0;
  Caught := 0;
  LogText := '';
  LastPosition := -1;
  States := [];
  Raises := False;
  Frees := False;
  OtherSender := False;
  Application.OnException := NoteException;
  Uploader := TResumableUploader.Create(nil);
  Uploader.URL := Endpoint;
  Uploader.Interval := 10;
  Uploader.OnPrepare := NotePrepare;
  Uploader.OnProgress := NoteProgress;
  Uploader.OnState := NoteState;
  Uploader.OnComplete := NoteEnd;
  Uploader.OnLog := NoteLog;
end;

procedure TComponentTests.TearDown;
begin
  FreeAndNil(Uploader);
  inherited TearDown;
end;

procedure TComponentTests.NotePrepare(Sender: TObject; AClient: TResupClient; AUpload: TResupUpload);
begin
  OtherSender := OtherSender or (Sender <> Uploader);
  Inc(Prepared);
  AClient.SetRetryBackoff(1, 10);
end;

procedure TComponentTests.NoteProgress(Sender: TObject; APosition, ASize: Int64);
begin
  OtherSender := OtherSender or (Sender <> Uploader);
  EventThread := GetCurrentThreadId;
  LastPosition := APosition;
end;

procedure TComponentTests.NoteState(Sender: TObject; AState: TResupState);
begin
  OtherSender := OtherSender or (Sender <> Uploader);
  Include(States, AState);
  if Raises then
    raise EOwn.Create('mine');
  if Frees and (AState = rsLocating) then
    FreeAndNil(Uploader);
end;

procedure TComponentTests.NoteEnd(Sender: TObject; AError: EResupError);
begin
  OtherSender := OtherSender or (Sender <> Uploader);
  Inc(Ends);
  EndCode := RESUP_OK;
  if AError <> nil then
  begin
    EndCode := AError.Code;
    ServerMessage := AError.ServerMessage;
  end;
  if Frees then
    FreeAndNil(Uploader);
end;

procedure TComponentTests.NoteLog(Sender: TObject; ALevel: TResupLogLevel; const ALine: TResupText);
begin
  OtherSender := OtherSender or (Sender <> Uploader);
  LogText := LogText + ALine + LineEnding;
end;

procedure TComponentTests.NoteException(Sender: TObject; E: Exception);
begin
  Inc(Caught);
  CheckTrue(E is EOwn, E.Message);
end;

procedure TComponentTests.PumpTo(State: TResupState);
begin
  while Uploader.State <> State do
  begin
    Application.ProcessMessages;
    Sleep(1);
  end;
end;

procedure TComponentTests.PumpToEnd(Count: Integer);
begin
  while Ends < Count do
  begin
    Application.ProcessMessages;
    Sleep(1);
  end;
end;

procedure TComponentTests.AFileIsUploadedByTheTimer;
begin
  Uploader.FileName := MakeFile('by the timer', 1500000);
  Uploader.RemoteName := '计时器.bin';
  Uploader.Directory := 'c/d';
  Uploader.ContentType := 'application/x-test';
  Uploader.Fields.Values['ticket'] := '4711';
  Uploader.Headers.Values['X-Test'] := 'yes';
  Uploader.Active := True;
  CheckTrue(Uploader.Active);
  CheckEquals(1, Prepared);
  PumpToEnd(1);
  CheckFalse(Uploader.Active);
  CheckEquals(RESUP_OK, EndCode);
  CheckEquals(1500000, LastPosition);
  CheckTrue(EventThread = MainThreadID);
  CheckFalse(OtherSender, 'Sender is not the component');
  CheckTrue(rsSending in States);
  CheckEquals(1500000, Uploader.Size);
  CheckEquals(1500000, Uploader.Position);
  CheckTrue(Length(Uploader.Upload.DigestValue) >= 32);
  CheckTrue(Pos('complete: 1500000 bytes', LogText) > 0, LogText);
  Uploader.Start;
  Uploader.WaitFor;
  CheckEquals(2, Ends);
  CheckEquals(1500000, Uploader.Upload.BytesSkipped);
end;

procedure TComponentTests.AStreamIsUploaded;
begin
  Uploader.Stream := TStringStream.Create('abc');
  try
    Uploader.RemoteName := 'streamed';
    Uploader.DigestAlgorithm := raMd5;
    Uploader.Protocol := rpTus;
    try
      Uploader.Active := True;
      Fail('a digest by name went with tus');
    except
      on E: EResupError do
        CheckEquals(RESUP_E_ARGUMENT, E.Code);
    end;
    Uploader.Protocol := rpForm;
    Uploader.Active := True;
    PumpToEnd(1);
    CheckEquals('900150983cd24fb0d6963f7d28e17f72', Uploader.Upload.Md5);
  finally
    Uploader.Stream.Free;
  end;
end;

procedure TComponentTests.AStreamWithoutASizeIsUploaded;
begin
  Uploader.Stream := TPipe.Create(MakeFile('component piped', 765432));
  try
    CheckTrue(Uploader.StreamHasSize);
    Uploader.StreamHasSize := False;
    Uploader.RemoteName := 'piped';
    Uploader.Active := True;
    PumpToEnd(1);
    CheckEquals(RESUP_OK, EndCode);
    CheckEquals(765432, Uploader.Size);
    CheckEquals('tus', Uploader.Upload.ProtocolUsed);
    NoteStored(Uploader.Upload, 'component piped');
  finally
    Uploader.Stream.Free;
    Uploader.Stream := nil;
  end;
end;

procedure TComponentTests.WhatTheServerHasIsDiscarded;
begin
  Uploader.FileName := MakeFile('to discard', 3000000);
  Uploader.SegmentSize := 100000;
  Uploader.RateLimit := 1000000;
  Uploader.Active := True;
  try
    Uploader.Discard;
    Fail('it was running');
  except
    on E: EInvalidOperation do
      CheckTrue(Pos('is running', E.Message) > 0, E.Message);
  end;
  while LastPosition < 300000 do
  begin
    Application.ProcessMessages;
    Sleep(1);
  end;
  Uploader.Active := False;
  CheckEquals(RESUP_E_CANCELLED, EndCode);
  CheckTrue(Uploader.Upload.Offset > 0);
  Uploader.Discard;
  CheckEquals(1, Ends, 'OnComplete is for uploads');
  // It begins anew, and is complete then.
  Uploader.RateLimit := 0;
  Uploader.Active := True;
  PumpToEnd(2);
  CheckEquals(RESUP_OK, EndCode);
  CheckEquals(3000000, Uploader.Upload.BytesSent);
  try
    Uploader.Discard;
    Fail('the file is complete');
  except
    on E: EResupError do
      CheckEquals(RESUP_E_REFUSED, E.Code);
  end;
end;

procedure TComponentTests.ACAOfOnesOwnIsTrusted;
begin
  Uploader.URL := Secure;
  Uploader.FileName := MakeFile('secure component', 300000);
  Uploader.Active := True;
  PumpToEnd(1);
  CheckEquals(RESUP_E_TLS, EndCode);
  Uploader.CAFile := Folder + PathDelim + 'ca.pem';
  Uploader.Active := True;
  PumpToEnd(2);
  CheckEquals(RESUP_OK, EndCode);
  CheckEquals(300000, Uploader.Upload.BytesSent);
end;

procedure TComponentTests.SizesArePast4GiB;
begin
  Uploader.URL := Huge;
  Uploader.FileName := Folder + PathDelim + 'huge';
  Uploader.Digest := rdNone;
  Uploader.Active := True;
  PumpToEnd(1);
  CheckEquals(RESUP_OK, EndCode);
  CheckEquals(HUGE_SIZE, Uploader.Size);
  CheckEquals(HUGE_SIZE, LastPosition);
  CheckEquals(HUGE_SIZE - HUGE_REST, Uploader.Upload.BytesSkipped);
end;

procedure TComponentTests.ItIsPausedResumedAndCancelled;
begin
  Uploader.FileName := MakeFile('paused component', 3000000);
  Uploader.RateLimit := 1000000;
  Uploader.Active := True;
  PumpTo(rsSending);
  Uploader.Paused := True;
  PumpTo(rsPaused);
  CheckTrue(Uploader.Paused);
  Uploader.Resume;
  PumpTo(rsSending);
  Uploader.Cancel;
  PumpToEnd(1);
  CheckEquals(RESUP_E_CANCELLED, EndCode);
  Uploader.RateLimit := 0;
  Uploader.Active := True;
  PumpToEnd(2);
  CheckEquals(RESUP_OK, EndCode);
end;

procedure TComponentTests.InactiveIsCancelled;
begin
  Uploader.FileName := MakeFile('inactive', 3000000);
  Uploader.RateLimit := 100000;
  Uploader.Active := True;
  Uploader.Active := False;
  CheckFalse(Uploader.Active);
  CheckEquals(1, Ends);
  CheckEquals(RESUP_E_CANCELLED, EndCode);
end;

procedure TComponentTests.ErrorsTellEverything;
begin
  Uploader.URL := Forbidden;
  Uploader.FileName := MakeFile('forbidden component', 1000);
  Uploader.Active := True;
  PumpToEnd(1);
  CheckEquals(RESUP_E_NOT_ALLOWED, EndCode);
  CheckEquals('not you', ServerMessage);
  CheckEquals(403, Uploader.Upload.HttpStatus);
end;

procedure TComponentTests.WhatCannotStartIsRaised;
begin
  Uploader.FileName := Folder + PathDelim + 'missing';
  try
    Uploader.Active := True;
    Fail('what is not there was taken');
  except
    on E: EResupError do
      CheckCode(RESUP_E_SOURCE_NOT_FOUND, E);
  end;
  CheckFalse(Uploader.Active);
  CheckEquals(0, Ends);
end;

procedure TComponentTests.ALostConnectionIsResumed;
begin
  Uploader.URL := Cutting;
  Uploader.FileName := MakeFile('cut component', 3000000);
  Uploader.Active := True;
  PumpToEnd(1);
  CheckEquals(RESUP_OK, EndCode);
  CheckTrue(Uploader.Upload.Attempts >= 2, 'it was not cut');
end;

procedure TComponentTests.WhatAnEventRaisesGoesToTheApplication;
begin
  Uploader.FileName := MakeFile('raising component', 1000000);
  Uploader.RateLimit := 500000; // What is complete already is not cancelled.
  Raises := True;
  Uploader.Active := True;
  while Caught = 0 do
  begin
    Application.ProcessMessages;
    Sleep(1);
  end;
  Raises := False;
  PumpToEnd(1);
  CheckEquals(RESUP_E_CANCELLED, EndCode);
end;

procedure TComponentTests.ItMayBeFreedInItsEvents;
begin
  Uploader.FileName := MakeFile('doomed component', 100000);
  Frees := True;
  Uploader.Active := True;
  while Uploader <> nil do
  begin
    Application.ProcessMessages;
    Sleep(1);
  end;
  CheckEquals(0, Ends);

  Uploader := TResumableUploader.Create(nil);
  Uploader.URL := Endpoint;
  Uploader.FileName := Folder + PathDelim + 'doomed component';
  Uploader.OnComplete := NoteEnd;
  Uploader.Active := True;
  PumpToEnd(1);
  CheckTrue(Uploader = nil);
end;

procedure TComponentTests.ManyGoOnAtOnce;
const
  COUNT = 10;
var
  Owner: TComponent;
  Each: TResumableUploader;
  I: Integer;
begin
  Owner := TComponent.Create(nil);
  try
    for I := 1 to COUNT do
    begin
      Each := TResumableUploader.Create(Owner);
      Each.URL := Endpoint;
      Each.FileName := MakeFile(Format('many components %d', [I]), 200000 + I);
      Each.OnComplete := NoteEnd;
      Each.Interval := 10;
      Each.Active := True;
    end;
    PumpToEnd(COUNT);
  finally
    Owner.Free;
  end;
end;

initialization
  RegisterTest(TComponentTests);

end.
