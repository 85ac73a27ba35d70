/* What can be uploaded: files and memory of every size, under every name. */
#include "behaviour.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
    "报告 2024.txt",
    "a\"quote\"; filename=\"b.txt",
    "it's %22 & + = ?.txt",
    "line\r\nbreak\nContent-Type: x.txt",
    "\xf0\x9f\x8e\x89\xf0\x9f\xa7\xaa.bin",
    " blank first, .",
    "..hidden",
    "back\\slash.txt",
    "e\xcc\x81.txt",
};

/* Windows has no files of some of these names. */
static int can_be_a_file(const char *name)
{
#ifdef _WIN32
    return strpbrk(name, "<>:\"/\\|?*\r\n") == NULL && name[strlen(name) - 1] != '.';
#else
    return name[0] != '\0';
#endif
}

static void file_names(void)
{
    resup_client *client = new_client(here.url);
    char path[PATH_SIZE];
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        resup_upload *upload;

        if (can_be_a_file(names[i])) {
            upload = new_upload(client, new_file(path, names[i], 5000 + i));
            CHECK_STATUS(resup_upload_run(upload), RESUP_OK, names[i]);
            check_stored(upload, path, names[i]);
            resup_upload_free(upload);
        }

        upload = new_upload(client, new_file(path, "plain.bin", 6000 + i));
        CHECK_STATUS(resup_upload_set_name(upload, names[i]), RESUP_OK, names[i]);
        CHECK_STATUS(resup_upload_run(upload), RESUP_OK, names[i]);
        check_stored(upload, path, names[i]);
        resup_upload_free(upload);
    }
    resup_client_free(client);
}

static void longest_name(void)
{
    resup_client *client = new_client(here.url);
    char path[PATH_SIZE], name[1026];
    resup_upload *upload = new_upload(client, new_file(path, "long.bin", 77));

    memset(name, 'n', sizeof name);
    name[1025] = '\0';
    CHECK_STATUS(resup_upload_set_name(upload, name), RESUP_E_ARGUMENT, "1025 bytes of name");
    CHECK_TEXT(resup_upload_error_message(upload), "1025", "the message has the length");
    name[1024] = '\0';
    CHECK_STATUS(resup_upload_set_name(upload, name), RESUP_OK, "1024 bytes of name");
    name[255] = '\0'; /* the receiver's own limit */
    CHECK_STATUS(resup_upload_set_name(upload, name), RESUP_OK, "255 bytes of name");
    CHECK_STATUS(resup_upload_run(upload), RESUP_OK, "run with 255 bytes of name");
    check_stored(upload, path, "a file with a long name");
    resup_upload_free(upload);
    resup_client_free(client);
}

static void file_sizes(void)
{
    static const uint64_t sizes[] = {0, 1, 2, 4095, 65536, 65537, 1048576};
    resup_client *client = new_client(here.url);
    char path[PATH_SIZE], name[32];
    size_t i;

    for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        resup_upload *upload;
        static struct events events;

        sprintf(name, "size-%lu", (unsigned long)sizes[i]);
        upload = new_upload(client, new_file(path, name, sizes[i]));
        listen_to(&events, upload);
        CHECK_STATUS(
            resup_upload_set_digest_algorithm(upload, RESUP_DIGEST_ALGORITHM_MD5), RESUP_OK, name);
        CHECK_STATUS(resup_upload_run(upload), RESUP_OK, name);
        check_run_events(&events, RESUP_OK, name);
        check_stored(upload, path, name);
        CHECK(resup_upload_size(upload) == sizes[i], name);
        if (sizes[i] == 0)
            CHECK_TEXT(resup_upload_md5(upload), "d41d8cd98f00b204e9800998ecf8427e",
                       "the md5 of nothing");
        resup_upload_free(upload);
    }
    resup_client_free(client);
}

static resup_upload *memory(resup_client *client, const void *data, size_t size, const char *name)
{
    resup_upload *upload = NULL;

    CHECK_STATUS(resup_upload_new_memory(client, data, size, name, &upload), RESUP_OK, name);
    need(upload != NULL, name);
    return upload;
}

static void memory_sources(void)
{
    enum { SIZE = 1234567 };
    resup_client *client = new_client(here.url);
    unsigned char *bytes = malloc(SIZE);
    char path[PATH_SIZE];
    resup_upload *upload;

    need(bytes != NULL, "memory");
    fill(bytes, SIZE, 4711);
    write_file(path_of(path, "memory.bin"), bytes, SIZE);
    upload = memory(client, bytes, SIZE, "memory.bin");
    memset(bytes, 0, SIZE); /* it was copied */
    free(bytes);
    CHECK_STATUS(resup_upload_run(upload), RESUP_OK, "run from memory");
    check_stored(upload, path, "bytes in memory are stored");
    resup_upload_free(upload);

    write_file(path_of(path, "abc"), "abc", 3);
    upload = memory(client, "abc", 3, "三 \"bytes\"");
    CHECK_STATUS(resup_upload_set_digest_algorithm(upload, RESUP_DIGEST_ALGORITHM_MD5), RESUP_OK,
                 "set_digest_algorithm");
    CHECK_STATUS(resup_upload_run(upload), RESUP_OK, "run from a literal");
    check_stored(upload, path, "three bytes are stored");
    CHECK_TEXT(resup_upload_md5(upload), "900150983cd24fb0d6963f7d28e17f72", "the md5 of abc");
    resup_upload_free(upload);

    write_file(path_of(path, "nothing"), "", 0);
    upload = memory(client, NULL, 0, "nothing in memory");
    CHECK_STATUS(resup_upload_run(upload), RESUP_OK, "run of nothing");
    check_stored(upload, path, "nothing is stored");
    resup_upload_free(upload);
    upload = memory(client, "x", 0, "nothing at a place");
    CHECK_STATUS(resup_upload_run(upload), RESUP_OK, "run of no bytes at a place");
    check_stored(upload, path, "no bytes are stored");
    resup_upload_free(upload);
    resup_client_free(client);
}

#ifndef _WIN32
/* A path may be any bytes; the server's name may not. */
static void paths_in_bytes(void)
{
    resup_client *client = new_client(here.url);
    char path[PATH_SIZE], state[PATH_SIZE];
    resup_upload *upload = new_upload(client, new_file(path, "latin \xe4.bin", 7000));

    CHECK_STATUS(resup_upload_run(upload), RESUP_E_ARGUMENT, "a run under no name");
    CHECK_TEXT(resup_upload_error_message(upload), "set_name", "the message has the way out");
    CHECK_STATUS(resup_upload_start(upload), RESUP_E_ARGUMENT, "a start under no name");
    CHECK_STATUS(resup_upload_set_state_file(upload, path_of(state, "latin \xe4.state")), RESUP_OK,
                 "a state file");
    CHECK_STATUS(resup_upload_set_name(upload, "latin ä.bin"), RESUP_OK, "a name");
    CHECK_STATUS(resup_upload_run(upload), RESUP_OK, "a run under a name");
    check_stored(upload, path, "a path in bytes");
    resup_upload_free(upload);
    resup_client_free(client);
}
#endif

static void utf16_paths(void)
{
    static const char *const paths[] = {"plain-16.bin", "文件-16.bin",
                                        "\xf0\x9f\x8e\x89-16.bin"};
    resup_client *client = new_client(here.url);
    uint16_t wide[PATH_SIZE];
    char path[PATH_SIZE];
    size_t i;

    for (i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        resup_upload *upload = NULL;

        to_utf16(wide, new_file(path, paths[i], 9000));
        CHECK_STATUS(resup_upload_new_file_utf16(client, wide, &upload), RESUP_OK, paths[i]);
        memset(wide, 0xff, sizeof wide); /* it was copied */
        CHECK_STATUS(resup_upload_run(upload), RESUP_OK, paths[i]);
        check_stored(upload, path, paths[i]);
        resup_upload_free(upload);
    }
    resup_client_free(client);
}

static int is_there(const char *path)
{
    FILE *file = open_file(path, "rb");

    return file != NULL && fclose(file) == 0;
}

static void utf16_state_file(void)
{
    resup_client *client = new_client(here.url);
    char path[PATH_SIZE], state[PATH_SIZE];
    uint16_t wide[PATH_SIZE];
    resup_upload *upload = new_upload(client, new_file(path, "state-16.bin", 9000));
    uint64_t until = now_ms() + 20000;

    to_utf16(wide, path_of(state, "状态-16"));
    CHECK_STATUS(resup_upload_set_state_file_utf16(upload, wide), RESUP_OK, "a wide state file");
    memset(wide, 0xff, sizeof wide); /* it was copied */
    resup_upload_set_segment_size(upload, 1000);
    resup_upload_set_rate_limit(upload, 3000);
    CHECK_STATUS(resup_upload_start(upload), RESUP_OK, "start");
    while (!is_there(state) && now_ms() < until)
        resup_upload_wait(upload, 1);
    CHECK(is_there(state), "the state file is there after the first segment");
    resup_upload_set_rate_limit(upload, 0);
    CHECK_STATUS(resup_upload_wait(upload, RESUP_FOREVER), RESUP_OK, "the run");
    CHECK(!is_there(state), "it is removed at the end");
    resup_upload_free(upload);
    resup_client_free(client);
}

/* Every text is copied when it is given. */
static void texts_are_copied(void)
{
    char url[256], path[PATH_SIZE], name[] = "copied.bin", key[] = "key", value[] = "value";
    resup_client *client = NULL;
    resup_upload *upload = NULL;
    char given[PATH_SIZE];

    sprintf(url, "%.255s", here.url);
    need(resup_client_new(url, &client) == RESUP_OK, "a client");
    memset(url, 'x', sizeof url - 1);
    strcpy(given, new_file(path, "copied.bin", 4000));
    need(resup_upload_new_file(client, given, &upload) == RESUP_OK, "an upload");
    memset(given, 'x', sizeof given - 1);
    CHECK_STATUS(resup_upload_set_name(upload, name), RESUP_OK, "a name");
    CHECK_STATUS(resup_upload_set_field(upload, key, value), RESUP_OK, "a field");
    memset(name, 0xff, sizeof name - 1);
    memset(key, 0xff, sizeof key - 1);
    memset(value, 0xff, sizeof value - 1);
    CHECK_STATUS(resup_upload_run(upload), RESUP_OK, "run with texts that are gone");
    check_stored(upload, path, "the texts were copied");
    resup_upload_free(upload);
    resup_client_free(client);
}

void test_sources(void)
{
    file_names();
    longest_name();
    file_sizes();
    memory_sources();
#ifndef _WIN32
    paths_in_bytes();
#endif
    utf16_paths();
    utf16_state_file();
    texts_are_copied();
}
