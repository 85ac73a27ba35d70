// A window that uploads files: choose them, watch them, pause, go on, cancel.
//
//     window [URL [FILE...]]
//
// Delphi: open it, and put resup.dll beside the program.
program window;

uses
  Forms,
  Resup.Api in '..\..\..\bindings\delphi\src\Resup.Api.pas',
  Resup in '..\..\..\bindings\delphi\src\Resup.pas',
  Resup.Uploader in '..\..\..\bindings\delphi\src\Resup.Uploader.pas',
  MainForm in 'MainForm.pas' {MainWindow};

begin
  Application.Initialize;
  Application.Title := 'Uploads';
  Application.CreateForm(TMainWindow, MainWindow);
  Application.Run;
end.
