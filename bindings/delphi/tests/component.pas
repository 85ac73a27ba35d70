/// The tests of the component, which needs the LCL for its timer.
program component;

{$MODE DELPHI}

uses
  {$IFDEF UNIX}
  cthreads,
  {$ENDIF}
  Interfaces, Forms, Runner, ComponentTests, EventTests, FormTests;

begin
  Application.Initialize;
  RunAll;
end.
