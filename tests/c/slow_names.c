/* A getaddrinfo to preload: every lookup takes half a second and finds this machine. */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <time.h>

typedef int lookup(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **found)
{
    const struct timespec rest = {0, 500000000};
    void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
    lookup *real;

    (void)node;
    memcpy(&real, &symbol, sizeof real);
    nanosleep(&rest, NULL);
    return real("127.0.0.1", service, hints, found);
}
