/* run, start and wait; getters before, after and between runs; the log; digests; settings. */
#include "behaviour.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static void check_fresh(resup_upload *upload)
{
    CHECK(resup_upload_state(upload) == RESUP_STATE_READY, "a new upload is ready");
    CHECK(resup_upload_size(upload) == 0, "before the first run the size is 0");
    CHECK(resup_upload_offset(upload) == 0, "before the first run the offset is 0");
    CHECK(resup_upload_position(upload) == 0, "before the first run the position is 0");
    CHECK(resup_upload_bytes_sent(upload) == 0, "before the first run nothing is sent");
    CHECK(resup_upload_bytes_skipped(upload) == 0, "before the first run nothing is skipped");
    CHECK(resup_upload_rate(upload) == 0, "before the first run the rate is 0");
    CHECK(resup_upload_attempts(upload) == 0, "before the first run there is no attempt");
    CHECK(resup_upload_retry_in(upload) == 0, "before the first run nothing waits");
    CHECK(resup_upload_http_status(upload) == 0, "before the first run there is no response");
    CHECK(resup_upload_is_retryable(upload) == 0, "before the first run nothing failed");
    CHECK(resup_upload_protocol(upload) == NULL, "before the first run there is no protocol");
    CHECK(resup_upload_id(upload) == NULL, "before the first run there is no id");
    CHECK(resup_upload_location(upload) == NULL, "before the first run there is no location");
    CHECK(resup_upload_digest(upload) == NULL, "before the first run there is no digest");
    CHECK(resup_upload_digest_algorithm(upload) == RESUP_DIGEST_ALGORITHM_AUTOMATIC,
          "before the first run there is no algorithm");
    CHECK(resup_upload_md5(upload) == NULL, "before the first run there is no md5");
    CHECK(resup_upload_server_message(upload) == NULL, "before the first run there is no message");
    CHECK(resup_upload_server_excerpt(upload) == NULL, "before the first run there is no excerpt");
    CHECK_TEXT(resup_upload_error_message(upload), "", "an error message is never NULL");
    CHECK(strlen(resup_upload_error_message(upload)) == 0, "before the first run no error");
}

static void run_twice(void)
{
    resup_client *client = new_client(here.url);
    char path[PATH_SIZE], id[200];
    resup_upload *upload = new_upload(client, new_file(path, "runs.bin", 3000007));
    static struct events events;
    const char *digest, *first_id;
    size_t length;
    resup_status status;

    check_fresh(upload);
    listen_to(&events, upload);
    status = resup_upload_run(upload);
    CHECK_STATUS(status, RESUP_OK, "run uploads");
    check_run_events(&events, status, "run calls its callbacks");
    check_stored(upload, path, "run stores the file");
    CHECK(events.backwards == 0, "progress does not go back while the connection holds");
    CHECK(events.seen[RESUP_STATE_LOCATING] == 1, "the server is asked once");
    CHECK(events.seen[RESUP_STATE_SENDING] == 1, "the state is sending once");
    CHECK(events.seen[RESUP_STATE_VERIFYING] == 1, "the state is verifying once");
    CHECK(resup_upload_size(upload) == 3000007, "the size is the file's");
    CHECK(resup_upload_bytes_sent(upload) == 3000007, "each byte is sent once");
    CHECK(resup_upload_bytes_skipped(upload) == 0, "nothing is skipped in a new upload");
    CHECK(resup_upload_attempts(upload) == 1, "one attempt is enough");
    digest = resup_upload_digest(upload);
    length = resup_upload_digest_algorithm(upload) == RESUP_DIGEST_ALGORITHM_MD5 ? 32 : 64;
    CHECK(digest != NULL && strlen(digest) == length &&
              strspn(digest, "0123456789abcdef") == length,
          "the digest is lower-case hex digits");
    CHECK((resup_upload_md5(upload) != NULL) == (length == 32), "an MD5 is also given as such");
    CHECK(resup_upload_location(upload) != NULL, "the receiver gives a location");
    (void)resup_upload_server_message(upload);

    CHECK(resup_upload_id(upload) == resup_upload_id(upload), "a text stays where it is");
    first_id = resup_upload_id(upload);
    sprintf(id, "%.199s", first_id);
    expect_here(&events);
    status = resup_upload_run(upload);
    CHECK_STATUS(status, RESUP_OK, "run again after success succeeds");
    check_run_events(&events, status, "the second run calls its callbacks again");
    check_stored(upload, path, "the second run leaves the file as it is");
    CHECK(resup_upload_bytes_sent(upload) == 0, "what the server has is not sent again");
    CHECK(resup_upload_bytes_skipped(upload) == 3000007, "all was skipped");
    CHECK(resup_upload_attempts(upload) == 1, "attempts count from the run's beginning");
    CHECK(resup_upload_digest(upload) != NULL, "what is complete was compared");
    CHECK_TEXT(resup_upload_id(upload), id, "it is the same upload at the server");
    CHECK(strcmp(first_id, id) == 0, "a returned string outlives the next run");
    CHECK(strlen(resup_upload_error_message(upload)) == 0, "an upload without failures and");
    CHECK(strlen(resup_client_error_message(client)) == 0, "its client and");
    CHECK(strlen(resup_client_error_message(NULL)) == 0, "the thread have no error message");

    CHECK_STATUS(resup_upload_free(upload), RESUP_OK, "an upload is freed");
    check_destroyed(&events, "free releases each user_data once");
    CHECK_STATUS(resup_client_free(client), RESUP_OK, "a client is freed");
}

static void start_and_wait(void)
{
    resup_client *client = new_client(here.url);
    char path[PATH_SIZE];
    resup_upload *upload = new_upload(client, new_file(path, "wait.bin", 2500000));
    static struct events events;
    resup_status status;
    int waits = 0;

    listen_to(&events, upload);
    CHECK_STATUS(resup_upload_start(upload), RESUP_OK, "start starts");
    CHECK_STATUS(resup_upload_start(upload), RESUP_E_STATE, "start is refused under way");
    CHECK(strlen(resup_upload_error_message(upload)) > 0, "and says why");
    CHECK_STATUS(resup_upload_run(upload), RESUP_E_STATE, "run is refused after start");
    CHECK_STATUS(resup_upload_set_name(upload, "x"), RESUP_E_STATE, "so is set_name");
    CHECK_STATUS(resup_upload_set_directory(upload, "x"), RESUP_E_STATE, "so is set_directory");
    CHECK_STATUS(resup_upload_set_content_type(upload, "a/b"), RESUP_E_STATE,
                 "so is set_content_type");
    CHECK_STATUS(resup_upload_set_field(upload, "x", "y"), RESUP_E_STATE, "so is set_field");
    CHECK_STATUS(resup_upload_set_segment_size(upload, 9), RESUP_E_STATE,
                 "so is set_segment_size");
    await_state(upload, RESUP_STATE_COMPLETE);
    CHECK(events.progress + events.states + events.completes == 0,
          "a started upload goes on by itself and calls nothing");
    while ((status = resup_upload_wait(upload, 0)) == RESUP_PENDING && waits++ < 1000)
        sleep_ms(1);
    CHECK_STATUS(status, RESUP_OK, "wait returns the outcome");
    check_run_events(&events, status, "wait calls the callbacks");
    check_stored(upload, path, "start stores the file");
    CHECK_STATUS(resup_upload_wait(upload, 0), RESUP_OK, "wait returns the outcome again");
    CHECK_STATUS(resup_upload_wait(upload, RESUP_FOREVER), RESUP_OK, "and again, at once");
    CHECK(events.completes == 1 && events.late == 0, "but calls nothing any more");

    expect_here(&events);
    CHECK_STATUS(resup_upload_start(upload), RESUP_OK, "start again after the end");
    CHECK_STATUS(resup_upload_wait(upload, RESUP_FOREVER), RESUP_OK, "wait as long as it takes");
    check_run_events(&events, RESUP_OK, "the second run calls its callbacks");
    resup_upload_free(upload);
    check_destroyed(&events, "each user_data is released once");
    resup_client_free(client);
}

static void wait_gives_up_in_time(void)
{
    resup_client *client = new_client(here.hang_url);
    char path[PATH_SIZE];
    resup_upload *upload = new_upload(client, new_file(path, "hang-wait.bin", here.big));
    static struct events events;
    uint64_t began;

    listen_to(&events, upload);
    CHECK_STATUS(resup_upload_start(upload), RESUP_OK, "start towards a server that hangs");
    await_state(upload, RESUP_STATE_SENDING);
    began = now_ms();
    CHECK_STATUS(resup_upload_wait(upload, 60), RESUP_PENDING, "wait ends at its time");
    CHECK(now_ms() - began >= 59, "and not before");
    CHECK(now_ms() - began < 10000, "and not long after");
    CHECK(events.progress + events.states > 0, "callbacks were called for what happened");
    CHECK(events.completes == 0, "but not for the end");
    CHECK_STATUS(resup_upload_free(upload), RESUP_OK, "an upload under way can be freed");
    CHECK(events.completes == 0, "and no callback is called for that");
    check_destroyed(&events, "each user_data is released once");
    resup_client_free(client);
}

static int32_t cancel_sending(struct events *events)
{
    return resup_upload_state(events->upload) == RESUP_STATE_SENDING ? 1 : RESUP_CONTINUE;
}

static void discard(void)
{
    resup_client *client = new_client(here.url);
    char path[PATH_SIZE];
    resup_upload *upload = new_upload(client, new_file(path, "discarded.bin", 3000007));
    static struct events events;

    listen_to(&events, upload);
    events.in_progress = cancel_sending;
    CHECK_STATUS(resup_upload_set_rate_limit(upload, 1500000), RESUP_OK, "a slow upload");
    CHECK_STATUS(resup_upload_run(upload), RESUP_E_CANCELLED, "is cancelled on the way");
    events.in_progress = NULL;
    CHECK_STATUS(resup_upload_set_rate_limit(upload, 0), RESUP_OK, "now as fast as it goes");
    expect_here(&events);
    CHECK_STATUS(resup_upload_discard(upload), RESUP_OK, "an unfinished upload is discarded");
    CHECK(events.seen[RESUP_STATE_LOCATING] == 1 && events.last_state == RESUP_STATE_READY,
          "with its states");
    CHECK(events.progress == 0 && events.completes == 0, "but no progress and no completion");
    CHECK(resup_upload_state(upload) == RESUP_STATE_READY, "it is ready again");
    CHECK(strlen(resup_upload_error_message(upload)) == 0, "and has no error message");
    CHECK_STATUS(resup_upload_discard(upload), RESUP_OK, "what is not there, too");
    expect_here(&events);
    CHECK_STATUS(resup_upload_run(upload), RESUP_OK, "run after a discard");
    CHECK(resup_upload_bytes_skipped(upload) == 0, "begins anew");
    check_stored(upload, path, "and stores the file");
    CHECK_STATUS(resup_upload_discard(upload), RESUP_E_REFUSED, "a finished file stays");
    CHECK_TEXT(resup_upload_error_message(upload), "finished", "and the message says so");
    CHECK(resup_upload_http_status(upload) == 409, "with the status");
    CHECK(resup_upload_is_retryable(upload) == 0, "for good");
    CHECK_STATUS(resup_upload_start(upload), RESUP_OK, "start");
    CHECK_STATUS(resup_upload_discard(upload), RESUP_E_STATE, "no discard during a run");
    CHECK_STATUS(resup_upload_wait(upload, RESUP_FOREVER), RESUP_OK, "which goes on");
    resup_upload_free(upload);
    check_destroyed(&events, "each user_data is released once");
    resup_client_free(client);
}

void test_runs(void)
{
    run_twice();
    discard();
    start_and_wait();
    wait_gives_up_in_time();
}

struct log {
    int lines;
    int completions;
    int wrong;
    int destroyed;
    pthread_t thread;
};

static int32_t on_log(int32_t level, const char *message, void *user_data)
{
    struct log *log = user_data;

    log->lines++;
    log->completions += strstr(message, "complete") != NULL;
    log->wrong += level < RESUP_LOG_ERROR || level > RESUP_LOG_INFO ||
                  !pthread_equal(log->thread, pthread_self());
    return RESUP_CONTINUE;
}

static void on_log_destroyed(void *user_data)
{
    ((struct log *)user_data)->destroyed++;
}

void test_log(void)
{
    resup_client *client = new_client(here.url);
    struct log log = {0, 0, 0, 0, pthread_self()};
    struct log refused = log;
    char path[PATH_SIZE];
    resup_upload *upload = new_upload(client, new_file(path, "logged.bin", 1000));

    CHECK_STATUS(resup_client_on_log(client, 5, on_log, &refused, on_log_destroyed),
                 RESUP_E_ARGUMENT, "a log level that is none");
    CHECK_TEXT(resup_client_error_message(client), "5", "is named");
    CHECK(refused.destroyed == 1, "and its data is released");
    CHECK_STATUS(resup_client_on_log(client, RESUP_LOG_INFO, on_log, &log, on_log_destroyed),
                 RESUP_OK, "on_log");
    CHECK_STATUS(resup_upload_run(upload), RESUP_OK, "run with a log");
    CHECK(log.lines >= 2 && log.completions == 1, "the log has lines, one of them of the end");
    CHECK(log.wrong == 0, "with known levels, on this thread");
    CHECK_STATUS(resup_client_free(client), RESUP_OK, "the client is freed first");
    CHECK(log.destroyed == 0, "the upload still has the log");
    CHECK_STATUS(resup_upload_free(upload), RESUP_OK, "then the upload");
    CHECK(log.destroyed == 1, "the log's data is released once");
}

void test_digests(void)
{
    resup_client *client = new_client(here.url);
    char path[PATH_SIZE], state[PATH_SIZE], name[64];
    resup_upload *upload;
    int32_t mode;

    new_file(path, "digests.bin", 500000);
    path_of(state, "digests.state");
    for (mode = RESUP_DIGEST_NONE; mode <= RESUP_DIGEST_FIRST; mode++) {
        sprintf(name, "digests-%d.bin", (int)mode);
        upload = new_upload(client, path);
        CHECK_STATUS(resup_upload_set_name(upload, name), RESUP_OK, "set_name");
        CHECK_STATUS(resup_upload_set_digest(upload, mode), RESUP_OK, "set_digest");
        CHECK_STATUS(resup_upload_set_state_file(upload, state), RESUP_OK, "set_state_file");
        CHECK_STATUS(resup_upload_set_digest(upload, 3), RESUP_E_ARGUMENT, "no such digest");
        CHECK_TEXT(resup_upload_error_message(upload), "3", "is named");
        CHECK_STATUS(resup_upload_set_state_file(upload, ""), RESUP_E_ARGUMENT, "no path");
        CHECK_STATUS(resup_upload_set_state_file(upload, NULL), RESUP_E_NULL, "NULL");
        CHECK_STATUS(resup_upload_run(upload), RESUP_OK, "run with that digest");
        check_stored(upload, path, "the file is stored whole with that digest");
        CHECK((resup_upload_digest(upload) != NULL) == (mode != RESUP_DIGEST_NONE),
              "there is a digest if one was wanted");
        CHECK((resup_upload_digest_algorithm(upload) != RESUP_DIGEST_ALGORITHM_AUTOMATIC) ==
                  (mode != RESUP_DIGEST_NONE),
              "and its algorithm");
        CHECK(resup_upload_bytes_sent(upload) == (mode == RESUP_DIGEST_FIRST ? 0 : 500000),
              "a server that knows the digest needs no byte");
        resup_upload_free(upload);
    }
    resup_client_free(client);
}

static void upload_with_settings(int32_t method)
{
    resup_client *client = new_client(here.url);
    char path[PATH_SIZE], name[64];
    resup_upload *upload;

    CHECK_STATUS(resup_client_set_user(client, "用户 7"), RESUP_OK, "set_user");
    CHECK_STATUS(resup_client_set_user_agent(client, "tests/1 (C)"), RESUP_OK, "set_user_agent");
    CHECK_STATUS(resup_client_set_locate_method(client, method), RESUP_OK, "set_locate_method");
    CHECK_STATUS(resup_client_set_connect_timeout(client, 20000), RESUP_OK,
                 "set_connect_timeout");
    CHECK_STATUS(resup_client_set_response_timeout(client, 60000), RESUP_OK,
                 "set_response_timeout");
    CHECK_STATUS(resup_client_set_stall_timeout(client, 60000), RESUP_OK, "set_stall_timeout");
    CHECK_STATUS(resup_client_set_retry_limit(client, 3), RESUP_OK, "set_retry_limit");
    CHECK_STATUS(resup_client_set_retry_backoff(client, 1, 10), RESUP_OK, "set_retry_backoff");

    CHECK_STATUS(resup_client_set_retry_timeout(client, 60000), RESUP_OK, "set_retry_timeout");
    CHECK_STATUS(resup_client_set_rate_limit(client, 100000000), RESUP_OK, "set_rate_limit");

    sprintf(name, "settings-%d.bin", (int)method);
    upload = new_upload(client, new_file(path, name, 1000001));
    CHECK_STATUS(resup_upload_set_name(upload, name), RESUP_OK, "set_name");
    CHECK_STATUS(resup_upload_set_directory(upload, "图片/2024"), RESUP_OK, "set_directory");
    CHECK_STATUS(resup_upload_set_directory(upload, ""), RESUP_OK, "an empty directory");
    CHECK_STATUS(resup_upload_set_directory(upload, "a/b c"), RESUP_OK, "a directory");
    CHECK_STATUS(resup_upload_set_content_type(upload, "image/png"), RESUP_OK,
                 "set_content_type");
    CHECK_STATUS(resup_upload_set_field(upload, "tenant", "old"), RESUP_OK, "set_field");
    CHECK_STATUS(resup_upload_set_field(upload, "tenant", "new & \"newer\"\r\n= 值"), RESUP_OK,
                 "set_field again");
    CHECK_STATUS(resup_upload_set_segment_size(upload, 300000), RESUP_OK, "set_segment_size");
    CHECK_STATUS(resup_upload_set_rate_limit(upload, 90000000), RESUP_OK, "its set_rate_limit");
    CHECK(resup_upload_time_left(upload) == RESUP_FOREVER, "no time left is known before");
    CHECK_STATUS(resup_upload_run(upload), RESUP_OK, "run with every setting set");
    check_stored(upload, path, "the file in segments is stored whole");
    CHECK(resup_upload_attempts(upload) == 1, "segments are no attempts");
    CHECK(resup_upload_digest(upload) != NULL, "segments have one digest");
    CHECK_STATUS(resup_upload_set_segment_size(upload, RESUP_SEGMENT_AUTOMATIC), RESUP_OK,
                 "automatic segments");
    CHECK_STATUS(resup_upload_set_segment_size(upload, RESUP_SEGMENT_UNLIMITED), RESUP_OK,
                 "settings may be changed after a run");
    resup_upload_free(upload);
    resup_client_free(client);
}

void test_settings(void)
{
    char version[32];

    upload_with_settings(RESUP_LOCATE_POST);
    upload_with_settings(RESUP_LOCATE_GET);

    sprintf(version, "%d.%d.%d", RESUP_VERSION_MAJOR, RESUP_VERSION_MINOR, RESUP_VERSION_PATCH);
    CHECK(strcmp(resup_version(), version) == 0, "library and header have one version");
    CHECK(resup_version_number() == RESUP_VERSION_NUMBER, "as a number, too");
    CHECK_STATUS(resup_client_free(NULL), RESUP_OK, "freeing no client does nothing");
    CHECK_STATUS(resup_upload_free(NULL), RESUP_OK, "freeing no upload does nothing");
    CHECK_TEXT(resup_status_message(RESUP_E_NO_SPACE), "room", "a status has a message");
}
