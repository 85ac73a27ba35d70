/// The tests of the C ABI and of the classes.
program behaviour;

{$MODE DELPHI}

uses
  {$IFDEF UNIX}
  cthreads,
  {$ENDIF}
  Runner, ApiTests, DefaultTests, SettingTests, RunTests, OwnRunTests, ErrorTests, MistakeTests, RaiseTests, ReaderTests, FloatTests;

begin
  RunAll;
end.
