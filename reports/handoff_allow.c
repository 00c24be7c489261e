#include "reports/handoff_allow.h"

#include <ctype.h>
#include <string.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "targets/service_tags.h"

enum { NAME_MAX_BYTES = 253, SOURCES_MAX = 16 };

static const char *const documented[] = {"20.190.128.0/18", "40.126.0.0/18"};
const char allow_more_prefixes[] = "20.20.32.0/19, 20.231.128.0/19, 48.213.128.0/20";

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool has_text(const struct text_list *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], text) == 0)
			return true;
	return false;
}

static void add_once(struct arena *arena, struct text_list *list, const char *text)
{
	if (list->count < ALLOW_SEEN_MAX && !has_text(list, text))
		text_list_add(arena, list, text);
}

static void add_address(struct arena *arena, struct text_list *list, const char *text)
{
	struct address address;
	char canonical[ADDRESS_TEXT_BYTES];
	if (text && address_parse(text, &address))
		add_once(arena, list, arena_strdup(arena, address_format(&address, canonical)));
}

static bool add_prefix(struct arena *arena, struct text_list *list, const char *text)
{
	struct prefix prefix;
	char canonical[PREFIX_TEXT_BYTES];
	if (!text || !prefix_parse(text, &prefix))
		return false;
	add_once(arena, list, arena_strdup(arena, prefix_format(&prefix, canonical)));
	return true;
}

/* A host's name or a wildcard for hosts: letters, digits, '-', '_', '.', and '*' in front. */
static bool is_name(const char *text)
{
	size_t length = text ? strlen(text) : 0;
	if (!length || length > NAME_MAX_BYTES || !(isalnum((unsigned char)text[0]) || strncmp(text, "*.", 2) == 0))
		return false;
	for (size_t i = text[0] == '*'; i < length; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr("-_.", text[i]))
			return false;
	return true;
}

/* ------------------------------------------------------------------ which kind */

static const struct target *target_of(const struct finding *finding, const struct flow *flow)
{
	for (size_t i = 0; flow->fqdn && i < finding->paths.count; i++) {
		const struct target *target = finding->paths.items[i]->target;
		if (same_text(target->host, flow->fqdn) && target->port == flow->tuple.dst_port)
			return target;
	}
	return NULL;
}

/* Of an address range, which has no name. */
static const struct target *range_of(const struct finding *finding, const struct flow *flow)
{
	struct address address;
	struct prefix prefix;
	if (!flow->tuple.dst || !address_parse(flow->tuple.dst, &address))
		return NULL;
	for (size_t i = 0; i < finding->paths.count; i++) {
		const struct target *target = finding->paths.items[i]->target;
		if (target->cidr && prefix_parse(target->cidr, &prefix) && prefix_contains(&prefix, &address))
			return target;
	}
	return NULL;
}

static bool is_question(const struct report *report, const struct flow *flow)
{
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		if (one->op == OP_DNS_QUERY && same_text(one->dns.tuple.dst, flow->tuple.dst) &&
		    one->dns.tuple.dst_port == flow->tuple.dst_port)
			return true;
	}
	return false;
}

static enum allow_kind kind_of(struct arena *arena, const struct report *report, const struct finding *finding,
			       const struct flow *flow)
{
	if (flow->tuple.dst && is_question(report, flow))
		return ALLOW_RESOLVER;
	if (target_of(finding, flow) || range_of(finding, flow))
		return ALLOW_SERVICE;
	for (size_t i = 0; i < finding->paths.count; i++) {
		struct via via;
		const char *text = finding->paths.items[i]->route.via;
		if (text && via_parse(arena, text, &via) && same_text(via.host, flow->fqdn))
			return ALLOW_PROXY;
	}
	return ALLOW_SERVICE;
}

/* ------------------------------------------------------------------ filling */

static bool is_tag(const char *text)
{
	size_t length = text ? strlen(text) : 0;
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr(".-_", text[i]))
			return false;
	return length > 0 && length <= NAME_MAX_BYTES;
}

/* Is it the list of one of the target's tags, or of a region's part of it? */
static bool is_list_of(const struct target *target, const char *tag)
{
	for (size_t i = 0; i < target->tags.count; i++) {
		size_t length = strlen(target->tags.items[i]);
		if (strncmp(tag, target->tags.items[i], length) == 0 && (!tag[length] || tag[length] == '.'))
			return true;
	}
	return false;
}

static void add_list(struct arena *arena, struct allow *allow, const struct tag_list *list)
{
	for (size_t i = 0; i < allow->list_count; i++)
		if (strcmp(allow->lists[i].tag, list->tag) == 0)
			return;
	if (allow->list_count == ALLOW_LISTS_MAX)
		return;
	struct allow_list *added = &allow->lists[allow->list_count++];
	added->tag = list->tag;
	for (size_t i = 0; i < list->prefixes.count; i++) {
		struct prefix prefix;
		char canonical[PREFIX_TEXT_BYTES];
		if (prefix_parse(list->prefixes.items[i], &prefix))
			text_list_add(arena, &added->prefixes, arena_strdup(arena, prefix_format(&prefix, canonical)));
	}
}

/* Does the run's file of service tags have prefixes for the target? They are this week's. */
static bool add_lists(struct arena *arena, const struct report *report, struct allow *allow,
		      const struct target *target)
{
	const struct tags_input *tags = report->run.tags;
	bool found = false;
	for (size_t i = 0; tags && i < tags->list_count; i++) {
		const struct tag_list *list = &tags->lists[i];
		if (!is_tag(list->tag) || !list->prefixes.count || !is_list_of(target, list->tag))
			continue;
		found = true;
		add_list(arena, allow, list);
	}
	return found;
}

static void add_target(struct arena *arena, const struct report *report, struct allow *allow,
		       const struct target *target)
{
	const char *rule = is_name(target->rule) ? target->rule : target->host;
	const struct service *service = service_of_host(target->host);
	if (target->cidr)
		add_prefix(arena, &allow->prefixes, target->cidr);
	if (!target->host || !is_name(rule))
		return;
	allow->https |= target->url && strncmp(target->url, "https:", strlen("https:")) == 0;
	add_once(arena, &allow->rules, rule);
	bool listed = add_lists(arena, report, allow, target);
	if (!service) {
		add_once(arena, &allow->tagless, rule);
		return;
	}
	add_once(arena, &allow->tags, service->tag);
	for (size_t i = 0; service->sign_in && !listed && i < sizeof(documented) / sizeof(documented[0]); i++)
		add_prefix(arena, &allow->prefixes, documented[i]);
}

/* What this server's DNS said of a name: where a proxy's own connection probably goes. */
static void add_resolved(struct arena *arena, const struct report *report, struct allow *allow, const char *host)
{
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		if (one->op == OP_SYSTEM_LOOKUP && same_text(one->lookup.name, host))
			for (size_t k = 0; k < one->lookup.addresses.count; k++)
				add_address(arena, &allow->seen, one->lookup.addresses.items[k]);
		if (one->op == OP_DNS_QUERY && same_text(one->dns.name, host))
			for (size_t k = 0; k < one->dns.answer_count; k++)
				add_address(arena, &allow->seen, one->dns.answers[k].data);
	}
}

static struct allow *find(struct allow *allows, size_t *count, const struct allow *wanted)
{
	for (size_t i = 0; i < *count; i++)
		if (allows[i].kind == wanted->kind && allows[i].port == wanted->port &&
		    allows[i].by_proxy == wanted->by_proxy && same_text(allows[i].proto, wanted->proto))
			return &allows[i];
	if (*count == ALLOWS_MAX)
		return NULL;
	allows[*count] = *wanted;
	return &allows[(*count)++];
}

static void add_flow(struct arena *arena, const struct report *report, const struct finding *finding,
		     const struct flow *flow, struct allow *allow)
{
	const struct target *target = target_of(finding, flow);
	if (!target)
		target = range_of(finding, flow);
	if (allow->kind == ALLOW_SERVICE && target)
		add_target(arena, report, allow, target);
	else if (allow->kind == ALLOW_PROXY && is_name(flow->fqdn))
		add_once(arena, &allow->rules, flow->fqdn);
	add_address(arena, &allow->seen, flow->tuple.dst);
	if (!target || !service_of_host(target->host))
		add_address(arena, &allow->seen_tagless, flow->tuple.dst);
	if (allow->by_proxy)
		add_resolved(arena, report, allow, flow->fqdn);
	else if (allow->sources.count < SOURCES_MAX)
		add_address(arena, &allow->sources, flow->tuple.src);
}

/* A flow that got no socket has no source: then it would have been one of this server's addresses. */
static void add_own_addresses(struct arena *arena, const struct report *report, struct allow *allow)
{
	struct address address;
	for (size_t i = 0; i < report->host.addresses.count && allow->sources.count < SOURCES_MAX; i++)
		if (address_parse(report->host.addresses.items[i], &address) && !address_is_link_local(&address))
			add_address(arena, &allow->sources, report->host.addresses.items[i]);
}

size_t allow_collect(struct arena *arena, const struct report *report, const struct finding *finding,
		     struct allow allows[ALLOWS_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i < finding->flow_count; i++) {
		const struct flow *flow = &finding->flows[i];
		bool udp = same_text(flow->tuple.proto, "udp");
		if (flow->tuple.dst_port <= 0 || flow->tuple.dst_port > UINT16_MAX)
			continue;
		struct allow wanted = {.kind = kind_of(arena, report, finding, flow),
				       .proto = udp ? "udp" : "tcp",
				       .port = flow->tuple.dst_port,
				       .by_proxy = same_text(flow->seen_from, "proxy")};
		struct allow *allow = find(allows, &count, &wanted);
		if (allow)
			add_flow(arena, report, finding, flow, allow);
	}
	for (size_t i = 0; i < count; i++)
		if (!allows[i].by_proxy && !allows[i].sources.count)
			add_own_addresses(arena, report, &allows[i]);
	return count;
}

/* ------------------------------------------------------------------ choosing */

struct text_list allow_family(struct arena *arena, const struct text_list *list, int family)
{
	struct text_list chosen = {0};
	for (size_t i = 0; i < list->count; i++)
		if ((strchr(list->items[i], ':') != NULL) == (family == 6))
			text_list_add(arena, &chosen, list->items[i]);
	return chosen;
}

struct text_list allow_outside(struct arena *arena, const struct text_list *addresses, const struct text_list *prefixes)
{
	struct text_list chosen = {0};
	for (size_t i = 0; i < addresses->count; i++) {
		struct address address;
		struct prefix prefix;
		bool inside = false;
		for (size_t k = 0; k < prefixes->count && address_parse(addresses->items[i], &address); k++)
			inside |= prefix_parse(prefixes->items[k], &prefix) && prefix_contains(&prefix, &address);
		if (!inside)
			text_list_add(arena, &chosen, addresses->items[i]);
	}
	return chosen;
}
