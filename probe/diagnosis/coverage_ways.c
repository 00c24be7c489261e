/* Findings about a circuit by the way that packets take: a circuit that is not used, answers that do not come back. */

#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/diagnosis/coverage_parts.h"
#include "probe/diagnosis/coverage_view.h"
#include "probe/diagnosis/coverage_words.h"
#include "probe/diagnosis/diagnosis.h"
#include "probe/diagnosis/remedy_system.h"

struct finding *coverage_finding(struct report *report, const char *cause, enum status status, double confidence)
{
	const struct cause *row = cause_find(cause);
	struct finding *finding = report_add_finding(report);
	finding->cause = cause;
	finding->status = status;
	finding->stage = row->stage;
	finding->owner = row->owner;
	finding->confidence = confidence;
	return finding;
}

void coverage_subject(struct finding *finding, enum subject_kind kind, const char *subject)
{
	finding->subject_kind = kind;
	finding->subject = subject;
}

struct prefix_set coverage_set(struct arena *arena, const struct text_list *list)
{
	struct prefix_set set = {0};
	struct prefix prefix;
	for (size_t i = 0; i < list->count; i++)
		if (prefix_parse(list->items[i], &prefix))
			prefix_set_add_prefix(arena, &set, &prefix);
	return set;
}

/* ------------------------------------------------------------------ the circuit is there, and not used */

/** The needed prefix that holds an address; NULL: none does. */
static const struct coverage_prefix *prefix_of(const struct coverage *coverage, const char *address)
{
	struct address parsed;
	struct prefix prefix;
	for (size_t i = 0; address_parse(address, &parsed) && i < coverage->prefix_count; i++)
		if (prefix_parse(coverage->prefixes[i].prefix, &prefix) && prefix_contains(&prefix, &parsed))
			return &coverage->prefixes[i];
	return NULL;
}

/** What packets showed. */
struct walks_seen {
	struct prefix_set unused; /* by the table; said there already */
	struct observation_list other,
		lost; /* proof of another way; the last hop heard of walks that end in silence behind the circuit */
	struct text_list other_hosts, lost_hosts;
	struct prefix_set other_prefixes, lost_prefixes;
	bool internet_answers; /* a host that needs the Internet's way answered */
	bool circuit_answers;  /* one that took the circuit did */
};

static void add_needed(struct report *report, struct prefix_set *prefixes, const char *address)
{
	const struct coverage_prefix *needed = prefix_of(report->coverage, address);
	struct prefix prefix;
	struct address parsed;
	if (needed && prefix_parse(needed->prefix, &prefix)) {
		prefix_set_add_prefix(report->arena, prefixes, &prefix);
	} else if (address_parse(address, &parsed)) {
		struct address_range one = range_of_address(&parsed);
		prefix_set_add(report->arena, prefixes, &one);
	}
}

static void add_proof(struct report *report, struct observation_list *list, const struct observation *proof)
{
	for (size_t i = 0; i < report->observations.count; i++)
		if (report->observations.items[i] == proof)
			observation_list_add(report->arena, list, report->observations.items[i]);
}

static void add_host(struct report *report, struct text_list *hosts, const struct coverage_host *host)
{
	if (!text_list_has(hosts, host->host))
		text_list_add(report->arena, hosts, host->host);
}

/** Is it to go over the circuit, as far as anybody told us? What a table lacks is no news here, and of Storage nobody knows the region. */
static bool is_expected(const struct report *report, const struct coverage_table *decider,
			const struct coverage_host *host, const char *address)
{
	const struct coverage_prefix *needed = prefix_of(report->coverage, address);
	const struct coverage_view *view = needed ? coverage_view_of(report->coverage, decider, needed) : NULL;
	struct address parsed;
	if (!host->by_circuit || !address_parse(address, &parsed))
		return false;
	if (!needed)
		return strcmp(host->service, "storage") != 0 &&
		       (!decider || coverage_service(report, host->service) == SERVICE_COVERED);
	if (!view)
		return true;
	struct prefix_set missing = coverage_set(report->arena, &view->missing);
	struct prefix_set unused = coverage_set(report->arena, &view->unused);
	return !prefix_set_contains(&missing, &parsed) || prefix_set_contains(&unused, &parsed);
}

static void note_other(struct report *report, struct walks_seen *seen, const struct coverage_host *host,
		       const char *address, const struct coverage_walk *walk)
{
	struct address parsed;
	add_proof(report, &seen->other, walk->proof);
	add_host(report, &seen->other_hosts, host);
	if (!address_parse(address, &parsed) || !prefix_set_contains(&seen->unused, &parsed))
		add_needed(report, &seen->other_prefixes, address);
}

static void look_at_host(struct report *report, const struct coverage_table *decider, const struct coverage_host *host,
			 struct walks_seen *seen)
{
	for (size_t i = 0; i < host->addresses.count; i++) {
		const char *address = host->addresses.items[i];
		struct coverage_walk walk;
		if (!coverage_walk_make(report, host, address, &walk))
			continue;
		seen->internet_answers |= walk.took == TOOK_OTHER && walk.answered;
		seen->circuit_answers |= walk.took == TOOK_CIRCUIT && walk.answered;
		if (walk.took == TOOK_OTHER && is_expected(report, decider, host, address))
			note_other(report, seen, host, address, &walk);
		if (host->by_circuit && walk.took == TOOK_CIRCUIT && walk.silent) {
			add_proof(report, &seen->lost, walk.last);
			add_host(report, &seen->lost_hosts, host);
			add_needed(report, &seen->lost_prefixes, address);
		}
	}
}

static void see_walks(struct report *report, const struct coverage_table *decider, struct walks_seen *seen)
{
	for (size_t i = 0; i < report->coverage->host_count; i++)
		look_at_host(report, decider, &report->coverage->hosts[i], seen);
}

static const char *hosts_in_words(struct arena *arena, const struct text_list *hosts)
{
	if (hosts->count == 1)
		return hosts->items[0];
	return arena_printf(arena, "%s and %zu more", hosts->items[0], hosts->count - 1);
}

static void find_not_used(struct report *report, const struct coverage_table *decider, const struct walks_seen *seen)
{
	struct arena *arena = report->arena;
	const struct coverage *coverage = report->coverage;
	const struct prefix_set *unused = &seen->unused;
	struct prefix_set all = prefix_set_union(arena, unused, &seen->other_prefixes);
	if (!all.count && !seen->other_hosts.count)
		return;
	bool by_hop = coverage->circuit_hops.count > 0;
	const char *expected = by_hop ? coverage->circuit_hops.items[0] : coverage->circuit_interface;
	struct finding *finding = coverage_finding(report, "ip_expressroute_not_used", STATUS_FAIL,
						   unused->count || decider ? COVERAGE_SURE : COVERAGE_LIKELY);
	struct strbuf out;
	coverage_subject(finding, SUBJECT_PREFIX, prefixes_in_words(arena, &all));
	finding->evidence = seen->other;
	strbuf_init(&out);
	strbuf_printf(&out, "The traffic to %s does not take the circuit", finding->subject);
	if (unused->count)
		strbuf_printf(&out,
			      ": %s has it over the circuit too, but another route is used, one with a longer prefix "
			      "or one that "
			      "the router prefers",
			      decider->source);
	if (seen->other_hosts.count)
		strbuf_printf(&out, "%s packets to %s go another way than %s%s", unused->count ? "; and" : ":",
			      hosts_in_words(arena, &seen->other_hosts), by_hop ? "by " : "by interface ",
			      expected ? expected : "the circuit");
	strbuf_add(&out, ".");
	finding->summary = arena_strdup(arena, out.data);
	strbuf_free(&out);
	remedy_add(arena, &finding->remedy,
		   arena_printf(arena,
				"Compare the routes to %s on each router between this server and the circuit: the "
				"circuit's must have "
				"the longest prefix and the highest local preference.",
				finding->subject),
		   NULL);
	remedy_add(arena, &finding->remedy,
		   "If the circuit is only the second choice on purpose, nothing is wrong here: then let the "
		   "Internet's way carry it.",
		   NULL);
}

/* ------------------------------------------------------------------ answers that do not come back */

static const struct coverage_table *circuit_table(const struct coverage *coverage)
{
	for (size_t i = 0; i < coverage->table_count; i++)
		if (coverage->tables[i].kind == TABLE_CIRCUIT && coverage->tables[i].public_routes)
			return &coverage->tables[i];
	return NULL;
}

/** By the circuit's table: does Microsoft know any way back over it? */
static const char *own_in_words(struct arena *arena, const struct coverage *coverage)
{
	const struct coverage_table *table = circuit_table(coverage);
	if (!table)
		return "";
	if (!coverage->own_prefixes.count)
		return arena_printf(arena,
				    " %s has no public prefix of yours: Microsoft knows no way back over the circuit.",
				    table->source);
	return arena_printf(arena,
			    " %s has your %s%s: if the same addresses, or a part of them, are announced to the "
			    "Internet too, answers "
			    "may come back there.",
			    table->source, coverage->own_prefixes.items[0],
			    coverage->own_prefixes.count > 1 ? " and others" : "");
}

static void return_remedy(struct report *report, struct finding *finding)
{
	struct arena *arena = report->arena;
	remedy_add(arena, &finding->remedy,
		   "Look at the addresses that this server's traffic has behind NAT when it enters the circuit: they "
		   "must be public, "
		   "yours, announced over the circuit, and not announced to the Internet at the same time (not as a "
		   "longer prefix "
		   "either).",
		   NULL);
	remedy_add(arena, &finding->remedy,
		   "Look in the log of the firewall at the Internet's edge for answers from the addresses below "
		   "without a request: they "
		   "come back there.",
		   NULL);
}

/* A filter behind the circuit would look the same; what else works, or what the tables lack, tells them apart. */
static void find_lost_return(struct report *report, const struct coverage_table *decider, const struct walks_seen *seen)
{
	struct arena *arena = report->arena;
	const struct coverage *coverage = report->coverage;
	bool unknown_to_microsoft = circuit_table(coverage) && !coverage->own_prefixes.count;
	if (seen->lost_hosts.count && !seen->circuit_answers && (seen->internet_answers || unknown_to_microsoft)) {
		struct finding *finding =
			coverage_finding(report, "ip_return_path_lost", STATUS_FAIL,
					 seen->internet_answers && circuit_table(coverage) ? 0.8 : COVERAGE_LIKELY);
		coverage_subject(finding, SUBJECT_PREFIX, prefixes_in_words(arena, &seen->lost_prefixes));
		finding->evidence = seen->lost;
		finding->summary = arena_printf(
			arena,
			"Packets to %s (%s) pass the circuit, and nothing comes back from beyond it, whatever is "
			"sent%s.%s",
			hosts_in_words(arena, &seen->lost_hosts), finding->subject,
			seen->internet_answers ? ", while hosts that are reached by the Internet answer" : "",
			own_in_words(arena, coverage));
		return_remedy(report, finding);
	} else if (unknown_to_microsoft && decider && decider->circuit_routes && !seen->circuit_answers) {
		struct finding *finding =
			coverage_finding(report, "ip_return_path_lost", STATUS_WARN, COVERAGE_SUSPECTED);
		coverage_subject(finding, SUBJECT_SETTING, "prefixes announced over the circuit");
		finding->summary = arena_printf(arena, "Answers may not come back over the circuit:%s",
						own_in_words(arena, coverage));
		return_remedy(report, finding);
	}
}

void coverage_find_ways(struct report *report, const struct coverage_table *decider, const struct prefix_set *unused)
{
	struct walks_seen seen = {.unused = *unused};
	see_walks(report, decider, &seen);
	find_not_used(report, decider, &seen);
	find_lost_return(report, decider, &seen);
}
