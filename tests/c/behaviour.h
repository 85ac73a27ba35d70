/* The parts of the behaviour program, and what they share. */
#ifndef BEHAVIOUR_H
#define BEHAVIOUR_H

#include "events.h"

/* The arguments of the program. */
struct context {
    const char *url;      /* a receiver */
    const char *dir;      /* for our own files */
    const char *data;     /* the receiver's data directory */
    const char *hang_url; /* a server that reads the start of a file, and then does nothing */
    uint64_t big;         /* the size of a file that takes a while */
    unsigned patience_ms; /* how long "at once" may take */
};
extern struct context here;

enum { PATH_SIZE = 2048 };

/* Writes here.dir/name into `path`, which has PATH_SIZE bytes, and returns it. */
char *path_of(char *path, const char *name);
/* Makes the file `name` in here.dir, of bytes that no other file has. */
char *new_file(char *path, const char *name, uint64_t size);

resup_client *new_client(const char *url);
resup_upload *new_upload(resup_client *client, const char *path);

/* Checks that the upload is complete, that its getters say so, and that the receiver holds what `source` holds. */
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
void test_streams(void);
void test_threads(void);

#endif
