/*
 * Uses the library with floating-point exceptions unmasked, as programs of Delphi and Free Pascal do.
 *
 *     float URL
 *
 * The library masks them, or its first inexact sum would end the program. In its callbacks, and after every call, the
 * program's state has to be what it was, flags included.
 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct state {
    uint32_t mxcsr;
    uint16_t control, status;
};

#if defined(__i386__) || defined(__x86_64__)
static struct state state_now(void)
{
    struct state now;

    __asm__ volatile("stmxcsr %0" : "=m"(now.mxcsr));
    __asm__ volatile("fnstcw %0" : "=m"(now.control));
    __asm__ volatile("fnstsw %0" : "=m"(now.status));
    return now;
}

static void set_state(uint32_t mxcsr, uint16_t control)
{
    __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
    __asm__ volatile("fnclex; fldcw %0" : : "m"(control));
}
#else
static struct state state_now(void)
{
    struct state now = {0, 0, 0};

    return now;
}

static void set_state(uint32_t mxcsr, uint16_t control)
{
    (void)mxcsr;
    (void)control;
}
#endif

/* Unmasks all exceptions, rounds towards zero, and makes results 0 that are too small. */
static void unmask(void)
{
    set_state(0xe000, 0x0e40);
}

static struct state expected;

static void check_state(const char *name)
{
    struct state now = state_now();

    CHECK(now.mxcsr == expected.mxcsr, name);
    CHECK(now.control == expected.control, name);
    CHECK(now.status == expected.status, name);
}

/* Makes a call of the library, and checks that it leaves the state as it was. */
#define CHECK_CALL(call, wanted)              \
    do {                                      \
        resup_status status_;                 \
        expected = state_now();               \
        status_ = (call);                     \
        check_state(#call);                   \
        CHECK_STATUS(status_, wanted, #call); \
    } while (0)

static int calls;

/* Checks the state in a callback, changes it, and calls the library. */
static void check_callback(resup_upload *upload, const char *name)
{
    struct state outer;

    check_state(name);
    set_state(calls++ % 2 ? 0xe000 : 0x6000, 0x0e40);
    outer = state_now();
    if (upload != NULL)
        (void)resup_upload_rate(upload);
    expected = outer;
    check_state("a call from within a callback");
}

static int32_t on_progress(resup_upload *upload, uint64_t position, uint64_t size, void *data)
{
    (void)position, (void)size, (void)data;
    check_callback(upload, "in on_progress");
    return RESUP_CONTINUE;
}

static int32_t on_state(resup_upload *upload, int32_t state, void *data)
{
    (void)state, (void)data;
    check_callback(upload, "in on_state");
    return RESUP_CONTINUE;
}

static int32_t on_complete(resup_upload *upload, resup_status status, void *data)
{
    (void)status, (void)data;
    check_callback(upload, "in on_complete");
    return RESUP_CONTINUE;
}

static int32_t on_log(int32_t level, const char *message, void *data)
{
    (void)level, (void)message, (void)data;
    check_callback(NULL, "in on_log");
    return RESUP_CONTINUE;
}

static void on_destroy(void *data)
{
    ++*(int *)data;
    check_callback(NULL, "in a destroy function");
}

enum { SIZE = 3000000 };
static unsigned char bytes[SIZE];
static size_t at;

static int32_t give(void *buffer, size_t size, size_t *read, void *data)
{
    (void)data;
    check_callback(NULL, "in a read function");
    *read = size < SIZE - at ? size : SIZE - at;
    memcpy(buffer, bytes + at, *read);
    at += *read;
    return 0;
}

static int32_t go_to(uint64_t offset, void *data)
{
    (void)data;
    check_callback(NULL, "in a seek function");
    at = (size_t)offset;
    return 0;
}

static int32_t tell_size(uint64_t *size, void *data)
{
    (void)data;
    check_callback(NULL, "in a size function");
    *size = SIZE;
    return 0;
}

static int destroyed;

static void listen_to(resup_upload *upload)
{
    CHECK_CALL(resup_upload_on_progress(upload, on_progress, &destroyed, on_destroy), RESUP_OK);
    CHECK_CALL(resup_upload_on_state(upload, on_state, &destroyed, on_destroy), RESUP_OK);
    CHECK_CALL(resup_upload_on_complete(upload, on_complete, &destroyed, on_destroy), RESUP_OK);
}

static resup_client *new_client(const char *url)
{
    resup_client *client = NULL;

    CHECK_CALL(resup_client_new(url, &client), RESUP_OK);
    need(client != NULL, "a client");
    CHECK_CALL(resup_client_on_log(client, RESUP_LOG_DEBUG, on_log, &destroyed, on_destroy), RESUP_OK);
    CHECK_CALL(resup_client_set_retry_backoff(client, 1, 50), RESUP_OK);
    return client;
}

static void runs(const char *url)
{
    resup_client *client = new_client(url);
    resup_upload *upload = NULL;

    CHECK_CALL(resup_upload_new_memory(client, bytes, SIZE, "run.bin", &upload), RESUP_OK);
    need(upload != NULL, "an upload");
    listen_to(upload);
    CHECK_CALL(resup_upload_set_rate_limit(upload, 20000000), RESUP_OK);
    CHECK_CALL(resup_upload_set_segment_size(upload, RESUP_SEGMENT_AUTOMATIC), RESUP_OK);
    CHECK_CALL(resup_upload_run(upload), RESUP_OK);
    CHECK_CALL(resup_upload_free(upload), RESUP_OK);
    CHECK_CALL(resup_client_free(client), RESUP_OK);
    CHECK(destroyed == 4, "each destroy function was called");
}

static void waits(const char *url)
{
    resup_client *client = new_client(url);
    resup_upload *upload = NULL;
    resup_status status;

    CHECK_CALL(resup_upload_new_stream(client, "wait.bin", give, go_to, tell_size, &destroyed, on_destroy,
                                 &upload),
         RESUP_OK);
    need(upload != NULL, "an upload");
    listen_to(upload);
    CHECK_CALL(resup_upload_set_rate_limit(upload, 9000000), RESUP_OK);
    CHECK_CALL(resup_upload_start(upload), RESUP_OK);
    do {
        expected = state_now();
        status = resup_upload_wait(upload, 10);
        check_state("after wait");
        (void)resup_upload_time_left(upload);
        (void)resup_upload_retry_in(upload);
        check_state("after getters");
    } while (status == RESUP_PENDING);
    CHECK_STATUS(status, RESUP_OK, "wait");
    CHECK_CALL(resup_upload_free(upload), RESUP_OK);
    CHECK_CALL(resup_client_free(client), RESUP_OK);
    CHECK(destroyed == 9, "each destroy function was called");
}

static void fails(void)
{
    resup_client *client = new_client(refusing_url());
    resup_upload *upload = NULL;

    CHECK_CALL(resup_client_new("nonsense", &client), RESUP_E_URL);
    CHECK_CALL(resup_client_set_retry_limit(client, 3), RESUP_OK);
    CHECK_CALL(resup_upload_new_file(client, "no/such/file", &upload), RESUP_E_SOURCE_NOT_FOUND);
    CHECK_CALL(resup_upload_new_memory(client, bytes, SIZE, "refused.bin", &upload), RESUP_OK);
    listen_to(upload);
    CHECK_CALL(resup_upload_run(upload), RESUP_E_CONNECT);
    CHECK_CALL(resup_upload_cancel(upload), RESUP_OK);
    CHECK_CALL(resup_upload_free(upload), RESUP_OK);
    CHECK_CALL(resup_client_free(client), RESUP_OK);
}

int main(int argc, char **argv)
{
    need(argc == 2, "usage: float URL");
    fill(bytes, SIZE, 99);
    unmask();
    runs(argv[1]);
    waits(argv[1]);
    fails();
    CHECK(calls > 30, "callbacks were called");
    return check_summary("float");
}
