/// The component, with a message loop.
unit ComponentTests;

{$MODE DELPHI}

interface

uses
  Classes, SysUtils, Forms, Support, testregistry, Resup, Resup.Api, Resup.Uploader;

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
    Raises, Frees: Boolean;
    procedure NotePrepare(Sender: TObject; Client: TResupClient; Upload: TResupUpload);
    procedure NoteProgress(Sender: TObject; Position, Size: Int64);
    procedure NoteState(Sender: TObject; State: TResupState);
    procedure NoteEnd(Sender: TObject; Error: EResupError);
    procedure NoteLog(Sender: TObject; Level: TResupLogLevel; const Line: TResupText);
    procedure NoteException(Sender: TObject; E: Exception);
    procedure PumpTo(State: TResupState);
    procedure PumpToEnd(Count: Integer);
  protected
    procedure SetUp; override;
    procedure TearDown; override;
  published
    procedure AFileIsUploadedByTheTimer;
    procedure AStreamIsUploaded;
    procedure ACAOfOnesOwnIsTrusted;
    procedure SizesArePast4GiB;
    procedure ItIsPausedResumedAndCancelled;
    procedure InactiveIsCancelled;
    procedure ErrorsTellEverything;
    procedure WhatCannotStartIsRaised;
    procedure ACutIsGoneOnFrom;
    procedure WhatAnEventRaisesGoesToTheApplication;
    procedure ItMayBeFreedInItsEvents;
    procedure ManyGoOnAtOnce;
    procedure ItIsReadFromAForm;
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

procedure TComponentTests.NotePrepare(Sender: TObject; Client: TResupClient; Upload: TResupUpload);
begin
  Inc(Prepared);
  Client.SetRetryBackoff(1, 10);
end;

procedure TComponentTests.NoteProgress(Sender: TObject; Position, Size: Int64);
begin
  EventThread := GetCurrentThreadId;
  LastPosition := Position;
end;

procedure TComponentTests.NoteState(Sender: TObject; State: TResupState);
begin
  Include(States, State);
  if Raises then
    raise EOwn.Create('mine');
  if Frees and (State = rsLocating) then
    FreeAndNil(Uploader);
end;

procedure TComponentTests.NoteEnd(Sender: TObject; Error: EResupError);
begin
  Inc(Ends);
  EndCode := RESUP_OK;
  if Error <> nil then
  begin
    EndCode := Error.Code;
    ServerMessage := Error.ServerMessage;
  end;
  if Frees then
    FreeAndNil(Uploader);
end;

procedure TComponentTests.NoteLog(Sender: TObject; Level: TResupLogLevel; const Line: TResupText);
begin
  LogText := LogText + Line + LineEnding;
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
  Uploader.FileName := Made('by the timer', 1500000);
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
  CheckTrue(rsSending in States);
  CheckEquals(1500000, Uploader.Size);
  CheckEquals(1500000, Uploader.Position);
  CheckEquals(32, Length(Uploader.Upload.Md5));
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
    Uploader.Active := True;
    PumpToEnd(1);
    CheckEquals('900150983cd24fb0d6963f7d28e17f72', Uploader.Upload.Md5);
  finally
    Uploader.Stream.Free;
  end;
end;

procedure TComponentTests.ACAOfOnesOwnIsTrusted;
begin
  Uploader.URL := Secure;
  Uploader.FileName := Made('secure component', 300000);
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
  Uploader.FileName := Made('paused component', 3000000);
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
  Uploader.FileName := Made('inactive', 3000000);
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
  Uploader.FileName := Made('forbidden component', 1000);
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

procedure TComponentTests.ACutIsGoneOnFrom;
begin
  Uploader.URL := Cutting;
  Uploader.FileName := Made('cut component', 3000000);
  Uploader.Active := True;
  PumpToEnd(1);
  CheckEquals(RESUP_OK, EndCode);
  CheckTrue(Uploader.Upload.Attempts >= 2, 'it was not cut');
end;

procedure TComponentTests.WhatAnEventRaisesGoesToTheApplication;
begin
  Uploader.FileName := Made('raising component', 1000000);
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
  Uploader.FileName := Made('doomed component', 100000);
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
      Each.FileName := Made(Format('many components %d', [I]), 200000 + I);
      Each.OnComplete := NoteEnd;
      Each.Interval := 10;
      Each.Active := True;
    end;
    PumpToEnd(COUNT);
  finally
    Owner.Free;
  end;
end;

type
  /// What a form's file has.
  THolder = class(TComponent)
  public
    Found: TComponent;
    constructor Create(AOwner: TComponent); override;
  protected
    procedure GetChildren(Proc: TGetChildProc; Root: TComponent); override;
  end;

constructor THolder.Create(AOwner: TComponent);
begin
  inherited Create(AOwner);
end;

procedure THolder.GetChildren(Proc: TGetChildProc; Root: TComponent);
var
  I: Integer;
begin
  for I := 0 to ComponentCount - 1 do
    Proc(Components[I]);
end;

procedure TComponentTests.ItIsReadFromAForm;
var
  Written, Read: THolder;
  Form: TMemoryStream;
  Original, Copy: TResumableUploader;
begin
  Form := TMemoryStream.Create;
  Written := THolder.Create(nil);
  Read := THolder.Create(nil);
  try
    Original := TResumableUploader.Create(Written);
    Original.Name := 'Uploader';
    Original.URL := Endpoint;
    Original.FileName := Made('of a form', 1000);
    Original.Fields.Values['ticket'] := '4711';
    Original.Digest := rdMd5First;
    Original.RateLimit := Int64(1) shl 40;
    Form.WriteComponent(Written);
    Form.Position := 0;
    Form.ReadComponent(Read);
    Copy := Read.FindComponent('Uploader') as TResumableUploader;
    CheckEquals(Endpoint, Copy.URL);
    CheckEquals(Original.FileName, Copy.FileName);
    CheckEquals('4711', Copy.Fields.Values['ticket']);
    CheckTrue(Copy.Digest = rdMd5First);
    CheckTrue(Copy.RateLimit = Int64(1) shl 40);
    CheckFalse(Copy.Active);
    CheckEquals(100, Copy.Interval);
    Copy.OnComplete := NoteEnd;
    Copy.Active := True;
    PumpToEnd(1);
    CheckEquals(RESUP_OK, EndCode);
  finally
    Read.Free;
    Written.Free;
    Form.Free;
  end;
end;

initialization
  RegisterClasses([TResumableUploader]);
  RegisterTest(TComponentTests);

end.
