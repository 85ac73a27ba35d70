/// Streams that are read once, whose size only their end tells.
unit ReaderTests;

{$MODE DELPHI}

interface

uses
  Classes, SysUtils, Support, testregistry, Resup.Api, Resup.Types, Resup.Client, Resup.Upload;

type
  TReaderTests = class(TBehaviour)
  private
    WasUnknown: Boolean;
    procedure NoteSize(Sender: TObject; AState: TResupState);
  published
    procedure AStreamWithoutASizeIsUploaded;
    procedure AProtocolThatNeedsTheSizeIsRefused;
  end;

implementation

type
  /// A stream that is read forward only.
  TPipe = class(TStream)
  private
    FLeft: Integer;
  public
    function Read(var Buffer; Count: LongInt): LongInt; override;
    function Seek(const Offset: Int64; Origin: TSeekOrigin): Int64; override;
  end;

function TPipe.Read(var Buffer; Count: LongInt): LongInt;
begin
  Result := Count;
  if Result > FLeft then
    Result := FLeft;
  if Result > 10007 then
    Result := 10007;
  FillChar(Buffer, Result, 'x');
  Dec(FLeft, Result);
end;

function TPipe.Seek(const Offset: Int64; Origin: TSeekOrigin): Int64;
begin
  Result := 0;
  raise Exception.Create('a pipe does not seek');
end;

procedure TReaderTests.NoteSize(Sender: TObject; AState: TResupState);
begin
  if TResupUpload(Sender).Size = ResupSizeUnknown then
    WasUnknown := True;
end;

procedure TReaderTests.AStreamWithoutASizeIsUploaded;
var
  Pipe: TPipe;
  Upload: TResupUpload;
begin
  Pipe := TPipe.Create;
  Pipe.FLeft := 1234567;
  Upload := TResupUpload.CreateFromReader(Client, 'piped', Pipe, True);
  try
    Upload.OnState := NoteSize;
    Upload.SegmentSize := 100000;
    Upload.Execute;
    CheckTrue(WasUnknown);
    CheckEquals(1234567, Upload.Size);
    CheckEquals(1234567, Upload.Offset);
    CheckEquals('tus', Upload.ProtocolUsed);
    CheckTrue(Upload.DigestValue <> '');
  finally
    Upload.Free;
  end;
end;

procedure TReaderTests.AProtocolThatNeedsTheSizeIsRefused;
var
  Pipe: TPipe;
  Upload: TResupUpload;
begin
  Client.Protocol := rpForm;
  Pipe := TPipe.Create;
  Upload := TResupUpload.CreateFromReader(Client, 'piped', Pipe);
  try
    try
      Upload.Execute;
      Fail('nothing was raised');
    except
      on E: EResupError do
        CheckEquals(RESUP_E_ARGUMENT, E.Code);
    end;
  finally
    Upload.Free;
    Pipe.Free;
  end;
end;

initialization
  RegisterTest(TReaderTests);

end.
