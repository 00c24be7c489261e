/* ProxyServer: which entry serves which protocol, and what is said of entries that do not do what their writer
 * meant. */
#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/settings/mask.h"
#include "probe/settings/proxy_list.h"
#include "tests/unit/check.h"

static struct arena *arena;

static const char *joined(const struct text_list *list)
{
	const char *all = "";
	for (size_t i = 0; i < list->count; i++)
		all = arena_printf(arena, "%s%s%s", all, i ? ", " : "", list->items[i]);
	return all;
}

struct choice_case {
	const char *list, *scheme, *via, *rule;
	const char *problem; /* a part of it, or NULL for none */
};

#define ONLY "the only entry of ProxyServer"
#define BARE "entry `proxy:80` of ProxyServer"

static const struct choice_case wininet_cases[] = {
	/* one entry for all */
	{"proxy.corp:8080", "https", "PROXY proxy.corp:8080", ONLY, NULL},
	{"proxy.corp:8080", "http", "PROXY proxy.corp:8080", ONLY, NULL},
	{"proxy.corp:8080", "ftp", "PROXY proxy.corp:8080", ONLY, NULL},
	{"proxy.corp:8080", "ws", "PROXY proxy.corp:8080", ONLY, NULL},
	{"PROXY.Corp:8080", "https", "PROXY proxy.corp:8080", ONLY, NULL},
	{" ; proxy.corp:8080 ;; ", "https", "PROXY proxy.corp:8080", ONLY, NULL},
	{"10.1.2.3:3128", "https", "PROXY 10.1.2.3:3128", ONLY, NULL},
	{"[3FFE::1]:8080", "https", "PROXY [3ffe::1]:8080", ONLY, NULL},
	{"my_proxy-1:1", "https", "PROXY my_proxy-1:1", ONLY, NULL},
	{"proxy:65535", "https", "PROXY proxy:65535", ONLY, NULL},
	{"http://proxy:8080", "https", "PROXY proxy:8080", ONLY, NULL},
	{"HTTP://proxy:8080", "https", "PROXY proxy:8080", ONLY, NULL},
	{"proxy.corp.:8080", "https", "PROXY proxy.corp.:8080", ONLY, NULL},
	{"proxy:00080", "https", "PROXY proxy:80", ONLY, NULL},
	{"[::ffff:10.1.2.3]:8080", "https", "PROXY [::ffff:10.1.2.3]:8080", ONLY, NULL},
	/* by protocol */
	{"http=a:1;https=b:2", "http", "PROXY a:1", "entry `http=` of ProxyServer", NULL},
	{"http=a:1;https=b:2", "https", "PROXY b:2", "entry `https=` of ProxyServer", NULL},
	{"http=a:1 https=b:2", "https", "PROXY b:2", "entry `https=` of ProxyServer", NULL},
	{"http=a:1\thttps=b:2\r\n", "https", "PROXY b:2", "entry `https=` of ProxyServer", NULL},
	{"http=a:1\nhttps=b:2", "https", "PROXY b:2", "entry `https=` of ProxyServer", NULL},
	{"http=a:1\v\fhttps=b:2", "https", "PROXY b:2", "entry `https=` of ProxyServer", NULL},
	{"http=a:1; https=b:2 ;ftp=c:3", "ftp", "PROXY c:3", "entry `ftp=` of ProxyServer", NULL},
	{"HTTPS=b:2", "https", "PROXY b:2", "entry `https=` of ProxyServer", NULL},
	{"Http=a:1;HttpS=b:2;FTP=c:3;SoCkS=d:4", "ftp", "PROXY c:3", "entry `ftp=` of ProxyServer", NULL},
	{"https=HTTP://b:2", "https", "PROXY b:2", "entry `https=` of ProxyServer", NULL},
	{"ftp=FTP://gw", "ftp", "PROXY gw:21", "entry `ftp=` of ProxyServer", NULL},
	{"ftp=ftp://gw:2121", "ftp", "PROXY gw:2121", "entry `ftp=` of ProxyServer", NULL},
	{"ftp=gw", "ftp", "PROXY gw:80", "entry `ftp=` of ProxyServer", "no port: Windows uses 80"},
	{"ftp=http://gw", "ftp", "PROXY gw:80", "entry `ftp=` of ProxyServer", "no port: Windows uses 80"},
	{"http=a:1;https=b:2", "ftp", "DIRECT", "no `ftp=` entry in ProxyServer: direct", NULL},
	{"http=a:1;https=b:2;ftp=c:3", "http", "PROXY a:1", "entry `http=` of ProxyServer", NULL},
	{"http=a:1;https=b:2;ftp=c:3", "gopher", "DIRECT", "no `gopher=` entry in ProxyServer: direct", NULL},
	{"https=http://b:2", "https", "PROXY b:2", "entry `https=` of ProxyServer", NULL},
	{"ftp=ftp://gw", "ftp", "PROXY gw:21", "entry `ftp=` of ProxyServer", NULL},
	{"ftp=gw:3", "ftp", "PROXY gw:3", "entry `ftp=` of ProxyServer", NULL},
	{"https=b:2", "http", "DIRECT", "no `http=` entry in ProxyServer: direct", NULL},
	{"http=a:1", "https", "DIRECT", "no `https=` entry in ProxyServer: direct", "no entry for https"},
	{"http=a:1;ftp=b:2", "https", "DIRECT", "no `https=` entry in ProxyServer: direct", "no entry for https"},
	{"gopher=a:1", "https", "DIRECT", "no `https=` entry in ProxyServer: direct", "no entry for https"},
	{"gopher=a:1;proxy:80", "https", "PROXY proxy:80", BARE, NULL},
	{"http=a:1", "ws", "DIRECT", "no `ws=` entry in ProxyServer: direct", NULL},
	/* a bare entry is the default for the others, wherever it stands */
	{"http=a:1;proxy:80", "https", "PROXY proxy:80", BARE, NULL},
	{"proxy:80;http=a:1", "https", "PROXY proxy:80", BARE, NULL},
	{"proxy:80;http=a:1", "http", "PROXY a:1", "entry `http=` of ProxyServer", NULL},
	{"http=a:1;proxy:80", "http", "PROXY a:1", "entry `http=` of ProxyServer", NULL},
	{"http=a:1;https=b:2;proxy:80", "ftp", "PROXY proxy:80", BARE, NULL},
	{"a ; ftp=b:2", "ftp", "PROXY b:2", "entry `ftp=` of ProxyServer", NULL},
	{"ftp=b:2 ; proxy:80", "https", "PROXY proxy:80", BARE, NULL},
	{"http=a:1;proxy:80;https=b:2", "ws", "PROXY proxy:80", BARE, NULL},
	/* several are a list */
	{"https=a:1;https=b:2", "https", "PROXY a:1, PROXY b:2", "entry `https=` of ProxyServer", NULL},
	{"a:1;b:2;c:3", "https", "PROXY a:1, PROXY b:2, PROXY c:3", "entry `a:1` of ProxyServer", NULL},
	{"https=a:1;https=a:1", "https", "PROXY a:1, PROXY a:1", "entry `https=` of ProxyServer", NULL},
	{"https=b:2;https=a:1", "https", "PROXY b:2, PROXY a:1", "entry `https=` of ProxyServer", NULL},
	{"https=a:1;http=x:9;proxy:80;HTTPS=b:2", "https", "PROXY a:1, PROXY b:2", "entry `https=` of ProxyServer",
	 NULL},
	{"proxy:80;http=x:9;b:2", "https", "PROXY proxy:80, PROXY b:2", BARE, NULL},
	{"https=a:1;https=b:0;https=c:3", "https", "PROXY a:1, PROXY c:3", "entry `https=` of ProxyServer",
	 "entry `https=b:0`"},
	{"ftp=a:1;ftp=ftp://b", "ftp", "PROXY a:1, PROXY b:21", "entry `ftp=` of ProxyServer", NULL},
	{"socks=s:1;socks=t:2", "https", "SOCKS s:1, SOCKS t:2", "entry `socks=` of ProxyServer", NULL},
	/* socks is the last resort */
	{"socks=s:1080", "https", "SOCKS s:1080", "entry `socks=` of ProxyServer", NULL},
	{"socks=s", "https", "SOCKS s:1080", "entry `socks=` of ProxyServer", NULL},
	{"SOCKS=socks://s", "https", "SOCKS s:1080", "entry `socks=` of ProxyServer", NULL},
	{"socks=socks4://s:9", "https", "SOCKS s:9", "entry `socks=` of ProxyServer", NULL},
	{"socks=s:1080;proxy:80", "https", "PROXY proxy:80", BARE, NULL},
	{"socks=s:1080;https=a:1", "https", "PROXY a:1", "entry `https=` of ProxyServer", NULL},
	{"http=a:1;socks=s:1080", "https", "SOCKS s:1080", "entry `socks=` of ProxyServer", NULL},
	{"http=a:1;socks=s:1080", "http", "PROXY a:1", "entry `http=` of ProxyServer", NULL},
	{"socks=socks5://s:1080", "https", "SOCKS s:1080", "entry `socks=` of ProxyServer",
	 "another SOCKS than version 4"},
	{"socks=http://s:1080", "https", "SOCKS s:1080", "entry `socks=` of ProxyServer", "not SOCKS"},
	{"socks=s:1080", "http", "SOCKS s:1080", "entry `socks=` of ProxyServer", NULL},
	{"socks=s:1080", "ftp", "SOCKS s:1080", "entry `socks=` of ProxyServer", NULL},
	{"proxy:80;socks=s:1080", "https", "PROXY proxy:80", BARE, NULL},
	{"socks=SOCKS4://s", "https", "SOCKS s:1080", "entry `socks=` of ProxyServer", NULL},
	{"socks=[::2]", "https", "SOCKS [::2]:1080", "entry `socks=` of ProxyServer", NULL},
	{"socks=socks4a://s:9", "https", "SOCKS s:9", "entry `socks=` of ProxyServer", "another SOCKS than version 4"},
	{"socks=https://s", "https", "SOCKS s:1080", "entry `socks=` of ProxyServer", "not SOCKS"},
	{"socks=s:0", "https", "DIRECT", "no `https=` entry in ProxyServer: direct", "not a number"},
	{"http=a:1;socks=s:0", "https", "DIRECT", "no `https=` entry in ProxyServer: direct", "entry `socks=s:0`"},
	{"socks=s:0;socks=t:2", "https", "SOCKS t:2", "entry `socks=` of ProxyServer", NULL},
	/* decoration is an HTTP proxy all the same */
	{"https=https://b:2", "https", "PROXY b:2", "entry `https=` of ProxyServer", "stray `https://`"},
	{"https://b:2", "https", "PROXY b:2", ONLY, "stray `https://`"},
	{"HTTP=https://jericho:99", "http", "PROXY jericho:99", "entry `http=` of ProxyServer", "stray `https://`"},
	{"HTTP=https://jericho:99", "https", "DIRECT", "no `https=` entry in ProxyServer: direct",
	 "no entry for https"},
	{"https=https://b", "https", "PROXY b:80", "entry `https=` of ProxyServer", "no port: Windows uses 80"},
	{"ftp://b", "https", "PROXY b:21", ONLY, "stray `ftp://`"},
	{"http://b", "https", "PROXY b:80", ONLY, "no port: Windows uses 80"},
	{"https://b", "https", "PROXY b:80", ONLY, "stray `https://`"},
	{"https://b", "http", "PROXY b:80", ONLY, "no port: Windows uses 80"},
	{"HTTPS://b:443", "https", "PROXY b:443", ONLY, "stray `https://`"},
	{"https=ftp://b", "https", "PROXY b:21", "entry `https=` of ProxyServer", "stray `ftp://`"},
	{"http=socks://b", "http", "PROXY b:80", "entry `http=` of ProxyServer", "taken for an HTTP proxy"},
	{"https=https://[3ffe::1]:8443", "https", "PROXY [3ffe::1]:8443", "entry `https=` of ProxyServer", "stray"},
	{"socks5://b:1080", "https", "PROXY b:1080", ONLY, "taken for an HTTP proxy"},
	{"x://b:2", "https", "PROXY b:2", ONLY, "stray `x://`"},
	{"://b:2", "https", "PROXY b:2", ONLY, "stray `://`"},
	/* no port */
	{"proxy.corp", "https", "PROXY proxy.corp:80", ONLY,
	 "entry `proxy.corp` of ProxyServer has no port: Windows uses 80"},
	{"proxy.corp:", "https", "PROXY proxy.corp:80", ONLY, "no port"},
	{"https=proxy.corp", "https", "PROXY proxy.corp:80", "entry `https=` of ProxyServer", "no port"},
	{"http=a;https=b:2", "https", "PROXY b:2", "entry `https=` of ProxyServer", NULL},
	{"[::2]", "https", "PROXY [::2]:80", ONLY, "no port"},
	{"a;b:2", "https", "PROXY a:80, PROXY b:2", "entry `a` of ProxyServer", "entry `a` of ProxyServer has no port"},
	/* damaged entries are passed over */
	{"", "https", "DIRECT", "ProxyServer is empty: direct", "names no proxy"},
	{" ;; ", "https", "DIRECT", "ProxyServer is empty: direct", "names no proxy"},
	{NULL, "https", "DIRECT", "ProxyServer is empty: direct", "names no proxy"},
	{"", "http", "DIRECT", "ProxyServer is empty: direct", "names no proxy"},
	{"proxy:0", "https", "DIRECT", "no usable entry for https in ProxyServer: direct", "not a number"},
	{"proxy:65536", "https", "DIRECT", "no usable entry for https in ProxyServer: direct", "not a number"},
	{"proxy:99999999999999999999", "https", "DIRECT", "no usable entry for https in ProxyServer: direct",
	 "not a number"},
	{"proxy:80x", "https", "DIRECT", "no usable entry for https in ProxyServer: direct", "not a number"},
	{"proxy:+80", "https", "DIRECT", "no usable entry for https in ProxyServer: direct", "not a number"},
	{"[::2]80", "https", "DIRECT", "no usable entry for https in ProxyServer: direct", "not a number"},
	{":8080", "https", "DIRECT", "no usable entry for https in ProxyServer: direct", "names no host"},
	{"https=", "https", "DIRECT", "no usable entry for https in ProxyServer: direct", "names no host"},
	{"https=", "http", "DIRECT", "no `http=` entry in ProxyServer: direct", NULL},
	{"https=http://", "https", "DIRECT", "no usable entry for https in ProxyServer: direct", "names no host"},
	{"3ffe::1:8080", "https", "DIRECT", "no usable entry for https in ProxyServer: direct", "more than one colon"},
	{"[3ffe::1:8080", "https", "DIRECT", "no usable entry for https in ProxyServer: direct", "more than one colon"},
	{"[proxy]:80", "https", "DIRECT", "no usable entry for https in ProxyServer: direct",
	 "something else than a host"},
	{"[1.2.3.4]:80", "https", "DIRECT", "no usable entry for https in ProxyServer: direct",
	 "something else than a host"},
	{"pro*xy:80", "https", "DIRECT", "no usable entry for https in ProxyServer: direct",
	 "something else than a host"},
	{"pr\xc3\xb6xy:80", "https", "DIRECT", "no usable entry for https in ProxyServer: direct",
	 "something else than a host"},
	{"proxy:-1", "https", "DIRECT", "no usable entry for https in ProxyServer: direct", "not a number"},
	{"proxy:http", "https", "DIRECT", "no usable entry for https in ProxyServer: direct", "not a number"},
	{"proxy:8080:", "https", "DIRECT", "no usable entry for https in ProxyServer: direct", "more than one colon"},
	{"[]:80", "https", "DIRECT", "no usable entry for https in ProxyServer: direct", "names no host"},
	{"[fe80::1%25eth0]:80", "https", "DIRECT", "no usable entry for https in ProxyServer: direct",
	 "something else than a host"},
	{"http://", "https", "DIRECT", "no usable entry for https in ProxyServer: direct", "names no host"},
	{"http=https=a:1", "http", "DIRECT", "no usable entry for http in ProxyServer: direct",
	 "something else than a host"},
	{"a:1,b:2", "https", "DIRECT", "no usable entry for https in ProxyServer: direct", "comma"},
	{"http=a:1,https=b:2", "https", "DIRECT", "no `https=` entry in ProxyServer: direct", "no entry for https"},
	{"http=a:1,https=b:2", "http", "DIRECT", "no usable entry for http in ProxyServer: direct", "comma"},
	{"crazy=x:1", "https", "DIRECT", "no `https=` entry in ProxyServer: direct", "no entry for https"},
	{"crazy=x:1;proxy:80", "https", "PROXY proxy:80", BARE, NULL},
	{"=x:1;proxy:80", "https", "PROXY proxy:80", BARE, NULL},
	{"crazy=x:1;https=b:2", "https", "PROXY b:2", "entry `https=` of ProxyServer", NULL},
	{"ws=x:1", "ws", "DIRECT", "no `ws=` entry in ProxyServer: direct", NULL},
	{"proxy=x:1;default=y:1", "https", "DIRECT", "no `https=` entry in ProxyServer: direct", "no entry for https"},
	{"https=bad:0", "ftp", "DIRECT", "no `ftp=` entry in ProxyServer: direct", NULL},
	{"http=bad:0;proxy:80", "http", "PROXY proxy:80", BARE, "entry `http=bad:0`"},
	{"https=bad:0;socks=s:1080", "https", "SOCKS s:1080", "entry `socks=` of ProxyServer", "entry `https=bad:0`"},
	{";;https=;;b:2;;", "https", "PROXY b:2", "entry `b:2` of ProxyServer", "entry `https=`"},
	{"https=bad:0;proxy:80", "https", "PROXY proxy:80", BARE, "entry `https=bad:0`"},
	{"https=bad:0;https=b:2", "https", "PROXY b:2", "entry `https=` of ProxyServer", "entry `https=bad:0`"},
	{"bad:0;https=b:2", "https", "PROXY b:2", "entry `https=` of ProxyServer", NULL},
	{"proxy:80;(main)", "https", "PROXY proxy:80", BARE, "entry `(main)`"},
	{"proxy: 80", "https", "PROXY proxy:80, PROXY 80:80", "entry `proxy:` of ProxyServer", "no port"},
	{"http = a:1", "https", "PROXY http:80, PROXY a:1", "entry `http` of ProxyServer", "no port"},
	/* what stands around the address */
	{"http://proxy:8080/", "https", "PROXY proxy:8080", ONLY, "stray text behind"},
	{"proxy:8080/path?x=y", "https", "PROXY proxy:8080", ONLY, "stray text behind"},
	{"http:/proxy:8080", "https", "PROXY http:80", ONLY, "stray text behind"},
	{"http://user:***@proxy:8080", "https", "PROXY proxy:8080", ONLY, "user name"},
	{"http://proxy:8080/x=1", "https", "PROXY proxy:8080", ONLY, "stray text behind"},
};

static const struct choice_case winhttp_cases[] = {
	{"proxy:80", "https", "PROXY proxy:80", "the only entry of WinHttpSettings", NULL},
	{"http=a:1;https=b:2", "https", "PROXY b:2", "entry `https=` of WinHttpSettings", NULL},
	{"http=a:1", "https", "DIRECT", "no `https=` entry in WinHttpSettings: direct", "no entry for https"},
	{"http=a:1 https=b:2", "http", "PROXY a:1", "entry `http=` of WinHttpSettings", NULL},
	{"HTTPS=b:2", "https", "PROXY b:2", "entry `https=` of WinHttpSettings", NULL},
	{"http=a:1;proxy:80", "https", "PROXY proxy:80", "entry `proxy:80` of WinHttpSettings", NULL},
	{"proxy", "https", "PROXY proxy:80", "the only entry of WinHttpSettings", "no port: Windows uses 80"},
	{"https=a:1;https=b:2", "https", "PROXY a:1, PROXY b:2", "entry `https=` of WinHttpSettings", NULL},
	{"https://b:2", "https", "PROXY b:2", "the only entry of WinHttpSettings", "stray `https://`"},
	{"proxy:0", "https", "DIRECT", "no usable entry for https in WinHttpSettings: direct", "not a number"},
	{"ftp=c:3", "ftp", "PROXY c:3", "entry `ftp=` of WinHttpSettings", NULL},
	{"socks=s:1080", "https", "DIRECT", "no `https=` entry in WinHttpSettings: direct",
	 "entry `socks=s:1080` of WinHttpSettings is a SOCKS proxy, which WinHTTP does not know"},
	{"http=a:1;socks=s:1080", "https", "DIRECT", "no `https=` entry in WinHttpSettings: direct",
	 "WinHTTP does not know"},
	{"http=a:1;socks=s:1080", "http", "PROXY a:1", "entry `http=` of WinHttpSettings", NULL},
	{"socks=s:1080;proxy:80", "https", "PROXY proxy:80", "entry `proxy:80` of WinHttpSettings", NULL},
	{"", "https", "DIRECT", "WinHttpSettings is empty: direct", "names no proxy"},
};

static void test_choices(enum proxy_dialect dialect, const struct choice_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct proxy_list list;
		struct proxy_choice choice;
		proxy_list_parse(arena, dialect, cases[i].list, &list);
		proxy_list_choose(arena, &list, cases[i].scheme, &choice);
		int failed = checks_failed;
		CHECK_TEXT(joined(&choice.via), cases[i].via);
		CHECK_TEXT(choice.rule, cases[i].rule);
		if (cases[i].problem)
			CHECK(choice.problem && strstr(choice.problem, cases[i].problem));
		else
			CHECK_TEXT(choice.problem, NULL);
		if (failed != checks_failed)
			printf("<<%s>> for %s: problem %s\n", cases[i].list ? cases[i].list : "(null)", cases[i].scheme,
			       choice.problem ? choice.problem : "none");
	}
}

static size_t problem_count_of(enum proxy_dialect dialect, const char *text, const char *wanted)
{
	struct proxy_list list;
	struct text_list problems = {0};
	proxy_list_parse(arena, dialect, text, &list);
	proxy_list_problems(arena, &list, &problems);
	CHECK(strstr(joined(&problems), wanted) != NULL);
	return problems.count;
}

static size_t problem_count(const char *text, const char *wanted)
{
	return problem_count_of(PROXY_WININET, text, wanted);
}

static void test_problems(void)
{
	CHECK_INT(problem_count("proxy:80", ""), 0);
	CHECK_INT(problem_count("http=a:1;https=b:2;ftp=ftp://c;socks=d", ""), 0);
	CHECK_INT(problem_count("", "names no proxy"), 1);
	CHECK_INT(problem_count("http=a:1", "no entry for https"), 1);
	CHECK_INT(problem_count("a", "entry `a` of ProxyServer has no port"), 1);
	CHECK_INT(problem_count("a;b;crazy=c:1", "entry `crazy=c:1` of ProxyServer begins with a protocol"), 3);
	CHECK_INT(problem_count("=c:1;proxy:80", "nothing in front of its `=`"), 1);
	CHECK_INT(problem_count("http=a:1;x=b:1", "no entry for https"), 2);
	CHECK_INT(problem_count("proxy:80;gopher=g:70", ""), 0);
	CHECK_INT(problem_count("proxy:80;Gopher=g:70;gophers=g:70", "entry `gophers=g:70`"), 1);
	CHECK_INT(problem_count("https=http://b", "has no port"), 1);
	CHECK_INT(problem_count("https=https://b", "stray `https://`"), 1);
	CHECK_INT(problem_count("https=https://b", "; has no port: Windows uses 80"), 1);
	CHECK_INT(problem_count("socks=s", ""), 0);
	CHECK_INT(problem_count_of(PROXY_WINHTTP, "socks=s;proxy:80", "entry `socks=s` of WinHttpSettings is a SOCKS"),
		  1);
	CHECK_INT(problem_count_of(PROXY_WINHTTP, "socks=s", "and is passed over"), 1);
	CHECK_INT(problem_count_of(PROXY_WINHTTP, "http=a:1", "WinHttpSettings has no entry for https"), 1);
}

static void test_many_entries(void)
{
	struct strbuf text;
	struct proxy_list list;
	struct proxy_choice choice;
	strbuf_init(&text);
	for (int i = 0; i < 100; i++)
		strbuf_printf(&text, "p%d:80;", i);
	proxy_list_parse(arena, PROXY_WININET, text.data, &list);
	CHECK_INT(list.count, PROXY_ENTRIES_MAX);
	CHECK(list.cut);
	proxy_list_choose(arena, &list, "https", &choice);
	CHECK_INT(choice.via.count, PROXY_ENTRIES_MAX);
	CHECK_INT(problem_count(text.data, "more than 64 entries"), 1);
	strbuf_truncate(&text, 0);
	for (int i = 0; i < 300; i++)
		strbuf_add_char(&text, 'x');
	strbuf_add(&text, ":80");
	CHECK_INT(problem_count(text.data, "something else than a host"), 1);
	strbuf_free(&text);
}

static const char *const mask_cases[][2] = {
	{"proxy:80", "proxy:80"},
	{"", ""},
	{"user@proxy:80", "user@proxy:80"},
	{"user:secret@proxy:80", "user:***@proxy:80"},
	{"http://user:secret@proxy:80", "http://user:***@proxy:80"},
	{"http://user:se:cr@et@proxy:80/", "http://user:***@proxy:80/"},
	{"http://user:se;cret@proxy:80", "http://user:***@proxy:80"},
	{"http://user:se cret@proxy:80", "http://user:***@proxy:80"},
	{"http=u:secret@a:1;https=v:hidden@b:2", "http=u:***@a:1;https=v:***@b:2"},
	{"http=http://u:secret@a:1;https=http://v:hidden@b:2", "http=http://u:***@a:1;https=http://v:***@b:2"},
	{"a:80;b:90;u:secret@c:1", "a:80;b:90;u:***@c:1"},
	{"[::1]:80;u:secret@c:1", "[::1]:80;u:***@c:1"},
	{"u:123@c:1", "u:***@c:1"},
	{"http://u:@c:1", "http://u:***@c:1"},
	{"[u:secret@c:1", "[u:***@c:1"},
};

static void test_masks(void)
{
	for (size_t i = 0; i < sizeof(mask_cases) / sizeof(*mask_cases); i++)
		CHECK_TEXT(mask_passwords(arena, mask_cases[i][0]), mask_cases[i][1]);
	CHECK_TEXT(mask_passwords(arena, NULL), NULL);
	CHECK_TEXT(mask_url(arena, NULL), NULL);
	CHECK_TEXT(mask_url(arena, "http://u:secret@h/p.pac?token=1#x"), "http://u:***@h/p.pac");
	CHECK_TEXT(mask_url(arena, "file://C:\\p.pac"), "file://C:\\p.pac");
}

int main(void)
{
	arena = arena_new();
	test_choices(PROXY_WININET, wininet_cases, sizeof(wininet_cases) / sizeof(*wininet_cases));
	test_choices(PROXY_WINHTTP, winhttp_cases, sizeof(winhttp_cases) / sizeof(*winhttp_cases));
	test_problems();
	test_many_entries();
	test_masks();
	arena_free(arena);
	return check_summary();
}
