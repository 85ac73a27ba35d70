/// The defaults that the header documents.
unit Defaults;

{$MODE DELPHI}

interface

/// Returns the default that the header gives for a setter, as it is written there: 30000.
function DefaultOf(const ASetter: string): string;

/// Returns the value of a constant that the header calls the default.
function DefaultConstant(const AName: string): Integer;

implementation

uses
  Classes, SysUtils, Support;

/// Returns the comment above a declaration, in one line, and what comes after the declaration's start.
function CommentOn(const ADeclaration: string; out ARest: string): string;
var
  Header: TStringList;
  Start, I: Integer;
begin
  Header := TStringList.Create;
  try
    Header.LoadFromFile(Folder + PathDelim + 'resup.h');
    Result := '';
    for I := 0 to Header.Count - 1 do
      Result := Result + TrimLeft(StringReplace(Header[I], ' * ', ' ', [])) + ' ';
  finally
    Header.Free;
  end;
  Start := Pos(ADeclaration, Result);
  if Start = 0 then
    raise Exception.Create('the header has no ' + ADeclaration);
  ARest := Copy(Result, Start + Length(ADeclaration), MaxInt);
  Result := Copy(Result, 1, Start - 1);
  while Pos('/**', Result) > 0 do
    Delete(Result, 1, Pos('/**', Result) + 2);
end;

function DefaultOf(const ASetter: string): string;
const
  BEFORE = 'Default: ';
  AFTER = ', the default';
var
  Rest: string;
begin
  Result := CommentOn('resup_status ' + ASetter + '(', Rest);
  if Pos(BEFORE, Result) > 0 then
  begin
    Delete(Result, 1, Pos(BEFORE, Result) + Length(BEFORE) - 1);
    Exit(Copy(Result, 1, Pos('.', Result) - 1));
  end;
  if Pos(AFTER, Result) = 0 then
    raise Exception.Create('the header gives no default for ' + ASetter);
  Result := Copy(Result, 1, Pos(AFTER, Result) - 1);
  Delete(Result, 1, LastDelimiter(' ', Result));
end;

function DefaultConstant(const AName: string): Integer;
var
  Rest: string;
begin
  if Pos('The default.', CommentOn('#define ' + AName + ' ', Rest)) = 0 then
    raise Exception.Create(AName + ' is not the default');
  Result := StrToInt(Copy(Rest, 1, Pos(' ', Rest) - 1));
end;

end.
