/* Uploads of streams: a program's own functions read them. */
#include "behaviour.h"

#include <stdio.h>
#include <string.h>

/* A stream over a file; it can fail on purpose. */
struct stream {
    FILE *file;
    uint64_t size;
    size_t most;         /* bytes that one read gives at most */
    uint64_t ends_at;    /* where it ends although its size is more; 0: nowhere */
    int32_t read_fails;  /* what the functions return */
    int32_t seek_fails;
    int32_t size_fails;
    size_t claims;       /* bytes that a read claims beyond those that it gave */
    int cancels;         /* the read that cancels; 0: none */
    int reenters;
    resup_upload *upload;
    pthread_t thread;    /* the thread that may call it */
    int elsewhere;
    int reads, seeks, sizes;
    int destroyed;
};

static void enter(struct stream *stream)
{
    stream->elsewhere += !pthread_equal(stream->thread, pthread_self());
}

static int32_t read_some(void *buffer, size_t size, size_t *read, void *user_data)
{
    struct stream *stream = user_data;
    uint64_t at = (uint64_t)ftell(stream->file);

    enter(stream);
    stream->reads++;
    if (stream->cancels && stream->reads == stream->cancels)
        resup_upload_cancel(stream->upload);
    if (stream->reenters)
        CHECK_STATUS(resup_upload_run(stream->upload), RESUP_E_BUSY, "a run from within a read");
    if (size > stream->most)
        size = stream->most;
    if (stream->ends_at && at + size > stream->ends_at)
        size = (size_t)(stream->ends_at - at);
    *read = fread(buffer, 1, size, stream->file) + stream->claims;
    return stream->read_fails;
}

static int32_t go_to(uint64_t offset, void *user_data)
{
    struct stream *stream = user_data;

    enter(stream);
    stream->seeks++;
    CHECK(offset <= stream->size, "no seek past the end");
    fseek(stream->file, (long)offset, SEEK_SET);
    return stream->seek_fails;
}

static int32_t tell_size(uint64_t *size, void *user_data)
{
    struct stream *stream = user_data;

    enter(stream);
    stream->sizes++;
    *size = stream->size;
    return stream->size_fails;
}

static void count(void *user_data)
{
    ((struct stream *)user_data)->destroyed++;
}

static resup_upload *stream_upload(resup_client *client, struct stream *stream, const char *path,
                                   const char *name)
{
    stream->thread = pthread_self();
    stream->most = stream->most ? stream->most : 10000;
    stream->file = open_file(path, "rb");
    need(stream->file != NULL, path);
    fseek(stream->file, 0, SEEK_END);
    stream->size = (uint64_t)ftell(stream->file);
    CHECK_STATUS(resup_upload_new_stream(client, name, read_some, go_to, tell_size, stream, count,
                                         &stream->upload),
                 RESUP_OK, name);
    need(stream->upload != NULL, name);
    return stream->upload;
}

static void end(struct stream *stream)
{
    CHECK(stream->elsewhere == 0, "the stream is called on the thread of the run only");
    CHECK(stream->destroyed == 0, "its data lives as long as the upload");
    CHECK_STATUS(resup_upload_free(stream->upload), RESUP_OK, "free an upload with a stream");
    CHECK(stream->destroyed == 1, "its data is released once");
    fclose(stream->file);
}

static void what_it_gives_is_stored(resup_client *client)
{
    static const uint64_t sizes[] = {0, 1, 9999, 10000, 262144, 1500000};
    char path[PATH_SIZE], name[32];
    size_t i;

    for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct stream stream = {0};
        static struct events events;
        resup_upload *upload;

        sprintf(name, "stream-%lu", (unsigned long)sizes[i]);
        stream.most = i % 2 ? 10000 : 1000000;
        upload = stream_upload(client, &stream, new_file(path, name, sizes[i]), name);
        listen_to(&events, upload);
        CHECK_STATUS(resup_upload_run(upload), RESUP_OK, name);
        check_run_events(&events, RESUP_OK, name);
        check_stored(upload, path, name);
        CHECK(stream.sizes > 0, "it was asked for its size");
        end(&stream);
    }
}

static void it_is_read_only_while_the_program_waits(resup_client *client)
{
    struct stream stream = {0};
    char path[PATH_SIZE];
    resup_upload *upload =
        stream_upload(client, &stream, new_file(path, "polled", 700000), "polled stream");
    resup_status status;

    CHECK_STATUS(resup_upload_start(upload), RESUP_OK, "start with a stream");
    sleep_ms(50);
    CHECK(stream.sizes == 0 && stream.reads == 0, "nothing is read outside of wait");
    while ((status = resup_upload_wait(upload, 5)) == RESUP_PENDING)
        ;
    CHECK_STATUS(status, RESUP_OK, "polled to its end");
    check_stored(upload, path, "a polled stream is stored");
    end(&stream);
}

static void another_run_goes_on(resup_client *client)
{
    struct stream stream = {0};
    char path[PATH_SIZE];
    resup_upload *upload;
    int first;

    stream.cancels = 180; /* the first 150 reads are for the digest */
    upload = stream_upload(client, &stream, new_file(path, "resumed", 1500000), "resumed stream");
    CHECK_STATUS(resup_upload_run(upload), RESUP_E_CANCELLED, "cancelled from within a read");
    first = stream.reads;
    CHECK(first <= stream.cancels + 1, "a cancelled run reads no more");
    stream.cancels = 0;
    CHECK_STATUS(resup_upload_run(upload), RESUP_OK, "a stream's upload is run again");
    check_stored(upload, path, "a resumed stream is stored");
    CHECK(resup_upload_bytes_sent(upload) + resup_upload_bytes_skipped(upload) == 1500000,
          "what the server had is not sent again");
    end(&stream);
}

/* Without seek and size it is read once, while its size is not known. */
static void it_is_read_once(resup_client *client)
{
    static const uint64_t sizes[] = {0, 99999, 100000, 100001, 1500000};
    char path[PATH_SIZE], stored[PATH_SIZE], name[32];
    size_t i;

    for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct stream stream = {0};
        const char *id;

        sprintf(name, "once-%lu", (unsigned long)sizes[i]);
        stream.thread = pthread_self();
        stream.most = 10000;
        stream.file = open_file(new_file(path, name, sizes[i]), "rb");
        need(stream.file != NULL, path);
        CHECK_STATUS(resup_upload_new_stream(client, name, read_some, NULL, NULL, &stream, count,
                                             &stream.upload),
                     RESUP_OK, name);
        CHECK_STATUS(resup_upload_set_segment_size(stream.upload, 100000), RESUP_OK, name);
        stream.cancels = sizes[i] > 1000000 ? 40 : 0;
        if (stream.cancels) {
            CHECK_STATUS(resup_upload_run(stream.upload), RESUP_E_CANCELLED, "cancelled in a read");
            CHECK(resup_upload_size(stream.upload) == RESUP_SIZE_UNKNOWN, "its size is not known");
            CHECK(resup_upload_time_left(stream.upload) == RESUP_FOREVER, "so no time is left");
            stream.read_fails = 7;
            CHECK_STATUS(resup_upload_run(stream.upload), RESUP_E_SOURCE_IO, "a read that fails");
            CHECK_TEXT(resup_upload_error_message(stream.upload), "read function answered 7",
                       "the code of the failure");
            stream.read_fails = 0;
            /* The read that failed took bytes. */
            fseek(stream.file, -10000, SEEK_CUR);
        }
        CHECK_STATUS(resup_upload_run(stream.upload), RESUP_OK, name);
        CHECK(resup_upload_size(stream.upload) == sizes[i], "at its end its size is known");
        CHECK(resup_upload_offset(stream.upload) == sizes[i], name);
        CHECK(resup_upload_digest(stream.upload) != NULL, "its digest is told");
        CHECK(stream.seeks == 0 && stream.sizes == 0, "it is only read");
        id = resup_upload_id(stream.upload);
        if (CHECK(id != NULL && strrchr(id, '/') != NULL, "its URL")) {
            sprintf(stored, "%.1500s/files/%.100s", here.data, strrchr(id, '/') + 1);
            CHECK(same_files(path, stored), name);
        }
        end(&stream);
    }
}

static void failures_are_reported(resup_client *client)
{
    static const struct {
        const char *name, *message;
        resup_status status;
        struct stream stream;
    } cases[] = {
        {"read fails", "read function answered 7", RESUP_E_SOURCE_IO, {.read_fails = 7}},
        {"seek fails", "seek function answered -3", RESUP_E_SOURCE_IO, {.seek_fails = -3}},
        {"size fails", "size function answered 9", RESUP_E_SOURCE_IO, {.size_fails = 9}},
        {"ends early", "ended at byte 70000 of 200000", RESUP_E_SOURCE_CHANGED, {.ends_at = 70000}},
        {"claims too much", "into a buffer of", RESUP_E_SOURCE_IO, {.claims = 1 << 20}},
    };
    char path[PATH_SIZE];
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct stream stream = cases[i].stream;
        resup_upload *upload =
            stream_upload(client, &stream, new_file(path, "failing", 200000), cases[i].name);

        CHECK_STATUS(resup_upload_run(upload), cases[i].status, cases[i].name);
        CHECK_TEXT(resup_upload_error_message(upload), cases[i].message, cases[i].name);
        stream.read_fails = stream.seek_fails = stream.size_fails = 0;
        stream.ends_at = stream.claims = 0;
        CHECK_STATUS(resup_upload_run(upload), RESUP_OK, "a mended stream");
        check_stored(upload, path, "a mended stream is stored");
        end(&stream);
    }
}

static void another_size_is_noticed(resup_client *client)
{
    struct stream stream = {0};
    char path[PATH_SIZE];
    resup_upload *upload =
        stream_upload(client, &stream, new_file(path, "grown", 300000), "grown stream");

    CHECK_STATUS(resup_upload_set_rate_limit(upload, 600000), RESUP_OK, "slowly");
    CHECK_STATUS(resup_upload_start(upload), RESUP_OK, "start a stream that grows");
    while (resup_upload_state(upload) != RESUP_STATE_SENDING)
        need(resup_upload_wait(upload, 1) == RESUP_PENDING, "it is to go on");
    stream.size++;
    CHECK_STATUS(resup_upload_wait(upload, RESUP_FOREVER), RESUP_E_SOURCE_CHANGED, "it grew");
    CHECK_TEXT(resup_upload_error_message(upload), "300000 bytes and is 300001", "by how much");
    end(&stream);
}

static void it_may_not_run_its_upload(resup_client *client)
{
    struct stream stream = {0};
    char path[PATH_SIZE];
    resup_upload *upload;

    stream.reenters = 1;
    upload = stream_upload(client, &stream, new_file(path, "reentered", 30000), "re-entered");
    CHECK_STATUS(resup_upload_run(upload), RESUP_OK, "a stream that calls run");
    check_stored(upload, path, "it is stored in spite of that");
    end(&stream);
}

static void one_that_cannot_go_back_is_refused(resup_client *client)
{
    struct stream stream = {0};
    resup_upload *upload = NULL;

    CHECK_STATUS(resup_upload_new_stream(client, "n", NULL, go_to, tell_size, &stream, count,
                                         &upload),
                 RESUP_E_NULL, "no read");
    CHECK_TEXT(resup_client_error_message(client), "read function is NULL", "no read");
    CHECK_STATUS(resup_upload_new_stream(client, "n", read_some, NULL, tell_size, &stream, count,
                                         &upload),
                 RESUP_E_NULL, "no seek");
    CHECK_TEXT(resup_client_error_message(client), "seek function is NULL", "no seek");
    CHECK_STATUS(resup_upload_new_stream(client, "n", read_some, go_to, NULL, &stream, count,
                                         &upload),
                 RESUP_E_NULL, "no size");
    CHECK_TEXT(resup_client_error_message(client), "size function is NULL", "no size");
    CHECK_TEXT(resup_client_error_message(client), "into a file or memory first", "the way out");
    CHECK_STATUS(resup_upload_new_stream(client, "a/b", read_some, go_to, tell_size, &stream,
                                         count, &upload),
                 RESUP_E_ARGUMENT, "a name that cannot be one");
    CHECK(stream.destroyed == 4, "the data is released at once when making fails");
    CHECK(upload == NULL, "and nothing is made");
}

void test_streams(void)
{
    resup_client *client = new_client(here.url);

    what_it_gives_is_stored(client);
    it_is_read_only_while_the_program_waits(client);
    another_run_goes_on(client);
    it_is_read_once(client);
    failures_are_reported(client);
    another_size_is_noticed(client);
    it_may_not_run_its_upload(client);
    one_that_cannot_go_back_is_refused(client);
    resup_client_free(client);
}
