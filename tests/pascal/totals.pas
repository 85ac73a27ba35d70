// Prints what the status line of examples/delphi/window says: while files are uploaded, are removed from the list, are
// cancelled and begin again.
//
//     totals URL SMALL OTHER LARGE
program totals;

{$MODE DELPHI}

uses
  cthreads, Interfaces, SysUtils, Forms, MainForm;

function Said: string;
begin
  Application.ProcessMessages;
  Sleep(5);
  MainWindow.RefresherTimer(nil);
  Result := MainWindow.Status.SimpleText;
end;

procedure Choose(Row: Integer);
begin
  MainWindow.Files.Row := Row;
  MainWindow.FilesClick(nil);
end;

procedure CancelChosen;
begin
  MainWindow.CancelButtonClick(nil);
  while not MainWindow.RemoveButton.Enabled do
    Said;
end;

begin
  Application.Initialize;
  Application.CreateForm(TMainWindow, MainWindow);
  MainWindow.Show;
  MainWindow.UploadButtonClick(nil);
  while Pos('2 of 3 complete', Said) = 0 do
    ;
  Choose(1);
  MainWindow.RemoveButtonClick(nil);
  WriteLn('removed: ', Said);
  while Pos('complete    4.', Said) > 0 do
    ;
  Choose(2);
  CancelChosen;
  MainWindow.UploadButtonClick(nil);
  WriteLn('again: ', MainWindow.Status.SimpleText);
  CancelChosen;
  MainWindow.RemoveButtonClick(nil);
  Choose(1);
  WriteLn('finished: ', Said);
  MainWindow.RemoveButtonClick(nil);
  WriteLn('empty: ', Said);
end.
