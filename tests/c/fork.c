/*
 * Uploads in a process and in its children, with one client.
 *
 *     fork URL FILE [CA_PEM_FILE]
 *
 * Each child is waited for before the parent goes on, so that the server can count connections.
 */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* A child that hangs is killed after so many seconds. */
#define LIMIT 30

static resup_client *client;
static const char *file;

static resup_upload *new_upload(void)
{
    resup_upload *upload;

    need(resup_upload_new_file(client, file, &upload) == RESUP_OK, "an upload");
    return upload;
}

static void upload_once(const char *name)
{
    resup_upload *upload = new_upload();

    CHECK_STATUS(resup_upload_run(upload), RESUP_OK, name);
    CHECK(resup_upload_attempts(upload) == 1, name);
    resup_upload_free(upload);
}

/* Makes a child. Returns 1 in it; in the parent 0, after the child has ended. */
static int in_child(const char *name)
{
    int status = -1;
    pid_t child;

    fflush(stdout);
    child = fork();
    need(child >= 0, "a child");
    if (child == 0) {
        alarm(LIMIT);
        return 1;
    }
    CHECK(waitpid(child, &status, 0) == child, name);
    CHECK(status == 0, name);
    return 0;
}

static void end_child(void)
{
    int status = check_summary("child");

    fflush(stdout);
    _exit(status);
}

/* A connection that is kept belongs to the process that made it. */
static void idle_client(void)
{
    upload_once("before the child");
    if (in_child("a child of an idle client")) {
        upload_once("in the child");
        end_child();
    }
    upload_once("after the child");
}

/* A run goes on in the process that started it, whatever the child does with its handle. */
static void running_upload(void)
{
    resup_upload *upload = new_upload();

    CHECK_STATUS(resup_upload_set_rate_limit(upload, 200000), RESUP_OK, "a slow upload");
    CHECK_STATUS(resup_upload_start(upload), RESUP_OK, "start");
    sleep_ms(500);
    if (in_child("a child during a run")) {
        CHECK_STATUS(resup_upload_wait(upload, 10000), RESUP_E_STATE, "wait in the child");
        CHECK_TEXT(resup_upload_error_message(upload), "fork", "the message names the cause");
        CHECK(resup_upload_state(upload) == RESUP_STATE_FAILED, "the state in the child");
        CHECK_STATUS(resup_upload_cancel(upload), RESUP_OK, "cancel in the child");
        CHECK_STATUS(resup_upload_free(upload), RESUP_OK, "free in the child");
        upload_once("in the child of a run");
        end_child();
    }
    CHECK(resup_upload_state(upload) == RESUP_STATE_SENDING, "the run is still under way");
    CHECK_STATUS(resup_upload_wait(upload, 60000), RESUP_OK, "the run in the parent");
    CHECK(resup_upload_attempts(upload) == 1, "the run was not disturbed");
    resup_upload_free(upload);
    upload_once("after the run");
}

/* In the child the upload of a run that goes on in the parent can be run again. */
static void run_again(void)
{
    resup_upload *upload = new_upload();

    CHECK_STATUS(resup_upload_set_rate_limit(upload, 200000), RESUP_OK, "a slow upload");
    CHECK_STATUS(resup_upload_start(upload), RESUP_OK, "start");
    if (in_child("a child that runs it again")) {
        CHECK_STATUS(resup_upload_wait(upload, 10000), RESUP_E_STATE, "wait in the child");
        CHECK_STATUS(resup_upload_set_rate_limit(upload, 0), RESUP_OK, "no limit");
        CHECK_STATUS(resup_upload_run(upload), RESUP_OK, "run again in the child");
        CHECK_STATUS(resup_upload_free(upload), RESUP_OK, "free in the child");
        end_child();
    }
    CHECK_STATUS(resup_upload_wait(upload, 60000), RESUP_OK, "the first run");
    resup_upload_free(upload);
}

int main(int argc, char **argv)
{
    need(argc >= 3, "URL FILE");
    file = argv[2];
    need(resup_client_new(argv[1], &client) == RESUP_OK, "a client");
    if (argc > 3)
        need(resup_client_set_ca_file(client, argv[3]) == RESUP_OK, "a CA");
    CHECK_STATUS(resup_client_set_proxy(client, "none"), RESUP_OK, "no proxy");
    idle_client();
    running_upload();
    run_again();
    resup_client_free(client);
    return check_summary("fork");
}
