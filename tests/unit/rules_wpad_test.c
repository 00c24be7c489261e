/* The causes of automatic detection, and of bypass entries that never match. */

#include "tests/unit/script_report.h"

/* ------------------------------------------------------------------ automatic detection */

static struct path *detected(struct report *report, const char *via, const char *mechanism)
{
	struct path *path = system_path(report, via, mechanism);
	text_list_add(report->arena, &search(report, path, "auto_detect", NULL)->script.names, "wpad.corp.example");
	return path;
}

static void nothing_found(bool users_works, const char *cause)
{
	struct report *report = with_script(true);
	struct path *path = detected(report, "DIRECT", "direct");
	build_attempt(report, path, "20.190.128.1", FAILURE_TIMEOUT);
	users_proxy(report, users_works);
	check_verdict(report, cause, STATUS_FAIL);
	CHECK(build_also(&path->verdict, "tcp_syn_silent_unlocated"));
	CHECK(users_works == build_also(&path->verdict, "cfg_wpad_not_found"));
	report_free(report);
}

static void nothing_found_and_direct_open(void)
{
	struct report *report = with_script(true);
	struct path *path = detected(report, "DIRECT", "direct");
	build_works(report, path, "20.190.128.1");
	end(report, NULL, STATUS_PASS);
}

static void nothing_found_and_direct_open_for_others(void)
{
	struct report *report = with_script(true);
	struct path *path = detected(report, "DIRECT", "direct");
	struct path *other =
		build_route(report, build_target(report, "blob.example", 443), IDENTITY_SYSTEM, "DIRECT", true);
	build_attempt(report, path, "20.190.128.1", FAILURE_TIMEOUT);
	build_works(report, other, "20.190.129.1");
	end(report, "tcp_syn_silent_unlocated", STATUS_FAIL);
}

static void nothing_found_and_the_static_proxy_is_dead(void)
{
	struct report *report = with_script(true);
	struct path *path = detected(report, bad, "static");
	build_attempt(report, path, "10.0.0.79", FAILURE_CONNECTION_REFUSED);
	end(report, "prx_refused", STATUS_FAIL);
}

static void detection_takes(int64_t duration_us, bool works, const char *cause, enum status status)
{
	struct report *report = with_script(true);
	struct path *path = detected(report, "DIRECT", "direct");
	report->observations.items[report->observations.count - 1]->duration_us = duration_us;
	if (works)
		build_works(report, path, "20.190.128.1");
	else
		build_attempt(report, path, "20.190.128.1", FAILURE_TIMEOUT);
	end(report, cause, status);
}

/* ------------------------------------------------------------------ a wpad name that leads astray */

static struct observation *wpad_answer(struct report *report, struct path *path, const char *server,
				       const char *address)
{
	struct observation *one = build_query(report, path, server, FAILURE_NONE, address);
	one->experiment = "wpad";
	one->dns.name = "wpad.berlin.corp.example";
	return one;
}

/* Two servers' addresses for it, and the alias that the first one's answer begins with (NULL: none). */
static void wpad_leads(const char *first, const char *second, const char *alias, bool works, const char *cause)
{
	struct report *report = with_script(true);
	struct path *path = system_path(report, good, "auto_detect");
	struct observation *found = search(report, path, "auto_detect", NULL);
	found->script.found_by = "dns";
	found->script.url = "http://wpad.berlin.corp.example/wpad.dat";
	struct observation *one = wpad_answer(report, path, "10.0.0.53", first);
	wpad_answer(report, path, "10.0.0.54", second);
	if (alias) {
		one->dns.answers[1] = one->dns.answers[0];
		one->dns.answers[0] = (struct dns_answer){"wpad.berlin.corp.example", "CNAME", alias, 60};
		one->dns.answer_count = 2;
	}
	if (works)
		build_by_proxy(report, path, "new.corp:3128", 200);
	else
		build_attempt(report, path, "10.0.0.79", FAILURE_CONNECTION_REFUSED);
	check_verdict(report, cause, works ? (cause ? STATUS_WARN : STATUS_PASS) : STATUS_FAIL);
	if (check_text(cause, "cfg_wpad_hijacked"))
		CHECK_TEXT(report->findings[0]->subject, "wpad.berlin.corp.example");
	report_free(report);
}

/* ------------------------------------------------------------------ bypass entries */

static void never_matches(const char *entries, const char *address, bool direct_works, const char *cause)
{
	struct report *report = build_report();
	struct target *target = build_target(report, "login.example.net", 443);
	struct path *path = build_route(report, target, IDENTITY_SYSTEM, good, true);
	struct path *direct = build_path(report, target);
	direct->effective = false;
	path->route.mechanism = "static";
	build_setting(report, IDENTITY_SYSTEM, "new.corp:3128")->proxy_bypass = entries;
	build_by_proxy(report, path, "new.corp:3128", 403);
	if (direct_works)
		build_works(report, direct, address);
	else
		build_attempt(report, direct, address, FAILURE_TIMEOUT);
	check_verdict(report, cause, STATUS_FAIL);
	if (check_text(cause, "cfg_bypass_never_matches"))
		CHECK(strstr(report->findings[0]->subject, "entry `") == report->findings[0]->subject);
	report_free(report);
}

static void bypass_entries(void)
{
	static const char wrong[] = "cfg_bypass_never_matches", denied[] = "prx_acl_denied";
	never_matches("10.0.0.0/8", "10.1.2.3", true, wrong);
	never_matches("*.corp;10.0.0.0/8", "20.190.128.1", true, denied);
	never_matches("10.0.0.0/8", "10.1.2.3", false, denied);
	never_matches("example.net", "10.1.2.3", true, wrong);
	never_matches(".example.net;<local>", "10.1.2.3", true, wrong);
	never_matches("ample.net", "10.1.2.3", true, denied);
	never_matches("net", "10.1.2.3", true, denied);
	never_matches("https://*.example.net/", "10.1.2.3", true, wrong);
	never_matches("https://*.example.org/", "10.1.2.3", true, denied);
	never_matches("<local>", "10.1.2.3", true, denied);
}

static void automatic_detection(void)
{
	nothing_found(false, "cfg_wpad_not_found");
	nothing_found(true, "cfg_proxy_missing_for_system");
	nothing_found_and_direct_open();
	nothing_found_and_direct_open_for_others();
	nothing_found_and_the_static_proxy_is_dead();
	detection_takes(2500 * 1000, true, "cfg_autodetect_stalls", STATUS_WARN);
	detection_takes(1500 * 1000, true, NULL, STATUS_PASS);
	detection_takes(2500 * 1000, false, "cfg_wpad_not_found", STATUS_FAIL);
	wpad_leads("10.0.0.90", "10.0.0.90", NULL, true, NULL);
	wpad_leads("10.0.0.90", "203.0.113.9", NULL, true, "cfg_wpad_hijacked");
	wpad_leads("10.0.0.90", "203.0.113.9", NULL, false, "cfg_wpad_hijacked");
	wpad_leads("10.0.0.90", "10.0.0.90", "proxies.evil.test", true, "cfg_wpad_hijacked");
	wpad_leads("10.0.0.90", "10.0.0.90", "wpad.corp.example", true, NULL);
	wpad_leads("10.0.0.90", "10.0.0.90", NULL, false, "prx_refused");
}

int main(void)
{
	automatic_detection();
	bypass_entries();
	return check_summary();
}
