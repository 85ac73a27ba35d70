/*
 * Uploads bytes that the program makes itself and that are in no file: the numbers from 0 on, a line each.
 *
 *     stream URL LINES
 *
 * The library asks for the size, seeks and reads, always on the thread that is inside resup_upload_run. Every byte
 * must be the same whenever it is read: after a lost connection the upload goes back to where the server is.
 *
 * Build, at the top of the tree, after `make lib`:
 *     cc -Iinclude examples/c/stream.c -Ltarget/release -lresup -Wl,-rpath,$PWD/target/release -o stream
 */
#include <resup.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE 16 /* bytes of each line: "%015lu\n" */

struct numbers {
    uint64_t size;
    uint64_t at;
};

static int32_t on_size(uint64_t *size, void *user_data)
{
    *size = ((struct numbers *)user_data)->size;
    return 0;
}

static int32_t on_seek(uint64_t offset, void *user_data)
{
    ((struct numbers *)user_data)->at = offset;
    return 0;
}

/* May give fewer bytes than asked for, here at most the rest of a line. No bytes mean the end. */
static int32_t on_read(void *buffer, size_t size, size_t *read, void *user_data)
{
    struct numbers *numbers = user_data;
    char line[32];
    size_t skip = (size_t)(numbers->at % LINE), n = LINE - skip;

    *read = 0;
    if (numbers->at >= numbers->size)
        return 0;
    sprintf(line, "%015lu\n", (unsigned long)(numbers->at / LINE));
    if (n > size)
        n = size;
    memcpy(buffer, line + skip, n);
    numbers->at += n;
    *read = n;
    return 0; /* any other number ends the upload, and is in the error message */
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

int main(int argc, char **argv)
{
    struct numbers numbers = {0, 0};
    resup_client *client;
    resup_upload *upload;
    resup_status status;

    if (argc != 3) {
        fprintf(stderr, "usage: stream URL LINES\n");
        return 2;
    }
    numbers.size = strtoul(argv[2], NULL, 10) * (uint64_t)LINE;
    if (resup_client_new(argv[1], &client) != RESUP_OK) {
        fprintf(stderr, "stream: %s\n", resup_client_error_message(NULL));
        return 2;
    }
    status = resup_upload_new_stream(client, "numbers.txt", on_read, on_seek, on_size, &numbers, NULL, &upload);
    if (status != RESUP_OK) {
        fprintf(stderr, "stream: %s\n", resup_client_error_message(client));
    } else {
        status = resup_upload_run(upload);
        if (status == RESUP_OK)
            printf("digest=%s:%s id=%s\n", algorithm_name(upload), resup_upload_digest(upload), resup_upload_id(upload));
        else
            fprintf(stderr, "stream: %s\n", resup_upload_error_message(upload));
        resup_upload_free(upload);
    }
    resup_client_free(client);
    return status != RESUP_OK;
}
