/* Resolvers, DNS suffixes and default routes, in namespaces of this test's own: resolv.conf is a file mounted over the system's. */

#include "probe/os/os.h"

#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/check.h"

static char configuration[] = "/tmp/os_net_posix_test.XXXXXX";
static int routes_fd;

static bool enter_namespaces(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS) != 0 &&
	    unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS) != 0)
		return false;
	routes_fd = socket(AF_INET, SOCK_DGRAM, 0);
	return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       ioctl(routes_fd, SIOCSIFFLAGS, &request) == 0;
}

/** The resolvers of a resolv.conf with that text, separated by blanks. */
static const char *resolvers_of(const char *text)
{
	static char joined[512];
	char reason[128], found[16][64];
	CHECK(os_write_file(configuration, text, strlen(text), reason, sizeof(reason)));
	CHECK(mount(configuration, "/etc/resolv.conf", NULL, MS_BIND, NULL) == 0);
	size_t count = os_resolvers(found, 16);
	CHECK(umount("/etc/resolv.conf") == 0);
	joined[0] = '\0';
	for (size_t i = 0; i < count; i++)
		snprintf(joined + strlen(joined), sizeof(joined) - strlen(joined), "%s%s", i ? " " : "", found[i]);
	return joined;
}

static void resolvers_are_read_as_glibc_does(void)
{
	char one[1][64];
	CHECK_TEXT(resolvers_of(""), "");
	CHECK_TEXT(resolvers_of("search corp.example\noptions timeout:1\n"), "");
	CHECK_TEXT(resolvers_of("nameserver 10.0.0.1\nnameserver\t10.0.0.2"), "10.0.0.1 10.0.0.2");
	CHECK_TEXT(resolvers_of("nameserver  10.0.0.1  \nnameserver 10.0.0.2 # second\nnameserver 10.0.0.3;x\r\n"),
		   "10.0.0.1 10.0.0.2 10.0.0.3");
	CHECK_TEXT(resolvers_of("# nameserver 1.1.1.1\n;nameserver 2.2.2.2\n nameserver 3.3.3.3\n"), "");
	CHECK_TEXT(resolvers_of("nameserver2 1.1.1.1\nnameserver\nnameserver \nnameserver corp.example\n"), "");
	CHECK_TEXT(resolvers_of("nameserver 2001:DB8::53\nnameserver fe80::1%lo\n"), "2001:db8::53 fe80::1%lo");
	CHECK_TEXT(resolvers_of("nameserver 10.1\n"), "10.0.0.1");
	CHECK_TEXT(resolvers_of("nameserver 1.1.1.1\nnameserver bad\nnameserver 2.2.2.2\nnameserver "
				"3.3.3.3\nnameserver 4.4.4.4\n"),
		   "1.1.1.1 2.2.2.2 3.3.3.3");
	CHECK(os_resolvers(one, 0) == 0);
}

/** The DNS suffixes with a resolv.conf of that text, separated by blanks. */
static const char *suffixes_of(const char *text, size_t max)
{
	static char joined[4096];
	static char found[16][256];
	char reason[128];
	CHECK(os_write_file(configuration, text, strlen(text), reason, sizeof(reason)));
	CHECK(mount(configuration, "/etc/resolv.conf", NULL, MS_BIND, NULL) == 0);
	size_t count = os_dns_suffixes(found, max);
	CHECK(umount("/etc/resolv.conf") == 0);
	joined[0] = '\0';
	for (size_t i = 0; i < count; i++)
		snprintf(joined + strlen(joined), sizeof(joined) - strlen(joined), "%s%s", i ? " " : "", found[i]);
	return joined;
}

static void suffixes_are_read_as_glibc_does(void)
{
	char too_long[300] = "search ";
	CHECK(sethostname("host.of.example", 15) == 0);
	CHECK_TEXT(suffixes_of("search corp.example\n", 16), "corp.example");
	CHECK_TEXT(suffixes_of("nameserver 10.0.0.1\nsearch\tA.example  b.example\tc.example \r\n", 16),
		   "A.example b.example c.example");
	CHECK_TEXT(suffixes_of("domain corp.example more.example\n", 16), "corp.example");
	CHECK_TEXT(suffixes_of("search a.example b.example\ndomain c.example\n", 16), "c.example");
	CHECK_TEXT(suffixes_of("domain c.example\nsearch a.example b.example", 16), "a.example b.example");
	CHECK_TEXT(suffixes_of("search a.example A.EXAMPLE b.example a.example\n", 16), "a.example b.example");
	CHECK_TEXT(suffixes_of("search a.example b.example c.example\n", 2), "a.example b.example");
	CHECK_TEXT(suffixes_of("search a.example\n", 0), "");
	CHECK_TEXT(suffixes_of("search .\n", 16), "");
	CHECK_TEXT(suffixes_of("search a.example .\n", 16), "a.example");
	memset(too_long + 7, 'x', sizeof(too_long) - 8);
	CHECK_TEXT(suffixes_of(too_long, 16), "");
}

static void the_host_s_name_is_the_last_resort(void)
{
	CHECK_TEXT(suffixes_of("", 16), "of.example");
	CHECK_TEXT(suffixes_of(
			   "nameserver 10.0.0.1\n# search a.example\n search b.example\nsearch \nsearch\nsearching c\n",
			   16),
		   "of.example");
	CHECK_TEXT(suffixes_of("", 0), "");
	CHECK(sethostname("host", 4) == 0);
	CHECK_TEXT(suffixes_of("", 16), "");
	CHECK(sethostname("host.", 5) == 0);
	CHECK_TEXT(suffixes_of("", 16), "");
}

/** Add or remove a default route by lo; a rejecting one needs no device. */
static bool change_route(unsigned long request, bool reject, int metric)
{
	static char device[] = "lo";
	struct rtentry route = {.rt_flags = RTF_UP, .rt_metric = (short)(metric + 1)};
	route.rt_dst.sa_family = AF_INET;
	route.rt_genmask.sa_family = AF_INET;
	if (reject)
		route.rt_flags |= RTF_REJECT;
	else
		route.rt_dev = device;
	return ioctl(routes_fd, request, &route) == 0;
}

static void the_best_default_route_counts(void)
{
	char gateway[46] = "unset";
	CHECK_INT(os_default_route(4, gateway), 0);
	CHECK_TEXT(gateway, "");
	CHECK(change_route(SIOCADDRT, false, 100));
	CHECK_INT(os_default_route(4, gateway), 1);
	CHECK_TEXT(gateway, "");
	CHECK(change_route(SIOCADDRT, true, 200)); /* a refusing route behind it */
	CHECK_INT(os_default_route(4, gateway), 1);
	CHECK(change_route(SIOCADDRT, true, 10)); /* and one before it */
	CHECK_INT(os_default_route(4, gateway), 0);
	CHECK(change_route(SIOCDELRT, true, 10));
	CHECK(change_route(SIOCDELRT, false, 100));
	CHECK_INT(os_default_route(4, gateway), 0);
	CHECK_INT(os_default_route(6, gateway), 0);
}

int main(void)
{
	int fd = mkstemp(configuration);
	if (fd >= 0)
		close(fd);
	if (fd < 0 || !enter_namespaces()) {
		printf("no namespaces here: not tested\n");
		unlink(configuration);
		return check_summary();
	}
	the_best_default_route_counts();
	if (access("/etc/resolv.conf", F_OK) == 0) {
		resolvers_are_read_as_glibc_does();
		suffixes_are_read_as_glibc_does();
		the_host_s_name_is_the_last_resort();
	}
	unlink(configuration);
	return check_summary();
}
