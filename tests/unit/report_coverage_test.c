/* The text and the hand-off of a report about a circuit. */

#include "probe/diagnosis/diagnosis.h"
#include "reports/report.h"
#include "tests/unit/check.h"
#include "tests/unit/circuit_builder.h"

static const char *written(const struct report *report, const char *format)
{
	struct report_style style = {.verbose = true};
	struct strbuf out;
	strbuf_init(&out);
	report_format_find(format)->write(report, &style, &out);
	const char *text = arena_strdup(report->arena, out.data);
	strbuf_free(&out);
	return text;
}

#define EVIL "\033[2Jevil\r\n\x07"

static bool is_clean(const char *text)
{
	for (const char *c = text; *c; c++)
		if ((*c < ' ' && *c >= 0 && *c != '\n') || *c == 0x7f)
			return false;
	return true;
}

/* Every text of a report from a file may want to move the cursor. */
static void test_hostile_texts(void)
{
	struct report *report = build_circuit(&(struct circuit_case){
		.router = "20.190.128.0/19 203.0.113.2 12076 12076:5060\n0.0.0.0/0 198.51.100.1 64510",
		.circuit = "198.51.100.0/24 203.0.113.1 64500"});
	struct coverage *coverage = report->coverage;
	text_list_add(report->arena, &coverage->circuit_hops, EVIL);
	text_list_add(report->arena, &coverage->own_prefixes, EVIL);
	text_list_add(report->arena, &coverage->both_ways, EVIL);
	coverage->circuit_interface = EVIL;
	coverage->region_name = EVIL;
	for (size_t i = 0; i < coverage->table_count; i++)
		coverage->tables[i].source = EVIL;
	for (size_t i = 0; i < coverage->community_count; i++)
		coverage->communities[i].name = coverage->communities[i].value = EVIL;
	for (size_t i = 0; i < coverage->prefix_count; i++) {
		struct coverage_view *view = &coverage->prefixes[i].views[1];
		coverage->prefixes[i].source = EVIL;
		if (i >= 4)
			coverage->prefixes[i].prefix = EVIL;
		text_list_add(report->arena, &view->missing, EVIL);
		for (size_t k = 0; k < view->route_count; k++) {
			view->routes[k].next_hop = view->routes[k].as_path = view->routes[k].prefix = EVIL;
			text_list_add(report->arena, &view->routes[k].communities, EVIL);
		}
	}
	coverage->hosts = arena_alloc(report->arena, sizeof(*coverage->hosts));
	coverage->host_count = 1;
	coverage->hosts[0] = (struct coverage_host){.host = EVIL, .service = "entra", .why = EVIL, .port = 443};
	text_list_add(report->arena, &coverage->hosts[0].addresses, EVIL);
	diagnose(report);
	CHECK(is_clean(written(report, "text")));
	CHECK(is_clean(written(report, "handoff")));
	CHECK(strstr(written(report, "text"), "evil") != NULL);
	report_free(report);
}

static void test_answers(void)
{
	static const struct {
		struct circuit_case given;
		const char *wanted;
	} cases[] = {
		{{.router = NULL}, "CANNOT TELL: nothing here says what goes over the circuit."},
		{{.circuit = "20.190.128.0/18 10.0.0.1 12076\n40.126.0.0/18 10.0.0.1 12076\n198.51.100.0/24 "
			     "203.0.113.1 64500\n"
			     "20.20.32.0/19 10.0.0.1 12076\n20.231.128.0/19 10.0.0.1 12076"},
		 "CANNOT TELL: nothing here says whether the circuit carries Azure Backup, Azure"},
		{{.router = "0.0.0.0/0 198.51.100.1 64510"},
		 "NOT COVERED: Not one public prefix goes over the circuit by edge.json"},
		{{.router = "20.190.128.0/18 203.0.113.2 12076 12076:5060\n40.126.0.0/18 203.0.113.2 12076 12076:5060\n"
			    "13.82.0.0/16 203.0.113.2 12076 12076:51004"},
		 "COVERED, with warnings: the circuit carries what the backup agent needs"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct report *report = build_circuit(&cases[i].given);
		diagnose(report);
		const char *text = written(report, "text");
		CHECK(strncmp(text, cases[i].wanted, strlen(cases[i].wanted)) == 0);
		CHECK(strstr(text, "12076:5060") != NULL && strstr(text, "Paths") == NULL);
		report_free(report);
	}
}

int main(void)
{
	test_hostile_texts();
	test_answers();
	return check_summary();
}
