/* DNS reply messages made by hand: good ones, refusals, cut, looping and lying ones. */

#include "tests/unit/check.h"

#include <stdint.h>
#include <stdlib.h>

#include "probe/core/arena.h"
#include "probe/engine/dns_message.h"

enum {
	ID = 0x1234,
	REPLY = 0x8180, /* QR, RD, RA */
	TRUNCATED = 0x0200,
	QUESTION_NAME_AT = 12,
	TYPE_TXT = 16,
	TYPE_OPT = 41,
	OPTION_COOKIE = 10,
	OPTION_EDE = 15,
	FORMERR = 1,
	SERVFAIL = 2,
	NXDOMAIN = 3,
	NOTIMP = 4,
	REFUSED = 5,
};

struct message {
	uint8_t bytes[70000];
	size_t length;
};

static struct message message; /* the one under test; too large for the stack */
static struct arena *arena;

static void put(const void *bytes, size_t length)
{
	memcpy(message.bytes + message.length, bytes, length);
	message.length += length;
}

static void put_u8(unsigned value)
{
	uint8_t byte = (uint8_t)value;
	put(&byte, 1);
}

static void put_u16(unsigned value)
{
	put_u8(value >> 8);
	put_u8(value & 0xFF);
}

static void put_u32(uint32_t value)
{
	put_u16(value >> 16);
	put_u16(value & 0xFFFF);
}

static void put_labels(const char *name)
{
	while (*name) {
		size_t length = strcspn(name, ".");
		put_u8((unsigned)length);
		put(name, length);
		name += length + (name[length] == '.');
	}
}

static void put_name(const char *name)
{
	put_labels(name);
	put_u8(0);
}

static void put_pointer(size_t to)
{
	put_u16(0xC000u | (unsigned)to);
}

static void put_header(unsigned flags, unsigned questions, unsigned answers, unsigned authorities, unsigned additionals)
{
	message.length = 0;
	put_u16(ID);
	put_u16(flags);
	put_u16(questions);
	put_u16(answers);
	put_u16(authorities);
	put_u16(additionals);
}

static void put_question(const char *name, unsigned type)
{
	put_name(name);
	put_u16(type);
	put_u16(1);
}

/* Type, class IN, TTL and length of a record whose name is already there. */
static void put_record(unsigned type, uint32_t ttl, unsigned length)
{
	put_u16(type);
	put_u16(1);
	put_u32(ttl);
	put_u16(length);
}

static void put_a(uint32_t ttl, uint32_t address)
{
	put_record(DNS_TYPE_A, ttl, 4);
	put_u32(address);
}

/* A reply to www.example.test A, with as many answers to follow. */
static void begin(unsigned flags, unsigned answers, unsigned additionals)
{
	put_header(flags, 1, answers, 0, additionals);
	put_question("www.example.test", DNS_TYPE_A);
}

static struct dns_query query;

static enum failure read_as(const char *type, const char *transport)
{
	uint8_t *exact = malloc(message.length ? message.length : 1); /* so that a sanitizer sees a read beyond it */
	memcpy(exact, message.bytes, message.length);
	query = (struct dns_query){.name = "www.example.test", .type = type, .transport = transport};
	enum failure failure = dns_message_read(arena, exact, message.length, ID, &query);
	free(exact);
	return failure;
}

static enum failure read_a(void)
{
	return read_as("A", "udp");
}

static void check_malformed(void)
{
	CHECK_INT(read_a(), FAILURE_DNS_MALFORMED);
	CHECK_INT(query.rcode, NOT_MEASURED);
	CHECK_INT(query.ede, NOT_MEASURED);
	CHECK_INT(query.answer_count, 0);
	CHECK(!query.truncated);
}

static void test_address(void)
{
	begin(REPLY, 2, 0);
	put_pointer(QUESTION_NAME_AT);
	put_a(300, 0x0A000001);
	put_name("WWW.Example.TEST"); /* names compare without case */
	put_a(0x80000000u, 0x0A000002);
	CHECK_INT(read_a(), FAILURE_NONE);
	CHECK_INT(query.rcode, 0);
	CHECK_INT(query.ede, NOT_MEASURED);
	CHECK_INT(query.answer_count, 2);
	CHECK_TEXT(query.answers[0].name, "www.example.test");
	CHECK_TEXT(query.answers[0].type, "A");
	CHECK_TEXT(query.answers[0].data, "10.0.0.1");
	CHECK_INT(query.answers[0].ttl_s, 300);
	CHECK_INT(query.answers[1].ttl_s, 0); /* RFC 2181 8: a TTL with the first bit set counts as 0 */
	CHECK_TEXT(dns_answer_address(&query, dns_chain_end(&query), 1), "10.0.0.2");
}

static void test_ipv6_address(void)
{
	put_header(REPLY, 1, 1, 0, 0);
	put_question("www.example.test", DNS_TYPE_AAAA);
	put_pointer(QUESTION_NAME_AT);
	put_record(DNS_TYPE_AAAA, 60, 16);
	put("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
	CHECK_INT(read_as("AAAA", "udp"), FAILURE_NONE);
	CHECK_TEXT(query.answers[0].type, "AAAA");
	CHECK_TEXT(query.answers[0].data, "2001:db8::1");
	CHECK_INT(read_as("A", "udp"), FAILURE_DNS_MALFORMED); /* another question */
}

/* www -> a -> b, written with pointers into each other. */
static void put_chain(unsigned flags, unsigned answers)
{
	begin(flags, answers, 0);
	put_pointer(QUESTION_NAME_AT);
	put_record(DNS_TYPE_CNAME, 60, 4);
	size_t a_at = message.length;
	put_labels("a");
	put_pointer(QUESTION_NAME_AT + 4);
	put_pointer(a_at);
	put_record(DNS_TYPE_CNAME, 60, 4);
	put_labels("b");
	put_pointer(a_at + 2);
}

static void test_chain(void)
{
	put_chain(REPLY, 3);
	put_name("b.example.test");
	put_a(30, 0x0A000003);
	CHECK_INT(read_a(), FAILURE_NONE);
	CHECK_INT(query.answer_count, 3);
	CHECK_TEXT(query.answers[0].data, "a.example.test");
	CHECK_TEXT(query.answers[1].name, "a.example.test");
	CHECK_TEXT(query.answers[1].data, "b.example.test");
	CHECK_TEXT(dns_chain_end(&query), "b.example.test");
	CHECK(!dns_answer_address(&query, dns_chain_end(&query), 0));
	CHECK_TEXT(dns_answer_address(&query, dns_chain_end(&query), 2), "10.0.0.3");
}

static void test_chain_without_end(void)
{
	put_chain(REPLY, 2);
	CHECK_INT(read_a(), FAILURE_DNS_NO_ANSWER);
	CHECK_INT(query.answer_count, 2);
	put_chain(REPLY | NXDOMAIN, 2);
	CHECK_INT(read_a(), FAILURE_DNS_NXDOMAIN);
	CHECK_INT(query.rcode, NXDOMAIN);
	CHECK_INT(query.answer_count, 2); /* the chain is kept: it says where it breaks */
	CHECK_TEXT(dns_chain_end(&query), "b.example.test");
	put_chain(REPLY, 3);
	put_name("stranger.test"); /* an address of a name that the chain does not lead to */
	put_a(30, 0x0A000003);
	CHECK_INT(read_a(), FAILURE_DNS_NO_ANSWER);
}

static void test_chain_in_a_circle(void)
{
	begin(REPLY, 1, 0);
	put_pointer(QUESTION_NAME_AT);
	put_record(DNS_TYPE_CNAME, 60, 2);
	put_pointer(QUESTION_NAME_AT);
	CHECK_INT(read_a(), FAILURE_DNS_NO_ANSWER);
	CHECK_TEXT(dns_chain_end(&query), "www.example.test");
}

static void test_rcodes(void)
{
	static const struct {
		unsigned rcode;
		enum failure failure;
	} cases[] = {
		{FORMERR, FAILURE_DNS_FORMERR}, {SERVFAIL, FAILURE_DNS_SERVFAIL}, {NXDOMAIN, FAILURE_DNS_NXDOMAIN},
		{NOTIMP, FAILURE_DNS_NOTIMP},	{REFUSED, FAILURE_DNS_REFUSED},	  {9, FAILURE_DNS_OTHER},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(REPLY | cases[i].rcode, 0, 0);
		CHECK_INT(read_a(), cases[i].failure);
		CHECK_INT(query.rcode, cases[i].rcode);
		put_header(REPLY | cases[i].rcode, 0, 0, 0, 0); /* some refusals come without the question */
		CHECK_INT(read_a(), cases[i].failure);
	}
	begin(REPLY, 0, 0);
	CHECK_INT(read_a(), FAILURE_DNS_NO_ANSWER);
	put_header(REPLY, 0, 0, 0, 0);
	check_malformed();
}

static void put_opt(unsigned rcode_high, unsigned length)
{
	put_u8(0); /* the root */
	put_u16(TYPE_OPT);
	put_u16(1232);
	put_u32((uint32_t)rcode_high << 24);
	put_u16(length);
}

static void test_edns(void)
{
	begin(REPLY | SERVFAIL, 0, 1);
	put_opt(0, 20);
	put_u16(OPTION_COOKIE);
	put_u16(8);
	put("cookie!!", 8);
	put_u16(OPTION_EDE);
	put_u16(4);
	put_u16(22);
	put("hi", 2);
	CHECK_INT(read_a(), FAILURE_DNS_SERVFAIL);
	CHECK_INT(query.ede, 22);
	begin(REPLY, 0, 1);
	put_opt(1, 0);
	CHECK_INT(read_a(), FAILURE_DNS_OTHER); /* BADVERS: 16, whose low bits are those of NOERROR */
	CHECK_INT(query.rcode, 16);
}

static void test_hostile_options(void)
{
	begin(REPLY | SERVFAIL, 0, 1);
	put_opt(0, 4);
	put_u16(OPTION_EDE);
	put_u16(0xFFFF); /* longer than its record */
	CHECK_INT(read_a(), FAILURE_DNS_SERVFAIL);
	CHECK_INT(query.ede, NOT_MEASURED);
	begin(REPLY | SERVFAIL, 0, 1);
	put_opt(0, 0xFFFF); /* longer than the message */
	CHECK_INT(read_a(), FAILURE_DNS_SERVFAIL);
	CHECK_INT(query.ede, NOT_MEASURED);
	begin(REPLY | SERVFAIL, 0, 1);
	put_opt(0, 4);
	put_u16(OPTION_EDE);
	put_u16(0);
	CHECK_INT(read_a(), FAILURE_DNS_SERVFAIL);
	CHECK_INT(query.ede, NOT_MEASURED);
}

static void test_truncated(void)
{
	begin(REPLY | TRUNCATED, 60, 0);
	put_pointer(QUESTION_NAME_AT);
	put_a(300, 0x0A000001);
	put_pointer(QUESTION_NAME_AT);
	put_u16(DNS_TYPE_A);
	CHECK_INT(read_a(), FAILURE_NONE); /* cut in the middle of a record, and says so */
	CHECK(query.truncated);
	CHECK_INT(query.answer_count, 1);
	begin(REPLY | TRUNCATED, 0, 0);
	CHECK_INT(read_a(), FAILURE_NONE);
	CHECK(query.truncated);
	CHECK_INT(read_as("A", "tcp"), FAILURE_DNS_NO_ANSWER); /* there is no further transport to ask by */
	CHECK(query.truncated);
}

static void test_not_ours(void)
{
	begin(REPLY, 0, 0);
	message.bytes[0] ^= 1; /* another id */
	check_malformed();
	begin(REPLY & 0x7FFF, 0, 0); /* no reply */
	check_malformed();
	put_header(REPLY, 1, 0, 0, 0);
	put_question("www.example.tesu", DNS_TYPE_A);
	check_malformed();
	put_header(REPLY, 1, 0, 0, 0);
	put_question("www.example.test.x", DNS_TYPE_A);
	check_malformed();
	put_header(REPLY, 1, 0, 0, 0);
	put_question("www.example.test", TYPE_TXT);
	check_malformed();
	put_header(REPLY, 2, 0, 0, 0);
	put_question("www.example.test", DNS_TYPE_A);
	put_question("www.example.test", DNS_TYPE_A);
	check_malformed();
	put_header(REPLY, 1, 0, 0, 0);
	put_name("www.example.test");
	put_u16(DNS_TYPE_A);
	put_u16(3); /* class CH */
	check_malformed();
}

/* Every beginning of a good message is none. */
static void test_cut_anywhere(void)
{
	put_chain(REPLY, 3);
	put_name("b.example.test");
	put_a(30, 0x0A000003);
	size_t whole = message.length;
	for (message.length = 0; message.length < whole; message.length++)
		CHECK_INT(read_a(), FAILURE_DNS_MALFORMED);
	message.length = whole;
	CHECK_INT(read_a(), FAILURE_NONE);
	put("trailing bytes", 14); /* resolvers do not mind them */
	CHECK_INT(read_a(), FAILURE_NONE);
}

static void test_pointer_loops(void)
{
	begin(REPLY, 1, 0);
	put_pointer(message.length); /* to itself */
	put_a(1, 1);
	check_malformed();
	begin(REPLY, 1, 0);
	put_pointer(message.length + 20); /* forwards */
	put_a(1, 1);
	check_malformed();
	begin(REPLY, 1, 0);
	size_t start = message.length;
	put_labels("x"); /* back to a label that leads here again */
	put_pointer(start);
	put_a(1, 1);
	check_malformed();
	begin(REPLY, 1, 0);
	put_pointer(0x3FFF); /* beyond the end */
	put_a(1, 1);
	check_malformed();
	begin(REPLY, 1, 0);
	put_u8(0xC0); /* half a pointer */
	check_malformed();
	put_header(REPLY, 1, 0, 0, 0);
	put_pointer(QUESTION_NAME_AT); /* the question's own name */
	put_u16(DNS_TYPE_A);
	put_u16(1);
	check_malformed();
}

static void test_long_names(void)
{
	static const char label63[] = "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc";
	begin(REPLY, 1, 0);
	for (int i = 0; i < 3; i++)
		put_labels(label63);
	put_labels("abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghija"); /* 61: 255 bytes in all */
	put_u8(0);
	put_a(1, 1);
	CHECK_INT(read_a(), FAILURE_DNS_NO_ANSWER);
	CHECK_INT(strlen(query.answers[0].name), 253);
	begin(REPLY, 1, 0);
	for (int i = 0; i < 4; i++)
		put_labels(label63); /* 257 bytes */
	put_u8(0);
	put_a(1, 1);
	check_malformed();
	begin(REPLY, 1, 0);
	put_u8(64); /* a label length that means something else (RFC 6891 5) */
	put(label63, 63);
	put_u16(0);
	put_a(1, 1);
	check_malformed();
	begin(REPLY, 1, 0);
	put_u8(63); /* longer than the message */
	put("abc", 3);
	check_malformed();
}

static void test_unusual_bytes(void)
{
	begin(REPLY, 1, 0);
	put_u8(7);
	put("a.\\\0\xFF\x1B ", 7);
	put_u8(0);
	put_a(1, 1);
	CHECK_INT(read_a(), FAILURE_DNS_NO_ANSWER);
	CHECK_TEXT(query.answers[0].name, "a\\.\\\\\\000\\255\\027\\032");
	begin(REPLY, 1, 0);
	put_u8(0); /* the root owns it */
	put_a(1, 1);
	CHECK_INT(read_a(), FAILURE_DNS_NO_ANSWER);
	CHECK_TEXT(query.answers[0].name, "");
}

static void test_other_types(void)
{
	begin(REPLY, 2, 0);
	put_pointer(QUESTION_NAME_AT);
	put_record(TYPE_TXT, 5, 3);
	put("\2hi", 3);
	put_pointer(QUESTION_NAME_AT);
	put_u16(DNS_TYPE_A);
	put_u16(4); /* class HS: no address of ours */
	put_u32(5);
	put_u16(4);
	put_u32(1);
	CHECK_INT(read_a(), FAILURE_DNS_NO_ANSWER);
	CHECK_INT(query.answer_count, 2);
	CHECK_TEXT(query.answers[0].type, "TYPE16");
	CHECK_TEXT(query.answers[0].data, NULL);
	CHECK_TEXT(query.answers[1].data, NULL);
}

static void test_lying_lengths(void)
{
	begin(REPLY, 1, 0);
	put_pointer(QUESTION_NAME_AT);
	put_record(DNS_TYPE_A, 5, 3);
	put("\1\2\3", 3);
	check_malformed();
	begin(REPLY, 1, 0);
	put_pointer(QUESTION_NAME_AT);
	put_record(DNS_TYPE_A, 5, 16);
	put("0123456789abcdef", 16);
	check_malformed();
	begin(REPLY, 1, 0);
	put_pointer(QUESTION_NAME_AT);
	put_record(DNS_TYPE_A, 5, 0xFFFF);
	put_u32(1);
	check_malformed();
	begin(REPLY, 1, 0);
	put_pointer(QUESTION_NAME_AT);
	put_record(DNS_TYPE_CNAME, 5, 1); /* the name goes on behind it */
	put_name("b.example.test");
	check_malformed();
	begin(REPLY, 1, 0);
	put_pointer(QUESTION_NAME_AT);
	put_record(DNS_TYPE_CNAME, 5, 6); /* the name ends before it */
	put_pointer(QUESTION_NAME_AT);
	put_u32(0);
	check_malformed();
	begin(REPLY, 0xFFFF, 0); /* more answers than there are */
	put_pointer(QUESTION_NAME_AT);
	put_a(1, 1);
	check_malformed();
}

static void test_broken_sections_behind_the_answer(void)
{
	put_header(REPLY, 1, 1, 1, 1);
	put_question("www.example.test", DNS_TYPE_A);
	put_pointer(QUESTION_NAME_AT);
	put_a(300, 0x0A000001);
	put_pointer(0x3FFF);
	CHECK_INT(read_a(), FAILURE_NONE);
	CHECK_INT(query.answer_count, 1);
}

static void test_many_answers(void)
{
	begin(REPLY, 3000, 0);
	for (unsigned i = 0; i < 3000; i++) {
		put_pointer(QUESTION_NAME_AT);
		put_a(300, 0x0A000000 + i);
	}
	CHECK_INT(read_a(), FAILURE_NONE);
	CHECK_INT(query.answer_count, DNS_ANSWERS_MAX);
	CHECK_TEXT(query.answers[127].data, "10.0.0.127");
}

static void test_question_with_final_dot(void)
{
	begin(REPLY, 1, 0);
	put_pointer(QUESTION_NAME_AT);
	put_a(300, 0x0A000001);
	query = (struct dns_query){.name = "www.example.test.", .type = "A", .transport = "udp"};
	CHECK_INT(dns_message_read(arena, message.bytes, message.length, ID, &query), FAILURE_NONE);
	CHECK_TEXT(dns_answer_address(&query, dns_chain_end(&query), 0), "10.0.0.1");
}

int main(void)
{
	arena = arena_new();
	test_address();
	test_ipv6_address();
	test_chain();
	test_chain_without_end();
	test_chain_in_a_circle();
	test_rcodes();
	test_edns();
	test_hostile_options();
	test_truncated();
	test_not_ours();
	test_cut_anywhere();
	test_pointer_loops();
	test_long_names();
	test_unusual_bytes();
	test_other_types();
	test_lying_lengths();
	test_broken_sections_behind_the_answer();
	test_many_answers();
	test_question_with_final_dot();
	arena_free(arena);
	return check_summary();
}
