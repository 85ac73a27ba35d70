/// Exceptions, streams, and uploads that are freed where one would not think of it.
unit RaiseTests;

{$MODE DELPHI}

interface

uses
  Classes, SysUtils, Support, testregistry, Resup, Resup.Api;

type
  EOwn = class(Exception);

  TRaiseTests = class(TBehaviour)
  private
    Which, Calls: Integer;
    Thrown: TObject;
    Inner: TResupUpload;
    Doomed: TResupUpload;
    procedure RaiseIf(Mine: Integer);
    procedure RaiseInState(Upload: TResupUpload; State: TResupState);
    procedure RaiseInProgress(Upload: TResupUpload; Position, Size: Int64);
    procedure RaiseInComplete(Upload: TResupUpload; Status: Integer);
    procedure RaiseInLog(Client: TResupClient; Level: TResupLogLevel; const Line: TResupText);
    procedure RunInner(Upload: TResupUpload; State: TResupState);
    procedure FreeIt(Upload: TResupUpload; State: TResupState);
    procedure FreeAtEnd(Upload: TResupUpload; Status: Integer);
  published
    procedure WhatAnEventRaisesComesOutOfExecute;
    procedure PollRaisesItToo;
    procedure ARunWithinAnEventHasItsOwnExceptions;
    procedure AnEventMayFreeItsUpload;
    procedure AFreedUploadEndsItsRunElsewhere;
    procedure AFreedUploadEndsARunThatSynchronizes;
    procedure StreamsAreUploaded;
    procedure StreamsThatRaiseEndTheUpload;
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

procedure TRaiseTests.RaiseInState(Upload: TResupUpload; State: TResupState);
begin
  RaiseIf(0);
end;

procedure TRaiseTests.RaiseInProgress(Upload: TResupUpload; Position, Size: Int64);
begin
  RaiseIf(1);
end;

procedure TRaiseTests.RaiseInComplete(Upload: TResupUpload; Status: Integer);
begin
  RaiseIf(2);
end;

procedure TRaiseTests.RaiseInLog(Client: TResupClient; Level: TResupLogLevel; const Line: TResupText);
begin
  RaiseIf(3);
end;

procedure TRaiseTests.WhatAnEventRaisesComesOutOfExecute;
var
  Upload: TResupUpload;
  Path: string;
  I: Integer;
begin
  Path := Made('raised', 3000000);
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
      // The completion is told when all is done.
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
  Upload := TResupUpload.Create(Client, Made('raised-in-poll', 1000000));
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

procedure TRaiseTests.RunInner(Upload: TResupUpload; State: TResupState);
begin
  if State <> rsLocating then
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
  Made('inner', 1000);
  Outer := TResupUpload.Create(Client, Made('outer', 1000));
  try
    Outer.OnState := RunInner;
    Outer.Execute;
    CheckEquals(11, Calls);
    CheckTrue(Outer.State = rsComplete);
  finally
    Outer.Free;
  end;
end;

procedure TRaiseTests.FreeIt(Upload: TResupUpload; State: TResupState);
begin
  Inc(Calls);
  FreeAndNil(Doomed);
end;

procedure TRaiseTests.FreeAtEnd(Upload: TResupUpload; Status: Integer);
begin
  Inc(Calls);
  FreeAndNil(Doomed);
end;

procedure TRaiseTests.AnEventMayFreeItsUpload;
var
  Path: string;
begin
  Path := Made('doomed', 500000);
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
  CheckEquals(1, Calls, 'who is gone is told nothing');

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
    Told, Shown: Integer;
    procedure Synchronized(Upload: TResupUpload; Position, Size: Int64);
  protected
    procedure Execute; override;
  end;

procedure TRunner.Show;
begin
  Inc(Shown);
end;

procedure TRunner.Synchronized(Upload: TResupUpload; Position, Size: Int64);
begin
  Inc(Told);
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
    Runner.Upload := TResupUpload.Create(Client, Made('elsewhere', 3000000));
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
    Runner.Upload := TResupUpload.Create(Client, Made('synchronized', 3000000));
    Runner.Upload.RateLimit := 100000;
    Runner.Upload.OnProgress := Runner.Synchronized;
    Runner.Start;
    while Runner.Shown = 0 do
      CheckSynchronize(1);
    // Until the next one waits for this thread.
    while Runner.Told = Runner.Shown do
      Sleep(1);
    Runner.Upload.Free;
    CheckEquals(Runner.Told, Runner.Shown);
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
  Path := Made('streamed', 1234567);
  Plain := TResupUpload.Create(Client, Path);
  Streamed := TResupUpload.CreateFromStream(Client, 'streamed too', TFileStream.Create(Path, fmOpenRead or fmShareDenyNone),
    True);
  Empty := TResupUpload.CreateFromStream(Client, 'empty', TMemoryStream.Create, True);
  try
    Plain.Execute;
    Streamed.Execute;
    CheckEquals(Plain.Md5, Streamed.Md5);
    CheckEquals(1234567, Streamed.Size);
    Empty.Execute;
    CheckEquals('d41d8cd98f00b204e9800998ecf8427e', Empty.Md5);
  finally
    Plain.Free;
    Streamed.Free;
    Empty.Free;
  end;
end;

procedure TRaiseTests.StreamsThatRaiseEndTheUpload;
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
    Upload.Execute;
    CheckEquals('900150983cd24fb0d6963f7d28e17f72', Upload.Md5);
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
