{ Uploads FILE to URL once; prints the failure's code and whether another run may succeed. }
program retryable;

uses
  Resup.Client, Resup.Types, Resup.Upload;

var
  Client: TResupClient;
  Upload: TResupUpload;
begin
  Client := TResupClient.Create(ParamStr(1));
  Client.RetryLimit := 0;
  Upload := TResupUpload.Create(Client, ParamStr(2));
  try
    Upload.Execute;
  except
    on E: EResupError do
      WriteLn(E.Code, ' ', Ord(E.Retryable));
  end;
  Upload.Free;
  Client.Free;
end.
