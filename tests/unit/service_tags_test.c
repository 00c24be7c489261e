/* Service tags: what a file may say, which tags hold an address, and that every mistake is named with its place. */
#include "targets/service_tags.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/err.h"
#include "probe/core/strbuf.h"
#include "tests/unit/check.h"

enum { MANY = 2000 };

static struct arena *arena;

#define TAG(name, region, prefixes)                                                            \
	"{\"name\": \"" name "\", \"properties\": {\"changeNumber\": 7, \"region\": \"" region \
	"\", \"addressPrefixes\": [" prefixes "], \"networkFeatures\": null}}"
#define FILE_OF(tags) "{\"changeNumber\": 301, \"cloud\": \"Public\", \"values\": [" tags "]}"

static const char file
	[] = FILE_OF(TAG("AzureActiveDirectory", "", "\"20.190.128.0/18\", \"40.126.0.0/18\", \"2603:1006:2000::/48\"") ",\n" TAG("AzureActiveDirectory.ServiceEndpoint", "", "\"13.82.9.0/24\"") ",\n" TAG("AzureBackup", "", "\"13.82.1.0/24\", \"13.82.1.128/25\", \"13.83.1.0/24\"") ",\n" TAG(
		"AzureBackup.EastUS", "eastus",
		"\"13.82.1.0/24\"") ",\n" TAG("AzureBackup.JapanEast", "japaneast",
					      "\"13.83.1.0/24\"") ",\n" TAG("Storage", "",
									    "") ",\n" TAG("AzureCloud", "",
											  "\"13.82.0.0/16\", "
											  "\"0.0.0.0/0\", "
											  "\"2603:1000::/24\", "
											  "\"255.255.255.255/"
											  "32\"") ",\n" TAG("Az"
													    "ur"
													    "eC"
													    "lo"
													    "ud"
													    ".e"
													    "as"
													    "tu"
													    "s",
													    "ea"
													    "st"
													    "u"
													    "s",
													    "\""
													    "13"
													    ".8"
													    "2."
													    "1."
													    "12"
													    "/3"
													    "2"
													    "\""
													    ", "
													    "\""
													    "13"
													    ".8"
													    "2."
													    "0."
													    "0/"
													    "16"
													    "\""));

static void read_or_say(const char *name, const char *text, struct service_tags *out)
{
	struct err err = {""};
	memset(out, 0, sizeof(*out));
	bool read = service_tags_read(arena, name, text, strlen(text), out, &err);
	CHECK(read);
	if (!read)
		printf("%s\n", err.text);
}

/* The names of the tags that hold it, with blanks between. */
static const char *holders(const struct service_tags *tags, const char *text)
{
	const struct service_tag *found[SERVICE_TAGS_OF_ADDRESS_MAX];
	struct address address;
	struct strbuf names;
	if (!address_parse(text, &address))
		return "no address";
	strbuf_init(&names);
	size_t count = service_tags_find(tags, &address, found);
	for (size_t i = 0; i < count; i++)
		strbuf_printf(&names, "%s%s", i ? " " : "", found[i]->name);
	const char *copy = arena_strdup(arena, names.data);
	strbuf_free(&names);
	return copy;
}

static void the_most_specific_tag_comes_first(void)
{
	struct service_tags tags;
	read_or_say("a/ServiceTags_Public_20260601.json", file, &tags);
	CHECK_TEXT(tags.form, "service_tags");
	CHECK_TEXT(tags.file, "ServiceTags_Public_20260601.json");
	CHECK_TEXT(tags.date, "2026-06-01");
	CHECK_TEXT(tags.cloud, "Public");
	CHECK_INT(tags.change_number, 301);
	CHECK_INT(tags.tag_count, 8);
	CHECK_INT(tags.prefix_count, 15);
	CHECK_TEXT(holders(&tags, "20.190.159.4"), "AzureActiveDirectory AzureCloud");
	CHECK_TEXT(holders(&tags, "13.82.1.12"), "AzureCloud.eastus AzureBackup.EastUS AzureBackup AzureCloud");
	CHECK_TEXT(holders(&tags, "13.82.1.200"), "AzureBackup AzureBackup.EastUS AzureCloud.eastus AzureCloud");
	CHECK_TEXT(holders(&tags, "13.82.2.1"), "AzureCloud.eastus AzureCloud");
	CHECK_TEXT(holders(&tags, "13.82.9.1"), "AzureActiveDirectory.ServiceEndpoint AzureCloud.eastus AzureCloud");
	CHECK_TEXT(holders(&tags, "0.0.0.0"), "AzureCloud");
	CHECK_TEXT(holders(&tags, "255.255.255.255"), "AzureCloud");
	CHECK_TEXT(holders(&tags, "2603:1006:2000::1"), "AzureActiveDirectory AzureCloud");
	CHECK_TEXT(holders(&tags, "2603:1006:2001::1"), "AzureCloud");
	CHECK_TEXT(holders(&tags, "2602:ffff::1"), "");
	CHECK_TEXT(holders(&tags, "::"), "");
	CHECK_TEXT(holders(&tags, "ffff::1"), "");
}

/* The tags that list a host; "" for none. */
static const char *expected(const struct service_tags *tags, const char *host)
{
	struct text_list list = {0};
	service_tags_expected(arena, tags, host, &list);
	return list.count == 0 ? "" : list.count == 1 ? list.items[0] : "several";
}

static void a_name_has_the_tag_of_its_service(void)
{
	struct service_tags tags;
	read_or_say("tags.json", file, &tags);
	CHECK_TEXT(tags.date, NULL);
	CHECK_TEXT(expected(&tags, "login.microsoftonline.com"), "AzureActiveDirectory");
	CHECK_TEXT(expected(&tags, "pod01-prot1.eus.backup.windowsazure.com"), "AzureBackup");
	CHECK_TEXT(expected(&tags, "a.blob.core.windows.net"), ""); /* the file's tag of that name is empty */
	CHECK_TEXT(expected(&tags, "www.msftconnecttest.com"), "");
	CHECK_TEXT(expected(&tags, NULL), "");
	CHECK(service_tags_named(&tags, "azurebackup.eastus") == &tags.tags[3]);
	CHECK(!service_tags_named(&tags, "AzureFrontDoor"));
	CHECK(service_of_host("login.windows.net")->sign_in && !service_of_host("x.blob.core.windows.net")->sign_in);
	CHECK(!service_of_host("download.microsoft.com") && !service_of_host(NULL));
}

static void a_region_has_its_part(void)
{
	struct service_tags tags;
	read_or_say("tags.json", file, &tags);
	const struct service_tag *backup = &tags.tags[2], *entra = &tags.tags[0];
	CHECK_TEXT(service_tags_of_region(&tags, backup, "eus")->name, "AzureBackup.EastUS");
	CHECK_TEXT(service_tags_of_region(&tags, backup, "JPE")->name, "AzureBackup.JapanEast");
	CHECK_TEXT(service_tags_of_region(&tags, backup, "we")->name, "AzureBackup");
	CHECK_TEXT(service_tags_of_region(&tags, backup, "zzz")->name, "AzureBackup");
	CHECK_TEXT(service_tags_of_region(&tags, backup, NULL)->name, "AzureBackup");
	CHECK_TEXT(service_tags_of_region(&tags, entra, "eus")->name, "AzureActiveDirectory");
	CHECK(tags.tags[3].regional && !tags.tags[1].regional);
}

static void a_tag_gives_its_prefixes_back(void)
{
	struct service_tags tags;
	struct prefix prefixes[4];
	char text[PREFIX_TEXT_BYTES];
	read_or_say("tags.json", file, &tags);
	CHECK_INT(service_tags_prefixes(&tags, &tags.tags[2], prefixes), 2); /* one of three lies inside another */
	CHECK_TEXT(prefix_format(&prefixes[0], text), "13.82.1.0/24");
	CHECK_TEXT(prefix_format(&prefixes[1], text), "13.83.1.0/24");
	CHECK_INT(service_tags_prefixes(&tags, &tags.tags[0], prefixes), 3);
	CHECK_TEXT(prefix_format(&prefixes[2], text), "2603:1006:2000::/48");
	CHECK_INT(service_tags_prefixes(&tags, &tags.tags[5], prefixes), 0);
	CHECK_INT(service_tags_prefixes(&tags, &tags.tags[6], prefixes), 2); /* all of IPv4 is one */
}

static void endpoints_are_sets_with_names(void)
{
	static const char text[] =
		"\xEF\xBB\xBF[{\"id\": 56, \"serviceArea\": \"Common\", \"urls\": [\"login.windows.net\", "
		"\"*.a.example\"],"
		" \"ips\": [\"20.190.128.0/18\", \"2603:1006:2000::/48\", \"198.51.100.7\"], \"required\": true},\n"
		" {\"id\": 59, \"serviceArea\": \"Common\", \"urls\": [\"*.windows.net\"]}]";
	struct service_tags tags;
	read_or_say("endpoints.json", text, &tags);
	CHECK_TEXT(tags.form, "microsoft365");
	CHECK_INT(tags.change_number, NOT_MEASURED);
	CHECK_TEXT(tags.cloud, NULL);
	CHECK_INT(tags.tag_count, 2);
	CHECK_TEXT(holders(&tags, "20.190.159.4"), "Microsoft365.Common.56");
	CHECK_TEXT(holders(&tags, "198.51.100.7"), "Microsoft365.Common.56");
	CHECK_TEXT(holders(&tags, "198.51.100.8"), "");
	CHECK_TEXT(expected(&tags, "login.windows.net"), "Microsoft365.Common.56");
	CHECK_TEXT(expected(&tags, "x.a.example"), "Microsoft365.Common.56");
	CHECK_TEXT(expected(&tags, "graph.windows.net"), ""); /* its set has no addresses */
}

#define ONE(member) "{\"changeNumber\": 1, \"values\": [{\"name\": \"A\",\n\"properties\": {\n" member "}}]}"

static const struct {
	const char *text, *wanted; /* the message after "t.json:" */
} mistakes[] = {
	{"", "1: not JSON: '[' or '{' expected near end of file"},
	{"nothing", "1: not JSON: '[' or '{' expected near 'nothing'"},
	{"\n\xFF\x1B[31m", "2: not JSON: unable to decode byte 0xff"},
	{"{}", "1: neither service tags (an object with \"values\") nor Microsoft 365 endpoints (an array of sets)"},
	{"[]", "1: is empty: there is no tag"},
	{"{\"changeNumber\": 1, \"values\": []}", "1: values is empty: there is no tag"},
	{"{\"changeNumber\": 1,\n\"values\": {}}", "2: values must be an array"},
	{"{\"values\": []}", "1: changeNumber is missing"},
	{"{\"changeNumber\": \"1\", \"values\": []}", "1: changeNumber must be a whole number, 0 or more"},
	{"{\"changeNumber\": -1, \"values\": []}", "1: changeNumber must be a whole number, 0 or more"},
	{"{\"changeNumber\": 1e400, \"values\": []}", "1: not JSON: real number overflow near '1e400'"},
	{"{\"changeNumber\": 99999999999999999999, \"values\": []}",
	 "1: not JSON: too big integer near '99999999999999999999'"},
	{"{\"changeNumber\": 1,\n\"changeNumber\": 1, \"values\": []}",
	 "2: not JSON: duplicate object key near '\"changeNumber\"'"},
	{"{\"changeNumber\": 1, \"cloud\": 5, \"values\": []}", "1: cloud must be a text"},
	{"{\"changeNumber\": 1, \"cloud\": \"a\\u001b[1m\", \"values\": []}", "1: cloud is no name of a cloud"},
	{"{\"changeNumber\": 1, \"values\": [\n5]}", "2: values[0] must be an object"},
	{"{\"changeNumber\": 1, \"values\": [\n{}]}", "2: values[0].name is missing"},
	{"{\"changeNumber\": 1, \"values\": [{\"name\": 7}]}", "1: values[0].name must be a text"},
	{"{\"changeNumber\": 1, \"values\": [{\"name\": \"a b\"}]}",
	 "1: values[0].name is no tag's name (at most 128 characters of ASCII without blanks)"},
	{"{\"changeNumber\": 1, \"values\": [{\"name\": \"A\"}]}", "1: values[0].properties is missing"},
	{"{\"changeNumber\": 1, \"values\": [{\"name\": \"A\", \"properties\": 1}]}",
	 "1: values[0].properties must be an object"},
	{ONE("\"region\": \"\""), "2: values[0].properties.addressPrefixes is missing"},
	{ONE("\"addressPrefixes\": \"13.82.1.0/24\""), "3: values[0].properties.addressPrefixes must be an array"},
	{ONE("\"addressPrefixes\": [\n5]"), "4: values[0].properties.addressPrefixes[0] must be a text"},
	{ONE("\"addressPrefixes\": [\"13.82.1.0/24\",\n\"13.82.1.1/24\"]"),
	 "4: values[0].properties.addressPrefixes[1] is no prefix, such as 20.190.128.0/18 (address, length, and no "
	 "bit "
	 "set behind it)"},
	{ONE("\"region\": 5, \"addressPrefixes\": []"), "3: values[0].properties.region must be a text"},
	{ONE("\"changeNumber\": 1.5, \"addressPrefixes\": []"),
	 "3: values[0].properties.changeNumber must be a whole number, 0 or more"},
	{FILE_OF(TAG("A", "", "") "," TAG("a", "", "")), " two tags have the name a"},
	{"[\n{}]", "2: [0].id is missing"},
	{"[{\"id\": 1}]", "1: [0].serviceArea is missing"},
	{"[{\"id\": 1, \"serviceArea\": \"a b\"}]",
	 "1: [0].serviceArea is no name (at most 100 characters of ASCII without blanks)"},
	{"[{\"id\": 1, \"serviceArea\": \"A\", \"urls\": 5}]", "1: [0].urls must be an array"},
	{"[{\"id\": 1, \"serviceArea\": \"A\", \"urls\": [\"a\", \"\"]}]",
	 "1: [0].urls[1] is no host's name (at most 128 characters of ASCII)"},
	{"[{\"id\": 1, \"serviceArea\": \"A\", \"ips\": [\"x\"]}]",
	 "1: [0].ips[0] is no prefix, such as 20.190.128.0/18 (address, length, and no bit set behind it)"},
};

static void every_mistake_has_its_place(void)
{
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		struct service_tags tags = {0};
		struct err err = {""};
		CHECK(!service_tags_read(arena, "t.json", mistakes[i].text, strlen(mistakes[i].text), &tags, &err));
		CHECK(strncmp(err.text, "t.json:", 7) == 0);
		CHECK_TEXT(err.text + 7, mistakes[i].wanted);
		CHECK(!tags.tags && !tags.nodes);
	}
}

static void limits_hold(void)
{
	struct service_tags tags = {0};
	struct err err = {""};
	char *deep = xmalloc(MANY), *large = xcalloc(SERVICE_TAGS_BYTES_MAX + 1, 1);
	memset(deep, '[', MANY);
	CHECK(!service_tags_read(arena, "t.json", deep, MANY, &tags, &err));
	CHECK_TEXT(err.text, "t.json:1: nested too deep");
	CHECK(!service_tags_read(arena, "t.json", large, SERVICE_TAGS_BYTES_MAX + 1, &tags, &err));
	CHECK_TEXT(err.text, "t.json: larger than 32 MiB");
	free(deep);
	free(large);
}

int main(void)
{
	arena = arena_new();
	the_most_specific_tag_comes_first();
	a_name_has_the_tag_of_its_service();
	a_region_has_its_part();
	a_tag_gives_its_prefixes_back();
	endpoints_are_sets_with_names();
	every_mistake_has_its_place();
	limits_hold();
	arena_free(arena);
	return check_summary();
}
