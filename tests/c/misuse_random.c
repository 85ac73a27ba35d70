/*
 * Makes random calls of the whole header: any call, any handle, any value.
 *
 * First one thread makes them, and also reads every text that it gets; then four threads, which share
 * their handles. The user_data of each callback is on the heap, and its destroy function frees it: a
 * memory checker sees each destroy function that is called twice or never.
 */
#include "misuse.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLIENTS = 6, UPLOADS = 12, THREADS = 4 };

/* Handles that were valid once; some still are. */
static void *clients[CLIENTS], *uploads[UPLOADS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int threads_at_work;
static char file_path[2048];

struct walk {
    uint64_t state;
    unsigned long calls;
    int alone;
    unsigned long statuses[RESUP_E_INTERNAL + 1];
};

static uint64_t next(struct walk *walk)
{
    walk->state ^= walk->state << 13;
    walk->state ^= walk->state >> 7;
    walk->state ^= walk->state << 17;
    return walk->state * 0x2545f4914f6cdd1dull >> 16;
}

static unsigned below(struct walk *walk, unsigned limit)
{
    return (unsigned)(next(walk) % limit);
}

static void *load(void **slot)
{
    void *handle;

    pthread_mutex_lock(&lock);
    handle = *slot;
    pthread_mutex_unlock(&lock);
    return handle;
}

/* Puts a new handle in the place of the old one, unless another thread was faster. */
static int replace(void **slot, void *old, void *handle)
{
    int is_old;

    pthread_mutex_lock(&lock);
    is_old = *slot == old;
    if (is_old)
        *slot = handle;
    pthread_mutex_unlock(&lock);
    return is_old;
}

/* Picks a handle: mostly a good one, sometimes a stale, foreign or made-up one, or NULL. */
static void *pick(struct walk *walk, void **own, unsigned count, void **other, unsigned others)
{
    switch (below(walk, 24)) {
    case 0: return NULL;
    case 1: return load(&other[below(walk, others)]);
    case 2: return (void *)(uintptr_t)(next(walk) | (uintptr_t)1 << (sizeof(void *) * 5));
    case 3: return (void *)((uintptr_t)load(&own[below(walk, count)]) + (1u << 30));
    default: return load(&own[below(walk, count)]);
    }
}

static void *client_of(struct walk *walk)
{
    return pick(walk, clients, CLIENTS, uploads, UPLOADS);
}

static void *upload_of(struct walk *walk)
{
    return pick(walk, uploads, UPLOADS, clients, CLIENTS);
}

static const char *text_of(struct walk *walk)
{
    static const char *const texts[] = {
        NULL, "", "a", "a/b", "..", "\xff\xfe", "cut \xe4\xbd", "action", "key", "x\r\ny: z",
        "text/plain", "名字", "\xf0\x9f\x8e\x89", "%s%n%s", "\x01", "quote\"", "back\\slash", " ",
    };

    return texts[below(walk, sizeof texts / sizeof texts[0])];
}

static uint32_t number_of(struct walk *walk)
{
    static const uint32_t numbers[] = {0, 1, 2, 100, 65536, 0x7fffffff, 0x80000000u, UINT32_MAX};

    return numbers[below(walk, sizeof numbers / sizeof numbers[0])];
}

static int32_t result_of(void *data)
{
    /* About one callback in sixteen cancels. */
    return (*(unsigned *)data & 15u) == 0 ? -1 : RESUP_CONTINUE;
}

static int32_t on_progress(resup_upload *upload, uint64_t position, uint64_t size, void *data)
{
    CHECK(position <= size, "a position within the size");
    (void)resup_upload_rate(upload);
    return result_of(data);
}

static int32_t on_state(resup_upload *upload, int32_t state, void *data)
{
    CHECK(state >= RESUP_STATE_READY && state <= RESUP_STATE_CANCELLED, "a state of the header");
    CHECK_STATUS(resup_upload_free(upload), RESUP_E_BUSY, "free within a callback");
    return result_of(data);
}

static int32_t on_complete(resup_upload *upload, resup_status status, void *data)
{
    CHECK(is_known_status(status) && status != RESUP_PENDING, "a status of the header");
    CHECK_STATUS(resup_upload_run(upload), RESUP_E_BUSY, "run within a callback");
    return result_of(data);
}

static resup_status listen(struct walk *walk, void *upload)
{
    unsigned *data = malloc(sizeof *data);
    int none = below(walk, 8) == 0;

    need(data != NULL, "memory");
    *data = below(walk, 1u << 16);
    switch (below(walk, 3)) {
    case 0: return resup_upload_on_progress(upload, none ? NULL : on_progress, data, free);
    case 1: return resup_upload_on_state(upload, none ? NULL : on_state, data, free);
    default: return resup_upload_on_complete(upload, none ? NULL : on_complete, data, free);
    }
}

static resup_status new_client(struct walk *walk)
{
    void **slot = &clients[below(walk, CLIENTS)], *old = load(slot);
    resup_client *client = NULL;
    resup_status status;

    if (below(walk, 3) == 0)
        return resup_client_new(text_of(walk), below(walk, 4) ? &client : NULL);
    status = resup_client_new(refusing_url(), &client);
    if (status == RESUP_OK) {
        resup_client_set_retry_limit(client, below(walk, 2));
        resup_client_set_retry_backoff(client, 1, 1);
        resup_client_free(old);
        if (!replace(slot, old, client))
            resup_client_free(client);
    }
    return status;
}

static resup_status new_upload(struct walk *walk)
{
    static const uint16_t nowhere[] = {'/', 0xd800, 'x', 0}, gone[] = {'g', 0x6587, 0};
    void **slot = &uploads[below(walk, UPLOADS)], *old = load(slot), *client = client_of(walk);
    resup_upload *upload = NULL, **out = below(walk, 16) ? &upload : NULL;
    resup_status status;

    switch (below(walk, 5)) {
    case 0: status = resup_upload_new_file(client, file_path, out); break;
    case 1: status = resup_upload_new_file(client, text_of(walk), out); break;
    case 2:
        status = resup_upload_new_file_utf16(client, below(walk, 2) ? nowhere : gone, out);
        break;
    case 3: status = resup_upload_new_memory(client, "bytes", 5, text_of(walk), out); break;
    default: status = resup_upload_new_memory(client, NULL, below(walk, 2), "m", out); break;
    }
    CHECK((status == RESUP_OK) == (upload != NULL), "an output is written on success only");
    if (upload == NULL)
        return status;
    /* An upload that another thread runs stays in its slot, and so does what another thread put there
     * meanwhile and may run by now: they can be cancelled. */
    if (resup_upload_free(old) == RESUP_E_BUSY || !replace(slot, old, upload))
        resup_upload_free(upload);
    return status;
}

static resup_status set_client(struct walk *walk, void *client)
{
    switch (below(walk, 10)) {
    case 0: return resup_client_set_user(client, text_of(walk));
    case 1: return resup_client_set_user_agent(client, text_of(walk));
    case 2: return resup_client_set_locate_method(client, (int32_t)number_of(walk));
    case 3: return resup_client_set_connect_timeout(client, number_of(walk));
    case 4: return resup_client_set_response_timeout(client, number_of(walk));
    case 5: return resup_client_set_stall_timeout(client, number_of(walk));
    case 6: return resup_client_set_protocol(client, (int32_t)number_of(walk));
    case 7: return resup_client_set_dialect(client, text_of(walk));
    case 8: return resup_client_set_creation_with_upload(client, (int32_t)number_of(walk));
    default: return resup_client_set_retry_backoff(client, below(walk, 3), below(walk, 3));
    }
}

static resup_status set_upload(struct walk *walk, void *upload)
{
    switch (below(walk, 9)) {
    case 0: return resup_upload_set_name(upload, text_of(walk));
    case 1: return resup_upload_set_directory(upload, text_of(walk));
    case 2: return resup_upload_set_content_type(upload, text_of(walk));
    case 3: {
        const char *name = text_of(walk);
        return resup_upload_set_field(upload, name, text_of(walk));
    }
    case 4: return resup_upload_set_digest_algorithm(upload, (int32_t)number_of(walk));
    case 5: return resup_upload_set_connections(upload, number_of(walk));
    case 6: return resup_upload_set_read_back(upload, (int32_t)number_of(walk));
    case 7: return resup_upload_set_parts(upload, text_of(walk));
    default: return resup_upload_set_segment_size(upload, next(walk));
    }
}

/* Reads a text. With other threads it cannot: one of them may free the handle that the text belongs to. */
static void look(const struct walk *walk, const char *text)
{
    if (walk->alone && text != NULL)
        CHECK(strlen(text) < 100000, "a text ends");
}

static void get(struct walk *walk, void *upload)
{
    int32_t state = resup_upload_state(upload), retryable = resup_upload_is_retryable(upload);

    CHECK(state >= 0 && state <= RESUP_STATE_CANCELLED, "a state of the header, or 0");
    CHECK(retryable == 0 || retryable == 1, "a boolean is 0 or 1");
    CHECK(resup_upload_offset(upload) == 0, "nobody confirmed a byte");
    CHECK(resup_upload_bytes_sent(upload) == 0, "nobody took a byte");
    CHECK(resup_upload_bytes_skipped(upload) == 0, "nobody had a byte");
    CHECK(resup_upload_http_status(upload) == 0, "nobody responded");
    (void)resup_upload_size(upload);
    (void)resup_upload_position(upload);
    (void)resup_upload_attempts(upload);
    (void)resup_upload_retry_in(upload);
    look(walk, resup_upload_protocol(upload));
    look(walk, resup_upload_id(upload));
    look(walk, resup_upload_location(upload));
    look(walk, resup_upload_digest(upload));
    look(walk, resup_upload_md5(upload));
    look(walk, resup_upload_server_message(upload));
    look(walk, resup_upload_server_excerpt(upload));
    look(walk, resup_upload_error_message(upload));
    look(walk, resup_client_error_message(client_of(walk)));
    look(walk, resup_status_message((resup_status)number_of(walk)));
}

static resup_status run(struct walk *walk, void *upload)
{
    switch (below(walk, 8)) {
    case 0:
        resup_upload_resume(upload);
        return resup_upload_run(upload);
    case 1:
    case 2: return resup_upload_start(upload);
    default: return RESUP_OK;
    }
}

static resup_status step(struct walk *walk)
{
    void *upload = upload_of(walk);

    switch (below(walk, 40)) {
    case 0: return new_client(walk);
    case 1: return below(walk, 4) ? RESUP_OK : resup_client_free(client_of(walk));
    case 2:
    case 3:
    case 4:
    case 5: return new_upload(walk);
    case 6: return resup_upload_free(upload);
    case 7: return run(walk, upload);
    case 8: return below(walk, 4) ? RESUP_OK : resup_upload_pause(upload);
    case 9:
    case 10: return resup_upload_resume(upload);
    case 11: return resup_upload_cancel(upload);
    case 12:
    case 13: return resup_upload_wait(upload, below(walk, 2));
    case 14:
    case 15:
    case 16:
    case 17: return listen(walk, upload);
    case 18:
    case 19:
    case 20:
    case 21: return set_client(walk, client_of(walk));
    case 22: get(walk, upload); return RESUP_OK;
    default: return set_upload(walk, upload);
    }
}

static void *walk(void *argument)
{
    struct walk *walk = argument;
    unsigned long i;

    for (i = 0; i < walk->calls; i++) {
        resup_status status = step(walk);

        if (!is_known_status(status) || status == RESUP_E_INTERNAL || status == RESUP_E_SYSTEM) {
            fprintf(stderr, "call %lu returned %d\n", i, (int)status);
            CHECK(0, "a call returns a status that fits");
        } else {
            walk->statuses[status]++;
        }
    }
    CHECK(walk->statuses[RESUP_OK] > 0, "some calls succeed");
    CHECK(walk->statuses[RESUP_E_FREED] > 0, "some handles were freed");
    CHECK(walk->statuses[RESUP_E_HANDLE] > 0, "some were made up");
    CHECK(walk->statuses[RESUP_E_HANDLE_KIND] > 0, "some were of the other kind");
    pthread_mutex_lock(&lock);
    threads_at_work--;
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void free_all(void)
{
    int i;

    for (i = 0; i < UPLOADS; i++) {
        resup_status status = resup_upload_free(uploads[i]);
        CHECK(status == RESUP_OK || status == RESUP_E_FREED, "what is left is freed");
        uploads[i] = NULL;
    }
    for (i = 0; i < CLIENTS; i++) {
        resup_client_free(clients[i]);
        clients[i] = NULL;
    }
}

static int any_at_work(void)
{
    int any;

    pthread_mutex_lock(&lock);
    any = threads_at_work > 0;
    pthread_mutex_unlock(&lock);
    return any;
}

void test_random(uint64_t seed, unsigned long calls, unsigned long calls_of_each_thread)
{
    static struct walk one, several[THREADS];
    pthread_t threads[THREADS];
    int i;

    sprintf(file_path, "%.2000s/random.bin", misuse_dir);
    make_file(file_path, 1000, seed);
    one.state = seed * 2 + 1;
    one.calls = calls;
    one.alone = 1;
    threads_at_work = 1;
    walk(&one);
    free_all();

    threads_at_work = THREADS;
    for (i = 0; i < THREADS; i++) {
        several[i].state = seed * 2 + 1 + 1000 * (uint64_t)(i + 1);
        several[i].calls = calls_of_each_thread;
        need(pthread_create(&threads[i], NULL, walk, &several[i]) == 0, "a thread");
    }
    /* One thread may have paused what another one runs. */
    while (any_at_work()) {
        sleep_ms(20);
        for (i = 0; i < UPLOADS; i++)
            resup_upload_cancel(load(&uploads[i]));
    }
    for (i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    free_all();
}
