/* The C library, for Swift: its headers, and what Swift can't say itself. */
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <linux/filter.h>

/* errno is a macro. */
int clinux_errno(void);

/* open(2) is variadic. */
int clinux_open(const char *path, int flags, mode_t mode);

/* syslog(3) is variadic. Logs `length` bytes of text. */
void clinux_syslog(int priority, const char *text, int length);

/* optarg is a mutable global. */
const char *clinux_option_argument(void);

/* optind is one as well. */
int clinux_option_index(void);

/* prctl(2) is variadic. Forbids privileges to come back with execve(2): 0, or -1 with errno. */
int clinux_set_no_new_privileges(void);

/* Takes every capability out of the bounding set: 0, or -1 with errno. */
int clinux_empty_bounding_set(void);

/* capset(2) has no wrapper. Empties the permitted, effective and inheritable sets: 0, or -1 with errno. */
int clinux_drop_capabilities(void);

/* Whether no capability is left in the permitted, effective, inheritable, ambient and bounding sets. */
bool clinux_has_no_capabilities(void);

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
