#include "probe/diagnosis/proxy_reply.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "probe/core/text.h"

bool proxy_method_is(const struct proxy_exchange *proxy, const char *method)
{
	return proxy->method && strcmp(proxy->method, method) == 0;
}

bool text_has(const char *text, const char *part)
{
	return text && text_find_nocase(text, part) != NULL;
}

static bool has_any(const char *text, const char *const *parts)
{
	for (; *parts; parts++)
		if (text_has(text, *parts))
			return true;
	return false;
}

/* The squid error's name and the errno of its connect() ("ERR_CONNECT_FAIL 111"), or NULL. */
static const char *squid_error(const struct proxy_exchange *proxy)
{
	return header_find(&proxy->headers, "x-squid-error");
}

bool proxy_reply_is_html(const struct proxy_exchange *proxy)
{
	return text_has(header_find(&proxy->headers, "content-type"), "html") || text_has(proxy->body_head, "<html") ||
	       text_has(proxy->body_head, "<!doctype html");
}

/* ------------------------------------------------------------------ whose word */

enum proxy_mark proxy_mark_of(const struct proxy_exchange *proxy)
{
	static const char *const servers[] = {"squid",	  "proxy",   "bluecoat",  "blue coat",	 "mcafee",   "zscaler",
					      "websense", "sophos",  "barracuda", "forcepoint",	 "fortinet", "ironport",
					      "privoxy",  "wingate", "kerio",	  "web gateway", NULL};
	static const char *const pages[] = {"squid",	   "tinyproxy", "privoxy",    "bluecoat",   "blue coat",
					    "zscaler",	   "websense",	"forcepoint", "squidguard", "e2guardian",
					    "web gateway", "ironport",	NULL};
	if (proxy->method && !proxy_method_is(proxy, "GET"))
		return MARK_OWN;
	if (proxy->status == 407) /* whoever asked is a proxy of ours (RFC 9110 15.5.8) */
		return MARK_OWN;
	if (squid_error(proxy) || header_find(&proxy->headers, "proxy-agent") ||
	    has_any(header_find(&proxy->headers, "server"), servers) || has_any(proxy->body_head, pages))
		return MARK_OWN;
	return header_find(&proxy->headers, "via") ? MARK_PASSED_ON : MARK_NONE;
}

/* ------------------------------------------------------------------ what is behind it */

/* Linux, BSD and Windows number their errors each in their own way. */
static enum upstream upstream_of_errno(long code)
{
	static const long timed_out[] = {110, 60, 10060};
	static const long refused[] = {111, 61, 10061, 113, 65, 10065, 101, 51, 10051};
	for (size_t i = 0; i < sizeof(timed_out) / sizeof(timed_out[0]); i++)
		if (code == timed_out[i])
			return UPSTREAM_TIMED_OUT;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (code == refused[i])
			return UPSTREAM_REFUSED;
	return UPSTREAM_NOT_CONNECTED;
}

static enum upstream upstream_of_squid(const char *error)
{
	static const char connect_fail[] = "ERR_CONNECT_FAIL";
	const char *fail = strstr(error, connect_fail);
	if (text_has(error, "ERR_DNS_FAIL"))
		return UPSTREAM_NO_NAME;
	if (fail)
		return upstream_of_errno(strtol(fail + sizeof(connect_fail) - 1, NULL, 10));
	if (text_has(error, "TIMEOUT"))
		return UPSTREAM_TIMED_OUT;
	return text_has(error, "ERR_CANNOT_FORWARD") ? UPSTREAM_NAME_DOUBTFUL : UPSTREAM_UNSAID;
}

/* Headers in which proxies give a reason (RFC 9209, RFC 9111 5.5, X-...-Error). */
static bool is_telling(const char *name)
{
	return strcmp(name, "proxy-status") == 0 || strcmp(name, "warning") == 0 || strstr(name, "error");
}

static bool says(const struct proxy_exchange *proxy, const char *const *parts)
{
	for (size_t i = 0; i < proxy->headers.count; i++)
		if (proxy->headers.items[i].name && is_telling(proxy->headers.items[i].name) &&
		    has_any(proxy->headers.items[i].value, parts))
			return true;
	return has_any(proxy->body_head, parts);
}

/* "DNS" as a word of its own, not as a part of a host's name. */
static bool has_word_dns(const char *text)
{
	const char *at = text ? text_find_nocase(text, "dns") : NULL;
	for (; at; at = text_find_nocase(at + 3, "dns")) {
		bool begins = at == text || (!isalnum((unsigned char)at[-1]) && !strchr(".-", at[-1]));
		bool in_name = isalnum((unsigned char)at[3]) || at[3] == '-' ||
			       (at[3] == '.' && isalnum((unsigned char)at[4]));
		if (begins && !in_name)
			return true;
	}
	return false;
}

static bool says_no_name(const struct proxy_exchange *proxy)
{
	static const char *const marks[] = {"dns error",
					    "dns_error",
					    "dns fail",
					    "dns_fail",
					    "dns lookup",
					    "dns_timeout",
					    "dns timeout",
					    "dns resolution",
					    "dns_unresolved",
					    "dns_server_failure",
					    "nxdomain",
					    "servfail",
					    "name resolution",
					    "not resolve",
					    "t resolve",
					    "unable to resolve host",
					    "failed to resolve",
					    "not be resolved",
					    "resolve host",
					    "name or service not known",
					    "host not found",
					    "host was not found",
					    "no such host",
					    "no such domain",
					    "unknown host",
					    "unknown_host",
					    "destination_not_found",
					    "getaddrinfo",
					    NULL};
	return says(proxy, marks);
}

static enum upstream upstream_of_words(const struct proxy_exchange *proxy)
{
	static const char *const timed_out[] = {"timed out", "timeout", "time-out", "time out", "in time", NULL};
	static const char *const refused[] = {
		"refused", "unreachable", "unroutable", "no route to host", "destination_unavailable", NULL};
	static const char *const failed[] = {
		"unable to connect", "could not connect", "cannot connect",	   "can't connect",
		"connect failed",    "connection failed", "connect to the server", NULL};
	static const char *const either[] = {"or connection failed", NULL}; /* 3proxy says both in one */
	bool no_name = says_no_name(proxy);
	if (no_name && !says(proxy, either))
		return UPSTREAM_NO_NAME;
	if (says(proxy, refused))
		return UPSTREAM_REFUSED;
	if (says(proxy, timed_out))
		return UPSTREAM_TIMED_OUT;
	if (no_name || has_word_dns(proxy->body_head))
		return UPSTREAM_NAME_DOUBTFUL;
	return says(proxy, failed) ? UPSTREAM_NOT_CONNECTED : UPSTREAM_UNSAID;
}

enum upstream proxy_upstream(const struct proxy_exchange *proxy)
{
	const char *error = squid_error(proxy);
	enum upstream by_squid = error ? upstream_of_squid(error) : UPSTREAM_UNSAID;
	return by_squid == UPSTREAM_UNSAID ? upstream_of_words(proxy) : by_squid;
}
