/// <summary>resup's C ABI for Delphi 7 to 12 and Free Pascal, 1:1.</summary>
/// <remarks>Made from include/resup.h by `make pascal-api`; changes belong there.
/// Programs use the classes of Resup.Client and Resup.Upload, or the component of Resup.Uploader. A program that
/// calls these functions itself calls ResupLoad first. What include/resup.h says of handles, texts, results and
/// threads holds here; no exception may leave a callback.
/// SPDX-License-Identifier: MIT OR Apache-2.0</remarks>
unit Resup.Api;

{$IFDEF FPC}{$MODE DELPHI}{$ENDIF}
{$Z4}

interface

uses
  SysUtils;

type
  {$IFDEF FPC}
  resup_uint64 = QWord;
  resup_size = PtrUInt;
  {$ELSE}
  {$IF CompilerVersion >= 20}
  resup_uint64 = UInt64;
  resup_size = NativeUInt;
  {$ELSE}
  // These Delphis know UInt64 badly or not at all, and are 32-bit. No file has 2^63 bytes.
  resup_uint64 = Int64;
  resup_size = Cardinal;
  {$IFEND}
  {$ENDIF}
  Presup_uint64 = ^resup_uint64;
  Presup_size = ^resup_size;

  /// <summary>The failure to load the library: it is missing, or is not the one that this unit is for. Message says
  /// which file, and which function or version.</summary>
  EResupLibrary = class(Exception);

// DECLARATIONS

const
  /// <summary>The name of the library's file.</summary>
  {$IFDEF MSWINDOWS}
  ResupFile = 'resup.dll';
  {$ELSE}
  // Free Pascal and Delphi name macOS differently.
  {$IFDEF MACOS} {$DEFINE DARWIN} {$ENDIF}
  {$IFDEF DARWIN}
  ResupFile = 'libresup.dylib';
  {$ELSE}
  ResupFile = 'libresup.so.0.1';
  {$ENDIF}
  {$ENDIF}

/// <summary>Loads the library, once for a program: it stays loaded, since it has threads. The first call
/// counts, later ones do nothing; after a failure it may be called again. Threads: any.</summary>
/// <param name="AFileName">the library with its path; empty for ResupFile beside the program, else where the
/// system looks for it</param>
/// <exception cref="EResupLibrary">the file or a function is missing, or the version is another</exception>
procedure ResupLoad(const AFileName: string = '');

/// <summary>Returns the file that was loaded; empty before.</summary>
function ResupLoadedFile: string;

implementation

uses
  {$IFDEF FPC}
  DynLibs,
  {$ELSE}
  {$IFDEF MSWINDOWS}
  Windows,
  {$ENDIF}
  {$ENDIF}
  SyncObjs;

type
  THandleOfLibrary = {$IFDEF FPC}TLibHandle{$ELSE}HMODULE{$ENDIF};

var
  Lock: TCriticalSection;
  Loading: THandleOfLibrary;
  LoadingFile, LoadedFile: string;

function Reason: string;
begin
  {$IFDEF FPC}
  Result := GetLoadErrorStr;
  {$ELSE}
  Result := SysErrorMessage(GetLastError);
  {$ENDIF}
end;

function FindFunction(const AName: AnsiString): Pointer;
begin
  {$IFDEF FPC}
  Result := GetProcedureAddress(Loading, AName);
  {$ELSE}
  Result := GetProcAddress(Loading, {$IFDEF MSWINDOWS}PAnsiChar(AName){$ELSE}PChar(string(AName)){$ENDIF});
  {$ENDIF}
  if Result = nil then
    raise EResupLibrary.CreateFmt('%s has no function %s: it is not resup, or another version than %d.%d.%d; ' +
      'put the one that belongs to Resup.Api.pas in its place', [LoadingFile, string(AName), RESUP_VERSION_MAJOR,
      RESUP_VERSION_MINOR, RESUP_VERSION_PATCH]);
end;

// Until version 1.0 the ABI may change with each minor version.
procedure CheckVersion;
begin
  @resup_version_number := FindFunction('resup_version_number');
  @resup_version := FindFunction('resup_version');
  if resup_version_number() div 1000 <> RESUP_HEADER_VERSION_NUMBER div 1000 then
    raise EResupLibrary.CreateFmt('%s is resup %s; Resup.Api.pas is for %d.%d: take both from one version',
      [LoadingFile, string(AnsiString(resup_version())), RESUP_VERSION_MAJOR, RESUP_VERSION_MINOR]);
end;

procedure LoadFrom(const AFileName: string);
begin
  LoadingFile := AFileName;
  if AFileName = '' then
  begin
    LoadingFile := ExtractFilePath(ParamStr(0)) + ResupFile;
    if not FileExists(LoadingFile) then
      LoadingFile := ResupFile;
  end;
  Loading := LoadLibrary({$IFDEF FPC}LoadingFile{$ELSE}PChar(LoadingFile){$ENDIF});
  if Loading = 0 then
    raise EResupLibrary.CreateFmt('%s cannot be loaded (%s): put it beside %s, in the same bits, 32 or 64',
      [LoadingFile, Reason, ExtractFileName(ParamStr(0))]);
  try
    CheckVersion;
    // LOADS
  except
    // Else the system would find it again, by its name, in place of the right one.
    FreeLibrary(Loading);
    Loading := 0;
    raise;
  end;
  LoadedFile := LoadingFile;
end;

procedure ResupLoad(const AFileName: string);
begin
  Lock.Enter;
  try
    if LoadedFile = '' then
      LoadFrom(AFileName);
  finally
    Lock.Leave;
  end;
end;

function ResupLoadedFile: string;
begin
  Lock.Enter;
  try
    Result := LoadedFile;
  finally
    Lock.Leave;
  end;
end;

initialization
  Lock := TCriticalSection.Create;

finalization
  Lock.Free;

end.
