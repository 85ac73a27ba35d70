/// <summary>TResupClient: a server, and what all uploads to it share.</summary>
/// <remarks>SPDX-License-Identifier: MIT OR Apache-2.0</remarks>
unit Resup.Client;

{$IFDEF FPC}{$MODE DELPHI}{$ENDIF}
{$Z4}

interface

uses
  Resup.Api, Resup.Types, Resup.Callbacks;

type
  /// <summary>A server, and what all uploads to it share: connections, limits, logins, proxies.</summary>
  /// <remarks>Settings count from the next run of each upload on. A setting that cannot be used raises EResupError
  /// with RESUP_E_ARGUMENT, and stays what it was. Properties read what was set last; secrets are set by methods, and
  /// cannot be read.
  /// Threads: any; but a property that is a text is set and read by one thread at a time. It may be freed before its
  /// uploads, which keep what they need; with OnLog set, not while another thread is inside a run of one.</remarks>
  TResupClient = class
  private
    FHandle: Presup_client;
    FLog: TResupLog;
    FUser, FUserAgent, FDialect, FLoginForm, FProxy, FNoProxy: TResupText;
    FConnectTimeout, FResponseTimeout, FStallTimeout, FRetryLimit, FRetryTimeout: Cardinal;
    FRateLimit: Int64;
    FProtocol: TResupProtocol;
    FLocateMethod: TResupLocateMethod;
    FSigning: TResupSigning;
    FTrust: TResupTrust;
    FTlsVerify, FCreationWithUpload: Boolean;
    FFilenameStyle: TResupFilenameStyle;
    FLogLevel: TResupLogLevel;
    FOnLog: TResupLogEvent;
    procedure Check(AStatus: resup_status);
    procedure SetUser(const AValue: TResupText);
    procedure SetUserAgent(const AValue: TResupText);
    procedure SetProtocol(AValue: TResupProtocol);
    procedure SetDialect(const AValue: TResupText);
    procedure SetLocateMethod(AValue: TResupLocateMethod);
    procedure SetCreationWithUpload(AValue: Boolean);
    procedure SetConnectTimeout(AValue: Cardinal);
    procedure SetResponseTimeout(AValue: Cardinal);
    procedure SetStallTimeout(AValue: Cardinal);
    procedure SetRateLimit(AValue: Int64);
    procedure SetRetryLimit(AValue: Cardinal);
    procedure SetRetryTimeout(AValue: Cardinal);
    procedure SetLoginForm(const AValue: TResupText);
    procedure SetSigning(AValue: TResupSigning);
    procedure SetProxy(const AValue: TResupText);
    procedure SetNoProxy(const AValue: TResupText);
    procedure SetTrust(AValue: TResupTrust);
    procedure SetTlsVerify(AValue: Boolean);
    procedure SetFilenameStyle(AValue: TResupFilenameStyle);
    procedure SetLogLevel(AValue: TResupLogLevel);
    procedure SetOnLog(const AValue: TResupLogEvent);
  public
    /// <summary>Makes a client for a server. Nothing is sent yet.</summary>
    /// <param name="AURL">the server's upload address, http or https</param>
    /// <exception cref="EResupError">RESUP_E_URL</exception>
    /// <exception cref="EResupLibrary">the library is missing, or is of another version</exception>
    constructor Create(const AURL: TResupText);
    destructor Destroy; override;

    /// <summary>Sets the waits between attempts, in milliseconds: random, up to a bound that doubles from AFirst to
    /// ALongest. Default: 500 and 30000.</summary>
    procedure SetRetryBackoff(AFirst, ALongest: Cardinal);
    /// <summary>Sets a field of the login form, after LoginForm: user name, password and what else it has.</summary>
    procedure SetLoginField(const AName, AValue: TResupText);
    /// <summary>Sends Basic authorization with every request.</summary>
    procedure SetBasicAuth(const AUser, APassword: TResupText);
    /// <summary>Sends a bearer token with every request.</summary>
    procedure SetBearerToken(const AToken: TResupText);
    /// <summary>Sends a header of the program's own with every request.</summary>
    procedure SetHeader(const AName, AValue: TResupText);
    /// <summary>Sends a cookie of the program's own with every request.</summary>
    procedure SetCookie(const AName, AValue: TResupText);
    /// <summary>Signs every form with a secret of ASize bytes; those of a string variable are given as S[1].</summary>
    procedure SetSigningSecret(const ASecret; ASize: Integer); overload;
    /// <summary>Signs every form with a secret that is a text, as UTF-8.</summary>
    procedure SetSigningSecret(const ASecret: TResupText); overload;
    /// <summary>Trusts the CAs in a file, PEM or DER, and no others but those of further calls.</summary>
    procedure AddCAFile(const AFileName: TResupText);
    /// <summary>Trusts the CAs in a PEM text, and no others but those of further calls.</summary>
    procedure AddCAPem(const APem: TResupText);
    /// <summary>Sets the certificate that the program shows to the server: files, PEM or DER, of the
    /// chain and of the key.</summary>
    procedure SetClientCertificate(const ACertificate, AKey: TResupText);

    /// <summary>The C API's handle, still owned by this object.</summary>
    property Handle: Presup_client read FHandle;
    /// <summary>The user name that the server gets with each file. Default: empty, for none; it cannot be set back to
    /// that.</summary>
    property User: TResupText read FUser write SetUser;
    /// <summary>The User-Agent header. Default: "resup/" and the version.</summary>
    property UserAgent: TResupText read FUserAgent write SetUserAgent;
    /// <summary>The protocol that the server speaks. Default: rpAuto. In another one than rpForm only the state file
    /// (TResupUpload.StateFile) tells another run where its upload is, and a run with a signing secret or
    /// a digest by its name raises EResupError with RESUP_E_ARGUMENT.</summary>
    property Protocol: TResupProtocol read FProtocol write SetProtocol;
    /// <summary>A dialect of forms, in place of Protocol: the last one set counts. A preset's name, such as "plain" for one
    /// POST as browsers make it, or a JSON object; docs/DIALECTS.md has both. Default: empty, none.</summary>
    property Dialect: TResupText read FDialect write SetDialect;
    /// <summary>The HTTP method that asks the server for its offset. Default: rmPost.</summary>
    property LocateMethod: TResupLocateMethod read FLocateMethod write SetLocateMethod;
    /// <summary>Whether the request that creates an upload by tus may carry a whole file of up to 256 KiB, where the
    /// server has creation-with-upload. If its response is lost, the file may be there twice. Default: False.</summary>
    property CreationWithUpload: Boolean read FCreationWithUpload write SetCreationWithUpload;
    /// <summary>The most milliseconds for a name lookup, and for connecting, each. Default: 30000.</summary>
    property ConnectTimeout: Cardinal read FConnectTimeout write SetConnectTimeout;
    /// <summary>The most milliseconds from the end of a request to its response. Default: 120000.</summary>
    property ResponseTimeout: Cardinal read FResponseTimeout write SetResponseTimeout;
    /// <summary>The most milliseconds for which the network may take nothing. Default: 60000.</summary>
    property StallTimeout: Cardinal read FStallTimeout write SetStallTimeout;
    /// <summary>Bytes per second of all uploads together. It counts at once. Default: 0, for no limit.</summary>
    property RateLimit: Int64 read FRateLimit write SetRateLimit;
    /// <summary>How many attempts in a row may fail without a byte more having arrived. Default: 8.</summary>
    property RetryLimit: Cardinal read FRetryLimit write SetRetryLimit;
    /// <summary>The most milliseconds for which attempts may fail without a byte more having arrived. Default: 0, for
    /// no limit.</summary>
    property RetryTimeout: Cardinal read FRetryTimeout write SetRetryTimeout;
    /// <summary>The address of a form that logs in before the first request, and again when the session ends; cookies
    /// are kept. SetLoginField fills it in. Default: empty, for none; it cannot be set back to that.</summary>
    property LoginForm: TResupText read FLoginForm write SetLoginForm;
    /// <summary>The algorithm that signs forms, where there is a secret. Default: rhSha256.</summary>
    property Signing: TResupSigning read FSigning write SetSigning;
    /// <summary>"none", "system" (the default) or scheme://user:password@host:port: http, socks4, socks4a, socks5,
    /// socks5h. It reads without user and password.</summary>
    property Proxy: TResupText read FProxy write SetProxy;
    /// <summary>The hosts that are reached without a proxy: domains, addresses, CIDR blocks, between commas. Default:
    /// empty; until it is set, the environment's list counts.</summary>
    property NoProxy: TResupText read FNoProxy write SetNoProxy;
    /// <summary>The root certificates that are trusted while no CA was added. Default: rtSystem.</summary>
    property Trust: TResupTrust read FTrust write SetTrust;
    /// <summary>Whether the server's certificate is verified. Without, everything can be read and changed on the way.
    /// Default: True.</summary>
    property TlsVerify: Boolean read FTlsVerify write SetTlsVerify;
    /// <summary>The way in which forms hold file names. Default: rfWhatwg.</summary>
    property FilenameStyle: TResupFilenameStyle read FFilenameStyle write SetFilenameStyle;
    /// <summary>The least important lines that OnLog gets. Default: rlInfo.</summary>
    property LogLevel: TResupLogLevel read FLogLevel write SetLogLevel;
    /// <summary>The log; Sender is the client. It counts from the next run of each upload on; in place of an earlier
    /// one, at once. Set it while no other thread is inside a run. It is called on the threads that are inside
    /// Execute, Poll or WaitFor of an upload, perhaps on several at once.</summary>
    property OnLog: TResupLogEvent read FOnLog write SetOnLog;
  end;

implementation

constructor TResupClient.Create(const AURL: TResupText);
begin
  inherited Create;
  ResupLoad;
  FUserAgent := 'resup/' + ResupFromUtf8(resup_version());
  FConnectTimeout := 30000;
  FResponseTimeout := 120000;
  FStallTimeout := 60000;
  FRetryLimit := 8;
  FProxy := 'system';
  FTlsVerify := True;
  FLogLevel := rlInfo;
  FLog := TResupLog.Create;
  FLog.Sender := Self;
  Check(resup_client_new(PAnsiChar(ResupToUtf8(AURL)), @FHandle));
end;

destructor TResupClient.Destroy;
begin
  if FLog <> nil then
  begin
    FLog.Sender := nil;
    FLog.Release;
  end;
  if FHandle <> nil then
    resup_client_free(FHandle);
  inherited Destroy;
end;

procedure TResupClient.Check(AStatus: resup_status);
begin
  if AStatus <> RESUP_OK then
    raise ResupFailure(AStatus, resup_client_error_message(FHandle));
end;

procedure TResupClient.SetOnLog(const AValue: TResupLogEvent);
begin
  FOnLog := AValue;
  FLog.OnLog := AValue;
  Check(FLog.Listen(FHandle, FLogLevel));
end;

procedure TResupClient.SetLogLevel(AValue: TResupLogLevel);
begin
  Check(FLog.Listen(FHandle, AValue));
  FLogLevel := AValue;
end;

procedure TResupClient.SetUser(const AValue: TResupText);
begin
  Check(resup_client_set_user(FHandle, PAnsiChar(ResupToUtf8(AValue))));
  FUser := AValue;
end;

procedure TResupClient.SetUserAgent(const AValue: TResupText);
begin
  Check(resup_client_set_user_agent(FHandle, PAnsiChar(ResupToUtf8(AValue))));
  FUserAgent := AValue;
end;

procedure TResupClient.SetProtocol(AValue: TResupProtocol);
begin
  Check(resup_client_set_protocol(FHandle, Ord(AValue)));
  FProtocol := AValue;
  FDialect := '';
end;

procedure TResupClient.SetDialect(const AValue: TResupText);
begin
  Check(resup_client_set_dialect(FHandle, PAnsiChar(ResupToUtf8(AValue))));
  FDialect := AValue;
end;

procedure TResupClient.SetLocateMethod(AValue: TResupLocateMethod);
begin
  Check(resup_client_set_locate_method(FHandle, Ord(AValue)));
  FLocateMethod := AValue;
end;

procedure TResupClient.SetCreationWithUpload(AValue: Boolean);
begin
  Check(resup_client_set_creation_with_upload(FHandle, Ord(AValue)));
  FCreationWithUpload := AValue;
end;

procedure TResupClient.SetConnectTimeout(AValue: Cardinal);
begin
  Check(resup_client_set_connect_timeout(FHandle, AValue));
  FConnectTimeout := AValue;
end;

procedure TResupClient.SetResponseTimeout(AValue: Cardinal);
begin
  Check(resup_client_set_response_timeout(FHandle, AValue));
  FResponseTimeout := AValue;
end;

procedure TResupClient.SetStallTimeout(AValue: Cardinal);
begin
  Check(resup_client_set_stall_timeout(FHandle, AValue));
  FStallTimeout := AValue;
end;

procedure TResupClient.SetRateLimit(AValue: Int64);
begin
  Check(resup_client_set_rate_limit(FHandle, ResupBytes('the rate limit', AValue)));
  FRateLimit := AValue;
end;

procedure TResupClient.SetRetryLimit(AValue: Cardinal);
begin
  Check(resup_client_set_retry_limit(FHandle, AValue));
  FRetryLimit := AValue;
end;

procedure TResupClient.SetRetryTimeout(AValue: Cardinal);
begin
  Check(resup_client_set_retry_timeout(FHandle, AValue));
  FRetryTimeout := AValue;
end;

procedure TResupClient.SetRetryBackoff(AFirst, ALongest: Cardinal);
begin
  Check(resup_client_set_retry_backoff(FHandle, AFirst, ALongest));
end;

procedure TResupClient.SetLoginForm(const AValue: TResupText);
begin
  Check(resup_client_set_login_form(FHandle, PAnsiChar(ResupToUtf8(AValue))));
  FLoginForm := AValue;
end;

procedure TResupClient.SetLoginField(const AName, AValue: TResupText);
begin
  Check(resup_client_set_login_field(FHandle, PAnsiChar(ResupToUtf8(AName)), PAnsiChar(ResupToUtf8(AValue))));
end;

procedure TResupClient.SetBasicAuth(const AUser, APassword: TResupText);
begin
  Check(resup_client_set_basic_auth(FHandle, PAnsiChar(ResupToUtf8(AUser)), PAnsiChar(ResupToUtf8(APassword))));
end;

procedure TResupClient.SetBearerToken(const AToken: TResupText);
begin
  Check(resup_client_set_bearer_token(FHandle, PAnsiChar(ResupToUtf8(AToken))));
end;

procedure TResupClient.SetHeader(const AName, AValue: TResupText);
begin
  Check(resup_client_set_header(FHandle, PAnsiChar(ResupToUtf8(AName)), PAnsiChar(ResupToUtf8(AValue))));
end;

procedure TResupClient.SetCookie(const AName, AValue: TResupText);
begin
  Check(resup_client_set_cookie(FHandle, PAnsiChar(ResupToUtf8(AName)), PAnsiChar(ResupToUtf8(AValue))));
end;

procedure TResupClient.SetSigningSecret(const ASecret; ASize: Integer);
begin
  Check(resup_client_set_signing_secret(FHandle, @ASecret, resup_size(ASize)));
end;

procedure TResupClient.SetSigningSecret(const ASecret: TResupText);
var
  Bytes: UTF8String;
begin
  Bytes := ResupToUtf8(ASecret);
  SetSigningSecret(PAnsiChar(Bytes)^, Length(Bytes));
end;

procedure TResupClient.SetSigning(AValue: TResupSigning);
begin
  Check(resup_client_set_signing_algorithm(FHandle, Ord(AValue)));
  FSigning := AValue;
end;

/// Cuts user and password out of a proxy's address.
function WithoutLogin(const AProxy: TResupText): TResupText;
var
  Start, I: Integer;
begin
  Result := AProxy;
  Start := Pos('://', AProxy);
  if Start > 0 then
    Inc(Start, 2);
  for I := Length(AProxy) downto Start + 1 do
    if AProxy[I] = '@' then
    begin
      Result := Copy(AProxy, 1, Start) + Copy(AProxy, I + 1, MaxInt);
      Break;
    end;
end;

procedure TResupClient.SetProxy(const AValue: TResupText);
begin
  Check(resup_client_set_proxy(FHandle, PAnsiChar(ResupToUtf8(AValue))));
  FProxy := WithoutLogin(AValue);
end;

procedure TResupClient.SetNoProxy(const AValue: TResupText);
begin
  Check(resup_client_set_no_proxy(FHandle, PAnsiChar(ResupToUtf8(AValue))));
  FNoProxy := AValue;
end;

procedure TResupClient.SetTrust(AValue: TResupTrust);
begin
  Check(resup_client_set_trust(FHandle, Ord(AValue)));
  FTrust := AValue;
end;

procedure TResupClient.AddCAFile(const AFileName: TResupText);
begin
  Check(resup_client_set_ca_file(FHandle, PAnsiChar(ResupToUtf8(AFileName))));
end;

procedure TResupClient.AddCAPem(const APem: TResupText);
begin
  Check(resup_client_set_ca_pem(FHandle, PAnsiChar(ResupToUtf8(APem))));
end;

procedure TResupClient.SetClientCertificate(const ACertificate, AKey: TResupText);
begin
  Check(resup_client_set_client_certificate(FHandle, PAnsiChar(ResupToUtf8(ACertificate)),
    PAnsiChar(ResupToUtf8(AKey))));
end;

procedure TResupClient.SetTlsVerify(AValue: Boolean);
begin
  Check(resup_client_set_tls_verify(FHandle, Ord(AValue)));
  FTlsVerify := AValue;
end;

procedure TResupClient.SetFilenameStyle(AValue: TResupFilenameStyle);
begin
  Check(resup_client_set_filename_style(FHandle, Ord(AValue)));
  FFilenameStyle := AValue;
end;

end.
