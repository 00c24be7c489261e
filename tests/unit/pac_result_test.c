/* What a PAC script returned, and what it is given. */
#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/evidence.h"
#include "probe/core/strbuf.h"
#include "probe/core/url.h"
#include "probe/settings/pac_arguments.h"
#include "probe/settings/pac_result.h"
#include "tests/unit/check.h"

static struct arena *arena;

static const struct {
	const char *text, *via, *dropped; /* lists joined by "|" */
} results[] = {
	{NULL, "DIRECT", ""},
	{"", "DIRECT", ""},
	{" ;\t; ", "DIRECT", ""},
	{"DIRECT", "DIRECT", ""},
	{"direct", "DIRECT", ""},
	{" DIRECT ; ", "DIRECT", ""},
	{"PROXY proxy.corp:8080", "PROXY proxy.corp:8080", ""},
	{"proxy Proxy.CORP:8080", "PROXY proxy.corp:8080", ""},
	{"PROXY\tproxy.corp:8080", "PROXY proxy.corp:8080", ""},
	{"PROXY   proxy.corp:8080  ", "PROXY proxy.corp:8080", ""},
	{"PROXY proxy.corp", "PROXY proxy.corp:80", ""},
	{"SOCKS s.corp", "SOCKS s.corp:1080", ""},
	{"SOCKS4 s.corp:1", "SOCKS s.corp:1", ""},
	{"SOCKS5 s.corp", "SOCKS5 s.corp:1080", ""},
	{"HTTPS h.corp", "HTTPS h.corp:443", ""},
	{"PROXY a:1; PROXY b:2; DIRECT", "PROXY a:1|PROXY b:2|DIRECT", ""},
	{"PROXY a:1;PROXY a:1", "PROXY a:1|PROXY a:1", ""},
	{"DIRECT; PROXY a:1", "DIRECT|PROXY a:1", ""},
	{"PROXY 10.1.2.3:8080", "PROXY 10.1.2.3:8080", ""},
	{"PROXY [2001:DB8:0::1]:8080", "PROXY [2001:db8::1]:8080", ""},
	{"PROXY [2001:db8::1]", "PROXY [2001:db8::1]:80", ""},
	{"PROXY under_score.corp.:8080", "PROXY under_score.corp.:8080", ""},
	{"PROXY a:65535", "PROXY a:65535", ""},
	/* what is passed over */
	{"HTTP a:1", "DIRECT", "HTTP a:1"},
	{"HTTP a:1; PROXY b:2", "PROXY b:2", "HTTP a:1"},
	{"PROXY", "DIRECT", "PROXY"},
	{"PROXY ; DIRECT", "DIRECT", "PROXY"},
	{"PROXYa:1", "DIRECT", "PROXYa:1"},
	{"proxy.corp:8080", "DIRECT", "proxy.corp:8080"},
	{"DIRECT a:1", "DIRECT", "DIRECT a:1"},
	{"DIRECT a:1; PROXY b:1", "PROXY b:1", "DIRECT a:1"},
	{"PROXY a:0", "DIRECT", "PROXY a:0"},
	{"PROXY a:65536", "DIRECT", "PROXY a:65536"},
	{"PROXY a:", "DIRECT", "PROXY a:"},
	{"PROXY a:8080x", "DIRECT", "PROXY a:8080x"},
	{"PROXY :8080", "DIRECT", "PROXY :8080"},
	{"PROXY a:1 b:2", "DIRECT", "PROXY a:1 b:2"},
	{"PROXY a:1, PROXY b:2", "DIRECT", "PROXY a:1, PROXY b:2"},
	{"PROXY http://a:1", "DIRECT", "PROXY http://a:1"},
	{"PROXY a:1/", "DIRECT", "PROXY a:1/"},
	{"PROXY 2001:db8::1", "DIRECT", "PROXY 2001:db8::1"},
	{"PROXY [10.1.2.3]:80", "DIRECT", "PROXY [10.1.2.3]:80"},
	{"PROXY [a.corp]:80", "DIRECT", "PROXY [a.corp]:80"},
	{"PROXY [::1:80", "DIRECT", "PROXY [::1:80"},
	{"PROXY a%2Eb:80", "DIRECT", "PROXY a%2Eb:80"},
	{"PROXY a\xEF\xBF\xBD"
	 "evil:80",
	 "DIRECT",
	 "PROXY a\xEF\xBF\xBD"
	 "evil:80"},
	{"undefined", "DIRECT", "undefined"},
	/* passwords */
	{"PROXY user:secret@p.corp:80", "DIRECT", "PROXY ***@p.corp:80"},
	{"user:secret@p.corp:80", "DIRECT", "***@p.corp:80"},
	{"PROXY user:sec;ret@p.corp:80", "DIRECT", "PROXY ***|***@p.corp:80"},
	{"PROXY user:s@c;r@t@p.corp:80", "DIRECT", "PROXY ***|***@p.corp:80"},
	{"PROXY a:1; PROXY u:secret@b:2; PROXY c:3; WHAT d:4", "PROXY a:1|PROXY c:3", "PROXY ***@b:2|WHAT d:4"},
};

static const char *joined(const struct text_list *list)
{
	struct strbuf out;
	strbuf_init(&out);
	for (size_t i = 0; i < list->count; i++)
		strbuf_printf(&out, "%s%s", i > 0 ? "|" : "", list->items[i]);
	const char *text = arena_strdup(arena, out.data);
	strbuf_free(&out);
	return text;
}

static void check_limits(void)
{
	struct text_list via, dropped;
	struct strbuf text;
	strbuf_init(&text);
	for (int i = 1; i <= 40; i++)
		strbuf_printf(&text, "PROXY p%d:%d;", i, i);
	pac_result_parse(arena, text.data, &via, &dropped);
	CHECK_INT(via.count, PAC_RESULT_PARTS_MAX);
	CHECK_INT(dropped.count, 8);
	CHECK_TEXT(dropped.items[0], "PROXY p33:33");
	strbuf_truncate(&text, 0);
	for (int i = 1; i <= 40; i++)
		strbuf_printf(&text, "X%d;", i);
	pac_result_parse(arena, text.data, &via, &dropped);
	CHECK_INT(dropped.count, PAC_RESULT_PARTS_MAX);
	CHECK_TEXT(dropped.items[PAC_RESULT_PARTS_MAX - 1], "(more, which are not shown)");
	strbuf_truncate(&text, 0);
	for (int i = 0; i < 99; i++)
		strbuf_add(&text, "x");
	strbuf_add(&text, "\xC3\xBC and more");
	pac_result_parse(arena, text.data, &via, &dropped);
	CHECK_INT(strlen(dropped.items[0]), 99 + 3);
	strbuf_free(&text);
}

static const struct {
	const char *url, *text, *host;
} arguments[] = {
	{"https://h.corp.test/", "https://h.corp.test/", "h.corp.test"},
	{"https://h.corp.test", "https://h.corp.test/", "h.corp.test"},
	{"https://H.Corp.test/Path?q=1#f", "https://h.corp.test/", "h.corp.test"},
	{"https://h.corp.test:8443/path", "https://h.corp.test:8443/", "h.corp.test"},
	{"https://h.corp.test:443/path", "https://h.corp.test:443/", "h.corp.test"},
	{"https://user:secret@h.corp.test/path", "https://h.corp.test/", "h.corp.test"},
	{"http://user:secret@h.corp.test/Path?Q=1#f", "http://h.corp.test/Path?Q=1", "h.corp.test"},
	{"http://h.corp.test", "http://h.corp.test/", "h.corp.test"},
	{"http://h.corp.test?q", "http://h.corp.test/?q", "h.corp.test"},
	{"http://h.corp.test:80/", "http://h.corp.test:80/", "h.corp.test"},
	{"http://[2001:db8::1]:8080/a", "http://[2001:db8::1]:8080/a", "2001:db8::1"},
	{"https://[2001:DB8::1]/a", "https://[2001:db8::1]/", "2001:db8::1"},
	{"ftp://h.corp.test/a", "ftp://h.corp.test/a", "h.corp.test"},
	{"wss://h.corp.test/a", "wss://h.corp.test/", "h.corp.test"},
	{"http://m%C3%BC.test/", "http://m\xC3\xBC.test/", "m\xC3\xBC.test"},
	{"http://a%FF/", NULL, NULL},
};

static void check_arguments(void)
{
	for (size_t i = 0; i < sizeof(arguments) / sizeof(*arguments); i++) {
		struct url url;
		const char *text = NULL, *host = NULL;
		CHECK(url_parse(arena, arguments[i].url, &url));
		CHECK(pac_arguments(arena, &url, &text, &host) == (arguments[i].text != NULL));
		check_one_text(text, arguments[i].text, arguments[i].url, __FILE__, __LINE__);
		check_one_text(host, arguments[i].host, arguments[i].url, __FILE__, __LINE__);
	}
}

int main(void)
{
	arena = arena_new();
	for (size_t i = 0; i < sizeof(results) / sizeof(*results); i++) {
		struct text_list via, dropped;
		pac_result_parse(arena, results[i].text, &via, &dropped);
		check_one_text(joined(&via), results[i].via, results[i].text, __FILE__, __LINE__);
		check_one_text(joined(&dropped), results[i].dropped, results[i].text, __FILE__, __LINE__);
	}
	check_limits();
	check_arguments();
	arena_free(arena);
	return check_summary();
}
