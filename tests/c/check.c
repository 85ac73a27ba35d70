#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef _WIN32
#include <winsock2.h>
#include <ws2tcpip.h>
#else
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#endif

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long done, failed;

static int count(int ok)
{
    pthread_mutex_lock(&lock);
    done++;
    if (!ok)
        failed++;
    pthread_mutex_unlock(&lock);
    return ok;
}

int check_that(int condition, const char *name, const char *file, int line)
{
    if (!count(condition))
        fprintf(stderr, "FAILED %s:%d: %s\n", file, line, name);
    return condition;
}

int check_text(const char *text, const char *part, const char *name, const char *file, int line)
{
    int ok = text != NULL && strstr(text, part) != NULL;

    if (!count(ok))
        fprintf(stderr, "FAILED %s:%d: %s: \"%s\" does not contain \"%s\"\n", file, line, name,
                text ? text : "(NULL)", part);
    return ok;
}

void need(int condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "cannot go on: %s\n", what);
        exit(2);
    }
}

int check_summary(const char *program)
{
    printf("%s: %lu checks, %lu failed\n", program, done, failed);
    return done == 0 || failed != 0;
}

void to_utf16(uint16_t *out, const char *text)
{
    const unsigned char *in = (const unsigned char *)text;

    while (*in) {
        int more = *in < 0x80 ? 0 : *in < 0xe0 ? 1 : *in < 0xf0 ? 2 : 3;
        uint32_t c = more == 0 ? *in : *in & (0x3fu >> more);

        for (in++; more > 0; more--)
            c = c << 6 | (*in++ & 0x3fu);
        if (c > 0xffff) {
            c -= 0x10000;
            *out++ = (uint16_t)(0xd800 + (c >> 10));
            c = 0xdc00 + (c & 0x3ff);
        }
        *out++ = (uint16_t)c;
    }
    *out = 0;
}

FILE *open_file(const char *path, const char *mode)
{
#ifdef _WIN32
    /* fopen expects the code page of the system, which does not have all letters. */
    uint16_t wide[4096], wide_mode[8];

    need(strlen(path) < 4096 && strlen(mode) < 8, path);
    to_utf16(wide, path);
    to_utf16(wide_mode, mode);
    return _wfopen((const wchar_t *)wide, (const wchar_t *)wide_mode);
#else
    return fopen(path, mode);
#endif
}

void fill(unsigned char *bytes, size_t size, uint64_t seed)
{
    uint64_t state = seed * 2 + 1;
    size_t i;

    for (i = 0; i < size; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes[i] = (unsigned char)(state >> 24);
    }
}

void make_file(const char *path, uint64_t size, uint64_t seed)
{
    enum { STEP = 1 << 20 };
    unsigned char *bytes = malloc(STEP);
    FILE *file = open_file(path, "wb");
    uint64_t left;

    need(bytes != NULL && file != NULL, path);
    for (left = size; left > 0;) {
        size_t take = left < STEP ? (size_t)left : (size_t)STEP;
        fill(bytes, take, seed ^ left);
        need(fwrite(bytes, 1, take, file) == take, path);
        left -= take;
    }
    need(fclose(file) == 0, path);
    free(bytes);
}

void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *file = open_file(path, "wb");

    need(file != NULL, path);
    need(fwrite(bytes, 1, size, file) == size, path);
    need(fclose(file) == 0, path);
}

int same_files(const char *left, const char *right)
{
    static const size_t step = 1 << 16;
    unsigned char *a = malloc(step), *b = malloc(step);
    FILE *l = open_file(left, "rb"), *r = open_file(right, "rb");
    int same = a != NULL && b != NULL && l != NULL && r != NULL;

    while (same) {
        size_t m = fread(a, 1, step, l), n = fread(b, 1, step, r);
        same = m == n && memcmp(a, b, n) == 0 && !ferror(l) && !ferror(r);
        if (n < step)
            break;
    }
    if (l)
        fclose(l);
    if (r)
        fclose(r);
    free(a);
    free(b);
    return same;
}

void sleep_ms(unsigned milliseconds)
{
    struct timespec time;

    time.tv_sec = (time_t)(milliseconds / 1000);
    time.tv_nsec = (long)(milliseconds % 1000) * 1000000L;
    nanosleep(&time, NULL);
}

uint64_t now_ms(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

const char *refusing_url(void)
{
    static char url[64];

    if (url[0] == '\0') {
        struct sockaddr_in address;
        socklen_t length = sizeof address;
        int bound;

#ifdef _WIN32
        WSADATA data;
        need(WSAStartup(MAKEWORD(2, 2), &data) == 0, "sockets");
#endif
        /* Bound, but not listening: nobody else gets the port, and connections to it are refused. */
        bound = (int)socket(AF_INET, SOCK_STREAM, 0);
        memset(&address, 0, sizeof address);
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        need(bound >= 0 && bind(bound, (struct sockaddr *)&address, sizeof address) == 0 &&
                 getsockname(bound, (struct sockaddr *)&address, &length) == 0,
             "a port that refuses");
        sprintf(url, "http://127.0.0.1:%u/upload", (unsigned)ntohs(address.sin_port));
    }
    return url;
}
