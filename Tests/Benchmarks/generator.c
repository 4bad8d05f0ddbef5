/*
 * Sends TCP packets over an interface at a bounded rate:
 *
 *     generator INTERFACE DESTINATION-MAC data|syn|mix|scan|flood|scans COUNT RATE [SCANNER]
 *
 * The sources of syn come again after 65,536 packets, those of flood never; a scan is from 10.77.1.SCANNER, scans are
 * from 1,000 sources in turn. RATE is in packets a second, 0 as fast as it goes. Prints how many were sent, in how many
 * nanoseconds, and when the last of them began to be, on the monotonic clock. The TCP checksum is wrong on purpose: who
 * sniffs doesn't care, and the host under test answers nothing.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FRAMES = 65536, LENGTH = 154, BATCH = 64, ACK = 0x10, PSH_ACK = 0x18, SYN = 0x02 };

static uint8_t frames[FRAMES][LENGTH];
static struct iovec vectors[FRAMES];
static struct mmsghdr messages[FRAMES];

static int64_t now(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_MONOTONIC, &t))
		err(1, "clock_gettime");
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void sleep_until(int64_t when)
{
	struct timespec t = { when / 1000000000, when % 1000000000 };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL))
		;
}

/* xorshift (Marsaglia 2003): the same packets in every run. */
static uint32_t next_random(void)
{
	static uint32_t state = 2463534242u;

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

static void put(uint8_t *at, uint32_t value, int width)
{
	for (int i = width - 1; i >= 0; i--, value >>= 8)
		at[i] = value & 0xff;
}

static void ip_checksum(uint8_t *ip)
{
	uint32_t sum = 0;

	put(ip + 10, 0, 2); /* what an earlier packet left */
	for (int i = 0; i < 20; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	put(ip + 10, ~sum & 0xffff, 2);
}

/* An address nobody would drop as a martian: 20.0.0.0 to 99.255.255.255. */
static uint32_t random_source(void)
{
	uint32_t random = next_random();

	return (20 + (random >> 24) % 80) << 24 | (random & 0xffffff);
}

static uint32_t scanner = 1;

/* The source of a packet of a kind, by its number among all. */
static uint32_t source_of(const char *kind, int number, bool data)
{
	if (!strcmp(kind, "scan"))
		return 0x0a4d0100 + scanner;
	if (!strcmp(kind, "scans"))
		return 0x14000000 + (uint32_t)number % 1000 * 257;
	return data ? 0x0a4d0064 + (uint32_t)number % 100 : random_source();
}

/* A packet of a kind, by its number among all, into its place among the frames. */
static void build(int number, const struct ether_addr *mac, const char *kind)
{
	int index = number % FRAMES;
	uint8_t *frame = frames[index], *ip = frame + 14, *tcp = ip + 20;
	bool data = !strcmp(kind, "data") || (!strcmp(kind, "mix") && index % 100 != 0);
	bool payload = data && index % 2;
	bool scan = !strcmp(kind, "scan"), scans = !strcmp(kind, "scans");
	uint32_t port = scan ? (uint32_t)index + 1 : scans ? (uint32_t)number / 1000 + 1 : data ? 443 : 80;

	memcpy(frame, mac->ether_addr_octet, 6);
	frame[6] = 2;
	put(frame + 12, ETHERTYPE_IP, 2);
	ip[0] = 0x45;
	put(ip + 2, payload ? LENGTH - 14 : 40, 2);
	ip[8] = 64;
	ip[9] = 6;
	put(ip + 12, source_of(kind, number, data), 4);
	put(ip + 16, 0x0a4d0002, 4);
	ip_checksum(ip);
	put(tcp, 40000, 2);
	put(tcp + 2, port, 2);
	tcp[12] = 0x50;
	tcp[13] = !data ? SYN : payload ? PSH_ACK : ACK;
	put(tcp + 16, 0xdead, 2);
	vectors[index] = (struct iovec){ frame, payload ? LENGTH : 54 };
	messages[index].msg_hdr = (struct msghdr){ .msg_iov = &vectors[index], .msg_iovlen = 1 };
}

static int open_interface(const char *name)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(name) };
	int descriptor = socket(AF_PACKET, SOCK_RAW, 0);

	if (descriptor < 0 || bind(descriptor, (struct sockaddr *)&address, sizeof address))
		err(1, "%s", name);
	return descriptor;
}

int main(int argc, char **argv)
{
	struct ether_addr *mac = argc == 6 || argc == 7 ? ether_aton(argv[2]) : NULL;

	if (!mac)
		errx(1, "usage: generator INTERFACE DESTINATION-MAC data|syn|mix|scan|flood|scans COUNT RATE [SCANNER]");
	int count = atoi(argv[4]), rate = atoi(argv[5]);
	if (argc == 7)
		scanner = (uint32_t)atoi(argv[6]);
	int descriptor = open_interface(argv[1]);
	int batch = rate && rate / 10000 < BATCH ? (rate + 9999) / 10000 : BATCH;

	bool renew = !strcmp(argv[3], "flood") || !strcmp(argv[3], "scans");

	for (int i = 0; i < FRAMES; i++)
		build(i, mac, argv[3]);

	int64_t begin = now(), last = begin;
	int sent = 0;
	while (sent < count) {
		int first = sent % FRAMES, size = batch;

		if (size > count - sent)
			size = count - sent;
		if (size > FRAMES - first)
			size = FRAMES - first;
		for (int i = 0; renew && i < size; i++)
			build(sent + i, mac, argv[3]);
		if (rate)
			sleep_until(begin + (int64_t)sent * 1000000000 / rate);
		last = now();
		int done = sendmmsg(descriptor, messages + first, (unsigned)size, 0);
		if (done < 0)
			err(1, "sendmmsg");
		sent += done;
	}
	printf("%d %lld %lld\n", sent, (long long)(now() - begin), (long long)last);
	return 0;
}
