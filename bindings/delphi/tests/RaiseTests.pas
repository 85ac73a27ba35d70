/// Exceptions of events, streams, and uploads that are freed during a run.
unit RaiseTests;

{$MODE DELPHI}

interface

uses
  Classes, SysUtils, Support, testregistry, Resup.Api, Resup.Types, Resup.Client, Resup.Upload;

type
  EOwn = class(Exception);

  TRaiseTests = class(TBehaviour)
  private
    Which, Calls: Integer;
    Thrown: TObject;
    Inner: TResupUpload;
    Doomed: TResupUpload;
    procedure RaiseIf(Mine: Integer);
    procedure RaiseInState(Sender: TObject; AState: TResupState);
    procedure RaiseInProgress(Sender: TObject; APosition, ASize: Int64);
    procedure RaiseInComplete(Sender: TObject; AStatus: Integer);
    procedure RaiseInLog(Sender: TObject; ALevel: TResupLogLevel; const ALine: TResupText);
    procedure RunInner(Sender: TObject; AState: TResupState);
    procedure FreeIt(Sender: TObject; AState: TResupState);
    procedure FreeAtEnd(Sender: TObject; AStatus: Integer);
  published
    procedure WhatAnEventRaisesComesOutOfExecute;
    procedure PollRaisesItToo;
    procedure ARunWithinAnEventHasItsOwnExceptions;
    procedure AnEventMayFreeItsUpload;
    procedure AFreedUploadEndsItsRunElsewhere;
    procedure AFreedUploadEndsARunThatSynchronizes;
    procedure StreamsAreUploaded;
    procedure AStreamThatRaisesEndsTheUpload;
    procedure MemoryIsUploaded;
  end;

implementation

procedure TRaiseTests.RaiseIf(Mine: Integer);
begin
  if (Mine = Which) and (Calls = 0) then
  begin
    Inc(Calls);
    Thrown := EOwn.CreateFmt('from event %d', [Mine]);
    raise Thrown;
  end;
end;

procedure TRaiseTests.RaiseInState(Sender: TObject; AState: TResupState);
begin
  RaiseIf(0);
end;

procedure TRaiseTests.RaiseInProgress(Sender: TObject; APosition, ASize: Int64);
begin
  RaiseIf(1);
end;

procedure TRaiseTests.RaiseInComplete(Sender: TObject; AStatus: Integer);
begin
  RaiseIf(2);
end;

procedure TRaiseTests.RaiseInLog(Sender: TObject; ALevel: TResupLogLevel; const ALine: TResupText);
begin
  RaiseIf(3);
end;

procedure TRaiseTests.WhatAnEventRaisesComesOutOfExecute;
var
  Upload: TResupUpload;
  Path: string;
  I: Integer;
begin
  Path := MakeFile('raised', 3000000);
  Client.LogLevel := rlDebug;
  Client.OnLog := RaiseInLog;
  for I := 0 to 3 do
  begin
    Which := I;
    Calls := 0;
    Upload := TResupUpload.Create(Client, Path);
    try
      Upload.Name := Format('raised-%d', [Which]);
      Upload.OnState := RaiseInState;
      Upload.OnProgress := RaiseInProgress;
      Upload.OnComplete := RaiseInComplete;
      try
        Upload.Execute;
        Fail('nothing was raised');
      except
        on E: EOwn do
        begin
          CheckEquals(Format('from event %d', [Which]), E.Message);
          CheckSame(Thrown, E);
        end;
      end;
      // OnComplete comes when the upload is complete already.
      CheckTrue((Upload.State = rsComplete) = (Which = 2));
      CheckTrue((Upload.State = rsCancelled) = (Which <> 2));
      Upload.Execute;
      CheckTrue(Upload.State = rsComplete);
    finally
      Upload.Free;
    end;
  end;
end;

procedure TRaiseTests.PollRaisesItToo;
var
  Upload: TResupUpload;
  Raised: Boolean;
begin
  Which := 0;
  Calls := 0;
  Raised := False;
  Upload := TResupUpload.Create(Client, MakeFile('raised-in-poll', 1000000));
  try
    Upload.OnState := RaiseInState;
    Upload.Start;
    try
      while not Upload.Poll do
        Sleep(2);
    except
      on E: EOwn do
        Raised := True;
    end;
    CheckTrue(Raised);
    try
      while not Upload.Poll do
        Sleep(2);
      Fail('it is not cancelled');
    except
      on E: EResupCancelled do
        CheckTrue(Upload.State = rsCancelled);
    end;
  finally
    Upload.Free;
  end;
end;

procedure TRaiseTests.RunInner(Sender: TObject; AState: TResupState);
begin
  if AState <> rsLocating then
    Exit;
  Inner := TResupUpload.Create(Client, Folder + PathDelim + 'inner');
  try
    Inner.OnState := RaiseInState;
    try
      Inner.Execute;
      Fail('nothing was raised');
    except
      on EOwn do
        Inc(Calls, 10);
    end;
  finally
    Inner.Free;
  end;
end;

procedure TRaiseTests.ARunWithinAnEventHasItsOwnExceptions;
var
  Outer: TResupUpload;
begin
  Which := 0;
  Calls := 0;
  MakeFile('inner', 1000);
  Outer := TResupUpload.Create(Client, MakeFile('outer', 1000));
  try
    Outer.OnState := RunInner;
    Outer.Execute;
    CheckEquals(11, Calls);
    CheckTrue(Outer.State = rsComplete);
  finally
    Outer.Free;
  end;
end;

procedure TRaiseTests.FreeIt(Sender: TObject; AState: TResupState);
begin
  Inc(Calls);
  FreeAndNil(Doomed);
end;

procedure TRaiseTests.FreeAtEnd(Sender: TObject; AStatus: Integer);
begin
  Inc(Calls);
  FreeAndNil(Doomed);
end;

procedure TRaiseTests.AnEventMayFreeItsUpload;
var
  Path: string;
begin
  Path := MakeFile('doomed', 500000);
  Calls := 0;
  Doomed := TResupUpload.Create(Client, Path);
  Doomed.OnState := FreeIt;
  try
    Doomed.Execute;
    Fail('it is not cancelled');
  except
    on E: EResupCancelled do
      CheckTrue(Doomed = nil);
  end;
  CheckEquals(1, Calls, 'an event came after the upload was freed');

  Doomed := TResupUpload.CreateFromStream(Client, 'doomed', TStringStream.Create('abc'), True);
  Doomed.OnComplete := FreeAtEnd;
  Doomed.Start;
  while not Doomed.WaitFor(10) do
    ;
  CheckTrue(Doomed = nil);
end;

type
  TRunner = class(TThread)
  private
    procedure Show;
  public
    Upload: TResupUpload;
    Raised: string;
    Called, Shown: Integer;
    procedure Synchronized(Sender: TObject; APosition, ASize: Int64);
  protected
    procedure Execute; override;
  end;

procedure TRunner.Show;
begin
  Inc(Shown);
end;

procedure TRunner.Synchronized(Sender: TObject; APosition, ASize: Int64);
begin
  Inc(Called);
  Synchronize(Show);
end;

procedure TRunner.Execute;
begin
  try
    Upload.Execute;
  except
    on E: Exception do
      Raised := E.ClassName;
  end;
end;

procedure TRaiseTests.AFreedUploadEndsItsRunElsewhere;
var
  Runner: TRunner;
begin
  Runner := TRunner.Create(True);
  try
    Runner.Upload := TResupUpload.Create(Client, MakeFile('elsewhere', 3000000));
    Runner.Upload.RateLimit := 100000;
    Runner.Start;
    while Runner.Upload.State <> rsSending do
      Sleep(1);
    Runner.Upload.Free;
    Runner.WaitFor;
    CheckEquals('EResupCancelled', Runner.Raised);
  finally
    Runner.Free;
  end;
end;

procedure TRaiseTests.AFreedUploadEndsARunThatSynchronizes;
var
  Runner: TRunner;
begin
  Runner := TRunner.Create(True);
  try
    Runner.Upload := TResupUpload.Create(Client, MakeFile('synchronized', 3000000));
    Runner.Upload.RateLimit := 100000;
    Runner.Upload.OnProgress := Runner.Synchronized;
    Runner.Start;
    while Runner.Shown = 0 do
      CheckSynchronize(1);
    // Until the next one waits for this thread.
    while Runner.Called = Runner.Shown do
      Sleep(1);
    Runner.Upload.Free;
    CheckEquals(Runner.Called, Runner.Shown);
    Runner.WaitFor;
    CheckEquals('EResupCancelled', Runner.Raised);
  finally
    Runner.Free;
  end;
end;

type
  /// Knows its size, and raises when it is read.
  TTape = class(TMemoryStream)
  public
    function Read(var Buffer; Count: Longint): Longint; override;
  end;

function TTape.Read(var Buffer; Count: Longint): Longint;
begin
  Result := 0;
  raise EOwn.Create('the tape is torn');
end;

procedure TRaiseTests.StreamsAreUploaded;
var
  Plain, Streamed, Empty: TResupUpload;
  Path: string;
begin
  Path := MakeFile('streamed', 1234567);
  Plain := TResupUpload.Create(Client, Path);
  Streamed := TResupUpload.CreateFromStream(Client, 'streamed too', TFileStream.Create(Path,
    fmOpenRead or fmShareDenyNone), True);
  Empty := TResupUpload.CreateFromStream(Client, 'empty', TMemoryStream.Create, True);
  try
    Plain.Execute;
    Streamed.Execute;
    CheckEquals(Plain.DigestValue, Streamed.DigestValue);
    CheckEquals(1234567, Streamed.Size);
    Empty.DigestAlgorithm := raMd5;
    Empty.Execute;
    CheckEquals('d41d8cd98f00b204e9800998ecf8427e', Empty.Md5);
  finally
    Plain.Free;
    Streamed.Free;
    Empty.Free;
  end;
end;

procedure TRaiseTests.AStreamThatRaisesEndsTheUpload;
var
  Tape: TTape;
  Upload: TResupUpload;
begin
  Tape := TTape.Create;
  Tape.Size := 1000;
  Upload := TResupUpload.CreateFromStream(Client, 'torn', Tape);
  try
    try
      Upload.Execute;
      Fail('nothing was raised');
    except
      on E: EOwn do
        CheckEquals('the tape is torn', E.Message);
    end;
    CheckTrue(Upload.State = rsFailed);
  finally
    Upload.Free;
    Tape.Free;
  end;
end;

procedure TRaiseTests.MemoryIsUploaded;
const
  TEXT: array[0..2] of AnsiChar = 'abc';
var
  Upload: TResupUpload;
begin
  Upload := TResupUpload.CreateFromMemory(Client, 'text.txt', TEXT, SizeOf(TEXT));
  try
    Upload.DigestAlgorithm := raMd5;
    Upload.Execute;
    CheckEquals('900150983cd24fb0d6963f7d28e17f72', Upload.Md5);
    CheckEquals(Upload.Md5, Upload.DigestValue);
  finally
    Upload.Free;
  end;
  try
    TResupUpload.CreateFromMemory(Client, '', TEXT, SizeOf(TEXT)).Free;
    Fail('a name that is none was taken');
  except
    on E: EResupError do
      CheckCode(RESUP_E_ARGUMENT, E);
  end;
end;

initialization
  RegisterTest(TRaiseTests);

end.
