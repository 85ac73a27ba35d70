/// Events of the component that wait, start, free and raise.
unit EventTests;

{$MODE DELPHI}

interface

uses
  Classes, SysUtils, Forms, Support, testregistry, Resup.Api, Resup.Types, Resup.Client,
  Resup.Upload, Resup.Uploader;

type
  EOwn = class(Exception);

  TEventTests = class(TBehaviour)
  private
    Uploader, Other: TResumableUploader;
    Ends, EndCode: Integer;
    Caught: string;
    function NewUploader(const FileName: string): TResumableUploader;
    procedure Pump;
    procedure NoteEnd(Sender: TObject; AError: EResupError);
    procedure NoteException(Sender: TObject; E: Exception);
    procedure WaitInState(Sender: TObject; AState: TResupState);
    procedure FreeInState(Sender: TObject; AState: TResupState);
    procedure FreeInPrepare(Sender: TObject; AClient: TResupClient; AUpload: TResupUpload);
    procedure StartInPrepare(Sender: TObject; AClient: TResupClient; AUpload: TResupUpload);
    procedure FreeAndRaise(Sender: TObject; AError: EResupError);
    procedure FreeAtEnd(Sender: TObject; AError: EResupError);
    procedure WaitForNext(Sender: TObject; AError: EResupError);
    procedure StartMissing(Sender: TObject; AError: EResupError);
    procedure StartOther(Sender: TObject; AState: TResupState);
  protected
    procedure SetUp; override;
    procedure TearDown; override;
  published
    procedure WaitingInAnEventIsRefused;
    procedure ItMayBeFreedWhileItIsWaitedFor;
    procedure ItMayBeFreedWhileItIsMadeInactive;
    procedure ItMayBeFreedBeforeItStarts;
    procedure StartingWhileItIsPreparedIsRefused;
    procedure ItMayBeFreedByAnEventThatRaises;
    procedure TheNextMayBeWaitedForAtTheEnd;
    procedure TheNextThatCannotStartIsNoSecondEnd;
    procedure AnothersErrorIsNotItsEnd;
    procedure StreamsAreReadForMoreThanABlockATick;
    procedure AnIntervalOfNothingTicks;
  end;

implementation

procedure TEventTests.SetUp;
begin
  inherited SetUp;
  Ends := 0;
  EndCode := -1;
  Caught := '';
  Application.OnException := NoteException;
  Uploader := NewUploader('of events');
  Other := nil;
end;

procedure TEventTests.TearDown;
begin
  FreeAndNil(Other);
  FreeAndNil(Uploader);
  inherited TearDown;
end;

function TEventTests.NewUploader(const FileName: string): TResumableUploader;
begin
  Result := TResumableUploader.Create(nil);
  Result.URL := Endpoint;
  Result.FileName := MakeFile(FileName, 300000);
  Result.Interval := 10;
  Result.OnComplete := NoteEnd;
end;

procedure TEventTests.Pump;
begin
  Application.ProcessMessages;
  Sleep(1);
end;

procedure TEventTests.NoteEnd(Sender: TObject; AError: EResupError);
begin
  Inc(Ends);
  EndCode := RESUP_OK;
  if AError <> nil then
    EndCode := AError.Code;
end;

procedure TEventTests.NoteException(Sender: TObject; E: Exception);
begin
  Caught := Caught + E.ClassName + ';';
end;

procedure TEventTests.WaitInState(Sender: TObject; AState: TResupState);
begin
  Uploader.OnState := nil;
  Uploader.WaitFor;
end;

procedure TEventTests.WaitingInAnEventIsRefused;
begin
  Uploader.OnState := WaitInState;
  Uploader.RateLimit := 100000;
  Uploader.Active := True;
  while Ends = 0 do
    Pump;
  CheckEquals('EInvalidOperation;', Caught);
  CheckEquals(RESUP_E_CANCELLED, EndCode);
end;

procedure TEventTests.FreeInState(Sender: TObject; AState: TResupState);
begin
  FreeAndNil(Uploader);
end;

procedure TEventTests.FreeAtEnd(Sender: TObject; AError: EResupError);
begin
  NoteEnd(Sender, AError);
  FreeAndNil(Uploader);
end;

procedure TEventTests.ItMayBeFreedWhileItIsWaitedFor;
begin
  Uploader.OnState := FreeInState;
  Uploader.Active := True;
  Uploader.WaitFor;
  CheckTrue(Uploader = nil);
  CheckEquals(0, Ends);
  Uploader := NewUploader('freed at the end');
  Uploader.OnComplete := FreeAtEnd;
  Uploader.Active := True;
  Uploader.WaitFor;
  CheckTrue(Uploader = nil);
  CheckEquals(RESUP_OK, EndCode);
end;

procedure TEventTests.ItMayBeFreedWhileItIsMadeInactive;
begin
  Uploader.OnComplete := FreeAtEnd;
  Uploader.RateLimit := 100000;
  Uploader.Active := True;
  Uploader.Active := False;
  CheckTrue(Uploader = nil);
  CheckEquals(RESUP_E_CANCELLED, EndCode);
end;

procedure TEventTests.FreeInPrepare(Sender: TObject; AClient: TResupClient; AUpload: TResupUpload);
begin
  FreeAndNil(Uploader);
end;

procedure TEventTests.ItMayBeFreedBeforeItStarts;
begin
  Uploader.OnPrepare := FreeInPrepare;
  Uploader.Start;
  CheckTrue(Uploader = nil);
  CheckEquals(0, Ends);
end;

procedure TEventTests.StartInPrepare(Sender: TObject; AClient: TResupClient; AUpload: TResupUpload);
begin
  try
    Uploader.Start;
  except
    on E: Exception do
      Caught := Caught + E.ClassName + ';';
  end;
end;

procedure TEventTests.StartingWhileItIsPreparedIsRefused;
begin
  Uploader.OnPrepare := StartInPrepare;
  Uploader.Active := True;
  Uploader.WaitFor;
  CheckEquals('EInvalidOperation;', Caught);
  CheckEquals(1, Ends);
  CheckEquals(RESUP_OK, EndCode);
end;

procedure TEventTests.FreeAndRaise(Sender: TObject; AError: EResupError);
begin
  NoteEnd(Sender, AError);
  Caught := Caught + 'end;';
  FreeAndNil(Uploader);
  TResupClient.Create('ftp://example.org').Free;
end;

procedure TEventTests.ItMayBeFreedByAnEventThatRaises;
begin
  Uploader.OnComplete := FreeAndRaise;
  Uploader.Active := True;
  while Pos('EResup', Caught) = 0 do
    Pump;
  CheckTrue(Uploader = nil);
  CheckEquals('end;EResupError;', Caught);
end;

procedure TEventTests.WaitForNext(Sender: TObject; AError: EResupError);
begin
  Uploader.OnComplete := FreeAtEnd;
  Uploader.FileName := MakeFile('the next', 200000);
  Uploader.Start;
  Uploader.WaitFor;
  Inc(Ends);
end;

procedure TEventTests.TheNextMayBeWaitedForAtTheEnd;
begin
  Uploader.OnComplete := WaitForNext;
  Uploader.Active := True;
  Uploader.WaitFor;
  CheckTrue(Uploader = nil);
  CheckEquals(2, Ends);
end;

procedure TEventTests.StartMissing(Sender: TObject; AError: EResupError);
begin
  NoteEnd(Sender, AError);
  Uploader.FileName := Folder + PathDelim + 'missing';
  Uploader.Start;
end;

procedure TEventTests.TheNextThatCannotStartIsNoSecondEnd;
begin
  Uploader.OnComplete := StartMissing;
  Uploader.Active := True;
  while Caught = '' do
    Pump;
  CheckEquals('EResupError;', Caught);
  CheckEquals(1, Ends);
  CheckEquals(RESUP_OK, EndCode);
  CheckFalse(Uploader.Active);
end;

procedure TEventTests.StartOther(Sender: TObject; AState: TResupState);
begin
  if AState = rsLocating then
    Other.Start;
end;

procedure TEventTests.AnothersErrorIsNotItsEnd;
begin
  Other := NewUploader('another');
  Other.FileName := Folder + PathDelim + 'missing';
  Uploader.OnState := StartOther;
  Uploader.RateLimit := 100000;
  Uploader.Active := True;
  while Ends = 0 do
    Pump;
  CheckEquals('EResupError;', Caught);
  CheckEquals(RESUP_E_CANCELLED, EndCode);
end;

type
  TCountingStream = class(TMemoryStream)
  public
    Blocks: Integer;
    function Read(var Buffer; Count: Longint): Longint; override;
  end;

function TCountingStream.Read(var Buffer; Count: Longint): Longint;
begin
  Inc(Blocks);
  Result := inherited Read(Buffer, Count);
end;

procedure TEventTests.StreamsAreReadForMoreThanABlockATick;
var
  Stream: TCountingStream;
  Seen, Ticks: Integer;
begin
  Stream := TCountingStream.Create;
  try
    Stream.Size := 4 shl 20;
    Uploader.Stream := Stream;
    Uploader.RemoteName := 'blocks';
    Uploader.Interval := 1000;
    Uploader.Active := True;
    Ticks := 0;
    while Ends = 0 do
    begin
      Seen := Stream.Blocks;
      Pump;
      Inc(Ticks, Ord(Stream.Blocks > Seen));
    end;
    CheckEquals(RESUP_OK, EndCode);
    CheckTrue(Stream.Blocks >= 16, 'its blocks');
    CheckTrue(Ticks * 4 <= Stream.Blocks, Format('%d ticks for %d blocks', [Ticks, Stream.Blocks]));
    Uploader.Stream := nil;
  finally
    FreeAndNil(Uploader);
    Stream.Free;
  end;
end;

procedure TEventTests.AnIntervalOfNothingTicks;
begin
  Uploader.Interval := 0;
  CheckEquals(1, Uploader.Interval);
  Uploader.Active := True;
  while Ends = 0 do
    Pump;
  CheckEquals(RESUP_OK, EndCode);
end;

initialization
  RegisterTest(TEventTests);

end.
