/* The rule for a network security group and for an Azure Firewall, as commands of the Azure CLI. */

#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "reports/handoff_parts.h"

enum { ADDRESSES_MAX = 64, FIRST_PRIORITY = 200 };

/* What the commands count on. */
struct commands {
	struct sheet *sheet;
	const char *name;
	int number; /* of the next rule */
};

static void add_words(struct strbuf *out, const struct text_list *list, const char *quote)
{
	for (size_t i = 0; i < list->count && i < ADDRESSES_MAX; i++)
		strbuf_printf(out, " %s%s%s", quote, list->items[i], quote);
}

static void add_sources(struct strbuf *out, const struct allow *allow)
{
	if (allow->sources.count)
		add_words(out, &allow->sources, "");
	else
		strbuf_add(out, allow->by_proxy ? " PROXY_ADDRESS" : " SERVER_ADDRESS");
}

/* A rule of a network security group takes one tag, or addresses, and addresses of one family. */
static void nsg_rule(struct commands *commands, const struct allow *allow, const struct text_list *to, int family)
{
	struct strbuf *out = commands->sheet->out;
	struct allow own = *allow;
	own.sources = allow_family(commands->sheet->arena, &allow->sources, family);
	if (!to->count || (allow->sources.count && !own.sources.count))
		return;
	strbuf_printf(out,
		      "az network nsg rule create --resource-group RG --nsg-name NSG --name %s_%d --priority %d "
		      "--direction Outbound --access Allow --protocol %s --source-address-prefixes",
		      commands->name, commands->number, FIRST_PRIORITY + commands->number,
		      strcmp(allow->proto, "udp") == 0 ? "Udp" : "Tcp");
	add_sources(out, &own);
	strbuf_add(out, " --source-port-ranges '*' --destination-address-prefixes");
	add_words(out, to, "");
	strbuf_printf(out, " --destination-port-ranges %d\n", allow->port);
	commands->number++;
}

static void nsg(struct commands *commands, const struct allow *allow, int family)
{
	struct arena *arena = commands->sheet->arena;
	struct text_list seen = allow_family(arena, &allow->seen_tagless, family);
	for (size_t i = 0; i < allow->tags.count && (family == 4 || allow->sources.count); i++) {
		struct text_list one = {0};
		text_list_add(arena, &one, allow->tags.items[i]);
		nsg_rule(commands, allow, &one, family);
	}
	nsg_rule(commands, allow, &seen, family);
}

static const char *protocol_of(const struct allow *allow)
{
	return allow->https || allow->port == 443 ? "Https" : "Http";
}

static void azure_firewall(struct commands *commands, const struct allow *allow)
{
	struct strbuf *out = commands->sheet->out;
	bool by_name = allow->kind == ALLOW_SERVICE && allow->rules.count;
	if (!by_name && !allow->seen.count)
		return;
	strbuf_printf(out,
		      "az network firewall policy rule-collection-group collection add-filter-collection "
		      "--resource-group RG --policy-name POLICY --rule-collection-group-name GROUP --name %s_%d "
		      "--collection-priority %d --action Allow --rule-name %s --rule-type %s --source-addresses",
		      commands->name, commands->number, FIRST_PRIORITY + commands->number, commands->name,
		      by_name ? "ApplicationRule" : "NetworkRule");
	add_sources(out, allow);
	if (by_name) {
		strbuf_printf(out, " --protocols %s=%d --target-fqdns", protocol_of(allow), allow->port);
		add_words(out, &allow->rules, "'");
	} else {
		strbuf_printf(out, " --ip-protocols %s --destination-ports %d --destination-addresses",
			      strcmp(allow->proto, "udp") == 0 ? "UDP" : "TCP", allow->port);
		add_words(out, &allow->seen, "");
	}
	strbuf_add_char(out, '\n');
	commands->number++;
}

void handoff_azure(struct sheet *sheet, const struct allow *allows, size_t count, const char *name)
{
	struct commands commands = {sheet, name, 1};
	strbuf_printf(sheet->out, "\n%s\n\n```sh\n", say_text(SAY_HANDOFF_AZURE));
	for (size_t i = 0; i < count; i++) {
		nsg(&commands, &allows[i], 4);
		nsg(&commands, &allows[i], 6);
	}
	for (size_t i = 0; i < count; i++)
		azure_firewall(&commands, &allows[i]);
	strbuf_add(sheet->out, "```\n");
}
