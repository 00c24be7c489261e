/* What this Windows machine says of its time zone, its routes, and the calls that it lacks. */

#include "probe/os/os_win32.h"

#include <ws2tcpip.h>
/* in this order */
#include <iphlpapi.h>

#include <stdlib.h>
#include <string.h>

#include "probe/os/os_machine.h"

/* TCP_FAIL_CONNECT_ON_ICMP_ERROR and SIO_TCP_INFO, as in os_win32_socket.c. */
enum { FAIL_CONNECT_ON_ICMP_ERROR = 18 };
static const DWORD tcp_info_code = IOC_INOUT | IOC_VENDOR | 39;

enum { TCP_INFO_BYTES_MAX = 256 };

bool os_environment_ignores_case(void)
{
	return true;
}

bool os_is_local_system(void)
{
	unsigned char sid[SECURITY_MAX_SID_SIZE];
	DWORD bytes = sizeof(sid);
	BOOL is_member = FALSE;
	return CreateWellKnownSid(WinLocalSystemSid, NULL, sid, &bytes) &&
	       CheckTokenMembership(NULL, sid, &is_member) && is_member;
}

/* ------------------------------------------------------------------ time zone */

bool os_time_zone(char *name, size_t bytes, int *utc_offset_minutes)
{
	DYNAMIC_TIME_ZONE_INFORMATION zone;
	DWORD season = GetDynamicTimeZoneInformation(&zone);
	if (season == TIME_ZONE_ID_INVALID)
		return false;
	LONG bias = zone.Bias; /* what to add to local time */
	if (season == TIME_ZONE_ID_STANDARD)
		bias += zone.StandardBias;
	else if (season == TIME_ZONE_ID_DAYLIGHT)
		bias += zone.DaylightBias;
	*utc_offset_minutes = (int)-bias;
	/* the key's name is English on every system; the others are in the system's language */
	return os_narrow_into(zone.TimeZoneKeyName[0] ? zone.TimeZoneKeyName : zone.StandardName, name, bytes) &&
	       name[0];
}

/* ------------------------------------------------------------------ one route */

static bool parse_address(const char *text, SOCKADDR_INET *out)
{
	memset(out, 0, sizeof(*out));
	out->si_family = strchr(text, ':') ? AF_INET6 : AF_INET;
	return out->si_family == AF_INET6 ? inet_pton(AF_INET6, text, &out->Ipv6.sin6_addr) == 1
					  : inet_pton(AF_INET, text, &out->Ipv4.sin_addr) == 1;
}

/** "" for "no address": an on-link route has none as its next hop. */
static void format_hop(const SOCKADDR_INET *address, char out[46])
{
	static const struct in6_addr none6;
	out[0] = '\0';
	if (address->si_family == AF_INET && address->Ipv4.sin_addr.s_addr != 0)
		inet_ntop(AF_INET, &address->Ipv4.sin_addr, out, 46);
	else if (address->si_family == AF_INET6 && memcmp(&address->Ipv6.sin6_addr, &none6, sizeof(none6)) != 0)
		inet_ntop(AF_INET6, &address->Ipv6.sin6_addr, out, 46);
}

/** The name that struct os_interface has too, cut to what fits without cutting a character. */
static void device_name(const NET_LUID *luid, char *out, size_t bytes)
{
	wchar_t wide[NDIS_IF_MAX_STRING_SIZE + 1] = L"";
	ConvertInterfaceLuidToAlias(luid, wide, NDIS_IF_MAX_STRING_SIZE + 1);
	char *name = os_narrow(wide);
	size_t length = name ? strlen(name) : 0;
	if (length >= bytes)
		length = bytes - 1;
	while (name && length > 0 && ((unsigned char)name[length] & 0xc0) == 0x80)
		length--;
	if (length)
		memcpy(out, name, length);
	out[length] = '\0';
	free(name);
}

/* Documented at learn.microsoft.com, netioapi.h, GetBestRoute2: no route is ERROR_NETWORK_UNREACHABLE or ERROR_NOT_FOUND. */
bool os_best_route(const char *address, struct os_route *out)
{
	SOCKADDR_INET destination, source;
	MIB_IPFORWARD_ROW2 row;
	memset(out, 0, sizeof(*out));
	memset(&row, 0, sizeof(row));
	memset(&source, 0, sizeof(source));
	if (!parse_address(address, &destination))
		return false;
	NETIO_STATUS status = GetBestRoute2(NULL, 0, NULL, &destination, 0, &row, &source);
	if (status == ERROR_NETWORK_UNREACHABLE || status == ERROR_HOST_UNREACHABLE || status == ERROR_NOT_FOUND)
		return true;
	if (status != NO_ERROR)
		return false;
	out->found = true;
	device_name(&row.InterfaceLuid, out->device, sizeof(out->device));
	format_hop(&row.NextHop, out->next_hop);
	format_hop(&source, out->source);
	return true;
}

bool os_routes(void (*each)(const struct os_route_row *row, void *user), void *user)
{
	MIB_IPFORWARD_TABLE2 *table = NULL;
	NETIO_STATUS status = GetIpForwardTable2(AF_UNSPEC, &table);
	if (status == ERROR_NOT_FOUND)
		return true;
	if (status != NO_ERROR)
		return false;
	IP_ADAPTER_ADDRESSES *adapters = os_adapters();
	for (ULONG i = 0; i < table->NumEntries; i++) {
		const MIB_IPFORWARD_ROW2 *route = &table->Table[i];
		const SOCKADDR_INET *network = &route->DestinationPrefix.Prefix;
		struct os_route_row row = {.length = route->DestinationPrefix.PrefixLength};
		uint64_t metric;
		int family = network->si_family == AF_INET6 ? 6 : 4;
		if (route->Loopback || !os_adapter_metric(adapters, route, family, &metric))
			continue;
		format_hop(network, row.network);
		if (!row.network[0])
			memcpy(row.network, family == 6 ? "::" : "0.0.0.0",
			       family == 6 ? sizeof("::") : sizeof("0.0.0.0"));
		device_name(&route->InterfaceLuid, row.device, sizeof(row.device));
		format_hop(&route->NextHop, row.next_hop);
		row.metric = route->Metric + (uint32_t)metric;
		each(&row, user);
	}
	free(adapters);
	FreeMibTable(table);
	return true;
}

/* ------------------------------------------------------------------ what is missing */

static bool has_icmp_errors(SOCKET socket)
{
	DWORD on = TRUE;
	return setsockopt(socket, IPPROTO_TCP, FAIL_CONNECT_ON_ICMP_ERROR, (const char *)&on, sizeof(on)) == 0 ||
	       WSAGetLastError() != WSAENOPROTOOPT;
}

/** A socket that is not connected may be refused in other words. */
static bool has_tcp_info(SOCKET socket)
{
	char info[TCP_INFO_BYTES_MAX];
	DWORD version = 0, bytes = 0;
	return WSAIoctl(socket, tcp_info_code, &version, sizeof(version), info, sizeof(info), &bytes, NULL, NULL) ==
		       0 ||
	       WSAGetLastError() != WSAEOPNOTSUPP;
}

size_t os_missing_apis(const char **names, size_t max)
{
	static const struct {
		const char *name;
		bool (*has)(SOCKET socket);
	} calls[] = {{"TCP_FAIL_CONNECT_ON_ICMP_ERROR", has_icmp_errors}, {"SIO_TCP_INFO", has_tcp_info}};
	size_t count = 0;
	SOCKET probe = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	if (probe == INVALID_SOCKET)
		return 0;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (count < max && !calls[i].has(probe))
			names[count++] = calls[i].name;
	closesocket(probe);
	return count;
}
