/*
 * Uploads files and ends. With "free" it frees its handles; else it leaves that to the system, as many programs do.
 *
 *     unfreed URL FILE [free]
 */
#include "check.h"

#include <string.h>

int main(int argc, char **argv)
{
    resup_client *client;
    resup_upload *uploads[20];
    size_t i;

    need(argc >= 3, "URL FILE");
    CHECK_STATUS(resup_client_new(argv[1], &client), RESUP_OK, "a client");
    for (i = 0; i < 20; i++) {
        need(resup_upload_new_file(client, argv[2], &uploads[i]) == RESUP_OK, "an upload");
        CHECK_STATUS(resup_upload_run(uploads[i]), RESUP_OK, "run");
    }
    if (argc > 3 && strcmp(argv[3], "free") == 0) {
        for (i = 0; i < 20; i++)
            resup_upload_free(uploads[i]);
        resup_client_free(client);
    }
    return check_summary("unfreed");
}
