#include "probe/engine/legs.h"

#include <string.h>

#include "probe/core/arena.h"
#include "probe/engine/system_trust.h"

/*
 * Signing in at a proxy. The first trial that meets a 407 is the pilot: it tries each scheme that the proxy offers and the leg's
 * credentials can do, one worker thread each (Kerberos may block), once. All other trials of the same proxy wait for what comes of it:
 * fourteen targets with a wrong password must not be fourteen failed sign-ins, which lock an account.
 */

/* What our credentials can do: a given user and password all but Negotiate, which takes the identity's own; these what the system lends. */
static bool scheme_is_usable(enum proxy_auth scheme, enum credentials credentials)
{
	switch (scheme) {
	case PROXY_AUTH_NEGOTIATE:
		return credentials == CREDENTIALS_OWN;
	case PROXY_AUTH_NTLM:
		return credentials == CREDENTIALS_GIVEN ||
		       (credentials == CREDENTIALS_OWN && proxy_auth_has_own(scheme));
	case PROXY_AUTH_BASIC:
	case PROXY_AUTH_DIGEST:
		return credentials == CREDENTIALS_GIVEN;
	case PROXY_AUTH_NONE:
		break;
	}
	return false;
}

/* Like Basic, SOCKS5's "username/password" (RFC 1929) is the plain user and password. */
static bool offers(const struct text_list *schemes, enum proxy_auth scheme)
{
	for (size_t i = 0; i < schemes->count; i++)
		if (strcmp(schemes->items[i], proxy_auth_text(scheme)) == 0 ||
		    (scheme == PROXY_AUTH_BASIC && strcmp(schemes->items[i], SOCKS_SIGN_IN) == 0))
			return true;
	return false;
}

bool login_is_wanted(struct arena *arena, const struct transfer_result *result)
{
	const struct observation_list *list = &result->observations;
	struct observation *last = list->count ? list->items[list->count - 1] : NULL;
	if (!last || last->op != OP_PROXY_EXCHANGE || last->failure != FAILURE_SOCKS_REFUSED ||
	    last->proxy.auth_tried || !last->proxy.auth_problem)
		return result->proxy_wants_auth;
	if (!last->proxy.schemes.count)
		text_list_add(arena, &last->proxy.schemes, SOCKS_SIGN_IN);
	return true;
}

static struct login *login_of(struct trial *trial)
{
	struct run *run = trial->run;
	const struct leg *leg = trial->leg->leg;
	const char *via = via_format(run->report->arena, &leg->via);
	for (struct login *login = run->logins; login; login = login->next)
		if (login->credentials == leg->credentials && strcmp(login->via, via) == 0)
			return login;
	struct login *login = arena_alloc(run->report->arena, sizeof(*login));
	login->via = via;
	login->credentials = leg->credentials;
	login->next = run->logins;
	run->logins = login;
	return login;
}

static struct transfer_spec signed_spec(const struct trial *trial, enum proxy_auth scheme)
{
	struct transfer_spec spec = trial_spec(trial, trial->url);
	spec.auth = scheme;
	if (trial->leg->leg->credentials == CREDENTIALS_GIVEN) {
		spec.user = trial->run->options->proxy_user;
		spec.password = trial->run->options->proxy_password;
	}
	return spec;
}

static void on_signed(struct worker *worker, const struct transfer_result *result, void *user)
{
	struct trial *trial = user;
	struct transfer_result copy = *result;
	(void)worker;
	trial->worker = NULL;
	trial_take(trial, &copy);
	trial_after(trial, &copy);
}

bool login_transfer(struct trial *trial)
{
	if (!trial->login || trial->login->state != LOGIN_ACCEPTED)
		return false;
	struct transfer_spec spec = signed_spec(trial, trial->login->scheme);
	trial->worker = worker_start(&trial->run->pool_options, &spec, on_signed, trial);
	return true;
}

/* The refusal that the pilot met counts for this trial too. */
static void end_refused(struct trial *trial, enum failure failure)
{
	struct arena *arena = trial->run->report->arena;
	const struct observation_list *refusals = &trial->login->refusals;
	const struct path_list *paths = &trial->leg->leg->paths;
	for (size_t i = 0; i < refusals->count; i++) {
		struct observation *observation = refusals->items[i];
		for (size_t k = 0; k < paths->count; k++)
			if (!path_list_has(&observation->paths, paths->items[k]))
				path_list_add(arena, &observation->paths, paths->items[k]);
		observation_list_add(arena, &trial->observations, observation);
	}
	trial_end(trial, failure);
}

static void release_waiting(struct login *login)
{
	struct trial *waiting = login->waiting;
	login->waiting = NULL;
	while (waiting) {
		struct trial *next = waiting->next_waiting;
		if (login->state == LOGIN_ACCEPTED && waiting->run->ending == FAILURE_NONE)
			login_transfer(waiting);
		else if (waiting->run->ending != FAILURE_NONE)
			trial_end(waiting, waiting->run->ending);
		else
			end_refused(waiting, waiting->failure);
		waiting = next;
	}
}

/* Every try of the pilot has ended: its observations in the order refused first, so that the last one says how it stands. */
static void pilot_end(struct login *login)
{
	struct trial *pilot = login->pilot;
	struct arena *arena = pilot->run->report->arena;
	struct transfer_result result = {.failure = pilot->failure};
	if (login->state == LOGIN_TRYING)
		login->state = LOGIN_REFUSED;
	for (int accepted = 0; accepted <= 1; accepted++)
		for (size_t i = 0; i < AUTH_SCHEMES; i++) {
			const struct observation_list *list = &login->tries[i].observations;
			if (login->tries[i].accepted != (accepted == 1))
				continue;
			for (size_t k = 0; k < list->count; k++) {
				observation_list_add(arena, &pilot->observations, list->items[k]);
				if (!accepted && list->items[k]->op == OP_PROXY_EXCHANGE)
					observation_list_add(arena, &login->refusals, list->items[k]);
			}
			if (list->count)
				result = login->tries[i].result;
		}
	login->pilot = NULL;
	if (!system_trust_is_asked(pilot, &result))
		trial_end(pilot, result.failure);
	release_waiting(login);
}

static void on_try(struct worker *worker, const struct transfer_result *result, void *user)
{
	struct login *login = user;
	struct trial *pilot = login->pilot;
	size_t scheme = 0;
	while (scheme < AUTH_SCHEMES && login->tries[scheme].worker != worker)
		scheme++;
	struct observation_list kept = pilot->observations;
	struct transfer_result copy = *result;
	pilot->observations = (struct observation_list){0};
	trial_take(pilot, &copy);
	login->tries[scheme].worker = NULL;
	login->tries[scheme].observations = pilot->observations;
	login->tries[scheme].result = copy;
	login->tries[scheme].accepted = copy.stage == STAGE_NONE || copy.stage > STAGE_PROXY;
	pilot->observations = kept;
	login->open--;
	if (login->tries[scheme].accepted && login->state == LOGIN_TRYING) {
		login->state = LOGIN_ACCEPTED;
		login->scheme = (enum proxy_auth)scheme;
		release_waiting(login);
	}
	if (!login->open)
		pilot_end(login);
}

static void pilot_start(struct login *login, struct trial *trial, const struct text_list *schemes)
{
	login->state = LOGIN_TRYING;
	login->pilot = trial;
	for (size_t i = 0; i < AUTH_SCHEMES; i++) {
		enum proxy_auth scheme = (enum proxy_auth)i;
		if (!scheme_is_usable(scheme, login->credentials) || !offers(schemes, scheme))
			continue;
		struct transfer_spec spec = signed_spec(trial, scheme);
		login->open++;
		login->tries[i].worker = worker_start(&trial->run->pool_options, &spec, on_try, login);
	}
	if (login->open)
		return;
	login->state = LOGIN_UNTRIED; /* nothing that we have fits: the next trial may meet another offer */
	login->pilot = NULL;
	trial_end(trial, trial->failure);
}

void login_ask(struct trial *trial, const struct text_list *schemes, enum failure failure)
{
	struct login *login = login_of(trial);
	trial->login = login;
	trial->failure = failure;
	switch (login->state) {
	case LOGIN_UNTRIED:
		pilot_start(login, trial, schemes);
		break;
	case LOGIN_TRYING:
		trial->next_waiting = login->waiting;
		login->waiting = trial;
		break;
	case LOGIN_ACCEPTED:
		login_transfer(trial);
		break;
	case LOGIN_REFUSED:
		end_refused(trial, failure);
		break;
	}
}

void login_cut(struct run *run, enum failure failure)
{
	for (struct login *login = run->logins; login; login = login->next) {
		if (login->state != LOGIN_TRYING && !login->pilot)
			continue;
		for (size_t i = 0; i < AUTH_SCHEMES; i++)
			if (login->tries[i].worker)
				worker_cancel(login->tries[i].worker, failure);
	}
}
