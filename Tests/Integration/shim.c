/* What a test puts before the C library (LD_PRELOAD) to make the machine behave as it seldom does:
   SHIM_CLOCK=SECONDS     the wall clock jumps back and forth by so much with every reading
   SHIM_HASTE=FACTOR      time goes by so many times as fast, on the clock that can't be set and where poll(2) waits
   SHIM_APPEND_ONLY=1     nothing can be taken off the end of a file
   SHIM_NO_PACKET=1       there are no packet sockets, as in a kernel built without them
   SHIM_NO_BUFFERS=COUNT  so many times there is no memory to receive packets from raw sockets into */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static long haste(void) {
    static long factor;
    if (!factor) {
        const char *text = getenv("SHIM_HASTE");
        factor = text ? atol(text) : 1;
    }
    return factor;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    static int (*real)(clockid_t, struct timespec *);
    static long jump;
    if (!real) {
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
        const char *text = getenv("SHIM_CLOCK");
        jump = text ? atol(text) : 0;
    }
    int result = real(clock, time);
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) {
        time->tv_sec += jump;
        jump = -jump;
    }
    if (clock == CLOCK_BOOTTIME) {
        time->tv_nsec *= haste();
        time->tv_sec = time->tv_sec * haste() + time->tv_nsec / 1000000000;
        time->tv_nsec %= 1000000000;
    }
    return result;
}

int poll(struct pollfd *entries, nfds_t count, int timeout) {
    static int (*real)(struct pollfd *, nfds_t, int);
    if (!real) real = (int (*)(struct pollfd *, nfds_t, int))dlsym(RTLD_NEXT, "poll");
    return real(entries, count, timeout > 0 ? timeout / (int)haste() + 1 : timeout);
}

int recvmmsg(int descriptor, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout) {
    static int (*real)(int, struct mmsghdr *, unsigned, int, struct timespec *);
    static int failures;
    if (!real) {
        real = (int (*)(int, struct mmsghdr *, unsigned, int, struct timespec *))dlsym(RTLD_NEXT, "recvmmsg");
        const char *text = getenv("SHIM_NO_BUFFERS");
        failures = text ? atoi(text) : 0;
    }
    if (failures > 0) {
        failures--;
        errno = ENOBUFS;
        return -1;
    }
    return real(descriptor, messages, count, flags, timeout);
}

int socket(int family, int type, int protocol) {
    static int (*real)(int, int, int);
    if (!real) real = (int (*)(int, int, int))dlsym(RTLD_NEXT, "socket");
    if (family == AF_PACKET && getenv("SHIM_NO_PACKET")) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    return real(family, type, protocol);
}

int ftruncate(int descriptor, off_t length) {
    static int (*real)(int, off_t);
    if (!real) real = (int (*)(int, off_t))dlsym(RTLD_NEXT, "ftruncate");
    if (getenv("SHIM_APPEND_ONLY")) {
        errno = EPERM;
        return -1;
    }
    return real(descriptor, length);
}
