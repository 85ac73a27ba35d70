// The window: a list of files, each with its uploader.
//
// The same source for Lazarus (MainForm.lfm) and for Delphi's VCL (MainForm.dfm).
unit MainForm;

{$IFDEF FPC}{$MODE DELPHI}{$ENDIF}

interface

uses
  SysUtils, Classes, Types, Graphics, Controls, Forms, Dialogs, Grids, StdCtrls, ExtCtrls, ComCtrls, Resup,
  Resup.Uploader;

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
    procedure Add(const FileName: string);
    procedure StartNext;
    procedure Complete(Sender: TObject; Error: EResupError);
    procedure Logged(Sender: TObject; Level: TResupLogLevel; const Line: TResupText);
    procedure Entered(Sender: TObject; State: TResupState);
    procedure Note(const Line: string);
    procedure Offer;
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
  STATES: array[TResupState] of string = ('ready', 'ready', 'reading', 'asking', 'sending', 'verifying', 'broken, waiting',
    'paused', 'complete', 'failed', 'cancelled');

type
  TJob = class
    Uploader: TResumableUploader;
    FileSize: Int64;
    Waiting: Boolean;
    Error: string;
    destructor Destroy; override;
    function Complete: Boolean;
    function Word: string;
    function Done: Double;
  end;

destructor TJob.Destroy;
begin
  Uploader.Free;
  inherited Destroy;
end;

function TJob.Complete: Boolean;
begin
  Result := Uploader.State = rsComplete;
end;

function TJob.Word: string;
begin
  if Waiting then
    Result := 'waits its turn'
  else if Error <> '' then
    Result := 'failed'
  else
    Result := STATES[Uploader.State];
end;

function TJob.Done: Double;
begin
  if Complete then
    Result := 1
  else if Uploader.Size > 0 then
    Result := Uploader.Position / Uploader.Size
  else
    Result := 0;
end;

function Bytes(Count: Double): string;
begin
  if Count < 1e3 then
    Result := Format('%.0f B', [Count])
  else if Count < 1e6 then
    Result := Format('%.1f kB', [Count / 1e3])
  else if Count < 1e9 then
    Result := Format('%.1f MB', [Count / 1e6])
  else
    Result := Format('%.2f GB', [Count / 1e9]);
end;

function Duration(Milliseconds: Int64): string;
var
  Seconds: Int64;
begin
  Seconds := (Milliseconds + 999) div 1000;
  if Seconds < 3600 then
    Result := Format('%d:%.2d', [Seconds div 60, Seconds mod 60])
  else
    Result := Format('%d:%.2d:%.2d', [Seconds div 3600, Seconds div 60 mod 60, Seconds mod 60]);
end;

// So many pixels of a screen of 96 per inch, on this one.
function OnScreen(Pixels: Integer): Integer;
begin
  Result := Pixels * Screen.PixelsPerInch div 96;
end;

function BytesOf(const FileName: string): Int64;
var
  Found: TSearchRec;
begin
  Result := 0;
  if FindFirst(FileName, faAnyFile, Found) = 0 then
  begin
    {$IFDEF FPC}
    Result := Found.Size;
    {$ELSE}
    // Size has 32 bits in Delphi 7.
    Result := Int64(Found.FindData.nFileSizeHigh) shl 32 or Found.FindData.nFileSizeLow;
    {$ENDIF}
    FindClose(Found);
  end;
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
  Offer;
end;

procedure TMainWindow.FormDestroy(Sender: TObject);
var
  I: Integer;
begin
  // Those under way are cancelled; the server keeps what it has.
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
  Job.FileSize := BytesOf(FileName);
  Job.Uploader := TResumableUploader.Create(nil);
  Job.Uploader.FileName := FileName;
  Job.Uploader.Tag := FJobs.Count;
  Job.Uploader.OnComplete := Complete;
  Job.Uploader.OnState := Entered;
  Job.Uploader.OnLog := Logged;
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
  Offer;
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
          Note(E.Message);
        end;
      end;
    end;
  end;
  Offer;
end;

procedure TMainWindow.Complete(Sender: TObject; Error: EResupError);
var
  I: Integer;
begin
  for I := 0 to FJobs.Count - 1 do
    if TJob(FJobs[I]).Uploader = Sender then
      if (Error <> nil) and not (Error is EResupCancelled) then
        TJob(FJobs[I]).Error := Error.Message;
  StartNext;
end;

procedure TMainWindow.Entered(Sender: TObject; State: TResupState);
begin
  Files.Invalidate;
end;

procedure TMainWindow.Logged(Sender: TObject; Level: TResupLogLevel; const Line: TResupText);
var
  Name: string;
begin
  Name := ExtractFileName(TResumableUploader(Sender).FileName) + ': ';
  // Some lines have it.
  if Pos(Name, Line) = 1 then
    Name := '';
  Note(Name + Line);
end;

procedure TMainWindow.Note(const Line: string);
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
  Offer;
end;

procedure TMainWindow.RemoveButtonClick(Sender: TObject);
begin
  TJob(FJobs[Files.Row - 1]).Free;
  FJobs.Delete(Files.Row - 1);
  if FJobs.Count > 0 then
    Files.RowCount := FJobs.Count + 1;
  StartNext;
  Files.Invalidate;
end;

procedure TMainWindow.FilesClick(Sender: TObject);
begin
  Offer;
end;

// Which buttons make sense for what is chosen; and the sums.
procedure TMainWindow.Offer;
var
  I, Ends: Integer;
  Chosen, Job: TJob;
  Sent, All, Rate: Double;
  Startable: Boolean;
begin
  Chosen := nil;
  if (Files.Row >= 1) and (Files.Row <= FJobs.Count) then
    Chosen := TJob(FJobs[Files.Row - 1]);
  Startable := False;
  Sent := 0;
  All := 0;
  Rate := 0;
  Ends := 0;
  for I := 0 to FJobs.Count - 1 do
  begin
    Job := TJob(FJobs[I]);
    Startable := Startable or not (Job.Uploader.Active or Job.Waiting or Job.Complete);
    Sent := Sent + Job.Done * Job.FileSize;
    All := All + Job.FileSize;
    Inc(Ends, Ord(Job.Complete));
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
    Status.SimpleText := Format('%d of %d complete    %s of %s    %s/s', [Ends, FJobs.Count, Bytes(Sent), Bytes(All),
      Bytes(Rate)]);
end;

procedure TMainWindow.RefresherTimer(Sender: TObject);
begin
  Files.Invalidate;
  Offer;
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
      1: Text := Bytes(Job.FileSize);
      2:
        begin
          Color := TColor($BE6F2F);
          if Job.Complete then
            Color := TColor($578B2E)
          else if (Job.Error <> '') or (Job.Uploader.State = rsCancelled) then
            Color := TColor($3C3CB0)
          else if Job.Uploader.State in [rsPaused, rsWaiting] then
            Color := TColor($147DBE);
          DrawBar(Rect, Job.Done, Color, Format('%.1f %%', [100 * Job.Done]));
        end;
      3:
        if Job.Uploader.State = rsSending then
          Text := Bytes(Job.Uploader.Rate) + '/s';
      4:
        if (Job.Uploader.State = rsSending) and (Job.Uploader.TimeLeft >= 0) then
          Text := Duration(Job.Uploader.TimeLeft);
      5: Text := Job.Word;
    end
  else if (ARow = 1) and (ACol = 0) then
    Text := 'Add the files to upload.';
  if Text <> '' then
    Files.Canvas.TextRect(Rect, Rect.Left + OnScreen(MARGIN),
      (Rect.Top + Rect.Bottom - Files.Canvas.TextHeight(Text)) div 2, Text);
end;

end.
