/* The behaviour test's parts and what they share. */
#ifndef BEHAVIOUR_H
#define BEHAVIOUR_H

#include "events.h"

struct context {
    const char *url;      /* a receiver */
    const char *dir;      /* for files of our own */
    const char *data;     /* the receiver's data directory */
    const char *hang_url; /* a server that takes the start of a file, and then does nothing */
    uint64_t big;         /* bytes that take a while */
    unsigned patience_ms; /* how long "at once" may take */
};
extern struct context here;

enum { PATH_SIZE = 2048 };

/* here.dir/name; in `path`, PATH_SIZE bytes. */
char *path_of(char *path, const char *name);
/* Makes the file `name` in here.dir, of bytes that no other file has. */
char *new_file(char *path, const char *name, uint64_t size);

resup_client *new_client(const char *url);
resup_upload *new_upload(resup_client *client, const char *path);

/* The upload is complete, its getters say so, and the receiver holds what `source` holds. */
void check_stored(resup_upload *upload, const char *source, const char *name);

/* Waits until the upload has this state; false if it does not come. */
int await_state(resup_upload *upload, int32_t state);

void test_runs(void);
void test_settings(void);
void test_log(void);
void test_digests(void);
void test_events(void);
void test_ends(void);
void test_pauses(void);
void test_sources(void);
void test_readers(void);
void test_threads(void);

#endif
