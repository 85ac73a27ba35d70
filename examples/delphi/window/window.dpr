// A window that uploads files: choose them, watch them, pause, go on, cancel.
//
//     window [URL [FILE...]]
//
// Delphi: open it, and put resup.dll beside the program.
program window;

uses
  Forms,
  Resup.Api in '..\..\..\bindings\delphi\src\Resup.Api.pas',
  Resup.Types in '..\..\..\bindings\delphi\src\Resup.Types.pas',
  Resup.Callbacks in '..\..\..\bindings\delphi\src\Resup.Callbacks.pas',
  Resup.Run in '..\..\..\bindings\delphi\src\Resup.Run.pas',
  Resup.Remote in '..\..\..\bindings\delphi\src\Resup.Remote.pas',
  Resup.Client in '..\..\..\bindings\delphi\src\Resup.Client.pas',
  Resup.Upload in '..\..\..\bindings\delphi\src\Resup.Upload.pas',
  Resup.Settings in '..\..\..\bindings\delphi\src\Resup.Settings.pas',
  Resup.Uploader in '..\..\..\bindings\delphi\src\Resup.Uploader.pas',
  Jobs in 'Jobs.pas',
  MainForm in 'MainForm.pas' {MainWindow};

begin
  Application.Initialize;
  Application.Title := 'Uploads';
  Application.CreateForm(TMainWindow, MainWindow);
  Application.Run;
end.
