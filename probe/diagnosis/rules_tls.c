#include <string.h>
#include <strings.h>

#include "probe/diagnosis/rules.h"
#include "probe/diagnosis/tls_tried.h"

/* Table S, the handshake itself; rules_tls_certificate.c has what certificates prove. */

enum { ALERT_HANDSHAKE_FAILURE = 40, ALERT_PROTOCOL_VERSION = 70, ALERT_INSUFFICIENT_SECURITY = 71 }; /* RFC 8446 6 */

/* ------------------------------------------------------------------ answers that are no handshake */

static bool is_plain(const struct view *view, const struct tried *tried)
{
	(void)view;
	return tls_broke(tried) && tls_handshake_of(tried)->tls.plain_reply;
}

bool rule_tls_plain_reply(const struct view *view, struct verdict *out)
{
	return tls_if_any(view, out, "tls_plain_reply", 0.9, is_plain);
}

static bool is_handshake_refusal(const struct tried *tried)
{
	return tls_broke(tried) && tls_handshake_of(tried)->failure == FAILURE_SSL_FAILED_HANDSHAKE &&
	       !tls_handshake_of(tried)->tls.plain_reply;
}

/* It says so, or chose a version that we had not offered. */
static bool is_version_refused(const struct view *view, const struct tried *tried)
{
	(void)view;
	if (!is_handshake_refusal(tried))
		return false;
	const struct tls_handshake *tls = &tls_handshake_of(tried)->tls;
	bool old = tls_same_text(tls->version, "TLSv1") || tls_same_text(tls->version, "TLSv1.1") ||
		   tls_same_text(tls->version, "SSLv3");
	return tls->alert == ALERT_PROTOCOL_VERSION || tls->alert_sent == ALERT_PROTOCOL_VERSION ||
	       (old && tls->alert < 0);
}

/* Only as the answer to the hello: later the same alert refuses something else (a client certificate that is missing, RFC 5246 7.4.6). */
static bool is_no_cipher(const struct view *view, const struct tried *tried)
{
	(void)view;
	int alert = tls_handshake_of(tried) ? tls_handshake_of(tried)->tls.alert : NOT_MEASURED;
	return is_handshake_refusal(tried) && tls_handshake_of(tried)->tls.progress == TLS_HELLO_SENT &&
	       (alert == ALERT_HANDSHAKE_FAILURE || alert == ALERT_INSUFFICIENT_SECURITY);
}

static bool is_other_refusal(const struct view *view, const struct tried *tried)
{
	return is_handshake_refusal(tried) && !is_version_refused(view, tried) && !is_no_cipher(view, tried);
}

static bool is_other_alert(const struct view *view, const struct tried *tried)
{
	return is_other_refusal(view, tried) && tls_handshake_of(tried)->tls.alert >= 0;
}

bool rule_tls_version_refused(const struct view *view, struct verdict *out)
{
	return tls_if_any(view, out, "tls_version_refused", 0.85, is_version_refused);
}

bool rule_tls_no_common_cipher(const struct view *view, struct verdict *out)
{
	return tls_if_any(view, out, "tls_no_common_cipher", 0.8, is_no_cipher);
}

bool rule_tls_alert_other(const struct view *view, struct verdict *out)
{
	return tls_if_any(view, out, "tls_alert_other", 0.8, is_other_alert);
}

/** It was we who refused: the far end's bytes were no sound TLS. */
bool rule_tls_own_refusal(const struct view *view, struct verdict *out)
{
	return tls_if_any(view, out, "tls_alert_other", 0.5, is_other_refusal);
}

/* ------------------------------------------------------------------ cut and silent */

static bool was_closed(const struct tried *tried)
{
	return tls_broke(tried) && (tls_handshake_of(tried)->failure == FAILURE_CONNECTION_RESET ||
				    tls_handshake_of(tried)->failure == FAILURE_EOF);
}

static bool is_cut(const struct view *view, const struct tried *tried)
{
	(void)view;
	return was_closed(tried) && tls_handshake_of(tried)->tls.progress >= TLS_SERVER_HELLO;
}

bool rule_tls_cut_mid_handshake(const struct view *view, struct verdict *out)
{
	return tls_if_any(view, out, "tls_cut_mid_handshake", 0.8, is_cut);
}

/* The far end began to answer. Behind a proxy the socket's bytes do not tell: the reply to CONNECT is among them. */
static bool has_begun(const struct view *view, const struct tried *tried)
{
	const struct tls_handshake *tls = &tls_handshake_of(tried)->tls;
	return tls->progress >= TLS_SERVER_HELLO || (!view->proxied && tls->bytes_received > 0);
}

static bool is_stalled(const struct view *view, const struct tried *tried)
{
	return tls_broke(tried) && tls_handshake_of(tried)->failure == FAILURE_TIMEOUT &&
	       !tls_handshake_of(tried)->tls.plain_reply && has_begun(view, tried);
}

/** It began, and nothing more came: cut without a word, or its larger segments are lost. */
bool rule_tls_stalled_mid_handshake(const struct view *view, struct verdict *out)
{
	if (!tls_if_any(view, out, "tls_cut_mid_handshake", 0.45, is_stalled))
		return false;
	verdict_add_not_run(view, out, "smaller segments");
	return true;
}

static bool is_hello_reset(const struct view *view, const struct tried *tried)
{
	(void)view;
	return was_closed(tried) && tls_handshake_of(tried)->tls.progress == TLS_HELLO_SENT;
}

static bool is_hello_silent(const struct view *view, const struct tried *tried)
{
	return tls_broke(tried) && tls_handshake_of(tried)->failure == FAILURE_TIMEOUT &&
	       !tls_handshake_of(tried)->tls.plain_reply && !has_begun(view, tried);
}

/* Another name that completed its handshake at the address of this attempt; NULL: none. */
static const struct observation *other_name_passed(const struct view *view, const struct tried *tried)
{
	const struct observation_list *list = &view->report->observations;
	const struct tls_handshake *tls = &tls_handshake_of(tried)->tls;
	for (size_t i = 0; tls->sni && i < list->count; i++) {
		const struct observation *other = list->items[i];
		if (other->op == OP_TLS_HANDSHAKE && other->failure == FAILURE_NONE && other->tls.sni &&
		    !text_equal(other->tls.peer, "proxy") &&
		    tls_same_text(other->tls.tuple.dst, tried->attempt->address) &&
		    other->tls.tuple.dst_port == tried->attempt->port && strcasecmp(other->tls.sni, tls->sni) != 0)
			return other;
	}
	return NULL;
}

/* The same address, another name, and it passes: then the name makes the difference. */
static bool by_name(const struct view *view, struct verdict *out, const char *cause, tried_is is)
{
	const struct observation *passed = NULL;
	for (size_t i = 0; !view->proxied && !passed && i < view->tried_count; i++)
		if (is(view, &view->tried[i]))
			passed = other_name_passed(view, &view->tried[i]);
	if (!passed || !verdict_if_any(view, out, cause, 0.85, is))
		return false;
	verdict_add_evidence(view, out, passed);
	return true;
}

bool rule_tls_sni_reset(const struct view *view, struct verdict *out)
{
	return by_name(view, out, "tls_sni_reset", is_hello_reset);
}

bool rule_tls_sni_dropped(const struct view *view, struct verdict *out)
{
	return by_name(view, out, "tls_sni_dropped", is_hello_silent);
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
