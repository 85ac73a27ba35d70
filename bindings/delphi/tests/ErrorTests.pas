/// Failures of runs, and what they say.
unit ErrorTests;

{$MODE DELPHI}

interface

uses
  SysUtils, Support, testregistry, Resup.Api, Resup.Types, Resup.Client, Resup.Upload;

type
  TErrorTests = class(TListeningTests)
  private
    procedure CheckBadResponse(const AServer: string; ARetryable: Boolean);
  published
    procedure ErrorsTellEverything;
    procedure APageAsTheFirstResponseIsNotRetryable;
    procedure APageAsALaterResponseIsRetryable;
  end;

implementation

procedure TErrorTests.ErrorsTellEverything;
var
  Strange: TResupClient;
  Upload: TResupUpload;
begin
  Strange := TResupClient.Create(Forbidden);
  Upload := Listen(TResupUpload.Create(Strange, MakeFile('forbidden', 1000)));
  try
    try
      Upload.Execute;
      Fail('it was not refused');
    except
      on E: EResupError do
      begin
        CheckCode(RESUP_E_NOT_ALLOWED, E);
        CheckEquals(403, E.HttpStatus);
        CheckEquals('not you', E.ServerMessage);
        CheckFalse(E.Retryable);
        CheckTrue(Pos('not you', E.Message) > 0, E.Message);
        CheckEquals(E.Message, Upload.ErrorMessage);
      end;
    end;
    CheckEquals('not you', Upload.ServerMessage);
    CheckEquals(RESUP_E_NOT_ALLOWED, EndStatus);
    CheckTrue(LastState = rsFailed);
    try
      Upload.Name := '';
      Fail('a name that is none was taken');
    except
      on E: EResupError do
      begin
        CheckCode(RESUP_E_ARGUMENT, E);
        CheckEquals(0, E.HttpStatus, 'that is the run''s');
      end;
    end;
  finally
    Upload.Free;
    Strange.Free;
  end;
end;

procedure TErrorTests.CheckBadResponse(const AServer: string; ARetryable: Boolean);
var
  Far: TResupClient;
  Upload: TResupUpload;
begin
  Far := TResupClient.Create(AServer);
  Upload := TResupUpload.Create(Far, MakeFile('bad response', 1000));
  try
    Far.RetryLimit := 1;
    Far.SetRetryBackoff(1, 1);
    try
      Upload.Execute;
      Fail('a page was taken for a response of the protocol');
    except
      on E: EResupError do
      begin
        CheckCode(RESUP_E_BAD_RESPONSE, E);
        CheckTrue(E.Retryable = ARetryable, E.Message);
        CheckTrue(Upload.Retryable = ARetryable, E.Message);
      end;
    end;
  finally
    Upload.Free;
    Far.Free;
  end;
end;

procedure TErrorTests.APageAsTheFirstResponseIsNotRetryable;
begin
  CheckBadResponse(Page, False);
end;

procedure TErrorTests.APageAsALaterResponseIsRetryable;
begin
  CheckBadResponse(LatePage, True);
end;

initialization
  RegisterTest(TErrorTests);

end.
