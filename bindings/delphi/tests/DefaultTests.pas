/// The defaults of the classes, compared with those that the header documents.
unit DefaultTests;

{$MODE DELPHI}

interface

uses
  SysUtils, Support, Defaults, testregistry, Resup.Api, Resup.Types, Resup.Client, Resup.Upload;

type
  TDefaultTests = class(TBehaviour)
  published
    procedure AClientHasThoseOfTheHeader;
    procedure AnUploadHasThoseOfTheHeader;
  end;

implementation

procedure TDefaultTests.AClientHasThoseOfTheHeader;
begin
  CheckEquals(DefaultOf('resup_client_set_connect_timeout'), IntToStr(Client.ConnectTimeout));
  CheckEquals(DefaultOf('resup_client_set_response_timeout'), IntToStr(Client.ResponseTimeout));
  CheckEquals(DefaultOf('resup_client_set_stall_timeout'), IntToStr(Client.StallTimeout));
  CheckEquals(DefaultOf('resup_client_set_rate_limit'), IntToStr(Client.RateLimit));
  CheckEquals(DefaultOf('resup_client_set_retry_limit'), IntToStr(Client.RetryLimit));
  CheckEquals(DefaultOf('resup_client_set_retry_timeout'), IntToStr(Client.RetryTimeout));
  CheckEquals(DefaultOf('resup_client_set_proxy'), '"' + Client.Proxy + '"');
  CheckEquals(DefaultConstant('RESUP_PROTOCOL_AUTO'), Ord(Client.Protocol));
  CheckEquals(DefaultConstant('RESUP_LOCATE_POST'), Ord(Client.LocateMethod));
  CheckEquals(DefaultConstant('RESUP_SIGNING_HMAC_SHA256'), Ord(Client.Signing));
  CheckEquals(DefaultConstant('RESUP_TRUST_SYSTEM'), Ord(Client.Trust));
  CheckEquals(DefaultConstant('RESUP_FILENAME_WHATWG'), Ord(Client.FilenameStyle));

  CheckEquals('no', DefaultOf('resup_client_set_creation_with_upload'));
  CheckFalse(Client.CreationWithUpload);
  CheckEquals('yes', DefaultOf('resup_client_set_tls_verify'));
  CheckTrue(Client.TlsVerify);
  CheckEquals('none', DefaultOf('resup_client_set_user'));
  CheckEquals('', Client.User);
  CheckEquals('"resup/" and the version', DefaultOf('resup_client_set_user_agent'));
  CheckEquals('resup/' + string(resup_version()), Client.UserAgent);
  // Of these the header gives none.
  CheckEquals('', Client.LoginForm);
  CheckEquals('', Client.NoProxy);
  CheckTrue(Client.LogLevel = rlInfo);
  CheckFalse(Assigned(Client.OnLog));
end;

procedure TDefaultTests.AnUploadHasThoseOfTheHeader;
var
  Upload: TResupUpload;
begin
  Upload := TResupUpload.Create(Client, MakeFile('defaults', 10));
  try
    CheckEquals(DefaultConstant('RESUP_DIGEST_ONE_PASS'), Ord(Upload.Digest));
    CheckEquals(DefaultConstant('RESUP_SEGMENT_UNLIMITED'), Upload.SegmentSize);
    CheckEquals(DefaultOf('resup_upload_set_rate_limit'), IntToStr(Upload.RateLimit));

    CheckEquals('the file''s own', DefaultOf('resup_upload_set_name'));
    CheckEquals('defaults', Upload.Name);
    CheckEquals('empty, the server''s own choice', DefaultOf('resup_upload_set_directory'));
    CheckEquals('', Upload.Directory);
    CheckTrue(Pos('by the extension', DefaultOf('resup_upload_set_content_type')) = 1);
    CheckEquals('', Upload.ContentType);
    CheckEquals('none', DefaultOf('resup_upload_set_state_file'));
    CheckEquals('', Upload.StateFile);
  finally
    Upload.Free;
  end;
end;

initialization
  RegisterTest(TDefaultTests);

end.
