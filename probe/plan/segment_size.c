#include "probe/plan/segment_size.h"

#include <string.h>
#include <strings.h>

#include "probe/plan/wishes.h"

/* TCP_MAXSEG: what every way must carry (RFC 791: 576 less 40), and what an Ethernet does. Tunnels' own overheads lie between. */
static const int first_round[] = {536,	700,  900,  1000, 1100, 1180, 1220, 1260,
				  1300, 1340, 1360, 1380, 1400, 1420, 1440};
enum {
	SEGMENT_MOST_BYTES = 1460,
	PER_ROUND = 40,
	LEAST_US = 600 * 1000 /* a lost segment is sent again by then */,
	ROUND_TRIPS = 5,
	LARGE_AGAIN = 2
};

static bool is_to(const struct observation *one, const struct symptom *about)
{
	const struct tuple *tuple = &one->tls.tuple;
	return one->op == OP_TLS_HANDSHAKE && tuple->dst && strcmp(tuple->dst, about->address) == 0 &&
	       tuple->dst_port == about->port;
}

static bool is_experiment(const struct observation *one, enum experiment experiment)
{
	return one->experiment && strcmp(one->experiment, experiment_row(experiment)->id) == 0;
}

static bool has_large_hello(const struct observation *one)
{
	return one->tls.hello_bytes > SEGMENT_MOST_BYTES;
}

/* Did what we sent arrive, whatever came back? */
static bool is_acknowledged(const struct observation *one)
{
	return one->tls.progress >= TLS_SERVER_HELLO || one->tls.bytes_acked > one->tls.hello_bytes;
}

/* A large hello is about the way out; a small one got there, and is about the way back, where the certificates fill packets. */
static bool gets_through(const struct observation *one, bool large)
{
	return large ? is_acknowledged(one) : one->tls.progress >= TLS_CERTIFICATE;
}

/* A hello in one packet: where that is lost too, no other size of packets will help. */
static bool small_hello_arrives(const struct report *report, const struct symptom *about)
{
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		if (is_to(one, about) && !has_large_hello(one) && is_acknowledged(one) && one->tls.sni &&
		    strcasecmp(one->tls.sni, about->target->host) == 0)
			return true;
	}
	return about->is_acknowledged;
}

/* Did a hello of that size fail by silence at the system's own segment size? */
static bool is_called_for(const struct report *report, const struct symptom *about, bool large)
{
	bool is_silent = about->kind == SYMPTOM_HELLO_SILENT || about->kind == SYMPTOM_HANDSHAKE_STALLED;
	if (!large)
		return is_silent && about->is_acknowledged;
	if (!small_hello_arrives(report, about))
		return false;
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		if (is_to(one, about) && is_experiment(one, EXPERIMENT_TLS_LARGE_HELLO) &&
		    one->failure == FAILURE_TIMEOUT && !is_acknowledged(one))
			return true;
	}
	return false;
}

static size_t extra_bytes_of(bool large)
{
	return large ? FULL_HELLO_BYTES : 0;
}

static void wish_size(struct experiment_plan *plan, const struct symptom *about, int bytes, bool large, unsigned time,
		      int64_t wait_us)
{
	struct wish wish = {.experiment = EXPERIMENT_SEGMENT_SIZE,
			    .about = about,
			    .port = about->port,
			    .segment_bytes = bytes,
			    .extra_bytes = extra_bytes_of(large),
			    .flow = time,
			    .patience_us = wait_us};
	wish_once(plan, &wish);
}

/* Some round trips of the quickest connection to there: what was slower had to wait for something else. */
static int64_t patience_us(const struct experiment_plan *plan, const struct report *report, const struct symptom *about)
{
	int64_t rtt_us = plan->patience_us;
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		if (one->op == OP_TCP_CONNECT && one->failure == FAILURE_NONE && one->tcp.tuple.dst &&
		    strcmp(one->tcp.tuple.dst, about->address) == 0 && one->duration_us < rtt_us)
			rtt_us = one->duration_us;
	}
	int64_t us = ROUND_TRIPS * rtt_us < LEAST_US ? LEAST_US : ROUND_TRIPS * rtt_us;
	return us < plan->patience_us ? us : plan->patience_us;
}

static bool round_done(const struct experiment_plan *plan, const struct symptom *about, bool large)
{
	bool any = false;
	for (size_t i = 0; i < plan->wish_count; i++) {
		const struct wish *wish = plan->wishes[i];
		if (wish->about != about || wish->experiment != EXPERIMENT_SEGMENT_SIZE ||
		    wish->extra_bytes != extra_bytes_of(large))
			continue;
		any = true;
		if (!wish->done)
			return false;
	}
	return any;
}

static bool is_row(const struct observation *one, const struct symptom *about, bool large)
{
	return is_to(one, about) && is_experiment(one, EXPERIMENT_SEGMENT_SIZE) &&
	       one->tls.segment_bytes != NOT_MEASURED && has_large_hello(one) == large;
}

/* The largest that got through and the smallest above it that did not (one below was lost by chance); false: none got through, so size is not the
 * matter. */
static bool bracket(const struct report *report, const struct symptom *about, bool large, int *through, int *lost)
{
	const struct observation_list *list = &report->observations;
	*through = 0;
	*lost = SEGMENT_MOST_BYTES;
	for (size_t i = 0; i < list->count; i++)
		if (is_row(list->items[i], about, large) && gets_through(list->items[i], large) &&
		    list->items[i]->tls.segment_bytes > *through)
			*through = list->items[i]->tls.segment_bytes;
	for (size_t i = 0; i < list->count; i++) {
		const struct observation *one = list->items[i];
		if (is_row(one, about, large) && !gets_through(one, large) && one->failure == FAILURE_TIMEOUT &&
		    one->tls.segment_bytes > *through && one->tls.segment_bytes < *lost)
			*lost = one->tls.segment_bytes;
	}
	return *through > 0 && *through < *lost;
}

static void choose(struct experiment_plan *plan, const struct report *report, const struct symptom *about, bool large)
{
	int through, lost;
	if (!is_called_for(report, about, large))
		return;
	int64_t wait_us = patience_us(plan, report, about);
	for (size_t i = 0; i < sizeof(first_round) / sizeof(first_round[0]); i++)
		wish_size(plan, about, first_round[i], large, 0, wait_us);
	if (!round_done(plan, about, large) || !bracket(report, about, large, &through, &lost))
		return;
	if (lost < SEGMENT_MOST_BYTES) /* once more: it may have been lost by chance */
		wish_size(plan, about, lost, large, 1, wait_us);
	int step = (lost - through - 1 + PER_ROUND - 1) / PER_ROUND;
	for (int bytes = through + 1; step > 0 && bytes < lost; bytes += step)
		wish_size(plan, about, bytes, large, 0, wait_us);
}

void segment_size_choose(struct experiment_plan *plan, const struct report *report, const struct symptom *about)
{
	choose(plan, report, about, false);
	choose(plan, report, about, true);
}

void segment_size_confirm(struct experiment_plan *plan, const struct symptom *about)
{
	if (about->kind == SYMPTOM_HELLO_SILENT && about->is_acknowledged && about->via.scheme == VIA_DIRECT)
		wish_size(plan, about, first_round[0], false, 0, plan->patience_us);
}

static bool large_hello_failed(const struct report *report, const struct symptom *about)
{
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		if (is_to(one, about) && is_experiment(one, EXPERIMENT_TLS_LARGE_HELLO) &&
		    one->failure != FAILURE_NONE && one->tls.progress == TLS_HELLO_SENT)
			return true;
	}
	return false;
}

static struct wish large_hello(const struct symptom *about)
{
	return (struct wish){.experiment = EXPERIMENT_TLS_LARGE_HELLO,
			     .about = about,
			     .port = about->port,
			     .extra_bytes = FULL_HELLO_BYTES};
}

void large_hello_begin(struct experiment_plan *plan, const struct symptom *about)
{
	struct wish large = large_hello(about);
	wish_once(plan, &large);
}

void large_hello_choose(struct experiment_plan *plan, const struct report *report, const struct symptom *about)
{
	struct wish large = large_hello(about);
	struct wish usual = {.experiment = EXPERIMENT_TLS_REQUIRED_NAME, .about = about, .port = about->port};
	wish_once(plan, &large);
	if (!wish_done(plan, about, EXPERIMENT_TLS_LARGE_HELLO) || !large_hello_failed(report, about))
		return;
	for (large.flow = 1; large.flow <= LARGE_AGAIN; large.flow++)
		wish_once(plan, &large);
	wish_once(plan, &usual);
	segment_size_choose(plan, report, about);
}
