/*
 * Makes a link that has a round-trip time, loss, a rate and a queue; `make bench` measures uploads over it. For root.
 *
 *     link RTT_MS LOSS_PERCENT RATE_MBIT QUEUE_KB SEED
 *
 * The link joins two network namespaces, 192.0.2.1 and 192.0.2.2, so that TCP at both ends is the kernel's own. This
 * program reads each packet from the TUN device of one end, and writes it to the other end when it is due, or drops it.
 * RATE_MBIT 0 is no limit; the queue drops what comes while QUEUE_KB wait.
 *
 * It prints "ready", the paths of the two namespaces (for nsenter --net=PATH), and the congestion control of both. When
 * it is killed, the link is gone.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000ull
#define ROOM 32768
#define MTU 1500
#define SETTINGS "/proc/sys/net/ipv4/"

struct packet {
    uint64_t due;
    int length;
    char bytes[MTU];
};

/* One direction. Each packet stays as long as the others, so that they leave in the order in which they came. */
struct direction {
    int from;
    int to;
    uint64_t free_at; /* when the last packet has passed the slowest place */
    unsigned first;
    unsigned count;
    struct packet *packets;
};

static uint64_t delay;
static uint64_t loss; /* of 2^32 packets */
static double bytes_per_second;
static double queue;
static uint64_t random_state;

static void fail(const char *what)
{
    fprintf(stderr, "link: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
}

/* Returns 32 random bits (splitmix64). */
static uint64_t random_bits(void)
{
    uint64_t bits = random_state += 0x9e3779b97f4a7c15;

    bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9;
    bits = (bits ^ bits >> 27) * 0x94d049bb133111eb;
    return (bits ^ bits >> 31) >> 32;
}

/* Writes a setting of the namespace that this process is in. */
static int set(const char *name, const char *value)
{
    char path[128];
    int file, done;

    snprintf(path, sizeof path, SETTINGS "%s", name);
    file = open(path, O_WRONLY);
    done = file >= 0 && write(file, value, strlen(value)) == (ssize_t)strlen(value);
    if (file >= 0)
        close(file);
    return done;
}

static void get(const char *name, char *value, size_t size)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof path, SETTINGS "%s", name);
    file = fopen(path, "r");
    if (file == NULL || fgets(value, (int)size, file) == NULL)
        snprintf(value, size, "unknown");
    value[strcspn(value, "\n")] = '\0';
    if (file != NULL)
        fclose(file);
}

static int open_namespace(void)
{
    int fd = open("/proc/self/ns/net", O_RDONLY);

    if (fd < 0)
        fail("/proc/self/ns/net");
    return fd;
}

static void enter(int space)
{
    if (setns(space, CLONE_NEWNET) != 0)
        fail("setns");
}

static void change(int socket, unsigned long request, struct ifreq *to, const char *what)
{
    if (ioctl(socket, request, to) != 0)
        fail(what);
}

/* Makes a namespace with this address, and goes into it. Returns its TUN device. */
static int make_end(const char *address)
{
    struct ifreq device = {.ifr_name = "link0"};
    struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    struct sockaddr_in in = {.sin_family = AF_INET};
    int tun, control;

    if (unshare(CLONE_NEWNET) != 0)
        fail("unshare");
    tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
    if (tun < 0)
        fail("/dev/net/tun");
    device.ifr_flags = IFF_TUN | IFF_NO_PI;
    change(tun, TUNSETIFF, &device, "a TUN device");

    control = socket(AF_INET, SOCK_DGRAM, 0);
    change(control, SIOCSIFFLAGS, &loopback, "lo up");
    inet_pton(AF_INET, address, &in.sin_addr);
    memcpy(&device.ifr_addr, &in, sizeof in);
    change(control, SIOCSIFADDR, &device, address);
    inet_pton(AF_INET, "255.255.255.0", &in.sin_addr);
    memcpy(&device.ifr_netmask, &in, sizeof in);
    change(control, SIOCSIFNETMASK, &device, "the netmask");
    device.ifr_qlen = 10000;
    change(control, SIOCSIFTXQLEN, &device, "the length of the queue");
    device.ifr_flags = IFF_UP;
    change(control, SIOCSIFFLAGS, &device, "link0 up");
    close(control);

    /* As large as a long link needs, and nothing remembered from another run. */
    set("tcp_rmem", "4096 131072 33554432");
    set("tcp_wmem", "4096 65536 33554432");
    set("tcp_no_metrics_save", "1");
    return tun;
}

/* Has both ends use cubic. Where the system lets no namespace choose it, it is allowed for that moment. */
static void use_cubic(int home, const int *spaces)
{
    char allowed[256], more[264];
    int i, lock, done = 1;

    for (i = 0; i < 2; i++) {
        enter(spaces[i]);
        done &= set("tcp_congestion_control", "cubic");
    }
    if (done)
        return;
    enter(home);
    /* One link at a time, so that none puts back what another one has set. */
    lock = open(SETTINGS "tcp_allowed_congestion_control", O_RDONLY);
    if (lock < 0 || flock(lock, LOCK_EX) != 0)
        fail("the allowed congestion controls");
    get("tcp_allowed_congestion_control", allowed, sizeof allowed);
    snprintf(more, sizeof more, "%s cubic", allowed);
    set("tcp_allowed_congestion_control", more);
    for (i = 0; i < 2; i++) {
        enter(spaces[i]);
        set("tcp_congestion_control", "cubic");
    }
    enter(home);
    set("tcp_allowed_congestion_control", allowed);
    close(lock);
    enter(spaces[1]);
}

/* Takes the packets that have come, and drops those that are lost or find the queue full. */
static void take(struct direction *way)
{
    static char bytes[MTU];
    int length;

    while (way->count < ROOM && (length = (int)read(way->from, bytes, sizeof bytes)) > 0) {
        uint64_t time = now(), begin = way->free_at > time ? way->free_at : time;
        struct packet *packet = &way->packets[(way->first + way->count) % ROOM];

        if (random_bits() < loss)
            continue;
        if (bytes_per_second > 0) {
            if (queue > 0 && (double)(begin - time) / SECOND * bytes_per_second > queue)
                continue;
            begin += (uint64_t)(length / bytes_per_second * SECOND);
        }
        way->free_at = begin;
        packet->due = begin + delay;
        packet->length = length;
        memcpy(packet->bytes, bytes, (size_t)length);
        way->count++;
    }
}

/* Hands over the packets that are due. Returns when the next one is, or UINT64_MAX. */
static uint64_t give(struct direction *way)
{
    while (way->count > 0) {
        struct packet *packet = &way->packets[way->first];

        if (packet->due > now())
            return packet->due;
        if (write(way->to, packet->bytes, (size_t)packet->length) < 0 && errno != EAGAIN)
            fail("a packet");
        way->first = (way->first + 1) % ROOM;
        way->count--;
    }
    return UINT64_MAX;
}

static void carry(struct direction *ways)
{
    struct pollfd polled[2] = {{.fd = ways[0].from, .events = POLLIN}, {.fd = ways[1].from, .events = POLLIN}};

    prctl(PR_SET_TIMERSLACK, 1000ul);
    for (;;) {
        uint64_t next, other, time;
        struct timespec wait = {.tv_sec = 1};

        take(&ways[0]);
        take(&ways[1]);
        next = give(&ways[0]);
        other = give(&ways[1]);
        next = other < next ? other : next;
        time = now();
        if (next <= time)
            continue;
        if (next - time < SECOND) {
            wait.tv_sec = 0;
            wait.tv_nsec = (long)(next - time);
        }
        ppoll(polled, 2, &wait, NULL);
    }
}

int main(int argc, char **argv)
{
    struct direction ways[2] = {{0}, {0}};
    char algorithm[64];
    int home, tuns[2], spaces[2], i;

    if (argc != 6) {
        fprintf(stderr, "usage: link RTT_MS LOSS_PERCENT RATE_MBIT QUEUE_KB SEED\n");
        return 2;
    }
    delay = (uint64_t)(atof(argv[1]) / 2 / 1000 * SECOND);
    loss = (uint64_t)(atof(argv[2]) / 100 * 4294967296.0);
    bytes_per_second = atof(argv[3]) * 1e6 / 8;
    queue = atof(argv[4]) * 1000;
    random_state = strtoull(argv[5], NULL, 10);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    home = open_namespace();
    for (i = 0; i < 2; i++) {
        tuns[i] = make_end(i == 0 ? "192.0.2.1" : "192.0.2.2");
        spaces[i] = open_namespace();
    }
    use_cubic(home, spaces);
    get("tcp_congestion_control", algorithm, sizeof algorithm);
    for (i = 0; i < 2; i++) {
        ways[i].from = tuns[i];
        ways[i].to = tuns[1 - i];
        ways[i].packets = calloc(ROOM, sizeof *ways[i].packets);
        if (ways[i].packets == NULL)
            fail("memory");
    }
    printf("ready /proc/%d/fd/%d /proc/%d/fd/%d %s\n", (int)getpid(), spaces[0], (int)getpid(), spaces[1], algorithm);
    fflush(stdout);
    carry(ways);
    return 0;
}
