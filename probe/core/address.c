#include "probe/core/address.h"

#include <stdio.h>
#include <string.h>

enum { IPV4_BITS = 32, IPV6_BITS = 128, GROUPS = 8 };

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/** Read an unsigned decimal number without leading zeros (an octet "010" would be eight to some readers); NULL if there is none. */
static const char *read_decimal(const char *text, unsigned limit, unsigned *out)
{
	unsigned value = 0;
	const char *at = text;
	for (; *at >= '0' && *at <= '9'; at++) {
		value = value * 10 + (unsigned)(*at - '0');
		if (value > limit || (at > text && *text == '0'))
			return NULL;
	}
	*out = value;
	return at > text ? at : NULL;
}

static bool parse_ipv4(const char *text, uint8_t bytes[4])
{
	for (int i = 0; i < 4; i++) {
		unsigned octet = 0;
		text = read_decimal(text, 255, &octet);
		if (!text || *text != (i < 3 ? '.' : '\0'))
			return false;
		bytes[i] = (uint8_t)octet;
		text++;
	}
	return true;
}

static const char *read_group(const char *text, unsigned *out)
{
	unsigned value = 0;
	int digits = 0;
	for (; digits < 5 && hex_digit(text[digits]) >= 0; digits++)
		value = value * 16 + (unsigned)hex_digit(text[digits]);
	*out = value;
	return digits >= 1 && digits <= 4 ? text + digits : NULL;
}

/** The groups of an IPv6 literal while it is read; gap is the number of groups before "::", or -1. */
struct groups {
	uint8_t bytes[16];
	int count, gap;
};

static void add_group(struct groups *groups, unsigned value)
{
	groups->bytes[2 * groups->count] = (uint8_t)(value >> 8);
	groups->bytes[2 * groups->count + 1] = (uint8_t)value;
	groups->count++;
}

/** Read one group, or an IPv4 tail, with the separator behind it; *end says that nothing follows. NULL: not a literal. */
static const char *read_item(const char *text, struct groups *groups, bool *end)
{
	uint8_t tail[4];
	unsigned value = 0;
	if (groups->count <= GROUPS - 2 && parse_ipv4(text, tail)) {
		add_group(groups, (unsigned)tail[0] << 8 | tail[1]);
		add_group(groups, (unsigned)tail[2] << 8 | tail[3]);
		*end = true;
		return text;
	}
	text = groups->count < GROUPS ? read_group(text, &value) : NULL;
	if (!text)
		return NULL;
	add_group(groups, value);
	*end = *text == '\0';
	if (*end)
		return text;
	if (*text != ':')
		return NULL;
	if (text[1] != ':')
		return text + 1;
	if (groups->gap >= 0)
		return NULL;
	groups->gap = groups->count;
	*end = text[2] == '\0';
	return text + 2;
}

static bool parse_ipv6(const char *text, uint8_t bytes[16])
{
	struct groups groups = {.gap = -1};
	bool end = false;
	if (text[0] == ':') {
		if (text[1] != ':')
			return false;
		groups.gap = 0;
		text += 2;
		end = *text == '\0';
	}
	while (!end) {
		text = read_item(text, &groups, &end);
		if (!text)
			return false;
	}
	if (groups.gap < 0 ? groups.count != GROUPS : groups.count == GROUPS)
		return false;
	size_t head = groups.gap < 0 ? 16 : 2 * (size_t)groups.gap;
	size_t tail = 2 * (size_t)groups.count - (groups.gap < 0 ? 16 : head);
	memset(bytes, 0, 16);
	memcpy(bytes, groups.bytes, head);
	memcpy(bytes + 16 - tail, groups.bytes + head, tail);
	return true;
}

bool address_parse(const char *text, struct address *out)
{
	struct address address = {0};
	char inside[ADDRESS_TEXT_BYTES + 2];
	size_t length = text ? strlen(text) : 0;
	if (length == 0 || length >= sizeof(inside))
		return false;
	memcpy(inside, text, length + 1);
	if (parse_ipv4(inside, address.bytes)) {
		address.family = 4;
		*out = address;
		return true;
	}
	char *literal = inside;
	if (inside[0] == '[') {
		if (inside[length - 1] != ']')
			return false;
		inside[length - 1] = '\0';
		literal++;
	}
	address.family = 6;
	if (!parse_ipv6(literal, address.bytes))
		return false;
	*out = address;
	return true;
}

static unsigned group_at(const struct address *address, int index)
{
	return (unsigned)address->bytes[2 * index] << 8 | address->bytes[2 * index + 1];
}

/** The first longest run of two or more zero groups (RFC 5952 4.2.2, 4.2.3); its length, 0 for none. */
static int longest_zero_run(const struct address *address, int *start)
{
	int best = 0;
	for (int i = 0; i < GROUPS; i++) {
		int length = 0;
		while (i + length < GROUPS && group_at(address, i + length) == 0)
			length++;
		if (length > best) {
			best = length;
			*start = i;
		}
	}
	return best >= 2 ? best : 0;
}

static bool is_ipv4_mapped(const struct address *address)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	return address->family == 6 && memcmp(address->bytes, mapped, sizeof(mapped)) == 0;
}

static void format_dotted(const uint8_t bytes[4], char *text, size_t room)
{
	snprintf(text, room, "%u.%u.%u.%u", bytes[0], bytes[1], bytes[2], bytes[3]);
}

char *address_format(const struct address *address, char *text)
{
	if (address->family == 4) {
		format_dotted(address->bytes, text, ADDRESS_TEXT_BYTES);
		return text;
	}
	if (is_ipv4_mapped(address)) { /* RFC 5952 5 */
		memcpy(text, "::ffff:", 7);
		format_dotted(address->bytes + 12, text + 7, ADDRESS_TEXT_BYTES - 7);
		return text;
	}
	int gap_start = GROUPS, gap = longest_zero_run(address, &gap_start);
	size_t used = 0;
	for (int i = 0; i < GROUPS; i++) {
		if (gap && i == gap_start) {
			used += (size_t)snprintf(text + used, ADDRESS_TEXT_BYTES - used, "::");
			i += gap - 1;
			continue;
		}
		const char *colon = i == 0 || (gap && i == gap_start + gap) ? "" : ":";
		used += (size_t)snprintf(text + used, ADDRESS_TEXT_BYTES - used, "%s%x", colon, group_at(address, i));
	}
	return text;
}

bool address_equal(const struct address *a, const struct address *b)
{
	return address_compare(a, b) == 0;
}

int address_compare(const struct address *a, const struct address *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	int order = memcmp(a->bytes, b->bytes, sizeof(a->bytes));
	return (order > 0) - (order < 0);
}

static unsigned family_bits(const struct address *address)
{
	return address->family == 4 ? IPV4_BITS : IPV6_BITS;
}

/** Do a and b agree in their first bits? */
static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;
	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || ((a[whole] ^ b[whole]) & (0xff00u >> rest) & 0xffu) == 0;
}

static bool has_host_bits(const struct prefix *prefix)
{
	for (unsigned bit = prefix->length; bit < family_bits(&prefix->base); bit++) {
		if (prefix->base.bytes[bit / 8] & (0x80u >> (bit % 8)))
			return true;
	}
	return false;
}

bool prefix_parse(const char *text, struct prefix *out)
{
	struct prefix prefix = {0};
	char base[ADDRESS_TEXT_BYTES];
	const char *slash = text ? strchr(text, '/') : NULL;
	if (!slash || (size_t)(slash - text) >= sizeof(base) || *text == '[')
		return false;
	memcpy(base, text, (size_t)(slash - text));
	base[slash - text] = '\0';
	unsigned length = 0;
	if (!address_parse(base, &prefix.base))
		return false;
	const char *end = read_decimal(slash + 1, family_bits(&prefix.base), &length);
	if (!end || *end)
		return false;
	prefix.length = (uint8_t)length;
	if (has_host_bits(&prefix))
		return false;
	*out = prefix;
	return true;
}

char *prefix_format(const struct prefix *prefix, char *text)
{
	char base[ADDRESS_TEXT_BYTES];
	snprintf(text, PREFIX_TEXT_BYTES, "%s/%u", address_format(&prefix->base, base), prefix->length);
	return text;
}

bool prefix_contains(const struct prefix *prefix, const struct address *address)
{
	return prefix->base.family == address->family && same_bits(prefix->base.bytes, address->bytes, prefix->length);
}

/** Add offset, shifted left by shift bits, to an address whose bits there are zero or do not overflow. */
static void add_shifted(struct address *address, uint64_t offset, unsigned shift)
{
	unsigned carry = 0;
	for (unsigned bit = shift; bit < family_bits(address) && (offset || carry); bit++, offset >>= 1) {
		unsigned place = family_bits(address) - 1 - bit;
		uint8_t mask = (uint8_t)(0x80u >> (place % 8));
		unsigned sum = ((address->bytes[place / 8] & mask) != 0) + (unsigned)(offset & 1) + carry;
		address->bytes[place / 8] = (uint8_t)((address->bytes[place / 8] & ~mask) | ((sum & 1) ? mask : 0));
		carry = sum >> 1;
	}
}

struct address prefix_sample(const struct prefix *prefix, unsigned index, unsigned count)
{
	/* More than 32 bits are sampled by their upper 32, so that the product below stays within 64 bits. */
	enum { SAMPLED_BITS = 32, COUNT_MAX = 1 << 30 };
	struct address address = prefix->base;
	unsigned host_bits = family_bits(&prefix->base) - prefix->length;
	unsigned shift = host_bits > SAMPLED_BITS ? host_bits - SAMPLED_BITS : 0;
	uint64_t size = (uint64_t)1 << (host_bits - shift);
	uint64_t edge = size > 2 ? 1 : 0;
	count = count == 0 ? 1 : count > COUNT_MAX ? COUNT_MAX : count;
	index = index < count ? index : count - 1;
	/* the middle of the index-th of count equal parts of what lies between the edges */
	uint64_t offset = edge + (size - 2 * edge) * (2 * (uint64_t)index + 1) / (2 * (uint64_t)count);
	add_shifted(&address, offset, shift);
	return address;
}

struct address address_add(const struct address *address, uint32_t offset)
{
	struct address sum = *address;
	add_shifted(&sum, offset, 0);
	return sum;
}

/** A block of addresses with a meaning of its own. */
struct block {
	uint8_t family, length;
	uint8_t bytes[16];
};

static bool in_blocks(const struct address *address, const struct block *blocks, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (blocks[i].family == address->family && same_bits(blocks[i].bytes, address->bytes, blocks[i].length))
			return true;
	}
	return false;
}

bool address_is_private(const struct address *address)
{
	static const struct block blocks[] = {
		{4, 8, {10}}, {4, 12, {172, 16}}, {4, 16, {192, 168}}, {4, 10, {100, 64}}, {6, 7, {0xfc}},
	};
	return in_blocks(address, blocks, sizeof(blocks) / sizeof(blocks[0]));
}

bool address_is_loopback(const struct address *address)
{
	static const struct block blocks[] = {{4, 8, {127}}, {6, 128, {[15] = 1}}};
	return in_blocks(address, blocks, sizeof(blocks) / sizeof(blocks[0]));
}

bool address_is_link_local(const struct address *address)
{
	static const struct block blocks[] = {{4, 16, {169, 254}}, {6, 10, {0xfe, 0x80}}};
	return in_blocks(address, blocks, sizeof(blocks) / sizeof(blocks[0]));
}

bool address_is_unspecified(const struct address *address)
{
	static const struct block blocks[] = {{4, 32, {0}}, {6, 128, {0}}};
	return in_blocks(address, blocks, sizeof(blocks) / sizeof(blocks[0]));
}

char *host_port_format(const char *host, int port, char *text, size_t bytes)
{
	bool brackets = strchr(host, ':') != NULL && host[0] != '[';
	snprintf(text, bytes, "%s%s%s:%d", brackets ? "[" : "", host, brackets ? "]" : "", port);
	return text;
}

/** Copy a host that is a name or an IPv4 literal; false for characters that no host has (they would move its end). */
static bool copy_host(const char *text, size_t length, char *host, size_t host_bytes)
{
	if (length == 0 || length >= host_bytes)
		return false;
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c <= ' ' || c == 0x7f || strchr("\"#%/:<>?@[\\]^`{|}", c))
			return false;
	}
	memcpy(host, text, length);
	host[length] = '\0';
	return true;
}

static bool copy_ipv6(const char *text, size_t length, char *host, size_t host_bytes)
{
	char literal[ADDRESS_TEXT_BYTES];
	struct address address;
	if (length == 0 || length >= sizeof(literal) || length >= host_bytes || *text == '[')
		return false;
	memcpy(literal, text, length);
	literal[length] = '\0';
	if (!address_parse(literal, &address) || address.family != 6)
		return false;
	memcpy(host, literal, length + 1);
	return true;
}

/** What follows the host: nothing, or ":port". */
static bool read_port_part(const char *text, int *port)
{
	unsigned value = 0;
	*port = -1;
	if (*text == '\0')
		return true;
	const char *end = *text == ':' ? read_decimal(text + 1, 65535, &value) : NULL;
	if (!end || *end || value == 0)
		return false;
	*port = (int)value;
	return true;
}

bool host_port_split(const char *text, char *host, size_t host_bytes, int *port)
{
	const char *colon = text ? strchr(text, ':') : NULL;
	int found = -1;
	if (!text)
		return false;
	if (*text == '[') {
		const char *close = strchr(text, ']');
		if (!close || !read_port_part(close + 1, &found) ||
		    !copy_ipv6(text + 1, (size_t)(close - text - 1), host, host_bytes))
			return false;
	} else if (colon && strchr(colon + 1, ':')) {
		if (!copy_ipv6(text, strlen(text), host, host_bytes))
			return false;
	} else {
		size_t length = colon ? (size_t)(colon - text) : strlen(text);
		if (!read_port_part(text + length, &found) || !copy_host(text, length, host, host_bytes))
			return false;
	}
	*port = found;
	return true;
}
