#include <string.h>
#include <strings.h>

#include "probe/core/arena.h"
#include "probe/diagnosis/rules.h"

/*
 * Table S: TLS. Rules about the handshake with the target, or, where that is what broke, with an https: proxy. Interception is asked before any
 * other complaint about a certificate: a foreign certificate explains all of its own faults.
 */

enum { ALERT_HANDSHAKE_FAILURE = 40, ALERT_PROTOCOL_VERSION = 70, ALERT_INSUFFICIENT_SECURITY = 71 }; /* RFC 8446 6 */

/* The handshake that counts for an attempt, or NULL. */
static const struct observation *handshake(const struct tried *tried)
{
	return tried->tls ? tried->tls : tried->proxy_tls;
}

static bool broke_at_tls(const struct tried *tried)
{
	return tried_failed(tried) && tried->broke == STAGE_TLS && handshake(tried);
}

static bool verify_is(const struct tried *tried, const char *word)
{
	const struct observation *tls = handshake(tried);
	return broke_at_tls(tried) && tls->tls.verify && strcmp(tls->tls.verify, word) == 0;
}

/* ------------------------------------------------------------------ whose certificate */

/* The root is known, and it is neither the service's nor one of the public ones. */
static bool root_is_foreign(const struct report *report, const struct tls_handshake *tls)
{
	return tls->root_sha256 && !tls->root_service && (report->run.service_roots_given || !tls->root_public);
}

static bool is_intercepted_trusted(const struct view *view, const struct tried *tried)
{
	return tried->judged && !tried->cut && tried->tls && tried->tls->tls.chain_count &&
	       root_is_foreign(view->report, &tried->tls->tls);
}

static bool same_issuer(const struct tls_handshake *a, const struct tls_handshake *b)
{
	return a->chain_count && b->chain_count &&
	       strcmp(a->chain[a->chain_count - 1].issuer, b->chain[b->chain_count - 1].issuer) == 0;
}

/* Is the missing issuer of this chain a CA certificate that another, verified chain of this run brought along? */
static bool issuer_seen_verified(const struct view *view, const struct tls_handshake *tls)
{
	const char *missing = tls->chain[tls->chain_count - 1].issuer;
	const struct observation_list *list = &view->report->observations;
	for (size_t i = 0; i < list->count; i++) {
		const struct tls_handshake *other = &list->items[i]->tls;
		if (list->items[i]->op != OP_TLS_HANDSHAKE || !tls_is_proven(view->report, list->items[i]))
			continue;
		for (size_t k = 0; k < other->chain_count; k++)
			if (other->chain[k].is_ca && strcmp(other->chain[k].subject, missing) == 0)
				return true;
	}
	return false;
}

/* How many other names show a chain that ends in the same unknown issuer, and how many others verify? */
static void count_contrast(const struct view *view, const struct tls_handshake *tls, size_t *same, size_t *proven)
{
	const struct observation_list *list = &view->report->observations;
	*same = *proven = 0;
	for (size_t i = 0; i < list->count; i++) {
		const struct observation *other = list->items[i];
		if (other->op != OP_TLS_HANDSHAKE || !other->tls.sni || !tls->sni ||
		    strcasecmp(other->tls.sni, tls->sni) == 0)
			continue;
		if (tls_is_proven(view->report, other))
			(*proven)++;
		else if (same_issuer(&other->tls, tls))
			(*same)++;
	}
}

static bool is_known_issuer(const struct certificate *certificate)
{
	static const char *const known[] = {"Microsoft Corporation", "DigiCert Inc", "DigiCert, Inc."};
	for (size_t i = 0; certificate->issuer_o && i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(certificate->issuer_o, known[i]) == 0)
			return true;
	return false;
}

/* Names that products which open TLS give their own CA. */
static bool names_an_inspector(const struct certificate *certificate)
{
	static const char *const words[] = {
		"proxy",   "inspect",  "intercept",  "decrypt",	  "firewall",  "gateway",   "mitm",	 "ssl bump",
		"untrust", "zscaler",  "fortinet",   "fortigate", "palo alto", "blue coat", "bluecoat",	 "netskope",
		"sophos",  "websense", "forcepoint", "barracuda", "umbrella",  "mcafee",    "kaspersky", "squid"};
	for (size_t i = 0; certificate->issuer && i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasestr(certificate->issuer, words[i]))
			return true;
	return false;
}

/* 0: this is not a missing intermediate; else how sure it is. */
static double intermediate_confidence(const struct view *view, const struct tls_handshake *tls)
{
	size_t same, proven;
	if (!tls->chain_count)
		return 0;
	if (issuer_seen_verified(view, tls))
		return 0.9;
	if (names_an_inspector(&tls->chain[tls->chain_count - 1]))
		return 0;
	count_contrast(view, tls, &same, &proven);
	if (tls->chain_count == 1 && (tls->chain[0].has_aia || is_known_issuer(&tls->chain[0])))
		return same ? 0.6 : 0.7;
	return tls->chain_count == 1 && proven && !same ? 0.5 : 0;
}

static bool is_intermediate_missing(const struct view *view, const struct tried *tried)
{
	return verify_is(tried, "issuer_missing") && intermediate_confidence(view, &handshake(tried)->tls) > 0;
}

/** Only the leaf came, and its issuer is not unknown: another chain of this run has it, or the leaf says where to fetch it (RFC 5280 4.2.2.1). */
bool rule_tls_intermediate_missing(const struct view *view, struct verdict *out)
{
	for (size_t i = 0; i < view->tried_count; i++) {
		if (!is_intermediate_missing(view, &view->tried[i]))
			continue;
		double confidence = intermediate_confidence(view, &handshake(&view->tried[i])->tls);
		verdict_if_any(view, out, "tls_intermediate_missing", confidence, is_intermediate_missing);
		verdict_add_not_run(view, out, "fetching the issuer's certificate (AIA)");
		return true;
	}
	return false;
}

static bool is_self_signed(const struct view *view, const struct tried *tried)
{
	(void)view;
	return verify_is(tried, "self_signed_leaf");
}

/** One certificate that signed itself: an appliance's own page, not a CA's work. */
bool rule_tls_self_signed_appliance(const struct view *view, struct verdict *out)
{
	return verdict_if_any(view, out, "tls_self_signed_appliance", 0.85, is_self_signed);
}

/** The chain is trusted here, and its root is neither the service's nor public: something opens TLS and signs anew. */
bool rule_tls_intercepted_trusted(const struct view *view, struct verdict *out)
{
	return verdict_if_any(view, out, "tls_intercepted_trusted", 0.9, is_intercepted_trusted);
}

/* The same on a path that works: the agent may trust it too, but nothing that it then says comes from the service. */
bool remark_tls_intercepted_trusted(const struct view *view, struct verdict *out)
{
	for (size_t i = 0; i < view->tried_count; i++) {
		if (!is_intercepted_trusted(view, &view->tried[i]))
			continue;
		verdict_set(view, out, "tls_intercepted_trusted", 0.9);
		out->status = STATUS_FAIL;
		for (size_t k = i; k < view->tried_count; k++)
			if (is_intercepted_trusted(view, &view->tried[k]))
				verdict_add_evidence(view, out, view->tried[k].tls);
		return true;
	}
	return false;
}

static bool is_intercepted_untrusted(const struct view *view, const struct tried *tried)
{
	if (!broke_at_tls(tried) || handshake(tried)->failure != FAILURE_SSL_UNKNOWN_AUTHORITY)
		return false;
	return handshake(tried)->tls.chain_count && !is_self_signed(view, tried) &&
	       !is_intermediate_missing(view, tried);
}

/** The chain ends in a CA that no store here knows. Several names under the same one make it certain. */
bool rule_tls_intercepted_untrusted(const struct view *view, struct verdict *out)
{
	for (size_t i = 0; i < view->tried_count; i++) {
		size_t same, proven;
		if (!is_intercepted_untrusted(view, &view->tried[i]))
			continue;
		const struct tls_handshake *tls = &handshake(&view->tried[i])->tls;
		count_contrast(view, tls, &same, &proven);
		bool root_came = strcmp(tls->verify, "self_signed_root") == 0;
		return verdict_if_any(view, out, "tls_intercepted_untrusted",
				      same	  ? 0.9
				      : root_came ? 0.8
						  : 0.55,
				      is_intercepted_untrusted);
	}
	return false;
}

/* A root that is public but not among the service's known ones: worth a remark, never a failure. */
bool remark_tls_other_public_root(const struct view *view, struct verdict *out)
{
	for (size_t i = 0; i < view->tried_count; i++) {
		const struct observation *tls = view->tried[i].tls;
		if (!tls || !tls->tls.root_public || tls->tls.root_service || view->report->run.service_roots_given)
			continue;
		out->status = STATUS_PASS;
		verdict_add_also(view, out,
				 arena_printf(view->report->arena,
					      "the certificate chain ends under the public root \"%s\", which is not "
					      "one of the service's "
					      "known roots",
					      tls->tls.root_subject ? tls->tls.root_subject : "unnamed"));
		return true;
	}
	return false;
}

/* ------------------------------------------------------------------ what is wrong with it */

static bool is_expired(const struct view *view, const struct tried *tried)
{
	(void)view;
	return verify_is(tried, "expired");
}

static bool is_not_yet_valid(const struct view *view, const struct tried *tried)
{
	(void)view;
	return verify_is(tried, "not_yet_valid");
}

static bool is_revoked(const struct view *view, const struct tried *tried)
{
	(void)view;
	return verify_is(tried, "revoked");
}

static bool is_wrong_name(const struct view *view, const struct tried *tried)
{
	(void)view;
	return broke_at_tls(tried) && handshake(tried)->failure == FAILURE_SSL_INVALID_HOSTNAME;
}

bool rule_tls_cert_expired(const struct view *view, struct verdict *out)
{
	return verdict_if_any(view, out, "tls_cert_expired", 0.85, is_expired);
}

bool rule_tls_cert_not_yet_valid(const struct view *view, struct verdict *out)
{
	return verdict_if_any(view, out, "tls_cert_not_yet_valid", 0.85, is_not_yet_valid);
}

bool rule_tls_revoked(const struct view *view, struct verdict *out)
{
	return verdict_if_any(view, out, "tls_revoked", 0.85, is_revoked);
}

/** The chain is good and names somebody else (RFC 6125 6.4). */
bool rule_tls_name_mismatch(const struct view *view, struct verdict *out)
{
	return verdict_if_any(view, out, "tls_name_mismatch", 0.85, is_wrong_name);
}

/* ------------------------------------------------------------------ answers that are no handshake */

static bool is_plain(const struct view *view, const struct tried *tried)
{
	(void)view;
	return broke_at_tls(tried) && handshake(tried)->tls.plain_reply;
}

bool rule_tls_plain_reply(const struct view *view, struct verdict *out)
{
	return verdict_if_any(view, out, "tls_plain_reply", 0.9, is_plain);
}

static bool is_handshake_refusal(const struct tried *tried)
{
	return broke_at_tls(tried) && handshake(tried)->failure == FAILURE_SSL_FAILED_HANDSHAKE &&
	       !handshake(tried)->tls.plain_reply;
}

static bool is_version_refused(const struct view *view, const struct tried *tried)
{
	(void)view;
	return is_handshake_refusal(tried) && (handshake(tried)->tls.alert == ALERT_PROTOCOL_VERSION ||
					       handshake(tried)->tls.alert_sent == ALERT_PROTOCOL_VERSION);
}

static bool is_no_cipher(const struct view *view, const struct tried *tried)
{
	(void)view;
	int alert = handshake(tried) ? handshake(tried)->tls.alert : NOT_MEASURED;
	/* after a ServerHello a cipher is agreed: then it is something else, such as a client certificate, that is refused */
	return is_handshake_refusal(tried) && handshake(tried)->tls.progress < TLS_SERVER_HELLO &&
	       (alert == ALERT_HANDSHAKE_FAILURE || alert == ALERT_INSUFFICIENT_SECURITY);
}

static bool is_other_refusal(const struct view *view, const struct tried *tried)
{
	return is_handshake_refusal(tried) && !is_version_refused(view, tried) && !is_no_cipher(view, tried);
}

bool rule_tls_version_refused(const struct view *view, struct verdict *out)
{
	return verdict_if_any(view, out, "tls_version_refused", 0.85, is_version_refused);
}

bool rule_tls_no_common_cipher(const struct view *view, struct verdict *out)
{
	return verdict_if_any(view, out, "tls_no_common_cipher", 0.8, is_no_cipher);
}

bool rule_tls_alert_other(const struct view *view, struct verdict *out)
{
	return verdict_if_any(view, out, "tls_alert_other", 0.8, is_other_refusal);
}

/* ------------------------------------------------------------------ cut and silent */

static bool was_closed(const struct tried *tried)
{
	return broke_at_tls(tried) &&
	       (handshake(tried)->failure == FAILURE_CONNECTION_RESET || handshake(tried)->failure == FAILURE_EOF);
}

static bool is_cut(const struct view *view, const struct tried *tried)
{
	(void)view;
	return was_closed(tried) && handshake(tried)->tls.progress >= TLS_SERVER_HELLO;
}

bool rule_tls_cut_mid_handshake(const struct view *view, struct verdict *out)
{
	return verdict_if_any(view, out, "tls_cut_mid_handshake", 0.8, is_cut);
}

static bool is_stalled(const struct view *view, const struct tried *tried)
{
	(void)view;
	return broke_at_tls(tried) && handshake(tried)->failure == FAILURE_TIMEOUT &&
	       handshake(tried)->tls.progress >= TLS_SERVER_HELLO;
}

/** A ServerHello came, and then nothing more: the rest was lost on the way, or held back. */
bool rule_tls_stalled_mid_handshake(const struct view *view, struct verdict *out)
{
	if (!verdict_if_any(view, out, "tls_cut_mid_handshake", 0.45, is_stalled))
		return false;
	verdict_add_not_run(view, out, "smaller segments");
	return true;
}

static bool is_hello_reset(const struct view *view, const struct tried *tried)
{
	(void)view;
	return was_closed(tried) && handshake(tried)->tls.progress == TLS_HELLO_SENT;
}

static bool is_hello_silent(const struct view *view, const struct tried *tried)
{
	(void)view;
	return broke_at_tls(tried) && handshake(tried)->failure == FAILURE_TIMEOUT &&
	       handshake(tried)->tls.progress < TLS_SERVER_HELLO && !handshake(tried)->tls.plain_reply;
}

/* Did another name complete its handshake on an address that failed here? Then the name makes the difference. */
static bool other_name_passed_there(const struct view *view, tried_is is)
{
	const struct observation_list *list = &view->report->observations;
	for (size_t i = 0; i < view->tried_count; i++) {
		const struct tried *tried = &view->tried[i];
		for (size_t k = 0; !view->proxied && is(view, tried) && k < list->count; k++) {
			const struct observation *other = list->items[k];
			if (other->op == OP_TLS_HANDSHAKE && other->tls.tuple.dst && other->tls.sni && tried->tls &&
			    tried->tls->tls.sni && strcmp(other->tls.tuple.dst, tried->attempt->address) == 0 &&
			    other->tls.tuple.dst_port == tried->attempt->port && tls_is_proven(view->report, other) &&
			    strcasecmp(other->tls.sni, tried->tls->tls.sni) != 0)
				return true;
		}
	}
	return false;
}

bool rule_tls_sni_reset(const struct view *view, struct verdict *out)
{
	return other_name_passed_there(view, is_hello_reset) &&
	       verdict_if_any(view, out, "tls_sni_reset", 0.85, is_hello_reset);
}

bool rule_tls_sni_dropped(const struct view *view, struct verdict *out)
{
	return other_name_passed_there(view, is_hello_silent) &&
	       verdict_if_any(view, out, "tls_sni_dropped", 0.85, is_hello_silent);
}

bool rule_tls_hello_reset_unlocated(const struct view *view, struct verdict *out)
{
	if (!verdict_if_any(view, out, "tls_hello_reset_unlocated", 0.5, is_hello_reset))
		return false;
	verdict_add_not_run(view, out, "another SNI on the same address");
	verdict_add_not_run(view, out, "TTL of the reset against the SYN-ACK's");
	return true;
}

bool rule_tls_hello_silent_unlocated(const struct view *view, struct verdict *out)
{
	if (!verdict_if_any(view, out, "tls_hello_silent_unlocated", 0.5, is_hello_silent))
		return false;
	verdict_add_not_run(view, out, "another SNI on the same address");
	verdict_add_not_run(view, out, "smaller segments");
	verdict_add_not_run(view, out, "path walk by TTL for the hello");
	return true;
}
