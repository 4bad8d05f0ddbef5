/*
 * A source of host names, as /etc/nsswitch.conf names them, that behaves as the worst one would. What it does goes by the
 * last byte of the IPv4 address that it is asked about; each of its names has the address 198.51.100.N, as each of these
 * has the name host-N.trial.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <nss.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static char tries[200];

/* Notes the name of what worked. */
static void note(const char *name, long result) {
    if (result < 0) return;
    strcat(tries, "-");
    strcat(tries, name);
}

static int sends_signals(void) {
    /* By way of a socket that has something to say. */
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) return -1;
    if (fcntl(pair[0], F_SETOWN, getppid()) < 0 || fcntl(pair[0], F_SETSIG, SIGKILL) < 0) return -1;
    fcntl(pair[0], F_SETFL, O_ASYNC | O_NONBLOCK);
    return (int)write(pair[1], "", 1);
}

/* All that a lookup must not be able to do. What it must be able to do is done as well, to show that this can be seen. */
static void try_everything(void) {
    char *none[] = {NULL};
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(5300)};
    int udp = socket(AF_INET, SOCK_DGRAM, 0), tcp = socket(AF_INET, SOCK_STREAM, 0);
    note("udp", udp);
    note("tcp", tcp);
    note("read", open("/etc/passwd", O_RDONLY));
    note("bind", bind(udp, (struct sockaddr *)&any, sizeof any));
    note("listen", listen(tcp, 1));
    note("raw", socket(AF_INET, SOCK_RAW, IPPROTO_TCP));
    note("packet", socket(AF_PACKET, SOCK_RAW, 0));
    note("netlink", socket(AF_NETLINK, SOCK_RAW, 0));
    note("write", open("/etc/passwd", O_WRONLY));
    note("append", open("/run/stage/tmp/trial", O_RDONLY | O_CREAT, 0600));
    note("shadow", open("/etc/shadow", O_RDONLY));
    note("temporary", open("/run/stage/tmp", O_TMPFILE | O_RDWR, 0600));
    note("mkdir", mkdirat(AT_FDCWD, "/run/stage/tmp/trial", 0700));
    note("memfd", memfd_create("trial", 0));
    note("code", mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0);
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    note("later", mprotect(page, 4096, PROT_READ | PROT_EXEC));
    note("memory", malloc((size_t)300 << 20) ? 0 : -1);
    note("fork", fork());
    note("vfork", syscall(SYS_clone, CLONE_VM | SIGCHLD, 0, 0, 0, 0));
    note("unshare", unshare(CLONE_NEWUSER));
    note("ptrace", ptrace(PTRACE_ATTACH, getppid(), 0, 0));
    note("setuid", setuid(0));
    note("prctl", syscall(SYS_prctl, 4 /* PR_SET_DUMPABLE */, 1, 0, 0, 0));
    note("term", kill(getppid(), SIGTERM));
    note("kill", kill(getppid(), SIGKILL));
    note("queue", syscall(SYS_rt_sigqueueinfo, getppid(), SIGKILL, 0));
    note("signal", sends_signals());
    note("exec", execve("/bin/true", none, none));
}

static void behave(unsigned host) {
    volatile char *nowhere = NULL;
    char message[200] = {0};
    unsigned long low;
    sigset_t all;
    switch (host) {
    case 1: return try_everything();
    case 2: abort();
    case 3: *nowhere = 0; break;
    case 4: _exit(0);
    case 5: /* can't be told to stop */
        sigfillset(&all);
        sigprocmask(SIG_BLOCK, &all, NULL);
        for (;;) continue;
    case 6:
        for (;;) pause();
    case 7: /* closes all it has, so that its end can't be told by that */
        closefrom(0);
        for (;;) pause();
    case 8:
        for (;;) memset(malloc(1 << 20), 1, 1 << 20);
    case 9: /* speaks out of turn: bars, a name among them, of a length that is right and of others */
        for (int length = 200; length > 0; length--) send(3, memset(message, '|', sizeof message), length, MSG_DONTWAIT);
        return;
    case 10: /* claims a name for another: for 198.51.100.100, as a message has its fields in memory */
        low = 0xc6336464;
        memcpy(message + 8, &low, sizeof low);
        memcpy(message + 24, "\4\4liar", 6);
        send(3, message, 155, 0);
        return;
    default: return;
    }
}

enum nss_status _nss_trial_gethostbyaddr_r(const void *address, socklen_t length, int family, struct hostent *result,
                                           char *buffer, size_t size, int *error, int *host_error) {
    const unsigned char *bytes = address;
    if (family != AF_INET || length != 4 || bytes[0] != 198 || bytes[1] != 51 || bytes[2] != 100) {
        *error = ENOENT, *host_error = HOST_NOT_FOUND;
        return NSS_STATUS_NOTFOUND;
    }
    behave(bytes[3]);
    if (size < 512) {
        *error = ERANGE, *host_error = NETDB_INTERNAL;
        return NSS_STATUS_TRYAGAIN;
    }
    memset(buffer, 0, 32);
    result->h_aliases = (char **)buffer;
    result->h_addr_list = (char **)(buffer + 8);
    result->h_addr_list[0] = memcpy(buffer + 24, address, 4);
    result->h_name = buffer + 32;
    snprintf(result->h_name, 256, "host-%u%s.trial", bytes[3], tries);
    result->h_addrtype = AF_INET;
    result->h_length = 4;
    return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_trial_gethostbyname2_r(const char *name, int family, struct hostent *result, char *buffer, size_t size,
                                            int *error, int *host_error) {
    unsigned host;
    if (family != AF_INET || sscanf(name, "host-%u", &host) != 1 || size < 512) {
        *error = ENOENT, *host_error = HOST_NOT_FOUND;
        return NSS_STATUS_NOTFOUND;
    }
    const unsigned char bytes[] = {198, 51, 100, (unsigned char)host};
    memset(buffer, 0, 32);
    result->h_aliases = (char **)buffer;
    result->h_addr_list = (char **)(buffer + 8);
    result->h_addr_list[0] = memcpy(buffer + 24, bytes, 4);
    result->h_name = strncpy(buffer + 32, name, 256);
    result->h_addrtype = AF_INET;
    result->h_length = 4;
    return NSS_STATUS_SUCCESS;
}
