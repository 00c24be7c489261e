/* Heads of packets that came in, whole and cut anywhere. */

#include "probe/os/os_tcp_watch.h"

#include <stdlib.h>

#include "tests/unit/check.h"

enum { IP_BYTES = 20, TCP_BYTES = 20, SYN_ACK = 0x12, RST_ACK = 0x14 };

/** From 20.190.128.1 port 443 to port 40000 with TTL 61; options: 32-bit words behind the IP header's first twenty bytes. */
static size_t packet_make(uint8_t *out, size_t options, uint8_t flags)
{
	static const uint8_t source[] = {20, 190, 128, 1};
	size_t header = IP_BYTES + 4 * options;
	memset(out, 0, header + TCP_BYTES);
	out[0] = (uint8_t)(0x40 | (5 + options));
	out[8] = 61;
	out[9] = 6;
	memcpy(out + 12, source, sizeof(source));
	out[header] = 443 >> 8;
	out[header + 1] = 443 & 0xff;
	out[header + 2] = 40000 >> 8;
	out[header + 3] = 40000 & 0xff;
	out[header + 12] = 5 << 4;
	out[header + 13] = flags;
	return header + TCP_BYTES;
}

static void check_what_is_read(void)
{
	uint8_t bytes[128];
	struct os_tcp_packet packet = {0};
	CHECK(os_tcp_packet_read(bytes, packet_make(bytes, 0, SYN_ACK), &packet));
	CHECK_TEXT(packet.from, "20.190.128.1");
	CHECK_INT(packet.from_port, 443);
	CHECK_INT(packet.to_port, 40000);
	CHECK_INT(packet.ttl, 61);
	CHECK(packet.syn && packet.ack && !packet.rst && !packet.fin);
	CHECK(os_tcp_packet_read(bytes, packet_make(bytes, 10, RST_ACK), &packet)); /* the longest header */
	CHECK(!packet.syn && packet.ack && packet.rst);
	CHECK_INT(packet.from_port, 443);
}

static void check_nothing_is_read_beyond_the_end(void)
{
	struct os_tcp_packet packet;
	for (size_t options = 0; options <= 10; options += 5) {
		uint8_t bytes[128];
		size_t length = packet_make(bytes, options, SYN_ACK);
		for (size_t cut = 0; cut < length; cut++) {
			uint8_t *exact = malloc(cut ? cut : 1);
			memcpy(exact, bytes, cut);
			CHECK(!os_tcp_packet_read(exact, cut, &packet));
			free(exact);
		}
	}
}

static void check_what_is_no_tcp_of_ours(void)
{
	static const struct {
		size_t at;
		uint8_t byte;
	} rows[] = {{0, 0x65}, {0, 0x44}, {0, 0x40},
		    {9, 17},   {6, 0x01}, {7, 0x01}}; /* version, lengths, UDP, fragments */
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t bytes[128];
		struct os_tcp_packet packet;
		size_t length = packet_make(bytes, 0, SYN_ACK);
		bytes[rows[i].at] = rows[i].byte;
		CHECK(!os_tcp_packet_read(bytes, length, &packet));
	}
}

int main(void)
{
	check_what_is_read();
	check_nothing_is_read_beyond_the_end();
	check_what_is_no_tcp_of_ours();
	return check_summary();
}
