/* Findings about a circuit by its tables: private peering alone, prefixes that are missing. */

#include <stdio.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/diagnosis/coverage_parts.h"
#include "probe/diagnosis/coverage_view.h"
#include "probe/diagnosis/coverage_words.h"
#include "probe/diagnosis/diagnosis.h"
#include "probe/diagnosis/parts.h"
#include "probe/diagnosis/remedy_system.h"

static const char *const services[] = {"entra", "backup", "storage"};
enum { SERVICES = sizeof(services) / sizeof(*services) };

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
	struct finding *finding = coverage_finding(report, "ip_private_peering_only", STATUS_FAIL, COVERAGE_SURE);
	coverage_subject(finding, SUBJECT_SETTING, "Microsoft peering");
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
		   arena_printf(arena,
				"Ask the network team whether the circuit has Microsoft peering. If not, set it up, "
				"with a route "
				"filter that has the communities %s.",
				communities_in_words(report)),
		   NULL);
	remedy_add(arena, &finding->remedy,
		   "Or let this server reach the public prefixes by the Internet or a proxy: then no Microsoft peering "
		   "is needed.",
		   NULL);
	return true;
}

/* ------------------------------------------------------------------ nothing at all */

static void nothing_remedy(struct report *report, struct finding *finding)
{
	struct arena *arena = report->arena;
	if (report->coverage->own_count > COVERAGE_SESSION_PREFIXES)
		remedy_add(arena, &finding->remedy,
			   "Announce fewer prefixes over Microsoft peering (summarise them): beyond 200 Microsoft "
			   "closes the session.",
			   NULL);
	remedy_add(arena, &finding->remedy,
		   "Look whether the BGP session of Microsoft peering stands on your router:", "show ip bgp summary");
	remedy_add(arena, &finding->remedy,
		   arena_printf(arena,
				"Ask the owner of the circuit whether Microsoft peering is set up, and a route filter "
				"is attached "
				"to it: without one Microsoft announces nothing. It needs the communities %s.",
				communities_in_words(report)),
		   NULL);
}

/** The circuit's own table, if it is another one and has public prefixes. */
static const struct coverage_table *offering_table(const struct coverage *coverage,
						   const struct coverage_table *decider)
{
	for (size_t i = 0; i < coverage->table_count; i++)
		if (&coverage->tables[i] != decider && coverage->tables[i].kind == TABLE_CIRCUIT &&
		    coverage->tables[i].circuit_routes)
			return &coverage->tables[i];
	return NULL;
}

static const char *nothing_summary(const struct report *report, const struct coverage_table *decider)
{
	struct strbuf out;
	const struct coverage *coverage = report->coverage;
	const struct coverage_table *offering = offering_table(coverage, decider);
	strbuf_init(&out);
	strbuf_printf(&out, "Not one public prefix goes over the circuit by %s%s", decider->source,
		      decider->has_default && decider->default_way != ROUTE_WAY_CIRCUIT
			      ? ", all leave by the default route, to the Internet"
			      : "");
	if (offering)
		strbuf_printf(&out,
			      "; the circuit's own table (%s) has %d: it is another router's circuit, or that router's "
			      "session is down, "
			      "or its filter drops all",
			      offering->source, offering->circuit_routes);
	else
		strbuf_add(&out,
			   ": the BGP session of Microsoft peering is down, or no route filter is attached to it");
	if (coverage->own_count > COVERAGE_SESSION_PREFIXES)
		strbuf_printf(&out,
			      ". You announce %d prefixes over it, and Microsoft closes a session of Microsoft peering "
			      "beyond %d",
			      coverage->own_count, COVERAGE_SESSION_PREFIXES);
	strbuf_add(&out, ".");
	const char *words = arena_strdup(report->arena, out.data);
	strbuf_free(&out);
	return words;
}

/** Not one public prefix comes: that is one fault, and none of single prefixes. */
static bool find_nothing(struct report *report, const struct coverage_table *decider)
{
	if (!decider || decider->circuit_routes)
		return false;
	struct finding *finding =
		coverage_finding(report, "ip_expressroute_prefix_missing", STATUS_FAIL, COVERAGE_SURE);
	coverage_subject(finding, SUBJECT_SETTING, "Microsoft peering");
	finding->summary = nothing_summary(report, decider);
	nothing_remedy(report, finding);
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
	struct prefix_set missing = coverage_set(arena, &view->missing), unused = coverage_set(arena, &view->unused);
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
				some = coverage_set(report->arena, &view->missing);
			lacks = prefix_set_union(report->arena, &lacks, &some);
		}
		if (!prefix_set_intersection(report->arena, &lacks, wanted).count)
			return table;
	}
	return NULL;
}

/**
 * Does the route filter have the service's community? A route that carries it says so. Of Entra, whose community is known to hold both
 * documented prefixes, one of them that comes whole does too.
 */
static bool is_selected(const struct report *report, const struct coverage_table *decider, const char *service)
{
	const struct coverage *coverage = report->coverage;
	const struct coverage_community *community = coverage_community_of(coverage, service);
	if (community && community->state != COMMUNITY_UNKNOWN)
		return community->state != COMMUNITY_ABSENT;
	for (size_t i = 0; strcmp(service, "entra") == 0 && i < coverage->prefix_count; i++) {
		const struct coverage_prefix *prefix = &coverage->prefixes[i];
		const struct coverage_view *view = coverage_view_of(coverage, decider, prefix);
		if (view && view->circuit == COVER_WHOLE && strcmp(prefix->service, service) == 0 && prefix->required)
			return true;
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
	struct finding *finding = coverage_finding(report, "ip_expressroute_prefix_missing",
						   required ? STATUS_FAIL : STATUS_WARN, COVERAGE_SURE);
	coverage_subject(finding, SUBJECT_PREFIX, prefixes_in_words(report->arena, &gap->missing));
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

/** A service of which no prefixes are known: by the communities that the routes have. */
static void find_missing_community(struct report *report, const char *service)
{
	struct arena *arena = report->arena;
	const struct coverage *coverage = report->coverage;
	const struct coverage_community *own = coverage_community_of(coverage, service);
	const struct coverage_community *region =
		strcmp(service, "entra") != 0 ? coverage_community_of(coverage, "region") : NULL;
	own = own ? own : region; /* where only the region's is documented */
	if (!own || own->state != COMMUNITY_ABSENT || coverage_service(report, service) != SERVICE_MISSING)
		return;
	struct finding *finding =
		coverage_finding(report, "ip_expressroute_prefix_missing", STATUS_FAIL, COVERAGE_SURE);
	coverage_subject(finding, SUBJECT_SETTING, own->value);
	finding->summary = arena_printf(
		arena,
		"The circuit does not carry %s for this server: no route over it has the community %s (%s)%s, which "
		"would bring its prefixes.",
		service_in_words(service), own->value, own->name,
		region && region != own ? arena_printf(arena, ", nor %s (%s)", region->value, region->name) : "");
	community_remedy(report, own, &finding->remedy);
	remedy_add(arena, &finding->remedy,
		   arena_printf(arena, "Until then let the prefixes of %s out by the Internet or a proxy.",
				service_in_words(service)),
		   NULL);
}

/* ------------------------------------------------------------------ the whole */

static void find_gaps(struct report *report, const struct coverage_table *decider, struct prefix_set *unused)
{
	for (size_t i = 0; i < SERVICES; i++) {
		struct gap gap = gap_of(report, decider, services[i], true);
		*unused = prefix_set_union(report->arena, unused, &gap.unused);
		if (gap.missing.count)
			find_missing(report, decider, services[i], true, &gap);
		else if (!gap.unused.count && decider)
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

/** A circuit has two lines, and often a router at each: what one lacks is missing when the other fails. */
static void find_other_line(struct report *report, const struct coverage_table *decider,
			    const struct coverage_table *other)
{
	struct arena *arena = report->arena;
	struct prefix_set lacks = {0};
	for (size_t i = 0; i < SERVICES; i++) {
		struct gap here = gap_of(report, decider, services[i], true);
		struct gap there = gap_of(report, other, services[i], true);
		struct prefix_set more = prefix_set_difference(arena, &there.missing, &here.missing);
		lacks = prefix_set_union(arena, &lacks, &more);
	}
	if (!lacks.count)
		return;
	struct finding *finding =
		coverage_finding(report, "ip_expressroute_prefix_missing", STATUS_WARN, COVERAGE_SURE);
	coverage_subject(finding, SUBJECT_PREFIX, prefixes_in_words(arena, &lacks));
	finding->summary = arena_printf(
		arena, "%s lacks %s over the circuit, which %s has: when that one's line fails, they are not carried.",
		other->source, finding->subject, decider->source);
	remedy_add(arena, &finding->remedy,
		   arena_printf(
			   arena,
			   "Compare sessions and inbound filters of the routers of %s and %s: both lines of a circuit "
			   "should bring the same.",
			   decider->source, other->source),
		   NULL);
}

static void find_other_lines(struct report *report, const struct coverage_table *decider)
{
	const struct coverage *coverage = report->coverage;
	for (size_t i = 0; decider && i < coverage->table_count; i++)
		if (&coverage->tables[i] != decider && coverage->tables[i].kind == decider->kind &&
		    coverage->tables[i].tells_way)
			find_other_line(report, decider, &coverage->tables[i]);
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
	struct prefix_set unused = {0};
	if (!find_private_only(report) && !find_nothing(report, decider)) {
		find_gaps(report, decider, &unused);
		coverage_find_ways(report, decider, &unused);
		find_other_lines(report, decider);
		find_recommended(report, decider);
	}
	sort(report);
}

void coverage_readiness(struct report *report)
{
	struct readiness *readiness = &report->readiness;
	bool known = !coverage_silent_host(report);
	*readiness = (struct readiness){.ready = false};
	for (size_t i = 0; i < report->finding_count; i++)
		if (report->findings[i]->status == STATUS_FAIL)
			text_list_add(report->arena, &readiness->blocking, report->findings[i]->id);
	for (size_t i = 0; i < SERVICES; i++)
		known &= coverage_service(report, services[i]) == SERVICE_COVERED;
	readiness->ready = known && !readiness->blocking.count;
}
