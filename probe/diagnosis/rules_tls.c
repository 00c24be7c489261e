#include "probe/diagnosis/rules.h"
#include "probe/diagnosis/tls_tried.h"

/* Table S, the handshake itself; rules_tls_ladder.c has what becomes of hellos, rules_tls_certificate.c what certificates prove. */

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
