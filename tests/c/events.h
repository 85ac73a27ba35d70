/* Records what the callbacks of one upload are told, and on which thread. */
#ifndef EVENTS_H
#define EVENTS_H

#include "check.h"

#include <pthread.h>

struct events;

/* The user_data of one callback. */
struct ear {
    struct events *events;
    int destroyed;
};

struct events {
    /* Where callbacks are expected. */
    pthread_t thread;
    int on_other_threads;
    int wrong_handle;

    int progress, states, completes;
    /* Progress that went back, went past the size, or came after on_complete. */
    int backwards, past_size, late;
    uint64_t last_position, last_size;
    int32_t last_state;
    int seen[RESUP_STATE_CANCELLED + 1];
    resup_status completed_with;

    resup_upload *upload;
    struct ear ears[3];

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

/* A run has ended with this status: were its callbacks all as they have to be? */
void check_run_events(const struct events *events, resup_status status, const char *name);

/* Every user_data was let go exactly once. */
void check_destroyed(const struct events *events, const char *name);

void count_destroy(void *ear);

#endif
