#include "probe/diagnosis/coverage_words.h"

#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/diagnosis/coverage_parts.h"
#include "probe/diagnosis/remedy_system.h"

enum { PREFIXES_SHOWN = 4 };

const char *service_in_words(const char *service)
{
	static const char *const words[][2] = {{"entra", "Microsoft Entra ID (sign-in)"},
					       {"backup", "Azure Backup"},
					       {"storage", "Azure Storage (where backups go)"}};
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(words[i][0], service) == 0)
			return words[i][1];
	return service;
}

const char *prefixes_in_words(struct arena *arena, const struct prefix_set *set)
{
	char text[PREFIX_TEXT_BYTES];
	struct strbuf out;
	struct prefix_list list = prefix_set_prefixes(arena, set);
	strbuf_init(&out);
	for (size_t i = 0; i < list.count && i < PREFIXES_SHOWN; i++)
		strbuf_printf(&out, "%s%s", i ? ", " : "", prefix_format(&list.items[i], text));
	if (list.count > PREFIXES_SHOWN)
		strbuf_printf(&out, " and %zu more", list.count - PREFIXES_SHOWN);
	const char *words = arena_strdup(arena, out.data);
	strbuf_free(&out);
	return words;
}

const char *communities_in_words(const struct report *report)
{
	struct strbuf out;
	const struct coverage *coverage = report->coverage;
	strbuf_init(&out);
	for (size_t i = 0; i < coverage->community_count; i++)
		strbuf_printf(&out, "%s%s (%s)", i ? ", " : "", coverage->communities[i].value,
			      coverage->communities[i].name);
	const char *words = arena_strdup(report->arena,
					 out.length ? out.data : "of the services that the agent needs in its region");
	strbuf_free(&out);
	return words;
}

/* ------------------------------------------------------------------ a prefix that is missing */

static const char *where_it_goes(const struct lack *lack)
{
	if (lack->elsewhere)
		return "it is sent by another route, to the Internet";
	if (!lack->table->has_default)
		return "there is no route to it at all";
	return lack->table->default_way == ROUTE_WAY_CIRCUIT ? "only the default route leads there"
							     : "it leaves by the default route, to the Internet";
}

/** What Microsoft sends back by the circuit, though the requests go another way. */
static void say_asymmetry(struct strbuf *out, const struct coverage *coverage)
{
	if (coverage->own_prefixes.count)
		strbuf_printf(
			out,
			"; yet the circuit's table has your own %s%s, so that answers from there come back over the "
			"circuit: a firewall that did not see the request drops them",
			coverage->own_prefixes.items[0], coverage->own_prefixes.count > 1 ? " and others" : "");
}

const char *lack_summary(const struct report *report, const struct lack *lack)
{
	struct strbuf out;
	struct arena *arena = report->arena;
	strbuf_init(&out);
	strbuf_printf(&out, "The circuit does not carry %s for this server, which %s needs: by %s %s",
		      prefixes_in_words(arena, &lack->prefixes), service_in_words(lack->service), lack->table->source,
		      where_it_goes(lack));
	if (lack->offered_by)
		strbuf_printf(
			&out,
			"; the circuit's own table (%s) has it, so it is lost between Microsoft's edge and that router",
			lack->offered_by->source);
	else if (lack->community && lack->community->state == COMMUNITY_ABSENT)
		strbuf_printf(&out, "; no route over the circuit has the community %s, which brings it",
			      lack->community->value);
	else if (lack->community && lack->selected)
		strbuf_printf(&out, "; other prefixes of the community %s, which brings it, are there",
			      lack->community->value);
	if (lack->elsewhere || (lack->table->has_default && lack->table->default_way != ROUTE_WAY_CIRCUIT))
		say_asymmetry(&out, report->coverage);
	if (report->coverage->own_count > COVERAGE_SESSION_PREFIXES)
		strbuf_printf(&out,
			      "; you announce %d prefixes over the circuit, and Microsoft closes a session of "
			      "Microsoft peering "
			      "beyond %d",
			      report->coverage->own_count, COVERAGE_SESSION_PREFIXES);
	strbuf_add(&out, ".");
	const char *words = arena_strdup(arena, out.data);
	strbuf_free(&out);
	return words;
}

void community_remedy(const struct report *report, const struct coverage_community *community, struct text_list *out)
{
	struct arena *arena = report->arena;
	bool known = community->state != COMMUNITY_UNKNOWN;
	remedy_add(
		arena, out,
		arena_printf(arena,
			     "Ask the owner of the circuit %s the BGP community %s (%s) %s the route filter of its "
			     "Microsoft "
			     "peering%s:",
			     known ? "to add" : "whether", community->value, community->name, known ? "to" : "is in",
			     known ? "" : ", and to add it if not"),
		arena_printf(arena,
			     "az network route-filter rule create --resource-group GROUP --filter-name FILTER --name "
			     "marsbackup --access Allow --communities %s",
			     community->value));
}

static void say_own_limit(const struct report *report, struct text_list *out)
{
	if (report->coverage->own_count > COVERAGE_SESSION_PREFIXES)
		remedy_add(report->arena, out,
			   "Announce fewer prefixes over Microsoft peering (summarise them): beyond 200 Microsoft "
			   "closes the session.",
			   NULL);
}

void lack_remedy(const struct report *report, const struct lack *lack, struct text_list *out)
{
	struct arena *arena = report->arena;
	const char *prefixes = prefixes_in_words(arena, &lack->prefixes);
	const struct coverage_community *community = lack->community;
	say_own_limit(report, out);
	if (lack->offered_by || lack->selected)
		remedy_add(
			arena, out,
			arena_printf(arena,
				     "Look on the router at what drops %s on its way in: a prefix list, a route map, "
				     "maximum-prefix.",
				     prefixes),
			NULL);
	if (!lack->offered_by && community && lack->selected)
		remedy_add(arena, out,
			   arena_printf(arena,
					"If the router never gets it, ask Microsoft (a support request on the circuit) "
					"why %s is "
					"not advertised with %s.",
					prefixes, community->value),
			   NULL);
	else if (!lack->offered_by && community)
		community_remedy(report, community, out);
	else if (!lack->offered_by)
		remedy_add(arena, out,
			   arena_printf(arena,
					"Ask the owner of the circuit to add the community of %s in this region to the "
					"route filter "
					"of its Microsoft peering (`az network route-filter rule "
					"list-service-communities` lists "
					"them).",
					service_in_words(lack->service)),
			   NULL);
	remedy_add(
		arena, out,
		arena_printf(
			arena,
			"Until then let %s out by the Internet or a proxy, and let the answers come back the same way.",
			prefixes),
		NULL);
}
