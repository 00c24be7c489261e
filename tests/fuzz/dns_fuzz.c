/* Whatever a DNS server sends: the reading keeps its limits and its promises. The message's own id counts as the one asked with. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/engine/dns_message.h"
#include "tests/fuzz/must.h"

enum { NAME_TEXT_MAX = 1020 };

static void check_text(const char *text)
{
	MUST(strlen(text) <= NAME_TEXT_MAX);
	for (; *text; text++)
		MUST(*text > ' ' && *text < 0x7F);
}

static void check_answer(const struct dns_query *query, const char *end, size_t index)
{
	const struct dns_answer *answer = &query->answers[index];
	const char *text = dns_answer_address(query, end, index);
	struct address address;
	check_text(answer->name);
	check_text(answer->type);
	if (answer->data)
		check_text(answer->data);
	MUST(answer->ttl_s >= 0 && answer->ttl_s <= INT32_MAX);
	if (text)
		MUST(address_parse(text, &address) && address.family == (strcmp(query->type, "A") == 0 ? 4 : 6));
}

static bool has_address(const struct dns_query *query, const char *end)
{
	for (size_t i = 0; i < query->answer_count; i++)
		if (dns_answer_address(query, end, i))
			return true;
	return false;
}

static void check_query(const struct dns_query *query, enum failure failure)
{
	const char *end = dns_chain_end(query);
	MUST(end && query->answer_count <= DNS_ANSWERS_MAX);
	for (size_t i = 0; i < query->answer_count; i++)
		check_answer(query, end, i);
	if (failure == FAILURE_DNS_MALFORMED) {
		MUST(query->rcode == NOT_MEASURED && query->ede == NOT_MEASURED);
		MUST(!query->answer_count && !query->truncated);
		return;
	}
	MUST(query->rcode >= 0 && query->rcode <= 0xFFF && query->ede >= NOT_MEASURED && query->ede <= 0xFFFF);
	if (query->rcode)
		MUST(failure != FAILURE_NONE && failure != FAILURE_DNS_NO_ANSWER);
	else if (query->truncated && strcmp(query->transport, "udp") == 0)
		MUST(failure == FAILURE_NONE);
	else
		MUST(failure == (has_address(query, end) ? FAILURE_NONE : FAILURE_DNS_NO_ANSWER));
}

static void read_as(const uint8_t *data, size_t size, const char *type, const char *transport)
{
	struct arena *arena = arena_new();
	struct dns_query query = {.name = "www.example.test", .type = type, .transport = transport};
	uint16_t id = (uint16_t)(size < 2 ? 0 : data[0] << 8 | data[1]);
	check_query(&query, dns_message_read(arena, data, size, id, &query));
	size_t count = query.answer_count;
	check_query(&query, dns_message_read(arena, data, size, id, &query)); /* a second message into the same place */
	MUST(query.answer_count == count);
	arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_as(data, size, "A", "udp");
	read_as(data, size, "AAAA", "udp");
	read_as(data, size, "A", "tcp");
	return 0;
}
