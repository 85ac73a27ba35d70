/* Calls on an upload from another thread during its run. */
#include "misuse.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static void count(void *counter)
{
    ++*(int *)counter;
}

static int32_t never_called(resup_upload *upload, int32_t state, void *data)
{
    (void)upload;
    (void)state;
    (void)data;
    CHECK(0, "a callback whose registration failed is not called");
    return 1;
}

static void *disturb(void *argument)
{
    resup_upload *upload = argument;
    char name[200];
    int i, destroyed = 0;

    while (resup_upload_state(upload) != RESUP_STATE_WAITING)
        sleep_ms(1);
    for (i = 0; i < upload_calls_count; i++) {
        const char *function = upload_calls[i].name;

        if (strcmp(function, "resup_upload_cancel") == 0 ||
            strcmp(function, "resup_upload_pause") == 0 ||
            strcmp(function, "resup_upload_resume") == 0 ||
            strcmp(function, "resup_upload_set_rate_limit") == 0)
            continue;
        sprintf(name, "%s during another thread's run", function);
        CHECK_STATUS(upload_calls[i].call(upload), RESUP_E_BUSY, name);
        CHECK_TEXT(resup_client_error_message(NULL), "call", "this thread has the message");
    }
    CHECK_STATUS(resup_upload_on_state(upload, never_called, &destroyed, count), RESUP_E_BUSY,
                 "registering during another thread's run");
    CHECK(destroyed == 1, "destroy is called at once");
    CHECK(resup_upload_attempts(upload) == 1, "getters work during another thread's run");
    CHECK_STATUS(resup_upload_cancel(upload), RESUP_OK, "cancel ends another thread's run");
    return NULL;
}

void test_busy(void)
{
    resup_client *client = hopeless_client();
    resup_upload *upload = hopeless_upload(client);
    pthread_t thread;

    CHECK_STATUS(resup_client_set_retry_limit(client, 100), RESUP_OK, "many attempts");
    CHECK_STATUS(resup_client_set_retry_backoff(client, 3600000, 3600000), RESUP_OK, "an hour");
    need(pthread_create(&thread, NULL, disturb, upload) == 0, "a thread");
    CHECK_STATUS(resup_upload_run(upload), RESUP_E_CANCELLED, "run with a thread that disturbs");
    pthread_join(thread, NULL);
    CHECK_TEXT(resup_upload_error_message(upload), "cancelled",
               "the message is that of the run, not of the refused calls");
    CHECK_STATUS(resup_upload_set_name(upload, "later"), RESUP_OK, "after it all is open again");
    CHECK_STATUS(resup_upload_free(upload), RESUP_OK, "free");
    CHECK_STATUS(resup_client_free(client), RESUP_OK, "free the client");
}
