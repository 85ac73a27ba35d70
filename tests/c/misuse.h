/* The parts of the misuse program, and what they share. */
#ifndef MISUSE_H
#define MISUSE_H

#include "check.h"

extern const char *misuse_dir;

/* Makes a client of a port that refuses connections; it never tries again. */
resup_client *hopeless_client(void);
/* Makes an upload of a few bytes in memory. */
resup_upload *hopeless_upload(resup_client *client);

/* A call of a function that takes a handle; its other arguments are valid. */
struct upload_call {
    const char *name;
    resup_status (*call)(resup_upload *upload);
};
extern const struct upload_call upload_calls[];
extern const int upload_calls_count;

struct client_call {
    const char *name;
    resup_status (*call)(resup_client *client);
};
extern const struct client_call client_calls[];
extern const int client_calls_count;

/* Whether all getters return 0 or NULL. */
int getters_return_nothing(const resup_upload *upload);

void test_handles(void);
void test_arguments(void);
void test_sources(void);
void test_busy(void);
void test_random(uint64_t seed, unsigned long calls, unsigned long calls_of_each_thread);

#endif
