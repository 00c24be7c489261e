/* A report about a circuit: what was read, which prefixes it carries, which communities there are, which way packets take. */

#include "reports/text_parts.h"

#include <stdio.h>
#include <string.h>

#include "probe/core/strbuf.h"
#include "probe/diagnosis/coverage_view.h"
#include "probe/diagnosis/coverage_words.h"
#include "reports/screen.h"

enum {
	PREFIX_COLUMNS = 22,
	ADDRESS_COLUMNS = 18,
	STATE_COLUMNS = 10,
	VALUE_COLUMNS = 14,
	INDENT = 3,
	LISTED = 6,
	NUMBER_BYTES = 24
};

static const char *const services[] = {"entra", "backup", "storage"};
enum { SERVICES = sizeof(services) / sizeof(*services) };

static const char *number_text(size_t number, char text[NUMBER_BYTES])
{
	snprintf(text, NUMBER_BYTES, "%zu", number);
	return text;
}

/* ------------------------------------------------------------------ the answer */

static void say_unknown_services(struct strbuf *why, const struct report *report)
{
	struct strbuf names;
	strbuf_init(&names);
	for (size_t i = 0; i < SERVICES; i++)
		if (coverage_service(report, services[i]) == SERVICE_UNKNOWN)
			strbuf_printf(&names, "%s%s", names.length ? ", " : "", service_in_words(services[i]));
	say(why, SAY_WHY_SERVICES_UNKNOWN, FILLS({"services", names.data}));
	strbuf_free(&names);
}

enum say say_coverage_answer(struct strbuf *why, const struct report *report)
{
	char count[NUMBER_BYTES], more[NUMBER_BYTES];
	const struct readiness *readiness = &report->readiness;
	const struct finding *first = report->finding_count ? report->findings[0] : NULL;
	if (readiness->blocking.count && first) {
		say(why, readiness->blocking.count > 1 ? SAY_WHY_NOT_READY_MORE : SAY_WHY_NOT_READY,
		    FILLS({"summary", first->summary}, {"count", number_text(readiness->blocking.count - 1, more)}));
		return SAY_ANSWER_NOT_COVERED;
	}
	if (readiness->ready) {
		say(why, first ? SAY_WHY_COVERED_WARN : SAY_WHY_COVERED,
		    FILLS({"count", number_text(report->finding_count, count)}));
		return first ? SAY_ANSWER_COVERED_WARN : SAY_ANSWER_COVERED;
	}
	const struct coverage_host *silent = coverage_silent_host(report);
	if (silent)
		say(why, SAY_WHY_NO_ANSWER, FILLS({"host", silent->host}));
	else if (!coverage_decider(report->coverage) && !report->coverage->host_count)
		say(why, SAY_WHY_NO_TABLE, NULL);
	else
		say_unknown_services(why, report);
	return SAY_ANSWER_CANNOT_TELL;
}

/* ------------------------------------------------------------------ the first lines */

static enum say say_table_kind(enum table_kind kind)
{
	switch (kind) {
	case TABLE_CIRCUIT:
		return SAY_TABLE_CIRCUIT;
	case TABLE_ROUTER:
		return SAY_TABLE_ROUTER;
	case TABLE_MACHINE:
		return SAY_TABLE_MACHINE;
	}
	return SAY_NOTHING;
}

static enum say say_default(const struct coverage_table *table)
{
	if (!table->has_default)
		return SAY_NOTHING;
	switch (table->default_way) {
	case ROUTE_WAY_UNKNOWN:
		return SAY_TABLE_DEFAULT;
	case ROUTE_WAY_CIRCUIT:
		return SAY_TABLE_DEFAULT_CIRCUIT;
	case ROUTE_WAY_INTERNET:
		return SAY_TABLE_DEFAULT_INTERNET;
	}
	return SAY_NOTHING;
}

static void say_table(struct strbuf *out, const struct coverage_table *table)
{
	char routes[NUMBER_BYTES], public[NUMBER_BYTES], circuit[NUMBER_BYTES];
	say(out, table->tells_way ? SAY_TABLE_LINE : SAY_TABLE_MACHINE_BLIND,
	    FILLS({"source", table->source}, {"kind", say_text(say_table_kind(table->kind))},
		  {"routes", number_text((size_t)table->routes, routes)},
		  {"public", number_text((size_t)table->public_routes, public)},
		  {"circuit", number_text((size_t)table->circuit_routes, circuit)},
		  {"default", say_text(say_default(table))}));
}

void text_coverage_head(struct page *page)
{
	const struct coverage *coverage = page->report->coverage;
	struct strbuf line;
	strbuf_init(&line);
	for (size_t i = 0; coverage && i < coverage->table_count; i++) {
		strbuf_truncate(&line, 0);
		say_table(&line, &coverage->tables[i]);
		page_item(page, i ? SAY_NOTHING : SAY_HEAD_READ, line.data);
	}
	strbuf_truncate(&line, 0);
	struct strbuf hops;
	strbuf_init(&hops);
	if (coverage)
		say_list(&hops, &coverage->circuit_hops, LISTED);
	if (coverage && coverage->circuit_hops.count)
		say(&line, SAY_CIRCUIT_HOP, FILLS({"hop", hops.data}));
	else if (coverage && coverage->circuit_interface)
		say(&line, SAY_CIRCUIT_INTERFACE, FILLS({"interface", coverage->circuit_interface}));
	if (line.length)
		page_item(page, SAY_HEAD_CIRCUIT, line.data);
	strbuf_free(&hops);
	strbuf_free(&line);
}

/* ------------------------------------------------------------------ prefixes */

static void row(struct page *page, const char *left, size_t columns, const char *right)
{
	screen_add_blanks(page->out, INDENT);
	screen_add_cell(page->out, left, columns);
	screen_wrap(page->out, INDENT + columns, INDENT + columns, right);
}

/** The same with data on the right, which is made safe here. */
static void data_row(struct page *page, size_t columns, const char *data)
{
	struct strbuf safe;
	strbuf_init(&safe);
	screen_add(&safe, data, SAY_VALUE_COLUMNS);
	screen_wrap(page->out, columns, columns, safe.data);
	strbuf_free(&safe);
}

/** The route that carries it; of several the longest that is used. */
static void say_route(struct strbuf *out, const struct coverage_view *view)
{
	for (size_t i = 0; i < view->route_count; i++) {
		const struct coverage_route *route = &view->routes[i];
		struct strbuf communities;
		if (!route->best || route->way != ROUTE_WAY_CIRCUIT)
			continue;
		strbuf_add(out, ": ");
		say(out, SAY_COVER_BY,
		    FILLS({"route", route->prefix}, {"hop", route->next_hop ? route->next_hop : "-"},
			  {"path", route->as_path && *route->as_path ? route->as_path : "-"}));
		strbuf_init(&communities);
		say_list(&communities, &route->communities, LISTED);
		if (route->communities.count)
			say(out, SAY_COVER_COMMUNITIES, FILLS({"communities", communities.data}));
		strbuf_free(&communities);
		return;
	}
}

static void say_cover(struct strbuf *out, const struct coverage_table *decider, const struct coverage_prefix *prefix,
		      const struct coverage_view *view)
{
	struct strbuf list;
	strbuf_init(&list);
	say_list(&list, view->unused.count ? &view->unused : &view->missing, LISTED);
	if (!coverage_counts(decider, prefix))
		say(out, SAY_COVER_NO_IPV6, NULL);
	else if (view->circuit == COVER_WHOLE)
		say(out, SAY_COVER_WHOLE, NULL);
	else if (view->unused.count)
		say(out, SAY_COVER_UNUSED, FILLS({"unused", list.data}));
	else if (view->circuit == COVER_PART)
		say(out, SAY_COVER_PART, FILLS({"missing", list.data}));
	else
		say(out,
		    view->elsewhere.count ? SAY_COVER_NONE_ELSEWHERE
		    : view->default_only  ? SAY_COVER_NONE_DEFAULT
					  : SAY_COVER_NONE,
		    NULL);
	if (!prefix->required)
		say(out, SAY_COVER_RECOMMENDED, NULL);
	if (view->circuit != COVER_NONE)
		say_route(out, view);
	strbuf_free(&list);
}

/** A service of many prefixes that are all there is one line. */
static bool text_all_covered(struct page *page, const struct coverage_table *decider, const char *service)
{
	const struct coverage *coverage = page->report->coverage;
	const char *source = NULL;
	size_t count = 0;
	for (size_t i = 0; i < coverage->prefix_count; i++) {
		const struct coverage_prefix *prefix = &coverage->prefixes[i];
		const struct coverage_view *view = coverage_view_of(coverage, decider, prefix);
		if (strcmp(prefix->service, service) != 0 || !view)
			continue;
		if (view->circuit != COVER_WHOLE && coverage_counts(decider, prefix))
			return false;
		count += coverage_counts(decider, prefix);
		source = prefix->source;
	}
	if (count <= LISTED)
		return false;
	char number[NUMBER_BYTES];
	struct strbuf line;
	strbuf_init(&line);
	say(&line, SAY_COVER_ALL, FILLS({"count", number_text(count, number)}, {"source", source}));
	row(page, service_in_words(service), PREFIX_COLUMNS, line.data);
	strbuf_free(&line);
	return true;
}

/** Those that are missing, and some of those that are not; prefixes of IPv6 that are not judged stand in no row. */
static void text_service(struct page *page, const struct coverage_table *decider, const char *service)
{
	const struct coverage *coverage = page->report->coverage;
	size_t covered = 0;
	struct strbuf line;
	if (text_all_covered(page, decider, service))
		return;
	strbuf_init(&line);
	for (size_t i = 0; i < coverage->prefix_count; i++) {
		const struct coverage_prefix *prefix = &coverage->prefixes[i];
		const struct coverage_view *view = coverage_view_of(coverage, decider, prefix);
		if (strcmp(prefix->service, service) != 0 || !view || !coverage_counts(decider, prefix))
			continue;
		if (view->circuit == COVER_WHOLE && covered++ >= LISTED)
			continue;
		strbuf_truncate(&line, 0);
		say_cover(&line, decider, prefix, view);
		row(page, prefix->prefix, PREFIX_COLUMNS, line.data);
	}
	strbuf_free(&line);
}

static void text_prefixes(struct page *page)
{
	const struct coverage_table *decider = coverage_decider(page->report->coverage);
	struct strbuf heading;
	if (!decider || !page->report->coverage->prefix_count)
		return;
	strbuf_init(&heading);
	say(&heading, SAY_PREFIXES, FILLS({"source", decider->source}));
	strbuf_add_char(page->out, '\n');
	page_paint(page, PAINT_STRONG, heading.data);
	strbuf_add_char(page->out, '\n');
	strbuf_free(&heading);
	for (size_t i = 0; i < SERVICES; i++)
		text_service(page, decider, services[i]);
}

/* ------------------------------------------------------------------ communities */

static enum say say_state(enum community_state state)
{
	switch (state) {
	case COMMUNITY_UNKNOWN:
		return SAY_COMMUNITY_UNKNOWN;
	case COMMUNITY_ABSENT:
		return SAY_COMMUNITY_ABSENT;
	case COMMUNITY_PART:
		return SAY_COMMUNITY_PART;
	case COMMUNITY_PRESENT:
		return SAY_COMMUNITY_PRESENT;
	}
	return SAY_NOTHING;
}

static void text_communities(struct page *page)
{
	const struct coverage *coverage = page->report->coverage;
	if (!coverage->community_count)
		return;
	page_heading(page, SAY_COMMUNITIES);
	for (size_t i = 0; i < coverage->community_count; i++) {
		const struct coverage_community *one = &coverage->communities[i];
		screen_add_blanks(page->out, INDENT);
		screen_add_cell(page->out, one->value, VALUE_COLUMNS);
		screen_add_cell(page->out, say_text(say_state(one->state)), STATE_COLUMNS);
		data_row(page, INDENT + VALUE_COLUMNS + STATE_COLUMNS, one->name);
	}
}

/* ------------------------------------------------------------------ ways */

static void say_way(struct strbuf *out, const struct report *report, const struct coverage_host *host,
		    const char *address)
{
	static const enum say words[] = {[TOOK_UNKNOWN] = SAY_WAY_TAKEN_UNKNOWN,
					 [TOOK_CIRCUIT] = SAY_WAY_TAKEN_CIRCUIT,
					 [TOOK_OTHER] = SAY_WAY_TAKEN_OTHER};
	struct coverage_walk walk;
	bool walked = coverage_walk_make(report, host, address, &walk);
	say(out, words[walked ? walk.took : TOOK_UNKNOWN], NULL);
	if (walked)
		say(out, walk.answered ? SAY_WAY_ANSWERED : SAY_WAY_SILENT, NULL);
}

static void text_host(struct page *page, const struct coverage_host *host)
{
	struct strbuf line;
	strbuf_init(&line);
	screen_add_blanks(page->out, INDENT);
	data_row(page, INDENT, host->host);
	for (size_t i = 0; i < host->addresses.count; i++) {
		strbuf_truncate(&line, 0);
		say_way(&line, page->report, host, host->addresses.items[i]);
		screen_add_blanks(page->out, INDENT);
		row(page, host->addresses.items[i], ADDRESS_COLUMNS, line.data);
	}
	if (!host->addresses.count) {
		screen_add_blanks(page->out, INDENT);
		row(page, "", 0, say_text(SAY_WAY_NO_ADDRESS));
	}
	strbuf_free(&line);
}

static void text_hosts(struct page *page, bool by_circuit)
{
	const struct coverage *coverage = page->report->coverage;
	bool headed = false;
	for (size_t i = 0; i < coverage->host_count; i++) {
		const struct coverage_host *host = &coverage->hosts[i];
		if (host->by_circuit != by_circuit)
			continue;
		if (!headed)
			page_heading(page, by_circuit ? SAY_WAYS_TAKEN : SAY_WAYS_INTERNET);
		headed = true;
		text_host(page, host);
		if (host->why) {
			screen_add_blanks(page->out, 2 * INDENT);
			data_row(page, 2 * INDENT, host->why);
		}
	}
}

/* ------------------------------------------------------------------ what else is to be known */

static void bullet(struct page *page, enum say id, const struct fill *fills)
{
	struct strbuf line;
	strbuf_init(&line);
	say(&line, id, fills);
	page_bullet(page, line.data);
	strbuf_free(&line);
}

static void text_asymmetry(struct page *page)
{
	enum { PREFIXES_PER_SESSION = 200 };
	const struct coverage *coverage = page->report->coverage;
	char number[NUMBER_BYTES];
	struct strbuf own, both;
	bool many = coverage->own_count > PREFIXES_PER_SESSION;
	if (!coverage->own_prefixes.count && !coverage->both_ways.count && !many)
		return;
	strbuf_init(&own);
	strbuf_init(&both);
	say_list(&own, &coverage->own_prefixes, LISTED);
	say_list(&both, &coverage->both_ways, LISTED);
	page_heading(page, SAY_NOTES);
	if (coverage->both_ways.count)
		bullet(page, SAY_BOTH_WAYS, FILLS({"prefixes", both.data}));
	if (coverage->own_prefixes.count)
		bullet(page, SAY_OWN_PREFIXES, FILLS({"prefixes", own.data}));
	if (many)
		bullet(page, SAY_OWN_MANY, FILLS({"count", number_text((size_t)coverage->own_count, number)}));
	strbuf_free(&own);
	strbuf_free(&both);
}

void text_coverage(struct page *page)
{
	if (!page->report->coverage)
		return;
	text_prefixes(page);
	text_communities(page);
	text_hosts(page, true);
	text_hosts(page, false);
	text_asymmetry(page);
}
