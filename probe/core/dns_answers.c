#include "probe/core/dns_answers.h"

#include <string.h>
#include <strings.h>

#include "probe/core/address.h"

static bool is_same(const char *wanted, const char *text)
{
	return !wanted || (text && strcasecmp(wanted, text) == 0);
}

bool dns_is_own_question(const struct observation *one, const char *server, const char *name)
{
	return one->op == OP_DNS_QUERY && !one->experiment && !one->dns.control && is_same(server, one->dns.server) &&
	       is_same(name, one->dns.name);
}

bool dns_is_experiment(const struct observation *one, const char *experiment, const char *server)
{
	return one->op == OP_DNS_QUERY && one->experiment && strcmp(one->experiment, experiment) == 0 &&
	       is_same(server, one->dns.server);
}

bool dns_is_unanswered(const struct observation *one)
{
	return (one->failure == FAILURE_NONE || one->failure == FAILURE_TIMEOUT) && one->dns.rcode == NOT_MEASURED &&
	       !one->dns.answer_count && !one->dns.truncated && !one->dns.icmp.from;
}

bool dns_gives(const struct dns_query *query, const char *address)
{
	for (size_t i = 0; address && i < query->answer_count; i++)
		if (query->answers[i].data && strcmp(query->answers[i].data, address) == 0)
			return true;
	return false;
}

bool dns_address_is_odd(const char *text)
{
	struct address address;
	return text && address_parse(text, &address) &&
	       (address_is_private(&address) || address_is_loopback(&address) || address_is_unspecified(&address));
}

const char *dns_public_address(const struct dns_query *query)
{
	struct address address;
	for (size_t i = 0; i < query->answer_count; i++) {
		const char *data = query->answers[i].data;
		if (data && address_parse(data, &address) && !dns_address_is_odd(data) &&
		    !address_is_link_local(&address))
			return data;
	}
	return NULL;
}

bool dns_name_has_label(const char *name, const char *label)
{
	size_t length = strlen(label);
	for (const char *at = name; at; at = strchr(at, '.') ? strchr(at, '.') + 1 : NULL)
		if (strncasecmp(at, label, length) == 0 && (at[length] == '.' || at[length] == '\0'))
			return true;
	return false;
}

bool dns_ends_at_private_link(const struct dns_query *query)
{
	const char *last_alias = NULL;
	for (size_t i = 0; i < query->answer_count; i++)
		if (query->answers[i].data && query->answers[i].type && strcmp(query->answers[i].type, "CNAME") == 0)
			last_alias = query->answers[i].data;
	return last_alias && dns_name_has_label(last_alias, "privatelink");
}
