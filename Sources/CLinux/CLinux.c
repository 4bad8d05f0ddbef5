#include "CLinux.h"

#include <limits.h>
#include <linux/capability.h>
#include <resolv.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/single_threaded.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>

int clinux_errno(void) { return errno; }

int clinux_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }

int clinux_open_in(int directory, const char *name, int flags, mode_t mode) {
    return openat(directory, name, flags, mode);
}

bool clinux_can_write(int descriptor) {
    int flags = fcntl(descriptor, F_GETFL);
    return flags >= 0 && !(flags & O_PATH) && (flags & O_ACCMODE) != O_RDONLY;
}

int clinux_set_close_on_exec(int descriptor) { return fcntl(descriptor, F_SETFD, FD_CLOEXEC); }

int clinux_open_directory_of(const char *path) {
    char directory[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) + 1 : 1;
    if (length >= sizeof directory) return errno = ENAMETOOLONG, -1;
    memcpy(directory, slash ? path : ".", length);
    directory[length] = 0;
    return open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

int clinux_try_new_file(int directory) {
    int file = openat(directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file < 0) return errno == EOPNOTSUPP || errno == EISDIR ? 0 : -1; /* no O_TMPFILE in this file system */
    return close(file);
}

const char *clinux_last_name(const char *path) {
    const char *slash = strrchr(path, '/');
    if (!slash) return path;
    return slash[1] ? slash + 1 : ".";
}

void *clinux_map_zero(size_t size) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return NULL;
    madvise(memory, size, MADV_NOHUGEPAGE); /* only advice: a kernel without huge pages refuses it */
    return memory;
}

void clinux_syslog(int priority, const char *text, int length) { syslog(priority, "%.*s", length, text); }

static volatile sig_atomic_t alarmed;

static void note_alarm(int signal) {
    (void)signal;
    alarmed = 1;
}

int clinux_catch_alarms(void) {
    struct sigaction action = {.sa_handler = note_alarm}; /* without SA_RESTART, so that it interrupts */
    return sigaction(SIGALRM, &action, NULL);
}

bool clinux_syslog_impatiently(int priority, const char *text, int length) {
    /* A periodic timer: interrupted once, syslog(3) reconnects and blocks a second time. */
    const struct timeval quarter = {.tv_usec = 250000};
    const struct itimerval on = {.it_interval = quarter, .it_value = quarter}, off = {.it_value = {0}};
    alarmed = 0;
    setitimer(ITIMER_REAL, &on, NULL);
    clinux_syslog(priority, text, length);
    setitimer(ITIMER_REAL, &off, NULL);
    return alarmed;
}

bool clinux_syslog_in_passing(int priority, const char *text, int length) {
    struct sigaction before, action = {.sa_handler = note_alarm};
    sigset_t alarms, mask;
    sigemptyset(&alarms);
    sigaddset(&alarms, SIGALRM);
    if (sigaction(SIGALRM, &action, &before) < 0) return true;
    sigprocmask(SIG_UNBLOCK, &alarms, &mask);
    bool interrupted = clinux_syslog_impatiently(priority, text, length);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    sigaction(SIGALRM, &before, NULL);
    return interrupted;
}

ssize_t clinux_write_impatiently(int descriptor, const void *bytes, size_t size) {
    const struct timeval half = {.tv_usec = 500000};
    const struct itimerval on = {.it_interval = half, .it_value = half}, off = {.it_value = {0}};
    setitimer(ITIMER_REAL, &on, NULL);
    ssize_t written = write(descriptor, bytes, size);
    int error = errno;
    setitimer(ITIMER_REAL, &off, NULL);
    errno = error;
    return written;
}

bool clinux_is_ignored(int signal) {
    struct sigaction action;
    return sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

int clinux_connect_local(int socket, const char *name) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(name);
    if (length >= sizeof address.sun_path) return errno = ENAMETOOLONG, -1;
    memcpy(address.sun_path, name, length);
    socklen_t size = offsetof(struct sockaddr_un, sun_path) + length + 1;
    if (name[0] == '@') {
        address.sun_path[0] = 0;
        size--; /* an abstract name is not zero-terminated */
    }
    return connect(socket, (struct sockaddr *)&address, size);
}

int clinux_set_pipe_size(int pipe, int size) { return fcntl(pipe, F_SETPIPE_SZ, size) < 0 ? -1 : 0; }

int clinux_ending_signal(int status) { return WIFSIGNALED(status) ? WTERMSIG(status) : 0; }

int clinux_exit_status(int status) { return WEXITSTATUS(status); }

int clinux_set_undumpable(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

int clinux_die_with_parent(void) { return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); }

int clinux_adopt_orphans(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

void clinux_reset_signals(void) {
    struct sigaction action = {.sa_handler = SIG_DFL};
    for (int signal = 1; signal < NSIG; signal++) sigaction(signal, &action, NULL); /* fails for what can't be changed */
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

const char *clinux_executed_path(void) {
    const char *path = (const char *)getauxval(AT_EXECFN);
    return path ? path : "";
}

int clinux_limit(int resource, uint64_t limit) {
    struct rlimit both;
    if (getrlimit(resource, &both) < 0) return -1;
    if (both.rlim_max > limit) both.rlim_max = limit; /* without privileges it can only be lowered */
    both.rlim_cur = both.rlim_max;
    return setrlimit(resource, &both);
}

int clinux_landlock_version(void) {
    return (int)syscall(444 /* landlock_create_ruleset */, NULL, 0, 1 /* ask for the version */);
}

/* Landlock's bits for restrictions beyond files. */
enum { NO_TCP = 3, NO_LISTENING = 1, NO_ABSTRACT_SOCKETS = 1, NO_FOREIGN_SIGNALS = 2 };

/* The kernel may support fewer rights than <linux/landlock.h>, so its version selects them. The numbers are written out
 * for older headers. */
static int make_ruleset(uint64_t network, uint64_t scopes) {
    struct {
        uint64_t files, network, scopes;
    } rules = {0};
    int version = clinux_landlock_version();
    if (version < 0) return -1;
    const uint64_t files[] = {0x1fff, 0x3fff, 0x7fff, 0x7fff, 0xffff};
    rules.files = files[version > 5 ? 4 : version - 1];
    if (version >= 4) rules.network = network;
    if (version >= 6) rules.scopes = scopes;
    return (int)syscall(444, &rules, sizeof rules, 0);
}

static int obey(int ruleset) {
    int result = (int)syscall(446 /* landlock_restrict_self */, ruleset, 0);
    close(ruleset);
    return result;
}

/* Allows some access to files beneath a directory. */
static int landlock_all_but(int directory, uint64_t access, uint64_t network, uint64_t scopes) {
    struct {
        uint64_t access;
        int32_t directory;
    } __attribute__((packed)) beneath = {access, directory};
    int ruleset = make_ruleset(network, scopes);
    long result = ruleset < 0 ? -1 : syscall(445 /* landlock_add_rule */, ruleset, 1 /* beneath */, &beneath, 0);
    if (result == 0) return obey(ruleset);
    if (ruleset >= 0) close(ruleset);
    return -1;
}

int clinux_landlock_all(void) {
    int ruleset = make_ruleset(NO_TCP, NO_ABSTRACT_SOCKETS); /* not signals: the process may have to kill the sensor */
    return ruleset < 0 ? -1 : obey(ruleset);
}

int clinux_landlock_all_but_reading(void) {
    int root = clinux_open_directory_of("/");
    if (root < 0) return -1;
    int result = landlock_all_but(root, 4 | 8 /* read files, and directories */, NO_LISTENING,
                                  NO_ABSTRACT_SOCKETS | NO_FOREIGN_SIGNALS);
    close(root);
    return result;
}

int clinux_landlock_all_but_new_files(int directory) {
    enum { WRITE = 0x0002, MAKE_REGULAR = 0x0100, TRUNCATE = 0x4000 };
    uint64_t access = WRITE | MAKE_REGULAR;
    /* The right is bound to the opened file: the process that receives the descriptor truncates incomplete lines. */
    if (clinux_landlock_version() >= 3) access |= TRUNCATE;
    return landlock_all_but(directory, access, NO_TCP, NO_ABSTRACT_SOCKETS);
}

int clinux_peer_address(int socket, struct sockaddr_storage *address, socklen_t *length) {
    return getpeername(socket, (struct sockaddr *)address, length);
}

int clinux_own_address(int socket, struct sockaddr_storage *address, socklen_t *length) {
    return getsockname(socket, (struct sockaddr *)address, length);
}

int clinux_datagram_source(int socket, struct sockaddr_storage *address, socklen_t *length) {
    char byte;
    return recvfrom(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT, (struct sockaddr *)address, length) < 0 ? -1 : 0;
}

ssize_t clinux_send_descriptor(int socket, const void *bytes, size_t size, int descriptor) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
    struct iovec vector = {.iov_base = (void *)bytes, .iov_len = size};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    if (descriptor >= 0) {
        memcpy(CMSG_DATA(&control.header), &descriptor, sizeof descriptor);
        message.msg_control = &control;
        message.msg_controllen = sizeof control;
    }
    return sendmsg(socket, &message, 0);
}

ssize_t clinux_receive_descriptor(int socket, void *bytes, size_t size, int *descriptor) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec vector = {.iov_base = bytes, .iov_len = size};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t count = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    struct cmsghdr *header = count < 0 ? NULL : CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
        memcpy(descriptor, CMSG_DATA(header), sizeof *descriptor);
    return count;
}

void clinux_silence_options(void) { opterr = 0; }

const char *clinux_option_argument(void) { return optarg; }

int clinux_option_index(void) { return optind; }

void clinux_begin_options(void) { optind = 0; }

int clinux_set_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }

int clinux_empty_bounding_set(void) {
    /* The kernel may know more capabilities than the headers: it returns EINVAL after its last. */
    for (int capability = 0; capability < 64; capability++) {
        int present = prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
        if (present < 0) return errno == EINVAL ? 0 : -1;
        if (present > 0 && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0) return -1;
    }
    return 0;
}

static int set_capabilities(uint32_t kept) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {{.effective = kept, .permitted = kept}};
    return (int)syscall(SYS_capset, &header, sets);
}

int clinux_drop_capabilities(void) { return set_capabilities(0); }

int clinux_keep_file_access(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct now[_LINUX_CAPABILITY_U32S_3];
    if (syscall(SYS_capget, &header, now) < 0) return -1;
    return set_capabilities(now[0].permitted & 1U << CAP_DAC_OVERRIDE);
}

bool clinux_may_have(int capability) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct now[_LINUX_CAPABILITY_U32S_3];
    return syscall(SYS_capget, &header, now) < 0 || now[capability / 32].permitted >> capability % 32 & 1;
}

bool clinux_has_no_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct now[_LINUX_CAPABILITY_U32S_3];
    if (syscall(SYS_capget, &header, now) < 0) return false;
    for (int word = 0; word < _LINUX_CAPABILITY_U32S_3; word++)
        if (now[word].effective | now[word].permitted | now[word].inheritable) return false;
    for (int capability = 0; capability < 64; capability++)
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability, 0, 0) > 0) return false;
    return true;
}

bool clinux_has_no_bounding_set(void) {
    for (int capability = 0; capability < 64; capability++)
        if (prctl(PR_CAPBSET_READ, capability, 0, 0, 0) > 0) return false;
    return true;
}

size_t clinux_ipv6_ancillary_size(void) {
    return CMSG_SPACE(sizeof(struct in6_pktinfo)) + 2 * CMSG_SPACE(sizeof(int));
}

struct clinux_ipv6_ancillary clinux_ipv6_ancillary(struct msghdr *message) {
    struct clinux_ipv6_ancillary found = {.hop_limit = -1, .traffic_class = -1};
    for (struct cmsghdr *item = CMSG_FIRSTHDR(message); item; item = CMSG_NXTHDR(message, item)) {
        if (item->cmsg_level != IPPROTO_IPV6) continue;
        size_t length = item->cmsg_len;
        if (item->cmsg_type == IPV6_PKTINFO && length >= CMSG_LEN(sizeof(struct in6_pktinfo))) {
            memcpy(&found.destination, CMSG_DATA(item), sizeof found.destination);
            found.has_destination = true;
        } else if (item->cmsg_type == IPV6_HOPLIMIT && length >= CMSG_LEN(sizeof(int))) {
            memcpy(&found.hop_limit, CMSG_DATA(item), sizeof(int));
        } else if (item->cmsg_type == IPV6_TCLASS && length >= CMSG_LEN(sizeof(int))) {
            memcpy(&found.traffic_class, CMSG_DATA(item), sizeof(int));
        }
    }
    return found;
}

int64_t clinux_socket_drops(int socket) {
    uint32_t memory[SK_MEMINFO_VARS] = {0};
    socklen_t length = sizeof memory;
    if (getsockopt(socket, SOL_SOCKET, SO_MEMINFO, memory, &length) < 0) return -1;
    return memory[SK_MEMINFO_DROPS];
}

void *clinux_map_ring(int socket, size_t size) {
    void *ring = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, socket, 0);
    return ring == MAP_FAILED ? NULL : ring;
}

int clinux_bind_packet(int socket, int interface) {
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = interface};
    return bind(socket, (struct sockaddr *)&address, sizeof address);
}

int clinux_bind_netlink(int socket, uint32_t groups) {
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = groups};
    return bind(socket, (struct sockaddr *)&address, sizeof address);
}

ssize_t clinux_receive_netlink(int socket, void *buffer, size_t size) {
    struct sockaddr_nl sender = {0};
    socklen_t length = sizeof sender;
    ssize_t received = recvfrom(socket, buffer, size, MSG_DONTWAIT, (struct sockaddr *)&sender, &length);
    return received > 0 && (length < sizeof sender || sender.nl_pid != 0) ? 0 : received;
}

int clinux_request_links(int socket) {
    struct {
        struct nlmsghdr header;
        struct ifinfomsg information;
        struct rtattr attribute;
        uint32_t filter;
    } request = {
        .header = {.nlmsg_len = sizeof request, .nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .attribute = {.rta_len = RTA_LENGTH(sizeof(uint32_t)), .rta_type = IFLA_EXT_MASK},
        .filter = RTEXT_FILTER_SKIP_STATS,
    };
    return send(socket, &request, sizeof request, 0) < 0 ? -1 : 0;
}

int clinux_request_addresses(int socket, int family) {
    struct {
        struct nlmsghdr header;
        struct ifaddrmsg information;
    } request = {
        .header = {.nlmsg_len = sizeof request, .nlmsg_type = RTM_GETADDR, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .information = {.ifa_family = (uint8_t)family},
    };
    return send(socket, &request, sizeof request, 0) < 0 ? -1 : 0;
}

int clinux_request_sockets(int socket, int family, int protocol, uint32_t states, uint32_t sequence) {
    struct {
        struct nlmsghdr header;
        struct inet_diag_req_v2 sockets;
    } request = {
        .header = {.nlmsg_len = sizeof request,
                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
                   .nlmsg_seq = sequence},
        .sockets = {.sdiag_family = (uint8_t)family, .sdiag_protocol = (uint8_t)protocol, .idiag_states = states},
    };
    return send(socket, &request, sizeof request, 0) < 0 ? -1 : 0;
}

void clinux_release_stack(void) {
    enum { LARGEST = 1 << 18 };
    if (!__libc_single_threaded) return; /* the stack of another thread is smaller */
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t end = ((uintptr_t)__builtin_frame_address(0) & ~(page - 1)) - page;
    madvise((void *)(end - LARGEST), LARGEST, MADV_DONTNEED);
}

void clinux_ask_next_name_server(void) {
    int last = _res.nscount - 1;
    if (last < 1 || last >= MAXNS || _res.options & RES_ROTATE) return; /* it rotates them by itself */
    struct sockaddr_in first = _res.nsaddr_list[0];
    struct sockaddr_in6 *first6 = _res._u._ext.nsaddrs[0]; /* for name servers with IPv6 addresses */
    for (int index = 0; index < last; index++) {
        _res.nsaddr_list[index] = _res.nsaddr_list[index + 1];
        _res._u._ext.nsaddrs[index] = _res._u._ext.nsaddrs[index + 1];
    }
    _res.nsaddr_list[last] = first;
    _res._u._ext.nsaddrs[last] = first6;
}
