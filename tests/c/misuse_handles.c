/* Calls every function with NULL, and with handles that are of the other kind, freed or made up. */
#include "misuse.h"

#include <stdio.h>
#include <string.h>

struct bad_handle {
    const char *kind;
    void *handle;
    resup_status status;
    const char *message; /* part of it */
};

static void check_message(const struct bad_handle *bad, const char *function)
{
    char name[200];

    sprintf(name, "the message of %s with %s", function, bad->kind);
    CHECK_TEXT(resup_client_error_message(NULL), bad->message, name);
}

static void forget_message(void)
{
    resup_client *out = NULL;

    CHECK_STATUS(resup_client_new("gopher://other/", &out), RESUP_E_URL, "another message");
}

static void every_upload_function(const struct bad_handle *bad)
{
    char name[200];
    int i;

    for (i = 0; i < upload_calls_count; i++) {
        /* The only call that may have NULL. */
        int frees_null = i == 0 && bad->handle == NULL;

        sprintf(name, "%s with %s", upload_calls[i].name, bad->kind);
        forget_message();
        CHECK_STATUS(upload_calls[i].call(bad->handle), frees_null ? RESUP_OK : bad->status, name);
        if (!frees_null)
            check_message(bad, upload_calls[i].name);
    }
    forget_message();
    sprintf(name, "the getters with %s", bad->kind);
    CHECK(getters_return_nothing(bad->handle), name);
    check_message(bad, "the getters");
}

static void every_client_function(const struct bad_handle *bad)
{
    char name[200];
    int i;

    for (i = 0; i < client_calls_count; i++) {
        int frees_null = i == 0 && bad->handle == NULL;

        sprintf(name, "%s with %s", client_calls[i].name, bad->kind);
        forget_message();
        CHECK_STATUS(client_calls[i].call(bad->handle), frees_null ? RESUP_OK : bad->status, name);
        if (!frees_null)
            check_message(bad, client_calls[i].name);
    }
    sprintf(name, "resup_client_error_message with %s", bad->kind);
    CHECK(resup_client_error_message(bad->handle) != NULL, name);
}

void test_handles(void)
{
    resup_client *client = hopeless_client(), *freed_client = hopeless_client();
    resup_upload *upload = hopeless_upload(client), *freed_upload = hopeless_upload(client);
    uint64_t on_the_stack[2] = {0, 0};
    struct bad_handle bad[10];
    int i, count = 0;

    CHECK_STATUS(resup_client_free(freed_client), RESUP_OK, "free a client");
    CHECK_STATUS(resup_upload_free(freed_upload), RESUP_OK, "free an upload");

#define BAD(what, pointer, code, text)                                                             \
    bad[count].kind = (what), bad[count].handle = (void *)(pointer), bad[count].status = (code),   \
    bad[count].message = (text), count++
    BAD("NULL", NULL, RESUP_E_NULL, "NULL");
    BAD("an address", on_the_stack, RESUP_E_HANDLE, "never was");
    BAD("a function's address", (uintptr_t)test_handles & ~(uintptr_t)7, RESUP_E_HANDLE,
        "never was");
    BAD("the last address", UINTPTR_MAX, RESUP_E_HANDLE, "never was");
    BAD("a small number", (uintptr_t)8, RESUP_E_HANDLE, "never was");
    for (i = 0; i < count; i++) {
        every_upload_function(&bad[i]);
        every_client_function(&bad[i]);
    }

    count = 0;
    BAD("a client", client, RESUP_E_HANDLE_KIND, "other kind");
    BAD("a freed client", freed_client, RESUP_E_HANDLE_KIND, "other kind");
    BAD("a freed upload", freed_upload, RESUP_E_FREED, "freed before");
    BAD("an upload of the future", (uintptr_t)upload + (1u << 20), RESUP_E_HANDLE, "never was");
    for (i = 0; i < count; i++)
        every_upload_function(&bad[i]);

    count = 0;
    BAD("an upload", upload, RESUP_E_HANDLE_KIND, "other kind");
    BAD("a freed upload", freed_upload, RESUP_E_HANDLE_KIND, "other kind");
    BAD("a freed client", freed_client, RESUP_E_FREED, "freed before");
    BAD("a client of the future", (uintptr_t)client + (1u << 20), RESUP_E_HANDLE, "never was");
    for (i = 0; i < count; i++)
        every_client_function(&bad[i]);
#undef BAD

    CHECK(resup_upload_state(upload) == RESUP_STATE_READY, "the good upload is as it was");
    CHECK_STATUS(resup_upload_run(upload), RESUP_E_CONNECT, "and of use");
    CHECK_STATUS(resup_upload_free(upload), RESUP_OK, "free");
    CHECK_STATUS(resup_upload_free(upload), RESUP_E_FREED, "free twice");
    CHECK_STATUS(resup_client_free(client), RESUP_OK, "free the client");
    CHECK_STATUS(resup_client_free(client), RESUP_E_FREED, "free the client twice");
}
