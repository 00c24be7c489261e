/* Findings about a circuit: private peering alone, prefixes that are missing, a circuit that is not used, answers that do not come back. */

#include <stdio.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/diagnosis/coverage_view.h"
#include "probe/diagnosis/coverage_words.h"
#include "probe/diagnosis/diagnosis.h"
#include "probe/diagnosis/parts.h"
#include "probe/diagnosis/remedy_system.h"

static const char *const services[] = {"entra", "backup", "storage"};
enum { SERVICES = sizeof(services) / sizeof(*services) };

/* proven by a table that a person gave us; a walk alone, and what Microsoft's table does not say, are less */
static const double SURE = 0.9, LIKELY = 0.7, SUSPECTED = 0.45;

static struct finding *open_finding(struct report *report, const char *cause, enum status status, double confidence)
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

static void take_subject(struct finding *finding, enum subject_kind kind, const char *subject)
{
	finding->subject_kind = kind;
	finding->subject = subject;
}

static struct prefix_set set_of_texts(struct arena *arena, const struct text_list *list)
{
	struct prefix_set set = {0};
	struct prefix prefix;
	for (size_t i = 0; i < list->count; i++)
		if (prefix_parse(list->items[i], &prefix))
			prefix_set_add_prefix(arena, &set, &prefix);
	return set;
}

/* ------------------------------------------------------------------ private peering alone */

static const struct coverage_table *private_table(const struct coverage *coverage)
{
	const struct coverage_table *found = NULL;
	for (size_t i = 0; i < coverage->table_count; i++) {
		const struct coverage_table *table = &coverage->tables[i];
		if (table->circuit_routes)
			return NULL;
		if (table->private_circuit && table->kind != TABLE_MACHINE)
			found = table;
	}
	return found;
}

static bool find_private_only(struct report *report)
{
	struct arena *arena = report->arena;
	const struct coverage_table *table = private_table(report->coverage);
	if (!table)
		return false;
	struct finding *finding = open_finding(report, "ip_private_peering_only", STATUS_FAIL, SURE);
	take_subject(finding, SUBJECT_SETTING, "Microsoft peering");
	finding->summary = arena_printf(
		arena,
		"Only private peering is there: all that %s has over the circuit are private networks (virtual "
		"networks), and "
		"none of the public prefixes of Microsoft Entra ID, Azure Backup and Azure Storage%s. The backup agent "
		"is not "
		"supported over private peering, unless the vault has private endpoints; sign-in is public even then.",
		table->source,
		!table->has_default ? ", to which there is no route at all" : ", which leave by the default route");
	remedy_add(arena, &finding->remedy,
		   "Ask the network team whether the circuit has Microsoft peering. If not, set it up, with a route "
		   "filter that has "
		   "the communities below:",
		   NULL);
	for (size_t i = 0; i < report->coverage->community_count; i++)
		remedy_add(arena, &finding->remedy,
			   arena_printf(arena, "%s: %s", report->coverage->communities[i].value,
					report->coverage->communities[i].name),
			   NULL);
	remedy_add(arena, &finding->remedy,
		   "Or let this server reach the public prefixes by the Internet or a proxy: then no Microsoft peering "
		   "is needed.",
		   NULL);
	return true;
}

/* ------------------------------------------------------------------ prefixes */

/** What the deciding table lacks of one service's prefixes that are required, or of those that are only recommended. */
struct gap {
	struct prefix_set missing; /* not over the circuit, used or not */
	struct prefix_set unused;  /* over the circuit, but another route is used */
	bool default_only, elsewhere;
};

static void add_view(struct arena *arena, struct gap *gap, const struct coverage_view *view)
{
	struct prefix_set missing = set_of_texts(arena, &view->missing), unused = set_of_texts(arena, &view->unused);
	missing = prefix_set_difference(arena, &missing, &unused);
	gap->elsewhere |= missing.count && view->elsewhere.count;
	gap->default_only |= missing.count && view->default_only;
	gap->missing = prefix_set_union(arena, &gap->missing, &missing);
	gap->unused = prefix_set_union(arena, &gap->unused, &unused);
}

static struct gap gap_of(const struct report *report, const struct coverage_table *decider, const char *service,
			 bool required)
{
	struct gap gap = {.default_only = false};
	const struct coverage *coverage = report->coverage;
	for (size_t i = 0; i < coverage->prefix_count; i++) {
		const struct coverage_prefix *prefix = &coverage->prefixes[i];
		const struct coverage_view *view = coverage_view_of(coverage, decider, prefix);
		if (view && prefix->required == required && strcmp(prefix->service, service) == 0 &&
		    coverage_counts(decider, prefix))
			add_view(report->arena, &gap, view);
	}
	return gap;
}

/** The circuit's own table, if it is not the one that decides and has all of these. */
static const struct coverage_table *offers(const struct report *report, const struct coverage_table *decider,
					   const struct prefix_set *wanted)
{
	const struct coverage *coverage = report->coverage;
	for (size_t i = 0; i < coverage->table_count; i++) {
		const struct coverage_table *table = &coverage->tables[i];
		struct prefix_set lacks = {0};
		if (table == decider || table->kind != TABLE_CIRCUIT)
			continue;
		for (size_t k = 0; k < coverage->prefix_count; k++) {
			const struct coverage_view *view = coverage_view_of(coverage, table, &coverage->prefixes[k]);
			struct prefix_set some = {0};
			if (view)
				some = set_of_texts(report->arena, &view->missing);
			lacks = prefix_set_union(report->arena, &lacks, &some);
		}
		if (!prefix_set_intersection(report->arena, &lacks, wanted).count)
			return table;
	}
	return NULL;
}

/** Does the route filter have the service's community? It brings all of the service's prefixes together. */
static bool is_selected(const struct report *report, const struct coverage_table *decider, const char *service)
{
	const struct coverage *coverage = report->coverage;
	const struct coverage_community *community = coverage_community_of(coverage, service);
	if (community && (community->state == COMMUNITY_PRESENT || community->state == COMMUNITY_PART))
		return true;
	for (size_t i = 0; i < coverage->prefix_count; i++) {
		const struct coverage_prefix *prefix = &coverage->prefixes[i];
		const struct coverage_view *view = coverage_view_of(coverage, decider, prefix);
		if (view && view->circuit == COVER_WHOLE && strcmp(prefix->service, service) == 0 && prefix->required)
			return !community || community->state == COMMUNITY_UNKNOWN;
	}
	return false;
}

static void find_missing(struct report *report, const struct coverage_table *decider, const char *service,
			 bool required, const struct gap *gap)
{
	struct lack lack = {.service = service,
			    .prefixes = gap->missing,
			    .default_only = gap->default_only,
			    .elsewhere = gap->elsewhere,
			    .table = decider,
			    .offered_by = offers(report, decider, &gap->missing),
			    .community = coverage_community_of(report->coverage, service),
			    .selected = is_selected(report, decider, service)};
	struct finding *finding =
		open_finding(report, "ip_expressroute_prefix_missing", required ? STATUS_FAIL : STATUS_WARN, SURE);
	take_subject(finding, SUBJECT_PREFIX, prefixes_in_words(report->arena, &gap->missing));
	finding->summary = lack_summary(report, &lack);
	if (required) {
		lack_remedy(report, &lack, &finding->remedy);
		return;
	}
	finding->summary =
		arena_printf(report->arena, "%s Microsoft lists it for sign-in beside the two documented prefixes.",
			     finding->summary);
	remedy_add(report->arena, &finding->remedy,
		   "Let these prefixes out by the Internet or a proxy as well, or ask the owner of the circuit for the "
		   "community that "
		   "carries them (12076:5100, other Microsoft 365 services, when it was last seen).",
		   NULL);
}

/** Backup or Storage, of which no prefixes are known: by the communities that the routes have. */
static void find_missing_community(struct report *report, const char *service)
{
	struct arena *arena = report->arena;
	const struct coverage *coverage = report->coverage;
	const struct coverage_community *own = coverage_community_of(coverage, service);
	const struct coverage_community *region = coverage_community_of(coverage, "region");
	if (!own || !region)
		return;
	struct finding *finding = open_finding(report, "ip_expressroute_prefix_missing", STATUS_FAIL, SURE);
	take_subject(finding, SUBJECT_SETTING, own->value);
	finding->summary = arena_printf(arena,
					"The circuit does not carry %s for this server: no route over it has the "
					"community %s (%s), nor %s (%s), which "
					"would bring its prefixes.",
					service_in_words(service), own->value, own->name, region->value, region->name);
	community_remedy(report, own, &finding->remedy);
	remedy_add(arena, &finding->remedy,
		   arena_printf(arena, "Until then let the prefixes of %s out by the Internet or a proxy.",
				service_in_words(service)),
		   NULL);
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
	struct observation_list other,
		lost; /* proof of another way; the last hop heard of walks that end in silence behind the circuit */
	struct text_list other_hosts, lost_hosts;
	struct prefix_set other_prefixes, lost_prefixes;
	bool internet_answers; /* a host that needs the Internet's way answered */
	bool circuit_answers;  /* one that took the circuit did */
};

static void note(struct report *report, struct observation_list *proofs, const struct observation *proof,
		 struct text_list *hosts, const struct coverage_host *host, struct prefix_set *prefixes,
		 const char *address)
{
	const struct coverage_prefix *needed = prefix_of(report->coverage, address);
	struct prefix prefix;
	struct address parsed;
	for (size_t i = 0; i < report->observations.count; i++)
		if (report->observations.items[i] == proof)
			observation_list_add(report->arena, proofs, report->observations.items[i]);
	if (!text_list_has(hosts, host->host))
		text_list_add(report->arena, hosts, host->host);
	if (needed && prefix_parse(needed->prefix, &prefix)) {
		prefix_set_add_prefix(report->arena, prefixes, &prefix);
	} else if (address_parse(address, &parsed)) {
		struct address_range one = range_of_address(&parsed);
		prefix_set_add(report->arena, prefixes, &one);
	}
}

/** Is the address known not to be carried, so that another way is no news? */
static bool is_known_missing(const struct report *report, const struct coverage_table *decider, const char *address)
{
	const struct coverage_prefix *needed = prefix_of(report->coverage, address);
	const struct coverage_view *view = needed ? coverage_view_of(report->coverage, decider, needed) : NULL;
	struct address parsed;
	if (!view || !address_parse(address, &parsed))
		return false;
	struct prefix_set missing = set_of_texts(report->arena, &view->missing);
	struct prefix_set unused = set_of_texts(report->arena, &view->unused);
	return prefix_set_contains(&missing, &parsed) && !prefix_set_contains(&unused, &parsed);
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
		if (host->by_circuit && walk.took == TOOK_OTHER && !is_known_missing(report, decider, address))
			note(report, &seen->other, walk.proof, &seen->other_hosts, host, &seen->other_prefixes,
			     address);
		if (host->by_circuit && walk.took == TOOK_CIRCUIT && walk.silent)
			note(report, &seen->lost, walk.last, &seen->lost_hosts, host, &seen->lost_prefixes, address);
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

static void find_not_used(struct report *report, const struct coverage_table *decider, const struct prefix_set *unused,
			  const struct walks_seen *seen)
{
	struct arena *arena = report->arena;
	const struct coverage *coverage = report->coverage;
	struct prefix_set all = prefix_set_union(arena, unused, &seen->other_prefixes);
	if (!all.count)
		return;
	const char *expected = coverage->circuit_hop ? coverage->circuit_hop : coverage->circuit_interface;
	struct finding *finding =
		open_finding(report, "ip_expressroute_not_used", STATUS_FAIL, unused->count || decider ? SURE : LIKELY);
	struct strbuf out;
	take_subject(finding, SUBJECT_PREFIX, prefixes_in_words(arena, &all));
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
			      hosts_in_words(arena, &seen->other_hosts),
			      coverage->circuit_hop ? "by " : "by interface ", expected ? expected : "the circuit");
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
			open_finding(report, "ip_return_path_lost", STATUS_FAIL,
				     seen->internet_answers && circuit_table(coverage) ? 0.8 : LIKELY);
		take_subject(finding, SUBJECT_PREFIX, prefixes_in_words(arena, &seen->lost_prefixes));
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
		struct finding *finding = open_finding(report, "ip_return_path_lost", STATUS_WARN, SUSPECTED);
		take_subject(finding, SUBJECT_SETTING, "prefixes announced over the circuit");
		finding->summary = arena_printf(arena, "Answers may not come back over the circuit:%s",
						own_in_words(arena, coverage));
		return_remedy(report, finding);
	}
}

/* ------------------------------------------------------------------ the whole */

static void find_gaps(struct report *report, const struct coverage_table *decider, struct prefix_set *unused)
{
	for (size_t i = 0; i < SERVICES; i++) {
		struct gap gap = gap_of(report, decider, services[i], true);
		*unused = prefix_set_union(report->arena, unused, &gap.unused);
		if (gap.missing.count)
			find_missing(report, decider, services[i], true, &gap);
		else if (!gap.unused.count && decider && coverage_service(report, services[i]) == SERVICE_MISSING &&
			 strcmp(services[i], "entra") != 0)
			find_missing_community(report, services[i]);
	}
}

static void find_recommended(struct report *report, const struct coverage_table *decider)
{
	for (size_t i = 0; i < SERVICES; i++) {
		struct gap gap = gap_of(report, decider, services[i], false);
		if (gap.missing.count)
			find_missing(report, decider, services[i], false, &gap);
	}
}

/* What blocks before what warns; each with its number. */
static void sort(struct report *report)
{
	size_t next = 0;
	struct finding **sorted = arena_alloc(report->arena, (report->finding_count + 1) * sizeof(struct finding *));
	for (int fails = 1; fails >= 0; fails--)
		for (size_t i = 0; i < report->finding_count; i++)
			if ((report->findings[i]->status == STATUS_FAIL) == (fails == 1))
				sorted[next++] = report->findings[i];
	for (size_t i = 0; i < next; i++)
		sorted[i]->id = arena_printf(report->arena, "f%zu", i + 1);
	report->findings = sorted;
	report->finding_capacity = report->finding_count;
}

void coverage_findings(struct report *report)
{
	const struct coverage_table *decider = coverage_decider(report->coverage);
	struct walks_seen seen = {.internet_answers = false};
	struct prefix_set unused = {0};
	see_walks(report, decider, &seen);
	if (!find_private_only(report)) {
		find_gaps(report, decider, &unused);
		find_not_used(report, decider, &unused, &seen);
		find_lost_return(report, decider, &seen);
		find_recommended(report, decider);
	}
	sort(report);
}

void coverage_readiness(struct report *report)
{
	struct readiness *readiness = &report->readiness;
	bool known = true;
	*readiness = (struct readiness){.ready = false};
	for (size_t i = 0; i < report->finding_count; i++)
		if (report->findings[i]->status == STATUS_FAIL)
			text_list_add(report->arena, &readiness->blocking, report->findings[i]->id);
	for (size_t i = 0; i < SERVICES; i++)
		known &= coverage_service(report, services[i]) == SERVICE_COVERED;
	readiness->ready = known && !readiness->blocking.count;
}
