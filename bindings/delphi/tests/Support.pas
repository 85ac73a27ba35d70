/// The servers that the tests get, and what all tests do.
unit Support;

{$MODE DELPHI}

interface

uses
  Classes, SysUtils, fpcunit, Resup.Types, Resup.Client, Resup.Upload;

var
  /// A receiver.
  Endpoint: string;
  /// A server that answers 403 with the message "not you".
  Forbidden: string;
  /// The receiver behind a network that cuts every other connection after 700000 bytes.
  Cutting: string;
  /// A server whose certificate is of a CA that nobody knows, ca.pem in the folder.
  Secure: string;
  /// A server that has all of the file huge in the folder but its end.
  Huge: string;
  /// A receiver that takes only forms signed with the text SECRET.
  Signed: string;
  /// A server that answers with an HTML page.
  Page: string;
  /// A server whose first response is of the protocol, and each later one an HTML page.
  LatePage: string;
  /// For files, one of each size.
  Folder: string;

const
  SECRET = 'Schlüssel 钥匙 😀';
  HUGE_SIZE = Int64(1) shl 32 + 3 shl 20 + 7;
  HUGE_REST = 1 shl 20;

type
  TBehaviour = class(TTestCase)
  protected
    Client: TResupClient;
    procedure SetUp; override;
    procedure TearDown; override;
    /// Fails where no EResupError with this code is under way.
    procedure CheckCode(Expected: Integer; Error: Exception);
  end;

  /// Tests that keep what the events report.
  TListeningTests = class(TBehaviour)
  protected
    States: set of TResupState;
    LastState: TResupState;
    LastPosition: Int64;
    Ends, EndStatus, LogLines: Integer;
    LogText: string;
    procedure SetUp; override;
    procedure NoteState(Sender: TObject; AState: TResupState);
    procedure NoteProgress(Sender: TObject; APosition, ASize: Int64);
    procedure NoteEnd(Sender: TObject; AStatus: Integer);
    procedure NoteLog(Sender: TObject; ALevel: TResupLogLevel; const ALine: TResupText);
    /// Sets the events of an upload, and returns it.
    function Listen(AUpload: TResupUpload): TResupUpload;
  end;

/// Makes a file of so many bytes, whose name and content depend on Name, and returns its path.
function MakeFile(const Name: string; Size: Integer): string;

/// Has the server's file of an upload compared with a file of the folder, once the program has ended.
procedure NoteStored(AUpload: TResupUpload; const AName: string);

type
  /// A stream that is read forward only, of a file.
  TPipe = class(TStream)
  private
    FFile: TFileStream;
  public
    constructor Create(const AFileName: string);
    destructor Destroy; override;
    function Read(var Buffer; Count: LongInt): LongInt; override;
    function Seek(const Offset: Int64; Origin: TSeekOrigin): Int64; override;
  end;

implementation

procedure NoteStored(AUpload: TResupUpload; const AName: string);
var
  List: TStringList;
  Path: string;
begin
  Path := Folder + PathDelim + 'stored';
  List := TStringList.Create;
  try
    if FileExists(Path) then
      List.LoadFromFile(Path);
    List.Add(string(AUpload.Id) + ' ' + AName);
    List.SaveToFile(Path);
  finally
    List.Free;
  end;
end;

constructor TPipe.Create(const AFileName: string);
begin
  inherited Create;
  FFile := TFileStream.Create(AFileName, fmOpenRead);
end;

destructor TPipe.Destroy;
begin
  FFile.Free;
  inherited Destroy;
end;

function TPipe.Read(var Buffer; Count: LongInt): LongInt;
begin
  if Count > 10007 then
    Count := 10007;
  Result := FFile.Read(Buffer, Count);
end;

function TPipe.Seek(const Offset: Int64; Origin: TSeekOrigin): Int64;
begin
  Result := 0;
  raise Exception.Create('a pipe does not seek');
end;

procedure TBehaviour.SetUp;
begin
  Client := TResupClient.Create(Endpoint);
end;

procedure TBehaviour.TearDown;
begin
  FreeAndNil(Client);
end;

procedure TBehaviour.CheckCode(Expected: Integer; Error: Exception);
begin
  CheckTrue(Error is EResupError, Error.ClassName + ': ' + Error.Message);
  CheckEquals(Expected, EResupError(Error).Code, Error.Message);
end;

procedure TListeningTests.SetUp;
begin
  inherited SetUp;
  States := [];
  LastPosition := -1;
  Ends := 0;
  LogLines := 0;
  LogText := '';
end;

procedure TListeningTests.NoteState(Sender: TObject; AState: TResupState);
begin
  CheckTrue(Sender is TResupUpload);
  Include(States, AState);
  LastState := AState;
end;

procedure TListeningTests.NoteProgress(Sender: TObject; APosition, ASize: Int64);
begin
  CheckEquals((Sender as TResupUpload).Size, ASize);
  CheckTrue(APosition <= ASize);
  CheckEquals(0, Ends);
  LastPosition := APosition;
end;

procedure TListeningTests.NoteEnd(Sender: TObject; AStatus: Integer);
begin
  CheckTrue(Sender is TResupUpload);
  Inc(Ends);
  EndStatus := AStatus;
end;

procedure TListeningTests.NoteLog(Sender: TObject; ALevel: TResupLogLevel; const ALine: TResupText);
begin
  CheckSame(Client, Sender);
  CheckTrue(ALevel in [rlError, rlWarn, rlInfo]);
  LogText := LogText + ALine + LineEnding;
  Inc(LogLines);
end;

function TListeningTests.Listen(AUpload: TResupUpload): TResupUpload;
begin
  AUpload.OnState := NoteState;
  AUpload.OnProgress := NoteProgress;
  AUpload.OnComplete := NoteEnd;
  Result := AUpload;
end;

function MakeFile(const Name: string; Size: Integer): string;
var
  Bytes: TMemoryStream;
  I: Integer;
begin
  Result := Folder + PathDelim + Name;
  Bytes := TMemoryStream.Create;
  try
    Bytes.Size := Size;
    for I := 0 to Size - 1 do
      PByteArray(Bytes.Memory)^[I] := Byte(I * 31 + I shr 8 + Ord(Name[1 + I mod Length(Name)]));
    Bytes.SaveToFile(Result);
  finally
    Bytes.Free;
  end;
end;

end.
