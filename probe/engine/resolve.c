#include "probe/engine/resolve.h"

#include <string.h>
#include <strings.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/engine/dns_message.h"
#include "probe/engine/dns_query.h"
#include "probe/engine/system_lookup.h"
#include "probe/os/os.h"
#include "probe/plan/dns_contrasts.h"

enum {
	ADDRESSES_MAX = 16, /* handed on */
	ADDRESSES_UNCONFIRMED =
		8, /* of these, before the system has said which ones it takes: the other places are for its own */
	WAITING_MAX = 64,
	RESOLVERS_MAX = 16,
	CONTRAST_US = 1000 * 1000, /* an experiment after a reply; or so many times as long as that took */
	CONTRAST_TIMES = 4,
	SILENCE_PARTS = 4, /* UDP counts as silent after a quarter of the time */
	SYSTEM_TIMES_ALLOWED =
		2, /* how many timeouts the system may take where a server answers: it may wait for a dead one first, or ask anew */
};

struct lookup_state;

/** One question of a look-up. */
struct asked {
	struct lookup_state *state;
	struct observation *observation;
	struct dns_question *question; /* NULL once it has ended */
};

struct lookup_state {
	struct lookup lookup; /* what the caller sees; first */
	struct resolver *resolver;
	struct lookup *next_open; /* in resolver->open */
	struct lookup_options options;
	bool settled;
	int64_t started_us; /* monotonic */
	uv_timer_t timer;
	enum { PHASE_LITERAL, PHASE_LISTENING, PHASE_SILENCE_SEEN, PHASE_SYSTEM_ONLY } phase;
	struct asked **asked;
	size_t asked_count, asked_capacity;
	size_t open; /* questions, and the system's lookup */
	struct system_job *job;
	struct observation *system; /* NULL without a system lookup */
	struct text_list waiting;   /* addresses from servers beyond ADDRESSES_UNCONFIRMED */
	bool cancelled;
};

static struct lookup_state *state_of(struct lookup *lookup)
{
	return (struct lookup_state *)lookup;
}

static struct arena *arena_of(const struct lookup_state *state)
{
	return state->resolver->report->arena;
}

/* ------------------------------------------------------------------ addresses */

static struct resolved_address *address_find(const struct lookup *lookup, const char *address)
{
	for (size_t i = 0; i < lookup->count; i++)
		if (strcmp(lookup->addresses[i].address, address) == 0)
			return &lookup->addresses[i];
	return NULL;
}

static void address_append(struct lookup_state *state, const char *address, bool by_system)
{
	struct lookup *lookup = &state->lookup;
	lookup->addresses = arena_grow(arena_of(state), lookup->addresses, &lookup->capacity, lookup->count,
				       sizeof(*lookup->addresses));
	lookup->addresses[lookup->count++] = (struct resolved_address){.address = address, .by_system = by_system};
}

static void address_keep(struct lookup_state *state, const struct lookup *before, const char *address, bool by_system,
			 size_t *room)
{
	if (address_find(&state->lookup, address))
		return;
	if (!address_find(before, address)) {
		if (*room == 0)
			return;
		--*room;
	}
	address_append(state, address, by_system);
}

static void address_announce(struct lookup_state *state, const char *address)
{
	if (state->options.address)
		state->options.address(&state->lookup, address, state->options.user);
}

static void address_offer(struct lookup_state *state, const char *address, bool by_system)
{
	struct resolved_address *known = address_find(&state->lookup, address);
	size_t limit = state->job ? ADDRESSES_UNCONFIRMED : ADDRESSES_MAX;
	if (known) {
		known->by_system = known->by_system || by_system;
	} else if (state->lookup.count < limit) {
		address_append(state, address, by_system);
		address_announce(state, address);
	} else if (state->waiting.count < WAITING_MAX) {
		text_list_add(arena_of(state), &state->waiting, address);
	}
}

/* The system has had its say: its addresses go first, in its order; then those that are on their way already; then those that waited. */
static void addresses_settle(struct lookup_state *state)
{
	struct lookup *lookup = &state->lookup;
	struct lookup before = *lookup;
	const struct text_list *system = &state->system->lookup.addresses;
	size_t room = ADDRESSES_MAX - before.count;
	lookup->addresses = NULL;
	lookup->count = lookup->capacity = 0;
	for (size_t i = 0; i < system->count; i++)
		address_keep(state, &before, system->items[i], true, &room);
	for (size_t i = 0; i < before.count; i++)
		address_keep(state, &before, before.addresses[i].address, false, &room);
	for (size_t i = 0; i < state->waiting.count; i++)
		address_keep(state, &before, state->waiting.items[i], false, &room);
	for (size_t i = 0; i < lookup->count && !lookup->done; i++)
		if (!address_find(&before, lookup->addresses[i].address))
			address_announce(state, lookup->addresses[i].address);
}

/* ------------------------------------------------------------------ the end */

static bool has_address_that_counts(const struct lookup *lookup)
{
	for (size_t i = 0; i < lookup->count; i++)
		if (lookup->addresses[i].by_system)
			return true;
	return false;
}

/* Is it one of the look-up's ways, and no experiment beside them? */
static bool is_of_way(const struct lookup_state *state, const struct observation *observation)
{
	return observation->experiment == state->options.experiment; /* the same text in one place, or NULL */
}

static enum failure failure_of(const struct lookup_state *state)
{
	if (has_address_that_counts(&state->lookup))
		return FAILURE_NONE;
	if (state->system)
		return state->system->failure;
	for (size_t i = 0; i < state->asked_count; i++) {
		const struct observation *observation = state->asked[i]->observation;
		if (observation->failure != FAILURE_NONE && !observation->dns.control && is_of_way(state, observation))
			return observation->failure;
	}
	return FAILURE_DNS_NO_ANSWER;
}

static void settle(struct lookup_state *state)
{
	if (state->settled)
		return;
	state->settled = true;
	state->lookup.failure = failure_of(state);
	if (state->options.settled)
		state->options.settled(&state->lookup, state->options.user);
}

static void list_remove(struct lookup_state *state)
{
	struct lookup **at = &state->resolver->open;
	while (*at && *at != &state->lookup)
		at = &state_of(*at)->next_open;
	if (*at)
		*at = state->next_open;
}

static void on_timer_closed(uv_handle_t *handle)
{
	(void)handle; /* the state lives in the report's arena */
}

static void paths_record(struct lookup_state *state, struct observation *observation)
{
	for (size_t i = 0; i < state->lookup.paths.count; i++)
		path_list_add(arena_of(state), &observation->paths, state->lookup.paths.items[i]);
}

static void end(struct lookup_state *state)
{
	if (state->lookup.done)
		return;
	state->lookup.done = true;
	list_remove(state);
	if (state->system)
		paths_record(state, state->system);
	for (size_t i = 0; i < state->asked_count; i++)
		paths_record(state, state->asked[i]->observation);
	uv_close((uv_handle_t *)&state->timer, on_timer_closed);
	if (!state->cancelled)
		settle(state);
	if (state->options.done)
		state->options.done(&state->lookup, state->options.user);
}

static void end_if_all_said(struct lookup_state *state)
{
	if (state->open == 0 && !state->cancelled)
		end(state);
}

/* ------------------------------------------------------------------ questions */

static void on_question_done(struct dns_question *question, void *user);
static void ask_contrasts(struct lookup_state *state, const struct observation *reply);

static void ask(struct lookup_state *state, const struct dns_contrast *wording, bool control, int64_t timeout_us)
{
	struct arena *arena = arena_of(state);
	struct asked *asked = arena_alloc(arena, sizeof(*asked));
	struct observation *observation = report_add_observation(state->resolver->report, OP_DNS_QUERY);
	observation->experiment = wording->experiment ? wording->experiment : state->options.experiment;
	observation->dns.server = wording->server;
	observation->dns.control = control;
	observation->dns.transport = wording->transport;
	observation->dns.name = wording->name ? wording->name : state->lookup.name;
	observation->dns.type = wording->type;
	observation->dns.edns_bytes = wording->edns_bytes;
	observation->dns.checking_disabled = wording->checking_disabled;
	asked->state = state;
	asked->observation = observation;
	state->asked =
		arena_grow(arena, state->asked, &state->asked_capacity, state->asked_count, sizeof(*state->asked));
	state->asked[state->asked_count++] = asked;
	state->open++;
	asked->question = dns_question_start(state->resolver->loop, arena, observation, state->resolver->run_started_us,
					     timeout_us, on_question_done, asked);
}

static int64_t time_left_us(const struct lookup_state *state)
{
	return state->started_us + state->options.timeout_us - os_monotonic_us();
}

/* The truncated answer's question again, by TCP: in the time that is left, but not less than half of the whole. */
static void ask_by_tcp(struct lookup_state *state, const struct dns_query *query)
{
	struct dns_contrast wording = {
		.server = query->server, .transport = "tcp", .type = query->type, .edns_bytes = DNS_EDNS_BYTES};
	int64_t left_us = time_left_us(state), half_us = state->options.timeout_us / 2;
	ask(state, &wording, query->control, left_us > half_us ? left_us : half_us);
}

static void offer_answers(struct lookup_state *state, const struct observation *observation)
{
	const struct dns_query *query = &observation->dns;
	bool by_system = !state->resolver->system_lookup && is_of_way(state, observation);
	const char *end_of_chain = dns_chain_end(query);
	for (size_t i = 0; i < query->answer_count && !state->lookup.done; i++) {
		const char *address = dns_answer_address(query, end_of_chain, i);
		if (address)
			address_offer(state, address, by_system);
	}
	if (by_system && has_address_that_counts(&state->lookup))
		settle(state);
}

/* The control's are not what this server uses, nobody should connect to what DNSSEC rejects, and some are another name's. */
static bool gives_addresses(const struct lookup *lookup, const struct observation *observation)
{
	return !observation->dns.control && !observation->dns.checking_disabled &&
	       strcasecmp(observation->dns.name, lookup->name) == 0;
}

static void on_question_done(struct dns_question *question, void *user)
{
	struct asked *asked = user;
	struct lookup_state *state = asked->state;
	const struct observation *observation = asked->observation;
	const struct dns_query *query = &observation->dns;
	(void)question;
	asked->question = NULL;
	state->open--;
	if (state->cancelled)
		return;
	bool truncated =
		query->truncated && observation->failure == FAILURE_NONE && strcmp(query->transport, "udp") == 0;
	if (truncated && is_of_way(state, observation))
		ask_by_tcp(state, query);
	else if (observation->failure == FAILURE_NONE && gives_addresses(&state->lookup, observation))
		offer_answers(state, observation);
	if (is_of_way(state, observation) && !query->control)
		ask_contrasts(state, observation);
	end_if_all_said(state);
}

static void on_system_done(struct system_job *job, void *user)
{
	struct lookup_state *state = user;
	(void)job;
	state->job = NULL;
	state->open--;
	if (state->cancelled)
		return;
	addresses_settle(state);
	settle(state);
	end_if_all_said(state);
}

/* ------------------------------------------------------------------ experiments */

/* What is silent is asked in the time that is left; what has been answered has shown how long that takes. */
static int64_t contrast_time_us(const struct lookup_state *state, const struct observation *reply)
{
	int64_t whole_us = state->options.timeout_us, time_us = CONTRAST_US;
	if (!reply)
		return time_left_us(state);
	if (time_us < reply->duration_us * CONTRAST_TIMES)
		time_us = reply->duration_us * CONTRAST_TIMES;
	return time_us < whole_us ? time_us : whole_us;
}

/* reply: a question of the look-up that has ended; NULL: it is time to call what has not ended silent. */
static void ask_contrasts(struct lookup_state *state, const struct observation *reply)
{
	struct dns_contrasts wanted;
	if (!state->resolver->experiments || state->options.experiment)
		return;
	dns_contrasts_of_questions(state->resolver->report, state->lookup.name, !reply, &wanted);
	for (size_t i = 0; i < wanted.count; i++)
		ask(state, &wanted.items[i], false, contrast_time_us(state, reply));
}

/* ------------------------------------------------------------------ time */

static bool is_asked_again(const struct observation *observation)
{
	return observation->experiment && strcmp(observation->experiment, "dns_again") == 0;
}

/* Has a server answered that the system will come to, too? Of the experiments only the same question asked again is the system's way. */
static bool has_any_reply(const struct lookup_state *state)
{
	for (size_t i = 0; i < state->asked_count; i++) {
		const struct observation *observation = state->asked[i]->observation;
		const struct dns_query *query = &observation->dns;
		bool of_way = is_of_way(state, observation) || is_asked_again(observation);
		if (!query->control && of_way && query->rcode != NOT_MEASURED)
			return true;
	}
	return false;
}

static void on_timer(uv_timer_t *timer);

static void timer_at(struct lookup_state *state, int64_t after_start_us)
{
	int64_t wait_us = state->started_us + after_start_us - os_monotonic_us();
	uv_update_time(state->resolver->loop);
	uv_timer_start(&state->timer, on_timer, wait_us > 0 ? (uint64_t)((wait_us + 999) / 1000) : 0, 0);
}

static void on_literal(struct lookup_state *state)
{
	struct address address;
	char text[ADDRESS_TEXT_BYTES];
	address_parse(state->lookup.name, &address);
	address_offer(state, arena_strdup(arena_of(state), address_format(&address, text)), true);
	end(state);
}

static void on_timer(uv_timer_t *timer)
{
	struct lookup_state *state = timer->data;
	int64_t timeout_us = state->options.timeout_us;
	switch (state->phase) {
	case PHASE_LITERAL:
		on_literal(state);
		return;
	case PHASE_LISTENING:
		state->phase = PHASE_SILENCE_SEEN;
		ask_contrasts(state, NULL);
		end_if_all_said(state);
		if (!state->lookup.done)
			timer_at(state, timeout_us);
		return;
	case PHASE_SILENCE_SEEN:
		state->phase = PHASE_SYSTEM_ONLY;
		if (state->job && has_any_reply(state))
			timer_at(state, timeout_us * SYSTEM_TIMES_ALLOWED);
		else if (state->job)
			system_job_abandon(state->job, FAILURE_TIMEOUT);
		return;
	case PHASE_SYSTEM_ONLY:
		if (state->job)
			system_job_abandon(state->job, FAILURE_TIMEOUT);
		return;
	}
}

/* ------------------------------------------------------------------ the start */

static void ask_server(struct lookup_state *state, const char *server, bool control)
{
	static const char *const types[] = {"A", "AAAA"};
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct dns_contrast wording = {
			.server = server, .transport = "udp", .type = types[i], .edns_bytes = DNS_EDNS_BYTES};
		ask(state, &wording, control, state->options.timeout_us);
	}
}

static void ask_system(struct lookup_state *state)
{
	struct resolver *resolver = state->resolver;
	state->system = report_add_observation(resolver->report, OP_SYSTEM_LOOKUP);
	state->system->lookup.name = state->lookup.name;
	state->system->experiment = state->options.experiment;
	state->open++;
	state->job = system_job_start(resolver->loop, arena_of(state), state->system, resolver->run_started_us,
				      on_system_done, state);
}

static bool is_repeated(const struct text_list *servers, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (strcmp(servers->items[i], servers->items[index]) == 0)
			return true;
	return false;
}

static void ask_everyone(struct lookup_state *state)
{
	struct resolver *resolver = state->resolver;
	if (resolver->system_lookup)
		ask_system(state);
	for (size_t i = 0; i < resolver->servers.count; i++)
		if (!is_repeated(&resolver->servers, i))
			ask_server(state, resolver->servers.items[i], false);
	if (resolver->control)
		ask_server(state, resolver->control, true);
}

void resolver_use(struct resolver *resolver, const char *const *given)
{
	struct arena *arena = resolver->report->arena;
	char servers[RESOLVERS_MAX][64];
	size_t count = given ? 0 : os_resolvers(servers, RESOLVERS_MAX);
	resolver->system_lookup = !given;
	for (size_t i = 0; given && given[i]; i++)
		text_list_add(arena, &resolver->servers, given[i]);
	for (size_t i = 0; i < count; i++)
		text_list_add(arena, &resolver->servers, arena_strdup(arena, servers[i]));
}

struct lookup *lookup_start_with(struct resolver *resolver, const struct lookup_options *options)
{
	struct lookup_state *state = arena_alloc(resolver->report->arena, sizeof(*state));
	struct address literal;
	state->lookup.name = arena_strdup(resolver->report->arena, options->name);
	state->resolver = resolver;
	state->options = *options;
	if (!options->timeout_us)
		state->options.timeout_us = resolver->timeout_us;
	state->next_open = resolver->open;
	resolver->open = &state->lookup;
	state->started_us = os_monotonic_us();
	state->phase = PHASE_LISTENING;
	uv_timer_init(resolver->loop, &state->timer);
	state->timer.data = state;
	if (address_parse(options->name, &literal))
		state->phase = PHASE_LITERAL;
	else
		ask_everyone(state);
	timer_at(state, state->open ? state->options.timeout_us / SILENCE_PARTS : 0);
	return &state->lookup;
}

struct lookup *lookup_start(struct resolver *resolver, const char *name, lookup_address_cb address, lookup_done_cb done,
			    void *user)
{
	struct lookup_options options = {.name = name, .address = address, .done = done, .user = user};
	return lookup_start_with(resolver, &options);
}

void lookups_cut(struct resolver *resolver, enum failure failure)
{
	while (resolver->open)
		lookup_cancel(resolver->open, failure);
}

void lookup_cancel(struct lookup *lookup, enum failure failure)
{
	struct lookup_state *state = state_of(lookup);
	if (lookup->done)
		return;
	state->cancelled = true;
	if (!state->settled)
		state->lookup.failure = failure;
	for (size_t i = 0; i < state->asked_count; i++)
		if (state->asked[i]->question)
			dns_question_cancel(state->asked[i]->question, failure);
	if (state->job)
		system_job_abandon(state->job, failure);
	end(state);
}
