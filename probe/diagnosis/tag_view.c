#include "probe/diagnosis/tag_view.h"

#include <inttypes.h>

#include "probe/core/arena.h"
#include "probe/core/dns_answers.h"

bool tags_document(const struct view *view)
{
	return view->report->run.tags && view->target->tags.count && !view->proxied;
}

const struct observation *tag_fact(const struct view *view, const char *address)
{
	return tags_document(view) && address ? view_fact_observation(view, "address_tags", address) : NULL;
}

static bool is_inside(const struct view *view, const struct local_fact *fact)
{
	for (size_t i = 0; i < fact->values.count; i++)
		if (text_list_has(&view->target->tags, fact->values.items[i]))
			return true;
	return false;
}

bool tags_hold(const struct view *view, const char *address)
{
	const struct observation *fact = tag_fact(view, address);
	return fact && is_inside(view, &fact->fact);
}

static bool is_outside(const struct view *view, const char *address)
{
	const struct observation *fact = tag_fact(view, address);
	return fact && !dns_address_is_odd(address) && !is_inside(view, &fact->fact);
}

bool tags_deny(const struct view *view, const char *address)
{
	return is_outside(view, address) && !view_address_proven(view, address);
}

bool tags_are_older(const struct view *view, const char *address)
{
	return is_outside(view, address) && view_address_proven(view, address);
}

static bool is_address(const struct dns_answer *answer)
{
	return text_equal(answer->type, "A") || text_equal(answer->type, "AAAA");
}

static bool all_are(const struct view *view, const struct dns_server *server,
		    bool (*is)(const struct view *view, const char *address))
{
	size_t count = 0;
	for (size_t type = 0; type < 2 && server->outcome == DNS_SAYS_ADDRESS; type++) {
		const struct observation *shown = server->by_type[type].shown;
		for (size_t i = 0; shown && i < shown->dns.answer_count; i++) {
			const struct dns_answer *answer = &shown->dns.answers[i];
			if (!is_address(answer))
				continue;
			if (!is(view, answer->data))
				return false;
			count++;
		}
	}
	return count > 0;
}

bool tags_deny_server(const struct view *view, const struct dns_server *server)
{
	return all_are(view, server, tags_deny);
}

bool tags_hold_server(const struct view *view, const struct dns_server *server)
{
	return all_are(view, server, tags_hold);
}

void tags_add_evidence(const struct view *view, struct verdict *out, const struct dns_server *server)
{
	for (size_t type = 0; type < 2; type++) {
		const struct observation *shown = server->by_type[type].shown;
		for (size_t i = 0; shown && i < shown->dns.answer_count; i++)
			verdict_add_evidence(view, out, tag_fact(view, shown->dns.answers[i].data));
	}
}

const char *tags_in_words(const struct view *view, const char *address)
{
	const struct tags_input *tags = view->report->run.tags;
	struct arena *arena = view->report->arena;
	const char *change = tags->change_number == NOT_MEASURED
				     ? ""
				     : arena_printf(arena, ", change %" PRId64 ",", tags->change_number);
	const char *names = "";
	for (size_t i = 0; i < view->target->tags.count; i++)
		names = arena_printf(arena, "%s%s%s", names, i ? " or " : "", view->target->tags.items[i]);
	return arena_printf(arena, "%s%s has %s in no prefix of %s", tags->file, change, address, names);
}
