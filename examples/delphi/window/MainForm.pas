// The window: a list of files, each with its uploader.
//
// The same source for Lazarus (MainForm.lfm) and for Delphi's VCL (MainForm.dfm).
unit MainForm;

{$IFDEF FPC}{$MODE DELPHI}{$ENDIF}

interface

uses
  SysUtils, Classes, Types, Graphics, Controls, Forms, Dialogs, Grids, StdCtrls, ExtCtrls, ComCtrls,
  Resup.Types, Resup.Uploader, Jobs;

type
  TMainWindow = class(TForm)
    Top: TPanel;
    ServerLabel: TLabel;
    Server: TEdit;
    AddButton: TButton;
    UploadButton: TButton;
    PauseButton: TButton;
    CancelButton: TButton;
    RemoveButton: TButton;
    Files: TDrawGrid;
    Log: TMemo;
    Status: TStatusBar;
    Chooser: TOpenDialog;
    Refresher: TTimer;
    procedure FormCreate(Sender: TObject);
    procedure FormDestroy(Sender: TObject);
    procedure FormResize(Sender: TObject);
    procedure AddButtonClick(Sender: TObject);
    procedure UploadButtonClick(Sender: TObject);
    procedure PauseButtonClick(Sender: TObject);
    procedure CancelButtonClick(Sender: TObject);
    procedure RemoveButtonClick(Sender: TObject);
    procedure FilesDrawCell(Sender: TObject; ACol, ARow: Integer; Rect: TRect; State: TGridDrawState);
    procedure FilesClick(Sender: TObject);
    procedure RefresherTimer(Sender: TObject);
  private
    FJobs: TList;
    // Complete files that were removed from the list: they count until it is empty.
    FRemoved: TTotals;
    procedure Add(const FileName: string);
    procedure StartNext;
    procedure Finish(Sender: TObject; AError: EResupError);
    procedure ShowLog(Sender: TObject; ALevel: TResupLogLevel; const ALine: TResupText);
    procedure ShowState(Sender: TObject; AState: TResupState);
    procedure AddToLog(const Line: string);
    procedure UpdateButtons;
    procedure DrawBar(Rect: TRect; Done: Double; Color: TColor; const Text: string);
  end;

var
  MainWindow: TMainWindow;

implementation

{$IFDEF FPC}
{$R *.lfm}
{$ELSE}
{$R *.dfm}
{$ENDIF}

const
  // Uploads at once; the others wait for their turn.
  MOST_AT_ONCE = 3;
  COLUMNS: array[0..5] of string = ('File', 'Size', 'Progress', 'Rate', 'Time left', 'State');
  // On a screen of 96 pixels per inch.
  ROW_HEIGHT = 28;
  MARGIN = 6;
  WIDTHS: array[1..5] of Integer = (80, 170, 85, 80, 120);

// So many pixels of a screen of 96 per inch, on this one.
function OnScreen(Pixels: Integer): Integer;
begin
  Result := Pixels * Screen.PixelsPerInch div 96;
end;

procedure TMainWindow.FormCreate(Sender: TObject);
var
  I: Integer;
begin
  FJobs := TList.Create;
  if ParamCount > 0 then
    Server.Text := ParamStr(1);
  for I := 2 to ParamCount do
    Add(ParamStr(I));
  UpdateButtons;
end;

procedure TMainWindow.FormDestroy(Sender: TObject);
var
  I: Integer;
begin
  // Those that run are cancelled; the server keeps what it has.
  for I := 0 to FJobs.Count - 1 do
    TJob(FJobs[I]).Free;
  FJobs.Free;
end;

procedure TMainWindow.FormResize(Sender: TObject);
var
  I, Rest: Integer;
begin
  // Here, since some versions of the VCL and the LCL have scaled it themselves by now, and some have not.
  Files.DefaultRowHeight := OnScreen(ROW_HEIGHT);
  // The VCL has the lines between columns beside them; the LCL shows a scroll bar early.
  Rest := Files.ClientWidth {$IFDEF FPC}- 7{$ELSE}- Length(COLUMNS) * Files.GridLineWidth{$ENDIF};
  for I := 1 to High(WIDTHS) do
  begin
    Files.ColWidths[I] := OnScreen(WIDTHS[I]);
    Dec(Rest, OnScreen(WIDTHS[I]));
  end;
  if Rest < OnScreen(100) then
    Rest := OnScreen(100);
  Files.ColWidths[0] := Rest;
end;

procedure TMainWindow.Add(const FileName: string);
var
  Job: TJob;
begin
  Job := TJob.Create;
  FJobs.Add(Job);
  Job.FileSize := FileSizeOf(FileName);
  Job.Uploader := TResumableUploader.Create(nil);
  Job.Uploader.FileName := FileName;
  Job.Uploader.Tag := FJobs.Count;
  Job.Uploader.OnComplete := Finish;
  Job.Uploader.OnState := ShowState;
  Job.Uploader.OnLog := ShowLog;
  if FJobs.Count >= Files.RowCount then
    Files.RowCount := FJobs.Count + 1;
  Files.Invalidate;
end;

procedure TMainWindow.AddButtonClick(Sender: TObject);
var
  I: Integer;
begin
  if Chooser.Execute then
    for I := 0 to Chooser.Files.Count - 1 do
      Add(Chooser.Files[I]);
  UpdateButtons;
end;

procedure TMainWindow.UploadButtonClick(Sender: TObject);
var
  I: Integer;
begin
  for I := 0 to FJobs.Count - 1 do
    with TJob(FJobs[I]) do
      if not Uploader.Active and not Complete then
      begin
        Waiting := True;
        Error := '';
      end;
  StartNext;
end;

procedure TMainWindow.StartNext;
var
  I, Active: Integer;
  Job: TJob;
begin
  Active := 0;
  for I := 0 to FJobs.Count - 1 do
    Inc(Active, Ord(TJob(FJobs[I]).Uploader.Active));
  for I := 0 to FJobs.Count - 1 do
  begin
    Job := TJob(FJobs[I]);
    if Job.Waiting and (Active < MOST_AT_ONCE) then
    begin
      Job.Waiting := False;
      Job.Uploader.URL := Server.Text;
      try
        Job.Uploader.Active := True;
        Inc(Active);
      except
        on E: Exception do
        begin
          Job.Error := E.Message;
          AddToLog(E.Message);
        end;
      end;
    end;
  end;
  UpdateButtons;
end;

procedure TMainWindow.Finish(Sender: TObject; AError: EResupError);
var
  I: Integer;
begin
  for I := 0 to FJobs.Count - 1 do
    if TJob(FJobs[I]).Uploader = Sender then
      if (AError <> nil) and not (AError is EResupCancelled) then
        TJob(FJobs[I]).Error := AError.Message;
  StartNext;
end;

procedure TMainWindow.ShowState(Sender: TObject; AState: TResupState);
begin
  Files.Invalidate;
end;

procedure TMainWindow.ShowLog(Sender: TObject; ALevel: TResupLogLevel; const ALine: TResupText);
var
  Name: string;
begin
  Name := ExtractFileName((Sender as TResumableUploader).FileName) + ': ';
  // Some lines begin with it already.
  if Pos(Name, ALine) = 1 then
    Name := '';
  AddToLog(Name + ALine);
end;

procedure TMainWindow.AddToLog(const Line: string);
begin
  Log.Lines.Add(FormatDateTime('hh:nn:ss  ', Now) + Line);
end;

// The job that is chosen, in the Row of the grid.
procedure TMainWindow.PauseButtonClick(Sender: TObject);
begin
  with TJob(FJobs[Files.Row - 1]).Uploader do
    Paused := not Paused;
end;

procedure TMainWindow.CancelButtonClick(Sender: TObject);
begin
  with TJob(FJobs[Files.Row - 1]) do
  begin
    Waiting := False;
    Uploader.Cancel;
  end;
  UpdateButtons;
end;

procedure TMainWindow.RemoveButtonClick(Sender: TObject);
var
  Job: TJob;
begin
  Job := TJob(FJobs[Files.Row - 1]);
  if Job.Complete then
    Job.AddTo(FRemoved);
  Job.Free;
  FJobs.Delete(Files.Row - 1);
  if FJobs.Count > 0 then
    Files.RowCount := FJobs.Count + 1
  else
    FillChar(FRemoved, SizeOf(FRemoved), 0);
  StartNext;
  Files.Invalidate;
end;

procedure TMainWindow.FilesClick(Sender: TObject);
begin
  UpdateButtons;
end;

// Which buttons make sense for what is chosen; and the sums.
procedure TMainWindow.UpdateButtons;
var
  I: Integer;
  Chosen, Job: TJob;
  Totals: TTotals;
  Rate: Double;
  Startable: Boolean;
begin
  Chosen := nil;
  if (Files.Row >= 1) and (Files.Row <= FJobs.Count) then
    Chosen := TJob(FJobs[Files.Row - 1]);
  Startable := False;
  Totals := FRemoved;
  Rate := 0;
  for I := 0 to FJobs.Count - 1 do
  begin
    Job := TJob(FJobs[I]);
    Startable := Startable or not (Job.Uploader.Active or Job.Waiting or Job.Complete);
    Job.AddTo(Totals);
    if Job.Uploader.Active then
      Rate := Rate + Job.Uploader.Rate;
  end;
  UploadButton.Enabled := Startable;
  PauseButton.Enabled := (Chosen <> nil) and Chosen.Uploader.Active;
  CancelButton.Enabled := (Chosen <> nil) and (Chosen.Uploader.Active or Chosen.Waiting);
  RemoveButton.Enabled := (Chosen <> nil) and not Chosen.Uploader.Active;
  if (Chosen <> nil) and Chosen.Uploader.Paused then
    PauseButton.Caption := '&Resume'
  else
    PauseButton.Caption := '&Pause';
  if FJobs.Count = 0 then
    Status.SimpleText := 'No files yet'
  else
    Status.SimpleText := Format('%d of %d complete    %s of %s    %s/s', [Totals.Complete, Totals.Files,
      BytesText(Totals.Done), BytesText(Totals.Size), BytesText(Rate)]);
end;

procedure TMainWindow.RefresherTimer(Sender: TObject);
begin
  Files.Invalidate;
  UpdateButtons;
end;

procedure TMainWindow.DrawBar(Rect: TRect; Done: Double; Color: TColor; const Text: string);
var
  Bar: TRect;
begin
  Inc(Rect.Left, OnScreen(MARGIN));
  Inc(Rect.Top, OnScreen(MARGIN - 1));
  Dec(Rect.Right, OnScreen(MARGIN));
  Dec(Rect.Bottom, OnScreen(MARGIN - 1));
  Files.Canvas.Brush.Color := TColor($ECE6E2);
  Files.Canvas.FillRect(Rect);
  Bar := Rect;
  Bar.Right := Rect.Left + Round((Rect.Right - Rect.Left) * Done);
  Files.Canvas.Brush.Color := Color;
  Files.Canvas.FillRect(Bar);
  Files.Canvas.Brush.Style := bsClear;
  Files.Canvas.Font.Color := clBlack;
  if Done > 0.55 then
    Files.Canvas.Font.Color := clWhite;
  Files.Canvas.TextOut((Rect.Left + Rect.Right - Files.Canvas.TextWidth(Text)) div 2,
    (Rect.Top + Rect.Bottom - Files.Canvas.TextHeight(Text)) div 2, Text);
  Files.Canvas.Brush.Style := bsSolid;
end;

procedure TMainWindow.FilesDrawCell(Sender: TObject; ACol, ARow: Integer; Rect: TRect; State: TGridDrawState);
var
  Job: TJob;
  Text: string;
  Color: TColor;
begin
  Job := nil;
  if (ARow >= 1) and (ARow <= FJobs.Count) then
    Job := TJob(FJobs[ARow - 1]);
  with Files.Canvas do
  begin
    Font.Color := clWindowText;
    Brush.Color := clWindow;
    if ARow = 0 then
      Brush.Color := clBtnFace
    else if (gdSelected in State) and (Job <> nil) then
      Brush.Color := TColor($FAEBDD);
    FillRect(Rect);
  end;
  Text := '';
  if ARow = 0 then
    Text := COLUMNS[ACol]
  else if Job <> nil then
    case ACol of
      0: Text := ExtractFileName(Job.Uploader.FileName);
      1: Text := BytesText(Job.FileSize);
      2:
        begin
          Color := TColor($BE6F2F);
          if Job.Complete then
            Color := TColor($578B2E)
          else if (Job.Error <> '') or (Job.Uploader.State = rsCancelled) then
            Color := TColor($3C3CB0)
          else if Job.Uploader.State in [rsPaused, rsWaiting] then
            Color := TColor($147DBE);
          DrawBar(Rect, Job.DonePart, Color, Format('%.1f %%', [100 * Job.DonePart]));
        end;
      3:
        if Job.Uploader.State = rsSending then
          Text := BytesText(Job.Uploader.Rate) + '/s';
      4:
        if (Job.Uploader.State = rsSending) and (Job.Uploader.TimeLeft >= 0) then
          Text := DurationText(Job.Uploader.TimeLeft);
      5: Text := Job.StateText;
    end
  else if (ARow = 1) and (ACol = 0) then
    Text := 'Add the files to upload.';
  if Text <> '' then
    Files.Canvas.TextRect(Rect, Rect.Left + OnScreen(MARGIN),
      (Rect.Top + Rect.Bottom - Files.Canvas.TextHeight(Text)) div 2, Text);
end;

end.
