/*
 * Loads the library at run time, and closes it while an upload is under way.
 *
 *     unload LIBRARY URL FILE
 *
 * The library's own thread must still find its code after dlclose.
 */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <stdio.h>

#ifdef _WIN32
#include <windows.h>

#define RTLD_NOW 0
#define RTLD_LOCAL 0

static void *dlopen(const char *path, int flags)
{
    (void)flags;
    return (void *)LoadLibraryA(path);
}

static void *dlsym(void *loaded, const char *name)
{
    union {
        FARPROC function;
        void *address;
    } found;

    found.function = GetProcAddress((HMODULE)loaded, name);
    return found.address;
}

static int dlclose(void *loaded)
{
    return FreeLibrary((HMODULE)loaded) ? 0 : -1;
}
#else
#include <dlfcn.h>
#endif

struct library {
    void *loaded;
    resup_status (*client_new)(const char *, resup_client **);
    resup_status (*client_free)(resup_client *);
    const char *(*client_error_message)(const resup_client *);
    resup_status (*client_set_retry_backoff)(resup_client *, uint32_t, uint32_t);
    resup_status (*upload_new_file)(resup_client *, const char *, resup_upload **);
    resup_status (*upload_start)(resup_upload *);
    resup_status (*upload_wait)(resup_upload *, uint32_t);
    uint64_t (*upload_bytes_sent)(const resup_upload *);
    resup_status (*upload_free)(resup_upload *);
};

static void *symbol(void *loaded, const char *name)
{
    void *found = dlsym(loaded, name);

    need(found != NULL, name);
    return found;
}

static struct library load(const char *path)
{
    struct library library;

    library.loaded = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    need(library.loaded != NULL, path);
    /* POSIX recommends this assignment for a function from dlsym in strict C. */
#define LOAD(name) *(void **)(&library.name) = symbol(library.loaded, "resup_" #name)
    LOAD(client_new);
    LOAD(client_free);
    LOAD(client_error_message);
    LOAD(client_set_retry_backoff);
    LOAD(upload_new_file);
    LOAD(upload_start);
    LOAD(upload_wait);
    LOAD(upload_bytes_sent);
    LOAD(upload_free);
#undef LOAD
    return library;
}

static resup_upload *start(const struct library *library, const char *url, const char *file)
{
    resup_client *client = NULL;
    resup_upload *upload = NULL;

    need(library->client_new(url, &client) == RESUP_OK, "a client");
    library->client_set_retry_backoff(client, 1, 50);
    need(library->upload_new_file(client, file, &upload) == RESUP_OK,
         library->client_error_message(client));
    CHECK(library->upload_start(upload) == RESUP_OK, "start");
    CHECK(library->client_free(client) == RESUP_OK, "free the client");
    return upload;
}

int main(int argc, char **argv)
{
    struct library library;
    resup_upload *upload;
    int round;

    need(argc == 4, "usage: unload LIBRARY URL FILE");
    for (round = 0; round < 3; round++) {
        library = load(argv[1]);
        upload = start(&library, argv[2], argv[3]);
        if (round > 0)
            while (library.upload_bytes_sent(upload) == 0 &&
                   library.upload_wait(upload, 0) == RESUP_PENDING)
                sleep_ms(1);
        CHECK(dlclose(library.loaded) == 0, "dlclose under way");
        sleep_ms(200);

        library = load(argv[1]);
        CHECK(library.upload_wait(upload, RESUP_FOREVER) == RESUP_OK,
              "loaded again, the library knows its upload, which went on to its end");
        CHECK(library.upload_free(upload) == RESUP_OK, "free");
        CHECK(dlclose(library.loaded) == 0, "dlclose");
    }
    library = load(argv[1]);
    upload = start(&library, argv[2], argv[3]);
    CHECK(dlclose(library.loaded) == 0, "dlclose, and the program's end right after");
    (void)upload;
    return check_summary("unload");
}
