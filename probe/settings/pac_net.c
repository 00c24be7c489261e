/* Helper functions about addresses (wininet.md 4.3). */
#include "probe/settings/pac_inside.h"

#include <stdlib.h>
#include <string.h>

#include "probe/core/address.h"
#include "probe/core/utf8.h"

enum { NAME_BYTES_MAX = 253, QUAD_BYTES_MAX = 15, LITERAL_BYTES_MAX = 80 };

/* ------------------------------------------------------------------ literals */

/* Four decimal octets up to 255. Leading zeros are read as decimals, as all scripts of this grammar do ("255.255.000.000"). */
static bool parse_quad(struct pac_word text, uint32_t *out)
{
	uint32_t value = 0, octet = 0;
	size_t digits = 0, octets = 0;
	for (size_t i = 0; i <= text.length && text.length <= QUAD_BYTES_MAX; i++) {
		char c = i < text.length ? text.bytes[i] : '.';
		if (c >= '0' && c <= '9' && digits < 3) {
			octet = octet * 10 + (uint32_t)(c - '0');
			digits++;
			continue;
		}
		if (c != '.' || digits == 0 || octet > 255 || octets == 4)
			return false;
		value = value << 8 | octet;
		octets++;
		octet = 0;
		digits = 0;
	}
	*out = value;
	return octets == 4;
}

/* An address without brackets; a zone behind it ("fe80::1%15", as Windows' own myIpAddressEx() gives) is left out. */
static bool parse_literal(struct pac_word text, struct address *out)
{
	char copy[LITERAL_BYTES_MAX];
	if (text.length == 0 || text.length >= sizeof(copy) || memchr(text.bytes, '\0', text.length) ||
	    text.bytes[0] == '[')
		return false;
	memcpy(copy, text.bytes, text.length);
	copy[text.length] = '\0';
	char *zone = strchr(copy, '%');
	if (zone && strchr(copy, ':'))
		*zone = '\0';
	return address_parse(copy, out);
}

/* The next part of "a;b"; false at the end. */
static bool next_part(struct pac_word *rest, struct pac_word *part)
{
	if (!rest->bytes)
		return false;
	const char *end = memchr(rest->bytes, ';', rest->length);
	*part = (struct pac_word){rest->bytes, end ? (size_t)(end - rest->bytes) : rest->length};
	rest->bytes = end ? end + 1 : NULL;
	rest->length -= part->length + (end ? 1 : 0);
	return true;
}

/* Push the first IPv4 address of the list; false, and nothing pushed, if there is none. */
static bool push_first_ipv4(duk_context *duk, const char *list)
{
	struct pac_word rest = {list, list ? strlen(list) : 0}, part;
	uint32_t value;
	while (next_part(&rest, &part)) {
		if (!parse_quad(part, &value))
			continue;
		duk_push_lstring(duk, part.bytes, part.length);
		return true;
	}
	return false;
}

/* ------------------------------------------------------------------ names */

static bool is_name(struct pac_word text)
{
	for (size_t i = 0; i < text.length; i++)
		if ((unsigned char)text.bytes[i] <= ' ' || text.bytes[i] == 0x7F)
			return false;
	return text.length > 0 && text.length <= NAME_BYTES_MAX && utf8_is_valid(text.bytes, text.length);
}

/* Push what an argument resolves to: a literal of a family that is wanted is itself; names go outside; else null. What is no text is never
 * looked up: Chromium and Mozilla agree, since a host may be called "null". */
static void push_addresses(duk_context *duk, duk_idx_t index, duk_idx_t count, bool both)
{
	struct pac *pac = pac_of(duk);
	struct address address;
	bool is_text = index < count && duk_is_string(duk, index);
	struct pac_word name = pac_argument(duk, index, is_text ? count : 0);
	if (is_text && parse_literal(name, &address)) {
		if (both || address.family == 4)
			duk_push_lstring(duk, name.bytes, name.length);
		else
			duk_push_null(duk);
		return;
	}
	free(pac->addresses);
	pac->addresses = NULL;
	if (is_text && pac->world.resolve && is_name(name))
		pac->addresses = pac->world.resolve(pac->world.user, name.bytes, both);
	if (both && pac->addresses && *pac->addresses)
		pac_push_text(duk, pac->addresses);
	else if (both || !push_first_ipv4(duk, pac->addresses))
		duk_push_null(duk);
}

/* null on failure, as in Chromium and Mozilla; Internet Explorer 8 gave false. Both are a no to a script that asks. */
void pac_dns_resolve(duk_context *duk, duk_idx_t count)
{
	push_addresses(duk, 0, count, false);
}

void pac_is_resolvable(duk_context *duk, duk_idx_t count)
{
	push_addresses(duk, 0, count, false);
	duk_push_boolean(duk, duk_is_string(duk, -1));
}

void pac_is_resolvable_ex(duk_context *duk, duk_idx_t count)
{
	push_addresses(duk, 0, count, true);
	duk_push_boolean(duk, duk_is_string(duk, -1));
}

void pac_dns_resolve_ex(duk_context *duk, duk_idx_t count)
{
	push_addresses(duk, 0, count, true);
	if (!duk_is_string(duk, -1))
		duk_push_string(duk, "");
}

void pac_my_ip_address(duk_context *duk, duk_idx_t count)
{
	(void)count;
	if (!push_first_ipv4(duk, pac_of(duk)->world.own_addresses))
		duk_push_string(duk, "127.0.0.1");
}

void pac_my_ip_address_ex(duk_context *duk, duk_idx_t count)
{
	const char *own = pac_of(duk)->world.own_addresses;
	(void)count;
	pac_push_text(duk, own ? own : "");
}

/* ------------------------------------------------------------------ networks */

/* Any argument may be null or undefined: isInNet(dnsResolve(host), ...) is what everybody writes, and false where nothing was found. */
void pac_is_in_net(duk_context *duk, duk_idx_t count)
{
	struct pac_word host = pac_argument(duk, 0, count), base = pac_argument(duk, 1, count),
			mask = pac_argument(duk, 2, count);
	uint32_t address, network, bits;
	bool valid = parse_quad(base, &network) && parse_quad(mask, &bits);
	if (valid && !parse_quad(host, &address)) {
		push_addresses(duk, 0, count, false);
		valid = duk_is_string(duk, -1);
		host.bytes = valid ? duk_get_lstring(duk, -1, &host.length) : host.bytes;
		valid = valid && parse_quad(host, &address);
	}
	duk_push_boolean(duk, valid && (address & bits) == (network & bits));
}

/* Split "address/bits"; the bits of the host may be set in the address ("198.95.249.79/16"). */
static bool parse_prefix(struct pac_word text, struct address *out, unsigned *bits)
{
	const char *slash = memchr(text.bytes, '/', text.length);
	size_t length = slash ? (size_t)(slash - text.bytes) : 0;
	size_t digits = slash ? text.length - length - 1 : 0;
	*bits = 0;
	for (size_t i = 0; i < digits && digits <= 3; i++) {
		if (slash[1 + i] < '0' || slash[1 + i] > '9')
			return false;
		*bits = *bits * 10 + (unsigned)(slash[1 + i] - '0');
	}
	return digits > 0 && digits <= 3 && parse_literal((struct pac_word){text.bytes, length}, out) &&
	       *bits <= (out->family == 4 ? 32U : 128U);
}

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	if (memcmp(a, b, bits / 8) != 0)
		return false;
	unsigned mask = 0xFF00U >> bits % 8 & 0xFFU;
	return bits % 8 == 0 || ((a[bits / 8] ^ b[bits / 8]) & mask) == 0;
}

/* Microsoft's text: false for a prefix in the wrong form, and for two families; Chromium would map IPv4 into IPv6. Names are not resolved:
 * the text speaks of an address, and Chromium does not either. */
void pac_is_in_net_ex(duk_context *duk, duk_idx_t count)
{
	struct pac_word text = pac_argument(duk, 0, count), prefix = pac_argument(duk, 1, count);
	struct address address, base;
	unsigned bits;
	bool valid = parse_literal(text, &address) && parse_prefix(prefix, &base, &bits);
	duk_push_boolean(duk, valid && address.family == base.family && same_bits(address.bytes, base.bytes, bits));
}

/* ------------------------------------------------------------------ numbers and lists */

/* What JavaScript makes of one part of a quad: ToInt32(part) & 255; a part that is no number is 0. */
static uint32_t octet_of(duk_context *duk, struct pac_word part)
{
	duk_push_lstring(duk, part.bytes, part.length);
	uint32_t octet = (uint32_t)duk_to_int32(duk, -1) & 0xFF;
	duk_pop(duk);
	return octet;
}

/* A signed number of 32 bits: "255.0.0.0" is negative. */
void pac_convert_addr(duk_context *duk, duk_idx_t count)
{
	struct pac_word text = pac_text_argument(duk, 0, count);
	uint32_t value = 0;
	for (int i = 0; i < 4; i++) {
		size_t length = 0;
		while (length < text.length && text.bytes[length] != '.')
			length++;
		value = value << 8 | octet_of(duk, (struct pac_word){text.bytes, length});
		length += length < text.length;
		text.bytes += length;
		text.length -= length;
	}
	duk_push_int(duk, (duk_int_t)(int32_t)value);
}

struct listed {
	struct address address;
	struct pac_word text;
};

/* IPv6 in front of IPv4. Microsoft's example has fe80::5efe:157.59.139.22 in front of 2001:4898::..., so the narrower scope comes first;
 * Chromium goes by the number alone. Equal ones stay as they stood. */
static int compare_listed(const void *a, const void *b)
{
	const struct listed *one = a, *other = b;
	if (one->address.family != other->address.family)
		return one->address.family == 6 ? -1 : 1;
	bool one_local = one->address.family == 6 && address_is_link_local(&one->address);
	bool other_local = other->address.family == 6 && address_is_link_local(&other->address);
	if (one_local != other_local)
		return one_local ? -1 : 1;
	int order = memcmp(one->address.bytes, other->address.bytes, sizeof(one->address.bytes));
	return order ? order : (one->text.bytes > other->text.bytes) - (one->text.bytes < other->text.bytes);
}

/* Push a copy without blanks. */
static struct pac_word push_without_blanks(duk_context *duk, struct pac_word text)
{
	char *copy = duk_push_fixed_buffer(duk, text.length + 1);
	size_t used = 0;
	for (size_t i = 0; i < text.length; i++)
		if (!strchr(" \t\r\n\v\f", text.bytes[i]) || text.bytes[i] == '\0')
			copy[used++] = text.bytes[i];
	return (struct pac_word){copy, used};
}

/* Read the parts into items; false if one is no address. Empty parts are passed over. */
static bool read_listed(struct pac_word text, struct listed *items, size_t *count)
{
	struct pac_word part;
	*count = 0;
	while (next_part(&text, &part)) {
		if (part.length == 0)
			continue;
		items[*count].text = part;
		if (!parse_literal(part, &items[*count].address))
			return false;
		++*count;
	}
	return *count > 0;
}

/* false on a bad list, as Internet Explorer 8 and Chromium have it; Microsoft's text has "". Each address keeps its text. */
void pac_sort_ip_address_list(duk_context *duk, duk_idx_t count)
{
	struct pac_word text = push_without_blanks(duk, pac_argument(duk, 0, count));
	size_t parts = 1, used = 0, read;
	for (size_t i = 0; i < text.length; i++)
		parts += text.bytes[i] == ';';
	struct listed *items = duk_push_fixed_buffer(duk, parts * sizeof(*items));
	if (!read_listed(text, items, &read)) {
		duk_push_false(duk);
		return;
	}
	qsort(items, read, sizeof(*items), compare_listed);
	char *sorted = duk_push_fixed_buffer(duk, text.length + 1);
	for (size_t i = 0; i < read; i++) {
		if (i > 0)
			sorted[used++] = ';';
		memcpy(sorted + used, items[i].text.bytes, items[i].text.length);
		used += items[i].text.length;
	}
	duk_push_lstring(duk, sorted, used);
}
