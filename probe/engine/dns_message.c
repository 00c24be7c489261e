#include "probe/engine/dns_message.h"

#include <string.h>
#include <strings.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"

enum {
	HEADER_BYTES = 12,
	NAME_BYTES_MAX = 255,		      /* on the wire, RFC 1035 2.3.4 */
	NAME_TEXT_BYTES = NAME_BYTES_MAX * 4, /* each byte may become \DDD */
	LABEL_BYTES_MAX = 63,
	CLASS_IN = 1,
	TYPE_OPT = 41,
	OPTION_EDE = 15,
	FLAG_REPLY = 0x8000,
	FLAG_TRUNCATED = 0x0200,
	RCODE_MASK = 0x000F,
	RCODE_NOERROR = 0,
};

/* Where we are in a message. failed stays set once a read went past the end: the reads after it give zeros. */
struct reader {
	const uint8_t *bytes;
	size_t length, at;
	bool failed;
};

struct record {
	const char *name;
	uint16_t type, class;
	uint32_t ttl;
	size_t data_at;
	uint16_t data_length;
};

static bool has_bytes(struct reader *in, size_t wanted)
{
	if (in->failed || in->length - in->at < wanted)
		in->failed = true;
	return !in->failed;
}

static uint16_t read_u16(struct reader *in)
{
	if (!has_bytes(in, 2))
		return 0;
	const uint8_t *at = in->bytes + in->at;
	in->at += 2;
	return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t read_u32(struct reader *in)
{
	uint32_t high = read_u16(in);
	return high << 16 | read_u16(in);
}

static size_t escape_byte(uint8_t byte, char *text)
{
	if (byte == '.' || byte == '\\') {
		text[0] = '\\';
		text[1] = (char)byte;
		return 2;
	}
	if (byte > 0x20 && byte < 0x7F) {
		text[0] = (char)byte;
		return 1;
	}
	text[0] = '\\';
	text[1] = (char)('0' + byte / 100);
	text[2] = (char)('0' + byte / 10 % 10);
	text[3] = (char)('0' + byte % 10);
	return 4;
}

/* Follow a compression pointer (RFC 1035 4.1.4). It must point before the part of the name that is being read, so that no loop can be. */
static bool follow_pointer(struct reader *in, uint8_t first, size_t *part_start)
{
	if (!has_bytes(in, 1))
		return false;
	size_t target = (size_t)(first & 0x3F) << 8 | in->bytes[in->at];
	if (target >= *part_start)
		return false;
	in->at = *part_start = target;
	return true;
}

static size_t copy_label(struct reader *in, size_t label_length, char *text, size_t used)
{
	if (used)
		text[used++] = '.';
	for (size_t i = 0; i < label_length; i++)
		used += escape_byte(in->bytes[in->at++], text + used);
	return used;
}

/* A domain name as text into a buffer of NAME_TEXT_BYTES; the root is "". The reader stands behind the name afterwards. */
static void read_name(struct reader *in, char *text)
{
	size_t used = 0, wire_bytes = 1, part_start = in->at, after = 0;
	while (has_bytes(in, 1)) {
		uint8_t first = in->bytes[in->at++];
		if (first == 0)
			break;
		if ((first & 0xC0) == 0xC0) {
			after = after ? after : in->at + 1;
			if (!follow_pointer(in, first, &part_start))
				in->failed = true;
			continue;
		}
		wire_bytes += first + (size_t)1;
		if (first > LABEL_BYTES_MAX || wire_bytes > NAME_BYTES_MAX || !has_bytes(in, first)) {
			in->failed = true;
			break;
		}
		used = copy_label(in, first, text, used);
	}
	text[used] = '\0';
	if (after && !in->failed)
		in->at = after;
}

static struct record read_record(struct reader *in, char *name)
{
	read_name(in, name);
	struct record record = {.name = name};
	record.type = read_u16(in);
	record.class = read_u16(in);
	record.ttl = read_u32(in);
	record.data_length = read_u16(in);
	record.data_at = in->at;
	if (has_bytes(in, record.data_length))
		in->at += record.data_length;
	return record;
}

static const char *type_text(struct arena *arena, uint16_t type)
{
	if (type == DNS_TYPE_A)
		return "A";
	if (type == DNS_TYPE_AAAA)
		return "AAAA";
	if (type == DNS_TYPE_CNAME)
		return "CNAME";
	return arena_printf(arena, "TYPE%u", (unsigned)type); /* RFC 3597 5 */
}

static const char *address_data(struct arena *arena, const uint8_t *bytes, uint8_t family)
{
	struct address address = {.family = family};
	char text[ADDRESS_TEXT_BYTES];
	memcpy(address.bytes, bytes, family == 4 ? 4 : 16);
	return arena_strdup(arena, address_format(&address, text));
}

/* The data of the record that was just read; sets in->failed where it does not fit its type. */
static const char *record_data(struct arena *arena, struct reader *in, const struct record *record)
{
	if (in->failed || record->class != CLASS_IN)
		return NULL;
	const uint8_t *data = in->bytes + record->data_at;
	if (record->type == DNS_TYPE_A || record->type == DNS_TYPE_AAAA) {
		uint8_t family = record->type == DNS_TYPE_A ? 4 : 6;
		if (record->data_length == (family == 4 ? 4 : 16))
			return address_data(arena, data, family);
		in->failed = true;
	} else if (record->type == DNS_TYPE_CNAME) {
		char target[NAME_TEXT_BYTES];
		struct reader inner = {.bytes = in->bytes, .length = in->length, .at = record->data_at};
		read_name(&inner, target);
		if (!inner.failed && inner.at == record->data_at + record->data_length)
			return arena_strdup(arena, target);
		in->failed = true;
	}
	return NULL;
}

static void add_answer(struct arena *arena, struct dns_query *query, const struct record *record, const char *data)
{
	query->answers = arena_grow(arena, query->answers, &query->answer_capacity, query->answer_count,
				    sizeof(*query->answers));
	query->answers[query->answer_count++] = (struct dns_answer){
		.name = arena_strdup(arena, record->name),
		.type = type_text(arena, record->type),
		.data = data,
		.ttl_s = record->ttl & 0x80000000u ? 0 : (int64_t)record->ttl, /* RFC 2181 8 */
	};
}

static void read_answers(struct arena *arena, struct reader *in, unsigned count, struct dns_query *query)
{
	char name[NAME_TEXT_BYTES];
	for (unsigned i = 0; i < count && !in->failed; i++) {
		struct record record = read_record(in, name);
		const char *data = record_data(arena, in, &record);
		if (!in->failed && query->answer_count < DNS_ANSWERS_MAX)
			add_answer(arena, query, &record, data);
	}
}

/* The EDE option (RFC 8914 2) of an OPT record's data (RFC 6891 6.1.2): NOT_MEASURED without one. */
static int read_ede(const struct reader *in, const struct record *opt)
{
	struct reader options = {.bytes = in->bytes, .length = opt->data_at + opt->data_length, .at = opt->data_at};
	while (options.at < options.length && !options.failed) {
		uint16_t code = read_u16(&options);
		uint16_t length = read_u16(&options);
		if (!has_bytes(&options, length))
			break;
		if (code == OPTION_EDE && length >= 2)
			return read_u16(&options);
		options.at += length;
	}
	return NOT_MEASURED;
}

static void read_additional(struct reader *in, unsigned authorities, unsigned additionals, struct dns_query *query)
{
	char name[NAME_TEXT_BYTES];
	for (unsigned i = 0; i < authorities + additionals && !in->failed; i++) {
		struct record record = read_record(in, name);
		if (in->failed || record.type != TYPE_OPT || i < authorities)
			continue;
		query->rcode |= (int)(record.ttl >> 24) << 4;
		query->ede = read_ede(in, &record);
		return;
	}
}

/* Some servers leave the question out of a reply that only says no. */
static bool is_our_question(struct reader *in, unsigned count, int rcode, const struct dns_query *query)
{
	if (count == 0)
		return rcode != RCODE_NOERROR;
	char name[NAME_TEXT_BYTES];
	read_name(in, name);
	uint16_t type = read_u16(in), class = read_u16(in);
	uint16_t asked = strcmp(query->type, "AAAA") == 0 ? DNS_TYPE_AAAA : DNS_TYPE_A;
	size_t length = strlen(query->name);
	if (length && query->name[length - 1] == '.')
		length--;
	return !in->failed && count == 1 && type == asked && class == CLASS_IN && strlen(name) == length &&
	       strncasecmp(name, query->name, length) == 0;
}

static enum failure rcode_failure(int rcode)
{
	static const enum failure failures[] = {FAILURE_NONE,	      FAILURE_DNS_FORMERR, FAILURE_DNS_SERVFAIL,
						FAILURE_DNS_NXDOMAIN, FAILURE_DNS_NOTIMP,  FAILURE_DNS_REFUSED};
	if (rcode >= 0 && (size_t)rcode < sizeof(failures) / sizeof(failures[0]))
		return failures[rcode];
	return FAILURE_DNS_OTHER;
}

static bool has_address(const struct dns_query *query)
{
	const char *end = dns_chain_end(query);
	for (size_t i = 0; i < query->answer_count; i++)
		if (dns_answer_address(query, end, i))
			return true;
	return false;
}

static void forget(struct dns_query *query)
{
	query->rcode = query->ede = NOT_MEASURED;
	query->answer_count = 0;
	query->truncated = false;
}

enum failure dns_message_read(struct arena *arena, const uint8_t *bytes, size_t length, uint16_t id,
			      struct dns_query *query)
{
	struct reader in = {.bytes = bytes, .length = length};
	uint16_t got_id = read_u16(&in), flags = read_u16(&in);
	unsigned questions = read_u16(&in), answers = read_u16(&in);
	unsigned authorities = read_u16(&in), additionals = read_u16(&in);
	forget(query);
	if (in.failed || got_id != id || !(flags & FLAG_REPLY) ||
	    !is_our_question(&in, questions, flags & RCODE_MASK, query))
		return FAILURE_DNS_MALFORMED;
	query->rcode = flags & RCODE_MASK;
	query->truncated = (flags & FLAG_TRUNCATED) != 0;
	read_answers(arena, &in, answers, query);
	if (in.failed && !query->truncated) { /* a truncated message may end anywhere */
		forget(query);
		return FAILURE_DNS_MALFORMED;
	}
	read_additional(&in, authorities, additionals, query);
	if (query->rcode != RCODE_NOERROR)
		return rcode_failure(query->rcode);
	if (query->truncated && strcmp(query->transport, "udp") == 0)
		return FAILURE_NONE;
	return has_address(query) ? FAILURE_NONE : FAILURE_DNS_NO_ANSWER;
}

/* Names compare without case, and without a final dot of the question. */
static bool same_name(const char *a, const char *b)
{
	size_t length = strlen(a), other = strlen(b);
	length -= length && a[length - 1] == '.';
	other -= other && b[other - 1] == '.';
	return length == other && strncasecmp(a, b, length) == 0;
}

static const char *cname_of(const struct dns_query *query, const char *name)
{
	for (size_t i = 0; i < query->answer_count; i++) {
		const struct dns_answer *answer = &query->answers[i];
		if (answer->data && strcmp(answer->type, "CNAME") == 0 && same_name(answer->name, name))
			return answer->data;
	}
	return NULL;
}

const char *dns_chain_end(const struct dns_query *query)
{
	const char *name = query->name;
	for (unsigned step = 0; step < DNS_CHAIN_MAX; step++) {
		const char *next = cname_of(query, name);
		if (!next)
			break;
		name = next;
	}
	return name;
}

const char *dns_answer_address(const struct dns_query *query, const char *chain_end, size_t index)
{
	const struct dns_answer *answer = &query->answers[index];
	return strcmp(answer->type, query->type) == 0 && same_name(answer->name, chain_end) ? answer->data : NULL;
}
