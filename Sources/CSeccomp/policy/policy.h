/*
 * The system calls that each process may still make, as data. What is on a list, and why, is said in policy.c and nowhere
 * else. generate.c makes programs for the kernel of it; Tests/SystemCalls judges them by it.
 */
#pragma once

#include <stdint.h>

/* The sensor goes by what it captures with; libnids captures with libpcap. */
enum {
    LOGGER = 1,
    RAW = 2,
    RING = 4,
    PCAP = 8,
    /* `scanlogd connections`: with a ring, libpcap or a file, and what keeps its log and its file. */
    CONNECTIONS = 16,
    BROKER = 32,
    /* The helper that looks host names up, and its children. What they call is up to the C library and to whatever
     * modules /etc/nsswitch.conf names, which nobody can know beforehand: so here a call that is not on the list fails
     * with EPERM, and the lookup perhaps with it, but nothing is killed. */
    NAMES = 64,
    /* In addition, of each child: what is on the list of this role it can't do any more, though the helper can. */
    LOOKUP = 128,
    SENSORS = RAW | RING | PCAP,
    LIBPCAP = PCAP | CONNECTIONS,
    PACKETS = RING | LIBPCAP,
    LOGGERS = LOGGER | BROKER,
    ALL = SENSORS | LOGGERS | CONNECTIONS
};

/* A role by its name, which that of its program starts with. */
struct role {
    char name[16];
    unsigned bit;
};

/* A condition on one argument, or none. A register is compared as a whole, also where the call reads its low half only.
 * Three are on more than one: CODE_OF_A_FILE, of mmap, is on memory that can be executed but not written, and is a
 * file; SOCKET, of socket, on the family, which is the value, and the type, which stands in the place of an argument;
 * IN_DIRECTORY, of openat, on the flags, which are the value, and the directory's descriptor, which stands there.
 * Tests/SystemCalls/systemcalls.py has them in the same order. */
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
