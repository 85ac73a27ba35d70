/*
 * Calls resup.h wrongly, and checks that each call gets a status and a message and that none crashes.
 *
 *     misuse DIR CALLS CALLS_OF_EACH_THREAD
 *
 * RESUP_TEST_SEED repeats the random part.
 */
#include "misuse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *misuse_dir;

resup_client *hopeless_client(void)
{
    resup_client *client = NULL;

    need(resup_client_new(refusing_url(), &client) == RESUP_OK, "a client");
    CHECK_STATUS(resup_client_set_retry_limit(client, 0), RESUP_OK, "no second attempt");
    return client;
}

resup_upload *hopeless_upload(resup_client *client)
{
    resup_upload *upload = NULL;

    need(resup_upload_new_memory(client, "abc", 3, "abc", &upload) == RESUP_OK, "an upload");
    return upload;
}

static void status_messages(void)
{
    const char *unknown = resup_status_message(-1);
    int i, j;

    CHECK_TEXT(unknown, "unknown", "the message of an unknown status says so");
    for (i = 0; i < known_statuses_count; i++) {
        const char *message = resup_status_message(known_statuses[i]);

        CHECK(message != NULL && strlen(message) > 3, "a status has a message");
        CHECK(strcmp(message, unknown) != 0, "a status of the header is known");
        for (j = 0; j < i; j++)
            CHECK(strcmp(message, resup_status_message(known_statuses[j])) != 0,
                  "a status has a message of its own");
    }
    for (i = -300; i < 3000; i++)
        if (!is_known_status(i))
            CHECK(strcmp(resup_status_message(i), unknown) == 0, "another number is unknown");
    CHECK(strcmp(resup_status_message(INT32_MIN), unknown) == 0, "the least number is unknown");
    CHECK(strcmp(resup_status_message(INT32_MAX), unknown) == 0, "so is the greatest");
}

int main(int argc, char **argv)
{
    const char *given = getenv("RESUP_TEST_SEED");
    uint64_t seed = given ? strtoul(given, NULL, 10) : (uint64_t)time(NULL) ^ now_ms() << 20;

    if (argc != 4) {
        fprintf(stderr, "usage: misuse DIR CALLS CALLS_OF_EACH_THREAD\n");
        return 2;
    }
    misuse_dir = argv[1];
    setvbuf(stdout, NULL, _IONBF, 0);
    puts("statuses");
    status_messages();
    puts("handles");
    test_handles();
    puts("arguments");
    test_arguments();
    puts("sources");
    test_sources();
    puts("busy");
    test_busy();
    printf("random, RESUP_TEST_SEED=%lu\n", (unsigned long)seed);
    test_random(seed, strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10));
    return check_summary("misuse");
}
