/* Uploads of what a program's own functions give. */
#include "behaviour.h"

#include <stdio.h>
#include <string.h>

/* A reader over a file, which can be told to fail. */
struct reader {
    FILE *file;
    uint64_t size;
    size_t most;         /* bytes that one read gives at most */
    uint64_t ends_at;    /* where it ends although its size is more; 0: nowhere */
    int32_t read_fails;  /* what the functions answer */
    int32_t seek_fails;
    int32_t size_fails;
    size_t claims;       /* what a read claims beside the truth */
    int cancels;         /* reads after which it cancels */
    int reenters;
    resup_upload *upload;
    pthread_t thread;    /* where it is to be called */
    int elsewhere;
    int reads, seeks, sizes;
    int destroyed;
};

static void enter(struct reader *reader)
{
    reader->elsewhere += !pthread_equal(reader->thread, pthread_self());
}

static int32_t read_some(void *buffer, size_t size, size_t *read, void *user_data)
{
    struct reader *reader = user_data;
    uint64_t at = (uint64_t)ftell(reader->file);

    enter(reader);
    reader->reads++;
    if (reader->cancels && reader->reads == reader->cancels)
        resup_upload_cancel(reader->upload);
    if (reader->reenters)
        CHECK_STATUS(resup_upload_run(reader->upload), RESUP_E_BUSY, "a run from within a read");
    if (size > reader->most)
        size = reader->most;
    if (reader->ends_at && at + size > reader->ends_at)
        size = (size_t)(reader->ends_at - at);
    *read = fread(buffer, 1, size, reader->file) + reader->claims;
    return reader->read_fails;
}

static int32_t go_to(uint64_t offset, void *user_data)
{
    struct reader *reader = user_data;

    enter(reader);
    reader->seeks++;
    CHECK(offset <= reader->size, "no seek past the end");
    fseek(reader->file, (long)offset, SEEK_SET);
    return reader->seek_fails;
}

static int32_t tell_size(uint64_t *size, void *user_data)
{
    struct reader *reader = user_data;

    enter(reader);
    reader->sizes++;
    *size = reader->size;
    return reader->size_fails;
}

static void count(void *user_data)
{
    ((struct reader *)user_data)->destroyed++;
}

static resup_upload *reader_upload(resup_client *client, struct reader *reader, const char *path,
                                   const char *name)
{
    reader->thread = pthread_self();
    reader->most = reader->most ? reader->most : 10000;
    reader->file = open_file(path, "rb");
    need(reader->file != NULL, path);
    fseek(reader->file, 0, SEEK_END);
    reader->size = (uint64_t)ftell(reader->file);
    CHECK_STATUS(resup_upload_new_reader(client, name, read_some, go_to, tell_size, reader, count,
                                         &reader->upload),
                 RESUP_OK, name);
    need(reader->upload != NULL, name);
    return reader->upload;
}

static void end(struct reader *reader)
{
    CHECK(reader->elsewhere == 0, "the reader is called on the thread of the run only");
    CHECK(reader->destroyed == 0, "its data is kept as long as the upload");
    CHECK_STATUS(resup_upload_free(reader->upload), RESUP_OK, "free an upload with a reader");
    CHECK(reader->destroyed == 1, "its data is let go once");
    fclose(reader->file);
}

static void what_it_gives_is_stored(resup_client *client)
{
    static const uint64_t sizes[] = {0, 1, 9999, 10000, 262144, 1500000};
    char path[PATH_SIZE], name[32];
    size_t i;

    for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct reader reader = {0};
        static struct events events;
        resup_upload *upload;

        sprintf(name, "reader-%lu", (unsigned long)sizes[i]);
        reader.most = i % 2 ? 10000 : 1000000;
        upload = reader_upload(client, &reader, new_file(path, name, sizes[i]), name);
        listen_to(&events, upload);
        CHECK_STATUS(resup_upload_run(upload), RESUP_OK, name);
        check_run_events(&events, RESUP_OK, name);
        check_stored(upload, path, name);
        CHECK(reader.sizes > 0, "it was asked for its size");
        end(&reader);
    }
}

static void it_is_read_only_while_the_program_waits(resup_client *client)
{
    struct reader reader = {0};
    char path[PATH_SIZE];
    resup_upload *upload =
        reader_upload(client, &reader, new_file(path, "polled", 700000), "polled reader");
    resup_status status;

    CHECK_STATUS(resup_upload_start(upload), RESUP_OK, "start with a reader");
    sleep_ms(50);
    CHECK(reader.sizes == 0 && reader.reads == 0, "nothing is read outside of wait");
    while ((status = resup_upload_wait(upload, 5)) == RESUP_PENDING)
        ;
    CHECK_STATUS(status, RESUP_OK, "polled to its end");
    check_stored(upload, path, "a polled reader is stored");
    end(&reader);
}

static void another_run_goes_on(resup_client *client)
{
    struct reader reader = {0};
    char path[PATH_SIZE];
    resup_upload *upload;
    int first;

    reader.cancels = 180; /* the first 150 are for the digest */
    upload = reader_upload(client, &reader, new_file(path, "resumed", 1500000), "resumed reader");
    CHECK_STATUS(resup_upload_run(upload), RESUP_E_CANCELLED, "cancelled from within a read");
    first = reader.reads;
    CHECK(first <= reader.cancels + 1, "a cancelled run reads no more");
    reader.cancels = 0;
    CHECK_STATUS(resup_upload_run(upload), RESUP_OK, "a reader's upload is run again");
    check_stored(upload, path, "a resumed reader is stored");
    CHECK(resup_upload_bytes_sent(upload) + resup_upload_bytes_skipped(upload) == 1500000,
          "what the server had is not sent again");
    end(&reader);
}

static void failures_are_told(resup_client *client)
{
    static const struct {
        const char *name, *message;
        resup_status status;
        struct reader reader;
    } cases[] = {
        {"read fails", "read function answered 7", RESUP_E_SOURCE_IO, {.read_fails = 7}},
        {"seek fails", "seek function answered -3", RESUP_E_SOURCE_IO, {.seek_fails = -3}},
        {"size fails", "size function answered 9", RESUP_E_SOURCE_IO, {.size_fails = 9}},
        {"ends early", "ended at byte 70000 of 200000", RESUP_E_SOURCE_CHANGED, {.ends_at = 70000}},
        {"claims too much", "room for", RESUP_E_SOURCE_IO, {.claims = 1 << 20}},
    };
    char path[PATH_SIZE];
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct reader reader = cases[i].reader;
        resup_upload *upload =
            reader_upload(client, &reader, new_file(path, "failing", 200000), cases[i].name);

        CHECK_STATUS(resup_upload_run(upload), cases[i].status, cases[i].name);
        CHECK_TEXT(resup_upload_error_message(upload), cases[i].message, cases[i].name);
        reader.read_fails = reader.seek_fails = reader.size_fails = 0;
        reader.ends_at = reader.claims = 0;
        CHECK_STATUS(resup_upload_run(upload), RESUP_OK, "a mended reader");
        check_stored(upload, path, "a mended reader is stored");
        end(&reader);
    }
}

static void another_size_is_noticed(resup_client *client)
{
    struct reader reader = {0};
    char path[PATH_SIZE];
    resup_upload *upload =
        reader_upload(client, &reader, new_file(path, "grown", 300000), "grown reader");

    CHECK_STATUS(resup_upload_set_rate_limit(upload, 600000), RESUP_OK, "slowly");
    CHECK_STATUS(resup_upload_start(upload), RESUP_OK, "start a reader that grows");
    while (resup_upload_state(upload) != RESUP_STATE_SENDING)
        need(resup_upload_wait(upload, 1) == RESUP_PENDING, "it is to go on");
    reader.size++;
    CHECK_STATUS(resup_upload_wait(upload, RESUP_FOREVER), RESUP_E_SOURCE_CHANGED, "it grew");
    CHECK_TEXT(resup_upload_error_message(upload), "300000 bytes and is 300001", "by how much");
    end(&reader);
}

static void it_may_not_run_its_upload(resup_client *client)
{
    struct reader reader = {0};
    char path[PATH_SIZE];
    resup_upload *upload;

    reader.reenters = 1;
    upload = reader_upload(client, &reader, new_file(path, "reentered", 30000), "re-entered");
    CHECK_STATUS(resup_upload_run(upload), RESUP_OK, "a reader that calls run");
    check_stored(upload, path, "it is stored in spite of that");
    end(&reader);
}

static void one_that_cannot_go_back_is_refused(resup_client *client)
{
    struct reader reader = {0};
    resup_upload *upload = NULL;

    CHECK_STATUS(resup_upload_new_reader(client, "n", NULL, go_to, tell_size, &reader, count,
                                         &upload),
                 RESUP_E_NULL, "no read");
    CHECK_TEXT(resup_client_error_message(client), "read function is NULL", "no read");
    CHECK_STATUS(resup_upload_new_reader(client, "n", read_some, NULL, tell_size, &reader, count,
                                         &upload),
                 RESUP_E_NULL, "no seek");
    CHECK_TEXT(resup_client_error_message(client), "seek function is NULL", "no seek");
    CHECK_STATUS(resup_upload_new_reader(client, "n", read_some, go_to, NULL, &reader, count,
                                         &upload),
                 RESUP_E_NULL, "no size");
    CHECK_TEXT(resup_client_error_message(client), "size function is NULL", "no size");
    CHECK_TEXT(resup_client_error_message(client), "into a file or memory first", "the way out");
    CHECK_STATUS(resup_upload_new_reader(client, "a/b", read_some, go_to, tell_size, &reader,
                                         count, &upload),
                 RESUP_E_ARGUMENT, "a name that cannot be one");
    CHECK(reader.destroyed == 4, "the data is let go at once when making fails");
    CHECK(upload == NULL, "and nothing is made");
}

void test_readers(void)
{
    resup_client *client = new_client(here.url);

    what_it_gives_is_stored(client);
    it_is_read_only_while_the_program_waits(client);
    another_run_goes_on(client);
    failures_are_told(client);
    another_size_is_noticed(client);
    it_may_not_run_its_upload(client);
    one_that_cannot_go_back_is_refused(client);
    resup_client_free(client);
}
