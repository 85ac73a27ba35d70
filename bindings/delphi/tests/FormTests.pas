/// The component's published properties: their defaults, and what a form keeps of them.
unit FormTests;

{$MODE DELPHI}

interface

uses
  Classes, SysUtils, Forms, Support, Defaults, testregistry, Resup.Api, Resup.Types, Resup.Uploader;

type
  TFormTests = class(TBehaviour)
  private
    Ends, EndCode: Integer;
    procedure NoteEnd(Sender: TObject; AError: EResupError);
    procedure PumpToEnd(Count: Integer);
  published
    procedure DefaultsAreThoseOfTheHeader;
    procedure ItIsReadFromAForm;
    procedure SecretsAreNotStoredWithAForm;
  end;

implementation

procedure TFormTests.NoteEnd(Sender: TObject; AError: EResupError);
begin
  Inc(Ends);
  EndCode := RESUP_OK;
  if AError <> nil then
    EndCode := AError.Code;
end;

procedure TFormTests.PumpToEnd(Count: Integer);
begin
  while Ends < Count do
  begin
    Application.ProcessMessages;
    Sleep(1);
  end;
end;

procedure TFormTests.DefaultsAreThoseOfTheHeader;
var
  Uploader: TResumableUploader;
begin
  Uploader := TResumableUploader.Create(nil);
  try
    CheckEquals(DefaultOf('resup_client_set_retry_limit'), IntToStr(Uploader.RetryLimit));
    CheckEquals('yes', DefaultOf('resup_client_set_tls_verify'));
    CheckTrue(Uploader.TlsVerify);
    CheckEquals(DefaultConstant('RESUP_DIGEST_ONE_PASS'), Ord(Uploader.Digest));
    CheckEquals(DefaultConstant('RESUP_SEGMENT_UNLIMITED'), Uploader.SegmentSize);
    CheckEquals(DefaultOf('resup_upload_set_rate_limit'), IntToStr(Uploader.RateLimit));
    CheckTrue(Uploader.LogLevel = Client.LogLevel);
    CheckEquals(100, Uploader.Interval);
  finally
    Uploader.Free;
  end;
end;

type
  /// The component that a form's file is of.
  THolder = class(TComponent)
  public
  protected
    procedure GetChildren(Proc: TGetChildProc; Root: TComponent); override;
  end;

procedure THolder.GetChildren(Proc: TGetChildProc; Root: TComponent);
var
  I: Integer;
begin
  for I := 0 to ComponentCount - 1 do
    Proc(Components[I]);
end;

procedure TFormTests.ItIsReadFromAForm;
var
  Written, Read: THolder;
  Form: TMemoryStream;
  Original, Copy: TResumableUploader;
begin
  Form := TMemoryStream.Create;
  Written := THolder.Create(nil);
  Read := THolder.Create(nil);
  try
    Original := TResumableUploader.Create(Written);
    Original.Name := 'Uploader';
    Original.URL := Endpoint;
    Original.FileName := MakeFile('of a form', 1000);
    Original.Fields.Values['ticket'] := '4711';
    Original.Digest := rdFirst;
    Original.RateLimit := Int64(1) shl 40;
    Form.WriteComponent(Written);
    Form.Position := 0;
    Form.ReadComponent(Read);
    Copy := Read.FindComponent('Uploader') as TResumableUploader;
    CheckEquals(Endpoint, Copy.URL);
    CheckEquals(Original.FileName, Copy.FileName);
    CheckEquals('4711', Copy.Fields.Values['ticket']);
    CheckTrue(Copy.Digest = rdFirst);
    CheckTrue(Copy.RateLimit = Int64(1) shl 40);
    CheckFalse(Copy.Active);
    CheckEquals(100, Copy.Interval);
    Copy.OnComplete := NoteEnd;
    Copy.Active := True;
    PumpToEnd(1);
    CheckEquals(RESUP_OK, EndCode);
  finally
    Read.Free;
    Written.Free;
    Form.Free;
  end;
end;

procedure TFormTests.SecretsAreNotStoredWithAForm;
var
  Form: TMemoryStream;
  Uploader: TResumableUploader;
  Stored: RawByteString;
begin
  Form := TMemoryStream.Create;
  Uploader := TResumableUploader.Create(nil);
  try
    Uploader.Directory := 'a directory';
    Uploader.SetBasicAuth('joe', 'hunter2');
    Uploader.SetBearerToken('t0ken');
    Form.WriteComponent(Uploader);
    SetString(Stored, PAnsiChar(Form.Memory), Form.Size);
    CheckTrue(Pos('a directory', Stored) > 0, 'nothing was stored');
    CheckEquals(0, Pos('hunter2', Stored));
    CheckEquals(0, Pos('t0ken', Stored));
  finally
    Uploader.Free;
    Form.Free;
  end;
end;

initialization
  RegisterClasses([TResumableUploader]);
  RegisterTest(TFormTests);

end.
