/// The processor's floating-point exceptions.
unit FloatTests;

{$MODE DELPHI}

interface

uses
  Math, Support, testregistry, Resup;

type
  TFloatTests = class(TBehaviour)
  private
    Mask: TFPUExceptionMask;
    Told: Integer;
    procedure NoteMask(Upload: TResupUpload; State: TResupState);
  published
    procedure TheHostsFloatingPointStaysItsOwn;
  end;

implementation

procedure TFloatTests.NoteMask(Upload: TResupUpload; State: TResupState);
begin
  Mask := Mask + GetExceptionMask;
  Inc(Told);
end;

// Delphi and Free Pascal have the processor raise what C and Rust take for granted not to be raised.
procedure TFloatTests.TheHostsFloatingPointStaysItsOwn;
var
  Before: TFPUExceptionMask;
  Upload: TResupUpload;
begin
  Upload := TResupUpload.Create(Client, Made('unmasked', 2000000));
  Before := SetExceptionMask([]);
  try
    Upload.RateLimit := 4000000;
    Upload.OnState := NoteMask;
    Mask := [];
    Upload.Execute;
    CheckTrue(GetExceptionMask = []);
    CheckTrue(Mask = [], 'an event sees another mask than the program''s');
    CheckTrue(Told > 0);
  finally
    SetExceptionMask(Before);
    Upload.Free;
  end;
end;

initialization
  RegisterTest(TFloatTests);

end.
