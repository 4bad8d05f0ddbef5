/* The system calls each process may still make, as programs for the kernel (seccomp(2)). */
#pragma once

#include <stdbool.h>

/* Whether there are lists for this processor, and the kernel can kill whoever calls what is not on his. */
bool cseccomp_is_available(void);

/*
 * From now on any call that is not on the list kills the process: 0, or -1 with errno. Needs PR_SET_NO_NEW_PRIVS.
 * A function for each list, so that a binary holds those only that it uses.
 */
int cseccomp_confine_logger(void);
int cseccomp_confine_raw(void);  /* the sensor with raw sockets */
int cseccomp_confine_ring(void); /* the sensor with a packet socket */
int cseccomp_confine_pcap(void); /* the sensor with libpcap, by itself or below libnids */
int cseccomp_confine_connections(void); /* what writes of connection attempts */
int cseccomp_confine_broker(void);      /* what opens the file for that */

/* The helper that looks host names up: here a call that is not on the list fails with EPERM, and kills nobody. */
int cseccomp_confine_names(void);

/* Each of its children, in addition: it can neither fork nor signal another. */
int cseccomp_confine_lookup(void);
