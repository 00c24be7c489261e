/* Which experiments are wished for: the plan is told symptoms and shown what a made-up network answers. */

#include "probe/plan/experiments.h"

#include "tests/unit/check.h"
#include "tests/unit/report_builder.h"

enum { ROUNDS_MAX = 20, FIRST_HOP = 1 };

/** A network: where SYNs to an address die (0: they arrive, at TTL 4), and the largest packet that passes (0: any). */
struct network {
	const char *other_place; /* this address dies one hop later than all others */
	int dies_after;
	int reset_ttl; /* the TTL of what refuses; 0: silence */
	int largest_segment;
};

struct bed {
	struct report *report;
	struct experiment_plan plan;
	struct network network;
	size_t conducted;
	int most_open; /* of one round */
};

static struct bed bed_new(void)
{
	struct bed bed = {.report = build_report()};
	bed.plan.arena = bed.report->arena;
	bed.plan.timeout_us = 5 * SECOND_US;
	return bed;
}

static struct symptom symptom_at(struct bed *bed, enum symptom_kind kind, const char *host, const char *address,
				 int port)
{
	struct target *target = build_target(bed->report, host, port);
	return (struct symptom){.kind = kind,
				.target = target,
				.via = {.scheme = VIA_DIRECT, .port = NOT_MEASURED},
				.address = address,
				.port = port,
				.is_tls = port == 443,
				.is_acknowledged = true};
}

/* ------------------------------------------------------------------ the network's answers */

static void answer_walk(struct bed *bed, const struct wish *wish)
{
	const struct network *network = &bed->network;
	bool later = network->other_place && strcmp(network->other_place, wish->address) == 0;
	int dies_after = network->dies_after + (later ? 1 : 0);
	for (int ttl = wish->ttl_from; ttl <= wish->ttl_to; ttl++) {
		struct observation *one = report_add_observation(bed->report, OP_TTL_PROBE);
		one->experiment = experiment_row(wish->experiment)->id;
		one->ttl.tuple = (struct tuple){"tcp", "10.0.0.2", wish->address, 40000 + ttl, wish->port};
		one->ttl.ttl = ttl;
		one->ttl.sent = "syn";
		one->failure = ttl <= dies_after ? FAILURE_NONE : FAILURE_TIMEOUT;
		one->ttl.expired = ttl <= dies_after;
		if (one->ttl.expired)
			one->ttl.from = one->ttl.icmp.from = arena_printf(bed->report->arena, "10.9.0.%d", ttl);
	}
}

static void answer_connect(struct bed *bed, const struct wish *wish)
{
	struct observation *one = report_add_observation(bed->report, OP_TCP_CONNECT);
	one->experiment = experiment_row(wish->experiment)->id;
	one->tcp.tuple = (struct tuple){"tcp", "10.0.0.2", wish->address, 41000, wish->port};
	if (wish->min_ttl)
		one->tcp.min_ttl = wish->min_ttl;
	bool kept_out = wish->min_ttl > bed->network.reset_ttl;
	one->failure = kept_out ? FAILURE_TIMEOUT : FAILURE_CONNECTION_REFUSED;
}

static void answer_handshake(struct bed *bed, const struct wish *wish)
{
	int largest = bed->network.largest_segment;
	int segment = wish->segment_bytes ? wish->segment_bytes : 1460;
	struct observation *one = report_add_observation(bed->report, OP_TLS_HANDSHAKE);
	one->experiment = experiment_row(wish->experiment)->id;
	one->tls.tuple = (struct tuple){"tcp", "10.0.0.2", wish->address, 42000, wish->port};
	one->tls.hello_bytes = 300 + (int64_t)wish->extra_bytes;
	if (wish->segment_bytes)
		one->tls.segment_bytes = wish->segment_bytes;
	bool lost = largest && segment > largest;
	one->failure = lost ? FAILURE_TIMEOUT : FAILURE_NONE;
	one->tls.progress = lost ? TLS_HELLO_SENT : TLS_FINISHED;
	one->tls.bytes_acked = lost && wish->extra_bytes ? 1 : one->tls.hello_bytes + 1;
}

/* What the engine does: carry out what is new, and ask again. Returns how many rounds it took. */
static int conduct(struct bed *bed)
{
	int rounds = 0;
	for (; rounds < ROUNDS_MAX; rounds++) {
		experiments_choose(&bed->plan, bed->report);
		int open = (int)(bed->plan.wish_count - bed->conducted);
		if (!open)
			return rounds;
		bed->most_open = open > bed->most_open ? open : bed->most_open;
		while (bed->conducted < bed->plan.wish_count) {
			struct wish *wish = bed->plan.wishes[bed->conducted++];
			switch (experiment_row(wish->experiment)->way) {
			case EXPERIMENT_BY_WALK:
				answer_walk(bed, wish);
				break;
			case EXPERIMENT_BY_CONNECT:
				answer_connect(bed, wish);
				break;
			case EXPERIMENT_BY_HANDSHAKE:
				answer_handshake(bed, wish);
				break;
			case EXPERIMENT_ELSEWHERE:
				CHECK(!"an experiment that others make");
				break;
			}
			wish->done = true;
		}
	}
	return rounds;
}

static int count(const struct bed *bed, enum experiment experiment, const char *address)
{
	int found = 0;
	for (size_t i = 0; i < bed->plan.wish_count; i++)
		found += bed->plan.wishes[i]->experiment == experiment &&
			 (!address || strcmp(bed->plan.wishes[i]->address, address) == 0);
	return found;
}

/* ------------------------------------------------------------------ the table */

static void check_table(void)
{
	for (int i = 0; i < EXPERIMENT_COUNT; i++) {
		const struct experiment_row *row = experiment_row((enum experiment)i);
		CHECK(row->id && *row->id && row->tells && *row->tells && row->needs && *row->needs && row->cost &&
		      *row->cost);
		for (int k = 0; k < i; k++)
			CHECK(strcmp(row->id, experiment_row((enum experiment)k)->id) != 0);
	}
}

/* ------------------------------------------------------------------ silence */

static void check_nothing_wrong_nothing_wished(void)
{
	struct bed bed = bed_new();
	CHECK_INT(conduct(&bed), 0);
	CHECK_INT(bed.plan.wish_count, 0);
	report_free(bed.report);
}

static void check_one_walk_for_many(void)
{
	struct bed bed = bed_new();
	bed.network.dies_after = FIRST_HOP;
	for (int i = 0; i < 14; i++) {
		const char *address = arena_printf(bed.report->arena, "20.190.128.%d", i + 1);
		struct symptom one = symptom_at(&bed, SYMPTOM_SYN_SILENT,
						arena_printf(bed.report->arena, "h%d.test", i), address, 443);
		symptom_note(&bed.plan, &one);
	}
	CHECK(conduct(&bed) < ROUNDS_MAX);
	CHECK_INT(count(&bed, EXPERIMENT_WALK, NULL), 1);
	CHECK_INT(count(&bed, EXPERIMENT_WALK, "20.190.128.1"), 1);
	CHECK_INT(count(&bed, EXPERIMENT_WALK_CONTROL, NULL), 1);
	CHECK_INT(count(&bed, EXPERIMENT_WALK_CONFIRM, NULL), 13);
	CHECK_INT(count(&bed, EXPERIMENT_WALK_CONFIRM, "20.190.128.1"), 0);
	report_free(bed.report);
}

static void check_another_place_is_walked_too(void)
{
	struct bed bed = bed_new();
	bed.network.dies_after = FIRST_HOP;
	bed.network.other_place = "20.190.128.2";
	for (int i = 1; i <= 3; i++) {
		const char *address = arena_printf(bed.report->arena, "20.190.128.%d", i);
		struct symptom one = symptom_at(&bed, SYMPTOM_SYN_SILENT, address, address, 443);
		symptom_note(&bed.plan, &one);
	}
	conduct(&bed);
	CHECK_INT(count(&bed, EXPERIMENT_WALK, "20.190.128.1"), 1);
	CHECK_INT(count(&bed, EXPERIMENT_WALK, "20.190.128.2"), 1);
	CHECK_INT(count(&bed, EXPERIMENT_WALK, "20.190.128.3"), 0);
	report_free(bed.report);
}

static void check_ports_and_families_are_groups_of_their_own(void)
{
	static const struct {
		const char *address;
		int port;
	} ends[] = {{"20.190.128.1", 443}, {"20.190.128.2", 80}, {"2001:db8::1", 443}};
	struct bed bed = bed_new();
	bed.network.dies_after = FIRST_HOP;
	for (size_t i = 0; i < 3; i++) {
		struct symptom one =
			symptom_at(&bed, SYMPTOM_SYN_SILENT, ends[i].address, ends[i].address, ends[i].port);
		symptom_note(&bed.plan, &one);
	}
	conduct(&bed);
	for (size_t i = 0; i < 3; i++)
		CHECK_INT(count(&bed, EXPERIMENT_WALK, ends[i].address), 1);
	CHECK_INT(count(&bed, EXPERIMENT_WALK_CONFIRM, NULL), 0);
	report_free(bed.report);
}

static void check_the_same_address_of_two_names_is_one(void)
{
	struct bed bed = bed_new();
	bed.network.dies_after = FIRST_HOP;
	struct symptom one = symptom_at(&bed, SYMPTOM_SYN_SILENT, "a.test", "20.190.128.1", 443);
	struct symptom two = symptom_at(&bed, SYMPTOM_SYN_SILENT, "b.test", "20.190.128.1", 443);
	struct path *path = build_path(bed.report, bed.report->targets[1]);
	path_list_add(bed.report->arena, &two.paths, path);
	symptom_note(&bed.plan, &one);
	symptom_note(&bed.plan, &two);
	symptom_note(&bed.plan, &two);
	CHECK_INT(bed.plan.symptom_count, 1);
	CHECK_INT(bed.plan.symptoms[0]->paths.count, 1);
	report_free(bed.report);
}

/* Whatever a run meets, the experiments stay few. */
static void check_bounds(void)
{
	struct bed bed = bed_new();
	bed.network.dies_after = FIRST_HOP;
	for (int i = 0; i < 400; i++) {
		const char *address = arena_printf(bed.report->arena, "20.190.%d.%d", i / 200, i % 200 + 1);
		struct symptom one =
			symptom_at(&bed, i % 2 ? SYMPTOM_SYN_SILENT : SYMPTOM_HELLO_SILENT, address, address, 443);
		symptom_note(&bed.plan, &one);
	}
	CHECK(conduct(&bed) < ROUNDS_MAX);
	CHECK(count(&bed, EXPERIMENT_WALK, NULL) <= 8);
	CHECK(count(&bed, EXPERIMENT_WALK_CONFIRM, NULL) <= 32);
	CHECK(bed.plan.wish_count < 400);
	CHECK(bed.most_open < 300);
	report_free(bed.report);
}

/* ------------------------------------------------------------------ refusal */

static void check_the_ttl_of_a_reset_is_found(void)
{
	static const int ttls[] = {1, 16, 61, 64, 120, 255};
	for (size_t i = 0; i < sizeof(ttls) / sizeof(ttls[0]); i++) {
		struct bed bed = bed_new();
		bed.network.dies_after = FIRST_HOP;
		bed.network.reset_ttl = ttls[i];
		struct symptom one = symptom_at(&bed, SYMPTOM_SYN_REFUSED, "a.test", "20.190.128.1", 443);
		symptom_note(&bed.plan, &one);
		CHECK(conduct(&bed) < ROUNDS_MAX);
		int in = 0, out = 256;
		for (size_t k = 0; k < bed.report->observations.count; k++) {
			const struct observation *seen = bed.report->observations.items[k];
			if (seen->op != OP_TCP_CONNECT || seen->tcp.min_ttl == NOT_MEASURED ||
			    seen->tcp.tuple.dst_port != 443)
				continue;
			if (seen->failure == FAILURE_TIMEOUT && seen->tcp.min_ttl < out)
				out = seen->tcp.min_ttl;
			if (seen->failure != FAILURE_TIMEOUT && seen->tcp.min_ttl > in)
				in = seen->tcp.min_ttl;
		}
		CHECK_INT(in, ttls[i] < 255 ? ttls[i] : 240); /* at the top there is nothing above to compare with */
		CHECK_INT(out, ttls[i] < 240 ? ttls[i] + 1 : 256);
		report_free(bed.report);
	}
}

static struct observation *connect_seen(struct bed *bed, enum failure failure)
{
	struct observation *one = report_add_observation(bed->report, OP_TCP_CONNECT);
	one->tcp.tuple = (struct tuple){"tcp", "10.0.0.2", "20.190.128.1", 40999, 443};
	one->failure = failure;
	return one;
}

static void check_a_ttl_that_was_read_is_not_asked_for(void)
{
	static const struct {
		enum symptom_kind kind;
		enum failure failure;
		int syn_ack_ttl, reset_ttl;
		bool is_asked;
	} rows[] = {{SYMPTOM_SYN_REFUSED, FAILURE_CONNECTION_REFUSED, NOT_MEASURED, 62, false},
		    {SYMPTOM_SYN_REFUSED, FAILURE_CONNECTION_REFUSED, NOT_MEASURED, NOT_MEASURED, true},
		    {SYMPTOM_HELLO_CLOSED, FAILURE_NONE, 61, 62, false},
		    {SYMPTOM_HELLO_CLOSED, FAILURE_NONE, 61, NOT_MEASURED, false},
		    {SYMPTOM_HELLO_CLOSED, FAILURE_NONE, NOT_MEASURED, NOT_MEASURED, true}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bed bed = bed_new();
		bed.network.reset_ttl = 62;
		struct observation *seen = connect_seen(&bed, rows[i].failure);
		seen->tcp.syn_ack_ttl = rows[i].syn_ack_ttl;
		seen->tcp.reset_ttl = rows[i].reset_ttl;
		struct symptom one = symptom_at(&bed, rows[i].kind, "a.test", "20.190.128.1", 443);
		symptom_note(&bed.plan, &one);
		CHECK(conduct(&bed) < ROUNDS_MAX);
		CHECK_INT(count(&bed, EXPERIMENT_RESET_TTL, NULL) > 0, rows[i].is_asked);
		CHECK_INT(count(&bed, EXPERIMENT_OTHER_PORT, NULL), 1);
		report_free(bed.report);
	}
}

static void check_a_named_sender_needs_no_ttl(void)
{
	struct bed bed = bed_new();
	bed.network.dies_after = FIRST_HOP;
	struct symptom one = symptom_at(&bed, SYMPTOM_SYN_REJECTED, "a.test", "20.190.128.1", 443);
	symptom_note(&bed.plan, &one);
	conduct(&bed);
	CHECK_INT(count(&bed, EXPERIMENT_WALK, NULL), 1);
	CHECK_INT(count(&bed, EXPERIMENT_RESET_TTL, NULL), 0);
	CHECK_INT(count(&bed, EXPERIMENT_AGAIN, NULL), 0);
	report_free(bed.report);
}

/* ------------------------------------------------------------------ TLS */

static void check_the_ladder_asks_for_another_targets_name(void)
{
	struct bed bed = bed_new();
	struct symptom one = symptom_at(&bed, SYMPTOM_HELLO_CLOSED, "a.test", "20.190.128.1", 443);
	struct symptom two = symptom_at(&bed, SYMPTOM_HELLO_CLOSED, "b.test", "20.190.128.2", 443);
	build_target(bed.report, "plain.test", 80);
	build_target(bed.report, "well.test", 443);
	symptom_note(&bed.plan, &one);
	symptom_note(&bed.plan, &two);
	conduct(&bed);
	CHECK_INT(count(&bed, EXPERIMENT_TLS_OTHER_NAME, NULL), 2);
	for (size_t i = 0; i < bed.plan.wish_count; i++)
		if (bed.plan.wishes[i]->experiment == EXPERIMENT_TLS_OTHER_NAME)
			CHECK_TEXT(bed.plan.wishes[i]->sni, "well.test");
	CHECK_INT(count(&bed, EXPERIMENT_JUNK_BYTE, NULL), 2);
	CHECK_INT(count(&bed, EXPERIMENT_WALK_HELLO, NULL), 1);
	report_free(bed.report);
}

/* Another target's name or none: a stranger's is not ours to say. */
static void check_nobody_else_to_name(void)
{
	for (int others = 0; others < 2; others++) {
		struct bed bed = bed_new();
		struct symptom one = symptom_at(&bed, SYMPTOM_HELLO_CLOSED, "a.test", "20.190.128.1", 443);
		symptom_note(&bed.plan, &one);
		if (others) { /* that fares no better */
			struct symptom two = symptom_at(&bed, SYMPTOM_HELLO_CLOSED, "b.test", "20.190.128.2", 443);
			symptom_note(&bed.plan, &two);
		}
		conduct(&bed);
		CHECK_INT(count(&bed, EXPERIMENT_TLS_OTHER_NAME, NULL), others ? 2 : 0);
		CHECK_INT(count(&bed, EXPERIMENT_TLS_NO_SNI, NULL), others ? 2 : 1);
		report_free(bed.report);
	}
}

/* A tunnel carries handshakes and nothing else: what is bare reaches the proxy, not the target. */
static void check_a_tunnel_has_handshakes_alone(void)
{
	struct bed bed = bed_new();
	build_target(bed.report, "well.test", 443);
	struct symptom one = symptom_at(&bed, SYMPTOM_HELLO_SILENT, "a.test", "10.0.0.80", 443);
	one.via = (struct via){VIA_HTTP, "proxy.test", 3128};
	one.port = 3128;
	symptom_note(&bed.plan, &one);
	conduct(&bed);
	CHECK(bed.plan.wish_count > 0);
	for (size_t i = 0; i < bed.plan.wish_count; i++)
		CHECK_INT(experiment_row(bed.plan.wishes[i]->experiment)->way, EXPERIMENT_BY_HANDSHAKE);
	report_free(bed.report);
}

/* ------------------------------------------------------------------ sizes */

static int largest_through(const struct bed *bed)
{
	int largest = 0;
	for (size_t i = 0; i < bed->report->observations.count; i++) {
		const struct observation *one = bed->report->observations.items[i];
		if (one->op == OP_TLS_HANDSHAKE && one->failure == FAILURE_NONE && one->tls.segment_bytes > largest)
			largest = one->tls.segment_bytes;
	}
	return largest;
}

static void check_the_size_is_found_to_the_byte(void)
{
	static const int sizes[] = {536, 537, 999, 1240, 1359, 1360, 1361, 1441, 1459};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct bed bed = bed_new();
		bed.network.largest_segment = sizes[i];
		struct symptom one = symptom_at(&bed, SYMPTOM_HANDSHAKE_STALLED, "a.test", "20.190.128.1", 443);
		symptom_note(&bed.plan, &one);
		CHECK(conduct(&bed) <= 4);
		CHECK_INT(largest_through(&bed), sizes[i]);
		report_free(bed.report);
	}
}

static void check_a_healthy_way_costs_one_hello(void)
{
	struct bed bed = bed_new();
	struct symptom well = symptom_at(&bed, SYMPTOM_HELLO_SILENT, "a.test", "20.190.128.1", 443);
	symptom_none(&bed.plan, &well);
	symptom_none(&bed.plan, &well);
	conduct(&bed);
	CHECK_INT(bed.plan.wish_count, 1);
	CHECK_INT(count(&bed, EXPERIMENT_TLS_LARGE_HELLO, NULL), 1);
	report_free(bed.report);
}

/* Where the usual hello is lost too, no size of packets will help. */
static void check_a_healthy_way_that_loses_full_packets(void)
{
	for (int arrives = 0; arrives < 2; arrives++) {
		struct bed bed = bed_new();
		bed.network.largest_segment = 1360;
		struct symptom well = symptom_at(&bed, SYMPTOM_HELLO_SILENT, "a.test", "20.190.128.1", 443);
		struct observation *own = report_add_observation(bed.report, OP_TLS_HANDSHAKE);
		own->tls.tuple = (struct tuple){"tcp", "10.0.0.2", "20.190.128.1", 50000, 443};
		own->tls.sni = "a.test";
		own->tls.hello_bytes = 300;
		own->tls.bytes_acked = arrives ? 301 : 1;
		symptom_none(&bed.plan, &well);
		CHECK(conduct(&bed) <= 5);
		CHECK_INT(largest_through(&bed), arrives ? 1360 : 0);
		report_free(bed.report);
	}
}

/* Segments of the paths' own connections that were sent again. */
static void check_loss_is_looked_for_again(void)
{
	static const struct {
		int segments, resent, wished;
	} rows[] = {{120, 4, 12}, {120, 2, 0}, {400, 4, 0}, {50, 9, 12}, {55, 4, 0}, {20, 3, 0}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bed bed = bed_new();
		struct symptom one = symptom_at(&bed, SYMPTOM_HELLO_SILENT, "a.test", "20.190.128.1", 443);
		struct symptom two = symptom_at(&bed, SYMPTOM_HELLO_SILENT, "b.test", "20.190.128.2", 443);
		struct observation *own = report_add_observation(bed.report, OP_TCP_CONNECT);
		own->tcp.has_tcp_info = true;
		own->tcp.tcp_info.segments = rows[i].segments;
		own->tcp.tcp_info.retransmits = rows[i].resent;
		symptom_none(&bed.plan, &one);
		symptom_none(&bed.plan, &two);
		conduct(&bed);
		CHECK_INT(count(&bed, EXPERIMENT_LOSS_AGAIN, NULL), rows[i].wished);
		report_free(bed.report);
	}
}

int main(void)
{
	check_table();
	check_nothing_wrong_nothing_wished();
	check_one_walk_for_many();
	check_another_place_is_walked_too();
	check_ports_and_families_are_groups_of_their_own();
	check_the_same_address_of_two_names_is_one();
	check_bounds();
	check_the_ttl_of_a_reset_is_found();
	check_a_ttl_that_was_read_is_not_asked_for();
	check_a_named_sender_needs_no_ttl();
	check_the_ladder_asks_for_another_targets_name();
	check_nobody_else_to_name();
	check_a_tunnel_has_handshakes_alone();
	check_the_size_is_found_to_the_byte();
	check_a_healthy_way_costs_one_hello();
	check_a_healthy_way_that_loses_full_packets();
	check_loss_is_looked_for_again();
	return check_summary();
}
