/* Makes system calls fail. While the file named by FAULT exists, with "CALL ERRNO PART" in it, each CALL on a file
 * whose path has PART in it fails with ERRNO, or hangs where that is 0. The path of each file that is synced is added as a
 * line to the file named by SYNCS. For LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/* What happens to CALL on this path: the number of an error, 0 for a hang, -1 for nothing. */
static int fault_on(const char *call, const char *path)
{
    static const char *control;
    char text[512], wanted[64], part[256];
    int fd, number;
    ssize_t length;

    if (control == NULL && (control = getenv("FAULT")) == NULL)
        return -1;
    fd = (int)syscall(SYS_openat, AT_FDCWD, control, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    length = syscall(SYS_read, fd, text, sizeof text - 1);
    syscall(SYS_close, fd);
    if (length <= 0)
        return -1;
    text[length] = '\0';
    if (sscanf(text, "%63s %d %255s", wanted, &number, part) != 3)
        return -1;
    if (strcmp(wanted, call) != 0 || strstr(path, part) == NULL)
        return -1;
    return number;
}

/* Whether CALL on this path fails; errno is the reason then. */
static int fails_on(const char *call, const char *path)
{
    int fault;

    while ((fault = fault_on(call, path)) == 0)
        usleep(10000);
    if (fault < 0)
        return 0;
    errno = fault;
    return 1;
}

/* Reads the path of an open file, of which one byte more is left free. Returns whether there is one. */
static int find_path(int fd, char *path, size_t size)
{
    char link[64];
    int saved = errno;
    ssize_t length;

    sprintf(link, "/proc/self/fd/%d", fd);
    length = readlink(link, path, size - 2);
    errno = saved;
    path[length < 0 ? 0 : length] = '\0';
    return length >= 0;
}

static int fails(const char *call, int fd)
{
    char path[1024];

    return find_path(fd, path, sizeof path) && fails_on(call, path);
}

/* Writes down that a file is synced. */
static void note_sync(int fd)
{
    static const char *syncs;
    char path[1024];
    int file;

    if ((syncs == NULL && (syncs = getenv("SYNCS")) == NULL) || !find_path(fd, path, sizeof path))
        return;
    strcat(path, "\n");
    file = (int)syscall(SYS_openat, AT_FDCWD, syncs, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    syscall(SYS_write, file, path, strlen(path));
    syscall(SYS_close, file);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *bytes, size_t count)
{
    return fails("write", fd) ? -1 : REAL(write)(fd, bytes, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset)
{
    return fails("pwrite", fd) ? -1 : REAL(pwrite)(fd, bytes, count, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset)
{
    return fails("pwrite", fd) ? -1 : REAL(pwrite64)(fd, bytes, count, offset);
}

int fsync(int fd)
{
    note_sync(fd);
    return fails("fsync", fd) ? -1 : REAL(fsync)(fd);
}

int fdatasync(int fd)
{
    note_sync(fd);
    return fails("fsync", fd) ? -1 : REAL(fdatasync)(fd);
}

int ftruncate64(int fd, off64_t length)
{
    return fails("truncate", fd) ? -1 : REAL(ftruncate64)(fd, length);
}
