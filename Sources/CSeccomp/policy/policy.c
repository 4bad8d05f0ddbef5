/*
 * Which system calls each process may still make. An architecture that lacks a call has another in its place, which the
 * C library uses: both are listed.
 */
#define _GNU_SOURCE
#include "policy.h"

#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

const struct role roles[] = {
    {"logger", LOGGER}, {"raw", RAW}, {"ring", RING}, {"pcap", PCAP}, {"connections", CONNECTIONS}, {"broker", BROKER},
    {"names", NAMES}, {"lookup", LOOKUP},
};
const unsigned role_count = sizeof roles / sizeof roles[0];

/* The flags that open a file other than for reading. */
#define WRITING (O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND)
#define NAMESPACES \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)
#define WAIT_CALLS(roles) {"poll", roles, ANY, 0, 0}, {"ppoll", roles, ANY, 0, 0}

const struct rule rules[] = {
    /* The loop of each process: wait, read signals and records, read the clock where the vDSO can't, exit. */
    WAIT_CALLS(ALL | NAMES),
    {"restart_syscall", ALL | NAMES, ANY, 0, 0}, /* the wait, after SIGSTOP and SIGCONT */
    {"read", ALL | NAMES, ANY, 0, 0},
    {"write", ALL | NAMES, ANY, 0, 0},
    {"clock_gettime", ALL | NAMES, ANY, 0, 0},
    {"gettimeofday", ALL | NAMES, ANY, 0, 0},
    {"close", ALL | NAMES, ANY, 0, 0},
    {"exit_group", ALL | NAMES, ANY, 0, 0},
    {"rt_sigreturn", ALL | NAMES, ANY, 0, 0},

    /* Memory that can't be executed, for the C library and for libpcap. */
    {"brk", ALL | NAMES, ANY, 0, 0},
    {"mmap", ALL | NAMES, NOT_EXECUTABLE, 2, 0},
    {"munmap", ALL | NAMES, ANY, 0, 0},
    {"mremap", LIBPCAP | NAMES, ANY, 0, 0},
    {"madvise", ALL | NAMES, ANY, 0, 0},
    {"futex", ALL | NAMES, ANY, 0, 0},

    /* syslog(3), and timers against its blocking forever. The sensor has a connection for its last message only. */
    {"sendto", ALL, ANY, 0, 0},
    {"setitimer", ALL, ANY, 0, 0},
    {"alarm", SENSORS, ANY, 0, 0},
    {"socket", LOGGERS, EQUAL, 0, AF_UNIX},
    {"connect", LOGGERS, ANY, 0, 0},
    {"newfstatat", LOGGERS | CONNECTIONS, ANY, 0, 0},
    {"stat", LOGGERS, ANY, 0, 0},
    {"statx", LOGGERS | CONNECTIONS, ANY, 0, 0},
    {"fstat", LOGGERS | CONNECTIONS, ANY, 0, 0},
    {"getpid", LOGGERS, ANY, 0, 0},

    /* The logger's control of the sensor, the pid file, and standard input, output and error. */
    {"wait4", LOGGER, ANY, 0, 0},
    {"kill", LOGGER, EQUAL, 1, SIGKILL},
    {"pwrite64", LOGGER | CONNECTIONS, ANY, 0, 0},
    {"ftruncate", LOGGER | CONNECTIONS, ANY, 0, 0},
    {"dup2", LOGGER | CONNECTIONS, ANY, 0, 0},
    {"dup3", LOGGER | CONNECTIONS, ANY, 0, 0},

    /* Raw sockets. */
    {"recvmmsg", RAW, ANY, 0, 0},
    {"getsockopt", SENSORS | CONNECTIONS, ANY, 0, 0}, /* the count of dropped packets; errors of a socket */

    /* The lists of sockets in /proc/net, where the kernel can't list them by netlink. */
    {"pread64", SENSORS, ANY, 0, 0},

    /* The packet socket and libpcap's, and the netlink sockets for interfaces, addresses and the host's sockets. */
    {"epoll_wait", LIBPCAP, ANY, 0, 0},
    {"epoll_pwait", LIBPCAP, ANY, 0, 0},
    {"epoll_ctl", LIBPCAP, ANY, 0, 0},
    {"recvfrom", PACKETS | RAW, ANY, 0, 0},
    {"recvmsg", PACKETS, ANY, 0, 0},
    {"sendmsg", PACKETS, ANY, 0, 0},
    {"bind", PACKETS, ANY, 0, 0},
    {"setsockopt", PACKETS, EQUAL, 1, SOL_PACKET},
    {"setsockopt", PACKETS, EQUAL, 1, SOL_SOCKET},
    {"ioctl", LIBPCAP, EQUAL, 1, SIOCGIFFLAGS},
    {"ioctl", LIBPCAP, EQUAL, 1, SIOCGIFINDEX},
    {"ioctl", LIBPCAP, EQUAL, 1, SIOCGIFHWADDR},
    {"fcntl", PCAP, EQUAL, 1, F_GETFL}, /* libpcap sets another filter: what arrived meanwhile is read, without blocking */
    {"fcntl", PCAP, EQUAL, 1, F_SETFL},
    {"getsockname", LIBPCAP, ANY, 0, 0}, /* libpcap checks whether an interface that went down still exists */

    /* The helper for names: a child for each lookup, which drops what it must not have, and is killed. */
    {"clone", NAMES, NONE_OF, 0, NAMESPACES},
    {"fork", NAMES, ANY, 0, 0},
    {"set_robust_list", NAMES, ANY, 0, 0},
    {"rseq", NAMES, ANY, 0, 0},
    {"socketpair", NAMES, EQUAL, 0, AF_UNIX},
    {"prctl", NAMES, EQUAL, 0, PR_SET_PDEATHSIG},
    {"prctl", NAMES, EQUAL, 0, PR_SET_SECCOMP},
    {"prlimit64", NAMES, EQUAL, 0, 0},
    {"setrlimit", NAMES, ANY, 0, 0},
    {"dup2", NAMES, ANY, 0, 0},
    {"dup3", NAMES, ANY, 0, 0},
    {"close_range", NAMES, ANY, 0, 0},
    {"kill", NAMES, EQUAL, 1, SIGKILL},
    {"wait4", NAMES, ANY, 0, 0},
    {"clone", LOOKUP, ANY, 0, 0},
    {"fork", LOOKUP, ANY, 0, 0},
    {"kill", LOOKUP, ANY, 0, 0},

    /* The resolver and its modules: files to read, and code in them to execute. */
    {"mmap", NAMES, CODE_OF_A_FILE, 0, 0},
    {"mprotect", NAMES, NOT_EXECUTABLE, 2, 0},
    {"open", NAMES, NONE_OF, 1, WRITING},
    {"openat", NAMES, NONE_OF, 2, WRITING},
    {"pread64", NAMES, ANY, 0, 0},
    {"readv", NAMES, ANY, 0, 0},
    {"lseek", NAMES, ANY, 0, 0},
    {"stat", NAMES, ANY, 0, 0},
    {"lstat", NAMES, ANY, 0, 0},
    {"fstat", NAMES, ANY, 0, 0},
    {"newfstatat", NAMES, ANY, 0, 0},
    {"statx", NAMES, ANY, 0, 0},
    {"access", NAMES, ANY, 0, 0},
    {"faccessat", NAMES, ANY, 0, 0},
    {"faccessat2", NAMES, ANY, 0, 0},
    {"readlink", NAMES, ANY, 0, 0},
    {"readlinkat", NAMES, ANY, 0, 0},
    {"getdents64", NAMES, ANY, 0, 0},
    {"fcntl", NAMES, AT_MOST, 1, F_SETFL}, /* not F_SETOWN, which can send signals to others */
    {"fcntl", NAMES, EQUAL, 1, F_DUPFD_CLOEXEC},

    /* Sockets to name servers, and to the daemons that answer for them: nscd, resolved, avahi. Not bind, and so not
     * netlink: without it the resolver assumes that there are addresses of both families. */
    {"socket", NAMES, SOCKET, SOCK_DGRAM, AF_INET},
    {"socket", NAMES, SOCKET, SOCK_STREAM, AF_INET},
    {"socket", NAMES, SOCKET, SOCK_DGRAM, AF_INET6},
    {"socket", NAMES, SOCKET, SOCK_STREAM, AF_INET6},
    {"socket", NAMES, SOCKET, SOCK_DGRAM, AF_UNIX},
    {"socket", NAMES, SOCKET, SOCK_STREAM, AF_UNIX},
    {"connect", NAMES, ANY, 0, 0},
    {"sendto", NAMES, ANY, 0, 0},
    {"sendmsg", NAMES, ANY, 0, 0},
    {"sendmmsg", NAMES, ANY, 0, 0},
    {"writev", NAMES, ANY, 0, 0},
    {"recvfrom", NAMES, ANY, 0, 0},
    {"recvmsg", NAMES, ANY, 0, 0},
    {"shutdown", NAMES, ANY, 0, 0},
    {"getsockname", NAMES, ANY, 0, 0},
    {"getpeername", NAMES, ANY, 0, 0},
    {"getsockopt", NAMES, ANY, 0, 0},
    {"setsockopt", NAMES, EQUAL, 1, SOL_SOCKET},
    {"setsockopt", NAMES, EQUAL, 1, IPPROTO_IP},
    {"setsockopt", NAMES, EQUAL, 1, IPPROTO_IPV6},
    {"setsockopt", NAMES, EQUAL, 1, IPPROTO_TCP},
    {"ioctl", NAMES, EQUAL, 1, FIONREAD},
    {"select", NAMES, ANY, 0, 0},
    {"pselect6", NAMES, ANY, 0, 0},

    /* Information on the process itself, clocks and signals. */
    {"getrandom", NAMES | BROKER, ANY, 0, 0}, /* the first call of malloc(3) uses it */
    {"getpid", NAMES, ANY, 0, 0},
    {"getppid", NAMES, ANY, 0, 0},
    {"gettid", NAMES, ANY, 0, 0},
    {"getuid", NAMES, ANY, 0, 0},
    {"geteuid", NAMES, ANY, 0, 0},
    {"getgid", NAMES, ANY, 0, 0},
    {"getegid", NAMES, ANY, 0, 0},
    {"uname", NAMES, ANY, 0, 0},
    {"time", NAMES, ANY, 0, 0},
    {"nanosleep", NAMES, ANY, 0, 0},
    {"clock_nanosleep", NAMES, ANY, 0, 0},
    {"rt_sigaction", NAMES, ANY, 0, 0},
    {"rt_sigprocmask", NAMES, ANY, 0, 0},

    /* Standard output to a file, when the disk is full; a reopened output file, by the broker. */
    {"lseek", CONNECTIONS, ANY, 0, 0},
    {"openat", BROKER, IN_DIRECTORY, 3,
     O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC},
    {"umask", BROKER, ANY, 0, 0},
    {"sendmsg", BROKER, ANY, 0, 0},
};

const unsigned rule_count = sizeof rules / sizeof rules[0];
