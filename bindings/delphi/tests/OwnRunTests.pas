/// Runs that the program makes itself, by the C API.
unit OwnRunTests;

{$MODE DELPHI}

interface

uses
  Classes, SysUtils, Support, testregistry, Resup.Api, Resup.Types, Resup.Client, Resup.Upload;

type
  TOwnRunTests = class(TListeningTests)
  private
    Doomed: TResupUpload;
    Lent: TStream;
    procedure FreeIt(Sender: TObject; AState: TResupState);
    procedure RunAndFree(AUpload: TResupUpload);
  published
    procedure ARunOutlivesItsObject;
    procedure ARunElsewhereEndsWithItsObject;
  end;

implementation

procedure TOwnRunTests.FreeIt(Sender: TObject; AState: TResupState);
begin
  FreeAndNil(Doomed);
  FreeAndNil(Lent);
end;

/// Runs an upload, and frees the object in its first event.
procedure TOwnRunTests.RunAndFree(AUpload: TResupUpload);
var
  Handle: Presup_upload;
begin
  Doomed := Listen(AUpload);
  Doomed.OnState := FreeIt;
  Handle := Doomed.Handle;
  CheckEquals(RESUP_E_CANCELLED, resup_upload_run(Handle));
  CheckTrue(Doomed = nil);
  CheckEquals(0, Ends);
  CheckEquals(RESUP_OK, resup_upload_free(Handle));
end;

procedure TOwnRunTests.ARunOutlivesItsObject;
var
  Path: string;
begin
  Path := MakeFile('by the C API', 300000);
  RunAndFree(TResupUpload.Create(Client, Path));
  RunAndFree(TResupUpload.CreateFromStream(Client, 'owned', TFileStream.Create(Path, fmOpenRead or fmShareDenyNone),
    True));
  Lent := TFileStream.Create(Path, fmOpenRead or fmShareDenyNone);
  RunAndFree(TResupUpload.CreateFromStream(Client, 'lent', Lent));
  CheckTrue(Lent = nil);
end;

type
  /// Runs an upload, whose progress it shows on the main thread.
  TOwnRunner = class(TThread)
  public
    Handle: Presup_upload;
    Status: Integer;
    Called, Shown: Integer;
    procedure Show;
    procedure Synchronized(Sender: TObject; APosition, ASize: Int64);
    procedure Execute; override;
  end;

procedure TOwnRunner.Show;
begin
  Inc(Shown);
end;

procedure TOwnRunner.Synchronized(Sender: TObject; APosition, ASize: Int64);
begin
  Inc(Called);
  Synchronize(Show);
end;

procedure TOwnRunner.Execute;
begin
  Status := resup_upload_run(Handle);
end;

procedure TOwnRunTests.ARunElsewhereEndsWithItsObject;
var
  Upload: TResupUpload;
  Runner: TOwnRunner;
begin
  Runner := TOwnRunner.Create(True);
  try
    Upload := TResupUpload.Create(Client, MakeFile('by the C API elsewhere', 3000000));
    Upload.RateLimit := 100000;
    Upload.OnProgress := Runner.Synchronized;
    Runner.Handle := Upload.Handle;
    Runner.Start;
    while Runner.Shown = 0 do
      CheckSynchronize(1);
    // Until the next one waits for this thread.
    while Runner.Called = Runner.Shown do
      Sleep(1);
    Upload.Free;
    CheckEquals(Runner.Called, Runner.Shown);
    Runner.WaitFor;
    CheckEquals(RESUP_E_CANCELLED, Runner.Status);
  finally
    Runner.Free;
  end;
end;

initialization
  RegisterTest(TOwnRunTests);

end.
