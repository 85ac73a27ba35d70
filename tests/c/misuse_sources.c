/* Files that cannot be uploaded, and servers that cannot be reached. */
#define _POSIX_C_SOURCE 200809L
#include "misuse.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 2048 };

static char *path_of(char *path, const char *name)
{
    need(strlen(misuse_dir) + strlen(name) + 2 <= PATH_SIZE, name);
    sprintf(path, "%s/%s", misuse_dir, name);
    return path;
}

/* Checks that an upload of this path is refused: nothing is written, and the message names the path. */
static void refused(resup_client *client, const char *path, resup_status status, const char *name)
{
    int place = 0;
    resup_upload *mark = (resup_upload *)(void *)&place, *out = mark;

    CHECK_STATUS(resup_upload_new_file(client, path, &out), status, name);
    CHECK(out == mark, name);
    CHECK_TEXT(resup_client_error_message(client), path, name);
}

#ifdef _WIN32
#define mkdir(path, mode) mkdir(path)
#define THROUGH_A_FILE RESUP_E_SOURCE_NOT_FOUND

static void files_of_unix(resup_client *client)
{
    (void)client;
}
#else
#define THROUGH_A_FILE RESUP_E_SOURCE_IO

static void files_of_unix(resup_client *client)
{
    char path[PATH_SIZE], longest[5000];

    memset(longest, 'p', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    refused(client, longest, RESUP_E_SOURCE_IO, "a path longer than the system takes");
    refused(client, "/dev/null", RESUP_E_SOURCE_NOT_A_FILE, "a device");
    need(mkfifo(path_of(path, "pipe"), 0600) == 0, "a FIFO");
    refused(client, path, RESUP_E_SOURCE_NOT_A_FILE, "a FIFO that nobody writes to");
    need(symlink("nowhere", path_of(path, "dangling")) == 0, "a link");
    refused(client, path, RESUP_E_SOURCE_NOT_FOUND, "a link to nowhere");
    need(symlink("loop", path_of(path, "loop")) == 0, "a link");
    refused(client, path, RESUP_E_SOURCE_IO, "a link to itself");
    make_file(path_of(path, "secret"), 5, 1);
    need(chmod(path, 0) == 0, "chmod");
    if (geteuid() == 0)
        puts("root may read every file: RESUP_E_SOURCE_DENIED is not checked");
    else
        refused(client, path, RESUP_E_SOURCE_DENIED, "a file without permission");
}
#endif

static void files_that_are_none(resup_client *client)
{
    char path[PATH_SIZE];
    resup_upload *upload = NULL;

    refused(client, path_of(path, "missing.bin"), RESUP_E_SOURCE_NOT_FOUND, "a missing file");
    refused(client, path_of(path, "no/such/dir"), RESUP_E_SOURCE_NOT_FOUND, "a missing directory");
    refused(client, "", RESUP_E_SOURCE_NOT_FOUND, "an empty path");
    refused(client, misuse_dir, RESUP_E_SOURCE_NOT_A_FILE, "a directory");
    refused(client, "/", RESUP_E_SOURCE_NOT_A_FILE, "the root");
    refused(client, "..", RESUP_E_SOURCE_NOT_A_FILE, "the directory above");
    make_file(path_of(path, "plain"), 5, 1);
    refused(client, path_of(path, "plain/inside"), THROUGH_A_FILE, "a path through a file");

    make_file(path_of(path, "changing"), 5, 1);
    need(resup_upload_new_file(client, path, &upload) == RESUP_OK, "an upload");
    need(remove(path) == 0 && mkdir(path, 0700) == 0, "a directory in the file's place");
    CHECK_STATUS(resup_upload_run(upload), RESUP_E_SOURCE_NOT_A_FILE, "a file become directory");
    CHECK_TEXT(resup_upload_error_message(upload), path, "the message names it");
    CHECK_TEXT(resup_upload_error_message(upload), "directory", "and says what it is");
    CHECK(resup_upload_state(upload) == RESUP_STATE_FAILED, "the upload failed");
    resup_upload_free(upload);
}

static void server_that_refuses(resup_client *client)
{
    resup_upload *upload = hopeless_upload(client);
    int i;

    for (i = 0; i < 2; i++) {
        CHECK_STATUS(resup_upload_run(upload), RESUP_E_CONNECT, "a connection refused");
        CHECK_TEXT(resup_upload_error_message(upload), "127.0.0.1:", "the message names the host");
        CHECK(resup_upload_is_retryable(upload) == 1, "it may be tried again");
        CHECK(resup_upload_attempts(upload) == 1, "a limit of 0 makes one attempt");
        CHECK(resup_upload_http_status(upload) == 0, "there was no response");
        CHECK(resup_upload_state(upload) == RESUP_STATE_FAILED, "the upload failed");
        CHECK(resup_upload_size(upload) == 3, "its size is known");
    }
    CHECK_STATUS(resup_client_set_retry_limit(client, 2), RESUP_OK, "a limit of 2");
    CHECK_STATUS(resup_client_set_retry_backoff(client, 1, 2), RESUP_OK, "short waits");
    CHECK_STATUS(resup_upload_run(upload), RESUP_E_CONNECT, "a connection refused three times");
    CHECK(resup_upload_attempts(upload) == 3, "a limit of 2 makes three attempts");
    resup_upload_free(upload);
}

static void server_that_is_not(void)
{
    resup_client *client = NULL;
    resup_upload *upload;

    need(resup_client_new("http://no-such-host.invalid/upload", &client) == RESUP_OK, "a client");
    CHECK_STATUS(resup_client_set_retry_limit(client, 0), RESUP_OK, "no second attempt");
    upload = hopeless_upload(client);
    CHECK_STATUS(resup_upload_run(upload), RESUP_E_RESOLVE, "an unknown host");
    CHECK_TEXT(resup_upload_error_message(upload), "no-such-host.invalid", "it is named");
    resup_upload_free(upload);
    resup_client_free(client);
}

void test_sources(void)
{
    resup_client *client = hopeless_client();

    files_that_are_none(client);
    files_of_unix(client);
    server_that_refuses(client);
    server_that_is_not();
    resup_client_free(client);
}
