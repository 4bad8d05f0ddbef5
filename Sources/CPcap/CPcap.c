#include "CPcap.h"

#include <arpa/inet.h>
#include <byteswap.h>
#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Thread-local for the tests, which run in parallel. In the executable's own block (initial-exec), not that of a
 * library loaded later: so that access needs no call into the dynamic loader. */
#define OF_EACH_THREAD static _Thread_local __attribute__((tls_model("initial-exec")))

OF_EACH_THREAD char reason[PCAP_ERRBUF_SIZE + 128];

const char *cpcap_reason(void) { return reason; }

void cpcap_set_reason(const char *text) {
    snprintf(reason, sizeof reason, "%s", text ? text : "no reason given");
}

const char *cpcap_reading_at(int64_t position) {
    OF_EACH_THREAD char text[40];
    snprintf(text, sizeof text, "read at byte %" PRId64, position);
    return text;
}

static void *open_library(void) {
    /* Debian's name, whose ABI never changed, then upstream's. */
    void *module = dlopen("libpcap.so.0.8", RTLD_NOW | RTLD_LOCAL);
    if (module) return module;
    const char *text = dlerror();
    snprintf(reason, sizeof reason, "%s (Debian's package libpcap0.8)", text ? text : "libpcap.so.0.8");
    return dlopen("libpcap.so.1", RTLD_NOW | RTLD_LOCAL);
}

/* Fails at the first function that is not found. */
static bool find_functions(void *module, struct cpcap_library *library) {
    const struct {
        const char *name;
        void *place;
    } functions[] = {
#define FUNCTION(field) {"pcap_" #field, &library->field}
        FUNCTION(activate),
        FUNCTION(close),
        FUNCTION(compile),
        FUNCTION(create),
        FUNCTION(datalink),
        FUNCTION(datalink_val_to_name),
        FUNCTION(dispatch),
        {"pcap_fopen_offline_with_tstamp_precision", &library->fopen_offline},
        FUNCTION(freecode),
        FUNCTION(get_selectable_fd),
        FUNCTION(geterr),
        FUNCTION(next_ex),
        FUNCTION(offline_filter),
        FUNCTION(open_dead),
        FUNCTION(set_buffer_size),
        FUNCTION(set_datalink),
        FUNCTION(set_immediate_mode),
        FUNCTION(set_promisc),
        FUNCTION(set_snaplen),
        FUNCTION(set_timeout),
        FUNCTION(set_tstamp_precision),
        FUNCTION(setdirection),
        FUNCTION(setfilter),
        FUNCTION(setnonblock),
        FUNCTION(statustostr),
#undef FUNCTION
    };
    size_t count = sizeof functions / sizeof functions[0];
    /* A field that has no line above would stay NULL. */
    _Static_assert(sizeof functions / sizeof functions[0] == sizeof(struct cpcap_library) / sizeof(void (*)(void)),
                   "a function is missing");
    for (size_t index = 0; index < count; index++) {
        void *function = dlsym(module, functions[index].name);
        if (!function) {
            const char *text = dlerror();
            cpcap_set_reason(text ? text : functions[index].name);
            return false;
        }
        memcpy(functions[index].place, &function, sizeof function); /* as POSIX does in dlsym(3) */
    }
    return true;
}

const struct cpcap_library *cpcap_load(void) {
    static struct cpcap_library library;
    static bool loaded;
    if (loaded) return &library;
    void *module = open_library();
    if (!module) return NULL;
    loaded = find_functions(module, &library);
    return loaded ? &library : NULL;
}

static void store(u_char *user, const struct pcap_pkthdr *header, const u_char *data) {
    struct cpcap_batch *batch = (struct cpcap_batch *)user;
    if (batch->count >= batch->most) return;
    uint32_t length = header->caplen < batch->snapshot ? header->caplen : batch->snapshot;
    batch->packets[batch->count++] = (struct cpcap_packet){
        .seconds = header->ts.tv_sec,
        .nanoseconds = header->ts.tv_usec, /* the requested precision */
        .offset = batch->used,
        .length = length,
        .whole = header->len,
    };
    memcpy(batch->bytes + batch->used, data, length);
    batch->used += length;
}

int cpcap_dispatch(const struct cpcap_library *library, pcap_t *handle, struct cpcap_batch *batch) {
    batch->count = 0;
    batch->used = 0;
    int result = library->dispatch(handle, (int)batch->most, store, (u_char *)batch);
    if (result == PCAP_ERROR) cpcap_set_reason(library->geterr(handle));
    return result;
}

int cpcap_set_filter(const struct cpcap_library *library, pcap_t *handle, const char *expression) {
    struct bpf_program program;
    if (library->compile(handle, &program, expression, 1, PCAP_NETMASK_UNKNOWN) < 0) return 1;
    int result = library->setfilter(handle, &program);
    library->freecode(&program);
    if (result >= 0) return 0;
    cpcap_set_reason(library->geterr(handle));
    return -1;
}

/* The supported link types. A filter that is invalid for both of the first two is invalid. */
static const int links[] = {1, 113, 0, 9, 12, 14, 50, 51, 101, 108, 228, 229, 276};
enum { LINKS = sizeof links / sizeof links[0] };

OF_EACH_THREAD struct {
    const char *expression;
    bool names_link;  /* it refers to headers before the packet */
    bool is_foreseen; /* it was compiled for some link types only */
    struct {
        struct bpf_program program;
        bool takes_ethernet;
        char reason[PCAP_ERRBUF_SIZE]; /* if there is no program */
    } of[LINKS];
} prepared;

/* The index of a link type: LINKS if there is none. 101 is what files use for libpcap's 12. */
static size_t index_of(int link) {
    size_t index = 0;
    while (index < LINKS && links[index] != (link == 101 ? 12 : link)) index++;
    return index;
}

static uint32_t ordered(uint32_t word, bool swapped) { return swapped ? bswap_32(word) : word; }

/* Marks the link types of the interfaces that precede the first packet of a pcapng file. Of each block, only the first
 * three words are read. */
static bool foresee_interfaces(int descriptor, off_t at, bool swapped, bool wanted[LINKS]) {
    bool any = false;
    for (int count = 0; count < 1024; count++) {
        uint32_t words[3];
        if (pread(descriptor, words, sizeof words, at) != sizeof words) break;
        uint32_t type = ordered(words[0], swapped), length = ordered(words[1], swapped);
        if (length < 12 || type == 2 || type == 3 || type == 6 || (count > 0 && words[0] == 0x0a0d0d0a)) break;
        uint16_t link;
        memcpy(&link, words + 2, sizeof link);
        size_t index = type == 1 ? index_of(swapped ? bswap_16(link) : link) : LINKS;
        if (index < LINKS) any = wanted[index] = true;
        at += length;
    }
    return any;
}

/* Marks the link types given at the beginning of a seekable file: false if they are not where they should be. */
static bool foresee(int descriptor, bool wanted[LINKS]) {
    uint32_t words[6];
    off_t start = lseek(descriptor, 0, SEEK_CUR);
    if (start < 0 || pread(descriptor, words, sizeof words, start) != sizeof words) return false;
    if (words[0] == 0x0a0d0d0a) return foresee_interfaces(descriptor, start, words[2] == 0x4d3c2b1a, wanted);
    bool swapped = words[0] == 0xd4c3b2a1 || words[0] == 0x4d3cb2a1;
    if (!swapped && words[0] != 0xa1b2c3d4 && words[0] != 0xa1b23c4d) return false;
    size_t index = index_of(ordered(words[5], swapped) & 0xffff); /* the upper bits have other uses */
    if (index < LINKS) wanted[index] = true;
    return index < LINKS;
}

/* Whether a program loads metadata of the kernel, which a file does not have: it would match nothing. */
static bool asks_kernel(const struct bpf_program *program) {
    for (u_int index = 0; index < program->bf_len; index++) {
        const struct bpf_insn *instruction = &program->bf_insns[index];
        bool loads = BPF_CLASS(instruction->code) == BPF_LD && BPF_MODE(instruction->code) == BPF_ABS;
        if (loads && instruction->k >= (uint32_t)SKF_AD_OFF) return true;
    }
    return false;
}

/* Compiles the filter for a link type: NULL, or the reason of the failure. */
static const char *compile(const struct cpcap_library *library, int link, struct bpf_program *program, char *text) {
    pcap_t *handle = library->open_dead(link, 262144);
    if (!handle) return strerror(ENOMEM);
    /* Without the optimizer, which takes seconds for a long filter. */
    bool failed = library->compile(handle, program, prepared.expression, 0, PCAP_NETMASK_UNKNOWN) < 0;
    if (failed) snprintf(text, PCAP_ERRBUF_SIZE, "%s", library->geterr(handle));
    library->close(handle);
    if (!failed && asks_kernel(program)) {
        library->freecode(program);
        return "it asks for what files of this kind do not tell";
    }
    return failed ? text : NULL;
}

/* Compiles the filter for a link type, or stores the reason of the failure. */
static void prepare(const struct cpcap_library *library, size_t index) {
    struct bpf_program *program = &prepared.of[index].program;
    char text[PCAP_ERRBUF_SIZE];
    const char *failure = compile(library, links[index], program, text);
    bool is_cooked = links[index] == 113 || links[index] == 276;
    if (failure && is_cooked && prepared.names_link) {
        char other[PCAP_ERRBUF_SIZE];
        if (!compile(library, 1, program, other)) {
            prepared.of[index].takes_ethernet = true;
            return;
        }
    }
    if (!failure) return;
    program->bf_insns = NULL;
    snprintf(prepared.of[index].reason, PCAP_ERRBUF_SIZE, "%s", failure);
}

static void begin(const struct cpcap_library *library, const char *expression, bool names_link) {
    prepared.expression = expression;
    prepared.names_link = names_link;
    prepared.is_foreseen = false;
    for (size_t index = 0; index < LINKS; index++) {
        if (prepared.of[index].program.bf_insns) library->freecode(&prepared.of[index].program);
        memset(&prepared.of[index], 0, sizeof prepared.of[index]);
    }
}

int cpcap_prepare_filter(const struct cpcap_library *library, const char *expression, bool names_link, int descriptor) {
    begin(library, expression, names_link);
    bool wanted[LINKS] = {false};
    prepared.is_foreseen = foresee(descriptor, wanted);
    for (size_t index = 0; index < LINKS; index++) {
        if (prepared.is_foreseen && !wanted[index]) continue;
        prepare(library, index);
        if (prepared.of[index].program.bf_insns) continue;
        if (prepared.is_foreseen || (index == 1 && !prepared.of[0].program.bf_insns))
            return cpcap_set_reason(prepared.of[prepared.is_foreseen ? index : 0].reason), -1;
    }
    return 0;
}

int cpcap_check_filter(const struct cpcap_library *library, const char *expression, bool names_link, int link) {
    size_t index = index_of(link);
    if (index == LINKS) return cpcap_set_reason("the link type is not known"), -1;
    if (prepared.expression != expression) begin(library, expression, names_link);
    bool is_done = prepared.of[index].program.bf_insns || prepared.of[index].reason[0];
    if (!is_done && prepared.is_foreseen)
        return cpcap_set_reason("a link type comes late in the file; read it through a pipe, with --read -"), -1;
    if (!is_done) prepare(library, index);
    if (!prepared.of[index].program.bf_insns) return cpcap_set_reason(prepared.of[index].reason), -1;
    return prepared.of[index].takes_ethernet;
}

bool cpcap_matches(const struct cpcap_library *library, int link, const uint8_t *data, size_t count, size_t whole) {
    struct pcap_pkthdr header = {.caplen = (bpf_u_int32)count, .len = (bpf_u_int32)whole};
    const struct bpf_program *program = &prepared.of[index_of(link)].program;
    return library->offline_filter(program, &header, data) != 0;
}

int cpcap_hardware_type(int socket, const char *name) {
    struct ifreq request = {0};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    return ioctl(socket, SIOCGIFHWADDR, &request) < 0 ? -1 : request.ifr_hwaddr.sa_family;
}

int cpcap_mtu(const char *name) {
    struct ifreq request = {0};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (any < 0) return -1;
    int result = ioctl(any, SIOCGIFMTU, &request);
    close(any);
    return result < 0 ? -1 : request.ifr_mtu;
}

int cpcap_rebind(int socket, const char *name, int interface, int hardware_type, int promiscuous) {
    int type = cpcap_hardware_type(socket, name);
    if (type < 0) return -1;
    if (hardware_type >= 0 && type != hardware_type) {
        errno = EMEDIUMTYPE;
        return -1;
    }
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = interface};
    if (bind(socket, (struct sockaddr *)&address, sizeof address) < 0) return -1;
    struct packet_mreq membership = {.mr_ifindex = interface, .mr_type = PACKET_MR_PROMISC};
    if (!promiscuous) return 0;
    return setsockopt(socket, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership, sizeof membership);
}

void cpcap_ignore_outgoing(int socket) {
#ifdef PACKET_IGNORE_OUTGOING
    int yes = 1;
    (void)setsockopt(socket, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes);
#else
    (void)socket;
#endif
}

#define LOAD_BESIDE(what) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (__u32)(SKF_AD_OFF + (what)))
#define DROP BPF_STMT(BPF_RET | BPF_K, 0)

int cpcap_leave_out(int socket, bool other_hosts, bool tagged) {
    static const struct sock_filter of_other_hosts[] = {
        LOAD_BESIDE(SKF_AD_PKTTYPE),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OTHERHOST, 0, 1),
        DROP,
    };
    static const struct sock_filter with_tags[] = {
        LOAD_BESIDE(SKF_AD_VLAN_TAG_PRESENT),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 3, 0),
        LOAD_BESIDE(SKF_AD_VLAN_TAG),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0xfff, 0, 1), /* number 0 is a priority tag, for no VLAN */
        DROP,
    };
    static struct sock_filter code[BPF_MAXINSNS];
    size_t before = 0;
    if (other_hosts) {
        memcpy(code, of_other_hosts, sizeof of_other_hosts);
        before = sizeof of_other_hosts / sizeof code[0];
    }
    if (tagged) {
        memcpy(code + before, with_tags, sizeof with_tags);
        before += sizeof with_tags / sizeof code[0];
    }
    socklen_t count = BPF_MAXINSNS - before; /* of instructions, not bytes */
    if (getsockopt(socket, SOL_SOCKET, SO_GET_FILTER, code + before, &count) < 0) return -1;
    if (count == 0) code[before + count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0xffffffff);
    struct sock_fprog program = {.len = (unsigned short)(before + count), .filter = code};
    return setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

/* More than the longest packet that libpcap accepts (MAXIMUM_SNAPLEN), its header, and the size of a read. */
enum { WINDOW = 1 << 19, PIECE = 1 << 16 };

/* A descriptor, and the bytes read from it: those before `next` are taken, those before `done` can be discarded. */
struct cpcap_stream {
    int descriptor;
    FILE *file;       /* the same bytes, for libpcap */
    int64_t position; /* of the first byte in the buffer */
    size_t done, next, end;
    bool is_at_end, is_starved;
    int error; /* why no more can be read, or 0 */
    uint8_t bytes[WINDOW];
};

static ssize_t stream_read(void *cookie, char *buffer, size_t size) {
    struct cpcap_stream *stream = cookie;
    size_t count = stream->end - stream->next;
    if (count == 0 && size > 0 && !stream->is_at_end) {
        stream->is_starved = stream->error == 0;
        errno = stream->is_starved ? EAGAIN : stream->error;
        return -1;
    }
    if (count > size) count = size;
    memcpy(buffer, stream->bytes + stream->next, count);
    stream->next += count;
    return (ssize_t)count;
}

static int stream_close(void *cookie) {
    struct cpcap_stream *stream = cookie;
    int result = close(stream->descriptor);
    free(stream);
    return result;
}

/* How many bytes have been consumed: not those that are in the buffer of the C library, which reads ahead. Its buffer has
 * no other interface than these two fields (gnulib's freadahead reads them, too). Without a buffer, glibc would read
 * such a stream byte by byte. */
static size_t consumed(const struct cpcap_stream *stream) {
    return stream->next - (size_t)(stream->file->_IO_read_end - stream->file->_IO_read_ptr);
}

struct cpcap_stream *cpcap_stream(int descriptor) {
    struct cpcap_stream *stream = calloc(1, sizeof *stream);
    if (!stream) return NULL;
    stream->descriptor = descriptor;
    cookie_io_functions_t functions = {.read = stream_read, .close = stream_close};
    stream->file = fopencookie(stream, "r", functions);
    if (!stream->file) {
        free(stream);
        return NULL;
    }
    return stream;
}

void cpcap_stream_fill(struct cpcap_stream *stream) {
    memmove(stream->bytes, stream->bytes + stream->done, stream->end - stream->done);
    stream->position += (int64_t)stream->done;
    stream->next -= stream->done;
    stream->end -= stream->done;
    stream->done = 0;
    size_t room = WINDOW - stream->end;
    ssize_t count;
    do count = read(stream->descriptor, stream->bytes + stream->end, room < PIECE ? room : PIECE);
    while (count < 0 && errno == EINTR);
    if (count > 0) stream->end += (size_t)count;
    else if (count < 0) stream->error = errno;
    else if (room == 0) stream->error = EFBIG; /* no step of a parser needs so much */
    else stream->is_at_end = true;
}

void cpcap_stream_keep(struct cpcap_stream *stream) { stream->done = consumed(stream); }

void cpcap_stream_rewind(struct cpcap_stream *stream) {
    __fpurge(stream->file);
    stream->next = stream->done;
    stream->is_starved = false;
    clearerr(stream->file);
}

pcap_t *cpcap_open_stream(const struct cpcap_library *library, struct cpcap_stream *stream) {
    char error[PCAP_ERRBUF_SIZE] = "";
    pcap_t *handle = library->fopen_offline(stream->file, PCAP_TSTAMP_PRECISION_NANO, error);
    if (!handle) cpcap_set_reason(error);
    return handle;
}

size_t cpcap_stream_read(struct cpcap_stream *stream, void *bytes, size_t size) {
    size_t count = 0;
    while (count < size) {
        ssize_t piece = stream_read(stream, (char *)bytes + count, size - count);
        if (piece <= 0) break;
        count += (size_t)piece;
    }
    return count;
}

size_t cpcap_stream_skip(struct cpcap_stream *stream, size_t size) {
    size_t count = stream->end - stream->next;
    if (count > size) count = size;
    stream->next += count;
    return count;
}

bool cpcap_stream_is_starved(const struct cpcap_stream *stream) { return stream->is_starved; }

bool cpcap_stream_failed(const struct cpcap_stream *stream) { return stream->is_starved || stream->error != 0; }

const char *cpcap_decompressed_by(const char *kind, const char *program, const char *command) {
    snprintf(reason, sizeof reason, "compressed with %s; try '%s FILE | %s'", kind, program, command);
    return reason;
}

int64_t cpcap_stream_position(const struct cpcap_stream *stream) { return stream->position + (int64_t)consumed(stream); }

void cpcap_stream_close(struct cpcap_stream *stream) { fclose(stream->file); }
