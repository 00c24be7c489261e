#include "probe/diagnosis/dns_view.h"

#include <string.h>
#include <strings.h>

#include "probe/core/address.h"
#include "probe/core/dns_answers.h"

static bool has_address(const struct dns_query *query)
{
	for (size_t i = 0; i < query->answer_count; i++)
		if (text_equal(query->answers[i].type, "A") || text_equal(query->answers[i].type, "AAAA"))
			return true;
	return false;
}

bool address_is_own(const struct report *report, const char *address)
{
	for (size_t i = 0; i < report->host.addresses.count; i++)
		if (text_equal(report->host.addresses.items[i], address))
			return true;
	return false;
}

bool dns_is_neighbourless(const struct report *report, const struct observation *query)
{
	const char *from = query->dns.icmp.from;
	return query->failure == FAILURE_HOST_UNREACHABLE &&
	       (!from || address_is_own(report, from) || text_equal(query->dns.tuple.src, from));
}

static enum dns_outcome outcome_of(const struct report *report, const struct observation *observation)
{
	switch (observation->failure) {
	case FAILURE_NONE:
		if (has_address(&observation->dns))
			return DNS_SAYS_ADDRESS;
		return observation->dns.truncated ? DNS_CUT_OFF : DNS_SAYS_NODATA;
	case FAILURE_DNS_NXDOMAIN:
		return DNS_SAYS_NXDOMAIN;
	case FAILURE_DNS_NO_ANSWER:
		return DNS_SAYS_NODATA;
	case FAILURE_DNS_SERVFAIL:
		return DNS_SAYS_SERVFAIL;
	case FAILURE_DNS_REFUSED:
		return DNS_SAYS_REFUSED;
	case FAILURE_DNS_FORMERR:
	case FAILURE_DNS_NOTIMP:
	case FAILURE_DNS_OTHER:
	case FAILURE_DNS_MALFORMED:
		return DNS_SAYS_NONSENSE;
	case FAILURE_TIMEOUT:
	case FAILURE_CONNECTION_RESET: /* over TCP: accepted, and closed without a word */
	case FAILURE_EOF:
		return DNS_SILENT;
	case FAILURE_CONNECTION_REFUSED:
		return DNS_REJECTS;
	case FAILURE_HOST_UNREACHABLE:
		return dns_is_neighbourless(report, observation) ? DNS_SILENT : DNS_UNREACHABLE;
	case FAILURE_NETWORK_UNREACHABLE:
		return DNS_UNREACHABLE;
	case FAILURE_ADDRESS_NOT_AVAILABLE:
	case FAILURE_TOO_MANY_FILES:
	case FAILURE_NOT_SUPPORTED:
	case FAILURE_DEADLINE:
	case FAILURE_INTERRUPTED:
		return DNS_UNFINISHED;
	case FAILURE_PERMISSION_DENIED: /* some ICMPv6 errors come as EACCES */
		return observation->dns.icmp.from ? DNS_UNREACHABLE : DNS_UNFINISHED;
	case FAILURE_DNS_TEMPORARY:
	case FAILURE_CONNECTION_ABORTED:
	case FAILURE_SSL_UNKNOWN_AUTHORITY:
	case FAILURE_SSL_INVALID_HOSTNAME:
	case FAILURE_SSL_INVALID_CERTIFICATE:
	case FAILURE_SSL_FAILED_HANDSHAKE:
	case FAILURE_PROXY_STATUS:
	case FAILURE_PROXY_MALFORMED:
	case FAILURE_SOCKS_REFUSED:
	case FAILURE_HTTP_MALFORMED:
	case FAILURE_UNKNOWN:
		return DNS_SAYS_OTHER;
	}
	return DNS_SAYS_OTHER;
}

static void read_address(struct dns_server *server, const char *text)
{
	struct address address;
	if (!address_parse(text, &address))
		return;
	server->sends_ipv4 |= address.family == 4;
	if (address_is_unspecified(&address) || address_is_loopback(&address))
		server->sends_sink = true;
	else if (address_is_private(&address))
		server->sends_private = true;
	else
		server->sends_public = true;
}

static void read_answers(struct dns_server *server, const struct dns_query *query)
{
	for (size_t i = 0; i < query->answer_count; i++) {
		const struct dns_answer *answer = &query->answers[i];
		if (!answer->data || !answer->type)
			continue;
		if (strcmp(answer->type, "CNAME") == 0)
			server->passes_private_link |= dns_name_has_label(answer->data, "privatelink");
		else
			read_address(server, answer->data);
	}
	server->private_link |= dns_ends_at_private_link(query);
}

/* Nothing came back but errors of the way, or nothing at all. */
static bool is_cut_off(enum dns_outcome outcome)
{
	return outcome == DNS_REJECTS || outcome == DNS_UNREACHABLE || outcome == DNS_SILENT;
}

static void read_query(const struct report *report, struct dns_server *server, const struct observation *observation)
{
	const struct dns_query *query = &observation->dns;
	enum dns_outcome outcome = outcome_of(report, observation);
	bool replied = query->rcode != NOT_MEASURED || query->truncated || outcome <= DNS_CUT_OFF;
	size_t type = text_equal(query->type, "AAAA");
	if (outcome < server->by_type[type].outcome) {
		server->by_type[type].outcome = outcome;
		server->by_type[type].shown = observation;
	}
	if (text_equal(query->transport, "tcp")) {
		server->tcp_asked = true;
		server->tcp_taken |= query->tries > 0;
		if (replied && dns_answered(outcome)) {
			server->tcp_answered = true;
			server->tcp_shown = observation;
		}
	} else {
		server->udp_cut_off |= is_cut_off(outcome);
		server->udp_heard |= replied;
		server->silent_type |= outcome == DNS_SILENT;
	}
	if (query->truncated)
		server->truncated = observation;
	if (outcome != DNS_SAYS_ADDRESS && query->ede != NOT_MEASURED)
		server->ede = query->ede;
	read_answers(server, query);
}

/* Where the view keeps what came of that experiment; NULL: it is none that asks in other words. */
static const struct observation **contrast_of(struct dns_server *server, const struct observation *one)
{
	if (text_equal(one->experiment, "dns_plain"))
		return &server->plain;
	if (text_equal(one->experiment, "dns_again"))
		return &server->again;
	if (text_equal(one->experiment, "dns_edns_512"))
		return &server->small;
	if (text_equal(one->experiment, "dns_edns_4096"))
		return &server->large;
	if (text_equal(one->experiment, "dns_local_name"))
		return &server->local;
	return text_equal(one->experiment, "dns_checking_disabled") ? &server->unchecked : NULL;
}

/* Over TCP the question is the same. */
static bool is_contrast(const struct observation *one)
{
	return one->experiment && !text_equal(one->experiment, "dns_over_tcp");
}

bool dns_replied(const struct observation *query)
{
	return query && query->dns.rcode != NOT_MEASURED;
}

bool dns_is_late(const struct dns_server *server)
{
	return !server->control && server->outcome == DNS_SILENT && server->again &&
	       server->again->failure == FAILURE_NONE;
}

bool dns_is_stuck(const struct dns_server *server)
{
	return !server->control && server->outcome == DNS_SILENT && server->tcp_taken && !server->tcp_answered &&
	       dns_replied(server->local) && !dns_is_late(server);
}

static struct dns_server *server_of(struct dns_view *out, const char *text, bool control)
{
	for (size_t i = 0; i < out->count; i++)
		if (out->servers[i].control == control && text_equal(out->servers[i].server, text))
			return &out->servers[i];
	if (out->count == DNS_SERVERS_MAX)
		return NULL;
	struct dns_server *server = &out->servers[out->count++];
	*server = (struct dns_server){.server = text, .control = control, .ede = NOT_MEASURED};
	server->outcome = server->by_type[0].outcome = server->by_type[1].outcome = DNS_NOT_ASKED;
	return server;
}

static bool asks(const struct observation *one, const struct dns_server *server)
{
	return one->op == OP_DNS_QUERY && one->dns.control == server->control &&
	       text_equal(one->dns.server, server->server);
}

/* Did a datagram come back, of any name? */
static bool was_heard(const struct report *report, const struct dns_server *server)
{
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		if (asks(one, server) && !is_contrast(one) && text_equal(one->dns.transport, "udp") &&
		    (one->dns.rcode != NOT_MEASURED || outcome_of(report, one) < DNS_REJECTS))
			return true;
	}
	return false;
}

/* Over TCP a server is asked once in the run: what came of it counts for every name. */
static void borrow_tcp(struct dns_server *server, const struct observation *one, enum dns_outcome outcome)
{
	server->tcp_asked = true;
	server->tcp_taken |= one->dns.tries > 0;
	if (!dns_answered(outcome) || server->tcp_answered)
		return;
	server->tcp_answered = true;
	server->tcp_shown = one;
}

static void borrow(const struct report *report, struct dns_server *server)
{
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		if (!asks(one, server) || is_contrast(one))
			continue;
		enum dns_outcome outcome = outcome_of(report, one);
		if (text_equal(one->dns.transport, "tcp"))
			borrow_tcp(server, one, outcome);
		if ((outcome == DNS_REJECTS || outcome == DNS_UNREACHABLE) && outcome < server->outcome) {
			server->outcome = outcome;
			server->shown = one;
		}
	}
}

static void conclude(struct dns_server *server)
{
	size_t best = server->by_type[1].outcome < server->by_type[0].outcome;
	enum dns_outcome other = server->by_type[!best].outcome;
	if (server->by_type[best].outcome == DNS_SAYS_NODATA && other > DNS_SAYS_NODATA && other < DNS_NOT_ASKED)
		best = !best;
	server->outcome = server->by_type[best].outcome;
	server->shown = server->by_type[best].shown;
}

/* What is asked once in the run of a silent server, and what it says of all names where it is asked about some. */
static void borrow_contrasts(const struct report *report, struct dns_server *server)
{
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		if (one->op != OP_DNS_QUERY || !asks(one, server))
			continue;
		const struct observation **at = contrast_of(server, one);
		bool once =
			at == &server->plain || at == &server->small || at == &server->again || at == &server->local;
		bool alike = at == &server->unchecked && one->failure == FAILURE_DNS_SERVFAIL;
		if (at && !*at && (once ? server->silent_type : alike))
			*at = one;
	}
}

static void read_one(const struct report *report, struct dns_server *server, const struct observation *one)
{
	const struct observation **contrast = contrast_of(server, one);
	if (contrast)
		*contrast = one;
	else if (!is_contrast(one))
		read_query(report, server, one);
}

void dns_view_make(const struct view *view, const char *name, struct dns_view *out)
{
	const struct report *report = view->report;
	memset(out, 0, sizeof(*out));
	out->name = name;
	if (!name)
		return;
	for (size_t i = 0; i < report->host.resolvers.count; i++)
		server_of(out, report->host.resolvers.items[i], false);
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		if (observation_is_of_decision(one))
			continue;
		if (one->op == OP_SYSTEM_LOOKUP && one->lookup.name && strcasecmp(one->lookup.name, name) == 0)
			out->lookup = one;
		if (one->op != OP_DNS_QUERY || !one->dns.name || strcasecmp(one->dns.name, name) != 0)
			continue;
		struct dns_server *server = server_of(out, one->dns.server, one->dns.control);
		if (server)
			read_one(report, server, one);
	}
	for (size_t i = 0; i < out->count; i++) {
		conclude(&out->servers[i]);
		borrow_contrasts(report, &out->servers[i]);
	}
	for (size_t i = 0; i < out->count; i++)
		if (is_cut_off(out->servers[i].outcome) && !was_heard(report, &out->servers[i]))
			borrow(report, &out->servers[i]);
}

bool private_endpoint_is(const struct view *view, const char *word)
{
	static const char *const services[] = {"backup", "storage", NULL};
	return text_equal(view->report->run.private_endpoint, word) && !view->proxied &&
	       text_is_one_of(view->target->service, services);
}

const char *dns_broken_name(const struct view *view)
{
	if (view->broke != STAGE_DNS)
		return NULL;
	if (!view->target_name || !view->name)
		return view->name ? view->name : view->target_name;
	struct dns_view dns;
	dns_view_make(view, view->name, &dns);
	bool resolves = dns.lookup ? dns.lookup->failure == FAILURE_NONE : dns_any(&dns, DNS_SAYS_ADDRESS);
	return resolves ? view->target_name : view->name;
}

bool dns_answered(enum dns_outcome outcome)
{
	return outcome < DNS_CUT_OFF;
}

bool dns_any(const struct dns_view *dns, enum dns_outcome outcome)
{
	for (size_t i = 0; i < dns->count; i++)
		if (!dns->servers[i].control && dns->servers[i].outcome == outcome)
			return true;
	return false;
}

bool dns_all(const struct dns_view *dns, enum dns_outcome outcome)
{
	for (size_t i = 0; i < dns->count; i++) {
		const struct dns_server *server = &dns->servers[i];
		if (!server->control && server->outcome != outcome && dns_answered(server->outcome))
			return false;
	}
	return dns_any(dns, outcome);
}

enum dns_outcome dns_control(const struct dns_view *dns)
{
	for (size_t i = 0; i < dns->count; i++)
		if (dns->servers[i].control)
			return dns->servers[i].outcome;
	return DNS_NOT_ASKED;
}

void dns_add_failed(const struct view *view, struct verdict *out, const struct dns_view *dns,
		    const struct dns_server *server, const char *transport)
{
	const struct observation_list *list = &view->report->observations;
	for (size_t i = 0; i < list->count; i++) {
		const struct observation *one = list->items[i];
		if (asks(one, server) && !observation_is_of_decision(one) && !is_contrast(one) &&
		    one->failure != FAILURE_NONE && text_equal(one->dns.name, dns->name) &&
		    (!transport || text_equal(one->dns.transport, transport)))
			verdict_add_evidence(view, out, one);
	}
}

void dns_add_evidence(const struct view *view, struct verdict *out, const struct dns_view *dns,
		      enum dns_outcome outcome)
{
	for (size_t i = 0; i < dns->count; i++)
		if (dns->servers[i].outcome == outcome) {
			verdict_add_evidence(view, out, dns->servers[i].shown);
			if (!dns_answered(outcome))
				dns_add_failed(view, out, dns, &dns->servers[i], NULL);
		}
	verdict_add_evidence(view, out, dns->lookup);
}
