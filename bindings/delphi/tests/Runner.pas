/// Runs all tests of a program:  PROGRAM ENDPOINT FORBIDDEN CUTTING SECURE HUGE SIGNED PAGE LATEPAGE FOLDER
/// Support.pas says what these are.
unit Runner;

{$MODE DELPHI}

interface

/// Runs the registered tests, and writes which failed; the exit code says so, too.
procedure RunAll;

implementation

uses
  SysUtils, fpcunit, testregistry, Support;

const
  // What Windows has no code page for; not all programs can be given it.
  INNER = '文件夹 é 😀';

procedure Report(const What: string; Failed: TTestFailure);
begin
  WriteLn(What, ': ', Failed.AsString, ' (', Failed.LocationInfo, ')');
end;

procedure RunAll;
var
  Outcome: TTestResult;
  I: Integer;
begin
  {$IFDEF WINDOWS}
  SetMultiByteConversionCodePage(CP_UTF8);
  {$ENDIF}
  Endpoint := ParamStr(1);
  Forbidden := ParamStr(2);
  Cutting := ParamStr(3);
  Secure := ParamStr(4);
  Huge := ParamStr(5);
  Signed := ParamStr(6);
  Page := ParamStr(7);
  LatePage := ParamStr(8);
  Folder := ParamStr(9) + PathDelim + INNER;
  Outcome := TTestResult.Create;
  try
    GetTestRegistry.Run(Outcome);
    for I := 0 to Outcome.Failures.Count - 1 do
      Report('failure', TTestFailure(Outcome.Failures[I]));
    for I := 0 to Outcome.Errors.Count - 1 do
      Report('error', TTestFailure(Outcome.Errors[I]));
    WriteLn(Outcome.RunTests, ' tests, ', Outcome.NumberOfFailures + Outcome.NumberOfErrors, ' failed');
    ExitCode := Ord(not Outcome.WasSuccessful);
  finally
    Outcome.Free;
  end;
end;

end.
