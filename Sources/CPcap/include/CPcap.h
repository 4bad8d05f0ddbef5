/* libpcap, for Swift: loaded on demand, so that a process that does not use it does not pay for it. */
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>

/* The functions of libpcap in use, with the types of its own header. */
struct cpcap_library {
    __typeof__(pcap_activate) *_Nonnull activate;
    __typeof__(pcap_close) *_Nonnull close;
    __typeof__(pcap_compile) *_Nonnull compile;
    __typeof__(pcap_create) *_Nonnull create;
    __typeof__(pcap_datalink) *_Nonnull datalink;
    __typeof__(pcap_datalink_val_to_name) *_Nonnull datalink_val_to_name;
    __typeof__(pcap_dispatch) *_Nonnull dispatch;
    __typeof__(pcap_fopen_offline_with_tstamp_precision) *_Nonnull fopen_offline;
    __typeof__(pcap_freecode) *_Nonnull freecode;
    __typeof__(pcap_get_selectable_fd) *_Nonnull get_selectable_fd;
    __typeof__(pcap_geterr) *_Nonnull geterr;
    __typeof__(pcap_next_ex) *_Nonnull next_ex;
    __typeof__(pcap_offline_filter) *_Nonnull offline_filter;
    __typeof__(pcap_open_dead) *_Nonnull open_dead;
    __typeof__(pcap_set_buffer_size) *_Nonnull set_buffer_size;
    __typeof__(pcap_set_datalink) *_Nonnull set_datalink;
    __typeof__(pcap_set_immediate_mode) *_Nonnull set_immediate_mode;
    __typeof__(pcap_set_promisc) *_Nonnull set_promisc;
    __typeof__(pcap_set_snaplen) *_Nonnull set_snaplen;
    __typeof__(pcap_set_timeout) *_Nonnull set_timeout;
    __typeof__(pcap_set_tstamp_precision) *_Nonnull set_tstamp_precision;
    __typeof__(pcap_setdirection) *_Nonnull setdirection;
    __typeof__(pcap_setfilter) *_Nonnull setfilter;
    __typeof__(pcap_setnonblock) *_Nonnull setnonblock;
    __typeof__(pcap_statustostr) *_Nonnull statustostr;
};

/* Loads libpcap (dlopen(3)), once. Returns its functions, or NULL with the reason in cpcap_reason(). */
const struct cpcap_library *_Nullable cpcap_load(void);

/* Why the last call of this thread failed, valid until its next failure. libpcap's own text is freed with its
 * handle. */
const char *_Nonnull cpcap_reason(void);

/* "read at byte POSITION", valid until the next call. */
const char *_Nonnull cpcap_reading_at(int64_t position);

/* Stores a text for cpcap_reason(). */
void cpcap_set_reason(const char *_Nullable text);

/* The location of a packet in a batch. */
struct cpcap_packet {
    int64_t seconds;
    int64_t nanoseconds;
    uint32_t offset; /* of its first byte */
    uint32_t length;
    uint32_t whole; /* its original length */
};

/* The caller's memory for copies of packets, and how much of it is used. */
struct cpcap_batch {
    struct cpcap_packet *_Nullable packets;
    uint8_t *_Nullable bytes;
    uint32_t most;     /* capacity in packets */
    uint32_t snapshot; /* capacity for each, in bytes */
    uint32_t count;
    uint32_t used;
};

/* In C because pcap_dispatch(3) takes a callback. Fills the batch with waiting packets. Returns pcap_dispatch's
 * result. */
int cpcap_dispatch(const struct cpcap_library *_Nonnull library, pcap_t *_Nonnull handle,
                   struct cpcap_batch *_Nonnull batch);

/* In C because the memory of pcap_compile(3) must be freed. Compiles a filter and attaches it. Returns 0; 1 if it can't
 * be compiled for the link type; -1 if it can't be attached, with the reason. */
int cpcap_set_filter(const struct cpcap_library *_Nonnull library, pcap_t *_Nonnull handle,
                     const char *_Nonnull expression);

/* Compiles a filter before the file is read, and stores it: its names are looked up during compilation, but the link
 * types of a file are known only when it is read. If they are found at the beginning of a seekable file, it is compiled
 * for these, which is only a guess; otherwise for all, and then names are looked up for each. A filter that refers to
 * headers before the packet is compiled for Ethernet instead of cooked frames, if libpcap can't compile it for these.
 * The expression must stay at its address. Returns 0, or -1 with the reason. */
int cpcap_prepare_filter(const struct cpcap_library *_Nonnull library, const char *_Nonnull expression, bool names_link,
                         int descriptor);

/* Whether the filter can be matched against frames of a link type: -1 with the reason if not, 1 if the frames must be
 * converted to Ethernet, otherwise 0. A filter that was not prepared at all is compiled now. */
int cpcap_check_filter(const struct cpcap_library *_Nonnull library, const char *_Nonnull expression, bool names_link,
                       int link);

/* Whether the filter matches a frame of a link type that it was checked for. The frame has `count` captured bytes. */
bool cpcap_matches(const struct cpcap_library *_Nonnull library, int link, const uint8_t *_Nullable data, size_t count,
                   size_t whole);

/* In C because bind(2) takes a transparent union, and ioctl(2) is variadic. Binds the socket of a capture, whose
 * interface has gone, to the one that has its name now. libpcap would open another socket, which takes a privilege;
 * this takes none. Returns 0, or -1 with errno: EMEDIUMTYPE if the interface is not of `hardware_type`, where -1 stands
 * for any. */
int cpcap_rebind(int socket, const char *_Nonnull name, int interface, int hardware_type, int promiscuous);

/* In C because ioctl(2) is variadic. The MTU of an interface, in bytes, without the link header: -1 with errno. */
int cpcap_mtu(const char *_Nonnull name);

/* The ARPHRD_ number of an interface's link layer: -1 with errno. */
int cpcap_hardware_type(int socket, const char *_Nonnull name);

/* Makes the kernel skip packets that the host sends; kernels before 4.20 can't. */
void cpcap_ignore_outgoing(int socket);

/* Extends a socket's filter to drop frames for other hosts, which a bridge or a virtual link delivers also without
 * promiscuous mode, and which libpcap marks in cooked frames only; or frames with a VLAN tag, which it does not include
 * in all kinds of cooked frames. Returns -1 with errno. */
int cpcap_leave_out(int socket, bool other_hosts, bool tagged);

/* In C because fopencookie(3) takes callbacks. The bytes of a descriptor, which it owns, as they arrive, for parsers
 * that never block: a step that runs out of bytes is undone, and repeated when there are more. Returns NULL with
 * errno. */
struct cpcap_stream *_Nullable cpcap_stream(int descriptor);

/* Reads from the descriptor, and blocks until there is something to read. An error is reported by later reads. */
void cpcap_stream_fill(struct cpcap_stream *_Nonnull stream);

/* Ends a step: the bytes it has consumed are discarded. */
void cpcap_stream_keep(struct cpcap_stream *_Nonnull stream);

/* Undoes a step: the bytes it has consumed can be read again. */
void cpcap_stream_rewind(struct cpcap_stream *_Nonnull stream);

/* Opens a stream as a capture, which owns it on success. Returns NULL with the reason. */
pcap_t *_Nullable cpcap_open_stream(const struct cpcap_library *_Nonnull library,
                                    struct cpcap_stream *_Nonnull stream);

/* Reads up to `size` bytes of a stream. Returns their number. */
size_t cpcap_stream_read(struct cpcap_stream *_Nonnull stream, void *_Nullable bytes, size_t size);

/* Skips up to `size` bytes of those read from the descriptor. Returns their number. */
size_t cpcap_stream_skip(struct cpcap_stream *_Nonnull stream, size_t size);

/* Whether the step ran out of bytes, and more may arrive. */
bool cpcap_stream_is_starved(const struct cpcap_stream *_Nonnull stream);

/* Whether a read was short though the file has not ended: it is starved, or reading failed. errno has the reason. */
bool cpcap_stream_failed(const struct cpcap_stream *_Nonnull stream);

/* In C because snprintf(3) is variadic. The message on how to read a compressed file, by a pipe from a program to a
 * command. Valid until the next failure of this thread. */
const char *_Nonnull cpcap_decompressed_by(const char *_Nonnull kind, const char *_Nonnull program,
                                           const char *_Nonnull command);

/* How many bytes of a stream have been consumed. */
int64_t cpcap_stream_position(const struct cpcap_stream *_Nonnull stream);

void cpcap_stream_close(struct cpcap_stream *_Nonnull stream);
