/*
 * One upload, and what became of it, as lines.
 *
 *     one URL FILE [RETRY_LIMIT]
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

int main(int argc, char **argv)
{
    resup_client *client = NULL;
    resup_upload *upload = NULL;
    resup_status status;

    if (argc < 3 || resup_client_new(argv[1], &client) != RESUP_OK ||
        resup_client_set_retry_backoff(client, 1, 20) != RESUP_OK ||
        resup_client_set_stall_timeout(client, 3000) != RESUP_OK ||
        resup_client_set_retry_limit(client, argc > 3 ? (uint32_t)atoi(argv[3]) : 2) != RESUP_OK ||
        resup_upload_new_file(client, argv[2], &upload) != RESUP_OK) {
        fprintf(stderr, "usage: one URL FILE [RETRY_LIMIT]: %s\n",
                resup_client_error_message(client));
        return 2;
    }
    status = resup_upload_run(upload);
    printf("status %d\n", (int)status);
    printf("http %d\n", (int)resup_upload_http_status(upload));
    printf("retryable %d\n", (int)resup_upload_is_retryable(upload));
    printf("attempts %u\n", (unsigned)resup_upload_attempts(upload));
    line("message", resup_upload_server_message(upload));
    line("excerpt", resup_upload_server_excerpt(upload));
    line("error", resup_upload_error_message(upload));
    resup_upload_free(upload);
    resup_client_free(client);
    return 0;
}
