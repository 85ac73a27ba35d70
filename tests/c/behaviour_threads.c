/* Many uploads at once, and calls of one upload from several threads. */
#include "behaviour.h"

#include <stdio.h>

enum { THREADS = 8, UPLOADS_EACH = 3 };

struct worker {
    pthread_t thread;
    resup_client *client;
    int number;
};

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct events events = {0};
    int i;

    for (i = 0; i < UPLOADS_EACH; i++) {
        char path[PATH_SIZE], name[64];
        resup_upload *upload;
        resup_status status;

        sprintf(name, "thread-%d-%d.bin", worker->number, i);
        make_file(path_of(path, name), 200000, (uint64_t)(1000 + worker->number * 10 + i));
        upload = new_upload(worker->client, path);
        listen_to(&events, upload);
        status = resup_upload_run(upload);
        CHECK_STATUS(status, RESUP_OK, "run beside others");
        check_run_events(&events, status, "each upload has its own events");
        check_stored(upload, path, "each upload has its own file");
        CHECK_STATUS(resup_upload_free(upload), RESUP_OK, "free beside others");
        check_destroyed(&events, "each user_data is released once");
    }
    return NULL;
}

static void many_uploads_of_one_client(void)
{
    struct worker workers[THREADS];
    resup_client *client = new_client(here.url);
    int i;

    for (i = 0; i < THREADS; i++) {
        workers[i].client = client;
        workers[i].number = i;
        need(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0, "a thread");
    }
    for (i = 0; i < THREADS; i++)
        pthread_join(workers[i].thread, NULL);
    CHECK_STATUS(resup_client_free(client), RESUP_OK, "free the client of all");
}

static void client_freed_first(void)
{
    resup_client *client = new_client(here.url);
    char path[PATH_SIZE];
    resup_upload *upload = new_upload(client, new_file(path, "orphan.bin", 300000));

    CHECK_STATUS(resup_client_free(client), RESUP_OK, "free the client first");
    CHECK_STATUS(resup_upload_run(upload), RESUP_OK, "its upload runs on");
    check_stored(upload, path, "and stores the file");
    CHECK_STATUS(resup_upload_free(upload), RESUP_OK, "free the upload");
}

static void *wait_for_the_end(void *argument)
{
    struct events *events = argument;

    expect_here(events);
    CHECK_STATUS(resup_upload_wait(events->upload, RESUP_FOREVER), RESUP_OK,
                 "wait on another thread than start's");
    return NULL;
}

static void waited_for_elsewhere(void)
{
    resup_client *client = new_client(here.url);
    char path[PATH_SIZE];
    resup_upload *upload = new_upload(client, new_file(path, "elsewhere.bin", 400000));
    static struct events events;
    pthread_t thread;

    listen_to(&events, upload);
    CHECK_STATUS(resup_upload_start(upload), RESUP_OK, "start here");
    need(pthread_create(&thread, NULL, wait_for_the_end, &events) == 0, "a thread");
    pthread_join(thread, NULL);
    check_run_events(&events, RESUP_OK, "callbacks come where wait is called");
    check_stored(upload, path, "and the file is stored");
    resup_upload_free(upload);
    resup_client_free(client);
}

struct watcher {
    resup_upload *upload;
    volatile int over;
};

static void *watch(void *argument)
{
    struct watcher *watcher = argument;
    resup_upload *upload = watcher->upload;
    unsigned long looks = 0;

    while (!watcher->over || looks == 0) {
        uint64_t size = resup_upload_size(upload);

        CHECK(resup_upload_offset(upload) <= here.big, "an offset from another thread");
        CHECK(resup_upload_position(upload) <= here.big, "a position from another thread");
        CHECK(size == 0 || size == here.big, "a size from another thread");
        CHECK(resup_upload_state(upload) > 0, "a state from another thread");
        (void)resup_upload_rate(upload);
        looks++;
        sleep_ms(1);
    }
    return NULL;
}

static void watched_from_another_thread(void)
{
    resup_client *client = new_client(here.url);
    char path[PATH_SIZE];
    struct watcher watcher = {NULL, 0};
    pthread_t thread;

    watcher.upload = new_upload(client, new_file(path, "watched.bin", here.big));
    need(pthread_create(&thread, NULL, watch, &watcher) == 0, "a thread");
    CHECK_STATUS(resup_upload_run(watcher.upload), RESUP_OK, "run while another thread looks");
    watcher.over = 1;
    pthread_join(thread, NULL);
    check_stored(watcher.upload, path, "the file is stored");
    resup_upload_free(watcher.upload);
    resup_client_free(client);
}

void test_threads(void)
{
    many_uploads_of_one_client();
    client_freed_first();
    waited_for_elsewhere();
    watched_from_another_thread();
}
