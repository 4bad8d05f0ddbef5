/* libpcap, for Swift: loaded when it is asked for, so that a process that does not want it does not pay for it. */
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>

/* The functions of libpcap that we call, with the types that its own header gives them. */
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

/* Loads libpcap (dlopen(3)), once: its functions, or NULL with the reason in cpcap_reason(). */
const struct cpcap_library *_Nullable cpcap_load(void);

/* Why the last call of this thread failed, until its next failure. The library's own text ends with its handle. */
const char *_Nonnull cpcap_reason(void);

/* "read at byte POSITION", until it is called again. */
const char *_Nonnull cpcap_reading_at(int64_t position);

/* Keeps a text for cpcap_reason(). */
void cpcap_set_reason(const char *_Nullable text);

/* Where a packet of a batch is. */
struct cpcap_packet {
    int64_t seconds;
    int64_t nanoseconds;
    uint32_t offset; /* of its first byte */
    uint32_t length;
    uint32_t whole; /* how many bytes it had in all */
};

/* Memory of the caller's that packets are copied into, and how much of it is used. */
struct cpcap_batch {
    struct cpcap_packet *_Nullable packets;
    uint8_t *_Nullable bytes;
    uint32_t most;     /* packets there is room for */
    uint32_t snapshot; /* bytes there is room for of each */
    uint32_t count;
    uint32_t used;
};

/* pcap_dispatch(3) calls back. Fills the batch with what waits; what pcap_dispatch returned. */
int cpcap_dispatch(const struct cpcap_library *_Nonnull library, pcap_t *_Nonnull handle,
                   struct cpcap_batch *_Nonnull batch);

/* pcap_compile(3) leaves memory to free. Compiles a filter and attaches it: 0; 1 when the link type can't express it;
 * -1 when it can't be attached, with the reason. */
int cpcap_set_filter(const struct cpcap_library *_Nonnull library, pcap_t *_Nonnull handle,
                     const char *_Nonnull expression);

/* Names in a filter are looked up when it is compiled, and what link types a file has shows when it is read: so a filter is
 * compiled before, and kept. Where they stand at the beginning of a file that need not be read in order, it is compiled for
 * those, which is only a guess; else for each, and then each has its names looked up. For cooked frames one that names what
 * stands before packets is compiled as for Ethernet, if libpcap can't otherwise. The expression must stay where it is. 0, or
 * -1 with the reason. */
int cpcap_prepare_filter(const struct cpcap_library *_Nonnull library, const char *_Nonnull expression, bool names_link,
                         int descriptor);

/* Whether it can be asked about frames of a link type: -1 with the reason if not, 1 if the frames must be made Ethernet's, else
 * 0. One that was not prepared at all is compiled now. */
int cpcap_check_filter(const struct cpcap_library *_Nonnull library, const char *_Nonnull expression, bool names_link,
                       int link);

/* Whether it matches a frame of a link type that it was checked for, of which so many bytes are here. */
bool cpcap_matches(const struct cpcap_library *_Nonnull library, int link, const uint8_t *_Nullable data, size_t count,
                   size_t whole);

/* bind(2) takes a transparent union, ioctl(2) is variadic. Binds the socket of a capture, whose interface has gone, to the
 * one that has its name now. libpcap would open another socket, which takes a privilege; this takes none. 0, or -1 with
 * errno: EMEDIUMTYPE if it is not of the kind given, -1 for any. */
int cpcap_rebind(int socket, const char *_Nonnull name, int interface, int hardware_type, int promiscuous);

/* ioctl(2) is variadic. The longest packet that an interface takes, in bytes, without its link header: -1 with errno. */
int cpcap_mtu(const char *_Nonnull name);

/* The ARPHRD_ number of an interface's link layer: -1 with errno. */
int cpcap_hardware_type(int socket, const char *_Nonnull name);

/* The kernel then does not even hand over what the host sends; older kernels than 4.20 do. */
void cpcap_ignore_outgoing(int socket);

/* Has a socket's filter leave out frames for other hosts, which a bridge or a virtual link brings also when nobody asks:
   libpcap tells of them only where the frames are cooked; or frames with a tag of a VLAN, which it does not tell of in all
   kinds of those. -1 with errno. */
int cpcap_leave_out(int socket, bool other_hosts, bool tagged);

/* fopencookie(3) takes callbacks. The bytes of a descriptor, which it owns, as they come: nothing that reads them waits. A
 * step of a parser that finds too few is undone, and done again when there are more. NULL with errno. */
struct cpcap_stream *_Nullable cpcap_stream(int descriptor);

/* Reads what the descriptor has, and waits until it has anything; that it can't be read, who needs more is told. */
void cpcap_stream_fill(struct cpcap_stream *_Nonnull stream);

/* Ends a step: what it has taken is not kept. */
void cpcap_stream_keep(struct cpcap_stream *_Nonnull stream);

/* Undoes a step: what it has taken can be taken again. */
void cpcap_stream_rewind(struct cpcap_stream *_Nonnull stream);

/* Reads a stream as a capture, and owns it when that succeeds: NULL with the reason. */
pcap_t *_Nullable cpcap_open_stream(const struct cpcap_library *_Nonnull library,
                                    struct cpcap_stream *_Nonnull stream);

/* Takes bytes of a stream, as many as were asked for if there are so many. */
size_t cpcap_stream_read(struct cpcap_stream *_Nonnull stream, void *_Nullable bytes, size_t size);

/* Passes over bytes of a stream, as many as were asked for if so many are here: their number. */
size_t cpcap_stream_skip(struct cpcap_stream *_Nonnull stream, size_t size);

/* Whether the step has found too few bytes, and more may come. */
bool cpcap_stream_is_starved(const struct cpcap_stream *_Nonnull stream);

/* Whether a read was short though the file has not ended: it is starved, or reading failed. errno says why. */
bool cpcap_stream_failed(const struct cpcap_stream *_Nonnull stream);

/* snprintf(3) is variadic. How a compressed file can be read: with a program in front of a command. It stands until the next
 * failure of this thread. */
const char *_Nonnull cpcap_decompressed_by(const char *_Nonnull kind, const char *_Nonnull program,
                                           const char *_Nonnull command);

/* How many bytes of a stream have been taken. */
int64_t cpcap_stream_position(const struct cpcap_stream *_Nonnull stream);

void cpcap_stream_close(struct cpcap_stream *_Nonnull stream);
