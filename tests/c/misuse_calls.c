/* The table of calls: one of every function that takes a handle. */
#include "misuse.h"

#include <string.h>

/* Checks that a call wrote its output exactly when it succeeded, and returns its status. */
static resup_status check_output(resup_status status, const resup_upload *out, const resup_upload *mark)
{
    CHECK((status == RESUP_OK) == (out != mark), "an output is written on success only");
    return status;
}

static resup_status new_file(resup_client *client)
{
    int place = 0;
    resup_upload *mark = (resup_upload *)(void *)&place, *out = mark;
    resup_status status = resup_upload_new_file(client, "/no/such/file", &out);

    return check_output(status, out, mark);
}

static resup_status new_file_utf16(resup_client *client)
{
    static const uint16_t path[] = {'/', 'n', 'o', 'n', 'e', 0};
    int place = 0;
    resup_upload *mark = (resup_upload *)(void *)&place, *out = mark;
    resup_status status = resup_upload_new_file_utf16(client, path, &out);

    return check_output(status, out, mark);
}

static resup_status new_memory(resup_client *client)
{
    int place = 0;
    resup_upload *mark = (resup_upload *)(void *)&place, *out = mark;
    resup_status status = resup_upload_new_memory(client, "x", 1, "x", &out);

    if (status == RESUP_OK)
        resup_upload_free(out);
    return check_output(status, out, mark);
}

static int32_t read_nothing(void *buffer, size_t size, size_t *read, void *user_data)
{
    (void)buffer, (void)size, (void)user_data;
    *read = 0;
    return 0;
}

static int32_t seek(uint64_t offset, void *user_data)
{
    (void)offset, (void)user_data;
    return 0;
}

static int32_t size(uint64_t *bytes, void *user_data)
{
    (void)user_data;
    *bytes = 0;
    return 0;
}

static resup_status new_stream(resup_client *client)
{
    int place = 0;
    resup_upload *mark = (resup_upload *)(void *)&place, *out = mark;
    resup_status status =
        resup_upload_new_stream(client, "x", read_nothing, seek, size, NULL, NULL, &out);

    if (status == RESUP_OK)
        resup_upload_free(out);
    return check_output(status, out, mark);
}

static resup_status user(resup_client *client)
{
    return resup_client_set_user(client, "u");
}

static resup_status user_agent(resup_client *client)
{
    return resup_client_set_user_agent(client, "a");
}

static resup_status protocol(resup_client *client)
{
    return resup_client_set_protocol(client, RESUP_PROTOCOL_FORM);
}

static resup_status dialect(resup_client *client)
{
    return resup_client_set_dialect(client, "plain");
}

static resup_status locate_method(resup_client *client)
{
    return resup_client_set_locate_method(client, RESUP_LOCATE_POST);
}

static resup_status creation_with_upload(resup_client *client)
{
    return resup_client_set_creation_with_upload(client, 0);
}

static resup_status connect_timeout(resup_client *client)
{
    return resup_client_set_connect_timeout(client, 1000);
}

static resup_status response_timeout(resup_client *client)
{
    return resup_client_set_response_timeout(client, 1000);
}

static resup_status stall_timeout(resup_client *client)
{
    return resup_client_set_stall_timeout(client, 1000);
}

static resup_status retry_limit(resup_client *client)
{
    return resup_client_set_retry_limit(client, 0);
}

static resup_status retry_backoff(resup_client *client)
{
    return resup_client_set_retry_backoff(client, 1, 1);
}

static resup_status client_rate_limit(resup_client *client)
{
    return resup_client_set_rate_limit(client, 0);
}

static resup_status retry_timeout(resup_client *client)
{
    return resup_client_set_retry_timeout(client, 0);
}

static const uint16_t none[] = {'/', 'n', 'o', 0};

static resup_status proxy(resup_client *client)
{
    return resup_client_set_proxy(client, "none");
}

static resup_status no_proxy(resup_client *client)
{
    return resup_client_set_no_proxy(client, "a");
}

static resup_status trust(resup_client *client)
{
    return resup_client_set_trust(client, RESUP_TRUST_SYSTEM);
}

static resup_status ca_file(resup_client *client)
{
    return resup_client_set_ca_file(client, "/no/such/file");
}

static resup_status ca_file_utf16(resup_client *client)
{
    return resup_client_set_ca_file_utf16(client, none);
}

static resup_status ca_pem(resup_client *client)
{
    return resup_client_set_ca_pem(client, "no PEM");
}

static resup_status client_certificate(resup_client *client)
{
    return resup_client_set_client_certificate(client, "/no", "/no");
}

static resup_status client_certificate_utf16(resup_client *client)
{
    return resup_client_set_client_certificate_utf16(client, none, none);
}

static resup_status tls_verify(resup_client *client)
{
    return resup_client_set_tls_verify(client, 1);
}

static resup_status filename_style(resup_client *client)
{
    return resup_client_set_filename_style(client, RESUP_FILENAME_WHATWG);
}

static resup_status login_form(resup_client *client)
{
    return resup_client_set_login_form(client, "http://127.0.0.1:1/login");
}

static resup_status login_field(resup_client *client)
{
    return resup_client_set_login_field(client, "a", "b");
}

static resup_status basic_auth(resup_client *client)
{
    return resup_client_set_basic_auth(client, "a", "b");
}

static resup_status bearer_token(resup_client *client)
{
    return resup_client_set_bearer_token(client, "a");
}

static resup_status header(resup_client *client)
{
    return resup_client_set_header(client, "X-A", "b");
}

static resup_status cookie(resup_client *client)
{
    return resup_client_set_cookie(client, "a", "b");
}

static resup_status signing_secret(resup_client *client)
{
    return resup_client_set_signing_secret(client, (const uint8_t *)"a", 1);
}

static resup_status signing_algorithm(resup_client *client)
{
    return resup_client_set_signing_algorithm(client, RESUP_SIGNING_HMAC_SHA256);
}

static resup_status on_log(resup_client *client)
{
    return resup_client_on_log(client, RESUP_LOG_INFO, NULL, NULL, NULL);
}

const struct client_call client_calls[] = {
    {"resup_client_free", resup_client_free},
    {"resup_client_set_user", user},
    {"resup_client_set_user_agent", user_agent},
    {"resup_client_set_protocol", protocol},
    {"resup_client_set_dialect", dialect},
    {"resup_client_set_locate_method", locate_method},
    {"resup_client_set_creation_with_upload", creation_with_upload},
    {"resup_client_set_connect_timeout", connect_timeout},
    {"resup_client_set_response_timeout", response_timeout},
    {"resup_client_set_stall_timeout", stall_timeout},
    {"resup_client_set_retry_limit", retry_limit},
    {"resup_client_set_retry_backoff", retry_backoff},
    {"resup_client_set_rate_limit", client_rate_limit},
    {"resup_client_set_proxy", proxy},
    {"resup_client_set_no_proxy", no_proxy},
    {"resup_client_set_trust", trust},
    {"resup_client_set_ca_file", ca_file},
    {"resup_client_set_ca_file_utf16", ca_file_utf16},
    {"resup_client_set_ca_pem", ca_pem},
    {"resup_client_set_client_certificate", client_certificate},
    {"resup_client_set_client_certificate_utf16", client_certificate_utf16},
    {"resup_client_set_tls_verify", tls_verify},
    {"resup_client_set_filename_style", filename_style},
    {"resup_client_set_login_form", login_form},
    {"resup_client_set_login_field", login_field},
    {"resup_client_set_basic_auth", basic_auth},
    {"resup_client_set_bearer_token", bearer_token},
    {"resup_client_set_header", header},
    {"resup_client_set_cookie", cookie},
    {"resup_client_set_signing_secret", signing_secret},
    {"resup_client_set_signing_algorithm", signing_algorithm},
    {"resup_client_set_retry_timeout", retry_timeout},
    {"resup_client_on_log", on_log},
    {"resup_upload_new_file", new_file},
    {"resup_upload_new_file_utf16", new_file_utf16},
    {"resup_upload_new_memory", new_memory},
    {"resup_upload_new_stream", new_stream},
};
const int client_calls_count = (int)(sizeof client_calls / sizeof client_calls[0]);

static resup_status wait(resup_upload *upload)
{
    return resup_upload_wait(upload, 0);
}

static resup_status progress(resup_upload *upload)
{
    return resup_upload_on_progress(upload, NULL, NULL, NULL);
}

static resup_status state(resup_upload *upload)
{
    return resup_upload_on_state(upload, NULL, NULL, NULL);
}

static resup_status complete(resup_upload *upload)
{
    return resup_upload_on_complete(upload, NULL, NULL, NULL);
}

static resup_status name(resup_upload *upload)
{
    return resup_upload_set_name(upload, "n");
}

static resup_status directory(resup_upload *upload)
{
    return resup_upload_set_directory(upload, "d");
}

static resup_status content_type(resup_upload *upload)
{
    return resup_upload_set_content_type(upload, "a/b");
}

static resup_status field(resup_upload *upload)
{
    return resup_upload_set_field(upload, "k", "v");
}

static resup_status segment_size(resup_upload *upload)
{
    return resup_upload_set_segment_size(upload, 1);
}

static resup_status rate_limit(resup_upload *upload)
{
    return resup_upload_set_rate_limit(upload, 0);
}

static resup_status digest(resup_upload *upload)
{
    return resup_upload_set_digest(upload, RESUP_DIGEST_ONE_PASS);
}

static resup_status digest_algorithm(resup_upload *upload)
{
    return resup_upload_set_digest_algorithm(upload, RESUP_DIGEST_ALGORITHM_SHA256);
}

static resup_status read_back(resup_upload *upload)
{
    return resup_upload_set_read_back(upload, 1);
}

static resup_status connections(resup_upload *upload)
{
    return resup_upload_set_connections(upload, 2);
}

static resup_status parts(resup_upload *upload)
{
    return resup_upload_set_parts(upload, "{\"part_size\": 1, \"parts\": [\"http://127.0.0.1:1/1\"], "
                                          "\"complete\": \"http://127.0.0.1:1/c\"}");
}

static resup_status state_file(resup_upload *upload)
{
    return resup_upload_set_state_file(upload, "/nowhere/state");
}

static resup_status state_file_utf16(resup_upload *upload)
{
    static const uint16_t path[] = {'/', 'n', 'o', '/', 's', 0};

    return resup_upload_set_state_file_utf16(upload, path);
}

const struct upload_call upload_calls[] = {
    {"resup_upload_free", resup_upload_free},
    {"resup_upload_run", resup_upload_run},
    {"resup_upload_start", resup_upload_start},
    {"resup_upload_wait", wait},
    {"resup_upload_cancel", resup_upload_cancel},
    {"resup_upload_pause", resup_upload_pause},
    {"resup_upload_resume", resup_upload_resume},
    {"resup_upload_on_progress", progress},
    {"resup_upload_on_state", state},
    {"resup_upload_on_complete", complete},
    {"resup_upload_set_name", name},
    {"resup_upload_set_directory", directory},
    {"resup_upload_set_content_type", content_type},
    {"resup_upload_set_field", field},
    {"resup_upload_set_segment_size", segment_size},
    {"resup_upload_set_rate_limit", rate_limit},
    {"resup_upload_set_digest", digest},
    {"resup_upload_set_digest_algorithm", digest_algorithm},
    {"resup_upload_set_read_back", read_back},
    {"resup_upload_set_connections", connections},
    {"resup_upload_set_parts", parts},
    {"resup_upload_set_state_file", state_file},
    {"resup_upload_set_state_file_utf16", state_file_utf16},
};
const int upload_calls_count = (int)(sizeof upload_calls / sizeof upload_calls[0]);

int getters_return_nothing(const resup_upload *upload)
{
    return resup_upload_state(upload) == 0 && resup_upload_size(upload) == 0 &&
           resup_upload_offset(upload) == 0 && resup_upload_position(upload) == 0 &&
           resup_upload_bytes_sent(upload) == 0 && resup_upload_bytes_skipped(upload) == 0 &&
           resup_upload_rate(upload) == 0 && resup_upload_time_left(upload) == 0 &&
           resup_upload_attempts(upload) == 0 &&
           resup_upload_retry_in(upload) == 0 && resup_upload_http_status(upload) == 0 &&
           resup_upload_is_retryable(upload) == 0 && resup_upload_id(upload) == NULL &&
           resup_upload_protocol(upload) == NULL &&
           resup_upload_location(upload) == NULL && resup_upload_md5(upload) == NULL &&
           resup_upload_digest(upload) == NULL && resup_upload_digest_algorithm(upload) == 0 &&
           resup_upload_server_message(upload) == NULL &&
           resup_upload_server_excerpt(upload) == NULL &&
           resup_upload_error_message(upload) == NULL;
}
