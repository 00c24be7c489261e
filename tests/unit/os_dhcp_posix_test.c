/* DHCP's option 252 out of the files that clients leave behind. */

#include "probe/os/os_dhcp.h"

#include <stdlib.h>
#include <unistd.h>

#include "probe/os/os.h"
#include "tests/unit/check.h"

#define HELD "  fixed-address 127.0.0.1;\n"

static char root[] = "/tmp/os_dhcp_posix_test.XXXXXX";

static void run(const char *command)
{
	char line[512];
	snprintf(line, sizeof(line), "cd %s && %s", root, command);
	CHECK_INT(system(line), 0);
}

static void put(const char *file, const char *text)
{
	char path[256], reason[128];
	snprintf(path, sizeof(path), "%s/%s", root, file);
	CHECK(os_write_file(path, text, strlen(text), reason, sizeof(reason)));
}

/** What is found with one file there; "-" and the reason where nothing is. */
static const char *found_in(const char *file, const char *text)
{
	static char url[OS_DHCP_URL_MAX], reason[1200];
	char path[256];
	put(file, text);
	reason[0] = '-';
	bool found = os_dhcp_wpad_below(root, url, sizeof(url), reason + 1, sizeof(reason) - 1);
	snprintf(path, sizeof(path), "%s/%s", root, file);
	unlink(path);
	return found ? url : reason;
}

static void networkd_leases_are_read(void)
{
	static const char file[] = "run/systemd/netif/leases/2", none[] = "-no lease of this machine has option 252";
	CHECK_TEXT(found_in(file, "# This is private data. Do not parse.\nADDRESS=10.0.0.2\nOPTION_252="
				  "687474703a2f2f777061642e636f72702f7770616400\n"),
		   "http://wpad.corp/wpad");
	CHECK_TEXT(found_in(file, "OPTION_252=687474703A2F2F610A"), "http://a");
	CHECK_TEXT(found_in(file, "ADDRESS=10.0.0.2\nOPTION_251=61\n"), none);
	CHECK_TEXT(found_in(file, "XOPTION_252=61\n"), none);
	CHECK_TEXT(found_in(file, ""), none);
	CHECK(strstr(found_in(file, "OPTION_252=\n"), "is no text") != NULL);
	CHECK(strstr(found_in(file, "OPTION_252=0a\n"), "is no text") != NULL);
	CHECK(strstr(found_in(file, "OPTION_252=610161\n"), "is no text") != NULL);
	CHECK_TEXT(found_in(file, "OPTION_252=6162x\n"), "ab");
	CHECK_TEXT(found_in(file, "OPTION_252=616\n"), "a");
}

static void dhclient_leases_are_read(void)
{
	static const char file[] = "var/lib/dhcp/dhclient.eth0.leases";
	static const char none[] = "-no lease of this machine has option 252";
	CHECK_TEXT(found_in(file, "lease {\n  interface \"eth0\";\n" HELD
				  "  option subnet-mask 255.0.0.0;\n  option unknown-252 \"http://a/x.pac\";\n}\n"),
		   "http://a/x.pac");
	CHECK_TEXT(found_in(file, "lease {\n" HELD "  option unknown-252 68:74:74:70:3a:2f:2f:61:a:0;\n}\n"),
		   "http://a");
	CHECK_TEXT(found_in(file, "lease {\n" HELD "  option wpad \"http://a\\000\";\n}\n"), "http://a");
	CHECK_TEXT(found_in(file, "lease {\n" HELD "  option WPAD-url \"http://\\\"\\\\\\141\\012\";\n}\n"),
		   "http://\"\\a");
	/* the last one counts that this machine still has */
	CHECK_TEXT(found_in(file, "lease {\n" HELD "  option wpad \"http://old\";\n}\nlease {\n" HELD
				  "  option wpad \"http://new\";\n}\n"),
		   "http://new");
	CHECK_TEXT(found_in(file, "lease {\n" HELD "  option wpad \"http://old\";\n}\nlease {\n" HELD "}\n"), none);
	CHECK_TEXT(found_in(file, "lease {\n" HELD "  option wpad \"http://here\";\n}\nlease {\n"
				  "  fixed-address 192.0.2.1;\n  option wpad \"http://elsewhere\";\n}\n"),
		   "http://here");
	CHECK_TEXT(found_in(file, "lease {\n  option wpad \"http://a\";\n}\n"), none);
	CHECK_TEXT(found_in(file, "lease6 {\n" HELD "  option wpad \"http://a\";\n}\n"), none);
	CHECK_TEXT(found_in(file, "lease {\n" HELD "  option wpadx \"http://a\";\n}\n"), none);
	/* damaged */
	CHECK_TEXT(found_in(file, "lease {\n" HELD "  option wpad \"http://a"), none);
	CHECK_TEXT(found_in(file, "lease {\n" HELD "  option wpad \"http://a\n}\n"), "http://a");
	CHECK(strstr(found_in(file, "lease {\n" HELD "  option wpad 168:74;\n}\n"), "is no text") != NULL);
	CHECK(strstr(found_in(file, "lease {\n" HELD "  option wpad ;\n}\n"), "is no text") != NULL);
	CHECK_TEXT(found_in("var/lib/NetworkManager/dhclient-1-eth0.lease",
			    "lease {\n" HELD "  option wpad \"http://nm\";\n}\n"),
		   "http://nm");
	CHECK(strstr(found_in("var/lib/dhcp/dhcpd.leases", "lease {\n" HELD "  option wpad \"http://a\";\n}\n"),
		     "no DHCP client") != NULL);
}

static void a_text_is_cleaned(void)
{
	char out[8];
	CHECK(os_dhcp_text(" ab\r\n\0c", 7, out, sizeof(out)));
	CHECK_TEXT(out, "ab");
	CHECK(!os_dhcp_text("", 0, out, sizeof(out)));
	CHECK(!os_dhcp_text("\0ab", 3, out, sizeof(out)));
	CHECK(!os_dhcp_text(" \n", 2, out, sizeof(out)));
	CHECK(!os_dhcp_text("12345678", 8, out, sizeof(out)));
	CHECK(os_dhcp_text("1234567", 7, out, sizeof(out)));
	CHECK(!os_dhcp_text("a\nb", 3, out, sizeof(out)));
	CHECK(!os_dhcp_text("\xc3\xa4", 2, out, sizeof(out)));
}

int main(void)
{
	char reason[128], url[64];
	if (!mkdtemp(root))
		return 1;
	CHECK(!os_dhcp_wpad_below(root, url, sizeof(url), reason, sizeof(reason)));
	CHECK_TEXT(reason, "no DHCP client has left a lease on this machine");
	run("mkdir -p run/systemd/netif/leases var/lib/dhcp var/lib/NetworkManager");
	networkd_leases_are_read();
	dhclient_leases_are_read();
	a_text_is_cleaned();
	run("rm -r run var");
	CHECK_INT(rmdir(root), 0);
	return check_summary();
}
