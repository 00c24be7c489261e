/* What is said of a circuit: each case is tables and walks, and the findings that must come out. */

#include <stdio.h>

#include "tests/unit/check.h"
#include "tests/unit/circuit_builder.h"
#include "tests/unit/walk_builder.h"

#define ENTRA "20.190.128.0/18 203.0.113.2 12076,8075 12076:5060\n40.126.0.0/18 203.0.113.2 12076,8075 12076:5060\n"
#define REST                                                 \
	"13.82.0.0/16 203.0.113.2 12076,8075 12076:51004\n"  \
	"52.239.0.0/17 203.0.113.2 12076,8075 12076:52004\n" \
	"20.20.32.0/19 203.0.113.2 12076,8075 12076:5100\n"  \
	"20.231.128.0/19 203.0.113.2 12076,8075 12076:5100\n"
#define OWN "198.51.100.0/24 203.0.113.1 64500\n"
#define HOP "203.0.113.2"
#define LOGIN "20.190.128.10"
#define NCSI "23.45.12.10"

/** "STATUS CAUSE SUBJECT" of each finding, a line each; first the exit status. */
static const char *judged(struct report *report)
{
	struct strbuf out;
	diagnose(report);
	strbuf_init(&out);
	strbuf_printf(&out, "%d", diagnose_exit_status(report));
	for (size_t i = 0; i < report->finding_count; i++) {
		const struct finding *finding = report->findings[i];
		strbuf_printf(&out, "\n%s %s %s", status_text(finding->status), finding->cause, finding->subject);
		CHECK(finding->owner == OWNER_NETWORK_TEAM && finding->stage == STAGE_TCP);
		CHECK(finding->summary && finding->summary[0] && finding->remedy.count > 0);
	}
	const char *copy = arena_strdup(report->arena, out.data);
	strbuf_free(&out);
	return copy;
}

static const struct {
	struct circuit_case given;
	const char *wanted;
} tables[] = {
	{{.router = ENTRA REST}, "0"},
	{{.router = NULL}, "3"},
	{{.machine = "0.0.0.0/0 10.0.0.1 ."}, "3"},
	{{.router = "20.190.128.0/18 203.0.113.2 12076,8075\n40.126.0.0/18 203.0.113.2 12076,8075\n20.20.32.0/19 "
		    "203.0.113.2 12076\n"
		    "20.231.128.0/19 203.0.113.2 12076"},
	 "3"}, /* Entra is there; of Backup and Storage nothing is known */
	{{.router = "20.190.128.0/18 203.0.113.2 12076,8075 12076:5060\n" REST},
	 "1\nfail ip_expressroute_prefix_missing 40.126.0.0/18"},
	{{.router =
		  ENTRA "13.82.0.0/16 203.0.113.2 12076,8075 12076:51004\n52.239.0.0/17 203.0.113.2 12076 12076:52004"},
	 "0\nwarn ip_expressroute_prefix_missing 20.20.32.0/19, 20.231.128.0/19"},
	{{.router = ENTRA "20.20.32.0/19 203.0.113.2 12076 12076:5100\n20.231.128.0/19 203.0.113.2 12076 12076:5100"},
	 "1\nfail ip_expressroute_prefix_missing 12076:55004\nfail ip_expressroute_prefix_missing 12076:52004"},
	{{.router = "0.0.0.0/0 198.51.100.1 64510\n8.8.8.0/24 198.51.100.1 64510"},
	 "1\nfail ip_expressroute_prefix_missing Microsoft peering"},
	{{.router = "10.50.0.0/16 203.0.113.2 12076\n0.0.0.0/0 198.51.100.1 64510"},
	 "1\nfail ip_private_peering_only Microsoft peering"},
	{{.circuit = "10.50.0.0/16 10.0.0.1 65515\n10.1.0.0/16 203.0.113.1 64500"},
	 "1\nfail ip_private_peering_only Microsoft peering"},
	{{.router = "-20.190.128.0/18 203.0.113.2 12076,8075 12076:5060\n20.190.128.0/18 198.51.100.1 64510,8075\n"
		    "40.126.0.0/18 203.0.113.2 12076,8075 12076:5060\n" REST},
	 "1\nfail ip_expressroute_not_used 20.190.128.0/18"},
	{{.circuit = "20.190.128.0/18 10.0.0.1 12076\n13.82.0.0/16 10.0.0.1 12076\n52.239.0.0/17 10.0.0.1 "
		     "12076\n40.126.0.0/18 10.0.0.1 "
		     "12076\n20.20.32.0/19 10.0.0.1 12076\n20.231.128.0/19 10.0.0.1 12076\n" OWN,
	  .inventory = "12076:55004 13.82.1.0/24\n12076:52004 52.239.0.0/17"},
	 "0"},
	/* a circuit's table without one prefix of ours: nobody knows the way back, and nobody has seen it either */
	{{.circuit = "20.190.128.0/18 10.0.0.1 12076\n13.82.0.0/16 10.0.0.1 12076\n52.239.0.0/17 10.0.0.1 "
		     "12076\n40.126.0.0/18 10.0.0.1 "
		     "12076\n20.20.32.0/19 10.0.0.1 12076\n20.231.128.0/19 10.0.0.1 12076",
	  .inventory = "12076:55004 13.82.1.0/24\n12076:52004 52.239.0.0/17"},
	 "0\nwarn ip_return_path_lost prefixes announced over the circuit"},
	/* the circuit's second line */
	{{.router = ENTRA REST, .second_router = ENTRA REST}, "0"},
	{{.router = ENTRA REST, .second_router = "20.190.128.0/18 203.0.113.6 12076,8075 12076:5060\n" REST},
	 "0\nwarn ip_expressroute_prefix_missing 40.126.0.0/18"},
	/* IPv6 is judged where the circuit has any */
	{{.router = ENTRA REST "2603:1006:2000::/48 2001:db8::2 12076\n2603:1007:200::/48 2001:db8::2 12076"},
	 "0\nwarn ip_expressroute_prefix_missing 2603:1016:1400::/48, 2603:1017::/48, 2603:1026:3000::/48, "
	 "2603:1027:1::/48 and 6 more"},
};

static void test_tables(void)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		struct report *report = build_circuit(&tables[i].given);
		CHECK_TEXT(judged(report), tables[i].wanted);
		report_free(report);
	}
}

static void add_host(struct report *report, const char *name, const char *service, bool by_circuit, const char *address)
{
	struct coverage *coverage = report->coverage;
	coverage->hosts = arena_grow(report->arena, coverage->hosts, &coverage->host_capacity, coverage->host_count,
				     sizeof(*coverage->hosts));
	struct coverage_host *host = &coverage->hosts[coverage->host_count++];
	*host = (struct coverage_host){
		.host = name, .service = service, .by_circuit = by_circuit, .port = by_circuit ? 443 : 80};
	text_list_add(report->arena, &host->addresses, address);
}

/** Walks to sign-in (443, 80) and to NCSI (80), as walk_builder.h writes them. */
static const struct {
	struct circuit_case given;
	const char *login, *login_control, *ncsi;
	const char *wanted;
} walks[] = {
	{{.router = ENTRA REST, .hop = HOP},
	 "10.1.0.1 " HOP " syn_ack",
	 "10.1.0.1 " HOP " -",
	 "10.1.0.1 198.18.0.1 syn_ack",
	 "0"},
	{{.router = ENTRA REST, .hop = HOP},
	 "10.1.0.1 198.18.0.1 198.18.0.6 syn_ack",
	 "10.1.0.1 198.18.0.1 198.18.0.6 syn_ack",
	 "10.1.0.1 198.18.0.1 syn_ack",
	 "1\nfail ip_expressroute_not_used 20.190.128.0/18"},
	/* a hop that is silent may be the circuit's */
	{{.router = ENTRA REST, .hop = HOP},
	 "10.1.0.1 - syn_ack",
	 "10.1.0.1 - syn_ack",
	 "10.1.0.1 198.18.0.1 syn_ack",
	 "0"},
	{{.router = ENTRA REST, .hop = HOP},
	 "10.1.0.1 " HOP " - - -",
	 "10.1.0.1 " HOP " - - -",
	 "10.1.0.1 198.18.0.1 syn_ack",
	 "1\nfail ip_return_path_lost 20.190.128.0/18"},
	/* the control's answer comes back: it is a filter of the port, and nobody's way back */
	{{.router = ENTRA REST, .hop = HOP},
	 "10.1.0.1 " HOP " - - -",
	 "10.1.0.1 " HOP " syn_ack",
	 "10.1.0.1 198.18.0.1 syn_ack",
	 "0"},
	/* nothing else works either: that may be anything */
	{{.router = ENTRA REST, .hop = HOP}, "10.1.0.1 " HOP " - - -", "10.1.0.1 " HOP " - - -", "10.1.0.1 - - -", "3"},
	/* Microsoft knows no way back */
	{{.router = ENTRA REST, .circuit = "20.190.128.0/18 10.0.0.1 12076\n40.126.0.0/18 10.0.0.1 12076", .hop = HOP},
	 "10.1.0.1 " HOP " - - -",
	 "10.1.0.1 " HOP " - - -",
	 "10.1.0.1 - - -",
	 "1\nfail ip_return_path_lost 20.190.128.0/18"},
	/* no table: the way alone; what a table lacks is told once */
	{{.hop = HOP},
	 "10.1.0.1 198.18.0.1 syn_ack",
	 "10.1.0.1 198.18.0.1 syn_ack",
	 "10.1.0.1 198.18.0.1 syn_ack",
	 "1\nfail ip_expressroute_not_used 20.190.128.0/18"},
	{{.router = "40.126.0.0/18 203.0.113.2 12076 12076:5060\n" REST, .hop = HOP},
	 "10.1.0.1 198.18.0.1 syn_ack",
	 "10.1.0.1 198.18.0.1 syn_ack",
	 "10.1.0.1 198.18.0.1 syn_ack",
	 "1\nfail ip_expressroute_prefix_missing 20.190.128.0/18"},
	{{.hop = HOP}, "10.1.0.1 " HOP " syn_ack", "10.1.0.1 " HOP " syn_ack", "10.1.0.1 198.18.0.1 syn_ack", "3"},
};

static struct report *build_walks(const struct circuit_case *given, const char *login, const char *control,
				  const char *ncsi)
{
	struct report *report = build_circuit(given);
	add_host(report, "login.microsoftonline.com", "entra", true, LOGIN);
	add_host(report, "www.msftconnecttest.com", "ncsi", false, NCSI);
	build_walk(report, LOGIN, "walk", 443, "syn", login);
	build_walk(report, LOGIN, "walk_control", 80, "syn", control);
	build_walk(report, NCSI, "walk", 80, "syn", ncsi);
	return report;
}

static void test_walks(void)
{
	for (size_t i = 0; i < sizeof(walks) / sizeof(*walks); i++) {
		struct report *report =
			build_walks(&walks[i].given, walks[i].login, walks[i].login_control, walks[i].ncsi);
		const char *said = judged(report);
		CHECK_TEXT(said, walks[i].wanted);
		if (strcmp(said, walks[i].wanted) != 0)
			printf("in walk %zu\n", i);
		report_free(report);
	}
}

/* A circuit has two lines: packets that take the second one take the circuit. */
static void test_second_line(void)
{
	struct report *report =
		build_walks(&(struct circuit_case){.router = ENTRA REST, .hop = HOP}, "10.1.0.1 203.0.113.6 syn_ack",
			    "10.1.0.1 " HOP " syn_ack", "10.1.0.1 198.18.0.1 syn_ack");
	text_list_add(report->arena, &report->coverage->circuit_hops, "203.0.113.6");
	CHECK_TEXT(judged(report), "0");
	report_free(report);
}

/* This machine has an end of the circuit: its own choice of a way decides. */
static void test_interface(void)
{
	static const struct {
		const char *device, *wanted;
	} cases[] = {{"eth1", "0"}, {"eth0", "1\nfail ip_expressroute_not_used 20.190.128.0/18"}};
	for (size_t i = 0; i < 2; i++) {
		struct report *report =
			build_circuit(&(struct circuit_case){.router = ENTRA REST, .interface = "eth1"});
		add_host(report, "login.microsoftonline.com", "entra", true, LOGIN);
		struct observation *fact = build_fact(report, "best_route", LOGIN, "present", cases[i].device);
		text_list_add(report->arena, &fact->fact.values, "10.1.0.1");
		CHECK_TEXT(judged(report), cases[i].wanted);
		report_free(report);
	}
}

/* More than Microsoft takes: the session is closed, and everything is gone. */
static void test_too_many_prefixes(void)
{
	struct strbuf text;
	strbuf_init(&text);
	for (int i = 0; i < 201; i++)
		strbuf_printf(&text, "198.51.%d.0/24 203.0.113.1 64500\n", i);
	struct report *report = build_circuit(&(struct circuit_case){.circuit = text.data});
	diagnose(report);
	CHECK(report->finding_count > 0 && strstr(report->findings[0]->summary, "201 prefixes") != NULL);
	CHECK(strstr(report->findings[0]->remedy.items[0], "fewer prefixes") != NULL);
	report_free(report);
	strbuf_free(&text);
}

/* A report from a file may say anything. */
static void test_hostile_report(void)
{
	struct report *report = build_circuit(&(struct circuit_case){.router = ENTRA REST});
	struct coverage *coverage = report->coverage;
	coverage->prefixes[0].views[0].table = 1000;
	coverage->prefixes[1].prefix = "nonsense";
	text_list_add(report->arena, &coverage->prefixes[1].views[0].missing, "more nonsense");
	coverage->prefixes[1].views[0].circuit = COVER_PART;
	text_list_add(report->arena, &coverage->circuit_hops, "no address");
	diagnose(report);
	CHECK(!report->readiness.ready);
	report_free(report);
}

int main(void)
{
	test_tables();
	test_walks();
	test_second_line();
	test_interface();
	test_too_many_prefixes();
	test_hostile_report();
	return check_summary();
}
