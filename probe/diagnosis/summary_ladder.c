/* The contrasts of the TLS ladder and of packet sizes, as a finding's summary tells them. */

#include <string.h>

#include "probe/core/arena.h"
#include "probe/diagnosis/ladder_view.h"
#include "probe/diagnosis/parts.h"

static const struct observation *shown(const struct finding *finding, enum op op, const char *experiment)
{
	for (size_t i = 0; i < finding->evidence.count; i++) {
		const struct observation *one = finding->evidence.items[i];
		if (one->op == op && text_equal(one->experiment, experiment))
			return one;
	}
	return NULL;
}

static bool was_answered(const struct observation *one)
{
	return one->tls.progress >= TLS_SERVER_HELLO || one->tls.alert >= 0;
}

/* The handshake that fared better: by an experiment, or another target's own. */
static const struct observation *that_passed(const struct finding *finding)
{
	for (size_t i = 0; i < finding->evidence.count; i++)
		if (finding->evidence.items[i]->op == OP_TLS_HANDSHAKE && was_answered(finding->evidence.items[i]))
			return finding->evidence.items[i];
	const struct observation *other = shown(finding, OP_TLS_HANDSHAKE, "tls_other_name");
	return other ? other : shown(finding, OP_TLS_HANDSHAKE, "tls_no_sni");
}

static const char *by_name_in_words(struct arena *arena, const struct finding *finding)
{
	const struct observation *passed = that_passed(finding);
	if (!passed)
		return "";
	const char *how = was_answered(passed) ? "is answered there" : "arrives there, as this one never does";
	if (!passed->tls.sni)
		return arena_printf(arena, "; without a name the same hello %s", how);
	return arena_printf(arena, "; with the name %s the same hello %s", passed->tls.sni, how);
}

static const char *any_in_words(struct arena *arena, const struct finding *finding)
{
	const struct observation *other = shown(finding, OP_TLS_HANDSHAKE, "tls_other_name");
	const struct observation *junk = shown(finding, OP_TCP_CONNECT, "junk_byte");
	const char *as = junk && junk->tcp.first_bytes ? "answered" : "let through";
	return arena_printf(arena, "; hellos %s%s%s fare no better, and bytes that are no TLS are %s",
			    other && other->tls.sni ? "with the name " : "",
			    other && other->tls.sni ? other->tls.sni : "with other names", " or without any", as);
}

static const char *size_in_words(struct arena *arena, const struct finding *finding)
{
	struct packet_limit limit;
	if (!packet_limit_shown(&finding->evidence, &limit))
		return "";
	bool exact = packet_limit_is_exact(&limit);
	return arena_printf(arena, "; packets of up to %d bytes pass, %s vanish, and no router says so",
			    packet_limit_bytes(&limit), exact ? "larger ones" : "those above a larger size");
}

const char *ladder_in_words(const struct report *report, const struct finding *finding)
{
	struct arena *arena = report->arena;
	const char *contrast = "";
	if (strncmp(finding->cause, "tls_sni_", strlen("tls_sni_")) == 0)
		contrast = by_name_in_words(arena, finding);
	else if (text_equal(finding->cause, "tls_any_hello_killed"))
		contrast = any_in_words(arena, finding);
	else if (strncmp(finding->cause, "ip_pmtu_", strlen("ip_pmtu_")) == 0)
		contrast = size_in_words(arena, finding);
	else if (text_equal(finding->cause, "tls_large_hello_killed"))
		contrast = "; the usual hello, in one packet, is answered there";
	else if (text_equal(finding->cause, "tls_timeout_after_hello"))
		contrast = "; what is sent is acknowledged there, and neither name nor size nor version of the hello "
			   "makes a difference";
	return contrast;
}
