#ifndef MARSPROBE_TESTS_WALK_BUILDER_H
#define MARSPROBE_TESTS_WALK_BUILDER_H

#include <stdlib.h>
#include <string.h>

#include "report_builder.h"

/* Walks for tests: one word for each TTL. */

/** A walk to that address: words for TTL 1, 2, ...: an address (time exceeded from there), "-" silence, "?" time exceeded from nobody knows whom,
 *  "syn_ack", "rst", "data", "!ADDRESS" prohibited by that one, "echo" the far end's reply, "x" not sent, "." nothing recorded. */
static inline void build_walk(struct report *report, const char *address, const char *experiment, int port,
			      const char *sent, const char *words)
{
	char *copy = arena_strdup(report->arena, words), *rest = NULL;
	int ttl = 0;
	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		ttl++;
		if (strcmp(word, ".") == 0)
			continue;
		struct observation *one = report_add_observation(report, OP_TTL_PROBE);
		one->experiment = experiment;
		one->ttl.tuple = (struct tuple){"tcp", "10.0.0.2", address, 20000 + ttl, port};
		one->ttl.ttl = ttl;
		one->ttl.sent = sent;
		if (strcmp(word, "-") == 0) {
			one->failure = FAILURE_TIMEOUT;
		} else if (strcmp(word, "x") == 0) {
			one->failure = FAILURE_PERMISSION_DENIED;
		} else if (*word == '!') {
			one->failure = FAILURE_HOST_UNREACHABLE;
			one->ttl.from = word + 1;
			one->ttl.icmp = (struct icmp_error){word + 1, 3, 13, NOT_MEASURED};
		} else if (strcmp(word, "echo") == 0) {
			one->ttl.from = address;
			one->ttl.icmp = (struct icmp_error){address, 0, 0, NOT_MEASURED};
		} else if (strpbrk(word, ".:")) {
			one->ttl.expired = true;
			one->ttl.from = word;
			one->ttl.icmp = (struct icmp_error){word, 11, 0, NOT_MEASURED};
		} else if (strcmp(word, "?") == 0) {
			one->ttl.expired = true;
		} else {
			one->ttl.tcp = word;
		}
	}
}

/** A connection that an experiment made. */
static inline struct observation *build_connect(struct report *report, const char *address, int port,
						const char *experiment, enum failure failure)
{
	struct observation *one = report_add_observation(report, OP_TCP_CONNECT);
	one->experiment = experiment;
	one->failure = failure;
	one->start_us = 1000;
	one->duration_us = failure == FAILURE_TIMEOUT ? 5 * SECOND_US : 20000;
	one->tcp.tuple = (struct tuple){"tcp", "10.0.0.2", address, 30000, port};
	one->tcp.tuple.src_port += (int)report->observations.count;
	one->tcp.peer = "target";
	return one;
}

#endif
