#include <string.h>
#include <strings.h>

#include "probe/core/arena.h"
#include "probe/core/text.h"
#include "probe/diagnosis/dns_view.h"
#include "probe/diagnosis/rules.h"
#include "probe/diagnosis/tls_tried.h"

/*
 * Table S, certificates. Interception is asked before any other complaint: a foreign certificate explains all of its own faults.
 */

enum { CLOCK_LIMIT_MS = 5 * 60 * 1000, CLOCK_WITNESSES = 2 };

static bool verify_is(const struct tried *tried, const char *word)
{
	const struct observation *tls = tls_handshake_of(tried);
	return tls_broke(tried) && tls->tls.verify && strcmp(tls->tls.verify, word) == 0;
}

/* ------------------------------------------------------------------ whose certificate */

/* Do both chains end at the same issuer? */
static bool same_issuer(const struct tls_handshake *a, const struct tls_handshake *b)
{
	return a->chain_count && b->chain_count &&
	       tls_same_text(a->chain[a->chain_count - 1].issuer, b->chain[b->chain_count - 1].issuer);
}

/* The root is known even where the chain is refused for its dates: whose work it is comes before what is wrong with it. */
static bool is_intercepted_trusted(const struct view *view, const struct tried *tried)
{
	return tried->tls && tried->tls->tls.chain_count && tls_root_is_foreign(view->report, &tried->tls->tls);
}

/* Is the missing issuer of this chain a CA certificate that another, verified chain of this run brought along? */
static bool issuer_seen_verified(const struct view *view, const struct certificate *last)
{
	const struct observation_list *list = &view->report->observations;
	for (size_t i = 0; i < list->count; i++) {
		const struct tls_handshake *other = &list->items[i]->tls;
		if (list->items[i]->op != OP_TLS_HANDSHAKE || !tls_is_proven(view->report, list->items[i]))
			continue;
		for (size_t k = 0; k < other->chain_count; k++)
			if (other->chain[k].is_ca && tls_same_text(other->chain[k].subject, last->issuer))
				return true;
	}
	return false;
}

/* Does the issuer belong to the house that issues the verified chains of this run? */
static bool is_kin_of_verified(const struct view *view, const struct certificate *last)
{
	const struct observation_list *list = &view->report->observations;
	for (size_t i = 0; i < list->count; i++) {
		const struct tls_handshake *other = &list->items[i]->tls;
		if (list->items[i]->op != OP_TLS_HANDSHAKE || !tls_is_proven(view->report, list->items[i]))
			continue;
		for (size_t k = 0; k < other->chain_count; k++)
			if (tls_same_text(other->chain[k].issuer_o, last->issuer_o))
				return true;
	}
	return false;
}

/* How many other names show a chain that ends in the same unknown issuer? */
static size_t same_elsewhere(const struct view *view, const struct tls_handshake *tls)
{
	const struct observation_list *list = &view->report->observations;
	size_t same = 0;
	for (size_t i = 0; i < list->count; i++) {
		const struct observation *other = list->items[i];
		if (other->op == OP_TLS_HANDSHAKE && !observation_is_of_decision(other) && other->tls.sni && tls->sni &&
		    strcasecmp(other->tls.sni, tls->sni) != 0 && !tls_is_proven(view->report, other) &&
		    !text_equal(other->tls.system_verify, "ok"))
			same += same_issuer(&other->tls, tls);
	}
	return same;
}

/* Did the same name show another leaf, and a good chain, on another way of this run? */
static bool is_good_elsewhere(const struct view *view, const struct tls_handshake *tls)
{
	const struct observation_list *list = &view->report->observations;
	for (size_t i = 0; i < list->count; i++) {
		const struct observation *other = list->items[i];
		if (other->op == OP_TLS_HANDSHAKE && other->tls.sni && tls->sni &&
		    strcasecmp(other->tls.sni, tls->sni) == 0 && tls_is_proven(view->report, other) &&
		    other->tls.chain_count && !text_equal(other->tls.chain[0].issuer, tls->chain[0].issuer))
			return true;
	}
	return false;
}

static bool is_known_issuer(const struct certificate *certificate)
{
	static const char *const known[] = {"Microsoft Corporation", "DigiCert Inc", "DigiCert, Inc."};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (tls_same_text(certificate->issuer_o, known[i]))
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
		if (text_find_nocase(certificate->issuer, words[i]))
			return true;
	return false;
}

/* 0: this is not a missing intermediate; else how sure it is. A company's CAs say too where they can be fetched, but only public ones put it
 * into a leaf that comes alone (RFC 5280 4.2.2.1). */
static double intermediate_confidence(const struct view *view, const struct tls_handshake *tls)
{
	if (!tls->chain_count)
		return 0;
	const struct certificate *last = &tls->chain[tls->chain_count - 1];
	if (issuer_seen_verified(view, last))
		return 0.9;
	if (names_an_inspector(last) ||
	    (is_good_elsewhere(view, tls) && !is_known_issuer(last) && !is_kin_of_verified(view, last)))
		return 0;
	bool public_leaf = tls->chain_count == 1 && tls->chain[0].has_aia;
	if (public_leaf || is_known_issuer(last))
		return same_elsewhere(view, tls) || tls->chain_count > 1 ? 0.6 : 0.7;
	return tls->chain_count == 1 && is_kin_of_verified(view, last) ? 0.5 : 0;
}

static bool is_intermediate_missing(const struct view *view, const struct tried *tried)
{
	return verify_is(tried, "issuer_missing") && intermediate_confidence(view, &tls_handshake_of(tried)->tls) > 0;
}

/** The chain ends too early, and its issuer is not unknown: another chain of this run has it, or the leaf says where to fetch it. */
bool rule_tls_intermediate_missing(const struct view *view, struct verdict *out)
{
	for (size_t i = 0; i < view->tried_count; i++) {
		if (!is_intermediate_missing(view, &view->tried[i]))
			continue;
		double confidence = intermediate_confidence(view, &tls_handshake_of(&view->tried[i])->tls);
		tls_if_any(view, out, "tls_intermediate_missing", confidence, is_intermediate_missing);
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

/* ------------------------------------------------------------------ a public root that this server lacks */

static bool lacks_anchor(const struct tls_handshake *tls)
{
	static const char *const ours[] = {"issuer_missing", "self_signed_root", NULL};
	static const char *const systems[] = {"untrusted_root", "issuer_missing", NULL};
	return text_is_one_of(tls->verify, ours) && text_is_one_of(tls->system_verify, systems);
}

static bool brings_service_root(const struct report *report, const struct tls_handshake *tls)
{
	for (size_t i = 0; i < tls->chain_count; i++)
		for (size_t k = 0; k < report->run.service_roots.count; k++)
			if (tls_same_text(tls->chain[i].sha256, report->run.service_roots.items[k]))
				return true;
	return false;
}

/* By the names alone, which anybody can write. */
static bool names_public_root(const struct tls_handshake *tls)
{
	if (tls->chain_count < 2)
		return false;
	const struct certificate *last = &tls->chain[tls->chain_count - 1];
	return last->is_ca && is_known_issuer(last) && !names_an_inspector(last) && last->issuer_cn &&
	       text_find_nocase(last->issuer_cn, "root");
}

static bool is_root_missing(const struct view *view, const struct tried *tried)
{
	const struct observation *tls = tls_handshake_of(tried);
	return tls_broke(tried) && lacks_anchor(&tls->tls) &&
	       (brings_service_root(view->report, &tls->tls) || names_public_root(&tls->tls));
}

/** The chain leads to a root of the service that neither this server's stores nor the system's own engine have, which would have fetched it. */
bool rule_host_root_ca_missing(const struct view *view, struct verdict *out)
{
	bool proven = false;
	for (size_t i = 0; i < view->tried_count; i++)
		proven |= is_root_missing(view, &view->tried[i]) &&
			  brings_service_root(view->report, &tls_handshake_of(&view->tried[i])->tls);
	if (!verdict_if_any(view, out, "host_root_ca_missing", proven ? 0.85 : 0.6, is_root_missing))
		return false;
	verdict_add_not_run(view, out, "the list of roots that Windows fetches (ctldl.windowsupdate.com)");
	return true;
}

/* ------------------------------------------------------------------ devices, inspectors */

/* In a name that is not the target's: a device's own page. One made for the name may be an inspector's. */
static bool is_appliance(const struct view *view, const struct tried *tried)
{
	return is_self_signed(view, tried) && !tls_handshake_of(tried)->tls.name_matches;
}

/** One certificate that signed itself: an appliance's own page, not a CA's work. */
bool rule_tls_self_signed_appliance(const struct view *view, struct verdict *out)
{
	return tls_if_any(view, out, "tls_self_signed_appliance", 0.85, is_appliance) ||
	       tls_if_any(view, out, "tls_self_signed_appliance", 0.6, is_self_signed);
}

/* Trusted by the user who ran this: an account that has it in a store of its own is not such a one. */
static bool is_trusted_by_user_alone(const struct view *view, const struct tried *tried)
{
	bool as_system = view->path->identity == IDENTITY_SYSTEM && view->identity && view->identity->mode == MODE_RUN;
	return !as_system && is_intercepted_trusted(view, tried) && text_equal(tried->tls->tls.root_store, "user");
}

/** The same, and the authority is in the user's own store, where LocalSystem does not look. */
bool rule_tls_intercepted_trusted_user_only(const struct view *view, struct verdict *out)
{
	return verdict_if_any(view, out, "tls_intercepted_trusted_user_only", 0.9, is_trusted_by_user_alone);
}

/** The chain is trusted here, and its root is neither the service's nor public: something opens TLS and signs anew. */
bool rule_tls_intercepted_trusted(const struct view *view, struct verdict *out)
{
	return verdict_if_any(view, out, "tls_intercepted_trusted", 0.9, is_intercepted_trusted);
}

static bool is_untrusted(const struct view *view, const struct tried *tried)
{
	return tls_broke(tried) && tls_handshake_of(tried)->failure == FAILURE_SSL_UNKNOWN_AUTHORITY &&
	       tls_handshake_of(tried)->tls.chain_count && !is_self_signed(view, tried) &&
	       !is_intermediate_missing(view, tried);
}

/* Between us and the target, that is; a proxy may have a certificate of its own house. */
static bool is_intercepted_untrusted(const struct view *view, const struct tried *tried)
{
	return is_untrusted(view, tried) && !tls_with_proxy_broke(tried);
}

/** The chain ends in a CA that no store here knows. Several names under the same one make it certain. */
bool rule_tls_intercepted_untrusted(const struct view *view, struct verdict *out)
{
	for (size_t i = 0; i < view->tried_count; i++) {
		if (!is_intercepted_untrusted(view, &view->tried[i]))
			continue;
		const struct tls_handshake *tls = &tls_handshake_of(&view->tried[i])->tls;
		double alone = text_equal(tls->verify, "self_signed_root") ? 0.8 : 0.55;
		bool contrast = same_elsewhere(view, tls) || is_good_elsewhere(view, tls);
		return verdict_if_any(view, out, "tls_intercepted_untrusted", contrast ? 0.9 : alone,
				      is_intercepted_untrusted);
	}
	return false;
}

/** The proxy's own certificate is from a CA that no store here knows: the CA is missing here, whatever signs behind it. */
bool rule_tls_proxy_untrusted(const struct view *view, struct verdict *out)
{
	if (!tls_if_any(view, out, "tls_intercepted_untrusted", 0.4, is_untrusted))
		return false;
	verdict_add_also(view, out, "this is the certificate of the proxy itself");
	return true;
}

/* Verification failed in a way that has no cause of its own (a weak key or signature, a forbidden use ...). */
static bool is_unfit(const struct view *view, const struct tried *tried)
{
	(void)view;
	return tls_broke(tried) && tls_handshake_of(tried)->failure == FAILURE_SSL_INVALID_CERTIFICATE &&
	       tls_handshake_of(tried)->tls.verify && strncmp(tls_handshake_of(tried)->tls.verify, "other", 5) == 0;
}

/** No public CA makes such a chain: nearest to somebody who signs anew. */
bool rule_tls_unfit_chain(const struct view *view, struct verdict *out)
{
	if (!tls_if_any(view, out, "tls_intercepted_untrusted", 0.3, is_unfit))
		return false;
	verdict_add_not_run(view, out, "the same certificate seen by another way");
	return true;
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

/* When the chain was judged, by the servers' clocks where they tell; 0: not known. */
static int64_t judged_at_s(const struct report *report, const struct tls_handshake *tls)
{
	bool told = report->host.clock_witnesses >= CLOCK_WITNESSES;
	return tls->verified_at_s <= 0 ? 0 : tls->verified_at_s - (told ? report->host.clock_offset_ms / 1000 : 0);
}

/* OpenSSL names the first certificate that is out of date; of a leaf that has expired and an issuer that is younger than this clock, the leaf is
 * beyond doubt: no clock makes both valid. */
static bool date_is(const struct view *view, const struct tried *tried, const char *word)
{
	if (!verify_is(tried, "expired") && !verify_is(tried, "not_yet_valid"))
		return false;
	const struct tls_handshake *tls = &tls_handshake_of(tried)->tls;
	int64_t at_s = judged_at_s(view->report, tls);
	bool over = false, early = false;
	for (size_t i = 0; at_s && i < tls->chain_count; i++) {
		over |= tls->chain[i].not_after_s > 0 && at_s > tls->chain[i].not_after_s;
		early |= tls->chain[i].not_after_s > 0 && at_s < tls->chain[i].not_before_s;
	}
	return over || early ? strcmp(word, over ? "expired" : "not_yet_valid") == 0 : verify_is(tried, word);
}

static bool is_expired(const struct view *view, const struct tried *tried)
{
	return date_is(view, tried, "expired");
}

static bool is_not_yet_valid(const struct view *view, const struct tried *tried)
{
	return date_is(view, tried, "not_yet_valid");
}

static bool is_revoked(const struct view *view, const struct tried *tried)
{
	(void)view;
	return verify_is(tried, "revoked");
}

static bool is_wrong_name(const struct view *view, const struct tried *tried)
{
	(void)view;
	return tls_broke(tried) && tls_handshake_of(tried)->failure == FAILURE_SSL_INVALID_HOSTNAME;
}

/* The clock comes before certificates: was this server's own found right by another machine's, or are those of several known? */
static bool clock_is_known(const struct report *report)
{
	int64_t offset_ms = report->host.clock_offset_ms;
	return report->host.clock_witnesses >= CLOCK_WITNESSES ||
	       (report->host.clock_witnesses > 0 && offset_ms <= CLOCK_LIMIT_MS && offset_ms >= -CLOCK_LIMIT_MS);
}

static bool out_of_date(const struct view *view, struct verdict *out, const char *cause, tried_is is)
{
	bool sure = clock_is_known(view->report);
	if (!tls_if_any(view, out, cause, sure ? 0.85 : 0.5, is))
		return false;
	if (!sure)
		verdict_add_not_run(view, out, "this server's clock against another's");
	return true;
}

bool rule_tls_cert_expired(const struct view *view, struct verdict *out)
{
	return out_of_date(view, out, "tls_cert_expired", is_expired);
}

bool rule_tls_cert_not_yet_valid(const struct view *view, struct verdict *out)
{
	return out_of_date(view, out, "tls_cert_not_yet_valid", is_not_yet_valid);
}

bool rule_tls_revoked(const struct view *view, struct verdict *out)
{
	return tls_if_any(view, out, "tls_revoked", 0.85, is_revoked);
}

/** The chain is good and names somebody else (RFC 6125 6.4). */
bool rule_tls_name_mismatch(const struct view *view, struct verdict *out)
{
	return tls_if_any(view, out, "tls_name_mismatch", 0.85, is_wrong_name);
}
