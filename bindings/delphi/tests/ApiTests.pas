/// The C ABI, without the classes.
unit ApiTests;

{$MODE DELPHI}

interface

uses
  SysUtils, Support, testregistry, Resup.Api;

type
  TApiTests = class(TBehaviour)
  published
    procedure HandlesAreChecked;
    procedure TheVersionIsTheHeaders;
    procedure CallbacksAreCalled;
    procedure ACallbackCancels;
    procedure DestroyFunctionsAreCalled;
  end;

implementation

type
  PSeen = ^TSeen;
  TSeen = record
    States, Ends, Destroyed: Integer;
    Last: resup_uint64;
    Cancels: Boolean;
  end;

function HandleProgress(upload: Presup_upload; position, size: resup_uint64; user_data: Pointer): Integer; cdecl;
begin
  PSeen(user_data)^.Last := position;
  Result := RESUP_CONTINUE;
end;

function HandleState(upload: Presup_upload; state: Integer; user_data: Pointer): Integer; cdecl;
begin
  Inc(PSeen(user_data)^.States);
  Result := Ord(PSeen(user_data)^.Cancels);
end;

function HandleComplete(upload: Presup_upload; status: resup_status; user_data: Pointer): Integer; cdecl;
begin
  Inc(PSeen(user_data)^.Ends);
  Result := RESUP_CONTINUE;
end;

procedure HandleDestroy(user_data: Pointer); cdecl;
begin
  Inc(PSeen(user_data)^.Destroyed);
end;

procedure TApiTests.HandlesAreChecked;
var
  Raw: Presup_client;
begin
  CheckEquals(RESUP_E_NULL, resup_upload_run(nil));
  CheckEquals(RESUP_E_HANDLE_KIND, resup_upload_run(Presup_upload(Client.Handle)));
  CheckEquals(RESUP_E_URL, resup_client_new('ftp://example.org', @Raw));
  CheckTrue(Pos('ftp', string(resup_client_error_message(nil))) > 0);
  CheckEquals(RESUP_OK, resup_client_new('http://127.0.0.1/upload', @Raw));
  CheckEquals(RESUP_OK, resup_client_free(Raw));
  CheckEquals(RESUP_E_FREED, resup_client_free(Raw));
end;

procedure TApiTests.TheVersionIsTheHeaders;
begin
  CheckEquals(RESUP_HEADER_VERSION_NUMBER, resup_version_number());
  CheckEquals(Format('%d.%d.%d', [RESUP_VERSION_MAJOR, RESUP_VERSION_MINOR, RESUP_VERSION_PATCH]),
    string(resup_version()));
  CheckTrue(FileExists(ResupLoadedFile), ResupLoadedFile);
end;

function RunUpload(Client: Presup_client; const Name: string; var Seen: TSeen): resup_status;
var
  Upload: Presup_upload;
begin
  Result := resup_upload_new_file(Client, PAnsiChar(AnsiString(MakeFile(Name, 300000))), @Upload);
  if Result <> RESUP_OK then
    Exit;
  resup_upload_on_progress(Upload, HandleProgress, @Seen, HandleDestroy);
  resup_upload_on_state(Upload, HandleState, @Seen, nil);
  resup_upload_on_complete(Upload, HandleComplete, @Seen, nil);
  Result := resup_upload_run(Upload);
  resup_upload_free(Upload);
end;

procedure TApiTests.CallbacksAreCalled;
var
  Seen: TSeen;
begin
  FillChar(Seen, SizeOf(Seen), 0);
  CheckEquals(RESUP_OK, RunUpload(Client.Handle, 'raw', Seen));
  CheckEquals(1, Seen.Ends);
  CheckEquals(300000, Integer(Seen.Last));
  CheckTrue(Seen.States >= 3);
end;

procedure TApiTests.ACallbackCancels;
var
  Seen: TSeen;
begin
  FillChar(Seen, SizeOf(Seen), 0);
  Seen.Cancels := True;
  CheckEquals(RESUP_E_CANCELLED, RunUpload(Client.Handle, 'raw-cancelled', Seen));
  CheckEquals(1, Seen.Ends);
end;

procedure TApiTests.DestroyFunctionsAreCalled;
var
  Seen: TSeen;
begin
  FillChar(Seen, SizeOf(Seen), 0);
  CheckEquals(RESUP_OK, RunUpload(Client.Handle, 'raw-destroyed', Seen));
  CheckEquals(1, Seen.Destroyed);
end;

initialization
  RegisterTest(TApiTests);

end.
