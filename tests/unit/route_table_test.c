#include "probe/routes/route_table.h"

#include <stdio.h>

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "tests/unit/check.h"

/* One line for each route: prefix, next hop, [AS path], communities; '>' in front of what is used. */
static const char *read_all(struct arena *arena, const char *text, const char *format)
{
	struct route_table table;
	struct err err = {""};
	struct strbuf out;
	char prefix[PREFIX_TEXT_BYTES];
	if (!route_table_read(arena, TABLE_ROUTER, "file", text, strlen(text), &table, &err))
		return arena_strdup(arena, err.text);
	CHECK_TEXT(table.format, format);
	strbuf_init(&out);
	for (size_t i = 0; i < table.count; i++) {
		const struct table_route *route = &table.routes[i];
		strbuf_printf(&out, "%s%s %s [%s]", route->best ? ">" : "", prefix_format(&route->prefix, prefix),
			      route->next_hop ? route->next_hop : "-", route->as_path ? route->as_path : "-");
		for (size_t k = 0; k < route->communities.count; k++)
			strbuf_printf(&out, " %s", route->communities.items[k]);
		strbuf_add_char(&out, '\n');
	}
	const char *copy = arena_strdup(arena, out.data);
	strbuf_free(&out);
	return copy;
}

#define BGP_HEAD "   Network          Next Hop            Metric LocPrf Weight Path\n"

static const struct {
	const char *format, *text, *wanted;
} good[] = {
	/* ---- Azure */
	{"azure_json",
	 "{\"value\":[{\"locPrf\":\"\",\"network\":\"10.0.0.0/"
	 "16\",\"nextHop\":\"10.17.17.12\",\"path\":\"65515\",\"weight\":0}]}",
	 ">10.0.0.0/16 10.17.17.12 [65515]\n"},
	{"azure_json", "[{\"network\":\"20.190.128.0/18\",\"nextHop\":\"203.0.113.2\",\"path\":\"12076 8075\"}]",
	 ">20.190.128.0/18 203.0.113.2 [12076 8075]\n"},
	{"azure_json",
	 "\xEF\xBB\xBF{\r\n \"Network\": \"20.190.128.0/18\",\r\n \"NextHop\": \"\",\r\n \"LocPrf\": \"\",\r\n "
	 "\"Weight\": 0,\r\n "
	 "\"Path\": \"\"\r\n}\r\n",
	 ">20.190.128.0/18  []\n"},
	{"azure_json", "{\"value\": []}", ""},
	{"azure_json", "[]", ""},
	{"azure_json",
	 "{\"value\":[{\"network\":\"2603:1006:2000::/"
	 "48\",\"nextHop\":null,\"path\":\"8075\"},{\"network\":\"1.2.3.4\",\"nextHop\":\"1.1.1.1\"}]}",
	 ">1.2.3.4/32 1.1.1.1 []\n"},
	{"azure_text",
	 "LocPrf    Network          NextHop       Path        Weight\n"
	 "--------  ---------------  ------------  ----------  --------\n"
	 "          10.0.0.0/16      10.17.17.12   65515       0\n"
	 "100       20.190.128.0/18  203.0.113.2   12076 8075  0\n"
	 "          40.126.0.0/18                              0\n",
	 ">10.0.0.0/16 10.17.17.12 [65515]\n>20.190.128.0/18 203.0.113.2 [12076 8075]\n>40.126.0.0/18  []\n"},
	{"azure_text",
	 "\r\nNetwork : 10.10.0.0/16\r\nNextHop : 10.10.28.129\r\nLocPrf  : \r\nWeight  : 0\r\nPath    : 65515\r\n\r\n"
	 "Network : 20.190.128.0/18\r\nNextHop : 10.10.28.130\r\nLocPrf  : 100\r\nWeight  : 0\r\nPath    : 12076 "
	 "8075\r\n",
	 ">10.10.0.0/16 10.10.28.129 [65515]\n>20.190.128.0/18 10.10.28.130 [12076 8075]\n"},
	/* ---- show ip bgp */
	{"bgp_text",
	 "BGP table version is 22, local router ID is 10.1.1.1\nStatus codes: s suppressed, * valid, > "
	 "best\n\n" BGP_HEAD "*> 0.0.0.0          198.51.100.1             0             0 64510 i\n"
	 "*> 10.0.0.0         0.0.0.0                  0         32768 i\n"
	 "*  20.190.128.0/18  198.51.100.1                           0 64510 8075 i\n"
	 "*>                  203.0.113.2              0    200      0 12076 8075 i\n"
	 "*> 172.16.0.0       203.0.113.2              0             0 12076 ?\n"
	 "*> 192.168.7.0      203.0.113.2              0             0 12076 {65001,65002} e\n"
	 "*> 203.113.128.128/25\n"
	 "                    203.0.113.2              0             0 12076 8075 i\n"
	 "\nTotal number of prefixes 6\n",
	 ">0.0.0.0/0 198.51.100.1 [64510]\n>10.0.0.0/8 0.0.0.0 []\n20.190.128.0/18 198.51.100.1 [64510 8075]\n"
	 ">20.190.128.0/18 203.0.113.2 [12076 8075]\n>172.16.0.0/16 203.0.113.2 [12076]\n"
	 ">192.168.7.0/24 203.0.113.2 [12076 {65001,65002}]\n>203.113.128.128/25 203.0.113.2 [12076 8075]\n"},
	{"bgp_text",
	 "     Network          Next Hop            Metric LocPrf Weight Path\n"
	 " *>i 20.190.128.0/18  203.0.113.2              0    100      0 12076 8075 i\n"
	 " * i                  203.0.113.6              0    100      0 12076 8075 i\n"
	 " r>  40.126.0.0/18    203.0.113.2(edge-1)      0             0 12076 8075 i\n",
	 ">20.190.128.0/18 203.0.113.2 [12076 8075]\n20.190.128.0/18 203.0.113.6 [12076 8075]\n"
	 ">40.126.0.0/18 203.0.113.2 [12076 8075]\n"},
	{"bgp_text",
	 BGP_HEAD "*> 2603:1006:2000::/48\n"
		  "                    2001:db8:ffff:ffff::2\n"
		  "                                             0             0 12076 8075 i\n"
		  "*> 2603:1007:200::/48\n"
		  "                    fe80::2                  0             0 12076 8075 i\n"
		  "\nDisplayed  2 routes and 2 total paths\n",
	 ">2603:1006:2000::/48 2001:db8:ffff:ffff::2 [12076 8075]\n>2603:1007:200::/48 fe80::2 [12076 8075]\n"},
	{"bgp_text", BGP_HEAD, ""},
	/* ---- show ip bgp PREFIX */
	{"bgp_detail",
	 "BGP routing table entry for 20.190.128.0/18, version 5\n"
	 "Paths: (2 available, best #1, table default)\n  Advertised to update-groups:\n     1\n  Refresh Epoch 1\n"
	 "  12076 8075\n    203.0.113.2 from 203.0.113.2 (203.0.113.2)\n"
	 "      Origin IGP, localpref 100, valid, external, best\n      Community: 791417796 12076:51004 no-export\n"
	 "      rx pathid: 0, tx pathid: 0x0\n"
	 "  64510 8075, (received & used)\n    198.51.100.1 (metric 20) from 198.51.100.1 (198.51.100.1)\n"
	 "      Origin IGP, valid, external\n"
	 "BGP routing table entry for 203.0.114.0/24, version 2\nPaths: (1 available, best #1, table default)\n"
	 "  Local\n    0.0.0.0(edge) from 0.0.0.0 (203.0.113.1)\n"
	 "      Origin IGP, weight 32768, valid, sourced, local, best (First path received)\n",
	 ">20.190.128.0/18 203.0.113.2 [12076 8075] 12076:5060 12076:51004\n20.190.128.0/18 198.51.100.1 [64510 8075]\n"
	 ">203.0.114.0/24 0.0.0.0 []\n"},
	/* ---- FRR's JSON */
	{"bgp_json",
	 "{\"vrfId\":0,\"localAS\":64500,\"routes\":{\"20.190.128.0/"
	 "18\":[{\"valid\":true,\"bestpath\":true,\"prefix\":\"20.190.128.0\","
	 "\"prefixLen\":18,\"path\":\"12076 "
	 "8075\",\"nexthops\":[{\"ip\":\"203.0.113.2\",\"afi\":\"ipv4\",\"used\":true}]},"
	 "{\"valid\":true,\"path\":\"64510 8075\",\"nexthops\":[{\"ip\":\"198.51.100.1\"}]}]}}",
	 ">20.190.128.0/18 203.0.113.2 [12076 8075]\n20.190.128.0/18 198.51.100.1 [64510 8075]\n"},
	{"bgp_json",
	 "{\"prefix\":\"20.190.128.0/18\",\"paths\":[{\"aspath\":{\"string\":\"12076 "
	 "8075\",\"length\":2},\"valid\":true,"
	 "\"bestpath\":{\"overall\":true},\"community\":{\"string\":\"12076:5060 "
	 "12076:51004\",\"list\":[\"12076:5060\"]},"
	 "\"nexthops\":[{\"ip\":\"fe80::1\"},{\"ip\":\"203.0.113.2\",\"used\":true}]}]}\n"
	 "{\"prefix\":\"203.0.114.0/"
	 "24\",\"paths\":[{\"aspath\":{\"string\":\"Local\"},\"bestpath\":{\"overall\":true}}]}\n",
	 ">20.190.128.0/18 203.0.113.2 [12076 8075] 12076:5060 12076:51004\n>203.0.114.0/24 - []\n"},
	{"bgp_json",
	 "{\"default\":{\"routes\":{\"40.126.0.0/18\":{\"prefix\":\"40.126.0.0/"
	 "18\",\"paths\":[{\"aspath\":{\"string\":\"12076\"},"
	 "\"bestpath\":{\"overall\":true}}]}}}}",
	 ">40.126.0.0/18 - [12076]\n"},
	{"bgp_json", "{\"vrfName\":\"default\",\"routes\":{}}", ""},
};

static const struct {
	const char *text, *wanted; /* the start of the message */
} bad[] = {
	{"", "file:1: the file is empty"},
	{" \n\t\n", "file:1: the file is empty"},
	{"\xFF\xFE{", "file:1: the file is UTF-16"},
	{"hello\nworld\n", "file:1: no table of routes"},
	{"{\"value\":[{\"network\":\"10.0.0.0/"
	 "16\",\n\"nextHop\":\"10.17.17.12\"},\n{\"network\":\"ten\",\"nextHop\":\"\"}]}",
	 "file:3: \"network\" is no prefix"},
	{"{\"value\":[", "file:1: not JSON"},
	{"{\"value\":[]}\n\n{\"value\":}", "file:3: not JSON"},
	{"{\"peers\":{}}", "file:1: JSON without routes"},
	{"{\"routes\":{\"20.190.128.0/18\":[{\"path\":\"1\"}],\n\"x\":[{\"path\":\"1\"}]}}", "file:2: no prefix"},
	{"{\"routes\":{\"20.190.128.0/18\":7}}", "file:1: must be an array"},
	{"{\"routes\":{\"20.190.128.0/18\":[7]}}", "file:1: a path that is no object"},
	{BGP_HEAD "*> 20.190.128.0/33  203.0.113.2              0             0 12076 i\n",
	 "file:2: no prefix such as 20.190.128.0/18 in the column Network"},
	{BGP_HEAD "*> 20.190.128.0/18  nowhere                  0             0 12076 i\n",
	 "file:2: no address in the column Next Hop"},
	{BGP_HEAD "*                   203.0.113.2              0             0 12076 i\n",
	 "file:2: no address in the column"},
	{"Network     NextHop\n----------  -------\nten         1.1.1.1\n", "file:3: no prefix"},
	{"Network : ten\n", "file:1: no prefix"},
	{"Network : \n", "file:1: no prefix"},
	{"BGP routing table entry for ten, version 5\n", "file:1: no prefix"},
};

static const struct {
	const char *text, *wanted; /* NULL: none of ours */
} communities[] = {
	{"12076:5060", "12076:5060"},
	{"791417796", "12076:5060"},
	{"0:0", "0:0"},
	{"65535:65535", "65535:65535"},
	{"4294967295", "65535:65535"},
	{"65536:1", NULL},
	{"1:65536", NULL},
	{"4294967296", NULL},
	{"no-export", NULL},
	{"12076:", NULL},
	{":5060", NULL},
	{"12076:5060:1", NULL},
	{"target:1:2", NULL},
	{"", NULL},
};

static void test_communities(struct arena *arena)
{
	for (size_t i = 0; i < sizeof(communities) / sizeof(*communities); i++) {
		struct text_list list = {0};
		route_add_community(arena, &list, communities[i].text, strlen(communities[i].text));
		CHECK_TEXT(list.count ? list.items[0] : NULL, communities[i].wanted);
	}
}

static void test_every_cut_is_survived(struct arena *arena)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		for (size_t length = 0; length < strlen(good[i].text); length++) {
			struct route_table table;
			struct err err = {""};
			const char *cut = arena_strndup(arena, good[i].text, length);
			bool read = route_table_read(arena, TABLE_CIRCUIT, "file", cut, length, &table, &err);
			CHECK(read == (err.text[0] == '\0'));
		}
}

int main(void)
{
	struct arena *arena = arena_new();
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		CHECK_TEXT(read_all(arena, good[i].text, good[i].format), good[i].wanted);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		const char *said = read_all(arena, bad[i].text, "");
		CHECK(strncmp(said, bad[i].wanted, strlen(bad[i].wanted)) == 0);
		if (strncmp(said, bad[i].wanted, strlen(bad[i].wanted)) != 0)
			printf("got \"%s\", wanted \"%s\"\n", said, bad[i].wanted);
	}
	test_communities(arena);
	test_every_cut_is_survived(arena);
	arena_free(arena);
	return check_summary();
}
