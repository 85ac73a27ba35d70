/// What the tests are given, and what they all do.
unit Support;

{$MODE DELPHI}

interface

uses
  Classes, SysUtils, fpcunit, Resup;

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

/// A file of so many bytes, its name and content made of Name.
function Made(const Name: string; Size: Integer): string;

implementation

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

function Made(const Name: string; Size: Integer): string;
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
