#include "probe/cli/trace_answer.h"

#include <stdio.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "reports/text_say.h"

enum { NUMBER_BYTES = 24 };

static const char *number_text(int number, char text[NUMBER_BYTES])
{
	snprintf(text, NUMBER_BYTES, "%d", number);
	return text;
}

/* ------------------------------------------------------------------ the sentence */

/* RFC 792 and RFC 1812 5.2.7.1 (type 3); RFC 4443 3.1 (type 1). */
static enum say say_icmp_meaning(bool ipv6, const struct icmp_error *icmp)
{
	static const enum say v4[] = {[0] = SAY_TRACE_UNREACHABLE_NET,	       [1] = SAY_TRACE_UNREACHABLE_HOST,
				      [3] = SAY_TRACE_UNREACHABLE_PORT,	       [9] = SAY_TRACE_UNREACHABLE_PROHIBITED,
				      [10] = SAY_TRACE_UNREACHABLE_PROHIBITED, [13] = SAY_TRACE_UNREACHABLE_PROHIBITED};
	static const enum say v6[] = {[0] = SAY_TRACE_UNREACHABLE_NET,	      [1] = SAY_TRACE_UNREACHABLE_PROHIBITED,
				      [3] = SAY_TRACE_UNREACHABLE_HOST,	      [4] = SAY_TRACE_UNREACHABLE_PORT,
				      [5] = SAY_TRACE_UNREACHABLE_PROHIBITED, [6] = SAY_TRACE_UNREACHABLE_PROHIBITED};
	const enum say *words = ipv6 ? v6 : v4;
	int count = (int)(ipv6 ? sizeof(v6) / sizeof(v6[0]) : sizeof(v4) / sizeof(v4[0]));
	bool known = icmp->type == (ipv6 ? 1 : 3) && icmp->code >= 0 && icmp->code < count;
	return known && words[icmp->code] != SAY_NOTHING ? words[icmp->code] : SAY_TRACE_UNREACHABLE_OTHER;
}

static void say_refused(struct strbuf *out, const struct walk_hop *hop, bool ipv6)
{
	char type[NUMBER_BYTES], code[NUMBER_BYTES];
	const struct icmp_error *icmp = &hop->seen->ttl.icmp;
	say(out, SAY_TRACE_REFUSED_BY,
	    FILLS({"from", hop->address}, {"type", number_text(icmp->type, type)},
		  {"code", number_text(icmp->code, code)}, {"meaning", say_text(say_icmp_meaning(ipv6, icmp))}));
}

static void say_reached(struct strbuf *out, int ttl)
{
	char count[NUMBER_BYTES];
	say(out,
	    ttl == 1   ? SAY_TRACE_RIGHT_BEHIND
	    : ttl == 2 ? SAY_TRACE_REACHED_ONE
		       : SAY_TRACE_REACHED,
	    FILLS({"count", number_text(ttl - 1, count)}));
}

static void say_control(struct strbuf *out, const struct trace_answer *answer, enum trace_walk walk)
{
	static const enum say words[] = {
		[TRACE_CONTROL] = SAY_TRACE_TCP, [TRACE_UDP] = SAY_TRACE_UDP, [TRACE_ECHO] = SAY_TRACE_ECHO};
	char port[NUMBER_BYTES];
	say(out, words[walk], FILLS({"port", number_text(answer->control_port, port)}));
}

/** Another walk that got to the far end at a higher TTL than the reset came from; TRACE_WALK: none. */
static enum trace_walk farther_control(const struct trace_path *path)
{
	for (enum trace_walk i = TRACE_CONTROL; i < TRACE_WALKS; i++)
		if (path->walks[i].reached_ttl > path->walks[TRACE_WALK].reached_ttl)
			return i;
	return TRACE_WALK;
}

static void say_reset(struct strbuf *out, const struct trace_answer *answer, const struct trace_path *path)
{
	char ttl[NUMBER_BYTES], far[NUMBER_BYTES];
	struct strbuf words;
	enum trace_walk control = farther_control(path);
	strbuf_init(&words);
	if (control == TRACE_WALK)
		say_reached(&words, path->reached_ttl);
	else
		say_control(&words, answer, control);
	say(out, control == TRACE_WALK ? SAY_TRACE_RESET : SAY_TRACE_RESET_SHORT,
	    FILLS({"reached", words.data}, {"control", words.data}, {"ttl", number_text(path->reached_ttl, ttl)},
		  {"far", number_text(path->walks[control].reached_ttl, far)}));
	strbuf_free(&words);
}

/** A device may accept in the target's name. Another TCP port that it accepts too tells nothing; datagrams and echo requests do. */
static void say_accepted(struct strbuf *out, const struct trace_answer *answer, const struct trace_path *path)
{
	char ttl[NUMBER_BYTES], far[NUMBER_BYTES];
	struct strbuf words;
	enum trace_walk control = farther_control(path);
	if (control == TRACE_WALK) {
		say_reached(out, path->reached_ttl);
		return;
	}
	strbuf_init(&words);
	say_control(&words, answer, control);
	say(out, SAY_TRACE_ACCEPTED_SHORT,
	    FILLS({"control", words.data}, {"ttl", number_text(path->reached_ttl, ttl)},
		  {"far", number_text(path->walks[control].reached_ttl, far)}));
	strbuf_free(&words);
}

static void say_loop(struct strbuf *out, const struct walk_view *walk)
{
	const char *hop = NULL, *other = NULL; /* the last two that differ */
	for (size_t i = walk->count; i-- > 0 && !other;) {
		const char *address = walk->hops[i].address;
		if (address && !hop)
			hop = address;
		else if (address && strcmp(address, hop) != 0)
			other = address;
	}
	say(out, SAY_TRACE_LOOP, FILLS({"hop", hop}, {"other", other}));
}

static void say_end(struct strbuf *out, const struct trace_path *path)
{
	const struct walk_view *walk = &path->walks[TRACE_WALK];
	char ttl[NUMBER_BYTES];
	enum say sentence = SAY_TRACE_DIES_UNNAMED;
	if (walk->deaf)
		sentence = SAY_TRACE_DEAF;
	else if (walk->last_heard_ttl == NOT_MEASURED)
		sentence = walk->first_silent ? SAY_TRACE_DIES_HERE : SAY_TRACE_MUTED;
	else if (walk->last_heard)
		sentence = !walk->first_silent				    ? SAY_TRACE_DIES_NEXT_UNKNOWN
			   : strcmp(walk->first_silent, path->address) == 0 ? SAY_TRACE_DIES_AT_THE_END
									    : SAY_TRACE_DIES;
	say(out, sentence,
	    FILLS({"hop", walk->last_heard}, {"next", walk->first_silent},
		  {"ttl", number_text(walk->last_heard_ttl, ttl)}));
}

static const char *sentence(const struct trace_answer *answer, const struct trace_path *path)
{
	const struct walk_view *walk = &path->walks[TRACE_WALK];
	struct strbuf out;
	strbuf_init(&out);
	if (!walk->count)
		say(&out, SAY_TRACE_NOT_SENT, FILLS({"failure", say_text(say_failure(walk->not_sent))}));
	else if (walk->reached_by == WALK_REACHED_RST)
		say_reset(&out, answer, path);
	else if (walk->reached_ttl != NOT_MEASURED)
		say_accepted(&out, answer, path);
	else if (walk->refused_by)
		say_refused(&out, walk->refused_by, strchr(path->address, ':') != NULL);
	else if (walk->loops)
		say_loop(&out, walk);
	else
		say_end(&out, path);
	const char *text = arena_strdup(answer->report->arena, out.data);
	strbuf_free(&out);
	return text;
}

/* ------------------------------------------------------------------ the whole */

static void read_walks(const struct trace_answer *answer, struct trace_path *path)
{
	const struct {
		const char *experiment;
		int port;
	} walks[TRACE_WALKS] = {[TRACE_WALK] = {"walk", answer->port},
				[TRACE_CONTROL] = {"walk_control", answer->control_port},
				[TRACE_UDP] = {"walk_udp", NOT_MEASURED},
				[TRACE_ECHO] = {"walk_echo", NOT_MEASURED}};
	for (size_t i = 0; i < TRACE_WALKS; i++)
		walk_view_make(answer->report, path->address, walks[i].port, walks[i].experiment, NULL,
			       &path->walks[i]);
	for (size_t i = TRACE_CONTROL; i < TRACE_WALKS; i++)
		walk_view_compare(&path->walks[TRACE_WALK], &path->walks[i]);
}

static void add_path(struct trace_answer *answer, const char *address)
{
	answer->paths = arena_grow(answer->report->arena, answer->paths, &answer->path_capacity, answer->path_count,
				   sizeof(*answer->paths));
	struct trace_path *path = &answer->paths[answer->path_count++];
	*path = (struct trace_path){.address = address, .port = answer->port};
	read_walks(answer, path);
	const struct walk_view *walk = &path->walks[TRACE_WALK];
	if (walk->reached_ttl != NOT_MEASURED)
		path->reached_by = walk_view_hop(walk, walk->reached_ttl)->seen->ttl.tcp;
	path->reached_ttl = walk->reached_ttl;
	path->last_heard_ttl = walk->last_heard_ttl;
	path->first_silent_ttl = walk->first_silent_ttl;
	path->refused_by = walk->refused_by ? walk->refused_by->address : NULL;
	path->last_heard = walk->last_heard;
	path->first_silent = walk->first_silent;
	path->muted = walk->muted;
	path->deaf = walk->deaf;
	path->loops = walk->loops;
	path->says = sentence(answer, path);
}

void trace_answer_make(struct trace_answer *answer, const char *const *addresses, size_t count)
{
	const struct observation_list *seen = &answer->report->observations;
	for (size_t i = 0; i < count; i++)
		add_path(answer, addresses[i]);
	for (size_t i = 0; i < seen->count; i++) {
		if (seen->items[i]->op != OP_TTL_PROBE)
			continue;
		answer->probes = arena_grow(answer->report->arena, answer->probes, &answer->probe_capacity,
					    answer->probe_count, sizeof(*answer->probes));
		answer->probes[answer->probe_count++] = seen->items[i];
	}
}
