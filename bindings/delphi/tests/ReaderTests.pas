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
  Pipe := TPipe.Create(MakeFile('piped', 1234567));
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
    NoteStored(Upload, 'piped');
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
  Pipe := TPipe.Create(MakeFile('refused', 1));
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
