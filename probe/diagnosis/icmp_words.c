#include "probe/diagnosis/icmp_words.h"

#include "probe/diagnosis/view.h"

/* RFC 792, RFC 1812 5.2.7.1; RFC 4443 3.1. */
enum {
	ICMP4_UNREACHABLE = 3,
	ICMP4_NET = 0,
	ICMP4_HOST = 1,
	ICMP4_PORT = 3,
	ICMP4_NET_PROHIBITED = 9,
	ICMP4_HOST_PROHIBITED = 10,
	ICMP4_FILTERED = 13,
	ICMP6_UNREACHABLE = 1,
	ICMP6_NO_ROUTE = 0,
	ICMP6_PROHIBITED = 1,
	ICMP6_ADDRESS = 3,
	ICMP6_PORT = 4,
	ICMP6_SOURCE_POLICY = 5,
	ICMP6_REJECT_ROUTE = 6
};

enum { ICMP4_TIME_EXCEEDED = 11, ICMP6_TIME_EXCEEDED = 3, TIME_EXCEEDED_IN_TRANSIT = 0 };

bool icmp_says_prohibited(const struct tuple *tuple, const struct icmp_error *icmp)
{
	if (text_is_ipv6(tuple->dst))
		return icmp->type == ICMP6_UNREACHABLE &&
		       (icmp->code == ICMP6_PROHIBITED || icmp->code == ICMP6_SOURCE_POLICY ||
			icmp->code == ICMP6_REJECT_ROUTE);
	return icmp->type == ICMP4_UNREACHABLE && (icmp->code == ICMP4_NET_PROHIBITED ||
						   icmp->code == ICMP4_HOST_PROHIBITED || icmp->code == ICMP4_FILTERED);
}

bool icmp_says_no_route(const struct tuple *tuple, const struct icmp_error *icmp)
{
	if (text_equal(icmp->from, tuple->dst))
		return false;
	if (text_is_ipv6(tuple->dst))
		return icmp->type == ICMP6_UNREACHABLE && (icmp->code == ICMP6_NO_ROUTE || icmp->code == ICMP6_ADDRESS);
	return icmp->type == ICMP4_UNREACHABLE && (icmp->code == ICMP4_NET || icmp->code == ICMP4_HOST);
}

bool icmp_says_port_unreachable(const struct tuple *tuple, const struct icmp_error *icmp)
{
	bool ipv6 = text_is_ipv6(tuple->dst);
	return icmp_says_unreachable(tuple, icmp) && icmp->code == (ipv6 ? (int)ICMP6_PORT : (int)ICMP4_PORT);
}

bool icmp_says_expired(const struct tuple *tuple, const struct icmp_error *icmp)
{
	int type = text_is_ipv6(tuple->dst) ? ICMP6_TIME_EXCEEDED : ICMP4_TIME_EXCEEDED;
	return icmp->type == type && icmp->code == TIME_EXCEEDED_IN_TRANSIT;
}

bool icmp_says_unreachable(const struct tuple *tuple, const struct icmp_error *icmp)
{
	return icmp->type == (text_is_ipv6(tuple->dst) ? ICMP6_UNREACHABLE : ICMP4_UNREACHABLE);
}
