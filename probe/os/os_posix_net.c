/* This machine's network as Linux shows it to anybody: interfaces, resolvers, DNS suffixes, default routes. */

#include "probe/os/os.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RESOLV_CONF_BYTES_MAX = 64 * 1024, NAMESERVERS_USED = 3, ADDRESS_BYTES = 46, SUFFIX_BYTES = 256 };
/* IFF_LOWER_UP of linux/if.h, which does not go together with net/if.h: there is a carrier. IFF_RUNNING follows it up to a second later. */
enum { CARRIER_FLAG = 1 << 16 };

/* ------------------------------------------------------------------ interfaces */

static struct os_interface *find_interface(struct os_interface *list, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(list[i].name, name) == 0)
			return &list[i];
	}
	return NULL;
}

static void add_address(struct os_interface *to, const struct sockaddr *address)
{
	union {
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} copy;
	const char *text = NULL;
	if (!address || to->address_count == OS_ADDRESSES_MAX)
		return;
	char *out = to->addresses[to->address_count];
	if (address->sa_family == AF_INET) {
		memcpy(&copy.v4, address, sizeof(copy.v4));
		text = inet_ntop(AF_INET, &copy.v4.sin_addr, out, ADDRESS_BYTES);
	} else if (address->sa_family == AF_INET6) {
		memcpy(&copy.v6, address, sizeof(copy.v6));
		text = inet_ntop(AF_INET6, &copy.v6.sin6_addr, out, ADDRESS_BYTES);
	}
	if (text)
		to->address_count++;
}

size_t os_interfaces(struct os_interface *out)
{
	struct ifaddrs *all = NULL;
	size_t count = 0;
	if (getifaddrs(&all) != 0)
		return 0;
	for (const struct ifaddrs *entry = all; entry; entry = entry->ifa_next) {
		struct os_interface *to = find_interface(out, count, entry->ifa_name);
		if (!to && count == OS_INTERFACES_MAX)
			continue;
		if (!to) {
			to = &out[count++];
			memset(to, 0, sizeof(*to));
			snprintf(to->name, sizeof(to->name), "%s", entry->ifa_name);
			to->up = (entry->ifa_flags & IFF_UP) && (entry->ifa_flags & (IFF_RUNNING | CARRIER_FLAG));
			to->loopback = (entry->ifa_flags & IFF_LOOPBACK) != 0;
		}
		add_address(to, entry->ifa_addr);
	}
	freeifaddrs(all);
	return count;
}

/* ------------------------------------------------------------------ resolvers */

/** The text of resolv.conf(5), malloc()ed; NULL if there is none. */
static char *resolv_conf_read(void)
{
	char reason[128];
	size_t length = 0;
	return os_read_file("/etc/resolv.conf", RESOLV_CONF_BYTES_MAX, &length, reason, sizeof(reason));
}

/** What follows the keyword and blanks, as glibc reads a line of resolv.conf(5); NULL for any other line. */
static char *after_keyword(char *line, const char *keyword)
{
	size_t length = strlen(keyword);
	if (strncmp(line, keyword, length) != 0 || (line[length] != ' ' && line[length] != '\t'))
		return NULL;
	return line + length + strspn(line + length, " \t");
}

/** The address of a "nameserver" line; false for any other line. */
static bool read_nameserver(char *line, char out[64])
{
	struct in_addr v4;
	struct in6_addr v6;
	char *text = after_keyword(line, "nameserver");
	if (!text)
		return false;
	text[strcspn(text, ";# \t\r")] = '\0';
	if (inet_aton(text, &v4))
		return inet_ntop(AF_INET, &v4, out, 64) != NULL;
	/* a link-local server is no use without its scope */
	char *scope = strchr(text, '%');
	char address[INET6_ADDRSTRLEN];
	if (scope)
		*scope++ = '\0';
	if (inet_pton(AF_INET6, text, &v6) != 1 || !inet_ntop(AF_INET6, &v6, address, sizeof(address)))
		return false;
	return snprintf(out, 64, "%s%s%s", address, scope ? "%" : "", scope ? scope : "") < 64;
}

/* Without a "nameserver" line glibc would ask 127.0.0.1; nobody configured that, so the answer here is "none". Of more than
 * three lines glibc uses three (MAXNS); the others are never asked. */
size_t os_resolvers(char out[][64], size_t max)
{
	char *rest = NULL, *text = resolv_conf_read();
	size_t count = 0;
	if (!text)
		return 0;
	if (max > NAMESERVERS_USED)
		max = NAMESERVERS_USED;
	for (char *line = strtok_r(text, "\n", &rest); line && count < max; line = strtok_r(NULL, "\n", &rest)) {
		if (read_nameserver(line, out[count]))
			count++;
	}
	free(text);
	return count;
}

/* ------------------------------------------------------------------ suffixes */

static size_t add_suffix(const char *suffix, char out[][SUFFIX_BYTES], size_t count, size_t max)
{
	if (count == max || strcmp(suffix, ".") == 0 || strlen(suffix) >= SUFFIX_BYTES)
		return count;
	for (size_t i = 0; i < count; i++)
		if (strcasecmp(out[i], suffix) == 0)
			return count;
	memcpy(out[count], suffix, strlen(suffix) + 1);
	return count + 1;
}

/** The suffixes of a "search" or "domain" line, which replace those of the lines before; false for any other line or an empty one. */
static bool read_suffixes(char *line, char out[][SUFFIX_BYTES], size_t max, size_t *count)
{
	static const char separators[] = " \t\r";
	char *rest = NULL, *search = after_keyword(line, "search"),
	     *list = search ? search : after_keyword(line, "domain");
	char *word = list ? strtok_r(list, separators, &rest) : NULL;
	if (!word)
		return false;
	*count = add_suffix(word, out, 0, max);
	while (search && (word = strtok_r(NULL, separators, &rest))) /* a "domain" line names one */
		*count = add_suffix(word, out, *count, max);
	return true;
}

/* "search ." says that there is none, and then the host's name is not looked at either. */
size_t os_dns_suffixes(char suffixes[][SUFFIX_BYTES], size_t max)
{
	char name[SUFFIX_BYTES], *rest = NULL, *text = resolv_conf_read();
	size_t count = 0;
	bool configured = false;
	for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line; line = strtok_r(NULL, "\n", &rest))
		configured = read_suffixes(line, suffixes, max, &count) || configured;
	free(text);
	const char *dot = !configured && os_host_name(name, sizeof(name)) ? strchr(name, '.') : NULL;
	return dot && dot[1] ? add_suffix(dot + 1, suffixes, 0, max) : count;
}

/* ------------------------------------------------------------------ default route */

/** The best default route seen so far while the kernel lists its routes. */
struct best_route {
	bool found, usable;
	bool main_table;
	uint32_t metric;
	char gateway[ADDRESS_BYTES];
};

/** Is a route of that table and metric preferred to the best so far? */
static bool is_better(const struct best_route *best, bool main_table, uint32_t metric)
{
	if (!best->found)
		return true;
	if (main_table != best->main_table)
		return main_table;
	return metric < best->metric;
}

/** What is still to be read of a packet. The kernel's own RTA_ and NLMSG_ macros mix signs and alignments. */
struct span {
	const unsigned char *at;
	size_t rest;
};

/** The first header_bytes of the span if they are there and the length in them fits; moves on behind the item. */
static const void *next_item(struct span *span, size_t header_bytes, size_t item_bytes)
{
	const void *item = span->at;
	if (item_bytes < header_bytes || item_bytes > span->rest)
		return NULL;
	size_t step = (item_bytes + 3) & ~(size_t)3; /* RTA_ALIGNTO, NLMSG_ALIGNTO */
	step = step < span->rest ? step : span->rest;
	span->at += step;
	span->rest -= step;
	return item;
}

static const struct rtattr *next_attribute(struct span *span)
{
	const struct rtattr *attribute = (const void *)span->at;
	return span->rest < sizeof(*attribute) ? NULL : next_item(span, sizeof(*attribute), attribute->rta_len);
}

static const struct nlmsghdr *next_message(struct span *span)
{
	const struct nlmsghdr *message = (const void *)span->at;
	return span->rest < sizeof(*message) ? NULL : next_item(span, sizeof(*message), message->nlmsg_len);
}

static uint32_t attribute_u32(const struct rtattr *attribute)
{
	uint32_t value = 0;
	if (RTA_PAYLOAD(attribute) >= sizeof(value))
		memcpy(&value, RTA_DATA(attribute), sizeof(value));
	return value;
}

static void format_gateway(int family, const void *bytes, size_t length, char out[ADDRESS_BYTES])
{
	if (length >= (family == AF_INET ? 4u : 16u))
		inet_ntop(family, bytes, out, ADDRESS_BYTES);
}

static void read_gateway(int family, const struct rtattr *attribute, char out[ADDRESS_BYTES])
{
	size_t length = RTA_PAYLOAD(attribute);
	const unsigned char *data = RTA_DATA(attribute);
	uint16_t via_family = 0;
	if (attribute->rta_type == RTA_GATEWAY) {
		format_gateway(family, data, length, out);
	} else if (attribute->rta_type == RTA_VIA && length >= sizeof(via_family)) { /* IPv4 by an IPv6 neighbour */
		memcpy(&via_family, data, sizeof(via_family));
		format_gateway(via_family, data + sizeof(via_family), length - sizeof(via_family), out);
	}
}

/** The first gateway of a route with several (RTA_MULTIPATH). */
static void read_first_hop(int family, const struct rtattr *attribute, char out[ADDRESS_BYTES])
{
	const struct rtnexthop *hop = RTA_DATA(attribute);
	size_t size = RTA_PAYLOAD(attribute);
	if (size < sizeof(*hop) || hop->rtnh_len < sizeof(*hop) || hop->rtnh_len > size)
		return;
	struct span list = {(const unsigned char *)(hop + 1), hop->rtnh_len - sizeof(*hop)};
	for (const struct rtattr *at = next_attribute(&list); at; at = next_attribute(&list))
		read_gateway(family, at, out);
}

/** What counts of one route's attributes. */
struct route_facts {
	uint32_t table, metric;
	char gateway[ADDRESS_BYTES];
};

static void read_attributes(const struct nlmsghdr *message, const struct rtmsg *route, struct route_facts *out)
{
	struct span list = {(const unsigned char *)(route + 1), message->nlmsg_len - NLMSG_LENGTH(sizeof(*route))};
	*out = (struct route_facts){.table = route->rtm_table};
	for (const struct rtattr *at = next_attribute(&list); at; at = next_attribute(&list)) {
		if (at->rta_type == RTA_TABLE)
			out->table = attribute_u32(at);
		else if (at->rta_type == RTA_PRIORITY)
			out->metric = attribute_u32(at);
		else if (at->rta_type == RTA_MULTIPATH)
			read_first_hop(route->rtm_family, at, out->gateway);
		else
			read_gateway(route->rtm_family, at, out->gateway);
	}
}

/** A route that refuses (unreachable, blackhole, prohibit) competes too: IPv6 always lists one, with the worst metric. */
static void consider_route(const struct nlmsghdr *message, int family, struct best_route *best)
{
	struct route_facts facts;
	const struct rtmsg *route = NLMSG_DATA(message);
	if (message->nlmsg_type != RTM_NEWROUTE || message->nlmsg_len < NLMSG_LENGTH(sizeof(*route)))
		return;
	if (route->rtm_family != family || route->rtm_dst_len != 0 || route->rtm_tos != 0 ||
	    (route->rtm_flags & (RTM_F_CLONED | RTNH_F_DEAD)) || route->rtm_type == RTN_THROW)
		return;
	read_attributes(message, route, &facts);
	bool main_table = facts.table == RT_TABLE_MAIN;
	if (facts.table == RT_TABLE_LOCAL || !is_better(best, main_table, facts.metric))
		return;
	best->found = true;
	best->usable = route->rtm_type == RTN_UNICAST;
	best->main_table = main_table;
	best->metric = facts.metric;
	memcpy(best->gateway, facts.gateway, sizeof(best->gateway));
}

/** Ask the kernel for all its routes of a family; needs no right (rtnetlink(7)). */
static bool request_routes(int fd, int family)
{
	struct {
		struct nlmsghdr header;
		struct rtmsg route;
	} request = {
		.header = {.nlmsg_len = sizeof(request),
			   .nlmsg_type = RTM_GETROUTE,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.route = {.rtm_family = (unsigned char)family},
	};
	return send(fd, &request, sizeof(request), 0) == (ssize_t)sizeof(request);
}

/** Read one packet of the listing: 1 more to come, 0 the end, -1 an error. */
static int read_routes(int fd, int family, struct best_route *best)
{
	union {
		char bytes[32 * 1024];
		struct nlmsghdr first;
	} packet;
	ssize_t got = recv(fd, &packet, sizeof(packet), 0);
	if (got <= 0)
		return got < 0 && errno == EINTR ? 1 : -1;
	struct span list = {(const unsigned char *)packet.bytes, (size_t)got};
	for (const struct nlmsghdr *at = next_message(&list); at; at = next_message(&list)) {
		if (at->nlmsg_type == NLMSG_DONE)
			return 0;
		if (at->nlmsg_type == NLMSG_ERROR)
			return -1;
		consider_route(at, family, best);
	}
	return 1;
}

int os_default_route(int family, char gateway[46])
{
	struct best_route best = {0};
	int system_family = family == 6 ? AF_INET6 : AF_INET, more = -1;
	gateway[0] = '\0';
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return -1;
	if (request_routes(fd, system_family)) {
		do {
			more = read_routes(fd, system_family, &best);
		} while (more > 0);
	}
	close(fd);
	if (more < 0)
		return -1;
	if (best.usable)
		memcpy(gateway, best.gateway, sizeof(best.gateway));
	return best.usable;
}
