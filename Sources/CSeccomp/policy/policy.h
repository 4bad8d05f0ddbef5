/*
 * The system calls that each process may still make, as data. The lists, and their reasons, are in policy.c and nowhere
 * else. generate.c compiles them to programs for the kernel; Tests/SystemCalls checks these against them.
 */
#pragma once

#include <stdint.h>

/* The sensor has a role for each backend; libnids captures with libpcap. */
enum {
    LOGGER = 1,
    RAW = 2,
    RING = 4,
    PCAP = 8,
    /* `scanlogd connections`: with a ring, libpcap or a file; and the broker of its log and its output file. */
    CONNECTIONS = 16,
    BROKER = 32,
    /* The helper that looks host names up, and its children. Their calls depend on the C library and on the modules
     * that /etc/nsswitch.conf names, which can't be known in advance: so here a call that is not on the list fails with
     * EPERM, and the lookup perhaps with it, but nothing is killed. */
    NAMES = 64,
    /* In addition, for each child: calls that it is denied, though the helper is allowed them. */
    LOOKUP = 128,
    SENSORS = RAW | RING | PCAP,
    LIBPCAP = PCAP | CONNECTIONS,
    PACKETS = RING | LIBPCAP,
    LOGGERS = LOGGER | BROKER,
    ALL = SENSORS | LOGGERS | CONNECTIONS
};

/* A role, and its name, which prefixes that of its program. */
struct role {
    char name[16];
    unsigned bit;
};

/* A condition on one argument, or none. A register is compared as a whole, even if the call uses only its lower half.
 * Three conditions are on more than one argument. CODE_OF_A_FILE, of mmap: the memory is executable but not writable,
 * and maps a file. SOCKET, of socket: the family is the rule's value, the type its argument. IN_DIRECTORY, of openat:
 * the flags are the value, the directory's descriptor is the argument. Tests/SystemCalls/systemcalls.py lists the
 * conditions in the same order. */
enum condition { ANY, NOT_EXECUTABLE, EQUAL, AT_MOST, NONE_OF, CODE_OF_A_FILE, SOCKET, IN_DIRECTORY };

struct rule {
    char call[20];
    unsigned roles;
    enum condition condition;
    unsigned argument;
    uint64_t value;
};

extern const struct role roles[];
extern const struct rule rules[];
extern const unsigned role_count, rule_count;
