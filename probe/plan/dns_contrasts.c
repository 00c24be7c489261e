#include "probe/plan/dns_contrasts.h"

#include <string.h>
#include <strings.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/core/dns_answers.h"

enum {
	EDNS_SMALL = 512, /* what fits without EDNS too (RFC 1035 4.2.1) */
	EDNS_LARGE = 4096,
	CHECKED_NAMES_MAX = 3, /* of one server */
	SUFFIXES_MAX = 3,
	SUFFIXED_NAMES_MAX = 2,
	PUBLIC_ADDRESSES_MAX = 4,
	RUN_LETTERS = 8, /* of the run's id: they make a name that nobody has */
};

static void add(struct dns_contrasts *out, const struct dns_contrast *contrast)
{
	if (out->count < DNS_CONTRASTS_MAX)
		out->items[out->count++] = *contrast;
}

static size_t times_asked(const struct report *report, const char *experiment, const char *server, const char *name)
{
	size_t times = 0;
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		times += dns_is_experiment(one, experiment, server) && (!name || strcasecmp(one->dns.name, name) == 0);
	}
	return times;
}

/* ------------------------------------------------------------------ questions */

/* The look-up's own question again, in other words. */
static struct dns_contrast again(const struct observation *own, const char *experiment, const char *transport,
				 int edns_bytes)
{
	return (struct dns_contrast){
		.experiment = experiment,
		.about = own->dns.name,
		.server = own->dns.server,
		.transport = transport,
		.type = own->dns.type,
		.name = own->dns.name,
		.edns_bytes = edns_bytes,
	};
}

/* Is the same in this list already? The report does not have it yet. */
static bool is_wanted(const struct dns_contrasts *out, const char *experiment, const char *server)
{
	for (size_t i = 0; i < out->count; i++)
		if (strcmp(out->items[i].experiment, experiment) == 0 && strcmp(out->items[i].server, server) == 0)
			return true;
	return false;
}

static bool is_asked(const struct report *report, const struct dns_contrasts *out, const char *experiment,
		     const char *server)
{
	return is_wanted(out, experiment, server) || times_asked(report, experiment, server, NULL);
}

static void ask_again(const struct report *report, const struct observation *own, const char *experiment,
		      const char *transport, int edns_bytes, struct dns_contrasts *out)
{
	struct dns_contrast contrast = again(own, experiment, transport, edns_bytes);
	if (!is_asked(report, out, experiment, own->dns.server))
		add(out, &contrast);
}

/* Has nothing come from that server to any question of this name? */
static bool is_silent(const struct report *report, const char *server, const char *name)
{
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		if (dns_is_own_question(one, server, name) && !dns_is_unanswered(one))
			return false;
	}
	return true;
}

/* What every resolver answers by itself (RFC 6761 6.3): is it the server that is silent, or the way beyond it? */
static void ask_local(const struct report *report, const struct observation *own, struct dns_contrasts *out)
{
	struct dns_contrast contrast = again(own, "dns_local_name", "udp", DNS_EDNS_BYTES);
	contrast.name = "localhost";
	contrast.type = "A";
	if (!is_asked(report, out, contrast.experiment, contrast.server))
		add(out, &contrast);
}

static void ask_silent(const struct report *report, const struct observation *own, struct dns_contrasts *out)
{
	if (!dns_is_unanswered(own) || strcmp(own->dns.transport, "udp") != 0)
		return;
	if (is_silent(report, own->dns.server, own->dns.name)) {
		ask_again(report, own, "dns_over_tcp", "tcp", DNS_EDNS_BYTES, out);
		ask_local(report, own, out);
	}
	ask_again(report, own, "dns_again", "udp", DNS_EDNS_BYTES, out);
	ask_again(report, own, "dns_plain", "udp", NOT_MEASURED, out);
	ask_again(report, own, "dns_edns_512", "udp", EDNS_SMALL, out);
}

static void ask_larger(const struct report *report, const struct observation *own, struct dns_contrasts *out)
{
	bool is_cut_off =
		own->dns.truncated && own->dns.edns_bytes == DNS_EDNS_BYTES && strcmp(own->dns.transport, "udp") == 0;
	if (is_cut_off)
		ask_again(report, own, "dns_edns_4096", "udp", EDNS_LARGE, out);
}

static void ask_unchecked(const struct report *report, const struct observation *own, struct dns_contrasts *out)
{
	static const char *const id = "dns_checking_disabled";
	struct dns_contrast contrast = again(own, id, "udp", DNS_EDNS_BYTES);
	contrast.checking_disabled = true;
	if (own->failure == FAILURE_DNS_SERVFAIL && !is_wanted(out, id, own->dns.server) &&
	    !times_asked(report, id, own->dns.server, own->dns.name) &&
	    times_asked(report, id, own->dns.server, NULL) < CHECKED_NAMES_MAX)
		add(out, &contrast);
}

void dns_contrasts_of_questions(const struct report *report, const char *name, bool silence_counts,
				struct dns_contrasts *out)
{
	out->count = 0;
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *own = report->observations.items[i];
		if (!dns_is_own_question(own, NULL, name))
			continue;
		if (silence_counts)
			ask_silent(report, own, out);
		ask_larger(report, own, out);
		ask_unchecked(report, own, out);
	}
}

/* ------------------------------------------------------------------ addresses */

static bool is_bad_answer(const struct observation *one)
{
	const struct target *target = one->paths.count ? one->paths.items[0]->target : NULL;
	if (one->failure != FAILURE_NONE || !target)
		return true;
	if (target->expect.body && !one->http.body_matches)
		return true;
	for (size_t i = 0; i < target->expect.status_count; i++)
		if (target->expect.status[i] == one->http.status)
			return false;
	return target->expect.status_count > 0;
}

/* Did a connection to that address, or what came over it, go wrong? *heard: there was one. */
static bool has_failed(const struct report *report, const char *address, bool *heard)
{
	bool failed = false;
	*heard = false;
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		const struct tuple *tuple = one->op == OP_TCP_CONNECT	  ? &one->tcp.tuple
					    : one->op == OP_TLS_HANDSHAKE ? &one->tls.tuple
					    : one->op == OP_HTTP_EXCHANGE ? &one->http.tuple
									  : NULL;
		if (!tuple || one->experiment || !tuple->dst || strcmp(tuple->dst, address) != 0)
			continue;
		*heard = true;
		failed |= one->op == OP_HTTP_EXCHANGE ? is_bad_answer(one) : one->failure != FAILURE_NONE;
	}
	return failed;
}

/* given: the observation that the address is from. */
static bool is_suspicious(const struct report *report, const struct observation *given, const char *address,
			  int64_t now_us)
{
	bool heard;
	return has_failed(report, address, &heard) ||
	       (!heard && given->start_us + given->duration_us + DNS_PATIENCE_US <= now_us);
}

/* Does an answer hold an address that cannot be right, or that does not serve the name? */
static bool is_suspicious_answer(const struct report *report, const struct observation *own, int64_t now_us)
{
	const struct dns_query *query = &own->dns;
	bool is_private_link = dns_ends_at_private_link(query);
	for (size_t i = 0; i < query->answer_count; i++) {
		const struct dns_answer *answer = &query->answers[i];
		if (!answer->data || !answer->type || strcmp(answer->type, query->type) != 0)
			continue;
		if ((dns_address_is_odd(answer->data) && !is_private_link) ||
		    is_suspicious(report, own, answer->data, now_us))
			return true;
	}
	return false;
}

static const struct target *target_named(const struct report *report, const char *name)
{
	for (size_t i = 0; i < report->target_count; i++) {
		const struct target *target = report->targets[i];
		if (target->kind != TARGET_CIDR && target->host && strcasecmp(target->host, name) == 0)
			return target;
	}
	return NULL;
}

/* ---------- a name that nobody has */

/* The name without its first label; itself where only a top-level domain would be left. */
static const char *parent_of(const char *name)
{
	const char *dot = strchr(name, '.');
	return dot && strchr(dot + 1, '.') ? dot + 1 : name;
}

/* The last two labels. */
static const char *organisation_of(const char *name)
{
	const char *last = strrchr(name, '.'), *at = last;
	while (at && at > name && at[-1] != '.')
		at--;
	return at ? at : name;
}

/* Another target's name, of another organisation, so that a filter for the one does not fit it. */
static const char *unrelated_name(const struct report *report, const char *name)
{
	struct address literal;
	for (size_t i = 0; i < report->target_count; i++) {
		const struct target *other = report->targets[i];
		if (other->kind != TARGET_CIDR && other->host && strchr(other->host, '.') &&
		    !address_parse(other->host, &literal) &&
		    strcasecmp(organisation_of(other->host), organisation_of(name)) != 0)
			return other->host;
	}
	return NULL;
}

static void ask_random(const struct report *report, const char *about, const char *server, const char *below,
		       struct dns_contrasts *out)
{
	const char *id = report->run.id ? report->run.id : "run";
	struct dns_contrast contrast = {
		.experiment = "dns_random_name",
		.about = about,
		.server = server,
		.transport = "udp",
		.type = "A",
		.name = arena_printf(report->arena, "marsprobe-%.*s.%s", RUN_LETTERS, id, parent_of(below)),
		.edns_bytes = DNS_EDNS_BYTES,
	};
	add(out, &contrast);
}

static void ask_for_inventions(const struct report *report, const struct observation *own, int64_t now_us,
			       struct dns_contrasts *out)
{
	const char *server = own->dns.server, *name = own->dns.name;
	if (own->failure != FAILURE_NONE || !own->dns.answer_count ||
	    is_asked(report, out, "dns_random_name", server) || !target_named(report, name) ||
	    !is_suspicious_answer(report, own, now_us))
		return;
	const char *other = unrelated_name(report, name);
	ask_random(report, name, server, name, out);
	if (other)
		ask_random(report, name, server, other, out);
}

/* ---------- a search suffix */

static bool is_in_hosts_file(const struct report *report, const char *name)
{
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		if (one->op == OP_LOCAL_FACT && one->fact.fact && strcmp(one->fact.fact, "hosts_file") == 0 &&
		    one->fact.subject && strcasecmp(one->fact.subject, name) == 0)
			return true;
	}
	return false;
}

/* What the servers say of a name that this system found an address for. */
struct said {
	bool open;	  /* some question has not ended */
	bool any_address; /* some server has one */
	bool this_one;	  /* some server gives it */
};

static struct said what_servers_say(const struct report *report, const char *name, const char *address)
{
	struct said said = {0};
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		if (!dns_is_own_question(one, NULL, name))
			continue;
		said.open |= one->failure == FAILURE_NONE && one->dns.rcode == NOT_MEASURED;
		said.any_address |= one->failure == FAILURE_NONE && one->dns.answer_count > 0;
		said.this_one |= dns_gives(&one->dns, address);
	}
	return said;
}

/* The first address of the system's own look-up that no server gives, and that is suspicious; NULL: none. */
static const char *foreign_address(const struct report *report, const struct observation *own, int64_t now_us)
{
	const struct system_lookup *lookup = &own->lookup;
	for (size_t i = 0; i < lookup->addresses.count; i++) {
		const char *address = lookup->addresses.items[i];
		struct said said = what_servers_say(report, lookup->name, address);
		if (said.open)
			return NULL;
		if (!said.this_one &&
		    (!said.any_address || dns_address_is_odd(address) || is_suspicious(report, own, address, now_us)))
			return address;
	}
	return NULL;
}

static void ask_with_suffix(const struct report *report, const char *name, const char *suffix, const char *address,
			    struct dns_contrasts *out)
{
	for (size_t i = 0; i < report->host.resolvers.count; i++) {
		struct dns_contrast contrast = {
			.experiment = "dns_suffix",
			.about = name,
			.server = report->host.resolvers.items[i],
			.transport = "udp",
			.type = strchr(address, ':') ? "AAAA" : "A",
			.name = arena_printf(report->arena, "%s.%s", name, suffix),
			.edns_bytes = DNS_EDNS_BYTES,
		};
		if (!times_asked(report, contrast.experiment, contrast.server, contrast.name))
			add(out, &contrast);
	}
}

static void ask_for_suffixes(const struct report *report, const struct observation *own,
			     const struct text_list *suffixes, int64_t now_us, size_t *names, struct dns_contrasts *out)
{
	const char *name = own->lookup.name;
	if (*names == SUFFIXED_NAMES_MAX || !suffixes->count || is_in_hosts_file(report, name))
		return;
	const char *address = foreign_address(report, own, now_us);
	if (!address)
		return;
	++*names;
	for (size_t i = 0; i < suffixes->count && i < SUFFIXES_MAX; i++)
		ask_with_suffix(report, name, suffixes->items[i], address, out);
}

/* ---------- the public address behind a private link */

static const char *control_address(const struct report *report, const char *name)
{
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		if (one->op == OP_DNS_QUERY && one->dns.control && !one->experiment &&
		    strcasecmp(one->dns.name, name) == 0 && dns_public_address(&one->dns))
			return dns_public_address(&one->dns);
	}
	return NULL;
}

static bool was_connected(const struct report *report, const char *address, size_t *connected)
{
	bool found = false;
	*connected = 0;
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		if (one->op != OP_TCP_CONNECT || !one->experiment || strcmp(one->experiment, "public_address") != 0)
			continue;
		++*connected;
		found |= one->tcp.tuple.dst && strcmp(one->tcp.tuple.dst, address) == 0;
	}
	return found;
}

static void connect_to_public(const struct report *report, const struct observation *own, int64_t now_us,
			      struct dns_contrasts *out)
{
	const struct target *target = target_named(report, own->dns.name);
	if (!target || !own->dns.answer_count || !dns_ends_at_private_link(&own->dns) ||
	    dns_public_address(&own->dns) || !is_suspicious_answer(report, own, now_us))
		return;
	const char *address = control_address(report, own->dns.name);
	size_t connected = 0;
	if (!address || was_connected(report, address, &connected) || connected >= PUBLIC_ADDRESSES_MAX)
		return;
	for (size_t i = 0; i < out->count; i++)
		if (out->items[i].address && strcmp(out->items[i].address, address) == 0)
			return;
	struct dns_contrast contrast = {.experiment = "public_address",
					.about = own->dns.name,
					.server = "",
					.address = address,
					.port = target->port};
	add(out, &contrast);
}

void dns_contrasts_of_addresses(const struct report *report, const struct text_list *suffixes, int64_t now_us,
				struct dns_contrasts *out)
{
	size_t names = 0;
	out->count = 0;
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		if (dns_is_own_question(one, NULL, NULL) && one->dns.name) {
			ask_for_inventions(report, one, now_us, out);
			connect_to_public(report, one, now_us, out);
		} else if (one->op == OP_SYSTEM_LOOKUP && !one->experiment && one->lookup.addresses.count) {
			ask_for_suffixes(report, one, suffixes, now_us, &names, out);
		}
	}
}
