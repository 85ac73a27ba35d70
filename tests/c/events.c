#include "events.h"

#include <string.h>

static struct events *enter(resup_upload *upload, void *user_data)
{
    struct events *events = ((struct callback_data *)user_data)->events;

    if (!pthread_equal(pthread_self(), events->thread))
        events->on_other_threads++;
    if (upload != events->upload)
        events->wrong_handle++;
    if (events->completes > 0)
        events->late++;
    return events;
}

static int32_t on_progress(resup_upload *upload, uint64_t position, uint64_t size, void *user_data)
{
    struct events *events = enter(upload, user_data);

    events->progress++;
    if (position < events->last_position)
        events->backwards++;
    if (position > size)
        events->past_size++;
    events->last_position = position;
    events->last_size = size;
    return events->in_progress ? events->in_progress(events) : RESUP_CONTINUE;
}

static int32_t on_state(resup_upload *upload, int32_t state, void *user_data)
{
    struct events *events = enter(upload, user_data);

    events->states++;
    events->last_state = state;
    if (state >= RESUP_STATE_READY && state <= RESUP_STATE_CANCELLED)
        events->seen[state]++;
    return events->in_state ? events->in_state(events, state) : RESUP_CONTINUE;
}

static int32_t on_complete(resup_upload *upload, resup_status status, void *user_data)
{
    struct events *events = enter(upload, user_data);

    events->completes++;
    events->completed_with = status;
    if (events->in_complete)
        events->in_complete(events);
    return 1; /* The library ignores it. */
}

void count_destroy(void *data)
{
    ((struct callback_data *)data)->destroyed++;
}

void expect_here(struct events *events)
{
    events->thread = pthread_self();
    events->progress = events->states = events->completes = 0;
    events->backwards = events->past_size = events->late = 0;
    events->on_other_threads = events->wrong_handle = 0;
    events->last_position = events->last_size = 0;
    events->last_state = 0;
    memset(events->seen, 0, sizeof events->seen);
    events->completed_with = -1;
}

void listen_to(struct events *events, resup_upload *upload)
{
    int i;

    events->upload = upload;
    for (i = 0; i < 3; i++) {
        events->data[i].events = events;
        events->data[i].destroyed = 0;
    }
    expect_here(events);
    CHECK_STATUS(resup_upload_on_progress(upload, on_progress, &events->data[0], count_destroy),
                 RESUP_OK, "on_progress registers");
    CHECK_STATUS(resup_upload_on_state(upload, on_state, &events->data[1], count_destroy),
                 RESUP_OK, "on_state registers");
    CHECK_STATUS(resup_upload_on_complete(upload, on_complete, &events->data[2], count_destroy),
                 RESUP_OK, "on_complete registers");
}

void check_run_events(const struct events *events, resup_status status, const char *name)
{
    int32_t last = status == RESUP_OK            ? RESUP_STATE_COMPLETE
                   : status == RESUP_E_CANCELLED ? RESUP_STATE_CANCELLED
                                                 : RESUP_STATE_FAILED;

    CHECK(events->completes == 1, name);
    CHECK_STATUS(events->completed_with, status, name);
    CHECK(events->late == 0, "on_complete is the last callback");
    CHECK(events->last_state == last, "the last state is the outcome's");
    CHECK(events->seen[last] == 1, "the outcome's state comes once");
    CHECK(events->on_other_threads == 0, "callbacks come on the calling thread only");
    CHECK(events->wrong_handle == 0, "callbacks get their own upload's handle");
    CHECK(events->past_size == 0, "no position goes past the size");
    CHECK(events->progress >= 1, "on_progress is called at least once");
    CHECK(events->last_position == resup_upload_position(events->upload),
          "the last progress is where the upload ended");
    CHECK(events->last_size == resup_upload_size(events->upload), "on_progress has the size");
    if (status == RESUP_OK)
        CHECK(events->last_position == events->last_size, "success ends with all of the size");
}

void check_destroyed(const struct events *events, const char *name)
{
    int i;

    for (i = 0; i < 3; i++)
        CHECK(events->data[i].destroyed == 1, name);
}
