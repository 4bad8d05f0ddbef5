#include "CNids.h"

#include <dlfcn.h>
#include <nids.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static char reason[512];
static __typeof__(nids_pcap_handler) *handle_packet;

/* Where the callback of libnids stores the packet. */
static uint8_t *output;
static size_t output_capacity;
static size_t output_length;

const char *cnids_reason(void) { return reason; }

static void keep_joined(struct ip *packet, int size) {
    (void)size; /* the size of libnids' buffer */
    size_t length = ntohs(packet->ip_len);
    if (length > output_capacity) length = output_capacity;
    memcpy(output, packet, length);
    output_length = length;
}

static void keep_silent(void) {}

static void *find(void *module, const char *name) {
    void *symbol = dlsym(module, name);
    if (!symbol) snprintf(reason, sizeof reason, "undefined symbol %s", name);
    return symbol;
}

static void *open_library(void) {
    /* Debian's name for version 1.26, then upstream's. Older versions have other parameters. */
    void *module = dlopen("libnids.so.1.21", RTLD_NOW | RTLD_LOCAL);
    if (module) return module;
    const char *text = dlerror();
    snprintf(reason, sizeof reason, "%s (Debian's package libnids1.21)", text ? text : "libnids.so.1.21");
    return dlopen("libnids.so.1.26", RTLD_NOW | RTLD_LOCAL);
}

int cnids_start(void *handle) {
    void *module = open_library();
    if (!module) return -1;
    __typeof__(nids_params) *parameters = find(module, "nids_params");
    const char *error = find(module, "nids_errbuf");
    __typeof__(nids_init) *init;
    __typeof__(nids_register_ip) *register_ip;
    __typeof__(nids_register_chksum_ctl) *register_checksum_control;
    const struct {
        const char *name;
        void *place;
    } functions[] = {
        {"nids_init", &init},
        {"nids_register_ip", &register_ip},
        {"nids_register_chksum_ctl", &register_checksum_control},
        {"nids_pcap_handler", &handle_packet},
    };
    if (!parameters || !error) return -1;
    for (size_t index = 0; index < sizeof functions / sizeof functions[0]; index++) {
        void *function = find(module, functions[index].name);
        if (!function) return -1;
        memcpy(functions[index].place, &function, sizeof function); /* as POSIX does in dlsym(3) */
    }

    parameters->pcap_desc = handle;
    parameters->n_tcp_streams = 0;
    parameters->scan_num_hosts = 0;
    parameters->multiproc = 0;
    parameters->tcp_workarounds = 0;
    parameters->syslog = keep_silent; /* it would log whatever anyone on the network sends */
    if (!init()) {
        snprintf(reason, sizeof reason, "%s", error);
        return -1;
    }
    /* libnids keeps the pointer. */
    static struct nids_chksum_ctl everything = {.netaddr = 0, .mask = 0, .action = NIDS_DONT_CHKSUM};
    register_checksum_control(&everything, 1);
    register_ip(keep_joined);
    return 0;
}

size_t cnids_join(uint8_t *fragment, size_t length, uint8_t *joined, size_t capacity) {
    struct pcap_pkthdr header = {.caplen = (bpf_u_int32)length, .len = (bpf_u_int32)length};
    output = joined;
    output_capacity = capacity;
    output_length = 0;
    handle_packet(NULL, &header, fragment);
    return output_length;
}
