/* What sweeps and audits of ranges say, and what they do not. */

#include "probe/core/strbuf.h"
#include "reports/report.h"
#include "tests/unit/check.h"
#include "tests/unit/report_builder.h"

static struct sweep *swept(struct report *report)
{
	struct target *target = build_target(report, "range", 443);
	target->kind = TARGET_CIDR;
	target->url = target->host = NULL;
	target->name = target->cidr = target->rule = "20.190.128.0/18";
	build_path(report, target);
	struct sweep *sweep = report_add_sweep(report, target);
	sweep->addresses = 16384;
	return sweep;
}

static void check_verdict(struct report *report, enum status status, const char *cause, const char *what)
{
	diagnose(report);
	const struct verdict *verdict = &report->paths[0]->verdict;
	if (verdict->status != status || !check_text(verdict->cause, cause))
		printf("%s: %s %s\n", what, status_text(verdict->status), verdict->cause ? verdict->cause : "(null)");
	CHECK_INT(verdict->status, status);
	CHECK_TEXT(verdict->cause, cause);
}

/* ------------------------------------------------------------------ sweeps */

static void test_sweeps(void)
{
	static const struct {
		const char *what;
		int64_t open, refused, filtered, prohibited, unreachable, untried;
		const char *stopped;
		enum status status;
		const char *cause;
	} rows[] = {
		{"all open", 16384, 0, 0, 0, 0, 0, NULL, STATUS_PASS, NULL},
		{"all refuse", 0, 16384, 0, 0, 0, 0, NULL, STATUS_PASS, NULL},
		{"silence is no block", 0, 0, 16384, 0, 0, 0, NULL, STATUS_INCONCLUSIVE, NULL},
		{"half of it is silent", 8192, 0, 8192, 0, 0, 0, NULL, STATUS_PASS, NULL},
		{"a part is rejected", 8192, 0, 0, 8192, 0, 0, NULL, STATUS_WARN, "ip_admin_prohibited"},
		{"all is rejected", 0, 0, 0, 16384, 0, 0, NULL, STATUS_FAIL, "ip_admin_prohibited"},
		{"nobody has a route", 0, 0, 0, 0, 16384, 0, NULL, STATUS_FAIL, "ip_no_route_from_router"},
		{"rate", 4096, 0, 0, 0, 0, 12288, "rate_limited", STATUS_INCONCLUSIVE, "meas_self_rate_limited"},
		{"shut out", 4096, 0, 0, 0, 0, 12288, "silenced", STATUS_INCONCLUSIVE, "meas_self_rate_limited"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		static struct sweep_prefix prefix;
		struct report *report = build_report();
		struct sweep *sweep = swept(report);
		prefix = (struct sweep_prefix){"20.190.160.0/19", SWEEP_PROHIBITED, "10.9.1.1", 3, 13};
		if (rows[i].unreachable)
			prefix.state = SWEEP_UNREACHABLE;
		sweep->counts[SWEEP_OPEN] = rows[i].open;
		sweep->counts[SWEEP_REFUSED] = rows[i].refused;
		sweep->counts[SWEEP_FILTERED] = rows[i].filtered;
		sweep->counts[SWEEP_PROHIBITED] = rows[i].prohibited;
		sweep->counts[SWEEP_UNREACHABLE] = rows[i].unreachable;
		sweep->counts[SWEEP_UNTRIED] = rows[i].untried;
		sweep->stopped = rows[i].stopped;
		sweep->prefixes = &prefix;
		sweep->prefix_count = rows[i].prohibited || rows[i].unreachable;
		check_verdict(report, rows[i].status, rows[i].cause, rows[i].what);
		report_free(report);
	}
}

/* ------------------------------------------------------------------ audits */

static struct audit_block block_of(struct report *report, const char *prefix, enum audit_state state)
{
	struct audit_block block = {.state = state, .hop = NOT_MEASURED, .first = prefix, .last = prefix};
	text_list_add(report->arena, &block.prefixes, prefix);
	return block;
}

static const struct audit_block dies = {.hop = 3, .last_heard = "10.9.1.1", .first_silent = "10.9.1.5"};

static void set_place(struct audit_block *block, bool refused, bool next_is_known)
{
	block->hop = dies.hop;
	block->last_heard = dies.last_heard;
	block->first_silent = next_is_known && !refused ? dies.first_silent : NULL;
	block->refused = refused;
}

static void test_a_blocked_part(void)
{
	struct report *report = build_report();
	struct audit_block blocks[] = {block_of(report, "20.190.128.0/19", AUDIT_PERMITTED),
				       block_of(report, "20.190.160.0/19", AUDIT_BLOCKED)};
	const struct sweep_audit audit = {.probes = 200, .ttl = 4, .blocks = blocks, .block_count = 2};
	set_place(&blocks[1], false, true);
	swept(report)->audit = &audit;
	check_verdict(report, STATUS_WARN, "ip_acl_for_prefix", "a part");
	const struct verdict *verdict = &report->paths[0]->verdict;
	CHECK(verdict->confidence > 0.8 && verdict->owner == OWNER_FIREWALL_TEAM && verdict->has_place);
	CHECK_TEXT(verdict->at.first_silent, "10.9.1.5");
	CHECK_INT(report->finding_count, 1);
	CHECK_INT(report->findings[0]->subject_kind, SUBJECT_PREFIX);
	CHECK_TEXT(report->findings[0]->subject, "20.190.160.0/19");
	CHECK(strstr(report->findings[0]->summary,
		     "20.190.160.0/19 dies at 10.9.1.1 on its way out, or before 10.9.1.5") != NULL);
	struct strbuf text;
	const struct report_style style = {0};
	strbuf_init(&text);
	report_format_find("text")->write(report, &style, &text);
	CHECK(strstr(text.data, "20.190.128.0/18, TCP 443: is blocked in part") == text.data);
	CHECK(strstr(text.data, " - 20.190.128.0/19 may be reached\n") != NULL);
	strbuf_free(&text);
	report_free(report);
}

static void test_a_whole_range(void)
{
	static const struct {
		const char *what;
		bool refused, next_is_known;
		double least, most;
	} rows[] = {
		{"other traffic passes", false, true, 0.8, 1},
		{"a device says so", true, false, 0.8, 1},
		{"perhaps nobody further out answers", false, false, 0.4, 0.4},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct report *report = build_report();
		struct audit_block block = block_of(report, "20.190.128.0/18", AUDIT_BLOCKED);
		const struct sweep_audit audit = {.blocks = &block, .block_count = 1};
		set_place(&block, rows[i].refused, rows[i].next_is_known);
		swept(report)->audit = &audit;
		check_verdict(report, STATUS_FAIL, "ip_range_fully_blocked", rows[i].what);
		double confidence = report->paths[0]->verdict.confidence;
		if (confidence < rows[i].least || confidence > rows[i].most)
			check_one(false, rows[i].what, __FILE__, __LINE__);
		CHECK_INT(report->paths[0]->verdict.at.first_silent != NULL, rows[i].next_is_known);
		report_free(report);
	}
}

static void test_what_cannot_be_told(void)
{
	struct report *report = build_report();
	struct audit_block blocks[] = {block_of(report, "20.190.128.0/19", AUDIT_UNKNOWN),
				       block_of(report, "20.190.160.0/19", AUDIT_BLOCKED)};
	const struct sweep_audit unknown = {.ttl = NOT_MEASURED, .blocks = blocks, .block_count = 1};
	const struct sweep_audit half = {.ttl = 4, .blocks = blocks, .block_count = 2};
	struct sweep *sweep = swept(report);
	sweep->audit = &unknown;
	check_verdict(report, STATUS_INCONCLUSIVE, "meas_icmp_muted", "nobody answers");
	sweep->audit = &half;
	check_verdict(report, STATUS_INCONCLUSIVE, NULL, "half of it is not known");
	CHECK_INT(report->finding_count, 0);
	report_free(report);
}

int main(void)
{
	test_sweeps();
	test_a_blocked_part();
	test_a_whole_range();
	test_what_cannot_be_told();
	return check_summary();
}
