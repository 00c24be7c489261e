/* Helper functions that look at texts alone (wininet.md 4.3). */
#include "probe/settings/pac_inside.h"

#include <string.h>

static bool is_suffix(struct pac_word text, struct pac_word suffix)
{
	return text.length >= suffix.length &&
	       memcmp(text.bytes + text.length - suffix.length, suffix.bytes, suffix.length) == 0;
}

/* A colon stands only in an IPv6 literal, which is no plain name. */
void pac_is_plain_host_name(duk_context *duk, duk_idx_t count)
{
	struct pac_word host = pac_text_argument(duk, 0, count);
	duk_push_boolean(duk, !memchr(host.bytes, '.', host.length) && !memchr(host.bytes, ':', host.length));
}

/* A plain suffix, with case and without regard to labels: "notx.com" is in "x.com". */
void pac_dns_domain_is(duk_context *duk, duk_idx_t count)
{
	struct pac_word host = pac_text_argument(duk, 0, count), domain = pac_text_argument(duk, 1, count);
	duk_push_boolean(duk, is_suffix(host, domain));
}

void pac_local_host_or_domain_is(duk_context *duk, duk_idx_t count)
{
	struct pac_word host = pac_argument(duk, 0, count), whole = pac_text_argument(duk, 1, count);
	bool begins = whole.length >= host.length && memcmp(whole.bytes, host.bytes, host.length) == 0;
	duk_push_boolean(duk, begins && (whole.length == host.length || whole.bytes[host.length] == '.'));
}

void pac_dns_domain_levels(duk_context *duk, duk_idx_t count)
{
	struct pac_word host = pac_text_argument(duk, 0, count);
	unsigned dots = 0;
	for (size_t i = 0; i < host.length; i++)
		dots += host.bytes[i] == '.';
	duk_push_uint(duk, dots);
}

/* Bytes of the character that begins at; what follows a first byte has its two highest bits as 10. */
static size_t character_bytes(struct pac_word text, size_t at)
{
	size_t bytes = 1;
	while (at + bytes < text.length && ((unsigned char)text.bytes[at + bytes] & 0xC0) == 0x80)
		bytes++;
	return bytes;
}

/* The whole text against the pattern: '*' is any run, '?' one character, all else itself. A later star makes earlier ones final. */
static bool matches(struct pac_word text, struct pac_word pattern)
{
	size_t at = 0, in = 0, star = pattern.length, retry = 0;
	while (at < text.length) {
		char wanted = '\0';
		bool more = in < pattern.length;
		if (more)
			wanted = pattern.bytes[in];
		if (more && wanted == '*') {
			star = in++;
			retry = at;
		} else if (more && wanted == '?') {
			in++;
			at += character_bytes(text, at);
		} else if (more && wanted == text.bytes[at]) {
			in++;
			at++;
		} else if (star < pattern.length) {
			in = star + 1;
			retry += character_bytes(text, retry);
			at = retry;
		} else {
			return false;
		}
	}
	while (in < pattern.length && pattern.bytes[in] == '*')
		in++;
	return in == pattern.length;
}

/* Chromium and Mozilla make a regular expression of it and forget to escape most; Windows is taken to match text. The first argument may be
 * null, as in shExpMatch(dnsResolve(host), "10.*"): the text is "null" then, as theirs is. */
void pac_sh_exp_match(duk_context *duk, duk_idx_t count)
{
	struct pac_word text = pac_argument(duk, 0, count), pattern = pac_text_argument(duk, 1, count);
	duk_push_boolean(duk, matches(text, pattern));
}

/* Never fails, whatever it is given; the text goes to the trace. */
void pac_alert(duk_context *duk, duk_idx_t count)
{
	if (count > 0 && duk_is_object(duk, 0))
		(void)duk_safe_to_lstring(duk, 0, NULL);
	duk_push_undefined(duk);
}

/* Microsoft's text gives the number only; Chromium makes it a text. Both compare alike with 1.0 and "1.0". */
void pac_get_client_version(duk_context *duk, duk_idx_t count)
{
	(void)count;
	duk_push_string(duk, "1.0");
}
