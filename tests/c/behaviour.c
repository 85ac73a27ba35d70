/*
 * Calls every function of resup.h as the rules say, and checks what it does.
 *
 *     behaviour URL DIR DATA HANG_URL MEGABYTES PATIENCE_MS
 */
#include "behaviour.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct context here;

char *path_of(char *path, const char *name)
{
    need(strlen(here.dir) + strlen(name) + 2 <= PATH_SIZE, name);
    sprintf(path, "%s/%s", here.dir, name);
    return path;
}

char *new_file(char *path, const char *name, uint64_t size)
{
    static uint64_t seed = 1;

    make_file(path_of(path, name), size, seed++);
    return path;
}

resup_client *new_client(const char *url)
{
    resup_client *client = NULL;

    need(resup_client_new(url, &client) == RESUP_OK && client != NULL, "a client");
    CHECK_STATUS(resup_client_set_retry_backoff(client, 1, 50), RESUP_OK, "short waits");
    return client;
}

resup_upload *new_upload(resup_client *client, const char *path)
{
    resup_upload *upload = NULL;

    need(resup_upload_new_file(client, path, &upload) == RESUP_OK && upload != NULL, path);
    return upload;
}

void check_stored(resup_upload *upload, const char *source, const char *name)
{
    const char *id = resup_upload_id(upload);
    char stored[PATH_SIZE];

    CHECK(resup_upload_state(upload) == RESUP_STATE_COMPLETE, name);
    CHECK(resup_upload_offset(upload) == resup_upload_size(upload), name);
    CHECK(resup_upload_position(upload) == resup_upload_size(upload), name);
    CHECK(resup_upload_http_status(upload) == 200, name);
    CHECK(resup_upload_attempts(upload) >= 1, name);
    CHECK(resup_upload_retry_in(upload) == 0, name);
    CHECK(resup_upload_rate(upload) == 0, name);
    CHECK(resup_upload_is_retryable(upload) == 0, name);
    if (!CHECK(id != NULL && strlen(id) > 0 && strlen(id) < 200, "the receiver gave an id"))
        return;
    sprintf(stored, "%.1500s/files/%s", here.data, id);
    CHECK(same_files(source, stored), name);
}

int await_state(resup_upload *upload, int32_t state)
{
    uint64_t until = now_ms() + 20000;

    while (resup_upload_state(upload) != state) {
        if (now_ms() > until)
            return CHECK(0, "a state comes in time");
        sleep_ms(1);
    }
    return 1;
}

int main(int argc, char **argv)
{
    if (argc != 7) {
        fprintf(stderr, "usage: behaviour URL DIR DATA HANG_URL MEGABYTES PATIENCE_MS\n");
        return 2;
    }
    here.url = argv[1];
    here.dir = argv[2];
    here.data = argv[3];
    here.hang_url = argv[4];
    here.big = strtoul(argv[5], NULL, 10) << 20;
    here.patience_ms = (unsigned)strtoul(argv[6], NULL, 10);
    setvbuf(stdout, NULL, _IONBF, 0);

    puts("runs");
    test_runs();
    puts("settings");
    test_settings();
    test_log();
    test_digests();
    puts("events");
    test_events();
    puts("ends");
    test_ends();
    puts("pauses");
    test_pauses();
    puts("sources");
    test_sources();
    puts("streams");
    test_streams();
    puts("threads");
    test_threads();
    return check_summary("behaviour");
}
