#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "CSeccomp.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if (defined __x86_64__ && !defined __ILP32__) || (defined __aarch64__ && !defined __AARCH64EB__)

#include "programs.h"

bool cseccomp_is_available(void) {
    uint32_t action = SECCOMP_RET_KILL_PROCESS;
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

static int install(const struct sock_filter *instructions, size_t size) {
    const struct sock_fprog program = {.len = (unsigned short)(size / sizeof *instructions),
                                       .filter = (struct sock_filter *)instructions};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

int cseccomp_confine_logger(void) { return install(logger_program, sizeof logger_program); }
int cseccomp_confine_raw(void) { return install(raw_program, sizeof raw_program); }
int cseccomp_confine_ring(void) { return install(ring_program, sizeof ring_program); }
int cseccomp_confine_pcap(void) { return install(pcap_program, sizeof pcap_program); }
int cseccomp_confine_connections(void) { return install(connections_program, sizeof connections_program); }
int cseccomp_confine_broker(void) { return install(broker_program, sizeof broker_program); }
int cseccomp_confine_names(void) { return install(names_program, sizeof names_program); }
int cseccomp_confine_lookup(void) { return install(lookup_program, sizeof lookup_program); }

#else

bool cseccomp_is_available(void) { return false; }

static int refuse(void) { return errno = ENOSYS, -1; }

int cseccomp_confine_logger(void) { return refuse(); }
int cseccomp_confine_raw(void) { return refuse(); }
int cseccomp_confine_ring(void) { return refuse(); }
int cseccomp_confine_pcap(void) { return refuse(); }
int cseccomp_confine_connections(void) { return refuse(); }
int cseccomp_confine_broker(void) { return refuse(); }
int cseccomp_confine_names(void) { return refuse(); }
int cseccomp_confine_lookup(void) { return refuse(); }

#endif
