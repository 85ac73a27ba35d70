/// Settings: which are taken, which are refused, and what they read.
unit SettingTests;

{$MODE DELPHI}

interface

uses
  Classes, SysUtils, Support, testregistry, Resup.Api, Resup.Types, Resup.Client, Resup.Upload;

type
  TSettingTests = class(TBehaviour)
  published
    procedure SettingsThatCannotBeAreRefused;
    procedure SettingsAreTaken;
    procedure PropertiesReadWhatWasSet;
    procedure ARefusedValueIsNotKept;
    procedure AProxyReadsWithoutItsLogin;
    procedure AnUploadReadsItsName;
    procedure FormsAreSignedWithATextInUtf8;
    procedure ACAOfOnesOwnIsTrusted;
  end;

implementation

procedure TSettingTests.SettingsThatCannotBeAreRefused;
begin
  try
    Client.Proxy := 'gopher://x';
    Fail('gopher was taken');
  except
    on E: EResupError do
    begin
      CheckCode(RESUP_E_ARGUMENT, E);
      CheckTrue(Pos('gopher', E.Message) > 0, E.Message);
    end;
  end;
  try
    TResupClient.Create('ftp://example.org').Free;
    Fail('ftp was taken');
  except
    on E: EResupError do
      CheckCode(RESUP_E_URL, E);
  end;
end;

procedure TSettingTests.SettingsAreTaken;
const
  BYTES: array[0..3] of Byte = (0, 1, 254, 255);
var
  Upload: TResupUpload;
begin
  Client.User := 'joe';
  Client.UserAgent := 'test/1';
  Client.Protocol := rpForm;
  Client.LocateMethod := rmGet;
  Client.ConnectTimeout := 10000;
  Client.ResponseTimeout := 100000;
  Client.StallTimeout := 10000;
  Client.RateLimit := Int64(1) shl 40;
  Client.RetryLimit := 3;
  Client.RetryTimeout := 60000;
  Client.SetRetryBackoff(10, 100);
  Client.SetHeader('X-Test', 'yes');
  Client.SetCookie('flavour', 'oat');
  Client.SetBasicAuth('joe', 'hunter2');
  Client.SetBearerToken('abc');
  Client.SetSigningSecret(BYTES, SizeOf(BYTES));
  Client.Signing := rhMd5;
  Client.Proxy := 'none';
  Client.NoProxy := '*';
  Client.Trust := rtBundled;
  Client.TlsVerify := True;
  Client.FilenameStyle := rfRfc8187;
  Client.LogLevel := rlDebug;
  Upload := TResupUpload.Create(Client, MakeFile('settings', 100000));
  try
    Upload.Name := 'otherwise';
    Upload.Digest := rdFirst;
    Upload.DigestAlgorithm := raMd5;
    Upload.ReadBack := True;
    Upload.Connections := 3;
    Upload.StateFile := Folder + PathDelim + 'settings.state';
    Upload.SegmentSize := 30000;
    Upload.Execute;
    CheckEquals(100000, Upload.Offset);
  finally
    Upload.Free;
  end;
  try
    Client.AddCAFile(Folder + PathDelim + 'missing.pem');
    Fail('a CA that is not there was taken');
  except
    on E: EResupError do
      CheckCode(RESUP_E_ARGUMENT, E);
  end;
  try
    Client.AddCAPem('no certificate');
    Fail('a CA that is none was taken');
  except
    on E: EResupError do
      CheckCode(RESUP_E_ARGUMENT, E);
  end;
  try
    Client.SetClientCertificate('missing', 'missing');
    Fail('a certificate that is not there was taken');
  except
    on E: EResupError do
      CheckCode(RESUP_E_ARGUMENT, E);
  end;
  Client.LoginForm := Endpoint;
  Client.SetLoginField('user', 'joe');
end;

procedure TSettingTests.PropertiesReadWhatWasSet;
var
  Upload: TResupUpload;
begin
  Client.User := 'José';
  Client.UserAgent := 'test/2';
  Client.Protocol := rpTus;
  Client.LocateMethod := rmGet;
  Client.CreationWithUpload := True;
  Client.ConnectTimeout := 1001;
  Client.ResponseTimeout := 1002;
  Client.StallTimeout := 1003;
  Client.RateLimit := Int64(1) shl 40;
  Client.RetryLimit := 3;
  Client.RetryTimeout := 1004;
  Client.LoginForm := Endpoint;
  Client.Signing := rhMd5;
  Client.Proxy := 'none';
  Client.NoProxy := 'a.example,10.0.0.0/8';
  Client.Trust := rtBundled;
  Client.TlsVerify := False;
  Client.FilenameStyle := rfRfc8187;
  Client.LogLevel := rlDebug;
  CheckEquals('José', Client.User);
  CheckEquals('test/2', Client.UserAgent);
  CheckTrue(Client.Protocol = rpTus);
  CheckEquals('', Client.Dialect);
  Client.Dialect := 'plain';
  CheckEquals('plain', Client.Dialect);
  CheckTrue(Client.LocateMethod = rmGet);
  CheckTrue(Client.CreationWithUpload);
  CheckEquals(1001, Client.ConnectTimeout);
  CheckEquals(1002, Client.ResponseTimeout);
  CheckEquals(1003, Client.StallTimeout);
  CheckEquals(Int64(1) shl 40, Client.RateLimit);
  CheckEquals(3, Client.RetryLimit);
  CheckEquals(1004, Client.RetryTimeout);
  CheckEquals(Endpoint, Client.LoginForm);
  CheckTrue(Client.Signing = rhMd5);
  CheckEquals('none', Client.Proxy);
  CheckEquals('a.example,10.0.0.0/8', Client.NoProxy);
  CheckTrue(Client.Trust = rtBundled);
  CheckFalse(Client.TlsVerify);
  CheckTrue(Client.FilenameStyle = rfRfc8187);
  CheckTrue(Client.LogLevel = rlDebug);
  Upload := TResupUpload.Create(Client, MakeFile('read back', 10));
  try
    Upload.Name := 'другое';
    Upload.Directory := 'a/b';
    Upload.ContentType := 'text/plain';
    Upload.Digest := rdNone;
    Upload.StateFile := Folder + PathDelim + 'read back.state';
    Upload.Parts := '{"part_size": 10, "parts": ["http://127.0.0.1:1/1"], "complete": "http://127.0.0.1:1/c"}';
    Upload.SegmentSize := Int64(1) shl 41;
    Upload.RateLimit := Int64(1) shl 42;
    CheckEquals('другое', Upload.Name);
    CheckEquals('a/b', Upload.Directory);
    CheckEquals('text/plain', Upload.ContentType);
    CheckTrue(Upload.Digest = rdNone);
    CheckEquals(Folder + PathDelim + 'read back.state', Upload.StateFile);
    CheckTrue(Pos('"part_size": 10', Upload.Parts) > 0);
    CheckEquals(Int64(1) shl 41, Upload.SegmentSize);
    CheckEquals(Int64(1) shl 42, Upload.RateLimit);
  finally
    Upload.Free;
  end;
end;

procedure TSettingTests.ARefusedValueIsNotKept;
var
  Upload: TResupUpload;
  Unknown: Integer;
begin
  Client.User := 'joe';
  try
    Client.User := 'two'#10'lines';
    Fail('two lines were taken');
  except
    on E: EResupError do
      CheckCode(RESUP_E_ARGUMENT, E);
  end;
  CheckEquals('joe', Client.User);
  try
    Client.ConnectTimeout := 0;
    Fail('no time at all was taken');
  except
    on E: EResupError do
      CheckCode(RESUP_E_ARGUMENT, E);
  end;
  CheckEquals(30000, Client.ConnectTimeout);
  try
    Unknown := 9;
    Client.Protocol := TResupProtocol(Unknown);
    Fail('a protocol that is none was taken');
  except
    on E: EResupError do
      CheckCode(RESUP_E_ARGUMENT, E);
  end;
  CheckTrue(Client.Protocol = rpAuto);
  Client.Protocol := rpTus;
  Upload := TResupUpload.Create(Client, MakeFile('by tus', 10));
  try
    Upload.Execute;
    CheckEquals('tus', Upload.ProtocolUsed);
  finally
    Upload.Free;
  end;
  Upload := TResupUpload.Create(Client, MakeFile('refused', 10));
  try
    try
      Upload.ContentType := 'nothing';
      Fail('a type without a slash was taken');
    except
      on E: EResupError do
        CheckCode(RESUP_E_ARGUMENT, E);
    end;
    CheckEquals('', Upload.ContentType);
  finally
    Upload.Free;
  end;
end;

procedure TSettingTests.AProxyReadsWithoutItsLogin;
begin
  Client.Proxy := 'socks5h://joe:hunter2@proxy.example:1080';
  CheckEquals('socks5h://proxy.example:1080', Client.Proxy);
  Client.Proxy := 'joe:hunter2@proxy.example';
  CheckEquals('proxy.example', Client.Proxy);
  Client.Proxy := 'http://proxy.example:3128';
  CheckEquals('http://proxy.example:3128', Client.Proxy);
end;

procedure TSettingTests.AnUploadReadsItsName;
var
  Upload: TResupUpload;
begin
  Upload := TResupUpload.Create(Client, MakeFile('文件 named.bin', 10));
  try
    CheckEquals('文件 named.bin', Upload.Name);
  finally
    Upload.Free;
  end;
  Upload := TResupUpload.CreateFromStream(Client, 'scan.tif', TMemoryStream.Create, True);
  try
    CheckEquals('scan.tif', Upload.Name);
  finally
    Upload.Free;
  end;
end;

procedure TSettingTests.FormsAreSignedWithATextInUtf8;
var
  Far: TResupClient;
  Upload: TResupUpload;
begin
  Far := TResupClient.Create(Signed);
  Upload := TResupUpload.Create(Far, MakeFile('signed', 100000));
  try
    Far.SetSigningSecret('another');
    try
      Upload.Execute;
      Fail('another secret was taken');
    except
      on E: EResupError do
        CheckCode(RESUP_E_NOT_ALLOWED, E);
    end;
    Far.SetSigningSecret(SECRET);
    Upload.Execute;
    CheckEquals(100000, Upload.Offset);
  finally
    Upload.Free;
    Far.Free;
  end;
end;

procedure TSettingTests.ACAOfOnesOwnIsTrusted;
var
  Far: TResupClient;
  Upload: TResupUpload;
  Pem: TStringList;
begin
  Pem := TStringList.Create;
  Far := TResupClient.Create(Secure);
  Upload := TResupUpload.Create(Far, MakeFile('secure', 300000));
  try
    try
      Upload.Execute;
      Fail('a CA that nobody knows was trusted');
    except
      on E: EResupError do
        CheckCode(RESUP_E_TLS, E);
    end;
    Far.AddCAFile(Folder + PathDelim + 'ca.pem');
    Upload.Execute;
    CheckEquals(300000, Upload.BytesSent);
    FreeAndNil(Upload);
    FreeAndNil(Far);
    Far := TResupClient.Create(Secure);
    Pem.LoadFromFile(Folder + PathDelim + 'ca.pem');
    Far.AddCAPem(Pem.Text);
    Upload := TResupUpload.Create(Far, Folder + PathDelim + 'secure');
    Upload.Execute;
    CheckEquals(300000, Upload.BytesSkipped);
  finally
    Upload.Free;
    Far.Free;
    Pem.Free;
  end;
end;

initialization
  RegisterTest(TSettingTests);

end.
