// Uploads files one after the other, and shows how far each is.
//
//     upload URL FILE...
//
// Run it again after it was interrupted, in whatever way: it goes on from what the server has. Results go to standard
// output, one line for each file, numbers to standard error.
//
// Delphi: open it, and put resup.dll beside the program. Free Pascal, at the top of the tree, after `make`:
//     fpc -Mdelphi -Fubindings/delphi/src -FEtarget/release examples/delphi/upload.dpr
program upload;

{$APPTYPE CONSOLE}

uses
  {$IFDEF FPC}{$IFDEF WINDOWS}
  Windows,
  {$ENDIF}{$ENDIF}
  SysUtils,
  Resup.Api in '..\..\bindings\delphi\src\Resup.Api.pas',
  Resup.Types in '..\..\bindings\delphi\src\Resup.Types.pas',
  Resup.Callbacks in '..\..\bindings\delphi\src\Resup.Callbacks.pas',
  Resup.Run in '..\..\bindings\delphi\src\Resup.Run.pas',
  Resup.Remote in '..\..\bindings\delphi\src\Resup.Remote.pas',
  Resup.Client in '..\..\bindings\delphi\src\Resup.Client.pas',
  Resup.Upload in '..\..\bindings\delphi\src\Resup.Upload.pas';

{$IFDEF FPC}{$IFDEF WINDOWS}
function CommandLineToArgvW(Line: PWideChar; out Count: Integer): PPWideChar; stdcall; external 'shell32.dll';

// In all characters: Free Pascal's own knows those of one code page, as do the Delphis before 2009.
function ParamStr(Index: Integer): string;
var
  Arguments: PPWideChar;
  Count: Integer;
begin
  Arguments := CommandLineToArgvW(GetCommandLineW, Count);
  Result := UTF8Encode(UnicodeString(Arguments[Index]));
  LocalFree(HLOCAL(Arguments));
end;
{$ENDIF}{$ENDIF}

type
  TShow = class
    procedure Progress(Sender: TObject; APosition, ASize: Int64);
    procedure State(Sender: TObject; AState: TResupState);
  end;

procedure TShow.Progress(Sender: TObject; APosition, ASize: Int64);
begin
  if ASize > 0 then
    Write(ErrOutput, Format(#13'%5.1f %%  %.1f MB/s  ', [100.0 * APosition / ASize,
      (Sender as TResupUpload).Rate / 1e6]));
end;

procedure TShow.State(Sender: TObject; AState: TResupState);
begin
  if AState = rsWaiting then
    with Sender as TResupUpload do
      WriteLn(ErrOutput, Format(#13'%s; next attempt in %.1f s', [ErrorMessage, RetryIn / 1000]));
end;

const
  DigestNames: array[TResupDigestAlgorithm] of string = ('none', 'blake3', 'sha256', 'md5');

function Uploaded(Client: TResupClient; const FileName: string; Show: TShow): Boolean;
var
  Upload: TResupUpload;
begin
  Result := False;
  try
    Upload := TResupUpload.Create(Client, FileName);
    try
      Upload.OnProgress := Show.Progress;
      Upload.OnState := Show.State;
      // A server of tus takes the file, too. For another run of this program to go on there, one line more:
      // Upload.StateFile := FileName + '.state';
      Upload.Execute;
      WriteLn(FileName, ': complete, ', Upload.BytesSkipped, ' bytes were there before, id=', Upload.Id, ', ',
        DigestNames[Upload.DigestUsed], ':', Upload.DigestValue);
      Result := True;
    finally
      Upload.Free;
    end;
  except
    on E: EResupError do
      WriteLn(FileName, ': ', E.Message);
  end;
end;

procedure UploadAll;
var
  Client: TResupClient;
  Show: TShow;
  I: Integer;
begin
  Show := TShow.Create;
  try
    Client := TResupClient.Create(ParamStr(1));
    try
      for I := 2 to ParamCount do
        if not Uploaded(Client, ParamStr(I), Show) then
          ExitCode := 1;
    finally
      Client.Free;
    end;
  finally
    Show.Free;
  end;
end;

begin
  {$IFDEF FPC}{$IFDEF WINDOWS}
  SetMultiByteConversionCodePage(CP_UTF8); // Else names hold one code page.
  {$ENDIF}{$ENDIF}
  try
    if ParamCount < 2 then
    begin
      WriteLn(ErrOutput, 'usage: upload URL FILE...');
      ExitCode := 2;
    end
    else
      UploadAll;
  except
    on E: Exception do
    begin
      WriteLn(ErrOutput, E.Message);
      ExitCode := 2;
    end;
  end;
end.
