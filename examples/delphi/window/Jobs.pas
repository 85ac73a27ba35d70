// A file of the window's list, and how its numbers read.
unit Jobs;

{$IFDEF FPC}{$MODE DELPHI}{$ENDIF}

interface

uses
  SysUtils, Resup.Types, Resup.Uploader;

type
  // The sums of files.
  TTotals = record
    Files, Complete: Integer;
    // In bytes.
    Size, Done: Double;
  end;

  // A file with its uploader.
  TJob = class
  private
    FDonePart: Double;
  public
    Uploader: TResumableUploader;
    FileSize: Int64;
    // Whether it waits until fewer uploads are active.
    Waiting: Boolean;
    Error: string;
    destructor Destroy; override;
    function Complete: Boolean;
    function StateText: string;
    // From 0 to 1. A new attempt begins where the last one was, until the server has told what it has.
    function DonePart: Double;
    procedure AddTo(var Totals: TTotals);
  end;

function FileSizeOf(const AFileName: string): Int64;
function BytesText(ACount: Double): string;
function DurationText(AMilliseconds: Int64): string;

implementation

const
  STATES: array[TResupState] of string = ('ready', 'ready', 'reading', 'asking', 'sending', 'verifying',
    'waiting to retry', 'paused', 'complete', 'failed', 'cancelled');

destructor TJob.Destroy;
begin
  Uploader.Free;
  inherited Destroy;
end;

function TJob.Complete: Boolean;
begin
  Result := Uploader.State = rsComplete;
end;

function TJob.StateText: string;
begin
  if Waiting then
    Result := 'waits its turn'
  else if Error <> '' then
    Result := 'failed'
  else if Uploader.State = rsWaiting then
    Result := 'waiting to retry: ' + Uploader.Upload.ErrorMessage
  else
    Result := STATES[Uploader.State];
end;

function TJob.DonePart: Double;
begin
  if Complete then
    FDonePart := 1
  else if Uploader.Position > 0 then
    FDonePart := Uploader.Position / Uploader.Size;
  Result := FDonePart;
end;

procedure TJob.AddTo(var Totals: TTotals);
begin
  Inc(Totals.Files);
  Inc(Totals.Complete, Ord(Complete));
  Totals.Size := Totals.Size + FileSize;
  Totals.Done := Totals.Done + DonePart * FileSize;
end;

function BytesText(ACount: Double): string;
begin
  if ACount < 1e3 then
    Result := Format('%.0f B', [ACount])
  else if ACount < 1e6 then
    Result := Format('%.1f kB', [ACount / 1e3])
  else if ACount < 1e9 then
    Result := Format('%.1f MB', [ACount / 1e6])
  else
    Result := Format('%.2f GB', [ACount / 1e9]);
end;

function DurationText(AMilliseconds: Int64): string;
var
  Seconds: Int64;
begin
  Seconds := (AMilliseconds + 999) div 1000;
  if Seconds < 3600 then
    Result := Format('%d:%.2d', [Seconds div 60, Seconds mod 60])
  else
    Result := Format('%d:%.2d:%.2d', [Seconds div 3600, Seconds div 60 mod 60, Seconds mod 60]);
end;

function FileSizeOf(const AFileName: string): Int64;
var
  Found: TSearchRec;
begin
  Result := 0;
  if FindFirst(AFileName, faAnyFile, Found) = 0 then
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

end.
