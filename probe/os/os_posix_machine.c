/* What a POSIX machine says of its time zone, and the kernel of one route. */

#include "probe/os/os_machine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_BYTES = 4096 };

bool os_environment_ignores_case(void)
{
	return false;
}

bool os_is_local_system(void)
{
	return false;
}

bool os_time_zone(char *name, size_t bytes, int *utc_offset_minutes)
{
	time_t now = time(NULL);
	struct tm local;
	if (!localtime_r(&now, &local))
		return false;
	snprintf(name, bytes, "%s", local.tm_zone ? local.tm_zone : "");
	*utc_offset_minutes = (int)(local.tm_gmtoff / 60);
	return name[0] != '\0';
}

/* ------------------------------------------------------------------ one route (rtnetlink(7)) */

/* Both families have their address at the end. */
struct question {
	struct nlmsghdr header;
	struct rtmsg route;
	struct rtattr attribute;
	unsigned char address[sizeof(struct in6_addr)];
};

static bool ask(int fd, int family, const void *address, size_t length)
{
	struct question question = {
		.header = {.nlmsg_type = RTM_GETROUTE, .nlmsg_flags = NLM_F_REQUEST},
		.route = {.rtm_family = (unsigned char)family, .rtm_dst_len = (unsigned char)(length * 8)},
		.attribute = {.rta_type = RTA_DST, .rta_len = (unsigned short)RTA_LENGTH(length)},
	};
	size_t bytes = sizeof(question) - sizeof(question.address) + length;
	memcpy(question.address, address, length);
	question.header.nlmsg_len = (uint32_t)bytes;
	return send(fd, &question, bytes, 0) == (ssize_t)bytes;
}

static void read_attribute(int family, unsigned type, const void *data, size_t length, struct os_route *out)
{
	size_t address_bytes = family == AF_INET6 ? 16 : 4;
	unsigned index;
	if (type == RTA_OIF && length == sizeof(index)) {
		memcpy(&index, data, sizeof(index));
		if (!if_indextoname(index, out->device))
			snprintf(out->device, sizeof(out->device), "%u", index);
	} else if (type == RTA_GATEWAY && length == address_bytes) {
		inet_ntop(family, data, out->next_hop, sizeof(out->next_hop));
	} else if (type == RTA_PREFSRC && length == address_bytes) {
		inet_ntop(family, data, out->source, sizeof(out->source));
	}
}

/* The kernel's answer is the route, or the error that connect() would give. */
static bool read_answer(const unsigned char *bytes, size_t length, struct os_route *out)
{
	struct nlmsghdr header;
	struct rtmsg route;
	struct rtattr attribute;
	size_t at = NLMSG_LENGTH(sizeof(route));
	if (length < sizeof(header))
		return false;
	memcpy(&header, bytes, sizeof(header));
	if (header.nlmsg_type == NLMSG_ERROR)
		return true;
	if (header.nlmsg_type != RTM_NEWROUTE || header.nlmsg_len > length || header.nlmsg_len < at)
		return false;
	memcpy(&route, bytes + NLMSG_HDRLEN, sizeof(route));
	for (; at + sizeof(attribute) <= header.nlmsg_len; at += RTA_ALIGN(attribute.rta_len)) {
		memcpy(&attribute, bytes + at, sizeof(attribute));
		if (attribute.rta_len < sizeof(attribute) || at + attribute.rta_len > header.nlmsg_len)
			break;
		read_attribute(route.rtm_family, attribute.rta_type, bytes + at + RTA_LENGTH(0),
			       attribute.rta_len - RTA_LENGTH(0), out);
	}
	out->found = true;
	return true;
}

bool os_best_route(const char *address, struct os_route *out)
{
	struct in6_addr binary;
	unsigned char answer[ANSWER_BYTES];
	int family = strchr(address, ':') ? AF_INET6 : AF_INET;
	*out = (struct os_route){0};
	if (inet_pton(family, address, &binary) != 1)
		return false;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return false;
	ssize_t got = ask(fd, family, &binary, family == AF_INET6 ? 16 : 4) ? recv(fd, answer, sizeof(answer), 0) : -1;
	close(fd);
	return got > 0 && read_answer(answer, (size_t)got, out);
}

/* ------------------------------------------------------------------ what only Windows has */

size_t os_missing_apis(const char **names, size_t max)
{
	(void)names, (void)max;
	return 0;
}

const char *os_system_folder(void)
{
	return NULL;
}

bool os_path_exists(const char *path)
{
	struct stat info;
	return stat(path, &info) == 0;
}

bool os_run_program(const char *program, const char *arguments, int timeout_ms, char *out, size_t bytes)
{
	(void)program, (void)arguments, (void)timeout_ms, (void)out, (void)bytes;
	return false;
}
