/* Detection of a PAC script's address, in namespaces of this test's own: suffixes, names and DHCP leases are files mounted over the system's. */

#include "probe/engine/wpad.h"

#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probe/core/arena.h"
#include "probe/os/os.h"
#include "tests/unit/check.h"

enum { TIMEOUT_US = 3 * 1000 * 1000 };

static char scratch[] = "/tmp/wpad_posix_test.XXXXXX";

static struct {
	uv_loop_t loop;
	struct report *report;
	struct resolver resolver;
	struct path_list paths;
	const struct wpad_result *result;
} world;

static bool enter_namespaces(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	if (unshare(CLONE_NEWNS | CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) != 0)
		return false;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	return fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0 && close(fd) == 0 &&
	       mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("none", scratch, "tmpfs", 0, NULL) == 0;
}

/* One file of the scratch directory, with that text, over one of the system's. */
static bool mount_file(const char *name, const char *text, const char *over)
{
	char path[256], reason[128];
	snprintf(path, sizeof(path), "%s/%s", scratch, name);
	return os_write_file(path, text, strlen(text), reason, sizeof(reason)) &&
	       mount(path, over, NULL, MS_BIND, NULL) == 0;
}

static bool world_open(void)
{
	uv_loop_init(&world.loop);
	world.report = report_new();
	path_list_add(world.report->arena, &world.paths, report_add_path(world.report));
	world.resolver = (struct resolver){.loop = &world.loop,
					   .report = world.report,
					   .run_started_us = os_monotonic_us(),
					   .timeout_us = TIMEOUT_US,
					   .system_lookup = true};
	return mount("none", "/var/lib", "tmpfs", 0, NULL) == 0 && mkdir("/var/lib/dhcp", 0755) == 0 &&
	       mount("none", "/run", "tmpfs", 0, NULL) == 0 &&
	       mount_file("resolv.conf", "search b.a.corp.example\n", "/etc/resolv.conf") &&
	       mount_file("hosts", "", "/etc/hosts");
}

static void on_done(struct wpad *wpad, const struct wpad_result *result, void *user)
{
	(void)wpad;
	(void)user;
	CHECK(!world.result); /* once */
	world.result = result;
}

static struct wpad *begin(void)
{
	struct wpad_options options = {.loop = &world.loop,
				       .report = world.report,
				       .resolver = &world.resolver,
				       .paths = &world.paths,
				       .timeout_us = TIMEOUT_US,
				       .done = on_done};
	world.result = NULL;
	struct wpad *wpad = wpad_start(&options);
	CHECK(!world.result); /* never inside */
	return wpad;
}

static const struct wpad_result *detect(void)
{
	begin();
	while ((!world.result || world.resolver.open) && uv_run(&world.loop, UV_RUN_ONCE))
		;
	return world.result;
}

/* In place: what is mounted is the file, not its name. */
static void hosts(const char *text)
{
	FILE *file = fopen("/etc/hosts", "w");
	CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void lease(const char *option)
{
	char text[512], reason[128];
	snprintf(text, sizeof(text), "lease {\n  fixed-address 127.0.0.1;\n%s}\n", option);
	CHECK(os_write_file("/var/lib/dhcp/dhclient.leases", text, strlen(text), reason, sizeof(reason)));
}

/* ------------------------------------------------------------------ tests */

static void nothing_is_found(void)
{
	hosts("127.0.0.1 localhost\n");
	CHECK_TEXT(detect()->url, NULL);
	CHECK_TEXT(world.result->found_by, NULL);
	CHECK_TEXT(world.result->dhcp, NULL);
	CHECK_TEXT(world.result->message, "DHCP: no DHCP client has left a lease on this machine; DNS: none of the "
					  "names has an address");
	CHECK_INT(world.result->names.count, 3);
	CHECK_TEXT(world.result->names.items[0], "wpad.b.a.corp.example");
	CHECK_TEXT(world.result->names.items[2], "wpad.corp.example");
	CHECK_INT(world.report->observations.count, 3);
	const struct observation *one = world.report->observations.items[1];
	CHECK_INT(one->op, OP_SYSTEM_LOOKUP);
	CHECK_TEXT(one->lookup.name, "wpad.a.corp.example");
	CHECK_TEXT(one->experiment, "wpad");
	CHECK_INT(one->paths.count, 1);
	CHECK(one->failure != FAILURE_NONE);
}

static void the_first_name_with_an_address_is_it(void)
{
	hosts("127.0.0.1 wpad.a.corp.example wpad.corp.example\n");
	CHECK_TEXT(detect()->url, "http://wpad.a.corp.example/wpad.dat");
	CHECK_TEXT(world.result->found_by, "dns");
	CHECK_TEXT(world.result->message, NULL);
	CHECK_INT(world.result->names.count, 2);
}

static void dhcp_comes_first(void)
{
	lease("  option wpad \"http://pac.corp.example/x.pac?site=1\\012\";\n");
	CHECK_TEXT(detect()->url, "http://pac.corp.example/x.pac?site=1");
	CHECK_TEXT(world.result->found_by, "dhcp");
	CHECK_TEXT(world.result->dhcp, "http://pac.corp.example/x.pac");
	CHECK_INT(world.result->names.count, 0);
}

static void what_dhcp_says_must_be_an_address(void)
{
	lease("  option wpad \"\\\\\\\\server\\\\x.pac\";\n");
	CHECK_TEXT(detect()->url, "http://wpad.a.corp.example/wpad.dat");
	CHECK(world.result->dhcp && strstr(world.result->dhcp, "server") != NULL);
	hosts("127.0.0.1 localhost\n");
	CHECK_TEXT(detect()->url, NULL);
	CHECK(strstr(world.result->message, "neither an http: nor an https: address") != NULL);
	lease("");
	CHECK(strstr(detect()->message, "no lease of this machine has option 252") != NULL);
}

static void a_cut_ends_it_at_once(void)
{
	struct wpad *wpad = begin();
	wpad_cancel(wpad, FAILURE_DEADLINE);
	CHECK(world.result && !world.result->url && world.result->message);
	wpad_cancel(wpad, FAILURE_DEADLINE); /* too late: nothing happens */
	wpad = begin();
	while (!world.resolver.open)
		uv_run(&world.loop, UV_RUN_ONCE);
	wpad_cancel(wpad, FAILURE_DEADLINE);
	CHECK(world.result && world.result->names.count >= 1);
	lookups_cut(&world.resolver, FAILURE_DEADLINE);
	CHECK(!world.resolver.open);
}

int main(void)
{
	os_start();
	if (!mkdtemp(scratch))
		return 1;
	if (!enter_namespaces()) {
		printf("no namespaces here: not tested\n");
		rmdir(scratch);
		return check_summary();
	}
	if (!world_open()) { /* then the files of the system itself would be written to */
		CHECK(!"the files could not be mounted");
		return check_summary();
	}
	nothing_is_found();
	the_first_name_with_an_address_is_it();
	dhcp_comes_first();
	what_dhcp_says_must_be_an_address();
	a_cut_ends_it_at_once();
	uv_run(&world.loop, UV_RUN_DEFAULT);
	CHECK_INT(uv_loop_close(&world.loop), 0);
	CHECK(umount2(scratch, MNT_DETACH) == 0 && rmdir(scratch) == 0);
	return check_summary();
}
