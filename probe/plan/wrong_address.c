#include "probe/plan/wrong_address.h"

#include <string.h>
#include <strings.h>

#include "probe/core/http_marks.h"

static bool is_plain(const struct target *target)
{
	return target->kind == TARGET_URL && target->url && strncasecmp(target->url, "http:", strlen("http:")) == 0;
}

static bool is_expected(const struct target *target, const struct http_exchange *http)
{
	const struct expect *expect = &target->expect;
	bool known = !expect->status_count;
	for (size_t i = 0; i < expect->status_count; i++)
		known |= expect->status[i] == http->status;
	return known && (!expect->body || http->body_matches);
}

bool wrong_address_wanted(struct arena *arena, const struct target *target, const struct observation *http)
{
	if (!is_plain(target))
		return false;
	return http->failure != FAILURE_NONE || !is_expected(target, &http->http) ||
	       http_proxy_mark(arena, &http->http.headers);
}

bool wrong_address_choose(struct target *const *targets, size_t count, struct target **what, struct target **where)
{
	*what = *where = NULL;
	for (size_t i = 0; i < count; i++) {
		struct target *target = targets[i];
		bool is_entra = target->service && strcmp(target->service, "entra") == 0;
		if (!*what && is_plain(target) && target->expect.body)
			*what = target;
		if (!*where && target->kind == TARGET_URL && !is_plain(target) && is_entra)
			*where = target;
	}
	return *what && *where;
}
