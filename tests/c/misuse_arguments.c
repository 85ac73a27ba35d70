/* NULL, invalid text and impossible values for every argument. */
#include "misuse.h"

#include <stdio.h>
#include <string.h>

/* On Windows a file may have a name that is not valid UTF-16, elsewhere one that is not UTF-8. */
#ifdef _WIN32
#define NO_UTF16 RESUP_E_SOURCE_NOT_FOUND
#define NO_UTF16_TEXT "does not exist"
#define NO_UTF8 RESUP_E_UTF8
#else
#define NO_UTF16 RESUP_E_UTF8
#define NO_UTF16_TEXT "UTF-16"
#define NO_UTF8 RESUP_E_SOURCE_NOT_FOUND
#endif

static const char *const invalid_utf8[] = {
    "\xff", "a\xc0\xaf", "\xed\xa0\x80", "tail\xe4\xbd", "\xf4\x90\x80\x80", "\x80x",
};
enum { INVALID_UTF8 = sizeof invalid_utf8 / sizeof invalid_utf8[0] };

static void endpoints(void)
{
    static const char *const urls[] = {
        "", " ", "http://", "http:///x", "https://", "upload", "/upload", "example.org/upload",
        "ftp://example.org/", "file:///etc/passwd", "http://host:0/", "http://host:65536/",
        "http://host:99999999999999999999/", "http://host:x/", "http://ho st/", "http://h/a b",
        " http://host/", "http://host/ ", "http://host/\n", "http://host/#part", "http://[::1/",
        "http://user:pass@host/", "http://文件/", "http://h/\x01", "http:/host/", "http:host",
        "http://%zz/", "javascript:alert(1)", "mailto:a@b.c",
    };
    int place = 0;
    resup_client *mark = (resup_client *)(void *)&place, *out = mark;
    static char longest[100000];
    size_t i;

    for (i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        CHECK_STATUS(resup_client_new(urls[i], &out), RESUP_E_URL, urls[i]);
        CHECK(out == mark, "a refused URL writes nothing");
        CHECK_TEXT(resup_client_error_message(NULL), "URL", "the message says that it is the URL");
    }
    CHECK_STATUS(resup_client_new("ftp://example.org/", &out), RESUP_E_URL, "ftp");
    CHECK_TEXT(resup_client_error_message(NULL), "ftp", "the message names the scheme");
    CHECK_STATUS(resup_client_new("http://joe:secret@host/", &out), RESUP_E_URL, "a password");
    CHECK(strstr(resup_client_error_message(NULL), "secret") == NULL, "a password is not shown");
    memset(longest, 'a', sizeof longest - 1);
    CHECK_STATUS(resup_client_new(longest, &out), RESUP_E_URL, "a long URL");
    CHECK(strlen(resup_client_error_message(NULL)) < 2000, "a long URL is not shown whole");
    memcpy(longest, "http://host/", 12);
    CHECK_STATUS(resup_client_new(longest, &out), RESUP_E_URL, "a long path");

    CHECK_STATUS(resup_client_new(NULL, &out), RESUP_E_NULL, "no URL");
    CHECK_TEXT(resup_client_error_message(NULL), "endpoint", "the message names the argument");
    CHECK_STATUS(resup_client_new("http://host/", NULL), RESUP_E_NULL, "no place for a client");
    CHECK_TEXT(resup_client_error_message(NULL), "client", "the message names the place");
    CHECK_STATUS(resup_client_new(NULL, NULL), RESUP_E_NULL, "nothing at all");
    for (i = 0; i < INVALID_UTF8; i++)
        CHECK_STATUS(resup_client_new(invalid_utf8[i], &out), RESUP_E_UTF8, "a URL in invalid UTF-8");
    CHECK(out == mark, "none of these wrote a client");
}

typedef resup_status (*set_client_text)(resup_client *, const char *);
typedef resup_status (*set_client_time)(resup_client *, uint32_t);

static void client_settings(void)
{
    static const struct {
        const char *name;
        set_client_text set;
    } texts[] = {{"user", resup_client_set_user}, {"user agent", resup_client_set_user_agent}};
    static const struct {
        const char *name;
        set_client_time set;
    } times[] = {{"connect timeout", resup_client_set_connect_timeout},
                 {"response timeout", resup_client_set_response_timeout},
                 {"stall timeout", resup_client_set_stall_timeout}};
    resup_client *client = hopeless_client();
    size_t i, j;

    for (i = 0; i < 2; i++) {
        CHECK_STATUS(texts[i].set(client, NULL), RESUP_E_NULL, texts[i].name);
        CHECK_TEXT(resup_client_error_message(client), texts[i].name, "a NULL is named");
        CHECK_STATUS(texts[i].set(client, ""), RESUP_E_ARGUMENT, texts[i].name);
        CHECK_TEXT(resup_client_error_message(client), texts[i].name, "an empty text is named");
        CHECK_STATUS(texts[i].set(client, "a\r\nX-Evil: 1"), RESUP_E_ARGUMENT, texts[i].name);
        CHECK_TEXT(resup_client_error_message(client), "\\r", "the character is named");
        for (j = 0; j < INVALID_UTF8; j++)
            CHECK_STATUS(texts[i].set(client, invalid_utf8[j]), RESUP_E_UTF8, texts[i].name);
        CHECK_TEXT(resup_client_error_message(client), "UTF-8", "the message says what is wrong");
    }
    CHECK_STATUS(resup_client_set_user_agent(client, "agent \xc3\xa4"), RESUP_E_ARGUMENT,
                 "a user agent that is not ASCII");
    for (i = 0; i < 3; i++) {
        CHECK_STATUS(times[i].set(client, 0), RESUP_E_ARGUMENT, times[i].name);
        CHECK_TEXT(resup_client_error_message(client), "more than 0", "a limit of 0 is explained");
        CHECK_STATUS(times[i].set(client, UINT32_MAX), RESUP_OK, times[i].name);
        CHECK_STATUS(times[i].set(client, 1), RESUP_OK, times[i].name);
        CHECK_STATUS(times[i].set(client, 5000), RESUP_OK, times[i].name);
    }
    CHECK_STATUS(resup_client_set_locate_method(client, 2), RESUP_E_ARGUMENT, "method 2");
    CHECK_TEXT(resup_client_error_message(client), "2", "the message names the value");
    CHECK_STATUS(resup_client_set_locate_method(client, -1), RESUP_E_ARGUMENT, "method -1");
    CHECK_STATUS(resup_client_set_protocol(client, 99), RESUP_E_ARGUMENT, "protocol 99");
    CHECK_TEXT(resup_client_error_message(client), "4", "the message names the value");
    CHECK_STATUS(resup_client_set_protocol(client, -1), RESUP_E_ARGUMENT, "protocol -1");
    CHECK_STATUS(resup_client_set_protocol(client, RESUP_PROTOCOL_TUS), RESUP_OK, "protocol tus");
    CHECK_STATUS(resup_client_set_protocol(client, RESUP_PROTOCOL_IETF), RESUP_OK, "protocol ietf");
    CHECK_STATUS(resup_client_set_protocol(client, RESUP_PROTOCOL_DAV), RESUP_OK, "protocol dav");
    CHECK_STATUS(resup_client_set_protocol(client, RESUP_PROTOCOL_SESSION), RESUP_OK, "protocol session");
    CHECK_STATUS(resup_client_set_protocol(client, RESUP_PROTOCOL_AUTO), RESUP_OK, "any protocol");
    CHECK_STATUS(resup_client_set_retry_backoff(client, 0, 5), RESUP_E_ARGUMENT, "no first wait");
    CHECK_STATUS(resup_client_set_retry_backoff(client, 5, 0), RESUP_E_ARGUMENT, "no last wait");
    CHECK_STATUS(resup_client_set_retry_backoff(client, 6, 5), RESUP_E_ARGUMENT, "6 before 5");
    CHECK_STATUS(resup_client_set_retry_limit(client, UINT32_MAX), RESUP_OK, "no end of retries");
    CHECK_STATUS(resup_client_free(client), RESUP_OK, "free");
}

/* Checks the rule: "The message of the last call on this thread that failed for this client." */
static void client_messages(void)
{
    resup_client *one = hopeless_client(), *other = hopeless_client();

    CHECK_STATUS(resup_client_set_user(one, ""), RESUP_E_ARGUMENT, "one fails");
    CHECK_TEXT(resup_client_error_message(one), "user", "one has its message");
    CHECK(strlen(resup_client_error_message(other)) == 0, "the other has none");
    CHECK_STATUS(resup_client_set_locate_method(other, 9), RESUP_E_ARGUMENT, "the other fails");
    CHECK_TEXT(resup_client_error_message(other), "locate", "the other has its own");
    CHECK_STATUS(resup_client_set_user(one, "u"), RESUP_OK, "one succeeds");
    CHECK_TEXT(resup_client_error_message(other), "locate", "a success takes no message away");
    resup_client_free(one);
    resup_client_free(other);
}

static void new_uploads(void)
{
    static const uint16_t lone_high[] = {'/', 0xd83c, 'x', 0}, lone_low[] = {'/', 0xdf89, 0},
                          cut[] = {'/', 0xd83c, 0};
    resup_client *client = hopeless_client();
    int place = 0;
    resup_upload *mark = (resup_upload *)(void *)&place, *out = mark;
    size_t i;

    CHECK_STATUS(resup_upload_new_file(client, NULL, &out), RESUP_E_NULL, "no path");
    CHECK_TEXT(resup_client_error_message(client), "path", "the message names the argument");
    CHECK_STATUS(resup_upload_new_file(client, "/dev/null", NULL), RESUP_E_NULL, "no place");
    CHECK_TEXT(resup_client_error_message(client), "upload", "the message names the place");
    CHECK_STATUS(resup_upload_new_file_utf16(client, NULL, &out), RESUP_E_NULL, "no wide path");
    CHECK_STATUS(resup_upload_new_file_utf16(client, lone_low, NULL), RESUP_E_NULL, "no place");
    CHECK_STATUS(resup_upload_new_file_utf16(client, lone_high, &out), NO_UTF16, "lone high");
    CHECK_TEXT(resup_client_error_message(client), NO_UTF16_TEXT, "the message says what is wrong");
    CHECK_STATUS(resup_upload_new_file_utf16(client, lone_low, &out), NO_UTF16, "lone low");
    CHECK_STATUS(resup_upload_new_file_utf16(client, cut, &out), NO_UTF16, "a cut pair");
    CHECK_STATUS(resup_upload_new_memory(client, NULL, 1, "n", &out), RESUP_E_NULL, "no bytes");
    CHECK_TEXT(resup_client_error_message(client), "data", "the message names the argument");
    CHECK_STATUS(resup_upload_new_memory(client, NULL, SIZE_MAX, "n", &out), RESUP_E_NULL,
                 "as many bytes as can be of nothing");
    CHECK_STATUS(resup_upload_new_memory(client, "x", 1, NULL, &out), RESUP_E_NULL, "no name");
    CHECK_STATUS(resup_upload_new_memory(client, "x", 1, "n", NULL), RESUP_E_NULL, "no place");
    CHECK_STATUS(resup_upload_new_memory(client, "x", 1, "", &out), RESUP_E_ARGUMENT, "no name");
    CHECK_STATUS(resup_upload_new_memory(client, "x", 1, "a/b", &out), RESUP_E_ARGUMENT, "a path");
    CHECK_TEXT(resup_client_error_message(client), "a/b", "the message names the value");
    CHECK_STATUS(resup_upload_new_memory(client, "x", 1, "..", &out), RESUP_E_ARGUMENT, "dots");
    for (i = 0; i < INVALID_UTF8; i++) {
        CHECK_STATUS(resup_upload_new_file(client, invalid_utf8[i], &out), NO_UTF8, "path");
        CHECK_STATUS(resup_upload_new_memory(client, "x", 1, invalid_utf8[i], &out), RESUP_E_UTF8,
                     "name");
    }
    CHECK(out == mark, "none of these wrote an upload");
    CHECK_STATUS(resup_client_free(client), RESUP_OK, "free");
}

typedef resup_status (*set_upload_text)(resup_upload *, const char *);

static resup_status field_name(resup_upload *upload, const char *name)
{
    return resup_upload_set_field(upload, name, "value");
}

static resup_status field_value(resup_upload *upload, const char *value)
{
    return resup_upload_set_field(upload, "key", value);
}

static void more_than_any_memory(void)
{
    resup_client *client = hopeless_client();
    resup_upload *out = NULL;

    CHECK_STATUS(resup_upload_new_memory(client, "x", SIZE_MAX, "n", &out), RESUP_E_SYSTEM,
                 "as many bytes as can be");
    CHECK_TEXT(resup_client_error_message(client), "upload a file instead", "the way out");
    CHECK(out == NULL, "nothing is made");
    resup_client_free(client);
}

static void upload_settings(void)
{
    static const struct {
        const char *name;
        set_upload_text set;
        const char *refused[8];
    } texts[] = {
        {"name", resup_upload_set_name, {"", ".", "..", "a/b", "/", NULL}},
        {"directory", resup_upload_set_directory, {"a\nb", "\x01", "a\tb", NULL}},
        {"content type", resup_upload_set_content_type,
         {"", "text", "a/", "a b/c", "a/b/c", "a/b\r\nX: y", "\xc3\xa4/b", NULL}},
        {"field name", field_name, {"", "action", "offset", "file", "sign", NULL}},
        {"field value", field_value, {NULL}},
    };
    resup_client *client = hopeless_client();
    resup_upload *upload = hopeless_upload(client);
    char name[80];
    size_t i, j;

    for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        sprintf(name, "a bad %s", texts[i].name);
        CHECK_STATUS(texts[i].set(upload, NULL), RESUP_E_NULL, name);
        CHECK_TEXT(resup_upload_error_message(upload), texts[i].name, "a NULL is named");
        for (j = 0; j < INVALID_UTF8; j++) {
            CHECK_STATUS(texts[i].set(upload, invalid_utf8[j]), RESUP_E_UTF8, name);
            CHECK_TEXT(resup_upload_error_message(upload), texts[i].name, "an invalid text is named");
        }
        for (j = 0; texts[i].refused[j] != NULL; j++) {
            CHECK_STATUS(texts[i].set(upload, texts[i].refused[j]), RESUP_E_ARGUMENT, name);
            CHECK_TEXT(resup_upload_error_message(upload), texts[i].name, "a bad value is named");
        }
    }
    CHECK_STATUS(resup_upload_wait(upload, 0), RESUP_E_STATE, "wait before start");
    CHECK_TEXT(resup_upload_error_message(upload), "not been started", "the message says so");
    CHECK_STATUS(resup_upload_wait(upload, RESUP_FOREVER), RESUP_E_STATE, "nor for ever");
    CHECK_STATUS(resup_upload_set_segment_size(upload, UINT64_MAX), RESUP_OK, "a huge segment");

    CHECK_STATUS(resup_upload_run(upload), RESUP_E_CONNECT, "run towards nobody");
    CHECK(resup_upload_is_retryable(upload) == 1, "that may be tried again");
    CHECK_STATUS(resup_upload_set_name(upload, ""), RESUP_E_ARGUMENT, "a setting after a run");
    CHECK(resup_upload_is_retryable(upload) == 1, "says nothing about the last run");
    CHECK_STATUS(resup_upload_free(upload), RESUP_OK, "free");
    CHECK_STATUS(resup_client_free(client), RESUP_OK, "free the client");
}

void test_arguments(void)
{
    endpoints();
    client_settings();
    client_messages();
    new_uploads();
    more_than_any_memory();
    upload_settings();
}
