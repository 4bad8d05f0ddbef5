/* libnids, for Swift: loaded on demand, and used only to reassemble fragments. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Loads libnids (dlopen(3)) and starts it with its scan detector, TCP tracking, checksum test and log off. Returns 0,
 * or -1 with the reason in cnids_reason(). Once per process: libnids has only global state.
 *
 * `handle` is a pcap_t of raw IP packets that does not capture: libnids reads only its link type. */
int cnids_start(void *_Nonnull handle);

/* Why the start failed. */
const char *_Nonnull cnids_reason(void);

/* In C because nids_pcap_handler() delivers by a callback. Passes it a fragment, from the IPv4 header on, of at least
 * as many bytes as the header's length field says. Returns how many bytes of the reassembled packet are in `joined`, 0
 * if it is incomplete. */
size_t cnids_join(uint8_t *_Nonnull fragment, size_t length, uint8_t *_Nonnull joined, size_t capacity);
