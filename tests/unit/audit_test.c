#include "probe/plan/audit.h"

#include "probe/core/arena.h"
#include "probe/core/evidence_words.h"
#include "tests/unit/check.h"

/* A network in a table: which part of the range dies at which hop. Hops 1.. are named by the network, and the far end is silent. */
struct wall {
	uint32_t first, last;
	int dies_behind; /* this hop is the last that is heard */
	bool refuses;	 /* and that hop says so */
};

struct network {
	const char *hops[AUDIT_TTLS + 1]; /* by TTL; NULL: silent */
	int length;			  /* hops before the far end */
	struct wall walls[4];
	bool open; /* the far end answers where nothing is in the way */
	bool udp_passes;
	bool nameless;	  /* the system does not say who sent an ICMP error */
	unsigned answers; /* of hop 3, in all; 0: no limit */
	unsigned lost;	  /* of so many packets one is lost; 0: none */
	unsigned sent;
};

static const struct network enterprise = {
	.hops = {[1] = "10.1.0.1", [2] = "10.9.1.1", [3] = "10.9.1.5", [4] = "198.51.100.1", [5] = "198.51.100.9"},
	.length = 5};

static const struct wall *wall_before(const struct network *network, uint32_t offset)
{
	for (size_t i = 0; i < sizeof(network->walls) / sizeof(network->walls[0]); i++)
		if (network->walls[i].dies_behind && offset >= network->walls[i].first &&
		    offset <= network->walls[i].last)
			return &network->walls[i];
	return NULL;
}

static bool is_lost(struct network *network)
{
	network->sent++;
	return network->lost && network->sent % network->lost == 0;
}

static struct audit_hop answer(struct network *network, const struct audit_ask *ask, int ttl)
{
	const struct wall *wall =
		ask->kind == ASK_UDP && network->udp_passes ? NULL : wall_before(network, ask->offset);
	const struct audit_hop silence = {ANSWER_SILENCE, NULL};
	if (wall && ttl > wall->dies_behind)
		return wall->refuses ? (struct audit_hop){ANSWER_REFUSED, network->hops[wall->dies_behind]} : silence;
	if (ttl > network->length)
		return network->open ? (struct audit_hop){ANSWER_REACHED, NULL} : silence;
	if (ttl == 3 && network->answers && --network->answers == 0)
		network->answers = 1; /* no more */
	if (ttl == 3 && network->answers == 1)
		return silence;
	return network->hops[ttl] ? (struct audit_hop){ANSWER_EXPIRED, network->nameless ? NULL : network->hops[ttl]}
				  : silence;
}

/* As the engine does it: what is silent is asked twice. */
static void tell(struct network *network, struct audit *audit, const struct audit_ask *ask)
{
	struct audit_hop hops[AUDIT_TTLS + 1] = {0};
	int packets = 0;
	for (int ttl = ask->ttl_from; ttl <= ask->ttl_to; ttl++) {
		for (int try = 0; try < 2 && hops[ttl].answer <= ANSWER_SILENCE; try++, packets++)
			hops[ttl] =
				is_lost(network) ? (struct audit_hop){ANSWER_SILENCE, NULL} : answer(network, ask, ttl);
	}
	audit_told(audit, ask, hops, packets);
}

/* Several are under way at once, and the last comes first. */
static struct sweep_audit *run(struct arena *arena, struct network *network, const char *range)
{
	static struct audit audit;
	struct audit_ask asks[4];
	struct prefix prefix;
	size_t open = 0;
	CHECK(prefix_parse(range, &prefix));
	CHECK(audit_begin(&audit, &prefix));
	while (!audit_is_done(&audit)) {
		while (open < 4 && audit_next(&audit, &asks[open]))
			open++;
		if (open)
			tell(network, &audit, &asks[--open]);
	}
	struct sweep_audit *result = audit_result(arena, &audit);
	CHECK_INT(result->probes, network->sent);
	CHECK(result->probes <= AUDIT_PROBES_MAX);
	return result;
}

static void check_block(const struct sweep_audit *result, size_t index, const char *first, const char *last,
			enum audit_state state)
{
	CHECK(index < result->block_count);
	if (index >= result->block_count)
		return;
	CHECK_TEXT(result->blocks[index].first, first);
	CHECK_TEXT(result->blocks[index].last, last);
	CHECK_INT(result->blocks[index].state, state);
}

static void check_place(const struct sweep_audit *result, size_t index, int hop, const char *heard, const char *silent)
{
	if (index >= result->block_count)
		return;
	CHECK_INT(result->blocks[index].hop, hop);
	CHECK_TEXT(result->blocks[index].last_heard, heard);
	CHECK_TEXT(result->blocks[index].first_silent, silent);
}

static void test_all_may_be_reached(void)
{
	for (int open = 0; open < 2; open++) {
		struct arena *arena = arena_new();
		struct network network = enterprise;
		network.open = open;
		struct sweep_audit *result = run(arena, &network, "20.190.128.0/18");
		CHECK_INT(result->block_count, 1);
		CHECK(!result->cut);
		check_block(result, 0, "20.190.128.0", "20.190.191.255", AUDIT_PERMITTED);
		CHECK_TEXT(result->blocks[0].prefixes.items[0], "20.190.128.0/18");
		CHECK_INT(result->step, 256);
		CHECK_TEXT(result->beyond, "198.51.100.9");
		arena_free(arena);
	}
}

/* "20.190.160.0/19 dies at 10.9.1.1 on its way out, or before 10.9.1.5" */
static void test_one_half_is_blocked(void)
{
	struct arena *arena = arena_new();
	struct network network = enterprise;
	network.walls[0] = (struct wall){8192, 16383, 2, false};
	struct sweep_audit *result = run(arena, &network, "20.190.128.0/18");
	CHECK_INT(result->block_count, 2);
	check_block(result, 0, "20.190.128.0", "20.190.159.255", AUDIT_PERMITTED);
	check_block(result, 1, "20.190.160.0", "20.190.191.255", AUDIT_BLOCKED);
	check_place(result, 1, 2, "10.9.1.1", "10.9.1.5");
	CHECK_INT(result->ttl, 3);
	CHECK(!result->cut);
	arena_free(arena);
}

static void test_an_odd_block_is_found_to_the_address(void)
{
	struct arena *arena = arena_new();
	struct network network = enterprise;
	network.walls[0] = (struct wall){4941, 5832, 2, false};
	struct sweep_audit *result = run(arena, &network, "20.190.128.0/18");
	CHECK_INT(result->block_count, 3);
	check_block(result, 1, "20.190.147.77", "20.190.150.200", AUDIT_BLOCKED);
	check_place(result, 1, 2, "10.9.1.1", "10.9.1.5");
	CHECK(result->block_count > 1 && result->blocks[1].prefixes.count > 4);
	CHECK(!result->cut);
	arena_free(arena);
}

static void test_refusals_name_the_device(void)
{
	struct arena *arena = arena_new();
	struct network network = enterprise;
	network.walls[0] = (struct wall){0, 4095, 2, true};
	network.walls[1] = (struct wall){4096, 8191, 1, true};
	struct sweep_audit *result = run(arena, &network, "20.190.128.0/18");
	CHECK_INT(result->block_count, 3);
	check_block(result, 0, "20.190.128.0", "20.190.143.255", AUDIT_BLOCKED);
	check_block(result, 1, "20.190.144.0", "20.190.159.255", AUDIT_BLOCKED);
	check_place(result, 0, 2, "10.9.1.1", NULL);
	check_place(result, 1, 1, "10.1.0.1", NULL);
	CHECK(result->block_count == 3 && result->blocks[0].refused && result->blocks[1].refused);
	arena_free(arena);
}

static void test_all_is_blocked(void)
{
	for (int udp = 0; udp < 2; udp++) {
		struct arena *arena = arena_new();
		struct network network = enterprise;
		network.walls[0] = (struct wall){0, 16383, 2, false};
		network.udp_passes = udp;
		struct sweep_audit *result = run(arena, &network, "20.190.128.0/18");
		CHECK_INT(result->block_count, 1);
		check_block(result, 0, "20.190.128.0", "20.190.191.255", AUDIT_BLOCKED);
		check_place(result, 0, 2, "10.9.1.1", udp ? "10.9.1.5" : NULL);
		arena_free(arena);
	}
}

static void test_mute_routers_tell_nothing(void)
{
	struct arena *arena = arena_new();
	struct network network = {.length = 5};
	network.walls[0] = (struct wall){0, 4095, 2, false};
	struct sweep_audit *result = run(arena, &network, "20.190.128.0/18");
	CHECK_INT(result->block_count, 1);
	check_block(result, 0, "20.190.128.0", "20.190.191.255", AUDIT_UNKNOWN);
	CHECK_INT(result->ttl, NOT_MEASURED);
	arena_free(arena);
}

/* A router that sends so many such answers and no more leaves silence that tells nothing. */
static void test_rationed_answers_tell_nothing(void)
{
	for (unsigned answers = 12; answers < 60; answers += 8) {
		struct arena *arena = arena_new();
		struct network network = enterprise;
		network.walls[0] = (struct wall){8192, 16383, 2, false};
		network.answers = answers;
		struct sweep_audit *result = run(arena, &network, "20.190.128.0/18");
		CHECK(result->rationed);
		CHECK_INT(result->block_count, 1);
		check_block(result, 0, "20.190.128.0", "20.190.191.255", AUDIT_UNKNOWN);
		arena_free(arena);
	}
}

/* Without names of hops, paths of two lengths look like a block. */
static void test_nameless_hops_tell_nothing(void)
{
	for (int wall = 0; wall < 2; wall++) {
		struct arena *arena = arena_new();
		struct network network = enterprise;
		network.nameless = true;
		network.walls[0] = (struct wall){0, 8191, wall ? 2 : 0, false};
		struct sweep_audit *result = run(arena, &network, "20.190.128.0/18");
		CHECK_INT(result->block_count, 1);
		check_block(result, 0, "20.190.128.0", "20.190.191.255", AUDIT_UNKNOWN);
		arena_free(arena);
	}
}

/* Routers out there answer or not as they please: paths that end behind a public hop of their own are no block. */
static void test_a_short_path_is_no_block(void)
{
	struct arena *arena = arena_new();
	struct network network = enterprise;
	network.walls[0] = (struct wall){0, 5000, 5, false}; /* a longer path, whose last routers are mute here */
	network.hops[6] = "203.0.113.1";
	network.length = 6;
	struct sweep_audit *result = run(arena, &network, "20.190.128.0/18");
	CHECK_INT(result->block_count, 1);
	check_block(result, 0, "20.190.128.0", "20.190.191.255", AUDIT_PERMITTED);
	arena_free(arena);
}

static void test_loss_makes_no_blocks(void)
{
	for (unsigned lost = 7; lost < 40; lost += 4) {
		struct arena *arena = arena_new();
		struct network network = enterprise;
		network.walls[0] = (struct wall){6144, 8191, 2, false};
		network.lost = lost;
		struct sweep_audit *result = run(arena, &network, "20.190.128.0/18");
		CHECK_INT(result->block_count, 3);
		check_block(result, 1, "20.190.152.0", "20.190.159.255", AUDIT_BLOCKED);
		arena_free(arena);
	}
}

static void test_small_and_large_ranges(void)
{
	static const struct {
		const char *range;
		uint32_t first, last;
		const char *from, *to;
	} rows[] = {
		{"20.190.128.0/24", 128, 255, "20.190.128.128", "20.190.128.255"},
		{"20.190.128.0/29", 3, 5, "20.190.128.3", "20.190.128.5"},
		{"13.64.0.0/11", 1048576, 2097151, "13.80.0.0", "13.95.255.255"},
		{"2001:db8::/104", 8388608, 16777215, "2001:db8::80:0", "2001:db8::ff:ffff"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_new();
		struct network network = enterprise;
		network.walls[0] = (struct wall){rows[i].first, rows[i].last, 2, false};
		struct sweep_audit *result = run(arena, &network, rows[i].range);
		bool found = false;
		for (size_t k = 0; k < result->block_count; k++)
			found |= result->blocks[k].state == AUDIT_BLOCKED &&
				 strcmp(result->blocks[k].first, rows[i].from) == 0 &&
				 strcmp(result->blocks[k].last, rows[i].to) == 0;
		if (!found)
			check_one(false, rows[i].range, __FILE__, __LINE__);
		arena_free(arena);
	}
	struct network network = enterprise;
	struct arena *arena = arena_new();
	check_block(run(arena, &network, "20.190.128.7/32"), 0, "20.190.128.7", "20.190.128.7", AUDIT_PERMITTED);
	arena_free(arena);
	static struct audit audit;
	struct prefix everything;
	CHECK(prefix_parse("0.0.0.0/0", &everything) && !audit_begin(&audit, &everything));
}

/* More boundaries than packets: what is known is told, and that it is not all. */
static void test_the_packets_run_out(void)
{
	struct arena *arena = arena_new();
	struct network network = enterprise;
	static struct audit audit;
	struct audit_ask ask;
	struct prefix range;
	CHECK(prefix_parse("20.190.128.0/18", &range) && audit_begin(&audit, &range));
	while (!audit_is_done(&audit)) {
		if (!audit_next(&audit, &ask))
			continue;
		network.walls[0] = (struct wall){ask.offset, ask.offset, (ask.offset / 256) % 2 ? 2 : 0, false};
		tell(&network, &audit, &ask);
	}
	struct sweep_audit *result = audit_result(arena, &audit);
	CHECK(result->cut);
	CHECK(result->probes <= AUDIT_PROBES_MAX);
	CHECK(result->block_count > 8);
	arena_free(arena);
}

static void test_stopped_in_the_middle(void)
{
	struct arena *arena = arena_new();
	static struct audit audit;
	struct audit_ask ask;
	struct prefix range;
	CHECK(prefix_parse("20.190.128.0/18", &range) && audit_begin(&audit, &range));
	CHECK(audit_next(&audit, &ask));
	audit_stop(&audit);
	CHECK(!audit_next(&audit, &ask));
	struct sweep_audit *result = audit_result(arena, &audit);
	CHECK(result->cut);
	CHECK_INT(result->block_count, 1);
	CHECK_INT(result->blocks[0].state, AUDIT_UNKNOWN);
	arena_free(arena);
}

int main(void)
{
	test_all_may_be_reached();
	test_one_half_is_blocked();
	test_an_odd_block_is_found_to_the_address();
	test_refusals_name_the_device();
	test_all_is_blocked();
	test_mute_routers_tell_nothing();
	test_rationed_answers_tell_nothing();
	test_nameless_hops_tell_nothing();
	test_a_short_path_is_no_block();
	test_loss_makes_no_blocks();
	test_small_and_large_ranges();
	test_the_packets_run_out();
	test_stopped_in_the_middle();
	return check_summary();
}
