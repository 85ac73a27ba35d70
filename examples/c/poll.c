/*
 * Uploads files side by side from one loop on one thread, as a program with a window does from its timer.
 *
 *     poll URL FILE...
 *
 * Nothing blocks, and no other thread calls the program: resup_upload_start returns at once, and resup_upload_wait
 * with a time of 0 tells what has happened since. Keys, each with Enter: p pauses, r resumes, q cancels.
 *
 * Build, at the top of the tree, after `make lib` (POSIX, for select):
 *     cc -Iinclude examples/c/poll.c -Ltarget/release -lresup -Wl,-rpath,$PWD/target/release -o poll
 */
#include <resup.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>
#include <unistd.h>

struct row {
    const char *path;
    resup_upload *upload;
    resup_status status; /* RESUP_PENDING while it goes on */
    uint32_t told;       /* the last attempt whose failure was shown */
};

/* Waits up to 100 ms for a key, as a window's event loop waits for events. Returns the key, or 0 for none. */
static int key(int *open)
{
    fd_set set;
    struct timeval tenth = {0, 100000};
    char typed = 0;

    FD_ZERO(&set);
    if (*open)
        FD_SET(STDIN_FILENO, &set);
    if (select(STDIN_FILENO + 1, &set, NULL, NULL, &tenth) <= 0)
        return 0;
    if (read(STDIN_FILENO, &typed, 1) <= 0)
        *open = 0;
    return typed;
}

/* Does what a key asks for, to all uploads. */
static void act(struct row *rows, int count, int typed)
{
    int i;

    for (i = 0; i < count; i++) {
        switch (typed) {
        case 'p': resup_upload_pause(rows[i].upload); break;
        case 'r': resup_upload_resume(rows[i].upload); break;
        case 'q': resup_upload_cancel(rows[i].upload); break;
        default: break;
        }
    }
}

/* Shows every upload that goes on, as a window's timer would. Returns how many go on. */
static int tick(struct row *rows, int count)
{
    int i, pending = 0;

    for (i = 0; i < count; i++) {
        struct row *row = &rows[i];

        if (row->status != RESUP_PENDING)
            continue;
        row->status = resup_upload_wait(row->upload, 0);
        if (row->status == RESUP_PENDING) {
            uint64_t size = resup_upload_size(row->upload);
            double percent = size ? 100.0 * (double)resup_upload_position(row->upload) / (double)size : 0.0;
            int32_t state = resup_upload_state(row->upload);
            fprintf(stderr, "%s %3.0f %%%s  ", row->path, percent,
                    state == RESUP_STATE_PAUSED ? " paused" : state == RESUP_STATE_WAITING ? " waiting" : "");
            if (state == RESUP_STATE_WAITING && row->told != resup_upload_attempts(row->upload)) {
                row->told = resup_upload_attempts(row->upload);
                fprintf(stderr, "\n%s: %s; it is tried again\n", row->path, resup_upload_error_message(row->upload));
            }
            pending++;
        } else if (row->status == RESUP_OK) {
            printf("%s: complete, id=%s\n", row->path, resup_upload_id(row->upload));
        } else {
            printf("%s: %s\n", row->path, resup_upload_error_message(row->upload));
        }
    }
    if (pending)
        fputc('\r', stderr);
    fflush(stdout);
    return pending;
}

int main(int argc, char **argv)
{
    int count = argc - 2, open = 1, failed = 0, i;
    resup_client *client;
    struct row *rows;

    if (argc < 3) {
        fprintf(stderr, "usage: poll URL FILE...\n");
        return 2;
    }
    if (resup_client_new(argv[1], &client) != RESUP_OK) {
        fprintf(stderr, "poll: %s\n", resup_client_error_message(NULL));
        return 2;
    }
    rows = calloc((size_t)count, sizeof *rows);
    if (rows == NULL)
        return 2;
    for (i = 0; i < count; i++) {
        rows[i].path = argv[i + 2];
        rows[i].status = resup_upload_new_file(client, rows[i].path, &rows[i].upload);
        if (rows[i].status != RESUP_OK)
            printf("%s: %s\n", rows[i].path, resup_client_error_message(client));
        else if (resup_upload_start(rows[i].upload) == RESUP_OK)
            rows[i].status = RESUP_PENDING;
    }
    while (tick(rows, count) > 0)
        act(rows, count, key(&open));
    for (i = 0; i < count; i++) {
        failed |= rows[i].status != RESUP_OK;
        resup_upload_free(rows[i].upload);
    }
    free(rows);
    resup_client_free(client);
    return failed;
}
