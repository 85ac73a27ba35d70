// A window that uploads files: choose them, watch them, pause, go on, cancel.
//
//     window [URL [FILE...]]
//
// Lazarus: open window.lpi. The library, libresup.so.0.1 or resup.dll, lies beside the program.
program window;

{$MODE DELPHI}

uses
  {$IFDEF UNIX}
  cthreads,
  {$ENDIF}
  Interfaces, Forms, MainForm;

begin
  Application.Initialize;
  Application.Title := 'Uploads';
  Application.Scaled := True;
  Application.CreateForm(TMainWindow, MainWindow);
  Application.Run;
end.
