/*
 * IP packets and TCP segments of the wire (tundelay.c): find their parts, look for what a firewall looks for, forge an answer.
 */
#ifndef TESTS_LAB_SEGMENT_H
#define TESTS_LAB_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16 };
enum { PROTOCOL_TCP = 6, IPV6_BYTES = 40, TCP_BYTES = 20, RECORD_BYTES = 5, ANY_TTL = 64 };

/** Where the parts of one IP packet lie. tcp and payload are NULL in what is no TCP segment, or a later fragment of one. */
struct segment {
	uint8_t *ip, *tcp, *payload;
	size_t ip_bytes, payload_bytes;
	bool v6;
};

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value & 0xffff);
}

/** Find the parts of the IP packet in these bytes (RFC 791, RFC 8200 without extension headers, RFC 9293); false if it is none. */
static bool segment_find(uint8_t *ip, size_t bytes, struct segment *out)
{
	if (bytes < 20)
		return false;
	bool v6 = ip[0] >> 4 == 6;
	if ((v6 && bytes < IPV6_BYTES) || (!v6 && ip[0] >> 4 != 4))
		return false;
	size_t ip_bytes = v6 ? IPV6_BYTES : (size_t)(ip[0] & 15) * 4;
	size_t total = v6 ? (size_t)IPV6_BYTES + get16(ip + 4) : get16(ip + 2);
	if (total > bytes || total < ip_bytes)
		return false;
	*out = (struct segment){.ip = ip, .ip_bytes = ip_bytes, .v6 = v6};
	bool is_later_fragment = !v6 && get16(ip + 6) & 0x1fff;
	if ((v6 ? ip[6] : ip[9]) != PROTOCOL_TCP || is_later_fragment || total < ip_bytes + TCP_BYTES)
		return true;
	size_t tcp_bytes = (size_t)(ip[ip_bytes + 12] >> 4) * 4;
	if (tcp_bytes < TCP_BYTES || ip_bytes + tcp_bytes > total)
		return true;
	out->tcp = ip + ip_bytes;
	out->payload = out->tcp + tcp_bytes;
	out->payload_bytes = total - ip_bytes - tcp_bytes;
	return true;
}

static size_t segment_address_bytes(const struct segment *segment)
{
	return segment->v6 ? 16 : 4;
}

static const uint8_t *segment_destination(const struct segment *segment)
{
	return segment->ip + (segment->v6 ? 24 : 16);
}

/* ---------------------------------------------------------------- what a firewall looks for */

static bool is_packet(const struct segment *segment)
{
	return segment->ip != NULL;
}

static bool is_tcp(const struct segment *segment)
{
	return segment->tcp != NULL;
}

/** A SYN that opens a connection. */
static bool is_syn(const struct segment *segment)
{
	return segment->tcp && (segment->tcp[13] & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

/** The start of a TLS handshake record (RFC 8446 5.1). */
static bool is_tls(const struct segment *segment)
{
	return segment->payload_bytes > 2 && segment->payload[0] == 22 && segment->payload[1] == 3;
}

/** The start of a ClientHello (RFC 8446 4). */
static bool is_hello(const struct segment *segment)
{
	return is_tls(segment) && segment->payload_bytes > RECORD_BYTES && segment->payload[RECORD_BYTES] == 1;
}

/** How long the hello's record is, whether this segment has all of it or not. */
static size_t hello_bytes(const struct segment *segment)
{
	return is_hello(segment) ? (size_t)RECORD_BYTES + get16(segment->payload + 3) : 0;
}

/** A hello of which this segment has only a part. */
static bool is_split_hello(const struct segment *segment)
{
	return hello_bytes(segment) > segment->payload_bytes;
}

/** A whole hello that names no server (RFC 6066 3: extension 0). */
static bool is_hello_without_sni(const struct segment *segment)
{
	if (!is_hello(segment) || is_split_hello(segment))
		return false;
	const uint8_t *at = segment->payload, *end = at + segment->payload_bytes;
	const size_t fixed = RECORD_BYTES + 4 + 2 + 32; /* record, handshake header, version, random */
	const uint8_t length_bytes[] = {1, 2, 1};	/* session id, cipher suites, compression methods */
	at += fixed;
	for (size_t i = 0; i < sizeof length_bytes; i++) {
		if (end - at < 2)
			return false;
		at += length_bytes[i] + (length_bytes[i] == 1 ? at[0] : get16(at));
	}
	for (at += 2; end - at >= 4; at += 4 + get16(at + 2))
		if (get16(at) == 0)
			return false;
	return true;
}

static bool segment_has(const struct segment *segment, const char *text)
{
	return segment->payload_bytes > 0 && memmem(segment->payload, segment->payload_bytes, text, strlen(text));
}

/* ---------------------------------------------------------------- forging */

/** Ones' complement sum (RFC 1071), not yet folded. */
static uint32_t sum16(const uint8_t *at, size_t bytes, uint32_t sum)
{
	for (size_t i = 0; i + 1 < bytes; i += 2)
		sum += get16(at + i);
	return bytes % 2 ? sum + (uint32_t)(at[bytes - 1] << 8) : sum;
}

static uint32_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

static void swap_bytes(uint8_t *a, uint8_t *b, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		uint8_t held = a[i];
		a[i] = b[i];
		b[i] = held;
	}
}

/** Let the segment go back to its sender. */
static void segment_turn(const struct segment *segment)
{
	size_t address_bytes = segment_address_bytes(segment);
	uint8_t *addresses = segment->ip + (segment->v6 ? 8 : 12);
	swap_bytes(addresses, addresses + address_bytes, address_bytes);
	swap_bytes(segment->tcp, segment->tcp + 2, 2);
}

/** Lengths, TTL and checksums of a segment whose TCP header, without data, has tcp_bytes. */
static void segment_finish(const struct segment *segment, size_t tcp_bytes, uint8_t ttl)
{
	uint8_t *ip = segment->ip, *tcp = segment->tcp;
	tcp[12] = (uint8_t)(tcp_bytes / 4 << 4);
	put16(tcp + 16, 0);
	put16(tcp + 18, 0);
	uint32_t sum = sum16(ip + (segment->v6 ? 8 : 12), 2 * segment_address_bytes(segment),
			     (uint32_t)(PROTOCOL_TCP + tcp_bytes));
	put16(tcp + 16, fold(sum16(tcp, tcp_bytes, sum)));
	if (segment->v6) {
		put16(ip + 4, (uint32_t)tcp_bytes);
		ip[7] = ttl;
		return;
	}
	put16(ip + 2, (uint32_t)(segment->ip_bytes + tcp_bytes));
	ip[8] = ttl;
	put16(ip + 10, 0);
	put16(ip + 10, fold(sum16(ip, segment->ip_bytes, 0)));
}

/** Make this segment the reset of its connection: one to its sender, or one that goes on. Returns the length of the IP packet. */
static size_t segment_make_reset(const struct segment *segment, bool to_sender, uint8_t ttl)
{
	uint8_t *tcp = segment->tcp;
	uint32_t sequence = get32(tcp + 4), acknowledged = get32(tcp + 8);
	if (to_sender) {
		uint32_t taken = (uint32_t)segment->payload_bytes + (is_syn(segment) ? 1 : 0);
		segment_turn(segment);
		put32(tcp + 4, is_syn(segment) ? 0 : acknowledged);
		put32(tcp + 8, sequence + taken);
	}
	tcp[13] = TCP_RST | TCP_ACK;
	put16(tcp + 14, 0);
	segment_finish(segment, TCP_BYTES, ttl);
	return segment->ip_bytes + TCP_BYTES;
}

/** Make this SYN the SYN-ACK to its sender, with an MSS of 1460 (RFC 9293 3.7.1). Returns the length of the IP packet. */
static size_t segment_make_syn_ack(const struct segment *segment, uint8_t ttl)
{
	enum { WITH_MSS = TCP_BYTES + 4 };
	uint8_t *tcp = segment->tcp;
	uint32_t sequence = get32(tcp + 4);
	segment_turn(segment);
	put32(tcp + 4, ~sequence);
	put32(tcp + 8, sequence + 1);
	tcp[13] = TCP_SYN | TCP_ACK;
	put16(tcp + 14, 65535);
	put32(tcp + TCP_BYTES, 2u << 24 | 4u << 16 | 1460);
	segment_finish(segment, WITH_MSS, ttl);
	return segment->ip_bytes + WITH_MSS;
}

#endif
