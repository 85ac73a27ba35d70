/*
 * Makes a file behave as one of a network drive. Preloaded into a program; the environment says what happens:
 *
 *     DRIVE_FILE   the end of the file's path
 *     DRIVE_MODE   number: a look at its name gives another number each time
 *                  time:   a look at its name gives its times in whole seconds
 *                  read:   reading fails
 *                  look:   looking at it by its name fails
 *                  stale:  looking at the open file fails
 *     DRIVE_SKIP   so many calls go well first
 *     DRIVE_FAILS  so many calls fail then
 *     DRIVE_ERROR  the error of those
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static long calls;

static int is_mode(const char *mode)
{
    const char *set = getenv("DRIVE_MODE");

    return set != NULL && strcmp(set, mode) == 0;
}

static long number(const char *name)
{
    const char *value = getenv(name);

    return value != NULL ? atol(value) : 0;
}

static int is_file(int fd, const char *path)
{
    const char *end = getenv("DRIVE_FILE");
    char link[64], target[4096];
    ssize_t length;

    if (end == NULL)
        return 0;
    if (path == NULL || path[0] == '\0') {
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        length = readlink(link, target, sizeof target - 1);
        if (length < 0)
            return 0;
        target[length] = '\0';
        path = target;
    }
    length = (ssize_t)strlen(path) - (ssize_t)strlen(end);
    return length >= 0 && strcmp(path + length, end) == 0;
}

static int fails(void)
{
    long call = __atomic_fetch_add(&calls, 1, __ATOMIC_SEQ_CST) - number("DRIVE_SKIP");

    errno = (int)number("DRIVE_ERROR");
    return call >= 0 && call < number("DRIVE_FAILS");
}

int statx(int dir, const char *path, int flags, unsigned int mask, struct statx *out)
{
    int (*real)(int, const char *, int, unsigned int, struct statx *) = dlsym(RTLD_NEXT, "statx");
    int by_name = path != NULL && path[0] != '\0', result;

    if (!is_file(dir, path))
        return real(dir, path, flags, mask, out);
    if ((is_mode("look") && by_name && fails()) || (is_mode("stale") && !by_name && fails()))
        return -1;
    result = real(dir, path, flags, mask, out);
    if (result == 0 && by_name && is_mode("number"))
        out->stx_ino += (unsigned long)__atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
    if (result == 0 && by_name && is_mode("time"))
        out->stx_mtime.tv_nsec = 0;
    return result;
}

ssize_t read(int fd, void *buffer, size_t size)
{
    ssize_t (*real)(int, void *, size_t) = dlsym(RTLD_NEXT, "read");

    if (is_mode("read") && is_file(fd, NULL) && fails())
        return -1;
    return real(fd, buffer, size);
}
