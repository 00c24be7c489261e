/* Table H: names that this server's hosts file answers. */

#include "probe/diagnosis/dns_view.h"
#include "probe/diagnosis/rules.h"

/* Some address of the hosts file that no server gives. */
static bool hosts_differ(const struct local_fact *fact, const struct dns_view *dns)
{
	size_t known = 0;
	for (size_t i = 0; i < dns->count; i++) {
		const struct observation *shown = dns->servers[i].shown;
		for (size_t k = 0; shown && k < shown->dns.answer_count; k++)
			for (size_t j = 0; j < fact->values.count; j++)
				known += text_equal(shown->dns.answers[k].data, fact->values.items[j]);
	}
	return known == 0;
}

static bool hosts_override(const struct view *view, struct verdict *out, double confidence)
{
	struct dns_view dns;
	const struct local_fact *fact = view->name ? view_fact(view, "hosts_file", view->name) : NULL;
	if (!fact)
		return false;
	dns_view_make(view, view->name, &dns);
	if (!hosts_differ(fact, &dns))
		return false;
	for (size_t i = 0; dns.lookup && i < dns.lookup->lookup.addresses.count; i++)
		if (!text_list_has(&fact->values, dns.lookup->lookup.addresses.items[i]))
			return false;
	verdict_set(view, out, "host_hosts_file_override", dns_any(&dns, DNS_SAYS_ADDRESS) ? confidence : 0.7);
	verdict_add_evidence(view, out, view_fact_observation(view, "hosts_file", view->name));
	verdict_add_evidence(view, out, dns.lookup);
	dns_add_evidence(view, out, &dns, DNS_SAYS_ADDRESS);
	return true;
}

bool rule_host_hosts_file_override(const struct view *view, struct verdict *out)
{
	return hosts_override(view, out, 0.9);
}

/* It works: worth a word, no warning. */
bool rule_host_hosts_file_differs(const struct view *view, struct verdict *out)
{
	if (view->status != STATUS_PASS || !hosts_override(view, out, 0.9))
		return false;
	verdict_add_also(view, out, "host_hosts_file_override");
	out->status = STATUS_PASS;
	return true;
}
