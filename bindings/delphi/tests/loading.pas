/// Loads a library that is the wrong one, and then the one that was put in its place:  loading WRONG RIGHT
program loading;

{$MODE DELPHI}

uses
  SysUtils, Resup.Api;

begin
  try
    ResupLoad(ParamStr(1));
  except
    on E: EResupLibrary do
      WriteLn(E.Message);
  end;
  // If the wrong one were still loaded, a system would find it again by its name.
  if DeleteFile(ParamStr(1)) and RenameFile(ParamStr(2), ParamStr(1)) then
    ResupLoad(ParamStr(1));
  WriteLn('loaded ', ResupLoadedFile, ': ', resup_version());
end.
