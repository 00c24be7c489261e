/* This machine's network as Windows shows it to anybody: adapters, resolvers, DNS suffixes, default routes. */

#include "probe/os/os_win32.h"

#include <ws2tcpip.h>
/* in this order */
#include <iphlpapi.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ADAPTERS_FIRST_BYTES = 32 * 1024, ADAPTERS_TRIES = 4, ADAPTERS_MAX = 256, ADDRESS_BYTES = 46 };
enum { SUFFIX_BYTES = 256, SEARCH_LIST_CHARACTERS = 8192 };

static const wchar_t policy_key[] = L"SOFTWARE\\Policies\\Microsoft\\Windows NT\\DNSClient";
static const wchar_t tcpip_key[] = L"SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters";

/* ------------------------------------------------------------------ adapters */

/* They may grow between two calls. */
IP_ADAPTER_ADDRESSES *os_adapters(void)
{
	ULONG bytes = ADAPTERS_FIRST_BYTES, error = ERROR_BUFFER_OVERFLOW;
	ULONG flags = GAA_FLAG_SKIP_ANYCAST | GAA_FLAG_SKIP_MULTICAST;
	IP_ADAPTER_ADDRESSES *list = NULL;
	for (int try = 0; error == ERROR_BUFFER_OVERFLOW && try < ADAPTERS_TRIES; try++) {
		free(list);
		list = malloc(bytes);
		if (!list)
			return NULL;
		error = GetAdaptersAddresses(AF_UNSPEC, flags, NULL, list, &bytes);
	}
	if (error == ERROR_SUCCESS)
		return list;
	free(list);
	return NULL;
}

static bool is_up(const IP_ADAPTER_ADDRESSES *adapter)
{
	return adapter->OperStatus == IfOperStatusUp;
}

/** Teredo, ISATAP and 6to4 are listed on every machine and mostly not in use. */
static bool is_idle_tunnel(const IP_ADAPTER_ADDRESSES *adapter)
{
	return adapter->IfType == IF_TYPE_TUNNEL && !is_up(adapter);
}

/** The address without its scope; false for a family that is neither. */
static bool format_address(const struct sockaddr *address, char out[ADDRESS_BYTES])
{
	union {
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} copy;
	out[0] = '\0';
	if (address->sa_family == AF_INET) {
		memcpy(&copy.v4, address, sizeof(copy.v4));
		return inet_ntop(AF_INET, &copy.v4.sin_addr, out, ADDRESS_BYTES) != NULL;
	}
	if (address->sa_family != AF_INET6)
		return false;
	memcpy(&copy.v6, address, sizeof(copy.v6));
	return inet_ntop(AF_INET6, &copy.v6.sin6_addr, out, ADDRESS_BYTES) != NULL;
}

/** The adapter's name for people, cut to what fits without cutting a character. */
static void format_name(const IP_ADAPTER_ADDRESSES *adapter, char *out, size_t bytes)
{
	char *name = adapter->FriendlyName ? os_narrow(adapter->FriendlyName) : NULL;
	const char *text = name && *name ? name : adapter->AdapterName;
	size_t length = strlen(text);
	if (length >= bytes)
		length = bytes - 1;
	while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
		length--;
	memcpy(out, text, length);
	out[length] = '\0';
	free(name);
}

static void interface_read(const IP_ADAPTER_ADDRESSES *adapter, struct os_interface *out)
{
	memset(out, 0, sizeof(*out));
	format_name(adapter, out->name, sizeof(out->name));
	out->up = is_up(adapter);
	out->loopback = adapter->IfType == IF_TYPE_SOFTWARE_LOOPBACK;
	for (const IP_ADAPTER_UNICAST_ADDRESS *at = adapter->FirstUnicastAddress; at; at = at->Next)
		if (out->address_count < OS_ADDRESSES_MAX &&
		    format_address(at->Address.lpSockaddr, out->addresses[out->address_count]))
			out->address_count++;
}

size_t os_interfaces(struct os_interface *out)
{
	IP_ADAPTER_ADDRESSES *list = os_adapters();
	size_t count = 0;
	for (const IP_ADAPTER_ADDRESSES *at = list; at && count < OS_INTERFACES_MAX; at = at->Next)
		if (!is_idle_tunnel(at))
			interface_read(at, &out[count++]);
	free(list);
	return count;
}

/* ------------------------------------------------------------------ resolvers */

static ULONG metric_of(const IP_ADAPTER_ADDRESSES *adapter)
{
	return adapter->Flags & IP_ADAPTER_IPV4_ENABLED ? adapter->Ipv4Metric : adapter->Ipv6Metric;
}

/** The adapters that are up, the one that Windows prefers first; as listed where two are alike. At most ADAPTERS_MAX. */
static size_t adapters_in_order(const IP_ADAPTER_ADDRESSES *list, const IP_ADAPTER_ADDRESSES **out)
{
	size_t count = 0;
	for (const IP_ADAPTER_ADDRESSES *at = list; at && count < ADAPTERS_MAX; at = at->Next) {
		size_t place = count;
		if (!is_up(at))
			continue;
		for (; place > 0 && metric_of(out[place - 1]) > metric_of(at); place--)
			out[place] = out[place - 1];
		out[place] = at;
		count++;
	}
	return count;
}

/** fec0:0:0:ffff::1 to ::3, which Windows shows where nobody configured an IPv6 server. */
static bool is_placeholder(const struct in6_addr *address)
{
	static const uint8_t start[15] = {0xfe, 0xc0, 0, 0, 0, 0, 0xff, 0xff};
	return memcmp(address, start, sizeof(start)) == 0 && address->s6_addr[15] >= 1 && address->s6_addr[15] <= 3;
}

/** A server as os_resolvers() gives it: a link-local one is no use without its scope. */
static bool format_server(const struct sockaddr *address, char out[64])
{
	char text[ADDRESS_BYTES], scope[16] = "";
	struct sockaddr_in6 v6;
	if (!format_address(address, text))
		return false;
	if (address->sa_family == AF_INET6) {
		memcpy(&v6, address, sizeof(v6));
		if (is_placeholder(&v6.sin6_addr))
			return false;
		if (IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr) && v6.sin6_scope_id)
			snprintf(scope, sizeof(scope), "%%%lu", v6.sin6_scope_id);
	}
	snprintf(out, 64, "%s%s", text, scope);
	return true;
}

static bool is_among(char list[][64], size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i], text) == 0)
			return true;
	return false;
}

size_t os_resolvers(char out[][64], size_t max)
{
	const IP_ADAPTER_ADDRESSES *order[ADAPTERS_MAX];
	IP_ADAPTER_ADDRESSES *list = os_adapters();
	size_t adapters = adapters_in_order(list, order), count = 0;
	for (size_t i = 0; i < adapters; i++) {
		for (const IP_ADAPTER_DNS_SERVER_ADDRESS *at = order[i]->FirstDnsServerAddress; at; at = at->Next) {
			char text[64];
			if (count < max && format_server(at->Address.lpSockaddr, text) && !is_among(out, count, text))
				memcpy(out[count++], text, sizeof(text));
		}
	}
	free(list);
	return count;
}

/* ------------------------------------------------------------------ suffixes */

/** A list being filled. */
struct suffixes {
	char (*items)[SUFFIX_BYTES];
	size_t count, max;
};

static void add_suffix(struct suffixes *to, const wchar_t *suffix)
{
	char *item = to->count < to->max ? to->items[to->count] : NULL;
	if (!item || !suffix || !os_narrow_into(suffix, item, SUFFIX_BYTES) || !*item || strcmp(item, ".") == 0)
		return;
	for (size_t i = 0; i < to->count; i++)
		if (_stricmp(to->items[i], item) == 0)
			return;
	to->count++;
}

/** The search list of a key; separated by commas, older ones by blanks. */
static void add_search_list(struct suffixes *to, const wchar_t *key)
{
	static const wchar_t separators[] = L", \t";
	wchar_t *list = malloc(SEARCH_LIST_CHARACTERS * sizeof(*list)), *rest = NULL;
	if (!list)
		return;
	if (os_machine_text(key, L"SearchList", list, SEARCH_LIST_CHARACTERS))
		for (wchar_t *at = wcstok_s(list, separators, &rest); at; at = wcstok_s(NULL, separators, &rest))
			add_suffix(to, at);
	free(list);
}

/** The suffix of each connection, then those that DHCP or a router gave it besides. */
static void add_connections(struct suffixes *to)
{
	const IP_ADAPTER_ADDRESSES *order[ADAPTERS_MAX];
	IP_ADAPTER_ADDRESSES *list = os_adapters();
	size_t count = adapters_in_order(list, order);
	for (size_t i = 0; i < count; i++) {
		add_suffix(to, order[i]->DnsSuffix);
		for (const IP_ADAPTER_DNS_SUFFIX *at = order[i]->FirstDnsSuffix; at; at = at->Next)
			add_suffix(to, at->String);
	}
	free(list);
}

size_t os_dns_suffixes(char suffixes[][SUFFIX_BYTES], size_t max)
{
	struct suffixes found = {suffixes, 0, max};
	wchar_t primary[SUFFIX_BYTES];
	DWORD characters = SUFFIX_BYTES;
	add_search_list(&found, policy_key);
	if (found.count == 0)
		add_search_list(&found, tcpip_key);
	if (found.count > 0)
		return found.count;
	if (GetComputerNameExW(ComputerNamePhysicalDnsDomain, primary, &characters))
		add_suffix(&found, primary);
	add_connections(&found);
	return found.count;
}

/* ------------------------------------------------------------------ default route */

bool os_adapter_metric(const IP_ADAPTER_ADDRESSES *list, const MIB_IPFORWARD_ROW2 *route, int family, uint64_t *metric)
{
	for (const IP_ADAPTER_ADDRESSES *at = list; at; at = at->Next) {
		if (at->Luid.Value != route->InterfaceLuid.Value)
			continue;
		*metric = family == 6 ? at->Ipv6Metric : at->Ipv4Metric;
		return is_up(at);
	}
	*metric = 0;
	return true; /* an adapter that is not listed: nothing is known against it */
}

static const MIB_IPFORWARD_ROW2 *best_default(const MIB_IPFORWARD_TABLE2 *table, const IP_ADAPTER_ADDRESSES *list,
					      int family)
{
	const MIB_IPFORWARD_ROW2 *best = NULL;
	uint64_t best_metric = 0;
	for (ULONG i = 0; i < table->NumEntries; i++) {
		const MIB_IPFORWARD_ROW2 *route = &table->Table[i];
		uint64_t metric;
		if (route->DestinationPrefix.PrefixLength != 0 || route->Loopback ||
		    !os_adapter_metric(list, route, family, &metric))
			continue;
		metric += route->Metric;
		if (!best || metric < best_metric) {
			best = route;
			best_metric = metric;
		}
	}
	return best;
}

static void format_gateway(const SOCKADDR_INET *hop, char out[ADDRESS_BYTES])
{
	static const struct in6_addr nothing;
	bool device_route = hop->si_family == AF_INET ? hop->Ipv4.sin_addr.s_addr == 0
						      : memcmp(&hop->Ipv6.sin6_addr, &nothing, sizeof(nothing)) == 0;
	if (device_route)
		return;
	if (hop->si_family == AF_INET)
		inet_ntop(AF_INET, &hop->Ipv4.sin_addr, out, ADDRESS_BYTES);
	else if (hop->si_family == AF_INET6)
		inet_ntop(AF_INET6, &hop->Ipv6.sin6_addr, out, ADDRESS_BYTES);
}

int os_default_route(int family, char gateway[46])
{
	MIB_IPFORWARD_TABLE2 *table = NULL;
	gateway[0] = '\0';
	NETIO_STATUS status = GetIpForwardTable2(family == 6 ? AF_INET6 : AF_INET, &table);
	if (status == ERROR_NOT_FOUND)
		return 0;
	if (status != NO_ERROR)
		return -1;
	IP_ADAPTER_ADDRESSES *list = os_adapters();
	const MIB_IPFORWARD_ROW2 *best = best_default(table, list, family);
	/* ::1 and multicast have routes wherever there is IPv6: Wine, which shows none at all, does not know */
	bool unknown = family == 6 && table->NumEntries == 0;
	if (best)
		format_gateway(&best->NextHop, gateway);
	free(list);
	FreeMibTable(table);
	return unknown ? -1 : best != NULL;
}
