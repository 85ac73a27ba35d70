/*
 * Uploads a file and shows how far it is.
 *
 *     upload URL FILE
 *
 * Run it again after it was interrupted, for whatever reason: it goes on from what the server
 * has. Ctrl-C ends it cleanly. Progress goes to stderr, the result, one line, to stdout.
 *
 * Build, at the top of the tree, after `make lib`:
 *     cc -Iinclude examples/c/upload.c -Ltarget/release -lresup -Wl,-rpath,$PWD/target/release -o upload
 */
#include <resup.h>
#include <signal.h>
#include <stdio.h>

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

static const char *state_name(int32_t state)
{
    switch (state) {
    case RESUP_STATE_HASHING: return "reading";
    case RESUP_STATE_LOCATING: return "asking";
    case RESUP_STATE_SENDING: return "sending";
    case RESUP_STATE_VERIFYING: return "verifying";
    case RESUP_STATE_WAITING: return "waiting";
    case RESUP_STATE_PAUSED: return "paused";
    case RESUP_STATE_COMPLETE: return "complete";
    case RESUP_STATE_FAILED: return "failed";
    case RESUP_STATE_CANCELLED: return "cancelled";
    default: return "ready";
    }
}

static const char *algorithm_name(const resup_upload *upload)
{
    switch (resup_upload_digest_algorithm(upload)) {
    case RESUP_DIGEST_ALGORITHM_BLAKE3: return "blake3";
    case RESUP_DIGEST_ALGORITHM_SHA256: return "sha256";
    case RESUP_DIGEST_ALGORITHM_MD5: return "md5";
    default: return "none";
    }
}

/* Writes the line again, over the last one. */
static void show(resup_upload *upload)
{
    double size = (double)resup_upload_size(upload);
    double position = (double)resup_upload_position(upload);
    double percent = size > 0 ? 100.0 * position / size : 0.0;
    int filled = (int)(percent / 100.0 * 30.0);
    static const char bar[] = "##############################..............................";

    fprintf(stderr, "\r[%.30s] %5.1f %%  %8.1f of %.1f MB  %7.1f MB/s  %-9s ", bar + 30 - filled,
            percent, position / 1e6, size / 1e6, (double)resup_upload_rate(upload) / 1e6,
            state_name(resup_upload_state(upload)));
    fflush(stderr);
}

/* Anything but RESUP_CONTINUE, which is 0, cancels. */
static int32_t on_progress(resup_upload *upload, uint64_t position, uint64_t size, void *user_data)
{
    (void)position;
    (void)size;
    (void)user_data;
    show(upload);
    return interrupted;
}

static int32_t on_state(resup_upload *upload, int32_t state, void *user_data)
{
    (void)user_data;
    show(upload);
    if (state == RESUP_STATE_WAITING)
        fprintf(stderr, "\n%s; next attempt in %.1f s\n", resup_upload_error_message(upload),
                resup_upload_retry_in(upload) / 1e3);
    return interrupted;
}

int main(int argc, char **argv)
{
    resup_client *client = NULL;
    resup_upload *upload = NULL;
    resup_status status;

    if (argc != 3) {
        fprintf(stderr, "usage: upload URL FILE\n");
        return 2;
    }
    status = resup_client_new(argv[1], &client);
    if (status != RESUP_OK) {
        fprintf(stderr, "upload: %s\n", resup_client_error_message(NULL));
        return 2;
    }
    status = resup_upload_new_file(client, argv[2], &upload);
    if (status != RESUP_OK) {
        fprintf(stderr, "upload: %s\n", resup_client_error_message(client));
        resup_client_free(client);
        return 2;
    }
    /* A server of tus takes the file, too. For another run of this program to go on there, one line more:
     * resup_upload_set_state_file(upload, "upload.state"); */
    signal(SIGINT, on_interrupt);
    resup_upload_on_progress(upload, on_progress, NULL, NULL);
    resup_upload_on_state(upload, on_state, NULL, NULL);

    /* Not run, but start and wait: then Ctrl-C is noticed also while nothing happens. */
    status = resup_upload_start(upload);
    if (status == RESUP_OK) {
        while ((status = resup_upload_wait(upload, 100)) == RESUP_PENDING) {
            if (interrupted)
                resup_upload_cancel(upload);
        }
    }
    fprintf(stderr, "\n");

    if (status == RESUP_OK) {
        const char *digest = resup_upload_digest(upload);
        const char *id = resup_upload_id(upload);
        printf("complete size=%.0f sent=%.0f skipped=%.0f attempts=%lu digest=%s:%s id=%s\n",
               (double)resup_upload_size(upload), (double)resup_upload_bytes_sent(upload),
               (double)resup_upload_bytes_skipped(upload),
               (unsigned long)resup_upload_attempts(upload), algorithm_name(upload), digest ? digest : "-",
               id ? id : "-");
    } else {
        fprintf(stderr, "upload: %s\n", resup_upload_error_message(upload));
        if (resup_upload_is_retryable(upload))
            fprintf(stderr, "upload: run it again to go on\n");
    }
    resup_upload_free(upload);
    resup_client_free(client);
    return status == RESUP_OK ? 0 : 1;
}
