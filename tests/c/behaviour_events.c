/* Callbacks: replaced, removed, refused; what they may and may not do. */
#include "behaviour.h"

#include <string.h>

static int32_t quiet_progress(resup_upload *upload, uint64_t position, uint64_t size, void *data)
{
    (void)upload;
    (void)position;
    (void)size;
    ++*(int *)data;
    return RESUP_CONTINUE;
}

static int32_t quiet_state(resup_upload *upload, int32_t state, void *data)
{
    (void)upload;
    (void)state;
    ++*(int *)data;
    return RESUP_CONTINUE;
}

static int32_t quiet_complete(resup_upload *upload, resup_status status, void *data)
{
    (void)upload;
    (void)status;
    ++*(int *)data;
    return RESUP_CONTINUE;
}

static int null_destroyed;

static void destroy_null(void *data)
{
    CHECK(data == NULL, "destroy gets the NULL that was registered");
    null_destroyed++;
}

static void replaced_callbacks(void)
{
    resup_client *client = new_client(here.url);
    char path[PATH_SIZE];
    resup_upload *upload = new_upload(client, new_file(path, "replaced.bin", 4321));
    static struct events first, second;
    int calls[3] = {0, 0, 0};

    listen_to(&first, upload);
    listen_to(&second, upload);
    check_destroyed(&first, "a replaced callback's user_data is released once");
    CHECK(second.data[0].destroyed + second.data[1].destroyed + second.data[2].destroyed == 0,
          "that of the new one is not");
    CHECK_STATUS(resup_upload_run(upload), RESUP_OK, "run with replaced callbacks");
    CHECK(first.progress + first.states + first.completes == 0, "the old ones are not called");
    check_run_events(&second, RESUP_OK, "the new ones are");

    CHECK_STATUS(resup_upload_on_progress(upload, quiet_progress, &calls[0], NULL), RESUP_OK,
                 "a callback without destroy");
    CHECK_STATUS(resup_upload_on_state(upload, quiet_state, &calls[1], NULL), RESUP_OK,
                 "a state callback without destroy");
    CHECK_STATUS(resup_upload_on_complete(upload, quiet_complete, &calls[2], NULL), RESUP_OK,
                 "a completion callback without destroy");
    check_destroyed(&second, "the replaced ones are released once");
    CHECK_STATUS(resup_upload_run(upload), RESUP_OK, "run with callbacks without destroy");
    CHECK(calls[0] > 0 && calls[1] > 0 && calls[2] == 1, "they are called");

    CHECK_STATUS(resup_upload_on_progress(upload, NULL, NULL, destroy_null), RESUP_OK,
                 "no progress callback");
    CHECK_STATUS(resup_upload_on_state(upload, NULL, NULL, destroy_null), RESUP_OK,
                 "no state callback");
    CHECK_STATUS(resup_upload_on_complete(upload, NULL, NULL, destroy_null), RESUP_OK,
                 "no completion callback");
    memset(calls, 0, sizeof calls);
    CHECK_STATUS(resup_upload_run(upload), RESUP_OK, "run without callbacks");
    CHECK(calls[0] + calls[1] + calls[2] == 0, "removed callbacks are not called");
    CHECK(null_destroyed == 0, "destroy belongs to the registration, not to a run");
    CHECK_STATUS(resup_upload_free(upload), RESUP_OK, "free");
    CHECK(null_destroyed == 3, "destroy is called for a NULL callback, too");
    resup_client_free(client);
}

static void refused_registration(void)
{
    resup_client *client = new_client(here.url);
    char path[PATH_SIZE];
    resup_upload *upload = new_upload(client, new_file(path, "refused.bin", 10));
    struct callback_data data = {NULL, 0};

    CHECK_STATUS(resup_upload_on_progress(NULL, quiet_progress, &data, count_destroy),
                 RESUP_E_NULL, "on_progress without an upload");
    CHECK(data.destroyed == 1, "destroy is called at once");
    CHECK_STATUS(resup_upload_on_state((resup_upload *)client, quiet_state, &data, count_destroy),
                 RESUP_E_HANDLE_KIND, "on_state with a client");
    CHECK(data.destroyed == 2, "destroy is called at once");
    resup_upload_free(upload);
    CHECK_STATUS(resup_upload_on_complete(upload, quiet_complete, &data, count_destroy),
                 RESUP_E_FREED, "on_complete with a freed upload");
    CHECK(data.destroyed == 3, "destroy is called at once");
    resup_client_free(client);
}

/* Makes the calls that a callback may make, and those that it may not. */
static int32_t nosy(struct events *events)
{
    resup_upload *upload = events->upload;
    struct callback_data data = {NULL, 0};

    if (events->note++ > 0)
        return RESUP_CONTINUE;
    CHECK(resup_upload_state(upload) > 0, "state in a callback");
    CHECK(resup_upload_size(upload) == 5000, "size in a callback");
    (void)resup_upload_rate(upload);
    (void)resup_upload_id(upload);
    CHECK_STATUS(resup_upload_resume(upload), RESUP_OK, "resume in a callback does no harm");
    CHECK_STATUS(resup_upload_run(upload), RESUP_E_BUSY, "run in a callback");
    CHECK_STATUS(resup_upload_start(upload), RESUP_E_BUSY, "start in a callback");
    CHECK_STATUS(resup_upload_wait(upload, 0), RESUP_E_BUSY, "wait in a callback");
    CHECK_STATUS(resup_upload_set_name(upload, "n"), RESUP_E_BUSY, "set_name in a callback");
    CHECK_STATUS(resup_upload_set_segment_size(upload, 1), RESUP_E_BUSY,
                 "set_segment_size in a callback");
    CHECK_STATUS(resup_upload_free(upload), RESUP_E_BUSY, "free in a callback");
    CHECK_STATUS(resup_upload_on_progress(upload, quiet_progress, &data, count_destroy),
                 RESUP_E_BUSY, "on_progress in a callback");
    CHECK(data.destroyed == 1, "destroy is called at once");
    return RESUP_CONTINUE;
}

static int32_t nosy_state(struct events *events, int32_t state)
{
    (void)state;
    return nosy(events);
}

static void nosy_end(struct events *events)
{
    nosy(events);
    CHECK_STATUS(resup_upload_cancel(events->upload), RESUP_OK, "cancel at the end is late");
}

static void calls_from_callbacks(void)
{
    static struct events events;
    int kind;

    for (kind = 0; kind < 3; kind++) {
        resup_client *client = new_client(here.url);
        char path[PATH_SIZE], name[] = "nosy-0.bin";
        resup_upload *upload;

        name[5] = (char)('0' + kind);
        upload = new_upload(client, new_file(path, name, 5000));
        memset(&events, 0, sizeof events);
        listen_to(&events, upload);
        if (kind == 0)
            events.in_progress = nosy;
        else if (kind == 1)
            events.in_state = nosy_state;
        else
            events.in_complete = nosy_end;
        CHECK_STATUS(resup_upload_run(upload), RESUP_OK, "run with callbacks that call");
        CHECK(events.note > 0, "the callback was called");
        check_run_events(&events, RESUP_OK, "refused calls disturb nothing");
        check_stored(upload, path, "nor the file");
        CHECK_STATUS(resup_upload_free(upload), RESUP_OK, "free after the run");
        check_destroyed(&events, "each user_data is released once");
        resup_client_free(client);
    }
}

/* Frees a client: a destroy function may use the library and other handles. */
static void destroy_frees_client(void *data)
{
    CHECK_STATUS(resup_client_free(*(resup_client **)data), RESUP_OK, "free within destroy");
}

static void destroy_that_calls(void)
{
    static resup_client *client;
    char path[PATH_SIZE];
    resup_upload *upload;

    client = new_client(here.url);
    upload = new_upload(client, new_file(path, "owner.bin", 100));
    CHECK_STATUS(resup_upload_on_state(upload, NULL, &client, destroy_frees_client), RESUP_OK,
                 "an upload that owns its client");
    CHECK_STATUS(resup_upload_free(upload), RESUP_OK, "free with a destroy that calls");
    CHECK_STATUS(resup_client_free(client), RESUP_E_FREED, "the client went with its upload");
}

void test_events(void)
{
    replaced_callbacks();
    refused_registration();
    calls_from_callbacks();
    destroy_that_calls();
}
