/* Records the calls of one upload's callbacks, and their threads. */
#ifndef EVENTS_H
#define EVENTS_H

#include "check.h"

#include <pthread.h>

struct events;

/* The user_data of one callback. */
struct callback_data {
    struct events *events;
    int destroyed;
};

/* The calls so far, and what to do within them. */
struct events {
    /* The thread on which callbacks are expected. */
    pthread_t thread;
    int on_other_threads;
    int wrong_handle;

    int progress, states, completes;
    /* Calls of on_progress that went back or past the size; calls after on_complete. */
    int backwards, past_size, late;
    uint64_t last_position, last_size;
    int32_t last_state;
    int seen[RESUP_STATE_CANCELLED + 1];
    resup_status completed_with;

    resup_upload *upload;
    struct callback_data data[3];

    /* Called from within the callbacks where set; what they return goes to the library. */
    int32_t (*in_progress)(struct events *);
    int32_t (*in_state)(struct events *, int32_t state);
    void (*in_complete)(struct events *);
    int note;
};

/* Forgets what was counted and expects the callbacks on this thread. */
void expect_here(struct events *events);

/* Registers all three callbacks, each with a user_data of its own. */
void listen_to(struct events *events, resup_upload *upload);

/* Checks the callbacks of a run that ended with this status. */
void check_run_events(const struct events *events, resup_status status, const char *name);

/* Checks that every user_data was released exactly once. */
void check_destroyed(const struct events *events, const char *name);

/* Counts a call of the destroy function. */
void count_destroy(void *data);

#endif
