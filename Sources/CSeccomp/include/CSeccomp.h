/* Programs for the kernel that filter the system calls of each process (seccomp(2)). */
#pragma once

#include <stdbool.h>

/* Whether there are filters for this architecture, and the kernel can kill a process for a call that is not listed. */
bool cseccomp_is_available(void);

/*
 * From then on, any call that is not on the list kills the process. Returns 0, or -1 with errno. Needs
 * PR_SET_NO_NEW_PRIVS. A function for each list, so that a binary includes only those that it uses.
 */
int cseccomp_confine_logger(void);
int cseccomp_confine_raw(void);  /* the sensor with raw sockets */
int cseccomp_confine_ring(void); /* the sensor with a packet socket */
int cseccomp_confine_pcap(void); /* the sensor with libpcap, by itself or below libnids */
int cseccomp_confine_connections(void); /* the writer of connection attempts */
int cseccomp_confine_broker(void);      /* the broker of its log and output file */

/* The helper that looks host names up: here a call that is not on the list fails with EPERM, and does not kill. */
int cseccomp_confine_names(void);

/* Each of its children, in addition: they can neither fork nor send signals. */
int cseccomp_confine_lookup(void);
