/* `marsprobe targets`: what people and programs are shown of a set. */
#include "probe/cli/targets_cmd.h"
#include "probe/cli/targets_json.h"

#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "targets/targets.h"
#include "tests/unit/check.h"

static const char set_text[] =
	"[set]\nname=my set\ncloud=china\n"
	"[target web]\nurl=https://a.{region}.example/\nrule=*.example\nstand_in=yes\nexpect_status=200,302\n"
	"expect_header=x-b\nservice=entra\n"
	"[target low]\nhost=2001:db8::1\nport=25\nneed=recommended\n"
	"[target web-2]\nurl=http://b.example/\nrule=*.example\nexpect_body=He said \"hi\"\n"
	"[target range]\ncidr=10.0.0.0/8\n";

static const char wanted_text[] = "my set: 4 targets, cloud china, region bjb2 (China North 2)\n"
				  "\n"
				  "Required: not ready without it\n"
				  "  *.example  (by names that stand in for it)\n"
				  "    web    https://a.bjb2.example/  200, 302\n"
				  "    web-2  http://b.example/        any status of its own and its exact text\n"
				  "    range  10.0.0.0/8               port 443 of a sample\n"
				  "\n"
				  "Recommended: a warning if it fails\n"
				  "    low    [2001:db8::1]:25         a connection\n"
				  "\n";

static const char wanted_web[] = "        {\n"
				 "          \"id\": \"web\",\n"
				 "          \"name\": \"a.bjb2.example\",\n"
				 "          \"url\": \"https://a.bjb2.example/\",\n"
				 "          \"host\": \"a.bjb2.example\",\n"
				 "          \"port\": 443,\n"
				 "          \"cidr\": null,\n"
				 "          \"rule\": \"*.example\",\n"
				 "          \"required\": true,\n"
				 "          \"stand_in\": true,\n"
				 "          \"service\": \"entra\",\n"
				 "          \"expect\": {\n"
				 "            \"status\": [\n"
				 "              200,\n"
				 "              302\n"
				 "            ],\n"
				 "            \"headers\": [\n"
				 "              \"x-b\"\n"
				 "            ],\n"
				 "            \"body\": null\n"
				 "          }\n"
				 "        },\n";

/* Columns of the longest line, in bytes: the sets are ASCII. */
static size_t widest(const char *text)
{
	size_t widest = 0;

	for (; *text; text += strcspn(text, "\n") + 1)
		widest = strcspn(text, "\n") > widest ? strcspn(text, "\n") : widest;
	return widest;
}

static void check_builtin_width(const struct target_options *options)
{
	for (const char *const *name = targets_builtin_names(); *name; name++) {
		struct target_set set;
		struct strbuf text;
		struct err err;

		strbuf_init(&text);
		CHECK(targets_load(options, *name, &set, &err));
		targets_print(&set, &text);
		CHECK(widest(text.data) <= 100);
		strbuf_free(&text);
	}
}

int main(void)
{
	struct target_options options = {.arena = arena_new()};
	struct target_set sets[2];
	struct strbuf text;
	struct err err = {{0}};

	CHECK(targets_load_text(&options, "my.ini", set_text, &sets[0], &err));
	CHECK_TEXT(err.text, "");
	CHECK(targets_load(&options, "10.0.0.0/8", &sets[1], &err));
	strbuf_init(&text);
	targets_print(&sets[0], &text);
	CHECK_TEXT(text.data, wanted_text);
	strbuf_truncate(&text, 0);
	targets_print_json(&options, sets, 2, &text);
	CHECK(strstr(text.data,
		     "{\n  \"schema\": \"marsprobe/targets\",\n  \"schema_version\": \"1.0.0\",\n  \"sets\": [\n") ==
	      text.data);
	CHECK(strstr(text.data, "\"name\": \"my set\",\n      \"cloud\": \"china\",\n      \"region\": \"bjb2\",") !=
	      NULL);
	CHECK(strstr(text.data, "\"name\": \"10.0.0.0/8\",\n      \"cloud\": null,\n      \"region\": null,") != NULL);
	CHECK(strstr(text.data, wanted_web) != NULL);
	CHECK(strstr(text.data, "\"body\": \"He said \\\"hi\\\"\"") != NULL);
	CHECK(strstr(text.data, "\"url\": null,\n          \"host\": null,\n          \"port\": 443,\n          "
				"\"cidr\": \"10.0.0.0/8\"") != NULL);
	check_builtin_width(&options);
	strbuf_free(&text);
	arena_free(options.arena);
	return check_summary();
}
