#include "probe/core/url.h"

#include <stdio.h>
#include <string.h>

#include "probe/core/arena.h"
#include "tests/unit/check.h"

static struct arena *arena;

/** Every part of a URL as one text. */
static const char *parts(const char *text)
{
	struct url url;
	if (!url_parse(arena, text, &url))
		return NULL;
	return arena_printf(arena, "%s|%s|%s|%s|%d%s|%s", url.scheme, url.user ? url.user : "-",
			    url.password ? url.password : "-", url.host, url.port, url.port_given ? "!" : "", url.path);
}

static const struct {
	const char *text, *wanted; /* NULL: refused */
} urls[] = {
	{"http://www.msftconnecttest.com/connecttest.txt", "http|-|-|www.msftconnecttest.com|80|/connecttest.txt"},
	{"https://login.microsoftonline.com", "https|-|-|login.microsoftonline.com|443|/"},
	{"HTTPS://Login.MicrosoftOnline.COM:8443/Path", "https|-|-|login.microsoftonline.com|8443!|/Path"},
	{"https://host:443/", "https|-|-|host|443!|/"},
	{"socks5h://p", "socks5h|-|-|p|1080|/"},
	{"ftp://p/x", "ftp|-|-|p|-1|/x"},
	{"http://h?q=1", "http|-|-|h|80|/?q=1"},
	{"http://h/a?b#c", "http|-|-|h|80|/a?b"},
	{"http://h#c", "http|-|-|h|80|/"},
	{"http://h/a#b?c", "http|-|-|h|80|/a"},
	{"http://h:/x", "http|-|-|h|80|/x"},
	{"http://[2001:DB8::1]:8080/x", "http|-|-|2001:db8::1|8080!|/x"},
	{"http://[::1]", "http|-|-|::1|80|/"},
	{"http://[::1]:", "http|-|-|::1|80|/"},
	{"http://user@h", "http|user|-|h|80|/"},
	{"http://user:@h", "http|user||h|80|/"},
	{"http://:pass@h", "http||pass|h|80|/"},
	{"http://user:p:w@h:1", "http|user|p:w|h|1!|/"},
	{"http://CORP%5Cadmin:p%40ss%25@h", "http|CORP\\admin|p@ss%|h|80|/"},
	{"http://user:p@ss@h", "http|user|p@ss|h|80|/"},
	{"http://user:100%@h", "http|user|100%|h|80|/"},
	{"http://user:1%zz@h", "http|user|1%zz|h|80|/"},
	{"http://a%2Eb/x", "http|-|-|a.b|80|/x"},
	{"http://b%C3%BCcher.example/", "http|-|-|b\xc3\xbc"
					"cher.example|80|/"},
	{"http://h/%41%0a", "http|-|-|h|80|/%41%0a"},
	{"http://h//x", "http|-|-|h|80|//x"},
	{"http://h/?u=http://other/", "http|-|-|h|80|/?u=http://other/"},
	{"http://h/@x", "http|-|-|h|80|/@x"},
	{"", NULL},
	{"host", NULL},
	{"host:80", NULL},
	{"//host/", NULL},
	{"://host/", NULL},
	{"1http://host/", NULL},
	{"ht tp://host/", NULL},
	{"path?u=http://host/", NULL},
	{"http:/host", NULL},
	{"http:host", NULL},
	{"http://", NULL},
	{"http:///path", NULL},
	{"http://:80/", NULL},
	{"http://?x", NULL},
	{"http://user@", NULL},
	{"http://user@/x", NULL},
	{"http://h:0/", NULL},
	{"http://h:65536/", NULL},
	{"http://h:8a/", NULL},
	{"http://h:-1/", NULL},
	{"http://h::80/", NULL},
	{"http://h:80:/", NULL},
	{"http://::1/", NULL},
	{"http://[::1]x/", NULL},
	{"http://[::1/", NULL},
	{"http://::1]/", NULL},
	{"http://[h]/", NULL},
	{"http://[1.2.3.4]/", NULL},
	{"http://%5B::1%5D/", NULL},
	{"http://h%3A80/", NULL},
	{"http://h%3A80:90/", NULL},
	{"http://%3A%3A1/", NULL},
	{"http://h%2Fx/", NULL},
	{"http://h%40x/", NULL},
	{"http://h%00/", NULL},
	{"http://h%0d%0aHost:x/", NULL},
	{"http://h%20x/", NULL},
	{"http://h%zz/", NULL},
	{"http://h%/", NULL},
	{"http://u%0a:p@h/", NULL},
	{"http://u:p%00@h/", NULL},
	{"http://h x/", NULL},
	{"http://h/a b", NULL},
	{"http://h/\t", NULL},
	{"http://h/\r\n", NULL},
	{"http://h/\x7f", NULL},
	{" http://h/", NULL},
	{"http://h\\x/", NULL},
};

static void urls_are_taken_apart(void)
{
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
		check_one_text(parts(urls[i].text), urls[i].wanted, urls[i].text, __FILE__, __LINE__);
	CHECK_TEXT(parts(NULL), NULL);
	struct url untouched = {.port = 9};
	CHECK(!url_parse(arena, "http://h:0/", &untouched) && untouched.port == 9);
}

static void long_urls_are_refused(void)
{
	char text[2050] = "http://h/";
	memset(text + 9, 'a', 2048 - 9);
	CHECK(parts(text) != NULL);
	text[2048] = 'a';
	CHECK(parts(text) == NULL);
}

static void reports_show_no_secret(void)
{
	CHECK_TEXT(url_for_report(arena, "http://user:secret@Proxy.corp:8080/wpad.dat?sig=abc#f"),
		   "http://proxy.corp:8080/wpad.dat");
	CHECK_TEXT(url_for_report(arena, "https://h"), "https://h/");
	CHECK_TEXT(url_for_report(arena, "https://h:443/a/b"), "https://h:443/a/b");
	CHECK_TEXT(url_for_report(arena, "http://[::1]:80/?x"), "http://[::1]:80/");
	CHECK_TEXT(url_for_report(arena, "http://user:sec ret@h/"), "(unreadable URL)");
	CHECK_TEXT(url_for_report(arena, ""), "(unreadable URL)");
	CHECK_TEXT(url_for_report(arena, NULL), NULL);
}

static void rules_match_hosts(void)
{
	static const struct {
		const char *rule, *host;
		bool matches;
	} rows[] = {
		{"*.windows.net", "login.windows.net", true},
		{"*.windows.net", "a.b.windows.net", true},
		{"*.windows.net", "LOGIN.Windows.NET.", true},
		{"*.windows.net.", "login.windows.net", true},
		{"*.windows.net", "windows.net", false},
		{"*.windows.net", ".windows.net", false},
		{"*.windows.net", "evilwindows.net", false},
		{"*.windows.net", "login.windows.net.evil.example", false},
		{".windows.net", "login.windows.net", true},
		{".windows.net", "windows.net", false},
		{"windows.net", "windows.net", true},
		{"windows.net", "Windows.Net.", true},
		{"windows.net", "login.windows.net", false},
		{"www.msftncsi.com", "www.msftncsi.com", true},
		{"www.msftncsi.com", "xwww.msftncsi.com", false},
		{"*.", "x.", false},
		{".", "x", false},
		{"*", "x", false},
		{"", "", false},
		{"*.net", "", false},
		{NULL, "x", false},
		{"x", NULL, false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *what = rows[i].rule && rows[i].host
					   ? arena_printf(arena, "%s over %s", rows[i].rule, rows[i].host)
					   : "NULL";
		check_one(rule_matches_host(rows[i].rule, rows[i].host) == rows[i].matches, what, __FILE__, __LINE__);
	}
}

int main(void)
{
	arena = arena_new();
	urls_are_taken_apart();
	long_urls_are_refused();
	reports_show_no_secret();
	rules_match_hosts();
	arena_free(arena);
	return check_summary();
}
