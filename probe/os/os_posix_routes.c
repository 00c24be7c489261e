/* The routing table of Linux, as proc(5) shows it to anybody. */

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "probe/os/os_machine.h"

enum { ROUTE_UP = 0x1, ROUTE_REJECT = 0x200, LINE_BYTES = 512 };
static const unsigned long ROUTE_LOCAL = 0x80000000ul;

/** A number that the kernel prints as it lies in memory. */
static void format_v4(unsigned value, char out[46])
{
	struct in_addr address = {.s_addr = value};
	inet_ntop(AF_INET, &address, out, 46);
}

static int bits_of(unsigned mask)
{
	int bits = 0;
	for (; mask; mask &= mask - 1)
		bits++;
	return bits;
}

/* Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT */
static void read_v4(const char *line, void (*each)(const struct os_route_row *row, void *user), void *user)
{
	struct os_route_row row = {.length = 0};
	unsigned network, gateway, flags, mask;
	int metric;
	if (sscanf(line, "%63s %8x %8x %x %*d %*d %d %8x", row.device, &network, &gateway, &flags, &metric, &mask) !=
		    6 ||
	    !(flags & ROUTE_UP) || (flags & ROUTE_REJECT))
		return;
	format_v4(network, row.network);
	row.length = bits_of(mask);
	if (gateway)
		format_v4(gateway, row.next_hop);
	row.metric = (uint32_t)metric;
	each(&row, user);
}

/** 32 hex digits; false for anything else. */
static bool format_v6(const char *hex, char out[46])
{
	unsigned char bytes[16];
	for (size_t i = 0; i < sizeof(bytes); i++) {
		unsigned value;
		if (sscanf(hex + 2 * i, "%2x", &value) != 1)
			return false;
		bytes[i] = (unsigned char)value;
	}
	return inet_ntop(AF_INET6, bytes, out, 46) != NULL;
}

/* network length source length next-hop metric refs uses flags device, all in hex */
static void read_v6(const char *line, void (*each)(const struct os_route_row *row, void *user), void *user)
{
	struct os_route_row row = {.length = 0};
	char network[33], hop[33];
	unsigned length, metric;
	unsigned long flags;
	if (sscanf(line, "%32s %x %*s %*x %32s %x %*x %*x %lx %63s", network, &length, hop, &metric, &flags,
		   row.device) != 6 ||
	    length > 128 || !(flags & ROUTE_UP) || (flags & (ROUTE_REJECT | ROUTE_LOCAL)) ||
	    !format_v6(network, row.network) || !format_v6(hop, row.next_hop))
		return;
	row.length = (int)length;
	row.metric = metric;
	if (strcmp(row.next_hop, "::") == 0)
		row.next_hop[0] = '\0';
	each(&row, user);
}

typedef void (*line_reader)(const char *line, void (*each)(const struct os_route_row *row, void *user), void *user);

static bool read_file(const char *path, line_reader read, void (*each)(const struct os_route_row *row, void *user),
		      void *user)
{
	char line[LINE_BYTES];
	FILE *file = fopen(path, "r");
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file))
		read(line, each, user); /* the heading is no route */
	fclose(file);
	return true;
}

bool os_routes(void (*each)(const struct os_route_row *row, void *user), void *user)
{
	bool v4 = read_file("/proc/net/route", read_v4, each, user);
	bool v6 = read_file("/proc/net/ipv6_route", read_v6, each, user); /* missing where IPv6 is off */
	return v4 || v6;
}
