#include "probe/diagnosis/transparent.h"

#include <string.h>
#include <strings.h>

#include "probe/core/http_marks.h"
#include "probe/diagnosis/rules.h"

/*
 * A proxy that nobody has set. The mark of a proxy in one answer may be that of the service's own delivery network; the same mark in the
 * answers of services that have nothing to do with each other is somebody's in between. A request that is answered although it was sent to
 * an address that cannot answer it proves one without marks.
 */

static bool is_plain_direct(const struct view *view)
{
	return !view->proxied && view->target->kind == TARGET_URL && !is_https(view->target);
}

static const char *mark_in(const struct view *view, const struct tried *tried)
{
	const struct observation *http = tried->elsewhere ? NULL : tried->http;
	bool answered = http && http->failure == FAILURE_NONE && http->http.status != NOT_MEASURED;
	return answered ? http_proxy_mark(view->report->arena, &http->http.headers) : NULL;
}

/* One with a mark, before others: of the two families of addresses perhaps only one goes through it. */
static const struct observation *answer_of(const struct view *view)
{
	const struct observation *plain = NULL;
	for (size_t i = 0; i < view->tried_count; i++) {
		const struct observation *http = view->tried[i].elsewhere ? NULL : view->tried[i].http;
		if (mark_in(view, &view->tried[i]))
			return http;
		if (!plain && http && http->failure == FAILURE_NONE && http->http.status != NOT_MEASURED)
			plain = http;
	}
	return plain;
}

static const char *mark_of(const struct view *view)
{
	const struct observation *answer = answer_of(view);
	return answer ? http_proxy_mark(view->report->arena, &answer->http.headers) : NULL;
}

/* The last two labels of a name: who is likely to run it. */
static const char *house_of(const char *host)
{
	const char *house = host;
	size_t dots = 0;
	for (const char *at = host + strlen(host); at-- > host && dots < 2;)
		if (*at == '.' && ++dots == 2)
			house = at + 1;
	return house;
}

static bool are_unrelated(const struct target *a, const struct target *b)
{
	return !text_equal(a->service, b->service) && strcasecmp(house_of(a->host), house_of(b->host)) != 0;
}

/* The same mark in every answer of plain HTTP without a proxy, and in those of two services that are not of one house. */
static bool marks_all(const struct view *view, const char *mark)
{
	bool others = false;
	for (size_t i = 0; i < view->all_count; i++) {
		const struct view *other = &view->all[i];
		if (!is_plain_direct(other) || !answer_of(other))
			continue;
		if (!text_equal(mark_of(other), mark))
			return false;
		others |= are_unrelated(view->target, other->target);
	}
	return others;
}

static const struct observation *answered_at_wrong_address(const struct report *report)
{
	for (size_t i = report->observations.count; i-- > 0;) {
		const struct observation *one = report->observations.items[i];
		if (one->op == OP_HTTP_EXCHANGE && text_equal(one->experiment, "http_wrong_address") &&
		    one->failure == FAILURE_NONE && one->http.body_matches)
			return one;
	}
	return NULL;
}

bool transparent_find(const struct view *view, struct transparent *out)
{
	if (!is_plain_direct(view))
		return false;
	const char *mark = mark_of(view);
	*out = (struct transparent){
		.name = mark,
		.marks_all = mark && marks_all(view, mark),
		.wrong = answered_at_wrong_address(view->report),
	};
	return out->marks_all || out->wrong;
}

static bool say(const struct view *view, struct verdict *out, const struct transparent *found)
{
	verdict_set(view, out, "prx_transparent_present", found->wrong ? 0.9 : 0.75);
	verdict_add_evidence(view, out, answer_of(view));
	verdict_add_evidence(view, out, found->wrong);
	if (!found->wrong)
		verdict_add_not_run(view, out, "the same request to an address that cannot answer it");
	return true;
}

/* A portal's redirect is another matter, and the first thing to look at. */
static bool is_answer_in_place(const struct view *view, const struct tried *tried)
{
	int status = tried->http ? tried->http->http.status : NOT_MEASURED;
	bool portal = status == 511 || (is_ncsi(view->target) && status >= 300 && status < 400);
	return tried_failed(tried) && tried->broke == STAGE_HTTP && status != NOT_MEASURED && !portal;
}

/** The answer is not the service's, and came from a proxy that nobody has set. */
bool rule_prx_transparent_breaks(const struct view *view, struct verdict *out)
{
	struct transparent found;
	if (!transparent_find(view, &found))
		return false;
	for (size_t i = 0; i < view->tried_count; i++)
		if (is_answer_in_place(view, &view->tried[i]))
			return say(view, out, &found);
	return false;
}

/** It works, through a proxy that nobody has set. */
bool remark_prx_transparent_present(const struct view *view, struct verdict *out)
{
	struct transparent found;
	return transparent_find(view, &found) && answer_of(view) && say(view, out, &found);
}
