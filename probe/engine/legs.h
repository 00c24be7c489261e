#ifndef MARSPROBE_ENGINE_LEGS_H
#define MARSPROBE_ENGINE_LEGS_H

/* One run of the engine from the inside: legs (traffic shared by several paths), their trials (one address each), and the proxy
 * sign-ins that trials share. Everything here lives on the loop's thread. */

#include <uv.h>

#include "probe/engine/connect.h"
#include "probe/engine/engine.h"
#include "probe/engine/interrupts.h"
#include "probe/engine/resolve.h"
#include "probe/engine/transfer.h"

enum { AUTH_SCHEMES = PROXY_AUTH_NEGOTIATE + 1, REDIRECTS_MAX = 8, SAMPLES_PER_CIDR = 4 };

struct run;
struct leg_state;
struct login;
struct proxy_watch;
struct wrong_address;
struct chain_question;
struct stack_check;
struct dns_experiments;
struct named_source;
struct system_proxy;
struct experiments;

/** One address of a leg, tried on its own. */
struct trial {
	struct run *run;
	struct leg_state *leg;
	const char *address;
	enum found_by found_by;
	int64_t started_at_ms, ended_at_ms;
	enum failure failure;
	struct observation_list observations;
	struct { /* where the paths without credentials ended: at the proxy's wish for a sign-in */
		bool ended;
		int64_t ended_at_ms;
		enum failure failure;
		struct observation_list observations;
	} unsigned_end;
	bool begun, ended;
	int redirects;
	const char *url; /* of its last transfer; NULL: the target's own */
	struct {	 /* the system's own judgement of a chain that we refused (system_trust.h) */
		bool asked;
		struct transfer_result result; /* what stays if it agrees */
		struct trial *next;
	} second_opinion;
	struct transfer *transfer; /* what is under way: at most one of these, and the workers of a sign-in */
	struct connect_probe *probe;
	struct worker *worker;
	struct login *login;
	struct trial *next_queued;
	struct trial *next_waiting;
};

/** A name and everybody who waits for its addresses. */
struct name_state {
	struct run *run;
	struct lookup *lookup;
	struct leg_state **legs;
	size_t leg_count, leg_capacity;
};

struct leg_state {
	struct run *run;
	struct leg *leg;
	struct name_state *name;	/* the first hop's name; NULL for a CIDR */
	struct name_state *target_name; /* SOCKS4 and SOCKS5 only: the target's name, which is resolved here */
	struct trial **trials;
	size_t trial_count, trial_capacity, trials_open;
	size_t chains_open; /* that the system still judges */
	bool done;
};

/** The sign-in at one proxy with one kind of credentials: tried once, by the first trial that meets a 407, and shared. */
struct login {
	struct login *next;
	const char *via;
	enum credentials credentials;
	enum { LOGIN_UNTRIED, LOGIN_TRYING, LOGIN_ACCEPTED, LOGIN_REFUSED } state;
	enum proxy_auth scheme; /* accepted */
	struct trial *pilot;
	struct {
		struct login *login;
		struct worker *worker;
		struct observation_list observations;
		bool accepted;
		struct transfer_result result;
	} tries[AUTH_SCHEMES];
	size_t open;
	struct trial *waiting;
	struct observation_list refusals;
};

struct run {
	uv_loop_t loop;
	struct report *report;
	struct plan *plan;
	const struct engine_options *options;
	int64_t started_us; /* os_monotonic_us() */
	struct resolver resolver;
	struct trust trust;
	struct transfer_pool_options pool_options;
	struct transfer_pool *pool;
	struct leg_state **legs;
	size_t leg_count, leg_capacity, legs_done;
	struct name_state **names;
	size_t name_count, name_capacity;
	struct login *logins;
	struct proxy_watch *proxies;
	size_t contrasts_open;			 /* extra requests that are under way */
	struct wrong_address *wrong_address;	 /* made once (plan/wrong_address.h), or NULL */
	struct experiments *experiments;	 /* NULL where none are to be made */
	struct dns_experiments *dns_experiments; /* NULL without experiments */
	size_t dns_experiments_open;
	struct chain_question *chain_questions;
	unsigned chains_asked;		   /* threads that the system's chain engine has */
	struct named_source *sources;	   /* PAC scripts */
	size_t questions_open;		   /* routes that scripts have not decided yet */
	struct system_proxy *system_proxy; /* while the system is asked the same */
	struct stack_check *stack_checks;
	size_t stack_checks_open;
	unsigned stack_threads;
	bool stack_healthy; /* one target that works was asked for by the system's own client too */
	struct trial *queue_head, *queue_tail;
	unsigned in_flight, parallel; /* attempts: under way, and how many may be */
	enum failure ending;	      /* NONE while the run goes on; else why it is being cut short */
	uv_timer_t deadline_timer, progress_timer, samples_timer;
	uv_signal_t signals[INTERRUPTS];
	bool system_open; /* the process that runs as SYSTEM has not answered yet */
};

/** Make the states of all legs, start their look-ups and samples. */
void legs_start(struct run *run);
/** Cut everything short: what is open is recorded with that failure, what was not begun too; all legs are done afterwards. */
void legs_cut(struct run *run, enum failure failure);

/** If nothing of the leg is open any more: write its attempts, count it done, and send the paths on whose proxy did not let itself be
 *  reached. */
void leg_check(struct leg_state *leg);
/** A path has joined this leg of the plan now that others may be under way: begin it, or let the path share what was seen. */
void legs_join(struct run *run, struct leg *leg, struct path *path);

/** The first address found so far for a name that the run asks for; NULL: none. */
const char *run_address_of(const struct run *run, const char *host);

/** Queue one more address of a leg; it begins as soon as --parallel allows. */
void trial_add(struct leg_state *leg, const char *address, enum found_by found_by);
/** Cut one trial short, whatever it is doing; not while it waits for a sign-in of another trial (login_cut() does that). */
void trial_cut(struct trial *trial, enum failure failure);
/** Add what an experiment's transfer saw to the report, as seen for these paths. The text is static. */
void experiment_take(struct run *run, const struct transfer *transfer, const char *experiment,
		     const struct path_list *paths);
/** Add a finished trial step to the trial: observations get their ids and paths. */
void trial_take(struct trial *trial, const struct transfer_result *result);
/** End a trial: failure is what stays of it. */
void trial_end(struct trial *trial, enum failure failure);
/** Make the trial's next transfer, for a URL on the target's host (NULL: its own): with the sign-in that its proxy accepted, if there is one. */
void trial_transfer(struct trial *trial, const char *url);
/** Decide what follows after a transfer or a sign-in that was answered. */
void trial_after(struct trial *trial, const struct transfer_result *result);
/** The spec of a trial's transfer without credentials. */
struct transfer_spec trial_spec(const struct trial *trial, const char *url);

/** A trial met a 407 and its leg may offer credentials: sign in (once per proxy), then go on or end. */
void login_ask(struct trial *trial, const struct text_list *schemes, enum failure failure);
/** Did the proxy ask for a sign-in: by 407, or as a SOCKS5 server that takes nobody without one (its last exchange then gets that scheme)? */
bool login_is_wanted(struct arena *arena, const struct transfer_result *result);
/** Make a transfer for trial->url with the sign-in that was accepted; false where there is none. */
bool login_transfer(struct trial *trial);
/** Cut every sign-in short. */
void login_cut(struct run *run, enum failure failure);

/** A trial through a proxy begins: watch what becomes of it, for the contrasts at that proxy. */
void proxy_contrast_begin(struct trial *trial);
/** What a trial has seen of its proxy. Contrasts that it calls for begin at once. */
void proxy_contrast_note(struct trial *trial, const struct transfer_result *result);
/** Cut the contrasts at all proxies short. */
void proxy_contrast_cut(struct run *run, enum failure failure);

/** What a trial has seen without a proxy: it may call for the one request that shows a hidden one. */
void wrong_address_note(struct trial *trial, const struct transfer_result *result);
/** Cut it short. */
void wrong_address_cut(struct run *run, enum failure failure);

/** Write down what is known of this machine: interfaces, default routes, resolvers, hosts-file entries of the names that are asked for. */
void local_facts_record(struct run *run);
/** Add one observation of this machine, seen now; fact and state are static texts. It is the report's last one then. */
struct local_fact *local_fact_add(struct run *run, const char *fact, const char *subject, const char *state);

#endif
