/*
 * One upload, and what became of it, as lines.
 *
 *     one URL FILE [RETRY_LIMIT [LIMIT_MS]]
 *
 * LIMIT_MS is the stall limit; those for connecting and for an answer are ten times that.
 */
#include <resup.h>

#include <stdio.h>
#include <stdlib.h>

static void line(const char *name, const char *text)
{
    printf("%s ", name);
    for (; text != NULL && *text != '\0'; text++)
        putchar(*text == '\n' ? ' ' : *text);
    putchar('\n');
}

/* The longest time to the next attempt that a wait began with. */
static uint32_t longest_wait;

static int32_t on_state(resup_upload *upload, int32_t state, void *user_data)
{
    uint32_t left = resup_upload_retry_in(upload);

    (void)user_data;
    if (state == RESUP_STATE_WAITING && left > longest_wait)
        longest_wait = left;
    return RESUP_CONTINUE;
}

int main(int argc, char **argv)
{
    resup_client *client = NULL;
    resup_upload *upload = NULL;
    resup_status status;
    uint32_t limit = argc > 4 ? (uint32_t)atoi(argv[4]) : 3000;

    if (argc < 3 || resup_client_new(argv[1], &client) != RESUP_OK ||
        resup_client_set_retry_backoff(client, 1, 20) != RESUP_OK ||
        resup_client_set_stall_timeout(client, limit) != RESUP_OK ||
        resup_client_set_connect_timeout(client, limit * 10) != RESUP_OK ||
        resup_client_set_response_timeout(client, limit * 10) != RESUP_OK ||
        resup_client_set_retry_limit(client, argc > 3 ? (uint32_t)atoi(argv[3]) : 2) != RESUP_OK ||
        resup_upload_new_file(client, argv[2], &upload) != RESUP_OK ||
        resup_upload_on_state(upload, on_state, NULL, NULL) != RESUP_OK) {
        fprintf(stderr, "usage: one URL FILE [RETRY_LIMIT [LIMIT_MS]]: %s\n",
                resup_client_error_message(client));
        return 2;
    }
    status = resup_upload_run(upload);
    printf("status %d\n", (int)status);
    printf("http %d\n", (int)resup_upload_http_status(upload));
    printf("retryable %d\n", (int)resup_upload_is_retryable(upload));
    printf("attempts %u\n", (unsigned)resup_upload_attempts(upload));
    printf("wait %u\n", (unsigned)longest_wait);
    line("message", resup_upload_server_message(upload));
    line("excerpt", resup_upload_server_excerpt(upload));
    line("error", resup_upload_error_message(upload));
    resup_upload_free(upload);
    resup_client_free(client);
    return 0;
}
