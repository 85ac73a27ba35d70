/*
 * Makes one upload with settings by name, and prints a report: lines of a name and a value.
 *
 *     one URL FILE [SETTING VALUE]...
 *
 * SETTING is what follows resup_ in a setter's name: "client_set_user". Where a setter takes two
 * values, VALUE has a comma between them. When one is refused, the report says so and there is no run.
 */
#include <resup.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static resup_client *client;
static resup_upload *upload;
static char second[256];

static uint64_t number(const char *value)
{
    return strtoull(value, NULL, 10);
}

static uint32_t number32(const char *value)
{
    return (uint32_t)number(value);
}

/* Returns what is before the comma, and puts what is after it into `second`. */
static const char *first(const char *value)
{
    static char text[256];
    char *comma;

    sprintf(text, "%.255s", value);
    comma = strchr(text, ',');
    second[0] = '\0';
    if (comma != NULL) {
        *comma = '\0';
        strcpy(second, comma + 1);
    }
    return text;
}

/* Converts a value in ASCII to UTF-16. */
static const uint16_t *wide(const char *value, uint16_t units[256])
{
    size_t i;

    for (i = 0; i < 255 && value[i] != '\0'; i++)
        units[i] = (unsigned char)value[i];
    units[i] = 0;
    return units;
}

#define SETTING(function, arguments) \
    if (strcmp(name, #function) == 0) \
    return resup_##function arguments

static resup_status set(const char *name, const char *value)
{
    const char *one = first(value);
    uint16_t units[256], more[256];

    SETTING(client_set_user, (client, value));
    SETTING(client_set_user_agent, (client, value));
    SETTING(client_set_protocol, (client, (int32_t)number32(value)));
    SETTING(client_set_dialect, (client, value));
    SETTING(client_set_locate_method, (client, (int32_t)number32(value)));
    SETTING(client_set_creation_with_upload, (client, (int32_t)number32(value)));
    SETTING(client_set_connect_timeout, (client, number32(value)));
    SETTING(client_set_response_timeout, (client, number32(value)));
    SETTING(client_set_stall_timeout, (client, number32(value)));
    SETTING(client_set_retry_limit, (client, number32(value)));
    SETTING(client_set_retry_timeout, (client, number32(value)));
    SETTING(client_set_retry_backoff, (client, number32(one), number32(second)));
    SETTING(client_set_rate_limit, (client, number(value)));
    SETTING(client_set_proxy, (client, value));
    SETTING(client_set_no_proxy, (client, value));
    SETTING(client_set_ca_file, (client, value));
    SETTING(client_set_ca_pem, (client, value));
    SETTING(client_set_login_form, (client, value));
    SETTING(client_set_bearer_token, (client, value));
    SETTING(client_set_trust, (client, (int32_t)number32(value)));
    SETTING(client_set_tls_verify, (client, (int32_t)number32(value)));
    SETTING(client_set_filename_style, (client, (int32_t)number32(value)));
    SETTING(client_set_signing_algorithm, (client, (int32_t)number32(value)));
    SETTING(client_set_client_certificate, (client, one, second));
    SETTING(client_set_login_field, (client, one, second));
    SETTING(client_set_basic_auth, (client, one, second));
    SETTING(client_set_header, (client, one, second));
    SETTING(client_set_cookie, (client, one, second));
    SETTING(client_set_signing_secret, (client, (const uint8_t *)value, strlen(value)));
    SETTING(client_set_ca_file_utf16, (client, wide(value, units)));
    SETTING(client_set_client_certificate_utf16, (client, wide(one, units), wide(second, more)));
    SETTING(upload_set_name, (upload, value));
    SETTING(upload_set_directory, (upload, value));
    SETTING(upload_set_content_type, (upload, value));
    SETTING(upload_set_field, (upload, one, second));
    SETTING(upload_set_digest, (upload, (int32_t)number32(value)));
    SETTING(upload_set_digest_algorithm, (upload, (int32_t)number32(value)));
    SETTING(upload_set_read_back, (upload, (int32_t)number32(value)));
    SETTING(upload_set_connections, (upload, number32(value)));
    SETTING(upload_set_parts, (upload, value));
    SETTING(upload_set_state_file, (upload, value));
    SETTING(upload_set_segment_size, (upload, number(value)));
    SETTING(upload_set_rate_limit, (upload, number(value)));
    SETTING(upload_set_state_file_utf16, (upload, wide(value, units)));
    return -1;
}

/* The longest time to the next attempt that a wait began with. */
static uint32_t longest_wait;

static int32_t on_state(resup_upload *u, int32_t state, void *user_data)
{
    (void)user_data;
    if (state == RESUP_STATE_WAITING && resup_upload_retry_in(u) > longest_wait)
        longest_wait = resup_upload_retry_in(u);
    return RESUP_CONTINUE;
}

static void line(const char *name, const char *text)
{
    printf("%s ", name);
    for (; text != NULL && *text != '\0'; text++)
        putchar(*text == '\n' ? ' ' : *text);
    putchar('\n');
}

int main(int argc, char **argv)
{
    resup_status status;
    int i;

    if (argc < 3 || resup_client_new(argv[1], &client) != RESUP_OK)
        return 2;
    status = resup_upload_new_file(client, argv[2], &upload);
    if (status != RESUP_OK) {
        printf("refused %d %s\n", (int)status, resup_client_error_message(client));
        return 0;
    }
    if (resup_upload_on_state(upload, on_state, NULL, NULL) != RESUP_OK)
        return 2;
    for (i = 3; i + 1 < argc; i += 2) {
        status = set(argv[i], argv[i + 1]);
        if (status != RESUP_OK) {
            printf("refused %d %s\n", (int)status,
                   strncmp(argv[i], "client", 6) == 0 ? resup_client_error_message(client)
                                                      : resup_upload_error_message(upload));
            return 0;
        }
    }
    status = resup_upload_run(upload);
    printf("status %d\n", (int)status);
    printf("http %d\n", (int)resup_upload_http_status(upload));
    printf("retryable %d\n", (int)resup_upload_is_retryable(upload));
    printf("attempts %u\n", (unsigned)resup_upload_attempts(upload));
    printf("wait %u\n", (unsigned)longest_wait);
    line("protocol", resup_upload_protocol(upload));
    line("message", resup_upload_server_message(upload));
    line("excerpt", resup_upload_server_excerpt(upload));
    line("error", resup_upload_error_message(upload));
    resup_upload_free(upload);
    resup_client_free(client);
    return 0;
}
