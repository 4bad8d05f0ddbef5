/*
 * Prints Sources/CSeccomp/programs.h: for each processor and each process, the program that lets the system calls of a
 * list through and kills the process at any other; that of the helper for names refuses the others. libseccomp makes the
 * programs here, so that the daemon need not link it. What is on a list, and why, is said here and nowhere else.
 *
 *     cc -o generate generate.c -lseccomp && ./generate
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* The sensor goes by what it captures with; libnids captures with libpcap. */
enum {
    WRITER = 1,
    RAW = 2,
    RING = 4,
    PCAP = 8,
    /* `scanlogd connections`: with a ring, libpcap or a file, and what keeps its log and its file. */
    CONNECTIONS = 16,
    KEEPER = 32,
    /* The helper that looks host names up, and its children. What they call is up to the C library and to whatever modules
     * /etc/nsswitch.conf names, which nobody can know beforehand: so here a call that is not on the list fails with EPERM,
     * and the lookup perhaps with it, but nothing is killed. */
    NAMES = 64,
    /* In addition, of each child: what is on the list of this role is what it can't do any more, though the helper can. */
    LOOKUP = 128,
    SENSORS = RAW | RING | PCAP,
    LIBPCAP = PCAP | CONNECTIONS,
    PACKETS = RING | LIBPCAP,
    LOGGERS = WRITER | KEEPER,
    ALL = SENSORS | LOGGERS | CONNECTIONS
};

static const char *const roles[] = {"writer", "raw", "ring", "pcap", "connections", "keeper", "names", "lookup"};

/* What happens to a call that is on the list of a role, and to one that is not. */
static uint32_t effect_on_listed(unsigned role) { return 1U << role == LOOKUP ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_ALLOW; }
static uint32_t effect_on_others(unsigned role) {
    switch (1U << role) {
    case NAMES: return SCMP_ACT_ERRNO(EPERM);
    case LOOKUP: return SCMP_ACT_ALLOW;
    default: return SCMP_ACT_KILL_PROCESS;
    }
}

/* A condition on one argument, or none. Three are on more than one: CODE_OF_A_FILE, of mmap, is on memory that can be
 * executed but not written, and is a file; SOCKET, of socket, on the family, which is the value, and the type, which
 * stands in the place of an argument; IN_DIRECTORY, of openat, on the flags, which are the value, and the directory's
 * descriptor, which stands there. */
enum condition { ANY, NOT_EXECUTABLE, EQUAL, AT_MOST, NONE_OF, CODE_OF_A_FILE, SOCKET, IN_DIRECTORY };

struct rule {
    int call;
    unsigned roles;
    enum condition condition;
    unsigned argument;
    uint64_t value;
};

#define CALL(name) SCMP_SYS(name)
/* What opens a file otherwise than for reading. */
#define WRITING (O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND)
#define NAMESPACES \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)
/* The processors have either the one or the other; the C library knows which. */
#define WAIT_CALLS(roles) {CALL(poll), roles, ANY, 0, 0}, {CALL(ppoll), roles, ANY, 0, 0}

static const struct rule rules[] = {
    /* The loop of each process: wait, read signals and records, look at the clock where the vDSO can't, end. */
    WAIT_CALLS(ALL | NAMES),
    {CALL(restart_syscall), ALL | NAMES, ANY, 0, 0}, /* the wait, after SIGSTOP and SIGCONT */
    {CALL(read), ALL | NAMES, ANY, 0, 0},
    {CALL(write), ALL | NAMES, ANY, 0, 0},
    {CALL(clock_gettime), ALL | NAMES, ANY, 0, 0},
    {CALL(gettimeofday), ALL | NAMES, ANY, 0, 0},
    {CALL(close), ALL | NAMES, ANY, 0, 0},
    {CALL(exit_group), ALL | NAMES, ANY, 0, 0},
    {CALL(rt_sigreturn), ALL | NAMES, ANY, 0, 0},

    /* Memory that can't be executed, for the C library and for libpcap. */
    {CALL(brk), ALL | NAMES, ANY, 0, 0},
    {CALL(mmap), ALL | NAMES, NOT_EXECUTABLE, 2, 0},
    {CALL(munmap), ALL | NAMES, ANY, 0, 0},
    {CALL(mremap), LIBPCAP | NAMES, ANY, 0, 0},
    {CALL(madvise), ALL | NAMES, ANY, 0, 0},
    {CALL(futex), ALL | NAMES, ANY, 0, 0},

    /* syslog(3), with what keeps it from waiting for ever. The sensor has a connection for its last words only. */
    {CALL(sendto), ALL, ANY, 0, 0},
    {CALL(setitimer), ALL, ANY, 0, 0},
    {CALL(alarm), SENSORS, ANY, 0, 0},
    {CALL(socket), LOGGERS, EQUAL, 0, AF_UNIX},
    {CALL(connect), LOGGERS, ANY, 0, 0},
    {CALL(newfstatat), LOGGERS | CONNECTIONS, ANY, 0, 0},
    {CALL(stat), LOGGERS, ANY, 0, 0},
    {CALL(statx), LOGGERS | CONNECTIONS, ANY, 0, 0},
    {CALL(fstat), LOGGERS | CONNECTIONS, ANY, 0, 0},
    {CALL(getpid), LOGGERS, ANY, 0, 0},

    /* The writer's care of the sensor, the pid file, and standard input, output and error. */
    {CALL(wait4), WRITER, ANY, 0, 0},
    {CALL(kill), WRITER, EQUAL, 1, SIGKILL},
    {CALL(pwrite64), WRITER | CONNECTIONS, ANY, 0, 0},
    {CALL(ftruncate), WRITER | CONNECTIONS, ANY, 0, 0},
    {CALL(dup2), WRITER | CONNECTIONS, ANY, 0, 0},
    {CALL(dup3), WRITER | CONNECTIONS, ANY, 0, 0},

    /* Raw sockets. */
    {CALL(recvmmsg), RAW, ANY, 0, 0},
    {CALL(getsockopt), SENSORS | CONNECTIONS, ANY, 0, 0}, /* how many packets were dropped; errors of a socket */

    /* The packet socket and libpcap's, and the netlink socket that tells of interfaces. */
    {CALL(epoll_wait), LIBPCAP, ANY, 0, 0},
    {CALL(epoll_pwait), LIBPCAP, ANY, 0, 0},
    {CALL(epoll_ctl), LIBPCAP, ANY, 0, 0},
    {CALL(recvfrom), PACKETS, ANY, 0, 0},
    {CALL(recvmsg), PACKETS, ANY, 0, 0},
    {CALL(sendmsg), PACKETS, ANY, 0, 0},
    {CALL(bind), PACKETS, ANY, 0, 0},
    {CALL(setsockopt), PACKETS, EQUAL, 1, SOL_PACKET},
    {CALL(setsockopt), PACKETS, EQUAL, 1, SOL_SOCKET},
    {CALL(ioctl), LIBPCAP, EQUAL, 1, SIOCGIFFLAGS},
    {CALL(ioctl), LIBPCAP, EQUAL, 1, SIOCGIFINDEX},
    {CALL(ioctl), LIBPCAP, EQUAL, 1, SIOCGIFHWADDR},
    {CALL(getsockname), LIBPCAP, ANY, 0, 0}, /* libpcap asks whether an interface that went down is still there */

    /* The helper for names: a child for each lookup, which gives up what it must not have, and is killed. */
    {CALL(clone), NAMES, NONE_OF, 0, NAMESPACES},
    {CALL(fork), NAMES, ANY, 0, 0},
    {CALL(set_robust_list), NAMES, ANY, 0, 0},
    {CALL(rseq), NAMES, ANY, 0, 0},
    {CALL(socketpair), NAMES, EQUAL, 0, AF_UNIX},
    {CALL(prctl), NAMES, EQUAL, 0, PR_SET_PDEATHSIG},
    {CALL(prctl), NAMES, EQUAL, 0, PR_SET_SECCOMP},
    {CALL(prlimit64), NAMES, EQUAL, 0, 0},
    {CALL(setrlimit), NAMES, ANY, 0, 0},
    {CALL(dup2), NAMES, ANY, 0, 0},
    {CALL(dup3), NAMES, ANY, 0, 0},
    {CALL(close_range), NAMES, ANY, 0, 0},
    {CALL(kill), NAMES, EQUAL, 1, SIGKILL},
    {CALL(wait4), NAMES, ANY, 0, 0},
    {CALL(clone), LOOKUP, ANY, 0, 0},
    {CALL(fork), LOOKUP, ANY, 0, 0},
    {CALL(kill), LOOKUP, ANY, 0, 0},

    /* The resolver and its modules: files to be read, and code in them to be run. */
    {CALL(mmap), NAMES, CODE_OF_A_FILE, 0, 0},
    {CALL(mprotect), NAMES, NOT_EXECUTABLE, 2, 0},
    {CALL(open), NAMES, NONE_OF, 1, WRITING},
    {CALL(openat), NAMES, NONE_OF, 2, WRITING},
    {CALL(pread64), NAMES, ANY, 0, 0},
    {CALL(readv), NAMES, ANY, 0, 0},
    {CALL(lseek), NAMES, ANY, 0, 0},
    {CALL(stat), NAMES, ANY, 0, 0},
    {CALL(lstat), NAMES, ANY, 0, 0},
    {CALL(fstat), NAMES, ANY, 0, 0},
    {CALL(newfstatat), NAMES, ANY, 0, 0},
    {CALL(statx), NAMES, ANY, 0, 0},
    {CALL(access), NAMES, ANY, 0, 0},
    {CALL(faccessat), NAMES, ANY, 0, 0},
    {CALL(faccessat2), NAMES, ANY, 0, 0},
    {CALL(readlink), NAMES, ANY, 0, 0},
    {CALL(readlinkat), NAMES, ANY, 0, 0},
    {CALL(getdents64), NAMES, ANY, 0, 0},
    {CALL(fcntl), NAMES, AT_MOST, 1, F_SETFL}, /* not F_SETOWN, by which others are signalled */
    {CALL(fcntl), NAMES, EQUAL, 1, F_DUPFD_CLOEXEC},

    /* Sockets to name servers, and to the daemons that answer for them: nscd, resolved, avahi. Not bind, and so not
     * netlink: without it the resolver takes it that there are addresses of both families. */
    {CALL(socket), NAMES, SOCKET, SOCK_DGRAM, AF_INET},
    {CALL(socket), NAMES, SOCKET, SOCK_STREAM, AF_INET},
    {CALL(socket), NAMES, SOCKET, SOCK_DGRAM, AF_INET6},
    {CALL(socket), NAMES, SOCKET, SOCK_STREAM, AF_INET6},
    {CALL(socket), NAMES, SOCKET, SOCK_DGRAM, AF_UNIX},
    {CALL(socket), NAMES, SOCKET, SOCK_STREAM, AF_UNIX},
    {CALL(connect), NAMES, ANY, 0, 0},
    {CALL(sendto), NAMES, ANY, 0, 0},
    {CALL(sendmsg), NAMES, ANY, 0, 0},
    {CALL(sendmmsg), NAMES, ANY, 0, 0},
    {CALL(writev), NAMES, ANY, 0, 0},
    {CALL(recvfrom), NAMES, ANY, 0, 0},
    {CALL(recvmsg), NAMES, ANY, 0, 0},
    {CALL(shutdown), NAMES, ANY, 0, 0},
    {CALL(getsockname), NAMES, ANY, 0, 0},
    {CALL(getpeername), NAMES, ANY, 0, 0},
    {CALL(getsockopt), NAMES, ANY, 0, 0},
    {CALL(setsockopt), NAMES, EQUAL, 1, SOL_SOCKET},
    {CALL(setsockopt), NAMES, EQUAL, 1, IPPROTO_IP},
    {CALL(setsockopt), NAMES, EQUAL, 1, IPPROTO_IPV6},
    {CALL(setsockopt), NAMES, EQUAL, 1, IPPROTO_TCP},
    {CALL(ioctl), NAMES, EQUAL, 1, FIONREAD},
    {CALL(select), NAMES, ANY, 0, 0},
    {CALL(pselect6), NAMES, ANY, 0, 0},

    /* What it asks of itself. */
    {CALL(getrandom), NAMES | KEEPER, ANY, 0, 0}, /* malloc(3) does so when it is first called */
    {CALL(getpid), NAMES, ANY, 0, 0},
    {CALL(getppid), NAMES, ANY, 0, 0},
    {CALL(gettid), NAMES, ANY, 0, 0},
    {CALL(getuid), NAMES, ANY, 0, 0},
    {CALL(geteuid), NAMES, ANY, 0, 0},
    {CALL(getgid), NAMES, ANY, 0, 0},
    {CALL(getegid), NAMES, ANY, 0, 0},
    {CALL(uname), NAMES, ANY, 0, 0},
    {CALL(time), NAMES, ANY, 0, 0},
    {CALL(nanosleep), NAMES, ANY, 0, 0},
    {CALL(clock_nanosleep), NAMES, ANY, 0, 0},
    {CALL(rt_sigaction), NAMES, ANY, 0, 0},
    {CALL(rt_sigprocmask), NAMES, ANY, 0, 0},

    /* A standard output that is a file, when the disk is full; a new output file, from the keeper. */
    {CALL(lseek), CONNECTIONS, ANY, 0, 0},
    {CALL(openat), KEEPER, IN_DIRECTORY, 3,
     O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC},
    {CALL(umask), KEEPER, ANY, 0, 0},
    {CALL(sendmsg), KEEPER, ANY, 0, 0},
};

static void must(int result, const char *what) {
    if (result >= 0) return;
    fprintf(stderr, "generate: %s: %s\n", what, strerror(-result));
    exit(1);
}

static int add(scmp_filter_ctx filter, const struct rule *rule, uint32_t effect) {
    switch (rule->condition) {
    case NOT_EXECUTABLE:
        return seccomp_rule_add(filter, effect, rule->call, 1,
                                SCMP_CMP(rule->argument, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    case CODE_OF_A_FILE:
        return seccomp_rule_add(filter, effect, rule->call, 2,
                                SCMP_CMP(2, SCMP_CMP_MASKED_EQ, PROT_EXEC | PROT_WRITE, PROT_EXEC),
                                SCMP_CMP(3, SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, 0));
    case SOCKET:
        return seccomp_rule_add(filter, effect, rule->call, 2, SCMP_CMP32(0, SCMP_CMP_EQ, rule->value),
                                SCMP_CMP(1, SCMP_CMP_MASKED_EQ, 0xf, rule->argument));
    case IN_DIRECTORY:
        return seccomp_rule_add(filter, effect, rule->call, 2, SCMP_CMP32(0, SCMP_CMP_EQ, rule->argument),
                                SCMP_CMP32(2, SCMP_CMP_EQ, rule->value));
    case AT_MOST:
        return seccomp_rule_add(filter, effect, rule->call, 1,
                                SCMP_CMP32(rule->argument, SCMP_CMP_LE, rule->value));
    case NONE_OF:
        return seccomp_rule_add(filter, effect, rule->call, 1,
                                SCMP_CMP(rule->argument, SCMP_CMP_MASKED_EQ, rule->value, 0));
    case EQUAL:
        return seccomp_rule_add(filter, effect, rule->call, 1,
                                SCMP_CMP32(rule->argument, SCMP_CMP_EQ, rule->value));
    default: return seccomp_rule_add(filter, effect, rule->call, 0);
    }
}

/* The program of one process, as an array of instructions. */
static void print_program(uint32_t processor, unsigned role) {
    scmp_filter_ctx filter = seccomp_init(effect_on_others(role));
    if (!filter) must(-ENOMEM, "make a filter");
    must(seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), "refuse other processors");
    if (seccomp_arch_native() != processor) {
        must(seccomp_arch_add(filter, processor), "add processor");
        must(seccomp_arch_remove(filter, seccomp_arch_native()), "remove processor");
    }
    for (size_t index = 0; index < sizeof rules / sizeof rules[0]; index++)
        if (rules[index].roles & 1U << role) must(add(filter, &rules[index], effect_on_listed(role)), "add rule");
    /* The calls that come with each batch of packets are looked for first. */
    const int often[] = {CALL(recvmmsg), CALL(poll), CALL(ppoll)};
    for (size_t index = 0; index < sizeof often / sizeof often[0]; index++)
        seccomp_syscall_priority(filter, often[index], 255 - index);

    struct sock_filter program[512];
    int file = memfd_create("program", 0);
    must(file < 0 ? -errno : 0, "make a file");
    must(seccomp_export_bpf(filter, file), "export");
    ssize_t size = pread(file, program, sizeof program, 0);
    if (size <= 0 || size == sizeof program) must(-E2BIG, "read");
    close(file);
    seccomp_release(filter);

    printf("static const struct sock_filter %s_program[] = {", roles[role]);
    for (size_t index = 0; index < size / sizeof program[0]; index++) {
        const struct sock_filter *it = &program[index];
        printf("%s{0x%02x, %u, %u, 0x%08x},", index % 4 ? " " : "\n    ", it->code, it->jt, it->jf, it->k);
    }
    printf("\n};\n\n");
}

int main(void) {
    const struct scmp_version *version = seccomp_version();
    printf("/* Made by Tests/SystemCalls/generate.c with libseccomp %u.%u.%u: change that, and run make system-calls. */\n\n",
           version->major, version->minor, version->micro);
    printf("#if defined __x86_64__\n\n");
    for (unsigned role = 0; role < sizeof roles / sizeof roles[0]; role++) print_program(SCMP_ARCH_X86_64, role);
    printf("#else /* __aarch64__ */\n\n");
    for (unsigned role = 0; role < sizeof roles / sizeof roles[0]; role++) print_program(SCMP_ARCH_AARCH64, role);
    printf("#endif\n");
    return 0;
}
