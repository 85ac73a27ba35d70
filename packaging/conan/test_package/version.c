#include <resup.h>
#include <stdio.h>

int main(void)
{
    printf("resup %s\n", resup_version());
    return resup_version_number() != RESUP_VERSION_NUMBER;
}
