/* Cancel, pause, resume and failure; another run goes on from where the server is. */
#include "behaviour.h"

#include <stdio.h>
#include <string.h>

static int32_t cancel_by_result(struct events *events)
{
    (void)events;
    return -1;
}

static int32_t cancel_by_call(struct events *events)
{
    CHECK_STATUS(resup_upload_cancel(events->upload), RESUP_OK, "cancel in a callback");
    return RESUP_CONTINUE;
}

static int32_t cancel_when_sending(struct events *events, int32_t state)
{
    (void)events;
    return state == RESUP_STATE_SENDING ? 1 : RESUP_CONTINUE;
}

static void cancelled_in_a_callback(int kind)
{
    resup_client *client = new_client(here.url);
    char path[PATH_SIZE], name[] = "cancel-0.bin";
    static struct events events;
    resup_upload *upload;
    resup_status status;

    name[7] = (char)('0' + kind);
    upload = new_upload(client, new_file(path, name, here.big));
    memset(&events, 0, sizeof events);
    if (kind == 0)
        events.in_progress = cancel_by_result;
    else if (kind == 1)
        events.in_progress = cancel_by_call;
    else
        events.in_state = cancel_when_sending;
    listen_to(&events, upload);
    status = resup_upload_run(upload);
    CHECK_STATUS(status, RESUP_E_CANCELLED, "run ends as cancelled");
    CHECK(events.completes == 1 && events.late == 0, "on_complete is called once and last");
    CHECK_STATUS(events.completed_with, RESUP_E_CANCELLED, "on_complete gets the reason");
    CHECK(events.seen[RESUP_STATE_CANCELLED] == 1, "on_state gets the state");
    CHECK(resup_upload_state(upload) == RESUP_STATE_CANCELLED, "the state stays");
    CHECK(resup_upload_is_retryable(upload) == 0, "the program wanted the end");
    CHECK_TEXT(resup_upload_error_message(upload), "cancelled", "the message says so");

    events.in_progress = NULL;
    events.in_state = NULL;
    expect_here(&events);
    status = resup_upload_run(upload);
    CHECK_STATUS(status, RESUP_OK, "run again after cancel");
    check_run_events(&events, status, "the next run calls its callbacks as any");
    check_stored(upload, path, "the file is whole after cancel and run");
    CHECK(resup_upload_bytes_sent(upload) + resup_upload_bytes_skipped(upload) == here.big,
          "what was there was not sent again");
    resup_upload_free(upload);
    check_destroyed(&events, "each user_data is released once");
    resup_client_free(client);
}

struct canceller {
    resup_upload *upload;
    uint64_t cancelled_at;
};

static void *cancel_while_sending(void *argument)
{
    struct canceller *canceller = argument;

    await_state(canceller->upload, RESUP_STATE_SENDING);
    sleep_ms(50);
    canceller->cancelled_at = now_ms();
    CHECK_STATUS(resup_upload_cancel(canceller->upload), RESUP_OK, "cancel from another thread");
    return NULL;
}

/* Tries three times, since a busy machine can make one try late. */
static void cancelled_by_another_thread(void)
{
    uint64_t took = 0;
    int tries;

    for (tries = 0; tries < 3; tries++) {
        resup_client *client = new_client(here.hang_url);
        char path[PATH_SIZE];
        static struct events events;
        struct canceller canceller;
        pthread_t thread;
        resup_status status;

        canceller.upload = new_upload(client, new_file(path, "hang.bin", here.big));
        listen_to(&events, canceller.upload);
        need(pthread_create(&thread, NULL, cancel_while_sending, &canceller) == 0, "a thread");
        status = resup_upload_run(canceller.upload);
        pthread_join(thread, NULL);
        took = now_ms() - canceller.cancelled_at;
        CHECK_STATUS(status, RESUP_E_CANCELLED, "run ends though the server hangs");
        CHECK(events.completes == 1 && events.late == 0, "on_complete is called once and last");
        CHECK(events.on_other_threads == 0, "and on the thread of run");
        resup_upload_free(canceller.upload);
        check_destroyed(&events, "each user_data is released once");
        resup_client_free(client);
        if (took <= here.patience_ms)
            break;
    }
    printf("run returned %lu ms after cancel\n", (unsigned long)took);
    CHECK(took <= here.patience_ms, "cancel ends run in time though the server hangs");
}

static void cancelled_before_its_run(void)
{
    resup_client *client = new_client(here.url);
    char path[PATH_SIZE];
    resup_upload *upload = new_upload(client, new_file(path, "before.bin", 70000));
    static struct events events;

    listen_to(&events, upload);
    CHECK_STATUS(resup_upload_cancel(upload), RESUP_OK, "cancel before the first run");
    CHECK_STATUS(resup_upload_run(upload), RESUP_E_CANCELLED, "ends that run");
    check_run_events(&events, RESUP_E_CANCELLED, "which calls its callbacks as any");
    CHECK(resup_upload_http_status(upload) == 0, "the server was not asked");
    expect_here(&events);
    CHECK_STATUS(resup_upload_run(upload), RESUP_OK, "and no other run");
    check_run_events(&events, RESUP_OK, "the second run calls its callbacks");
    check_stored(upload, path, "the file is stored");
    CHECK_STATUS(resup_upload_cancel(upload), RESUP_OK, "cancel after the end");
    CHECK_STATUS(resup_upload_pause(upload), RESUP_OK, "pause after the end");
    CHECK(resup_upload_state(upload) == RESUP_STATE_COMPLETE, "change nothing");
    CHECK_STATUS(resup_upload_wait(upload, 0), RESUP_OK, "the outcome stays");
    CHECK_STATUS(resup_upload_run(upload), RESUP_OK, "nor do they touch the next run");
    resup_upload_free(upload);
    resup_client_free(client);
}

static void run_again_after_failure(void)
{
    resup_client *client = new_client(here.url);
    char path[PATH_SIZE], away[PATH_SIZE];
    resup_upload *upload = new_upload(client, new_file(path, "moved.bin", 80000));
    static struct events events;

    path_of(away, "moved-away.bin");
    need(rename(path, away) == 0, "rename");
    listen_to(&events, upload);
    CHECK_STATUS(resup_upload_run(upload), RESUP_E_SOURCE_NOT_FOUND, "the file is gone");
    check_run_events(&events, RESUP_E_SOURCE_NOT_FOUND, "a failure calls the callbacks as any end");
    CHECK_TEXT(resup_upload_error_message(upload), "moved.bin", "the message names the file");
    CHECK(resup_upload_is_retryable(upload) == 0, "unchanged it would fail again");
    need(rename(away, path) == 0, "rename");
    expect_here(&events);
    CHECK_STATUS(resup_upload_run(upload), RESUP_OK, "run again after failure");
    check_run_events(&events, RESUP_OK, "the second run calls its callbacks");
    check_stored(upload, path, "the file is stored");
    resup_upload_free(upload);
    check_destroyed(&events, "each user_data is released once");
    resup_client_free(client);
}

static void waiting_to_retry(void)
{
    resup_client *client = new_client(refusing_url());
    char path[PATH_SIZE];
    resup_upload *upload = new_upload(client, new_file(path, "retry.bin", 10));
    uint32_t most = 0;
    int i;

    CHECK_STATUS(resup_client_set_retry_backoff(client, 3600000, 3600000), RESUP_OK, "an hour");
    CHECK_STATUS(resup_upload_start(upload), RESUP_OK, "start towards nobody");
    await_state(upload, RESUP_STATE_WAITING);
    for (i = 0; i < 3; i++) {
        uint32_t left = resup_upload_retry_in(upload);
        most = left > most ? left : most;
    }
    CHECK(most > 0 && most <= 3600000, "the time to the next attempt is known");
    CHECK(resup_upload_attempts(upload) == 1, "one attempt was made");
    CHECK(strstr(resup_upload_error_message(upload), "no connection to 127.0.0.1:") != NULL, "it tells why it waits");
    CHECK_STATUS(resup_upload_cancel(upload), RESUP_OK, "cancel while it waits");
    CHECK_STATUS(resup_upload_wait(upload, RESUP_FOREVER), RESUP_E_CANCELLED, "ends the wait");
    CHECK(resup_upload_retry_in(upload) == 0, "and nothing waits any more");
    CHECK(strcmp(resup_upload_error_message(upload), "the upload was cancelled") == 0, "and tells of the cancel");
    CHECK_STATUS(resup_upload_wait(upload, 0), RESUP_E_CANCELLED, "which stays the outcome");
    resup_upload_free(upload);
    resup_client_free(client);
}

void test_ends(void)
{
    cancelled_in_a_callback(0);
    cancelled_in_a_callback(1);
    cancelled_in_a_callback(2);
    cancelled_by_another_thread();
    cancelled_before_its_run();
    run_again_after_failure();
    waiting_to_retry();
}

static int32_t pause_when_sending(struct events *events, int32_t state)
{
    if (state == RESUP_STATE_SENDING && events->note++ == 0)
        CHECK_STATUS(resup_upload_pause(events->upload), RESUP_OK, "pause in a callback");
    return RESUP_CONTINUE;
}

static void *resume_when_paused(void *argument)
{
    resup_upload *upload = argument;
    uint64_t sent;
    int looks = 0;

    await_state(upload, RESUP_STATE_PAUSED);
    do { /* A block may still be sent when the pause comes. */
        sent = resup_upload_bytes_sent(upload);
        sleep_ms(30);
    } while (resup_upload_bytes_sent(upload) != sent && ++looks < 20);
    sleep_ms(30);
    CHECK(resup_upload_state(upload) == RESUP_STATE_PAUSED, "paused stays paused");
    CHECK(resup_upload_bytes_sent(upload) == sent, "nothing is sent meanwhile");
    CHECK_STATUS(resup_upload_resume(upload), RESUP_OK, "resume from another thread");
    return NULL;
}

static void paused_and_resumed(void)
{
    resup_client *client = new_client(here.url);
    char path[PATH_SIZE];
    static struct events events;
    resup_upload *upload = new_upload(client, new_file(path, "pause.bin", here.big));
    pthread_t thread;
    resup_status status;

    listen_to(&events, upload);
    events.in_state = pause_when_sending;
    need(pthread_create(&thread, NULL, resume_when_paused, upload) == 0, "a thread");
    status = resup_upload_run(upload);
    pthread_join(thread, NULL);
    CHECK_STATUS(status, RESUP_OK, "a paused upload ends well");
    check_run_events(&events, status, "its events are whole");
    check_stored(upload, path, "so is its file");
    CHECK(events.seen[RESUP_STATE_PAUSED] == 1, "on_state gets the pause once");
    CHECK(resup_upload_attempts(upload) == 2, "after a pause the server is asked again");
    resup_upload_free(upload);
    check_destroyed(&events, "each user_data is released once");
    resup_client_free(client);
}

static void paused_before_its_run(void)
{
    resup_client *client = new_client(here.url);
    char path[PATH_SIZE];
    resup_upload *upload = new_upload(client, new_file(path, "pause-first.bin", 60000));

    CHECK_STATUS(resup_upload_pause(upload), RESUP_OK, "pause before the first run");
    CHECK_STATUS(resup_upload_start(upload), RESUP_OK, "start");
    await_state(upload, RESUP_STATE_PAUSED);
    CHECK_STATUS(resup_upload_wait(upload, 20), RESUP_PENDING, "it waits for resume");
    CHECK(resup_upload_attempts(upload) == 0, "the server was not asked");
    CHECK_STATUS(resup_upload_resume(upload), RESUP_OK, "resume");
    CHECK_STATUS(resup_upload_wait(upload, RESUP_FOREVER), RESUP_OK, "it goes on to its end");
    check_stored(upload, path, "its file is stored");
    resup_upload_free(upload);

    upload = new_upload(client, path);
    CHECK_STATUS(resup_upload_pause(upload), RESUP_OK, "pause");
    CHECK_STATUS(resup_upload_start(upload), RESUP_OK, "start");
    await_state(upload, RESUP_STATE_PAUSED);
    CHECK_STATUS(resup_upload_cancel(upload), RESUP_OK, "cancel a paused upload");
    CHECK_STATUS(resup_upload_resume(upload), RESUP_OK, "resume after cancel is late");
    CHECK_STATUS(resup_upload_wait(upload, RESUP_FOREVER), RESUP_E_CANCELLED, "cancel is final");
    resup_upload_free(upload);
    resup_client_free(client);
}

void test_pauses(void)
{
    paused_and_resumed();
    paused_before_its_run();
}
