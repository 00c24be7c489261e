/* What one process hands over to another comes out as it went in. */
#include "probe/engine/handover.h"

#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "tests/unit/check.h"

static bool there_and_back(const struct handover *in, struct handover *out, struct err *err)
{
	struct strbuf text;
	strbuf_init(&text);
	handover_to_json(in, &text);
	bool read = handover_from_json(text.data, text.length, out, err);
	strbuf_free(&text);
	return read;
}

static void everything_comes_back(void)
{
	static const char *const resolvers[] = {"10.0.0.53", "[fd00::1]:5353", NULL};
	static const char bundle[] = "caf\xe9\n-----BEGIN CERTIFICATE-----\n";
	static const struct pem pem = {"ca.pem", bundle, sizeof(bundle) - 1};
	static const char script[] = "function FindProxyForURL() { return '\xc3\xa9\0'; }";
	static const struct pac_given pac = {"p.pac", script, sizeof(script) - 1};
	static const struct proxy_setting setting = {.found = true, .pac_address = "http://pac/?token=1"};
	struct err err = {""};
	struct handover back, in = {
				      .report = report_new(),
				      .agent_proxy = "http://proxy.corp:3128",
				      .agent_source = "the agent",
				      .settings_given = true,
				      .plan = {.routes = {{ROUTE_PROXY, "PROXY a.example:8080"}, {ROUTE_AGENT, NULL}},
					       .route_count = 2,
					       .routes_given = true,
					       .trust_wpad = true},
				      .engine = {.timeout_us = 1500000,
						 .deadline_us = 61000000,
						 .parallel = 7,
						 .experiments = true,
						 .resolvers = resolvers,
						 .control_resolver = "10.0.0.99",
						 .ca = &pem,
						 .pac = &pac,
						 .proxy_user = "CORP\\anna",
						 .proxy_password = "sesame \"1\" \xe4\x80\xff"},
			      };
	struct target *target = report_add_target(in.report);
	target->name = "one.example";
	target->url = "https://one.example/";
	in.report->identities[0] = (struct identity){.id = IDENTITY_SYSTEM, .wininet = &setting};
	in.report->identity_count = 1;
	CHECK(there_and_back(&in, &back, &err));
	CHECK_TEXT(err.text, "");
	CHECK(back.plan.trust_wpad);
	CHECK_TEXT(back.report->identities[0].wininet->pac_address, setting.pac_address);
	CHECK_TEXT(back.engine.pac->name, "p.pac");
	CHECK(back.engine.pac->length == pac.length && memcmp(back.engine.pac->text, script, pac.length) == 0);
	CHECK_INT(back.report->target_count, 1);
	CHECK_TEXT(back.report->targets[0]->url, target->url);
	CHECK_TEXT(back.agent_proxy, in.agent_proxy);
	CHECK_TEXT(back.agent_source, in.agent_source);
	CHECK(back.settings_given && back.plan.routes_given && back.engine.experiments);
	CHECK_INT(back.plan.route_count, 2);
	CHECK_INT(back.plan.routes[0].kind, ROUTE_PROXY);
	CHECK_TEXT(back.plan.routes[0].via, "PROXY a.example:8080");
	CHECK_INT(back.plan.routes[1].kind, ROUTE_AGENT);
	CHECK(back.plan.routes[1].via == NULL);
	CHECK_INT(back.engine.timeout_us, 1500000);
	CHECK_INT(back.engine.deadline_us, 61000000);
	CHECK_INT(back.engine.parallel, 7);
	CHECK_TEXT(back.engine.resolvers[1], resolvers[1]);
	CHECK(back.engine.resolvers[2] == NULL);
	CHECK_TEXT(back.engine.control_resolver, "10.0.0.99");
	CHECK_TEXT(back.engine.proxy_user, "CORP\\anna");
	CHECK_TEXT(back.engine.proxy_password, in.engine.proxy_password);
	CHECK(strstr(back.engine.ca->text, "BEGIN CERTIFICATE") != NULL);
	report_free(in.report);
	report_free(back.report);
}

static void nothing_given_stays_nothing(void)
{
	struct err err = {""};
	struct handover back,
		in = {.report = report_new(), .engine = {.timeout_us = 1, .deadline_us = 1, .parallel = 1}};
	CHECK(there_and_back(&in, &back, &err));
	CHECK(!back.engine.pac && !back.plan.trust_wpad);
	CHECK(!back.engine.ca && !back.engine.resolvers && !back.engine.control_resolver && !back.engine.proxy_user);
	CHECK(!back.engine.proxy_password && !back.agent_proxy && !back.agent_source && !back.settings_given &&
	      !back.engine.experiments);
	CHECK_INT(back.plan.route_count, 0);
	report_free(in.report);
	report_free(back.report);
}

static void what_is_no_order_is_refused(void)
{
	static const char *const texts[] = {"", "{}", "[1]", "{\"report\": 1}", "{\"report\": \"{}\"}"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct err err = {""};
		struct handover out;
		check_one(!handover_from_json(texts[i], strlen(texts[i]), &out, &err), texts[i], __FILE__, __LINE__);
		CHECK(err.text[0] != '\0');
	}
}

int main(void)
{
	everything_comes_back();
	nothing_given_stays_nothing();
	what_is_no_order_is_refused();
	return check_summary();
}
