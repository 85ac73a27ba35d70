/* The statuses of the header. Unlike check.c, this file needs the library. */
#include "check.h"

#include <stdio.h>

const resup_status known_statuses[] = {
    RESUP_OK, RESUP_PENDING,
    RESUP_E_NULL, RESUP_E_HANDLE, RESUP_E_FREED, RESUP_E_HANDLE_KIND, RESUP_E_UTF8,
    RESUP_E_ARGUMENT, RESUP_E_URL, RESUP_E_BUSY, RESUP_E_STATE,
    RESUP_E_SOURCE_NOT_FOUND, RESUP_E_SOURCE_DENIED, RESUP_E_SOURCE_NOT_A_FILE,
    RESUP_E_SOURCE_IO, RESUP_E_SOURCE_CHANGED,
    RESUP_E_RESOLVE, RESUP_E_CONNECT, RESUP_E_CONNECTION_LOST, RESUP_E_TIMEOUT, RESUP_E_TLS,
    RESUP_E_PROXY,
    RESUP_E_NOT_ALLOWED, RESUP_E_TOO_LARGE, RESUP_E_LOCKED, RESUP_E_SERVER_BUSY,
    RESUP_E_SERVER_FAILING, RESUP_E_NO_SPACE, RESUP_E_REFUSED,
    RESUP_E_BAD_RESPONSE, RESUP_E_RESPONSE_TOO_LONG, RESUP_E_BAD_OFFSET, RESUP_E_DIGEST,
    RESUP_E_DIGEST_UNAVAILABLE,
    RESUP_E_CANCELLED, RESUP_E_SYSTEM, RESUP_E_INTERNAL
};
const int known_statuses_count = (int)(sizeof known_statuses / sizeof known_statuses[0]);

int is_known_status(resup_status status)
{
    int i;

    for (i = 0; i < known_statuses_count; i++)
        if (known_statuses[i] == status)
            return 1;
    return 0;
}

int check_status(resup_status got, resup_status wanted, const char *name, const char *file,
                 int line)
{
    if (!check_that(got == wanted, name, file, line))
        fprintf(stderr, "  status %d (%s) instead of %d\n", (int)got, resup_status_message(got),
                (int)wanted);
    return got == wanted;
}
