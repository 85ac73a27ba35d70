/// The likeliest first mistakes, which tests/mistakes.txt lists with what their messages have to say.
unit MistakeTests;

{$MODE DELPHI}

interface

uses
  Classes, SysUtils, Support, testregistry, Resup.Api, Resup.Types, Resup.Client, Resup.Upload;

type
  TMistakeTests = class(TBehaviour)
  private
    Upload: TResupUpload;
    Files: Integer;
    procedure MakeUpload;
    procedure Make(const Mistake: string);
    procedure StartTowardsNobody;
    function MessageOf(const Mistake: string): string;
    procedure CheckWords(Words: string; Wanted: Boolean; const Mistake, Text: string);
  protected
    procedure SetUp; override;
    procedure TearDown; override;
  published
    procedure EachFirstMistakeIsToldWithItsWayOut;
    procedure AnUploadTellsWhyItWaits;
  end;

implementation

const
  /// Nobody listens there.
  NOWHERE = 'http://127.0.0.1:1/upload';

/// Makes an upload of a new file: on Windows a run that has just been cancelled may still have the last one open.
procedure TMistakeTests.MakeUpload;
begin
  Inc(Files);
  Upload := TResupUpload.Create(Client, MakeFile('mistake' + IntToStr(Files), 10));
end;

procedure TMistakeTests.SetUp;
begin
  inherited SetUp;
  MakeUpload;
end;

procedure TMistakeTests.TearDown;
begin
  FreeAndNil(Upload);
  inherited TearDown;
end;

/// Starts an upload that waits for its second attempt.
procedure TMistakeTests.StartTowardsNobody;
begin
  FreeAndNil(Upload);
  FreeAndNil(Client);
  Client := TResupClient.Create(NOWHERE);
  Client.SetRetryBackoff(3600000, 3600000);
  MakeUpload;
  Upload.Start;
  while Upload.State <> rsWaiting do
    Sleep(1);
end;

procedure TMistakeTests.Make(const Mistake: string);
begin
  if Mistake = 'a URL of FTP' then
    TResupClient.Create('ftp://example.org/').Free
  else if Mistake = 'a URL without http://' then
    TResupClient.Create('127.0.0.1:8080/upload').Free
  else if Mistake = 'a file that there is not' then
    TResupUpload.Create(Client, Folder + PathDelim + 'missing').Free
  else if Mistake = 'a directory' then
    TResupUpload.Create(Client, Folder).Free
  else if Mistake = 'a limit less than 0' then
    Upload.RateLimit := -1
  else if Mistake = 'a limit of the client less than 0' then
    Client.RateLimit := -1
  else if Mistake = 'a segment less than 0' then
    Upload.SegmentSize := -1
  else if Mistake = 'a time of 0' then
    Client.ConnectTimeout := 0
  else if Mistake = 'a second start' then
  begin
    StartTowardsNobody;
    Upload.Start;
  end
  else if Mistake = 'a setting during a run' then
  begin
    StartTowardsNobody;
    Upload.Name := 'other';
  end
  else if Mistake = 'a wait before the start' then
    Upload.WaitFor(0)
  else if Mistake = 'a CA file that there is not' then
    Client.AddCAFile(Folder + PathDelim + 'missing.pem')
  else if Mistake = 'a port where nobody listens' then
  begin
    FreeAndNil(Upload);
    FreeAndNil(Client);
    Client := TResupClient.Create(NOWHERE);
    Client.RetryLimit := 0;
    MakeUpload;
    Upload.Execute;
  end
  else
    Fail('nothing makes the mistake "' + Mistake + '"');
  Fail('"' + Mistake + '" was taken');
end;

function TMistakeTests.MessageOf(const Mistake: string): string;
begin
  Result := '';
  try
    Make(Mistake);
  except
    on E: EResupError do
      Result := E.Message;
  end;
end;

/// Cuts the first part off a text.
function NextPart(var Text: string; const Separator: string): string;
var
  Place: Integer;
begin
  Place := Pos(Separator, Text);
  if Place = 0 then
  begin
    Result := Text;
    Text := '';
  end
  else
  begin
    Result := Copy(Text, 1, Place - 1);
    Text := Copy(Text, Place + Length(Separator), MaxInt);
  end;
end;

/// Checks that a message has all of these words, or none of them.
procedure TMistakeTests.CheckWords(Words: string; Wanted: Boolean; const Mistake, Text: string);
var
  Word: string;
begin
  while Words <> '' do
  begin
    Word := NextPart(Words, ' ; ');
    CheckEquals(Wanted, Pos(Word, Text) > 0, Format('%s: "%s" in: %s', [Mistake, Word, Text]));
  end;
end;

procedure TMistakeTests.EachFirstMistakeIsToldWithItsWayOut;
var
  Table: TStringList;
  Never, Line, Place, Mistake, Text: string;
  I, Count: Integer;
begin
  Never := '';
  Count := 0;
  Table := TStringList.Create;
  try
    Table.LoadFromFile(Folder + PathDelim + 'mistakes.txt');
    for I := 0 to Table.Count - 1 do
    begin
      Line := Table[I];
      Place := NextPart(Line, ' | ');
      Mistake := NextPart(Line, ' | ');
      if Place = 'never' then
        Never := Line
      else if Place = 'Pascal' then
      begin
        Inc(Count);
        Text := MessageOf(Mistake);
        CheckWords(Line, True, Mistake, Text);
        CheckWords(Never, False, Mistake, Text);
        TearDown;
        SetUp;
      end;
    end;
  finally
    Table.Free;
  end;
  CheckTrue((Count > 0) and (Never <> ''));
end;

procedure TMistakeTests.AnUploadTellsWhyItWaits;
begin
  CheckEquals('', Upload.ErrorMessage);
  StartTowardsNobody;
  CheckTrue(Pos('no connection to 127.0.0.1:1', Upload.ErrorMessage) = 1, Upload.ErrorMessage);
  Upload.Cancel;
  try
    while not Upload.WaitFor(100) do
      ;
    Fail('it is not cancelled');
  except
    on E: EResupCancelled do
      CheckEquals(E.Message, Upload.ErrorMessage);
  end;
end;

initialization
  RegisterTest(TMistakeTests);

end.
