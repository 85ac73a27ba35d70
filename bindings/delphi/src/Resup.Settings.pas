/// <summary>TResumableSettings: what the component TResumableUploader is set to.</summary>
/// <remarks>SPDX-License-Identifier: MIT OR Apache-2.0</remarks>
unit Resup.Settings;

{$IFDEF FPC}{$MODE DELPHI}{$ENDIF}
{$Z4}

interface

uses
  Classes, Resup.Types, Resup.Client, Resup.Upload;

type
  /// <summary>The settings of TResumableUploader. They count from the next start on.</summary>
  /// <remarks>Password and token are set by methods, cannot be read, and are not stored with a form.</remarks>
  TResumableSettings = class(TComponent)
  private
    FURL, FFileName, FRemoteName, FDirectory, FContentType, FStateFile: TResupText;
    FUserName, FPassword, FBearerToken, FProxy, FCAFile, FDialect: TResupText;
    FFields, FHeaders: TStrings;
    FStream: TStream;
    FStreamHasSize: Boolean;
    FDigest: TResupDigest;
    FDigestAlgorithm: TResupDigestAlgorithm;
    FReadBack: Boolean;
    FConnections: Cardinal;
    FProtocol: TResupProtocol;
    FLogLevel: TResupLogLevel;
    FTlsVerify: Boolean;
    FSegmentSize: Int64;
    FRetryLimit: Cardinal;
    procedure SetFields(AValue: TStrings);
    procedure SetHeaders(AValue: TStrings);
  protected
    function NewUpload(AClient: TResupClient): TResupUpload;
    procedure Configure(AClient: TResupClient); overload;
    procedure Configure(AUpload: TResupUpload); overload;
  public
    constructor Create(AOwner: TComponent); override;
    destructor Destroy; override;

    /// <summary>Sets Basic authorization; without a user name there is none. OnPrepare can log in by a
    /// form.</summary>
    procedure SetBasicAuth(const AUserName, APassword: TResupText);
    /// <summary>Sets a bearer token, in place of user name and password; an empty one is none.</summary>
    procedure SetBearerToken(const AToken: TResupText);

    /// <summary>The stream that is uploaded, as RemoteName, instead of the file; the program frees it.</summary>
    property Stream: TStream read FStream write FStream;
    /// <summary>Whether Stream tells its size, and can go back. Without, it is read once, from where it stands to its end,
    /// by tus or the IETF's protocol. Default: True.</summary>
    property StreamHasSize: Boolean read FStreamHasSize write FStreamHasSize;
  published
    /// <summary>The server's upload address, http or https.</summary>
    property URL: TResupText read FURL write FURL;
    /// <summary>The file that is uploaded.</summary>
    property FileName: TResupText read FFileName write FFileName;
    /// <summary>The file name that the server gets. Default: empty, the file's own.</summary>
    property RemoteName: TResupText read FRemoteName write FRemoteName;
    /// <summary>The directory on the server, separated by "/". Default: empty, the server's own choice.</summary>
    property Directory: TResupText read FDirectory write FDirectory;
    /// <summary>The MIME type. Default: empty, by the name's extension.</summary>
    property ContentType: TResupText read FContentType write FContentType;
    /// <summary>Form fields of the program's own, name=value.</summary>
    property Fields: TStrings read FFields write SetFields;
    /// <summary>Headers of the program's own, name=value.</summary>
    property Headers: TStrings read FHeaders write SetHeaders;
    /// <summary>"none", or scheme://user:password@host:port. Default: empty, the system's. A form stores it with its
    /// password; OnPrepare can set one that no form stores.</summary>
    property Proxy: TResupText read FProxy write FProxy;
    /// <summary>A file, PEM or DER, with the CAs to trust. Default: empty, the system's.</summary>
    property CAFile: TResupText read FCAFile write FCAFile;
    /// <summary>The protocol that the server speaks.</summary>
    property Protocol: TResupProtocol read FProtocol write FProtocol default rpAuto;
    /// <summary>A dialect of forms, in place of Protocol. Default: empty, none.</summary>
    property Dialect: TResupText read FDialect write FDialect;
    /// <summary>Whether the server's certificate is verified.</summary>
    property TlsVerify: Boolean read FTlsVerify write FTlsVerify default True;
    /// <summary>How many attempts in a row may fail without a byte more having arrived.</summary>
    property RetryLimit: Cardinal read FRetryLimit write FRetryLimit default 8;
    /// <summary>The most file bytes that one request carries, or 0 for no limit, or 1 for what suits the
    /// network.</summary>
    property SegmentSize: Int64 read FSegmentSize write FSegmentSize default 0;
    /// <summary>Whether and when the digest of the file is computed.</summary>
    property Digest: TResupDigest read FDigest write FDigest default rdOnePass;
    /// <summary>The algorithm of the digest.</summary>
    property DigestAlgorithm: TResupDigestAlgorithm read FDigestAlgorithm write FDigestAlgorithm default raAutomatic;
    /// <summary>Whether the finished file is read back and compared, where the server tells no digest.</summary>
    property ReadBack: Boolean read FReadBack write FReadBack default False;
    /// <summary>The most connections that send parts of the file: 1 to 6, or 0 for as many as help.</summary>
    property Connections: Cardinal read FConnections write FConnections default 0;
    /// <summary>A file with which a later run of the program need not read again what the server has; in tus it begins
    /// anew without one. Default: empty, for none.</summary>
    property StateFile: TResupText read FStateFile write FStateFile;
    /// <summary>The least important lines that OnLog gets.</summary>
    property LogLevel: TResupLogLevel read FLogLevel write FLogLevel default rlInfo;
  end;

implementation

constructor TResumableSettings.Create(AOwner: TComponent);
begin
  inherited Create(AOwner);
  FFields := TStringList.Create;
  FHeaders := TStringList.Create;
  FDigest := rdOnePass;
  FLogLevel := rlInfo;
  FTlsVerify := True;
  FStreamHasSize := True;
  FRetryLimit := 8;
end;

destructor TResumableSettings.Destroy;
begin
  FFields.Free;
  FHeaders.Free;
  inherited Destroy;
end;

procedure TResumableSettings.SetBasicAuth(const AUserName, APassword: TResupText);
begin
  FUserName := AUserName;
  FPassword := APassword;
end;

procedure TResumableSettings.SetBearerToken(const AToken: TResupText);
begin
  FBearerToken := AToken;
end;

procedure TResumableSettings.SetFields(AValue: TStrings);
begin
  FFields.Assign(AValue);
end;

procedure TResumableSettings.SetHeaders(AValue: TStrings);
begin
  FHeaders.Assign(AValue);
end;

procedure TResumableSettings.Configure(AClient: TResupClient);
var
  I: Integer;
begin
  AClient.Protocol := FProtocol;
  if FDialect <> '' then
    AClient.Dialect := FDialect;
  AClient.RetryLimit := FRetryLimit;
  AClient.TlsVerify := FTlsVerify;
  if FProxy <> '' then
    AClient.Proxy := FProxy;
  if FCAFile <> '' then
    AClient.AddCAFile(FCAFile);
  if FUserName <> '' then
    AClient.SetBasicAuth(FUserName, FPassword);
  if FBearerToken <> '' then
    AClient.SetBearerToken(FBearerToken);
  for I := 0 to FHeaders.Count - 1 do
    AClient.SetHeader(FHeaders.Names[I], FHeaders.Values[FHeaders.Names[I]]);
  AClient.LogLevel := FLogLevel;
end;

function TResumableSettings.NewUpload(AClient: TResupClient): TResupUpload;
begin
  if (FStream <> nil) and FStreamHasSize then
    Result := TResupUpload.CreateFromStream(AClient, FRemoteName, FStream)
  else if FStream <> nil then
    Result := TResupUpload.CreateFromReader(AClient, FRemoteName, FStream)
  else
    Result := TResupUpload.Create(AClient, FFileName);
end;

procedure TResumableSettings.Configure(AUpload: TResupUpload);
var
  I: Integer;
begin
  if FRemoteName <> '' then
    AUpload.Name := FRemoteName;
  AUpload.Directory := FDirectory;
  if FContentType <> '' then
    AUpload.ContentType := FContentType;
  for I := 0 to FFields.Count - 1 do
    AUpload.SetField(FFields.Names[I], FFields.Values[FFields.Names[I]]);
  AUpload.Digest := FDigest;
  AUpload.DigestAlgorithm := FDigestAlgorithm;
  AUpload.ReadBack := FReadBack;
  AUpload.Connections := FConnections;
  if FStateFile <> '' then
    AUpload.StateFile := FStateFile;
  AUpload.SegmentSize := FSegmentSize;
end;

end.
