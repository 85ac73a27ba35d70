/*
 * Files of Windows: long paths, network paths, letters of other languages, files that other programs use.
 *
 *     paths URL DIR DATA SHARE
 *
 * SHARE is a network path (\\server\share) of DIR.
 */
#include "check.h"

#include <string.h>
#include <wchar.h>
#include <windows.h>

static const char *url, *data;
static wchar_t directory[MAX_PATH];

enum { BYTES = 300000, LONGEST = 4000 };

static const uint16_t *units(const wchar_t *path)
{
    return (const uint16_t *)path;
}

static wchar_t *path_of(wchar_t *path, const wchar_t *name)
{
    wcscpy(path, directory);
    wcscat(path, L"\\");
    return wcscat(path, name);
}

/* Makes a file, under a path that may be too long for fopen. */
static void make(const wchar_t *path, unsigned size, unsigned seed)
{
    static unsigned char bytes[BYTES];
    HANDLE file = CreateFileW(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    DWORD written = 0;

    fill(bytes, size, seed);
    need(file != INVALID_HANDLE_VALUE && WriteFile(file, bytes, size, &written, NULL) &&
             written == size && CloseHandle(file),
         "a file");
}

static resup_client *new_client(void)
{
    resup_client *client = NULL;

    need(resup_client_new(url, &client) == RESUP_OK, "a client");
    return client;
}

/* Checks that the file which `make` wrote for this seed has arrived. */
static void check_stored(resup_upload *upload, unsigned seed, const char *name)
{
    static unsigned char bytes[BYTES], stored[BYTES + 1];
    char path[LONGEST];
    FILE *file;

    sprintf(path, "%.1500s/files/%s", data, resup_upload_id(upload));
    file = open_file(path, "rb");
    fill(bytes, BYTES, seed);
    CHECK(file != NULL && fread(stored, 1, BYTES + 1, file) == BYTES && memcmp(bytes, stored, BYTES) == 0,
          name);
    if (file != NULL)
        fclose(file);
}

static void uploads(const wchar_t *path, unsigned seed, const char *name)
{
    resup_client *client = new_client();
    resup_upload *upload = NULL;
    char utf8[LONGEST];

    CHECK_STATUS(resup_upload_new_file_utf16(client, units(path), &upload), RESUP_OK, name);
    CHECK_STATUS(resup_upload_run(upload), RESUP_OK, name);
    check_stored(upload, seed, name);
    resup_upload_free(upload);

    need(WideCharToMultiByte(CP_UTF8, 0, path, -1, utf8, LONGEST, NULL, NULL) > 0, name);
    CHECK_STATUS(resup_upload_new_file(client, utf8, &upload), RESUP_OK, name);
    CHECK_STATUS(resup_upload_run(upload), RESUP_OK, name);
    check_stored(upload, seed, name);
    resup_upload_free(upload);
    resup_client_free(client);
}

static void letters(void)
{
    wchar_t path[MAX_PATH];

    path_of(path, L"\x56fe\x7247 \xd83c\xdf89");
    need(CreateDirectoryW(path, NULL), "a directory");
    make(wcscat(path, L"\\\x62a5\x544a 2024.txt"), BYTES, 1);
    uploads(path, 1, "letters of other languages");
    need(SetCurrentDirectoryW(directory), "the current directory");
    uploads(L"\x56fe\x7247 \xd83c\xdf89/\x62a5\x544a 2024.txt", 1, "a relative path, with /");
}

static void long_paths(void)
{
    static wchar_t verbatim[LONGEST] = L"\\\\?\\";
    int i;

    path_of(verbatim + 4, L"long");
    need(CreateDirectoryW(verbatim, NULL), "a directory");
    for (i = 0; i < 10; i++) {
        wcscat(verbatim, L"\\directory with a name of some length, so that the path grows");
        need(CreateDirectoryW(verbatim, NULL), "a directory in it");
    }
    make(wcscat(verbatim, L"\\file.bin"), BYTES, 2);
    need(wcslen(verbatim) > 2 * MAX_PATH, "a long path");
    uploads(verbatim + 4, 2, "a path of more than 260 characters");
    uploads(verbatim, 2, "the same, verbatim");
}

static void network_paths(const char *share)
{
    wchar_t path[MAX_PATH], unc[2 * MAX_PATH];

    make(path_of(path, L"shared.bin"), BYTES, 3);
    swprintf(unc, MAX_PATH, L"%hs\\shared.bin", share);
    uploads(unc, 3, "a network path");
    swprintf(unc, MAX_PATH, L"\\\\?\\UNC\\%hs\\shared.bin", share + 2);
    uploads(unc, 3, "a verbatim network path");
}

static void temporary_files(void)
{
    wchar_t temp[MAX_PATH], path[MAX_PATH];

    need(GetTempPathW(MAX_PATH, temp) > 0 && GetTempFileNameW(temp, L"rsp", 0, path) > 0, "%TEMP%");
    make(path, BYTES, 4);
    uploads(path, 4, "a file in %TEMP%");
    DeleteFileW(path);
}

static void files_open_elsewhere(void)
{
    resup_client *client = new_client();
    wchar_t path[MAX_PATH];
    resup_upload *upload = NULL;
    HANDLE file;

    make(path_of(path, L"open.bin"), BYTES, 5);
    file = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                       OPEN_EXISTING, 0, NULL);
    need(file != INVALID_HANDLE_VALUE, "a file open for writing");
    uploads(path, 5, "a file that a program has open and shares");

    need(CloseHandle(file), "close");

    file = CreateFileW(path, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
    need(file != INVALID_HANDLE_VALUE, "a file open for one only");
    CHECK_STATUS(resup_upload_new_file_utf16(client, units(path), &upload), RESUP_E_SOURCE_DENIED,
                 "a file that a program has for itself");
    CHECK_TEXT(resup_client_error_message(client), "open.bin", "names it");
    CHECK_TEXT(resup_client_error_message(client), "another program", "and says why");
    CloseHandle(file);
    resup_client_free(client);
}

/* Starts an upload, and waits until some of it is sent. */
static resup_upload *begun(resup_client *client, const wchar_t *path)
{
    resup_upload *upload = NULL;

    need(resup_upload_new_file_utf16(client, units(path), &upload) == RESUP_OK, "an upload");
    resup_upload_set_rate_limit(upload, BYTES);
    CHECK_STATUS(resup_upload_start(upload), RESUP_OK, "start");
    while (resup_upload_bytes_sent(upload) == 0)
        if (resup_upload_wait(upload, 1) != RESUP_PENDING)
            break;
    return upload;
}

/* Checks that a file that is uploaded is the same to its end: one byte of it changes, and no time but the one that no
   program sets. */
static void rewritten_files(void)
{
    resup_client *client = new_client();
    wchar_t path[MAX_PATH];
    resup_upload *upload;
    FILETIME time;
    HANDLE file;
    DWORD written;

    make(path_of(path, L"rewritten.bin"), BYTES, 8);
    upload = begun(client, path);
    file = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0,
                       NULL);
    need(GetFileTime(file, NULL, NULL, &time), "its time");
    CHECK(WriteFile(file, "?", 1, &written, NULL), "what is being uploaded can be changed");
    need(SetFileTime(file, NULL, NULL, &time) && CloseHandle(file), "the time as it was");
    resup_upload_set_rate_limit(upload, 0);
    CHECK_STATUS(resup_upload_wait(upload, RESUP_FOREVER), RESUP_E_SOURCE_CHANGED, "which is an error");
    CHECK_TEXT(resup_upload_error_message(upload), "changed while it was being uploaded", "with a message");
    resup_upload_free(upload);
    resup_client_free(client);
}

/* Checks that another program can replace a file while it is uploaded, and that this is an error. */
static void replaced_files(void)
{
    resup_client *client = new_client();
    wchar_t path[MAX_PATH], old[MAX_PATH], new[MAX_PATH];
    FILETIME time = {0x12345678, 0x01da0000};
    resup_upload *upload;
    int i;

    make(path_of(path, L"replaced.bin"), BYTES, 6);
    make(path_of(new, L"new.bin"), BYTES, 7);
    for (i = 0; i < 2; i++) {
        HANDLE file = CreateFileW(i ? path : new, GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);

        need(SetFileTime(file, NULL, NULL, &time) && CloseHandle(file), "the same time for both");
    }
    upload = begun(client, path);
    CHECK(MoveFileW(path, path_of(old, L"old.bin")), "what is being uploaded can be renamed");
    CHECK(MoveFileW(new, path), "and replaced");
    resup_upload_set_rate_limit(upload, 0);
    CHECK_STATUS(resup_upload_wait(upload, RESUP_FOREVER), RESUP_E_SOURCE_CHANGED, "which is an error");
    CHECK_TEXT(resup_upload_error_message(upload), "another file", "with a message");
    resup_upload_free(upload);
    resup_client_free(client);
}

static void version(void)
{
    static char info[4096];
    char *text = NULL;
    UINT length = 0;

    need(GetFileVersionInfoA("resup.dll", 0, sizeof info, info), "a version resource");
    CHECK(VerQueryValueA(info, "\\StringFileInfo\\040904B0\\FileVersion", (void **)&text, &length),
          "with a version");
    CHECK(text != NULL && strcmp(text, resup_version()) == 0, "which is the library's");
}

int main(int argc, char **argv)
{
    need(argc == 5, "usage: paths URL DIR DATA SHARE");
    url = argv[1];
    data = argv[3];
    version();
    need(GetFullPathNameA(argv[2], 0, NULL, NULL) < MAX_PATH / 2, "a short path");
    {
        wchar_t given[MAX_PATH];
        swprintf(given, MAX_PATH, L"%hs", argv[2]);
        need(GetFullPathNameW(given, MAX_PATH, directory, NULL) > 0, argv[2]);
    }
    letters();
    long_paths();
    network_paths(argv[4]);
    temporary_files();
    files_open_elsewhere();
    replaced_files();
    rewritten_files();
    return check_summary("paths");
}
