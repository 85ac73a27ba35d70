/*
 * Makes mistakes, and prints a line for each: its name, the status, the message. tests/errors/messages.rs compares them
 * with docs/ERRORS.md and with tests/mistakes.txt.
 */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void tell(const char *name, resup_status status, const char *message)
{
    printf("%s %d %s\n", name, (int)status, message != NULL ? message : "(no message)");
}

/* Prints the message of a call without a usable handle. */
static void tell_last(const char *name, resup_status status)
{
    tell(name, status, resup_client_error_message(NULL));
}

static void tell_client(const char *name, resup_status status, resup_client *client)
{
    tell(name, status, resup_client_error_message(client));
}

static void tell_upload(const char *name, resup_status status, resup_upload *upload)
{
    tell(name, status, resup_upload_error_message(upload));
}

static int32_t size_of_8(uint64_t *size, void *user_data)
{
    (void)user_data;
    *size = 8;
    return 0;
}

static int32_t seek_nowhere(uint64_t offset, void *user_data)
{
    (void)offset;
    (void)user_data;
    return 0;
}

static int32_t read_fails(void *buffer, size_t size, size_t *read, void *user_data)
{
    (void)buffer;
    (void)size;
    (void)user_data;
    *read = 0;
    return 7;
}

/* Makes a call that a callback may not make, and cancels. */
static int32_t call_from_callback(resup_upload *upload, int32_t state, void *user_data)
{
    int *calls = user_data;

    (void)state;
    if ((*calls)++ == 0)
        tell_last("busy", resup_upload_set_name(upload, "b"));
    return RESUP_CONTINUE + 1;
}

static resup_upload *new_upload(resup_client *client)
{
    resup_upload *upload = NULL;

    need(resup_upload_new_memory(client, "abc", 3, "a", &upload) == RESUP_OK, "an upload");
    return upload;
}

static void handles(resup_client *client)
{
    resup_upload *upload = NULL, *freed = new_upload(client);
    int no_handle = 0;

    tell_client("null", resup_upload_new_file(client, NULL, &upload), client);
    tell_last("handle", resup_upload_start((resup_upload *)(void *)&no_handle));
    resup_upload_free(freed);
    tell_last("freed", resup_upload_start(freed));
    tell_last("kind", resup_upload_start((resup_upload *)(void *)client));
}

static void values(resup_client *client)
{
    resup_upload *upload = NULL, *good = new_upload(client);
    resup_client *none = NULL;
    static char user[70001];

    tell_upload("utf8", resup_upload_set_name(good, "abc\xff"), good);
    tell_upload("argument", resup_upload_set_name(good, "a/b"), good);
    tell_last("url", resup_client_new("ftp://example.org/", &none));
    tell_last("scheme", resup_client_new("127.0.0.1:8080/upload", &none));
    tell_client("missing", resup_upload_new_file(client, "no/such/file", &upload), client);
    tell_client("timeout", resup_client_set_connect_timeout(client, 0), client);
    tell_client("system", resup_upload_new_memory(client, "abc", SIZE_MAX, "a", &upload), client);

    memset(user, 'u', sizeof user - 1);
    need(resup_client_set_user(client, user) == RESUP_OK, "a long user name");
    need(resup_client_set_locate_method(client, RESUP_LOCATE_GET) == RESUP_OK, "GET");
    tell_upload("get", resup_upload_run(good), good);
    need(resup_client_set_locate_method(client, RESUP_LOCATE_POST) == RESUP_OK, "POST");
    resup_upload_free(good);
}

static void streams(resup_client *client)
{
    resup_upload *upload = NULL;
    resup_status status;

    status = resup_upload_new_stream(client, "a", read_fails, NULL, size_of_8, NULL, NULL, &upload);
    tell_client("stream", status, client);
    status = resup_upload_new_stream(client, "a", read_fails, seek_nowhere, size_of_8, NULL, NULL, &upload);
    need(status == RESUP_OK, "a stream");
    tell_upload("read", resup_upload_run(upload), upload);
    resup_upload_free(upload);
}

static void runs(resup_client *client)
{
    resup_upload *upload = new_upload(client);
    int calls = 0;

    need(resup_upload_on_state(upload, call_from_callback, &calls, NULL) == RESUP_OK, "a callback");
    tell_upload("cancelled", resup_upload_run(upload), upload);
    resup_upload_free(upload);

    upload = new_upload(client);
    tell_upload("early", resup_upload_wait(upload, 0), upload);
    need(resup_upload_start(upload) == RESUP_OK, "a start");
    tell_upload("state", resup_upload_start(upload), upload);
    tell_upload("setting", resup_upload_set_name(upload, "b"), upload);
    resup_upload_free(upload);
}

/* Waits in a child for a run of its parent. */
static void forks(resup_client *client)
{
    resup_upload *upload = new_upload(client);
    pid_t child;

    need(resup_client_set_retry_limit(client, 8) == RESUP_OK, "more attempts");
    need(resup_client_set_retry_backoff(client, 60000, 60000) == RESUP_OK, "long waits");
    need(resup_upload_start(upload) == RESUP_OK, "a start");
    fflush(stdout);
    child = fork();
    if (child == 0) {
        tell_upload("forked", resup_upload_wait(upload, 10000), upload);
        fflush(stdout);
        _exit(0);
    }
    need(waitpid(child, NULL, 0) == child, "a child");
    resup_upload_free(upload);
}

int main(void)
{
    resup_client *client = NULL;

    need(resup_client_new(refusing_url(), &client) == RESUP_OK, "a client");
    need(resup_client_set_retry_limit(client, 0) == RESUP_OK, "no second attempt");
    handles(client);
    values(client);
    streams(client);
    runs(client);
    forks(client);
    resup_client_free(client);
    return 0;
}
