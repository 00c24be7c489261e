/* ProxyOverride: which URLs go direct, by which pattern, and what is said of patterns that Windows does not honour. */
#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/core/url.h"
#include "probe/settings/bypass.h"
#include "tests/unit/check.h"

static struct arena *arena;

struct match_case {
	const char *list, *url;
	const char *rule; /* NULL: not bypassed; "" stands for "bypassed by `LIST`" */
};

#define LOOPBACK "implicit bypass of loopback names"
#define LINK_LOCAL "implicit bypass of link-local addresses"

static const struct match_case both_cases[] = {
	/* whole names, without case */
	{"x.corp", "https://x.corp/", ""},
	{"X.Corp", "https://x.CORP/", ""},
	{"x.corp", "https://a.x.corp/", NULL},
	{"x.corp", "https://x.corp.evil.example/", NULL},
	{"corp", "https://x.corp/", NULL},
	{"x.corp", "https://x.corp./", NULL},
	{".corp", "https://x.corp/", NULL},
	{"x.corp", "https://xacorp/", NULL},
	{"", "https://x.corp/", NULL},
	{NULL, "https://x.corp/", NULL},
	{" ;; ;", "https://x.corp/", NULL},
	{".x.corp", "https://a.x.corp/", NULL},
	{"x.corp.", "https://x.corp./", ""},
	{"x.corp.", "https://x.corp/", NULL},
	{"a-b_c.corp", "https://a-b_c.corp/", ""},
	{"10.1.2.3", "https://10.1.2.3/", ""},
	{"10.1.2.3", "https://10.1.2.30/", NULL},
	{"10.1.2.3", "https://010.1.2.3/", NULL},
	/* stars */
	{"*", "https://x.corp/", ""},
	{"*", "https://[2001:db8::1]/", ""},
	{"*.x.com", "https://a.x.com/", ""},
	{"*.x.com", "https://a.b.x.com/", ""},
	{"*.x.com", "https://x.com/", NULL},
	{"*.x.com", "https://ax.com/", NULL},
	{"*x.com", "https://ax.com/", ""},
	{"a*", "https://abc.x.com/", ""},
	{"a*", "https://ba.x.com/", NULL},
	{"a*c", "https://abcbc/", ""},
	{"a*c", "https://abcb/", NULL},
	{"*mid*", "https://a.mid.com/", ""},
	{"**.x.com", "https://a.x.com/", ""},
	{"*a*a*a*b", "https://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/", NULL},
	{"10.*", "https://10.1.2.3/", ""},
	{"10.*", "https://10.example.com/", ""},
	{"10.*", "https://110.1.2.3/", NULL},
	{"192.168.1.*", "https://192.168.1.77/", ""},
	{"*.X.com", "https://A.x.COM/", ""},
	{"*.x.com", "https://a.x.com./", NULL},
	{"*.x.com", "https://a.x.com.evil.example/", NULL},
	{"*.", "https://x.com./", ""},
	{"*.", "https://x.com/", NULL},
	{"x.*", "https://x.com/", ""},
	{"x.*.com", "https://x.a.b.com/", ""},
	{"x.*.com", "https://x.com/", NULL},
	{"*.x.*", "https://a.x.com/", ""},
	{"*.x.*", "https://x.com/", NULL},
	{"a*b*c", "https://aXbYc/", ""},
	{"a*b*c", "https://acb/", NULL},
	{"a*a", "https://a/", NULL},
	{"a**b", "https://ab/", ""},
	{"172.*.1.*", "https://172.16.1.9/", ""},
	{"*.1.2.3", "https://10.1.2.3/", ""},
	{"10.?.2.3", "https://10.1.2.3/", NULL},
	/* names are never resolved, and an address is only text */
	{"127.*", "https://127.0.0.2/", ""},
	{"10.*", "https://host-in-10.example/", NULL},
	/* the host alone counts, not the rest of the URL */
	{"*.x.com", "https://evil.example/?a.x.com", NULL},
	{"*.x.com", "https://a.x.com@evil.example/", NULL},
	{"*x.com*", "https://evil.example/x.com/", NULL},
	{"*.x.com", "https://user:pw@a.x.com/path", ""},
	/* scheme and port */
	{"https://*.org", "https://a.org/", ""},
	{"HTTPS://*.org", "https://a.org/", ""},
	{"http://*.org", "https://a.org/", NULL},
	{"ftp://*.org", "https://a.org/", NULL},
	{"ws://*.org", "https://a.org/", NULL},
	{"://*.org", "https://a.org/", ""},
	{"*.org:443", "https://a.org/", ""},
	{"*.org:443", "http://a.org/", NULL},
	{"*.org:80", "http://a.org/", ""},
	{"*.org:8443", "https://a.org:8443/", ""},
	{"*.org", "https://a.org:8443/", ""},
	{"https://a.org:443", "https://a.org/", ""},
	{"*.org:", "https://a.org/", NULL},
	{"*.org:0", "https://a.org/", NULL},
	{"*.org:99999", "https://a.org/", NULL},
	{"*.org:99999999999999999999443", "https://a.org/", NULL},
	{"*.org:https", "https://a.org/", NULL},
	{":443", "https://a.org/", NULL},
	{"https://", "https://a.org/", NULL},
	{"https://a.org/", "https://a.org/", NULL},
	{"a@b.org", "https://b.org/", NULL},
	{"*.org:21", "ftp://a.org/", ""},
	{"*.org:80", "ftp://a.org/", NULL},
	{"*.org:2121", "ftp://a.org:2121/", ""},
	{"*.org:70", "gopher://a.org/", ""},
	{"*.org:443", "ws://a.org/", NULL},
	{"*.org", "ws://a.org/", ""},
	{"ftp://*.org", "ftp://a.org/", ""},
	{"Ftp://*.org:21", "ftp://a.org/", ""},
	{"gopher://*.org", "gopher://a.org/", ""},
	{"http://*.org:443", "http://a.org/", NULL},
	{"http://*.org:443", "http://a.org:443/", ""},
	{"http://*.org:443", "https://a.org/", NULL},
	{"http://a.org", "http://a.org:8080/", ""},
	{"*:443", "https://a.org/", ""},
	{"*:443", "http://a.org/", NULL},
	{"a.org:443:443", "https://a.org/", NULL},
	{"*:*", "https://a.org/", NULL},
	{"https://*", "https://a.org/", ""},
	{"https://*", "http://a.org/", NULL},
	{"https://https://a.org", "https://a.org/", NULL},
	{"https:a.org", "https://a.org/", NULL},
	{"*://a.org", "https://a.org/", NULL},
	/* separators */
	{"a.com;b.com", "https://b.com/", "bypassed by `b.com`"},
	{"a.com b.com", "https://b.com/", "bypassed by `b.com`"},
	{"a.com\r\n\tb.com", "https://b.com/", "bypassed by `b.com`"},
	{"example *test*", "https://a.test.com/", "bypassed by `*test*`"},
	{"a.com,b.com", "https://b.com/", NULL},
	{"a.com, b.com", "https://b.com/", "bypassed by `b.com`"},
	{"*.com;b.com", "https://b.com/", "bypassed by `*.com`"},
	{"a.com\nb.com", "https://b.com/", "bypassed by `b.com`"},
	{"a.com\v\fb.com", "https://b.com/", "bypassed by `b.com`"},
	{"a.com;;;b.com", "https://b.com/", "bypassed by `b.com`"},
	{" a.com ; b.com ", "https://a.com/", "bypassed by `a.com`"},
	{";a.com", "https://a.com/", "bypassed by `a.com`"},
	{"a.com|b.com", "https://b.com/", NULL},
	/* of several that match, the first is named, whatever their form */
	{"b.com;*.com", "https://b.com/", "bypassed by `b.com`"},
	{"b.*;b.com;*.com;*", "https://b.com/", "bypassed by `b.*`"},
	{"*.com;b.*;b.com;*", "https://b.com/", "bypassed by `*.com`"},
	{"*;*.com;b.*;b.com", "https://b.com/", "bypassed by `*`"},
	{"*b*;*.com;b.*;b.com", "https://b.com/", "bypassed by `*b*`"},
	{"http://*.com;*.com:80;*.com", "https://b.com/", "bypassed by `*.com`"},
	{"*.com:443;*.com;*.com:443", "https://b.com/", "bypassed by `*.com:443`"},
	{"B.com;b.com", "https://b.com/", "bypassed by `B.com`"},
	{"a.b.com;*.b.com;*.com", "https://x.b.com/", "bypassed by `*.b.com`"},
	{"10.1.*;10.*;*.3", "https://10.2.0.3/", "bypassed by `10.*`"},
	{"<local>;server", "https://server/", "bypassed by `<local>`"},
	{"server;<local>", "https://server/", "bypassed by `server`"},
	{"[2001:DB8::1];[2001:db8::1]", "https://[2001:db8::1]/", "bypassed by `[2001:DB8::1]`"},
	/* ranges of addresses are no patterns */
	{"10.0.0.0/8", "https://10.1.2.3/", NULL},
	{"10.0.0.0/8", "https://10.0.0.0/", NULL},
	{"fd00::/8", "https://[fd00::1]/", NULL},
	{"192.168.0.0/16", "https://192.168.1.1/", NULL},
	{"10.1.2.3/32", "https://10.1.2.3/", NULL},
	{"10.0.0.0-10.255.255.255", "https://10.1.2.3/", NULL},
	{"10.0.0.0/255.0.0.0", "https://10.1.2.3/", NULL},
	{"10.", "https://10.1.2.3/", NULL},
	/* IPv6 in brackets */
	{"[2001:db8::1]", "https://[2001:db8::1]/", ""},
	{"[2001:DB8:0::1]", "https://[2001:db8::1]/", ""},
	{"[2001:db8::*]", "https://[2001:db8::1]/", ""},
	{"[2001:db8::1]:443", "https://[2001:db8::1]/", ""},
	{"[2001:db8::1]:80", "https://[2001:db8::1]/", NULL},
	{"2001:db8::1", "https://[2001:db8::1]/", NULL},
	{"[2001:db8::2]", "https://[2001:db8::1]/", NULL},
	{"[2001:db8::1]", "https://[2001:db8:0:0::1]/", ""},
	{"[2001:db8:0:0:0:0:0:1]", "https://[2001:db8::1]:8443/", ""},
	{"https://[2001:db8::1]", "http://[2001:db8::1]/", NULL},
	{"[*]", "https://[2001:db8::1]/", ""},
	{"*:1]", "https://[2001:db8::1]/", NULL},
	{"[2001:db8::1", "https://[2001:db8::1]/", NULL},
	{"[10.1.2.3]", "https://10.1.2.3/", NULL},
	{"[x.corp]", "https://x.corp/", NULL},
	/* <local>: no period, not an address */
	{"<local>", "https://server/", ""},
	{"<LOCAL>", "https://server:8443/", ""},
	{"<local>", "https://server.corp/", NULL},
	{"<local>", "https://server./", NULL},
	{"<local>", "https://10.1.2.3/", NULL},
	{"<local>", "https://192.168.0.1/", NULL},
	{"<local>", "https://[fd00::1]/", NULL},
	{"*.corp;<local>", "https://server/", "bypassed by `<local>`"},
	{"<Local>", "http://server/path.with.dots", ""},
	{"<local>", "https://my-server_1/", ""},
	{"<local>", "https://[::ffff:10.1.2.3]/", NULL},
	{"<local>", "https://127.0.0.2/", NULL},
	{"<local>", "https://fd00/", ""},
	{"<local>:443", "https://server/", NULL},
	{"https://<local>", "https://server/", NULL},
	{"local", "https://server/", NULL},
	{"<local", "https://server/", NULL},
	/* what is implicit */
	{"", "https://localhost/", LOOPBACK},
	{NULL, "https://LOCALHOST:8443/", LOOPBACK},
	{"", "https://loopback/", LOOPBACK},
	{"", "https://127.0.0.1/", LOOPBACK},
	{"", "https://[::1]/", LOOPBACK},
	{"", "https://169.254.169.254/", LINK_LOCAL},
	{"", "https://[fe80::1]/", LINK_LOCAL},
	{"", "http://[0:0:0:0:0:0:0:1]:8080/", LOOPBACK},
	{"", "ftp://LoopBack/", LOOPBACK},
	{"", "https://169.254.0.0/", LINK_LOCAL},
	{"", "https://[febf::1]/", LINK_LOCAL},
	{"", "https://[fec0::1]/", NULL},
	{"", "https://169.255.0.1/", NULL},
	{"", "https://127.0.0.2/", NULL},
	{"", "https://localhost./", NULL},
	{"", "https://loopback.corp/", NULL},
	{"", "https://[::ffff:127.0.0.1]/", NULL},
	{"", "https://[::2]/", NULL},
	{"<local>", "https://localhost/", LOOPBACK},
	{"*", "https://127.0.0.1/", LOOPBACK},
	{"<loopback>", "https://localhost/", LOOPBACK},
	{"<->", "https://x.corp/", NULL},
	{"", "https://localhost.corp/", NULL},
	{"", "https://10.0.0.1/", NULL},
	{"localhost", "https://localhost/", LOOPBACK},
	{"<loopback>", "https://x.corp/", NULL},
	{"<other>", "https://x.corp/", NULL},
};

static const struct match_case wininet_cases[] = {
	{"<-loopback>", "https://localhost/", NULL},
	{"<-LOOPBACK>", "https://127.0.0.1/", NULL},
	{"<-loopback>", "https://[::1]/", NULL},
	{"<-loopback>", "https://169.254.1.1/", NULL},
	{"<-loopback>;localhost", "https://localhost/", "bypassed by `localhost`"},
	{"localhost;<-loopback>", "https://localhost/", NULL},
	{"<-loopback>;<local>", "https://localhost/", "bypassed by `<local>`"},
	{"x.corp;<-loopback>", "https://x.corp/", "bypassed by `x.corp`"},
	{"<-loopback>", "https://loopback/", NULL},
	{"<-loopback>", "https://[fe80::1]/", NULL},
	{"<-LoopBack>;LOCALHOST", "https://localhost/", "bypassed by `LOCALHOST`"},
	{"*;<-loopback>", "https://localhost/", NULL},
	{"<-loopback>;*", "https://localhost/", "bypassed by `*`"},
	{"<local>;<-loopback>", "https://localhost/", NULL},
	{"<-loopback>;<local>", "https://127.0.0.1/", NULL},
	{"<-loopback>;127.*", "https://127.0.0.1/", "bypassed by `127.*`"},
	{"127.*;<-loopback>;127.0.*", "https://127.0.0.1/", "bypassed by `127.0.*`"},
	{"<-loopback>;127.*;<-loopback>", "https://127.0.0.1/", NULL},
	{"<-loopback>;a.corp;<-loopback>;[::1]", "https://[::1]/", "bypassed by `[::1]`"},
	{"*.corp;<-loopback>", "https://a.corp/", "bypassed by `*.corp`"},
	{"<-loopback>;169.254.*", "https://169.254.1.1/", "bypassed by `169.254.*`"},
	{"<-loopback>x;localhost", "https://localhost/", LOOPBACK},
};

static const struct match_case winhttp_cases[] = {
	{"<-loopback>", "https://localhost/", LOOPBACK},
	{"localhost;<-loopback>", "https://localhost/", LOOPBACK},
	{"<-loopback>;localhost", "https://localhost/", LOOPBACK},
	{"<-loopback>", "https://169.254.1.1/", LINK_LOCAL},
	{"<-loopback>", "https://x.corp/", NULL},
};

static void test_matches(enum proxy_dialect dialect, const struct match_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct url url;
		const char *rule = NULL, *wanted = cases[i].rule;
		if (wanted && !*wanted)
			wanted = arena_printf(arena, "bypassed by `%s`", cases[i].list);
		CHECK(url_parse(arena, cases[i].url, &url));
		bool bypassed = bypass_matches(arena, dialect, cases[i].list, &url, &rule);
		if (bypassed != (wanted != NULL))
			printf("<<%s>> for %s\n", cases[i].list ? cases[i].list : "(null)", cases[i].url);
		CHECK(bypassed == (wanted != NULL));
		CHECK_TEXT(rule, wanted);
	}
}

struct problem_case {
	enum proxy_dialect dialect;
	const char *list;
	const char *wanted; /* a part of the only problem, or NULL for none */
};

static const struct problem_case problem_cases[] = {
	{PROXY_WININET, "*.corp;<local>;<-loopback>;https://a.org:443;10.*;[::1];a*b;*", NULL},
	{PROXY_WININET, "", NULL},
	{PROXY_WININET, NULL, NULL},
	{PROXY_WININET, "*.corp;10.0.0.0/8", "entry `10.0.0.0/8` of ProxyOverride is a range in CIDR form"},
	{PROXY_WININET, "fd00::/8", "CIDR"},
	{PROXY_WININET, "[fd00::]/8", "CIDR"},
	{PROXY_WININET, "http://10.0.0.0/8", "CIDR"},
	{PROXY_WININET, "10.0.0.0/8x", "not a host"},
	{PROXY_WININET, "/8", "not a host"},
	{PROXY_WININET, "10.0.0.0/", "not a host"},
	{PROXY_WININET, "https://x.corp/path", "not a host"},
	{PROXY_WININET, ".corp", "begins with a dot"},
	{PROXY_WININET, "a.com,b.com", "comma"},
	{PROXY_WININET, "ws://a.com", "not known"},
	{PROXY_WININET, "a.com:x", "port"},
	{PROXY_WININET, "fe80::1", "brackets"},
	{PROXY_WININET, ":80", "names no host"},
	{PROXY_WININET, "<loopback>", "token"},
	{PROXY_WININET, "<local>:80", "token"},
	{PROXY_WININET, "http://<local>", "token with something around it"},
	{PROXY_WININET, "<-local>", "token"},
	{PROXY_WININET, "http://.corp:80", "begins with a dot"},
	{PROXY_WININET, "a.com:0", "port"},
	{PROXY_WININET, "user@a.com", "not a host"},
	{PROXY_WININET, "[::1", "brackets"},
	{PROXY_WININET, "ftp://*.corp:21;gopher://x;HTTP://y;://z", NULL},
	{PROXY_WININET, "192.168.0.0/16", "write it with `*`, as in `10.*`"},
	{PROXY_WINHTTP, "*.corp;<local>;10.1.2.3", NULL},
	{PROXY_WINHTTP, "<-loopback>", "no effect in WinHTTP"},
	{PROXY_WINHTTP, "10.*", "entry `10.*` of the bypass list of WinHttpSettings has a `*` inside"},
	{PROXY_WINHTTP, "http://*.corp", "names a protocol"},
	{PROXY_WINHTTP, "*.corp:443", "names a port"},
	{PROXY_WINHTTP, "*", NULL},
	{PROXY_WINHTTP, "a*.corp", "has a `*` inside"},
	{PROXY_WINHTTP, "10.0.0.0/8", "CIDR"},
	{PROXY_WINHTTP, ".corp", "begins with a dot"},
};

static void test_problems(void)
{
	for (size_t i = 0; i < sizeof(problem_cases) / sizeof(*problem_cases); i++) {
		const struct problem_case *one = &problem_cases[i];
		struct text_list problems = {0};
		bypass_problems(arena, one->dialect, one->list, &problems);
		if (problems.count && (!one->wanted || !strstr(problems.items[0], one->wanted)))
			printf("<<%s>>: %s\n", one->list, problems.items[0]);
		CHECK_INT(problems.count, one->wanted ? 1 : 0);
		CHECK(!one->wanted || (problems.count && strstr(problems.items[0], one->wanted)));
	}
}

/* A list of thousands, compiled once: the first match is named, what has the same end or beginning does not confuse it,
 * and an answer stays what it was after others. */
static void test_long_list(void)
{
	struct strbuf text;
	strbuf_init(&text);
	for (int i = 0; i < 3000; i++)
		strbuf_printf(&text, "a%d.x.corp;*.b%d.corp;c%d.*;d%d*e%d;", i, i, i, i, i);
	strbuf_add(&text, "<-loopback>;*.b7.corp;localhost;c7.z");
	const struct bypass_list *list = bypass_compile(arena, PROXY_WININET, text.data);
	static const struct match_case cases[] = {
		{NULL, "https://a2999.x.corp/", "bypassed by `a2999.x.corp`"},
		{NULL, "https://a3000.x.corp/", NULL},
		{NULL, "https://aa7.x.corp/", NULL},
		{NULL, "https://z.b7.corp/", "bypassed by `*.b7.corp`"},
		{NULL, "https://b7.corp/", NULL},
		{NULL, "https://c7.z/", "bypassed by `c7.*`"},
		{NULL, "https://c7.a7.x.corp/", "bypassed by `c7.*`"},
		{NULL, "https://c8.b7.corp/", "bypassed by `*.b7.corp`"},
		{NULL, "https://d12.e12/", "bypassed by `d12*e12`"},
		{NULL, "https://d12.e13/", NULL},
		{NULL, "https://localhost/", "bypassed by `localhost`"},
		{NULL, "https://127.0.0.1/", NULL},
	};
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
			struct url url;
			const char *rule = NULL;
			CHECK(url_parse(arena, cases[i].url, &url));
			CHECK(bypass_find(list, &url, &rule) == (cases[i].rule != NULL));
			CHECK_TEXT(rule, cases[i].rule);
		}
	strbuf_free(&text);
}

/* Hostile lengths: many stars against a long host, and more damaged entries than anybody wants to read. */
static void test_hostile(void)
{
	struct strbuf text, address;
	struct url url;
	struct text_list problems = {0};
	const char *rule = NULL;
	strbuf_init(&text);
	strbuf_init(&address);
	strbuf_add(&address, "https://");
	for (int i = 0; i < 1000; i++)
		strbuf_add_char(&address, 'a');
	CHECK(url_parse(arena, address.data, &url));
	for (int i = 0; i < 30000; i++)
		strbuf_add(&text, "*a");
	strbuf_add(&text, "*b");
	CHECK(!bypass_matches(arena, PROXY_WININET, text.data, &url, &rule));
	strbuf_truncate(&text, 0);
	for (int i = 0; i < 100; i++)
		strbuf_add(&text, "10.0.0.0/8;");
	bypass_problems(arena, PROXY_WININET, text.data, &problems);
	CHECK_INT(problems.count, BYPASS_PROBLEMS_MAX);
	strbuf_free(&text);
	strbuf_free(&address);
}

int main(void)
{
	arena = arena_new();
	for (int dialect = PROXY_WININET; dialect <= PROXY_WINHTTP; dialect++)
		test_matches((enum proxy_dialect)dialect, both_cases, sizeof(both_cases) / sizeof(*both_cases));
	test_matches(PROXY_WININET, wininet_cases, sizeof(wininet_cases) / sizeof(*wininet_cases));
	test_matches(PROXY_WINHTTP, winhttp_cases, sizeof(winhttp_cases) / sizeof(*winhttp_cases));
	test_problems();
	test_long_list();
	test_hostile();
	arena_free(arena);
	return check_summary();
}
