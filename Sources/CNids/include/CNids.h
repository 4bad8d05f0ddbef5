/* libnids, for Swift: loaded when it is asked for, and used for joining fragments only. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Loads libnids (dlopen(3)) and starts it with its scan detector, TCP tracking, checksum test and log off: 0, or -1 with
 * the reason in cnids_reason(). Once a process: all of libnids is one global state.
 *
 * `handle` is a pcap_t of raw IP packets that nothing is captured from: libnids asks it for its link type only. */
int cnids_start(void *_Nonnull handle);

/* Why it could not be started. */
const char *_Nonnull cnids_reason(void);

/* nids_pcap_handler() calls back with what it joined. Hands it a fragment, from the IPv4 header on, of at least as many
 * bytes as the header's length says. Returns how many bytes of the joined packet are in `joined`, 0 when it is not
 * complete. */
size_t cnids_join(uint8_t *_Nonnull fragment, size_t length, uint8_t *_Nonnull joined, size_t capacity);
