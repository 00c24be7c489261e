#include "probe/plan/proxy_contrasts.h"

#include <string.h>
#include <strings.h>

#include "probe/core/address.h"

enum { PORT_HTTP = 80, PORT_HTTPS = 443 };

const char *proxy_contrast_text(enum proxy_contrast contrast)
{
	switch (contrast) {
	case PROXY_CONTROL:
		return "proxy_control";
	case PROXY_TLS:
		return "proxy_tls";
	case PROXY_OTHER_TARGET:
		return "proxy_other_target";
	case PROXY_OTHER_PORT:
		return "proxy_other_port";
	case PROXY_ADDRESS:
		return "proxy_address";
	case PROXY_CONTRASTS:
		break;
	}
	return NULL;
}

static bool is_late(const struct proxy_known *known, const struct proxy_request *request)
{
	return known->now_us - request->since_us >= known->patience_us;
}

static bool waits_long(const struct proxy_known *known, const struct proxy_request *request)
{
	return request->outcome == PROXY_WAITS && is_late(known, request);
}

static bool speaks_http(const struct proxy_known *known)
{
	return known->scheme == VIA_HTTP || known->scheme == VIA_HTTPS;
}

/* The first request that ended so; NULL: none. */
static const struct proxy_request *first_with(const struct proxy_known *known, enum proxy_outcome outcome)
{
	for (size_t i = 0; i < known->count; i++)
		if (known->requests[i].outcome == outcome)
			return &known->requests[i];
	return NULL;
}

static const struct proxy_request *first_late(const struct proxy_known *known)
{
	for (size_t i = 0; i < known->count; i++)
		if (waits_long(known, &known->requests[i]))
			return &known->requests[i];
	return NULL;
}

static bool has_answered(const struct proxy_known *known)
{
	for (size_t i = 0; i < known->count; i++)
		if (known->requests[i].outcome > PROXY_NO_REPLY)
			return true;
	return false;
}

/* Silence to everything: is it dead, or does it wait for what is behind it? */
static bool wants_control(const struct proxy_known *known, struct proxy_wish *out)
{
	if (!speaks_http(known) || has_answered(known) || !first_late(known))
		return false;
	out->host = NULL;
	return true;
}

/* Nothing that a proxy says came from it yet: perhaps it would speak inside TLS. */
static bool wants_tls(const struct proxy_known *known, struct proxy_wish *out)
{
	const struct proxy_request *failed = first_with(known, PROXY_NO_REPLY);
	for (size_t i = 0; i < known->count; i++)
		if (known->requests[i].outcome > PROXY_SAYS_OTHER)
			return false;
	if (!failed)
		failed = first_with(known, PROXY_SAYS_OTHER);
	if (!failed)
		failed = first_late(known);
	if (known->scheme != VIA_HTTP || !failed)
		return false;
	out->host = failed->host;
	out->port = failed->port;
	return true;
}

static bool is_asked_for(const struct proxy_known *known, const char *host)
{
	for (size_t i = 0; i < known->count; i++)
		if (strcasecmp(known->requests[i].host, host) == 0)
			return true;
	return false;
}

/* A tunnel that carries nothing, and no other tunnel of this run that could tell whether it is the tunnel or the name. */
static bool wants_other_target(const struct proxy_known *known, struct proxy_wish *out)
{
	const struct proxy_request *dead = NULL;
	for (size_t i = 0; i < known->count; i++) {
		const struct proxy_request *one = &known->requests[i];
		bool silent = one->outcome == PROXY_TUNNEL_OPEN && is_late(known, one);
		if (!one->tunnel)
			continue;
		if (dead && strcasecmp(dead->host, one->host) != 0)
			return false;
		if (!one->signed_in && (silent || one->outcome == PROXY_TUNNEL_DEAD))
			dead = one;
		else if (one->outcome != PROXY_NOT_REACHED)
			return false;
	}
	for (size_t i = 0; dead && i < known->target_count; i++) {
		const struct target *target = known->targets[i];
		bool is_web = target->kind == TARGET_URL && target->url &&
			      strncasecmp(target->url, "https:", strlen("https:")) == 0;
		if (!is_web || is_asked_for(known, target->host))
			continue;
		out->host = target->host;
		out->port = target->port;
		out->target = target;
		return true;
	}
	return false;
}

static int other_port(int port)
{
	return port == PORT_HTTPS ? PORT_HTTP : PORT_HTTPS;
}

static bool is_denied_everywhere(const struct proxy_known *known, int port)
{
	bool denied = false;
	for (size_t i = 0; i < known->count; i++) {
		const struct proxy_request *one = &known->requests[i];
		if (one->port != port || one->outcome == PROXY_NOT_REACHED)
			continue;
		if (one->outcome != PROXY_DENIES || one->signed_in)
			return false;
		denied = true;
	}
	return denied;
}

/* All that goes to one port is denied, and it is not so that all that goes to the other one is denied too. */
static bool wants_other_port(const struct proxy_known *known, struct proxy_wish *out)
{
	for (size_t i = 0; i < known->count; i++)
		if (known->requests[i].outcome <= PROXY_WAITS && !is_late(known, &known->requests[i]))
			return false;
	for (size_t i = 0; i < known->count; i++) {
		const struct proxy_request *one = &known->requests[i];
		int port = other_port(one->port);
		if (one->outcome != PROXY_DENIES || !is_denied_everywhere(known, one->port) ||
		    is_denied_everywhere(known, port))
			continue;
		out->host = one->host;
		out->port = port;
		out->tunnel = port != PORT_HTTP || !speaks_http(known);
		return true;
	}
	return false;
}

static bool is_name(const char *host)
{
	struct address literal;
	return !address_parse(host, &literal);
}

/* What the proxy says or does not say of a name may be about the name alone. It is the proxy that looks it up, but for SOCKS4 and SOCKS5. */
static bool wants_address(const struct proxy_known *known, struct proxy_wish *out)
{
	bool resolves = speaks_http(known) || known->scheme == VIA_SOCKS5H;
	for (size_t i = 0; resolves && i < known->count; i++) {
		const struct proxy_request *one = &known->requests[i];
		bool failed = one->outcome == PROXY_BAD_GATEWAY || waits_long(known, one);
		if (!failed || !one->tunnel || one->signed_in || !one->address || !is_name(one->host))
			continue;
		out->host = one->address;
		out->port = one->port;
		return true;
	}
	return false;
}

size_t proxy_contrasts_wanted(const struct proxy_known *known, struct proxy_wish *out)
{
	static bool (*const wants[PROXY_CONTRASTS])(const struct proxy_known *, struct proxy_wish *) = {
		[PROXY_CONTROL] = wants_control,	   [PROXY_TLS] = wants_tls,
		[PROXY_OTHER_TARGET] = wants_other_target, [PROXY_OTHER_PORT] = wants_other_port,
		[PROXY_ADDRESS] = wants_address,
	};
	size_t count = 0;
	for (int i = 0; i < PROXY_CONTRASTS; i++) {
		out[count] = (struct proxy_wish){.contrast = (enum proxy_contrast)i, .tunnel = true};
		if (!known->asked[i] && wants[i](known, &out[count]))
			count++;
	}
	return count;
}
