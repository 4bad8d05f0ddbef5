/* The C library, for Swift: its headers, and what Swift can't say itself. */
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
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
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

/* errno is a macro. */
int clinux_errno(void);

/* Makes a file in a directory that never has a name: a macro says how. */
int clinux_try_new_file(int directory);

/* open(2) is variadic. */
int clinux_open(const char *path, int flags, mode_t mode);

/* openat(2) is as well. */
int clinux_open_in(int directory, const char *name, int flags, mode_t mode);

/* fcntl(2) is variadic. Whether a descriptor is one that can be written to. */
bool clinux_can_write(int descriptor);

/* PATH_MAX is an array's size. Opens the directory that a path's last name is in, to reach that and nothing else (O_PATH):
 * -1 with errno. */
int clinux_open_directory_of(const char *path);

/* That last name, which is a place in the path; "." where the path ends in a slash. */
const char *clinux_last_name(const char *path);

/* MAP_FAILED is a cast. Maps private memory that is zero, in small pages, each of which comes into being when it is first
 * written to; NULL with errno on failure. */
void *clinux_map_zero(size_t size);

/* syslog(3) is variadic. Logs `length` bytes of text. */
void clinux_syslog(int priority, const char *text, int length);

/*
 * The same, but it comes back when syslogd takes nothing for about half a second, for which a signal handler is needed.
 * Whether it was kept from waiting: then the text may not have arrived.
 */
bool clinux_syslog_impatiently(int priority, const char *text, int length);

/* write(2) that waits for half a second at most, then fails with EINTR; alarms must be caught. */
ssize_t clinux_write_impatiently(int descriptor, const void *bytes, size_t size);

/* Installs that handler, of SIGALRM: 0, or -1 with errno. */
int clinux_catch_alarms(void);

/* SIG_IGN is a cast. Whether a signal is ignored. */
bool clinux_is_ignored(int signal);

/*
 * sockaddr_un ends in an array whose length counts. Connects to a local socket, which in the abstract name space has
 * a name that begins with '@': 0, or -1 with errno.
 */
int clinux_connect_local(int socket, const char *name);

/* fcntl(2) is variadic. Makes room for so many bytes in a pipe: 0, or -1 with errno. */
int clinux_set_pipe_size(int pipe, int size);

/* WIFSIGNALED and its kin are macros: the signal that ended a process, or 0. */
int clinux_ending_signal(int status);

/* The exit status of a process that ended by itself. */
int clinux_exit_status(int status);

/* prctl(2) is variadic. Keeps other processes of the same user from looking into this one: 0, or -1 with errno. */
int clinux_set_undumpable(void);

/* prctl(2) is variadic. Has the kernel kill this process when its parent ends, until it changes user: 0, or -1 with
 * errno. */
int clinux_die_with_parent(void);

/* setrlimit(2) takes an enumeration, or a number, by C library. Sets both limits, where they are not lower already: 0, or -1 with errno. */
int clinux_limit(int resource, uint64_t limit);

/*
 * Landlock has no wrappers, and grows (landlock(7)). Takes away all that this kernel's can: files, TCP, abstract
 * sockets. What is open stays so. 0, or -1 with errno: ENOSYS or EOPNOTSUPP where there is no Landlock.
 */
int clinux_landlock_all(void);

/* The same, but files may be made, written to and cut off in an open directory. */
int clinux_landlock_all_but_new_files(int directory);

/* The same for what calls the C library's resolver: it can still read files and connect over TCP, and can't signal other
 * processes than its own children. */
int clinux_landlock_all_but_reading(void);

/* The version of this kernel's Landlock, from 1; -1 with errno if it has none. */
int clinux_landlock_version(void);

/* optarg is a mutable global. */
const char *clinux_option_argument(void);

/* optind is one as well. */
int clinux_option_index(void);

/* Has getopt_long(3) begin anew, with other arguments. */
void clinux_begin_options(void);

/* prctl(2) is variadic. Forbids privileges to come back with execve(2): 0, or -1 with errno. */
int clinux_set_no_new_privileges(void);

/* Takes every capability out of the bounding set: 0, or -1 with errno. */
int clinux_empty_bounding_set(void);

/* capset(2) has no wrapper. Empties the permitted, effective and inheritable sets: 0, or -1 with errno. */
int clinux_drop_capabilities(void);

/* Leaves of them the one to open files whatever their modes say, if it is there: 0, or -1 with errno. */
int clinux_keep_file_access(void);

/* CMSG_* are macros. Sends bytes over a local socket, and with them a descriptor if it is not -1: how many, -1 with errno. */
ssize_t clinux_send_descriptor(int socket, const void *bytes, size_t size, int descriptor);

/* Receives bytes and the descriptor that comes with them, if one does: how many, 0 at the end, -1 with errno. */
ssize_t clinux_receive_descriptor(int socket, void *bytes, size_t size, int *descriptor);

/* capget(2) has no wrapper. Whether a capability is in the permitted set, or that can't be found out. */
bool clinux_may_have(int capability);

/* Whether no capability is left in the permitted, effective, inheritable and ambient sets. */
bool clinux_has_no_capabilities(void);

/* Whether none is left in the bounding set. */
bool clinux_has_no_bounding_set(void);

/* What an IPv6 raw socket tells about a packet beside it; -1: not told. */
struct clinux_ipv6_ancillary {
    struct in6_addr destination;
    bool has_destination;
    int hop_limit;
    int traffic_class;
};

/* Room for all of it; CMSG_SPACE is a macro. */
size_t clinux_ipv6_ancillary_size(void);

/* Reads it out of the control messages of a received message; CMSG_* are macros. */
struct clinux_ipv6_ancillary clinux_ipv6_ancillary(struct msghdr *message);

/* SO_MEMINFO's array is indexed by kernel headers' constants: packets dropped for want of buffer, or -1 with errno. */
int64_t clinux_socket_drops(int socket);

/* Whether the kernel has handed over a block of a packet ring. The status is shared with the kernel: what is in the
 * block may only be read after it, which takes an atomic load on foreign memory. */
static inline bool clinux_block_is_ready(const void *block) {
    const struct tpacket_block_desc *description = (const struct tpacket_block_desc *)block;
    return __atomic_load_n(&description->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER;
}

/* Gives a block back to the kernel, after all reads of it: an atomic store on foreign memory. */
static inline void clinux_release_block(void *block) {
    struct tpacket_block_desc *description = (struct tpacket_block_desc *)block;
    __atomic_store_n(&description->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
}

/* A builtin of the compiler. Has memory fetched that will be read soon; the address may be any. */
static inline void clinux_prefetch(const void *address) { __builtin_prefetch(address); }

/* MAP_FAILED is a macro with a cast. Maps a packet ring to read its blocks and give them back: NULL with errno. */
void *clinux_map_ring(int socket, size_t size);

/* bind(2) takes a transparent union, as the two below do. Binds a packet socket to an interface, 0 for all, and to
 * every protocol: 0, or -1 with errno. */
int clinux_bind_packet(int socket, int interface);

/* Subscribes a netlink socket to groups: 0, or -1 with errno. */
int clinux_bind_netlink(int socket, uint32_t groups);

/* Receives a datagram and says how long it is in the buffer, -1 with errno. One that the kernel didn't send is empty. */
ssize_t clinux_receive_netlink(int socket, void *buffer, size_t size);

/* Asks for a list of all interfaces without their statistics: 0, or -1 with errno. NLM_F_* and IFLA_* are of as many
 * types in C as there are. */
int clinux_request_links(int socket);

/* Asks for a list of all IPv4 addresses, the only ones that have labels: 0, or -1 with errno. */
int clinux_request_addresses(int socket);

/* Gives memory back that calls which have returned used on the main thread's stack; C alone knows where its stack ends.
 * Below that stack nothing else is mapped for a megabyte (stack_guard_gap), so it doesn't matter how far it reaches. */
void clinux_release_stack(void);

/* _res is a macro. Has the C library's resolver ask the name server first that it asked second, from now on and in this
 * thread; the one it asked first, last. */
void clinux_ask_next_name_server(void);
