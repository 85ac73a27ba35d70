/// The floating-point mode of the processor.
unit FloatTests;

{$MODE DELPHI}

interface

uses
  Math, Support, testregistry, Resup.Types, Resup.Upload;

type
  TFloatTests = class(TBehaviour)
  private
    Mask: TFPUExceptionMask;
    Calls: Integer;
    procedure NoteMask(Sender: TObject; AState: TResupState);
  published
    procedure TheProgramsFloatingPointModeIsKept;
  end;

implementation

procedure TFloatTests.NoteMask(Sender: TObject; AState: TResupState);
begin
  Mask := Mask + GetExceptionMask;
  Inc(Calls);
end;

// Delphi and Free Pascal set the processor to raise exceptions that C and Rust rely on not to be raised.
procedure TFloatTests.TheProgramsFloatingPointModeIsKept;
var
  Before: TFPUExceptionMask;
  Upload: TResupUpload;
begin
  Upload := TResupUpload.Create(Client, MakeFile('unmasked', 2000000));
  Before := SetExceptionMask([]);
  try
    Upload.RateLimit := 4000000;
    Upload.OnState := NoteMask;
    Mask := [];
    Upload.Execute;
    CheckTrue(GetExceptionMask = []);
    CheckTrue(Mask = [], 'an event sees another mask than the program''s');
    CheckTrue(Calls > 0);
  finally
    SetExceptionMask(Before);
    Upload.Free;
  end;
end;

initialization
  RegisterTest(TFloatTests);

end.
