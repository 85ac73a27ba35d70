/*
 * Uploads with the library and prints how much memory that took; `make bench` measures it.
 *
 *     uploader URL none|md5 STATE_FILE|- SEGMENT STOP_AT SECONDS FILE...
 *
 * One client uploads the files one after the other. STOP_AT cancels the upload once so many bytes are
 * confirmed, SECONDS after so much time; 0 does not cancel.
 */
#include <resup.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t stop_at;
static time_t stop_time;

/* Reads the most memory that this process has had, in KiB. */
static long peak(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    long kib = 0;

    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "VmHWM: %ld", &kib) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return kib;
}

static int32_t on_progress(resup_upload *upload, uint64_t position, uint64_t size, void *user_data)
{
    (void)position, (void)size, (void)user_data;
    if (stop_at != 0 && resup_upload_offset(upload) >= stop_at)
        return 1;
    return stop_time != 0 && time(NULL) >= stop_time;
}

static int check(resup_status status, const char *what)
{
    if (status != RESUP_OK)
        fprintf(stderr, "%s: %s\n", what, resup_client_error_message(NULL));
    return status == RESUP_OK;
}

static resup_status upload_one(resup_client *client, char **argv, const char *path)
{
    resup_upload *upload = NULL;
    resup_status status;

    if (!check(resup_upload_new_file(client, path, &upload), path))
        return RESUP_E_ARGUMENT;
    resup_upload_set_digest(upload, strcmp(argv[2], "md5") == 0 ? RESUP_DIGEST_ONE_PASS
                                                                : RESUP_DIGEST_NONE);
    resup_upload_set_digest_algorithm(upload, RESUP_DIGEST_ALGORITHM_MD5);
    if (strcmp(argv[3], "-") != 0)
        resup_upload_set_state_file(upload, argv[3]);
    resup_upload_set_segment_size(upload, strtoull(argv[4], NULL, 10));
    resup_upload_on_progress(upload, on_progress, NULL, NULL);
    status = resup_upload_run(upload);
    if (status != RESUP_OK && status != RESUP_E_CANCELLED)
        fprintf(stderr, "%s: %s\n", path, resup_upload_error_message(upload));
    resup_upload_free(upload);
    return status;
}

int main(int argc, char **argv)
{
    resup_client *client = NULL;
    long before;
    int i;

    if (argc < 8)
        return 2;
    stop_at = strtoull(argv[5], NULL, 10);
    if (atoi(argv[6]) != 0)
        stop_time = time(NULL) + atoi(argv[6]);
    if (!check(resup_client_new(argv[1], &client), argv[1]))
        return 1;
    before = peak();
    for (i = 7; i < argc; i++) {
        resup_status status = upload_one(client, argv, argv[i]);
        if (status == RESUP_E_CANCELLED && (stop_at != 0 || stop_time != 0))
            break;
        if (status != RESUP_OK)
            return 1;
    }
    printf("%ld\n", peak() - before);
    resup_client_free(client);
    return 0;
}
