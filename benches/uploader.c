/*
 * Uploads with the library and prints what that took; `make bench` measures it.
 *
 *     uploader [OPTION VALUE]... URL FILE...
 *
 * One client uploads the files one after the other.
 *
 *     --digest none|md5|sha256|blake3|automatic    none is the default
 *     --connections N     how many at a time, 0: as many as help
 *     --state FILE        where states of the digest are kept
 *     --segment BYTES     the most bytes of one request
 *     --stop-at BYTES     cancels the upload once so many bytes are confirmed; 0: never
 *     --seconds N         cancels the upload after that time; 0: never
 *     --ca FILE           the authorities to trust
 *     --token TOKEN       by which it is allowed to upload
 *     --cancels N         uploads the first file N times, each cancelled at a random moment
 *     --at MS             the earliest such moment: 0
 *     --within MS         the time after it in which all are: 1000
 *
 * Prints "memory KIB", what the uploads needed beyond the process before them, or "cancels N MS": how many of them
 * were under way when they were cancelled, and the most milliseconds from there to the end of the run.
 */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <resup.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *digest = "none";
static const char *connections;
static const char *state_file;
static const char *ca_file;
static const char *token;
static uint64_t segment;
static uint64_t stop_at;
static time_t stop_time;
static int cancels;
static long at_least;
static long within = 1000;

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

static double milliseconds(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
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

/* Sets the digest and the number of connections. Returns whether the library has them. */
static int set_options(resup_upload *upload)
{
    static const struct {
        const char *name;
        int32_t algorithm;
    } algorithms[] = {
        {"automatic", RESUP_DIGEST_ALGORITHM_AUTOMATIC},
        {"blake3", RESUP_DIGEST_ALGORITHM_BLAKE3},
        {"sha256", RESUP_DIGEST_ALGORITHM_SHA256},
        {"md5", RESUP_DIGEST_ALGORITHM_MD5},
    };
    size_t i;

    if (connections != NULL)
        resup_upload_set_connections(upload, (uint32_t)atoi(connections));
    if (strcmp(digest, "none") == 0)
        return resup_upload_set_digest(upload, RESUP_DIGEST_NONE) == RESUP_OK;
    resup_upload_set_digest(upload, RESUP_DIGEST_ONE_PASS);
    for (i = 0; i < sizeof algorithms / sizeof *algorithms; i++)
        if (strcmp(digest, algorithms[i].name) == 0)
            return resup_upload_set_digest_algorithm(upload, algorithms[i].algorithm) == RESUP_OK;
    return 0;
}

static resup_upload *make_upload(resup_client *client, const char *path)
{
    resup_upload *upload = NULL;

    if (!check(resup_upload_new_file(client, path, &upload), path))
        return NULL;
    if (!set_options(upload)) {
        fprintf(stderr, "the library has no such option\n");
        resup_upload_free(upload);
        return NULL;
    }
    if (state_file != NULL)
        resup_upload_set_state_file(upload, state_file);
    resup_upload_set_segment_size(upload, segment);
    return upload;
}

static resup_status upload_one(resup_client *client, const char *path)
{
    resup_upload *upload = make_upload(client, path);
    resup_status status;

    if (upload == NULL)
        return RESUP_E_ARGUMENT;
    resup_upload_on_progress(upload, on_progress, NULL, NULL);
    status = resup_upload_run(upload);
    if (status != RESUP_OK && status != RESUP_E_CANCELLED)
        fprintf(stderr, "%s: %s\n", path, resup_upload_error_message(upload));
    resup_upload_free(upload);
    return status;
}

struct moment {
    resup_upload *upload;
    long milliseconds;
    double cancelled_at;
};

static void *cancel(void *data)
{
    struct moment *moment = data;
    struct timespec wait = {moment->milliseconds / 1000, moment->milliseconds % 1000 * 1000000};

    nanosleep(&wait, NULL);
    moment->cancelled_at = milliseconds();
    resup_upload_cancel(moment->upload);
    return NULL;
}

/* Cancels uploads of a file; prints the longest time until the run returned. */
static int measure_cancels(resup_client *client, const char *path)
{
    double most = 0;
    int i, count = 0;

    srand(1);
    for (i = 0; i < cancels; i++) {
        struct moment moment = {make_upload(client, path), at_least + rand() % (within + 1), 0};
        resup_status status;
        pthread_t thread;
        double ended_at;

        if (moment.upload == NULL || pthread_create(&thread, NULL, cancel, &moment) != 0)
            return 1;
        status = resup_upload_run(moment.upload);
        ended_at = milliseconds();
        pthread_join(thread, NULL);
        if (status == RESUP_E_CANCELLED) {
            count++;
            most = ended_at - moment.cancelled_at > most ? ended_at - moment.cancelled_at : most;
        } else if (status != RESUP_OK) {
            fprintf(stderr, "%s: %s\n", path, resup_upload_error_message(moment.upload));
            return 1;
        }
        resup_upload_free(moment.upload);
    }
    printf("cancels %d %.1f\n", count, most);
    return 0;
}

/* Takes one option. Returns whether there is one of that name. */
static int take_option(const char *name, const char *value)
{
    if (strcmp(name, "--digest") == 0)
        digest = value;
    else if (strcmp(name, "--connections") == 0)
        connections = value;
    else if (strcmp(name, "--state") == 0)
        state_file = value;
    else if (strcmp(name, "--segment") == 0)
        segment = strtoull(value, NULL, 10);
    else if (strcmp(name, "--stop-at") == 0)
        stop_at = strtoull(value, NULL, 10);
    else if (strcmp(name, "--seconds") == 0)
        stop_time = atoi(value) != 0 ? time(NULL) + atoi(value) : 0;
    else if (strcmp(name, "--ca") == 0)
        ca_file = value;
    else if (strcmp(name, "--token") == 0)
        token = value;
    else if (strcmp(name, "--cancels") == 0)
        cancels = atoi(value);
    else if (strcmp(name, "--at") == 0)
        at_least = atol(value);
    else if (strcmp(name, "--within") == 0)
        within = atol(value);
    else
        return 0;
    return 1;
}

int main(int argc, char **argv)
{
    resup_client *client = NULL;
    int at = 1, failed = 0;
    long before;

    while (at + 1 < argc && strncmp(argv[at], "--", 2) == 0) {
        if (!take_option(argv[at], argv[at + 1]))
            return 2;
        at += 2;
    }
    if (argc - at < 2)
        return 2;
    if (!check(resup_client_new(argv[at], &client), argv[at]))
        return 1;
    if (ca_file != NULL && !check(resup_client_set_ca_file(client, ca_file), ca_file))
        return 1;
    if (token != NULL && !check(resup_client_set_bearer_token(client, token), "the token"))
        return 1;
    before = peak();
    if (cancels != 0) {
        failed = measure_cancels(client, argv[at + 1]);
    } else {
        while (++at < argc && !failed) {
            resup_status status = upload_one(client, argv[at]);

            if (status == RESUP_E_CANCELLED && (stop_at != 0 || stop_time != 0))
                break;
            failed = status != RESUP_OK;
        }
        printf("memory %ld\n", peak() - before);
    }
    resup_client_free(client);
    return failed;
}
