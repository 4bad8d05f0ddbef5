/* The C library for Swift: its headers, and wrappers for what Swift can't express. */
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>

/* errno is a macro. */
int clinux_errno(void);

/* O_TMPFILE is a macro. Creates an unnamed temporary file in a directory, to test whether files can be created there:
 * 0, or -1 with errno. */
int clinux_try_new_file(int directory);

/* open(2) is variadic. */
int clinux_open(const char *path, int flags, mode_t mode);

/* openat(2) is as well. */
int clinux_open_in(int directory, const char *name, int flags, mode_t mode);

/* fcntl(2) is variadic. Returns whether a descriptor is open for writing. */
bool clinux_can_write(int descriptor);

/* The same. Has a descriptor closed where a program is executed: 0, or -1 with errno. */
int clinux_set_close_on_exec(int descriptor);

/* PATH_MAX is an array's size. Opens the parent directory of a path, only for access to its entries (O_PATH): -1 with
 * errno. */
int clinux_open_directory_of(const char *path);

/* Returns the last component of a path, a pointer into it; "." if the path ends in a slash. */
const char *clinux_last_name(const char *path);

/* MAP_FAILED is a cast. Maps private zeroed memory in small pages, which are allocated on first write; NULL with errno
 * on failure. */
void *clinux_map_zero(size_t size);

/* syslog(3) is variadic. Logs `length` bytes of text. */
void clinux_syslog(int priority, const char *text, int length);

/* The same, but it returns after about half a second if syslogd accepts nothing, for which a handler of SIGALRM is
 * needed. Returns whether it was interrupted: then the text may not have been delivered. */
bool clinux_syslog_impatiently(int priority, const char *text, int length);

/* The same with a handler of its own: how the process treats SIGALRM is as before when it returns, as a program that is
 * executed later inherits it. Returns whether it was interrupted. */
bool clinux_syslog_in_passing(int priority, const char *text, int length);

/* write(2) that blocks for half a second at most, then fails with EINTR; SIGALRM must be caught. */
ssize_t clinux_write_impatiently(int descriptor, const void *bytes, size_t size);

/* Installs that handler of SIGALRM: 0, or -1 with errno. */
int clinux_catch_alarms(void);

/* SIG_IGN is a cast. Returns whether a signal is ignored. */
bool clinux_is_ignored(int signal);

/* sockaddr_un ends in an array whose length counts. Connects to a local socket, whose name begins with '@' in the
 * abstract name space: 0, or -1 with errno. */
int clinux_connect_local(int socket, const char *name);

/* fcntl(2) is variadic. Sets the capacity of a pipe in bytes: 0, or -1 with errno. */
int clinux_set_pipe_size(int pipe, int size);

/* WIFSIGNALED and the like are macros. Returns the signal that killed a process, or 0. */
int clinux_ending_signal(int status);

/* Returns the exit status of a process that exited. */
int clinux_exit_status(int status);

/* prctl(2) is variadic. Prevents other processes of the same user from tracing this one: 0, or -1 with errno. */
int clinux_set_undumpable(void);

/* prctl(2) is variadic. Makes orphans among the descendants of this process its children: 0, or -1 with errno. */
int clinux_adopt_orphans(void);

/* SIG_DFL is a cast. Gives every signal its default action, and blocks none. */
void clinux_reset_signals(void);

/* getauxval(3) returns an address as a number. Returns the path that was executed (AT_EXECFN); "" if it is not known. */
const char *clinux_executed_path(void);

/* prctl(2) is variadic. Makes the kernel kill this process when its parent ends, until it changes its user: 0, or -1
 * with errno. */
int clinux_die_with_parent(void);

/* setrlimit(2) takes an enumeration or a number, depending on the C library. Sets both limits, unless they are lower
 * already: 0, or -1 with errno. */
int clinux_limit(int resource, uint64_t limit);

/* Landlock has no C library wrappers, and grows (landlock(7)). Restricts all that this kernel's Landlock can: files,
 * TCP, abstract sockets. Open descriptors stay usable. 0, or -1 with errno: ENOSYS or EOPNOTSUPP if there is no
 * Landlock. */
int clinux_landlock_all(void);

/* The same, but files may be created, written and truncated in an open directory. */
int clinux_landlock_all_but_new_files(int directory);

/* The same for a process that calls the C library's resolver: it can still read files and connect over TCP, and can't
 * signal other processes than its own children. */
int clinux_landlock_all_but_reading(void);

/* Returns the kernel's Landlock ABI version, from 1; -1 with errno if it has none. */
int clinux_landlock_version(void);

/* opterr is a mutable global. Keeps getopt_long(3) from printing errors. */
void clinux_silence_options(void);

/* optarg is a mutable global. */
const char *clinux_option_argument(void);

/* optind is one as well. */
int clinux_option_index(void);

/* Restarts getopt_long(3) for other arguments. */
void clinux_begin_options(void);

/* prctl(2) is variadic. Prevents gaining privileges with execve(2): 0, or -1 with errno. */
int clinux_set_no_new_privileges(void);

/* Empties the bounding set: 0, or -1 with errno. */
int clinux_empty_bounding_set(void);

/* capset(2) has no wrapper. Empties the permitted, effective and inheritable sets: 0, or -1 with errno. */
int clinux_drop_capabilities(void);

/* Drops all capabilities but the one to open files regardless of their modes, if it is present: 0, or -1 with errno. */
int clinux_keep_file_access(void);

/* getpeername(2) takes a transparent union, as the two below do. Returns the address of the other end of a socket: 0, or
 * -1 with errno. */
int clinux_peer_address(int socket, struct sockaddr_storage *address, socklen_t *length);

/* Returns the address of this end of a socket: 0, or -1 with errno. */
int clinux_own_address(int socket, struct sockaddr_storage *address, socklen_t *length);

/* Returns the source of the first datagram of a socket, which stays there: 0, or -1 with errno. */
int clinux_datagram_source(int socket, struct sockaddr_storage *address, socklen_t *length);

/* CMSG_* are macros. Sends bytes over a local socket, with a descriptor if it is not -1: the number of bytes, or -1
 * with errno. */
ssize_t clinux_send_descriptor(int socket, const void *bytes, size_t size, int descriptor);

/* Receives bytes and the descriptor sent with them, if any: the number of bytes, 0 at the end, or -1 with errno. */
ssize_t clinux_receive_descriptor(int socket, void *bytes, size_t size, int *descriptor);

/* capget(2) has no wrapper. Returns whether a capability is in the permitted set; true if that can't be determined. */
bool clinux_may_have(int capability);

/* Returns whether the permitted, effective, inheritable and ambient sets are empty. */
bool clinux_has_no_capabilities(void);

/* Returns whether the bounding set is empty. */
bool clinux_has_no_bounding_set(void);

/* The ancillary data of a packet from an IPv6 raw socket; -1: not present. */
struct clinux_ipv6_ancillary {
    struct in6_addr destination;
    bool has_destination;
    int hop_limit;
    int traffic_class;
};

/* CMSG_SPACE is a macro. Returns the buffer size for all of it. */
size_t clinux_ipv6_ancillary_size(void);

/* CMSG_* are macros. Parses it from the control messages of a received message. */
struct clinux_ipv6_ancillary clinux_ipv6_ancillary(struct msghdr *message);

/* SO_MEMINFO's array is indexed by kernel headers' constants. Returns the number of packets dropped because the receive
 * buffer was full, or -1 with errno. */
int64_t clinux_socket_drops(int socket);

/* Returns whether the kernel has handed over a block of a packet ring. The status is shared with the kernel: the block
 * may only be read after it, which takes an atomic load from memory that the kernel writes. */
static inline bool clinux_block_is_ready(const void *block) {
    const struct tpacket_block_desc *description = (const struct tpacket_block_desc *)block;
    return __atomic_load_n(&description->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER;
}

/* Returns a block to the kernel, after all reads of it: an atomic store to shared memory. */
static inline void clinux_release_block(void *block) {
    struct tpacket_block_desc *description = (struct tpacket_block_desc *)block;
    __atomic_store_n(&description->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
}

/* A compiler builtin. Prefetches memory that will be read soon; any address is allowed. */
static inline void clinux_prefetch(const void *address) { __builtin_prefetch(address); }

/* MAP_FAILED is a macro with a cast. Maps a packet ring for reading its blocks and releasing them: NULL with errno on
 * failure. */
void *clinux_map_ring(int socket, size_t size);

/* bind(2) takes a transparent union, as the two below do. Binds a packet socket to an interface, 0 for all, and to
 * every protocol: 0, or -1 with errno. */
int clinux_bind_packet(int socket, int interface);

/* Subscribes a netlink socket to groups: 0, or -1 with errno. */
int clinux_bind_netlink(int socket, uint32_t groups);

/* Receives a datagram and returns its length in the buffer, or -1 with errno. The length is 0 for one that the kernel
 * did not send. */
ssize_t clinux_receive_netlink(int socket, void *buffer, size_t size);

/* Requests a list of all interfaces without their statistics: 0, or -1 with errno. The NLM_F_* and IFLA_* constants
 * have many different types in C. */
int clinux_request_links(int socket);

/* Requests a list of all addresses of a family, or of all families (AF_UNSPEC): 0, or -1 with errno. */
int clinux_request_addresses(int socket, int family);

/* Requests a list of the sockets of a family and protocol that are in one of the states, each a bit. The replies have
 * the sequence number of the request. 0, or -1 with errno. */
int clinux_request_sockets(int socket, int family, int protocol, uint32_t states, uint32_t sequence);

/* Releases memory of the only thread's stack that returned calls have used; only C code can find the end of its stack
 * frame. Where there are more threads it does nothing. Below that stack nothing else is mapped for a megabyte
 * (stack_guard_gap), so it may reach past the stack. */
void clinux_release_stack(void);

/* _res is a macro. Rotates the name servers of the C library's resolver in this thread: from now on it asks the second
 * one first, and the first one last. */
void clinux_ask_next_name_server(void);
