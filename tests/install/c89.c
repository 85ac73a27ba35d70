/* A program in C89. */
#include <resup.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    resup_client *client;
    resup_upload *upload;
    resup_status status;

    if (argc != 3 || resup_client_new(argv[1], &client) != RESUP_OK)
        return 2;
    status = resup_upload_new_file(client, argv[2], &upload);
    if (status == RESUP_OK) {
        status = resup_upload_run(upload);
        printf("id=%s\n", resup_upload_id(upload));
        resup_upload_free(upload);
    }
    resup_client_free(client);
    return status != RESUP_OK;
}
