/* Heads of packets. They are hostile: nothing is read beyond what came. */

#include "probe/os/os_tcp_watch.h"

#include <stdio.h>

enum { IP_BYTES_MIN = 20, IP_TTL = 8, IP_PROTOCOL = 9, IP_SOURCE = 12, PROTOCOL_TCP = 6, FRAGMENT_OFFSET = 0x1fff };
enum { TCP_BYTES_MIN = 20, TCP_FLAGS = 13, FLAG_FIN = 1, FLAG_SYN = 2, FLAG_RST = 4, FLAG_ACK = 16 };

static int get16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

bool os_tcp_header_read(const uint8_t *bytes, size_t length, struct os_tcp_packet *out)
{
	if (length < TCP_BYTES_MIN)
		return false;
	int flags = bytes[TCP_FLAGS];
	out->from_port = get16(bytes);
	out->to_port = get16(bytes + 2);
	out->syn = flags & FLAG_SYN;
	out->ack = flags & FLAG_ACK;
	out->rst = flags & FLAG_RST;
	out->fin = flags & FLAG_FIN;
	return true;
}

bool os_tcp_packet_read(const uint8_t *bytes, size_t length, struct os_tcp_packet *out)
{
	if (length < IP_BYTES_MIN || bytes[0] >> 4 != 4 || bytes[IP_PROTOCOL] != PROTOCOL_TCP ||
	    get16(bytes + 6) & FRAGMENT_OFFSET)
		return false;
	size_t header = (size_t)(bytes[0] & 15) * 4;
	if (header < IP_BYTES_MIN || header > length)
		return false;
	const uint8_t *from = bytes + IP_SOURCE;
	snprintf(out->from, sizeof(out->from), "%u.%u.%u.%u", from[0], from[1], from[2], from[3]);
	out->ttl = bytes[IP_TTL];
	return os_tcp_header_read(bytes + header, length - header, out);
}
