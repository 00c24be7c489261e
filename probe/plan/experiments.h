#ifndef MARSPROBE_PLAN_EXPERIMENTS_H
#define MARSPROBE_PLAN_EXPERIMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/core/evidence.h"

/*
 * Which experiment would tell two causes apart: a pure function of what was seen so far. The engine says what looks wrong (symptoms), carries out
 * what is wished, and asks again whenever a wish has ended; what an earlier round showed decides on the next one.
 *
 * Bounds are per fault, not per path: symptoms of one kind, by one route, to one port and IP family are a group; its first one is examined in
 * full, the others only as far as it takes to see that they are the same.
 */
enum experiment {
#define EXPERIMENT(name, id, way, tells, needs, cost) EXPERIMENT_##name,
#include "probe/plan/experiments.def"
#undef EXPERIMENT
	EXPERIMENT_COUNT
};

/** How an experiment is made; ELSEWHERE: by the files that look after what it is about (names, proxies, the system's own stack). */
enum experiment_way { EXPERIMENT_BY_WALK, EXPERIMENT_BY_CONNECT, EXPERIMENT_BY_HANDSHAKE, EXPERIMENT_ELSEWHERE };

/** A row of experiments.def. */
struct experiment_row {
	const char *id;
	enum experiment_way way;
	const char *tells, *needs, *cost;
};
const struct experiment_row *experiment_row(enum experiment experiment);

enum symptom_kind {
	SYMPTOM_SYN_SILENT,	   /* nothing came */
	SYMPTOM_SYN_REFUSED,	   /* a reset, or an ICMP error without a known sender */
	SYMPTOM_SYN_REJECTED,	   /* an ICMP error whose sender is known */
	SYMPTOM_HELLO_SILENT,	   /* the connection stands, and nothing came after the ClientHello */
	SYMPTOM_HELLO_CLOSED,	   /* it was closed or reset then */
	SYMPTOM_HANDSHAKE_STALLED, /* bytes came, and then no more */
	SYMPTOM_HANDSHAKE_CUT,	   /* the same, closed or reset */
	SYMPTOM_CLOSED_UNASKED,	   /* closed or reset although nothing was said */
	SYMPTOM_REQUEST_SILENT,	   /* nothing came after the HTTP request */
	SYMPTOM_REQUEST_CLOSED,
};

/** What one address showed that calls for a contrast. */
struct symptom {
	enum symptom_kind kind;
	const struct target *target;
	struct via via;
	const char *address; /* of the first hop: the proxy's, or the target's if direct */
	int port;
	const char *target_address; /* SOCKS4 and SOCKS5: the target's, which is looked up here; else NULL */
	bool is_tls;		    /* the target's port speaks TLS */
	bool is_acknowledged;	    /* what was sent last got there, as far as the system tells */
	struct path_list paths;
};

/** One experiment that is wanted. Texts belong to the report or the symptom. */
struct wish {
	enum experiment experiment;
	const struct symptom *about;
	const char *address;
	int port;
	int64_t patience_us;
	int ttl_from, ttl_to; /* walks */
	unsigned flow;	      /* walks: which source ports */
	int min_ttl;	      /* RESET_TTL */
	bool says_hello;      /* RESET_TTL: min_ttl holds once the connection stands, and a ClientHello follows */
	const char *sni;      /* handshakes: as in struct hello */
	size_t extra_bytes;
	int segment_bytes;
	bool done; /* set by the engine */
};

enum { HEALTHY_MAX = 8, HEALTHY_PER_HOST = 2 };

struct experiment_plan {
	struct arena *arena;
	int64_t timeout_us; /* of a stage: no experiment waits longer for anything */
	int64_t rtt_us; /* the longest round trip of connections that are not in the report yet, by the engine; 0: none is known */
	struct symptom **symptoms;
	size_t symptom_count, symptom_capacity;
	struct symptom *healthy[HEALTHY_MAX]; /* symptom_none() */
	size_t healthy_count;
	int64_t patience_us,
		quick_us;     /* for an answer: where nothing is known of the way, and where round trips are known */
	struct wish **wishes; /* in the order of their making; the engine begins those that are new */
	size_t wish_count, wish_capacity;
};

/** Note what an attempt showed. paths are copied. Said again of the same address, port and route it changes nothing: the first kind stays, but
 *  for a silence that turned out to be something else. */
void symptom_note(struct experiment_plan *plan, const struct symptom *symptom);

/** A direct connection to this TLS target stands, and nothing is wrong with it so far: enough for the experiments that are made although nothing
 *  failed. The first HEALTHY_MAX addresses are kept; one that gets a symptom later no longer counts. */
void symptom_none(struct experiment_plan *plan, const struct symptom *healthy);

/** Add to plan->wishes what the symptoms, the wishes that are done and the report's observations call for now. */
void experiments_choose(struct experiment_plan *plan, const struct report *report);

#endif
