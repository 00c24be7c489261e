/* Target sets: what an admin may write, and that every mistake is named with file and line. */
#include "targets/targets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/url.h"
#include "tests/unit/check.h"
#include "tests/unit/check_file.h"

static struct arena *arena;

static const struct {
	const char *text;
	const char *wanted; /* the message after "t.ini:" */
} mistakes[] = {
	{"", " no [target ID] in it"},
	{"# nothing\n", " no [target ID] in it"},
	{"[set]\nname=x\n", " no [target ID] in it"},
	{"url=http://a.example/\n", "1: a key before the first [set] or [target ID]"},
	{"[sett]\nname=x\n", "1: unknown section [sett]: there are [set] and [target ID]"},
	{"[]\nname=x\n", "1: unknown section []: there are [set] and [target ID]"},
	{"[set\nname=x\n", "1: a section is one `[set]` or `[target ID]` and nothing else in its line"},
	{"[set] name=x\nname=y\n", "1: a section is one `[set]` or `[target ID]` and nothing else in its line"},
	{"[set]\nnmae=x\n", "2: unknown key `nmae`: [set] has name and cloud"},
	{"[set]\nurl=http://a/\n", "2: unknown key `url`: [set] has name and cloud"},
	{"[set]\ncloud=mars\n", "2: cloud=`mars`: it is public, usgov or china"},
	{"[set]\nname=\n", "2: name= has no value"},
	{"[set]\nname=x\nname=y\n", "3: name= stands twice in its section"},
	{"[set]\nname=x\n[set]\nname=y\n", "3: [set] stands once, before every [target ID]"},
	{"[target a]\nurl=http://a.example/\n[set]\nname=y\n", "3: [set] stands once, before every [target ID]"},
	{"[set]\n[target a]\nurl=http://a.example/\n", "1: a section without a key"},
	{"[target a]\nurl=http://a.example/\n[target b]\n", "3: a section without a key"},
	{"[target a]\nurl=http://a.example/\n\n[target a]\nurl=http://b.example/\n", "4: target ID `a` stands twice"},
	{"[target a]\nurl=http://a.example/\n[target b]\nhost=h\nport=1\n[target a]\nneed=required\n",
	 "6: target ID `a` stands twice"},
	{"[target ]\nurl=http://a.example/\n",
	 "1: a target's ID is made of letters, digits, '-', '_' and '.': [target my-host]"},
	{"[target a b]\nurl=http://a.example/\n",
	 "1: a target's ID is made of letters, digits, '-', '_' and '.': [target my-host]"},
	{"[target aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]\nurl=http://a.example/\n",
	 "1: a section's name has at most 47 bytes"},
	{"[target a]\nneed=required\n", "1: target `a` has no url=, host= or cidr="},
	{"[target a]\nurl=http://a.example/\nuse=x\n",
	 "3: unknown key `use`: a target has url, host, port, cidr, rule, service, need, stand_in, expect_status, "
	 "expect_header and "
	 "expect_body"},
	{"[target a]\nurl=http://a.example/\nname=x\n",
	 "3: unknown key `name`: a target has url, host, port, cidr, rule, service, need, stand_in, expect_status, "
	 "expect_header and "
	 "expect_body"},
	{"[target a]\nurl\n", "2: neither `key=value` nor `[section]`"}, /* and not what follows from it: no url= */
	{"[target a]\nurl=http://a.example/\n  junk\nneed=yes\n", "3: neither `key=value` nor `[section]`"},
	{"[target a]\nurl=ftp://a.example/\n", "2: url=: only http and https URLs can be probed"},
	{"[target a]\nurl=a.example\n", "2: url=: not a URL of the form http(s)://host[:port]/path"},
	{"[target a]\nurl=http://a.example:99999/\n", "2: url=: not a URL of the form http(s)://host[:port]/path"},
	{"[target a]\nurl=https://me:secret@a.example/\n",
	 "2: url=: the URL of a target may not carry a user name or password"},
	{"[target a]\nurl=https://-a.example/\n", "2: url=: the URL's host is neither a DNS name nor an address"},
	{"[target a]\nurl=https://*.example.com/\n", "2: url=: the URL's host is neither a DNS name nor an address"},
	{"[target a]\nurl=https://10.1.2/\n", "2: url=: the URL's host is neither a DNS name nor an address"},
	{"[target a]\nurl=https://{geo}.example/\n",
	 "2: `https://{geo}.example/`: {region} is the only thing in braces that is filled in"},
	{"[target a]\nurl=http://a.example/\nhost=b\n",
	 "3: one of url=, host= and cidr= is enough: line 2 has one already"},
	{"[target a]\nurl=http://a.example/\nport=80\n",
	 "2: port= goes with host= or cidr=; a port of a URL stands in it"},
	{"[target a]\nhost=b\n", "2: host= needs port= beside it"},
	{"[target a]\nhost=b c\nport=1\n", "2: host=`b c`: neither a DNS name nor an address"},
	{"[target a]\nhost=b\nport=0\n", "3: port=`0`: a port is a number from 1 to 65535"},
	{"[target a]\nhost=b\nport=65536\n", "3: port=`65536`: a port is a number from 1 to 65535"},
	{"[target a]\nhost=b\nport=4294967297\n", "3: port=`4294967297`: a port is a number from 1 to 65535"},
	{"[target a]\nhost=b\nport=-1\n", "3: port=`-1`: a port is a number from 1 to 65535"},
	{"[target a]\ncidr=10.0.0.0/33\n", "2: cidr=`10.0.0.0/33`: not a range of the form ADDRESS/BITS with all bits "
					   "behind BITS zero (20.190.128.0/18)"},
	{"[target a]\ncidr=10.0.0.1/8\n",
	 "2: cidr=`10.0.0.1/8`: not a range of the form ADDRESS/BITS with all bits behind BITS zero (20.190.128.0/18)"},
	{"[target a]\ncidr=10.0.0.0/8\nexpect_status=200\n",
	 "2: expect_status=, expect_header= and expect_body= need url="},
	{"[target a]\nurl=http://a.example/\nneed=yes\n", "3: need=`yes`: it is required or recommended"},
	{"[target a]\nurl=http://a.example/\nstand_in=true\n", "3: stand_in=`true`: it is yes or no"},
	{"[target a]\nurl=http://a.example/\nservice=a b\n", "3: service=`a b`: one word"},
	{"[target a]\nurl=http://a.example/\nrule=*.a *.b\n",
	 "3: rule=`*.a *.b`: one name, wildcard or range, without blanks"},
	{"[target a]\nurl=http://a.example/\nexpect_status=200,abc\n",
	 "3: expect_status=`200,abc`: HTTP statuses from 100 to 599: 200,302"},
	{"[target a]\nurl=http://a.example/\nexpect_status=200,\n",
	 "3: expect_status=`200,`: HTTP statuses from 100 to 599: 200,302"},
	{"[target a]\nurl=http://a.example/\nexpect_status=999\n",
	 "3: expect_status=`999`: HTTP statuses from 100 to 599: 200,302"},
	{"[target a]\nurl=http://a.example/\nexpect_status=200\nexpect_status=302\n",
	 "4: expect_status= stands twice in its section"},
	{"[target a]\nurl=http://a.example/\nexpect_header=a: b\n",
	 "3: expect_header=`a: b`: names of headers, without values: x-ms-request-id"},
	{"[target a]\nurl=http://a.example/\nexpect_header=,\n",
	 "3: expect_header=`,`: names of headers, without values: x-ms-request-id"},
	{"[target a]\nurl=http://a.example/\nexpect_body=caf\xc3\xa9\n",
	 "3: expect_body= may hold printable ASCII only"},
	{"[target a]\nurl=http://a.example/\nexpect_body=\x1b[31m\n", "3: a control character"},
	{"[target a]\nurl=http://a.example/\rneed=required\n", "2: a control character"},
};

static struct target_options no_region(void)
{
	return (struct target_options){.arena = arena};
}

static void check_mistakes(void)
{
	struct target_options options = no_region();

	for (size_t i = 0; i < sizeof(mistakes) / sizeof(*mistakes); i++) {
		struct target_set set = {.count = 77};
		struct err err = {{0}};
		bool loaded = targets_load_text(&options, "t.ini", mistakes[i].text, &set, &err);

		if (loaded)
			printf("accepted: %s\n", mistakes[i].text);
		CHECK(!loaded);
		CHECK(strncmp(err.text, "t.ini:", 6) == 0);
		CHECK_TEXT(err.text + 6, mistakes[i].wanted);
		CHECK_INT(set.count, 77); /* untouched */
	}
}

/* A line longer than the library's buffer must not lose its end in silence. */
static void check_long_lines(void)
{
	struct target_options options = no_region();
	struct target_set set;
	struct err err = {{0}};
	char text[600];
	size_t used;

	used = (size_t)snprintf(text, sizeof(text), "[target a]\nurl=http://a.example/");
	memset(text + used, 'x', 400);
	snprintf(text + used + 400, sizeof(text) - used - 400, "\nneed=required\n");
	CHECK(!targets_load_text(&options, "t.ini", text, &set, &err));
	CHECK_TEXT(err.text, "t.ini:2: a line of more than 190 bytes");

	memset(text, '#', 500);
	snprintf(text + 500, sizeof(text) - 500, "\n[target a]\nurl=http://a.example/\n");
	CHECK(targets_load_text(&options, "t.ini", text, &set, &err)); /* a comment may be of any length */

	used = (size_t)snprintf(text, sizeof(text), "[target a]\nurl=http://a.example/");
	memset(text + used, 'x', 190 - strlen("url=http://a.example/"));
	snprintf(text + used + 190 - strlen("url=http://a.example/"), 40, "\nneed=recommended\n");
	CHECK(targets_load_text(&options, "t.ini", text, &set, &err));
	CHECK_INT(strlen(set.targets[0]->url), 190 - 4);
	CHECK(!set.targets[0]->required);
}

static void check_limits(void)
{
	struct target_options options = no_region();
	struct target_set set;
	struct err err = {{0}};
	size_t bytes = 5000 * 64, used = 0;
	char *text = malloc(bytes + (1 << 21));

	for (int i = 0; text && i < 4097; i++)
		used += (size_t)snprintf(text + used, bytes - used, "[target t%d]\nhost=h\nport=1\n", i);
	CHECK(!targets_load_text(&options, "t.ini", text, &set, &err));
	CHECK_TEXT(err.text, "t.ini:12289: more than 4096 targets");
	memset(text, '\n', (1 << 20) + 1);
	text[(1 << 20) + 1] = '\0';
	CHECK(!targets_load_text(&options, "t.ini", text, &set, &err));
	CHECK_TEXT(err.text, "t.ini: larger than 1 MiB");
	free(text);
}

static void check_web_target(const struct target *t)
{
	CHECK_TEXT(t->id, "web-1");
	CHECK_INT(t->kind, TARGET_URL);
	CHECK_TEXT(t->url, "https://web.ugv.example.com:8443/a?b=c;d");
	CHECK_TEXT(t->host, "web.ugv.example.com");
	CHECK_TEXT(t->name, "web.ugv.example.com:8443");
	CHECK_INT(t->port, 8443);
	CHECK_TEXT(t->rule, "*.ugv.example.com");
	CHECK(!t->required && t->stand_in && t->regional);
	CHECK_TEXT(t->service, "backup");
	CHECK_INT(t->expect.status_count, 2);
	CHECK_INT(t->expect.status[1], 302);
	CHECK_INT(t->expect.headers.count, 3);
	CHECK_TEXT(t->expect.headers.items[0], "x-ms-request-id");
	CHECK_TEXT(t->expect.headers.items[2], "server");
	CHECK_TEXT(t->expect.body, "Microsoft Connect Test");
}

/* Everything that a set may hold, in the ways in which people write it: BOM, CRLF, indentation, comments, blanks round '='. */
static void check_full_set(void)
{
	static const char text[] = "\xef\xbb\xbf# comment caf\xc3\xa9\r\n"
				   "[set] ; the set\r\n"
				   "  name = My set\r\n"
				   "\tcloud=usgov\r\n"
				   "\r\n"
				   "[target web-1]\r\n"
				   "rule=*.{region}.example.com ; before url\r\n"
				   "   url=HTTPS://Web.{region}.Example.com:8443/a?b=c;d#part\r\n"
				   "expect_status = 200 , 302\r\n"
				   "expect_header=X-Ms-Request-Id, x-b\r\n"
				   "expect_header=Server\r\n"
				   "expect_body=Microsoft Connect Test ; 22 bytes\r\n"
				   "stand_in=yes\r\nneed=recommended\r\nservice=backup\r\n"
				   "[target tcp]\nport=5671\nhost=amqp.example.com\n"
				   "[target six]\nhost=2001:db8::1\nport=443\n"
				   "[target range]\ncidr=20.190.128.0/18\n"
				   "[target range-80]\ncidr=2001:DB8::/32\nport=80\nrule=Entra";
	struct target_options options = no_region();
	struct target_set set;
	struct err err = {{0}};
	const struct target *t;

	CHECK(targets_load_text(&options, "t.ini", text, &set, &err));
	CHECK_TEXT(err.text, "");
	CHECK_TEXT(set.name, "My set");
	CHECK_TEXT(set.cloud, "usgov");
	CHECK_TEXT(set.region, "ugv");
	CHECK(set.uses_region && !set.built_in);
	CHECK_INT(set.count, 5);
	check_web_target(set.targets[0]);
	t = set.targets[1];
	CHECK_INT(t->kind, TARGET_TCP);
	CHECK_TEXT(t->url, NULL);
	CHECK_TEXT(t->rule, "amqp.example.com");
	CHECK_TEXT(t->name, "amqp.example.com:5671");
	CHECK(t->required && !t->stand_in && !t->regional);
	CHECK_TEXT(t->service, "other");
	CHECK_TEXT(set.targets[2]->host, "2001:db8::1");
	t = set.targets[3];
	CHECK_INT(t->kind, TARGET_CIDR);
	CHECK_TEXT(t->host, NULL);
	CHECK_INT(t->port, 443);
	CHECK_TEXT(t->rule, "20.190.128.0/18");
	CHECK_TEXT(t->name, "20.190.128.0/18");
	CHECK_TEXT(set.targets[4]->cidr, "2001:db8::/32");
	CHECK_TEXT(set.targets[4]->rule, "Entra");
	CHECK_INT(set.targets[4]->port, 80);
}

static const struct {
	const char *argument;
	enum target_kind kind;
	const char *name, *url;
	int port;
} arguments[] = {
	{"a.example", TARGET_URL, "a.example", "https://a.example/", 443},
	{"intranet", TARGET_URL, "intranet", "https://intranet/", 443},
	{"a.example:443", TARGET_URL, "a.example", "https://a.example/", 443},
	{"a.example:80", TARGET_URL, "a.example", "http://a.example/", 80},
	{"a.example:8443", TARGET_TCP, "a.example:8443", NULL, 8443},
	{"10.1.2.3", TARGET_URL, "10.1.2.3", "https://10.1.2.3/", 443},
	{"[2001:db8::1]:80", TARGET_URL, "2001:db8::1", "http://[2001:db8::1]/", 80},
	{"2001:db8::1", TARGET_URL, "2001:db8::1", "https://[2001:db8::1]/", 443},
	{"[2001:db8::1]:25", TARGET_TCP, "[2001:db8::1]:25", NULL, 25},
	{"http://a.example", TARGET_URL, "a.example", "http://a.example/", 80},
	{"https://a.example:8443/x?y", TARGET_URL, "a.example:8443", "https://a.example:8443/x?y", 8443},
	{"http://[2001:db8::1]/", TARGET_URL, "2001:db8::1", "http://[2001:db8::1]/", 80},
	{"https://a.example:80/", TARGET_URL, "a.example", "https://a.example:80/", 80},
	{"20.190.128.0/18", TARGET_CIDR, "20.190.128.0/18", NULL, 443},
	{"2001:db8::/32", TARGET_CIDR, "2001:db8::/32", NULL, 443},
};

static void check_arguments(void)
{
	struct target_options options = no_region();

	for (size_t i = 0; i < sizeof(arguments) / sizeof(*arguments); i++) {
		struct target_set set;
		struct err err = {{0}};

		CHECK(targets_load(&options, arguments[i].argument, &set, &err));
		CHECK_TEXT(err.text, "");
		if (err.text[0])
			continue;
		CHECK_INT(set.count, 1);
		CHECK_INT(set.targets[0]->kind, arguments[i].kind);
		CHECK_TEXT(set.targets[0]->name, arguments[i].name);
		CHECK_TEXT(set.targets[0]->url, arguments[i].url);
		CHECK_INT(set.targets[0]->port, arguments[i].port);
		CHECK(set.targets[0]->required && !set.targets[0]->stand_in);
		CHECK_INT(set.targets[0]->expect.status_count, 0);
	}
}

static const struct {
	const char *argument, *message;
} refused[] = {
	{"x y",
	 "no such target set or host `x y`; sets are mars-china, mars-public, mars-usgov; a target may also be a file "
	 "(with a '/' or .ini), HOST, HOST:PORT, a URL or a CIDR"},
	{"mars-publik",
	 "no such target set or host `mars-publik`; sets are mars-china, mars-public, mars-usgov; a target may also "
	 "be a file (with a '/' or .ini), HOST, HOST:PORT, a URL or a CIDR"},
	{"", "no such target set or host ``; sets are mars-china, mars-public, mars-usgov; a target may also be a file "
	     "(with a '/' "
	     "or .ini), HOST, HOST:PORT, a URL or a CIDR"},
	{"*.windows.net",
	 "no such target set or host `*.windows.net`; sets are mars-china, mars-public, mars-usgov; a target may "
	 "also be a file (with a '/' or .ini), HOST, HOST:PORT, a URL or a CIDR"},
	{"a.example:0",
	 "no such target set or host `a.example:0`; sets are mars-china, mars-public, mars-usgov; a target may also "
	 "be a file (with a '/' or .ini), HOST, HOST:PORT, a URL or a CIDR"},
	{"ftp://a.example/", "`ftp://a.example/`: only http and https URLs can be probed"},
	{"https://", "`https://`: not a URL of the form http(s)://host[:port]/path"},
	{"https://me:secret@a.example/", "the URL of a target may not carry a user name or password"},
	{"me:secret@a.example", "a target may not carry a user name or password"},
	{"20.190.128.1/18", "`20.190.128.1/18`: not a range of the form ADDRESS/BITS with all bits behind BITS zero "
			    "(20.190.128.0/18)"},
	{"a\x1b[31m", "a target is at most 2048 characters of printable ASCII"},
};

static void check_refused(void)
{
	struct target_options options = no_region();

	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		struct target_set set;
		struct err err = {{0}};

		CHECK(!targets_load(&options, refused[i].argument, &set, &err));
		CHECK_TEXT(err.text, refused[i].message);
	}
}

static void check_missing_file(const char *argument, const char *hint)
{
	struct target_options options = no_region();
	struct target_set set;
	struct err err = {{0}};
	char reason[128], wanted[256];

	snprintf(wanted, sizeof(wanted), "%s: %s%s", argument,
		 words_for_a_missing_file(argument, reason, sizeof(reason)), hint);
	CHECK(!targets_load(&options, argument, &set, &err));
	CHECK_TEXT(err.text, wanted);
}

static void check_file(void)
{
	static const char text[] = "[target a]\nurl=https://a.example/\n", binary[] = "[target a]\nurl=\0x";
	struct target_options options = no_region();
	struct target_set set = {0};
	struct err err = {{0}};
	char path[512], wanted[600], reason[128];

	check_missing_file("./no-such-file.ini", "");
	check_missing_file("no-such-file.ini", " (a URL begins with https://)");
	check_missing_file("a.example/path", " (a URL begins with https://)");
	temporary_path("targets_test", path, sizeof(path));
	CHECK(os_write_file(path, text, sizeof(text) - 1, reason, sizeof(reason)));
	CHECK(targets_load(&options, path, &set, &err));
	CHECK_TEXT(set.name, path);
	CHECK_TEXT(set.cloud, NULL);
	CHECK(!set.built_in && !set.uses_region);
	CHECK(os_write_file(path, binary, sizeof(binary) - 1, reason, sizeof(reason)));
	CHECK(!targets_load(&options, path, &set, &err));
	snprintf(wanted, sizeof(wanted), "%s: not a text file (a NUL byte in it)", path);
	CHECK_TEXT(err.text, wanted);
	remove(path);
}

static void check_regions(void)
{
	struct target_options options = no_region();
	struct target_set set;
	struct err err = {{0}};

	CHECK_TEXT(targets_region(&options, NULL), "eus");
	CHECK_TEXT(targets_region(&options, "public"), "eus");
	CHECK_TEXT(targets_region(&options, "usgov"), "ugv");
	CHECK_TEXT(targets_region(&options, "china"), "bjb2");
	CHECK_TEXT(targets_region_name("eus"), "East US");
	CHECK_TEXT(targets_region_name("JPE"), "Japan East");
	CHECK_TEXT(targets_region_name("bjb2"), "China North 2");
	CHECK_TEXT(targets_region_name("zzz"), NULL);
	CHECK_TEXT(targets_region_name(NULL), NULL);
	options.region = "JPW";
	CHECK_TEXT(targets_region(&options, "china"), "jpw");
	CHECK(targets_load(&options, "mars-public", &set, &err));
	CHECK_TEXT(set.region, "jpw");
	for (size_t i = 0; i < set.count; i++)
		CHECK(set.targets[i]->regional == (strstr(set.targets[i]->name, ".jpw.backup.") != NULL));
	options.region = "zzz9"; /* opened after the table was made: allowed */
	CHECK(targets_load(&options, "mars-public", &set, &err));
	static const char *const bad[] = {"", "e", "eus.evil", "abcdefghijk", "e s", "\xc3\xa9u"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		options.region = bad[i];
		CHECK(!targets_region_valid(bad[i]));
		CHECK(!targets_load(&options, "mars-public", &set, &err));
		CHECK(!targets_load(&options, "a.example", &set, &err));
		CHECK_TEXT(err.text, "--region: a region's code is 2 to 10 letters and digits, like eus or jpe");
	}
}

static const struct target *find(const struct target_set *set, const char *host, int port)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->targets[i]->host && strcmp(set->targets[i]->host, host) == 0 && set->targets[i]->port == port)
			return set->targets[i];
	CHECK_TEXT("missing", host);
	return NULL;
}

static void check_healthy(const struct target_set *set, const char *host, int port, int status, const char *body)
{
	const struct target *target = find(set, host, port);

	if (!target)
		return;
	CHECK(target->required);
	CHECK(target->expect.status_count >= 1 && target->expect.status[0] == status);
	CHECK_TEXT(target->expect.body, body);
}

/* What the vendor's list requires, and what a healthy answer is. */
static void check_public_set(void)
{
	struct target_options options = no_region();
	struct target_set set;
	struct err err = {{0}};
	size_t ranges = 0;

	CHECK(targets_load(&options, "mars-public", &set, &err));
	CHECK(set.built_in && set.uses_region);
	CHECK(set.count >= 20);
	check_healthy(&set, "login.microsoftonline.com", 443, 200, NULL);
	check_healthy(&set, "pod01-manag1.eus.backup.windowsazure.com", 443, 404, NULL);
	check_healthy(&set, "ceuswatcab01.blob.core.windows.net", 443, 400, NULL);
	check_healthy(&set, "md-dlbrhcw4gn5r.z33.blob.storage.azure.net", 443, 403, NULL);
	check_healthy(&set, "www.msftconnecttest.com", 80, 200, "Microsoft Connect Test");
	check_healthy(&set, "www.msftncsi.com", 80, 200, "Microsoft NCSI");
	CHECK(!find(&set, "login.microsoftonline.com", 443)->stand_in);
	CHECK(find(&set, "pod01-id1.eus.backup.windowsazure.com", 443)->stand_in);
	CHECK(!find(&set, "crl3.digicert.com", 80)->required);
	for (size_t i = 0; i < set.count; i++)
		ranges += set.targets[i]->kind == TARGET_CIDR && !set.targets[i]->required;
	CHECK_INT(ranges, 2);
}

static void check_builtin_sets(void)
{
	struct target_options options = no_region();

	CHECK_TEXT(targets_builtin_text("no-such"), NULL);
	for (const char *const *name = targets_builtin_names(); *name; name++) {
		struct target_set set;
		struct err err = {{0}};

		CHECK(targets_load(&options, *name, &set, &err));
		CHECK_TEXT(err.text, "");
		CHECK_TEXT(set.name, *name);
		CHECK(set.cloud && strstr(*name, set.cloud));
		for (size_t i = 0; i < set.count; i++) {
			const struct target *target = set.targets[i];

			/* A rule that does not cover its own host would be a wrong hand-off to the firewall team. */
			CHECK(target->host ? rule_matches_host(target->rule, target->host)
					   : check_text(target->rule, target->cidr));
			CHECK(target->service != NULL && strcmp(target->service, "other") != 0);
		}
	}
}

static void check_roots(const char *const *roots, size_t at_least)
{
	size_t count = 0;

	for (; roots[count]; count++) {
		CHECK_INT(strlen(roots[count]), 64);
		CHECK_INT(strspn(roots[count], "0123456789abcdef"), 64);
		CHECK(count == 0 || strcmp(roots[count - 1], roots[count]) < 0);
	}
	CHECK(count >= at_least);
}

static bool has_root(const char *const *roots, const char *sha256)
{
	for (; *roots; roots++)
		if (strcmp(*roots, sha256) == 0)
			return true;
	return false;
}

int main(void)
{
	arena = arena_new();
	check_mistakes();
	check_long_lines();
	check_limits();
	check_full_set();
	check_arguments();
	check_refused();
	check_file();
	check_regions();
	check_public_set();
	check_builtin_sets();
	check_roots(targets_service_roots(), 5);
	check_roots(targets_public_roots(), 100);
	for (const char *const *root = targets_service_roots(); *root; root++)
		CHECK(has_root(targets_public_roots(), *root));
	arena_free(arena);
	return check_summary();
}
