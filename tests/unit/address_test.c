#include "probe/core/address.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h> /* inet_pton() of either platform */

#include "tests/unit/check.h"

static const char *canonical(const char *text)
{
	static char out[ADDRESS_TEXT_BYTES];
	struct address address;
	return address_parse(text, &address) ? address_format(&address, out) : NULL;
}

static const struct {
	const char *text, *wanted; /* NULL: refused */
} literals[] = {
	{"1.2.3.4", "1.2.3.4"},
	{"255.255.255.255", "255.255.255.255"},
	{"0.0.0.0", "0.0.0.0"},
	{"1.2.3", NULL},
	{"1.2.3.4.5", NULL},
	{"1.2.3.256", NULL},
	{"1.2.3.04", NULL},
	{"0x1.2.3.4", NULL},
	{"1.2.3.4 ", NULL},
	{" 1.2.3.4", NULL},
	{"1.2.3.-4", NULL},
	{"1.2.3.4294967300", NULL},
	{"16909060", NULL},
	{"[1.2.3.4]", NULL},
	{"::", "::"},
	{"::1", "::1"},
	{"[::1]", "::1"},
	{"[::1", NULL},
	{"::1]", NULL},
	{"[[::1]]", NULL},
	{"[]", NULL},
	{"", NULL},
	{":", NULL},
	{":::", NULL},
	{"1::", "1::"},
	{"::1::", NULL},
	{"1::2::3", NULL},
	{":1::2", NULL},
	{"1::2:", NULL},
	{"2001:0DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},	  /* the first of two equal runs */
	{"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"}, /* one zero group is no run */
	{"1:0:0:2:0:0:0:3", "1:0:0:2::3"},
	{"0:0:1:2:3:4:5:6", "::1:2:3:4:5:6"},
	{"1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"},
	{"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
	{"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
	{"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
	{"1:2:3:4:5:6:7:8::", NULL},
	{"::1:2:3:4:5:6:7:8", NULL},
	{"1:2:3:4::5:6:7:8", NULL},
	{"1:2:3:4:5:6:7", NULL},
	{"1:2:3:4:5:6:7:8:9", NULL},
	{"12345::", NULL},
	{"g::", NULL},
	{"::ffff:10.0.0.1", "::ffff:10.0.0.1"},
	{"::ffff:a00:1", "::ffff:10.0.0.1"},
	{"::10.0.0.1", "::a00:1"},
	{"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
	{"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
	{"1:2:3:4:5:6:7:1.2.3.4", NULL},
	{"1.2.3.4::", NULL},
	{"::1.2.3", NULL},
	{"::1.2.3.4:5", NULL},
	{"::1.2.3.400", NULL},
	{"fe80::1%eth0", NULL},
	{"example.com", NULL},
	{"abcd", NULL},
	{"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
	{"[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
	{"[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]x", NULL},
};

static void literals_are_read_and_written(void)
{
	for (size_t i = 0; i < sizeof(literals) / sizeof(literals[0]); i++)
		check_one_text(canonical(literals[i].text), literals[i].wanted, literals[i].text, __FILE__, __LINE__);
	struct address untouched = {.family = 9};
	CHECK(!address_parse("nonsense", &untouched) && untouched.family == 9);
	CHECK(!address_parse(NULL, &untouched));
}

/** Any bytes: what we write, the system reads as the same bytes, and the reverse. */
static void agrees_with_the_system(void)
{
	srand(7);
	bool same = true;
	for (int round = 0; round < 20000 && same; round++) {
		struct address ours = {.family = 6}, back;
		char text[ADDRESS_TEXT_BYTES], theirs[INET6_ADDRSTRLEN];
		unsigned char bytes[16];
		for (int i = 0; i < 16; i++)
			ours.bytes[i] = (rand() >> 7) % 3 ? 0 : (uint8_t)(rand() >> 7);
		same = inet_pton(AF_INET6, address_format(&ours, text), bytes) == 1 &&
		       memcmp(bytes, ours.bytes, 16) == 0;
		inet_ntop(AF_INET6, ours.bytes, theirs, sizeof(theirs));
		same = same && address_parse(theirs, &back) && address_equal(&back, &ours);
		if (!same)
			printf("differs: %s, %s\n", text, theirs);
	}
	CHECK(same);
}

static struct address read_address(const char *text)
{
	struct address address = {0};
	CHECK(address_parse(text, &address));
	return address;
}

static int order(const char *a, const char *b)
{
	struct address left = read_address(a), right = read_address(b);
	CHECK(address_equal(&left, &right) == (address_compare(&left, &right) == 0));
	return address_compare(&left, &right);
}

static void addresses_are_ordered(void)
{
	CHECK_INT(order("1.2.3.4", "1.2.3.4"), 0);
	CHECK_INT(order("9.9.9.9", "10.0.0.0"), -1);
	CHECK_INT(order("200.0.0.0", "100.0.0.0"), 1);
	CHECK_INT(order("255.255.255.255", "::"), -1);
	CHECK_INT(order("::2", "::1"), 1);
}

static const char *read_prefix(const char *text)
{
	static char out[PREFIX_TEXT_BYTES];
	struct prefix prefix;
	return prefix_parse(text, &prefix) ? prefix_format(&prefix, out) : NULL;
}

static void prefixes_are_read(void)
{
	CHECK_TEXT(read_prefix("20.190.128.0/18"), "20.190.128.0/18");
	CHECK_TEXT(read_prefix("0.0.0.0/0"), "0.0.0.0/0");
	CHECK_TEXT(read_prefix("10.0.0.1/32"), "10.0.0.1/32");
	CHECK_TEXT(read_prefix("2603:1000::/24"), "2603:1000::/24");
	CHECK_TEXT(read_prefix("::/0"), "::/0");
	CHECK_TEXT(read_prefix("::1/128"), "::1/128");
	CHECK_TEXT(read_prefix("20.190.128.1/18"), NULL);
	CHECK_TEXT(read_prefix("2603:1000::1/127"), NULL);
	CHECK_TEXT(read_prefix("10.0.0.0/33"), NULL);
	CHECK_TEXT(read_prefix("10.0.0.0/"), NULL);
	CHECK_TEXT(read_prefix("10.0.0.0/8x"), NULL);
	CHECK_TEXT(read_prefix("10.0.0.0/08"), NULL);
	CHECK_TEXT(read_prefix("10.0.0.0/-8"), NULL);
	CHECK_TEXT(read_prefix("10.0.0.0"), NULL);
	CHECK_TEXT(read_prefix("/8"), NULL);
	CHECK_TEXT(read_prefix("[::]/0"), NULL);
	CHECK_TEXT(read_prefix("host/8"), NULL);
	CHECK_TEXT(read_prefix(NULL), NULL);
}

static bool contains(const char *prefix_text, const char *address_text)
{
	struct prefix prefix;
	struct address address = read_address(address_text);
	CHECK(prefix_parse(prefix_text, &prefix));
	return prefix_contains(&prefix, &address);
}

static void prefixes_contain(void)
{
	CHECK(contains("20.190.128.0/18", "20.190.128.0"));
	CHECK(contains("20.190.128.0/18", "20.190.191.255"));
	CHECK(!contains("20.190.128.0/18", "20.190.192.0"));
	CHECK(!contains("20.190.128.0/18", "20.190.127.255"));
	CHECK(contains("0.0.0.0/0", "255.1.2.3"));
	CHECK(!contains("0.0.0.0/0", "::1"));
	CHECK(!contains("::/0", "0.0.0.0"));
	CHECK(contains("10.0.0.1/32", "10.0.0.1"));
	CHECK(!contains("10.0.0.1/32", "10.0.0.0"));
	CHECK(contains("2603:1000::/25", "2603:107f::1"));
	CHECK(!contains("2603:1000::/25", "2603:1080::"));
}

/** Samples of a prefix as one text, separated by blanks. */
static const char *samples(const char *prefix_text, unsigned count)
{
	static char out[1024];
	struct prefix prefix;
	CHECK(prefix_parse(prefix_text, &prefix));
	out[0] = '\0';
	for (unsigned i = 0; i < count; i++) {
		char text[ADDRESS_TEXT_BYTES];
		struct address address = prefix_sample(&prefix, i, count);
		CHECK(prefix_contains(&prefix, &address));
		snprintf(out + strlen(out), sizeof(out) - strlen(out), "%s%s", i ? " " : "",
			 address_format(&address, text));
	}
	return out;
}

static void samples_are_spread(void)
{
	CHECK_TEXT(samples("10.0.0.7/32", 1), "10.0.0.7");
	CHECK_TEXT(samples("10.0.0.6/31", 2), "10.0.0.6 10.0.0.7");
	CHECK_TEXT(samples("10.0.0.4/30", 2), "10.0.0.5 10.0.0.6");
	CHECK_TEXT(samples("10.0.0.0/29", 6), "10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6");
	CHECK_TEXT(samples("10.0.0.0/24", 1), "10.0.0.128");
	CHECK_TEXT(samples("20.190.128.0/18", 4), "20.190.136.0 20.190.152.0 20.190.167.255 20.190.183.255");
	CHECK_TEXT(samples("0.0.0.0/0", 2), "64.0.0.0 191.255.255.255");
	CHECK_TEXT(samples("2001:db8::/32", 2), "2001:db8:4000:: 2001:db8:bfff:ffff::");
	CHECK_TEXT(samples("2001:db8::/126", 2), "2001:db8::1 2001:db8::2");
	CHECK_TEXT(samples("::/0", 1), "8000::");
}

static void a_whole_prefix_is_sampled_once_each(void)
{
	struct prefix prefix;
	CHECK(prefix_parse("20.190.128.0/18", &prefix));
	const unsigned count = 16382;
	struct address previous = prefix.base;
	bool rising = true;
	for (unsigned i = 0; i < count; i++) {
		struct address address = prefix_sample(&prefix, i, count);
		rising = rising && address_compare(&previous, &address) < 0;
		previous = address;
	}
	CHECK(rising);
	char text[ADDRESS_TEXT_BYTES];
	CHECK_TEXT(address_format(&previous, text), "20.190.191.254");
	struct address none = prefix_sample(&prefix, 5, 0), beyond = prefix_sample(&prefix, 5, 2);
	CHECK(prefix_contains(&prefix, &none) && prefix_contains(&prefix, &beyond));
	struct address many = prefix_sample(&prefix, 4294967294u, 4294967295u);
	CHECK_TEXT(address_format(&many, text), "20.190.191.254");
}

/** Letters of the kinds that hold: private, loopback, link-local, unspecified. */
static const char *kinds(const char *text)
{
	static char out[5];
	struct address address = read_address(text);
	snprintf(out, sizeof(out), "%s%s%s%s", address_is_private(&address) ? "p" : "",
		 address_is_loopback(&address) ? "l" : "", address_is_link_local(&address) ? "k" : "",
		 address_is_unspecified(&address) ? "u" : "");
	return out;
}

static void special_blocks_are_known(void)
{
	static const struct {
		const char *text, *kinds;
	} rows[] = {
		{"10.0.0.0", "p"},
		{"11.0.0.0", ""},
		{"172.15.255.255", ""},
		{"172.16.0.0", "p"},
		{"172.31.255.255", "p"},
		{"172.32.0.0", ""},
		{"192.168.3.4", "p"},
		{"192.169.0.0", ""},
		{"100.63.255.255", ""},
		{"100.64.0.0", "p"},
		{"100.127.255.255", "p"},
		{"100.128.0.0", ""},
		{"127.0.0.1", "l"},
		{"127.255.255.255", "l"},
		{"128.0.0.0", ""},
		{"169.254.1.1", "k"},
		{"169.255.0.0", ""},
		{"0.0.0.0", "u"},
		{"0.0.0.1", ""},
		{"::", "u"},
		{"::1", "l"},
		{"::2", ""},
		{"fc00::1", "p"},
		{"fdff::1", "p"},
		{"fe00::1", ""},
		{"fe80::1", "k"},
		{"febf::1", "k"},
		{"fec0::1", ""},
		{"2001:db8::1", ""},
		{"20.190.128.1", ""},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_one_text(kinds(rows[i].text), rows[i].kinds, rows[i].text, __FILE__, __LINE__);
}

static void host_and_port_are_joined(void)
{
	char text[64], tiny[6];
	CHECK_TEXT(host_port_format("proxy.corp", 3128, text, sizeof(text)), "proxy.corp:3128");
	CHECK_TEXT(host_port_format("10.0.0.1", 443, text, sizeof(text)), "10.0.0.1:443");
	CHECK_TEXT(host_port_format("::1", 53, text, sizeof(text)), "[::1]:53");
	CHECK_TEXT(host_port_format("[::1]", 53, text, sizeof(text)), "[::1]:53");
	CHECK_TEXT(host_port_format("proxy.corp", 3128, tiny, sizeof(tiny)), "proxy");
}

static const char *split(const char *text)
{
	static char out[400];
	char host[256];
	int port = 7;
	if (!host_port_split(text, host, sizeof(host), &port)) {
		CHECK_INT(port, 7);
		return NULL;
	}
	snprintf(out, sizeof(out), "%s|%d", host, port);
	return out;
}

static void host_and_port_are_split(void)
{
	static const struct {
		const char *text, *wanted;
	} rows[] = {
		{"proxy", "proxy|-1"},
		{"proxy.corp:3128", "proxy.corp|3128"},
		{"10.0.0.1:65535", "10.0.0.1|65535"},
		{"[::1]:53", "::1|53"},
		{"[::1]", "::1|-1"},
		{"::1", "::1|-1"},
		{"2001:db8::1:53", "2001:db8::1:53|-1"},
		{"b\xc3\xbc"
		 "cher.example",
		 "b\xc3\xbc"
		 "cher.example|-1"},
		{"", NULL},
		{":80", NULL},
		{"proxy:", NULL},
		{"proxy:0", NULL},
		{"proxy:65536", NULL},
		{"proxy:4294967376", NULL},
		{"proxy:080", NULL},
		{"proxy:+80", NULL},
		{"proxy:80 ", NULL},
		{"proxy:80/", NULL},
		{"a:b:c", NULL},
		{"[::1]x", NULL},
		{"[::1]:", NULL},
		{"[::1", NULL},
		{"[]:80", NULL},
		{"[proxy]:80", NULL},
		{"[10.0.0.1]:80", NULL},
		{"[[::1]]:80", NULL},
		{"a b", NULL},
		{"a\tb:80", NULL},
		{"a\nb:80", NULL},
		{"user@proxy:80", NULL},
		{"http://proxy", NULL},
		{"proxy/path", NULL},
		{"fe80::1%eth0", NULL},
		{"a%00b", NULL},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_one_text(split(rows[i].text), rows[i].wanted, rows[i].text, __FILE__, __LINE__);
	CHECK_TEXT(split(NULL), NULL);
	char small[6];
	int port = 0;
	CHECK(host_port_split("proxy:1", small, sizeof(small), &port));
	CHECK(!host_port_split("proxy1:1", small, sizeof(small), &port));
	CHECK(!host_port_split("[::1:2:3]:1", small, sizeof(small), &port));
}

int main(void)
{
	literals_are_read_and_written();
	agrees_with_the_system();
	addresses_are_ordered();
	prefixes_are_read();
	prefixes_contain();
	samples_are_spread();
	a_whole_prefix_is_sampled_once_each();
	special_blocks_are_known();
	host_and_port_are_joined();
	host_and_port_are_split();
	return check_summary();
}
