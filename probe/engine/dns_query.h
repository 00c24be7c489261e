#ifndef MARSPROBE_ENGINE_DNS_QUERY_H
#define MARSPROBE_ENGINE_DNS_QUERY_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "probe/core/evidence.h"

/** One question to one server by one transport, under way. */
struct dns_question;
typedef void (*dns_question_done_cb)(struct dns_question *question, void *user);

/**
 * Ask what observation->dns says: server ("ip" or "ip:port"), transport, name, type, edns_bytes (NOT_MEASURED: without EDNS) and
 * checking_disabled, which the caller has filled in.
 *
 * Records  the rest of observation (op dns_query, the caller's): tuple, tries, reply, icmp, failure, os_error and times. Over UDP three
 *          datagrams, the second and third after 1/7 and 3/7 of timeout_us. An error of the socket ends it at once; a datagram that is not
 *          our reply (DNS_MALFORMED) ends it when another follows or the time is over, and is forgotten when the right one comes.
 * Ends     once, through done(), from the loop and never inside dns_question_start(). The question frees itself after done() returns.
 * Limits   timeout_us in all.
 * Memory   arena, which must live as long as observation.
 */
struct dns_question *dns_question_start(uv_loop_t *loop, struct arena *arena, struct observation *observation,
					int64_t run_started_us, int64_t timeout_us, dns_question_done_cb done,
					void *user);

/** Has nothing at all come back so far, not even an ICMP error? */
bool dns_question_is_silent(const struct dns_question *question);

/** End it now with that failure; done() is called before this returns. */
void dns_question_cancel(struct dns_question *question, enum failure failure);

#endif
