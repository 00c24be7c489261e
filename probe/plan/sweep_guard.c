#include "probe/plan/sweep_guard.h"

enum { SUSPICIOUS = 6, KNOWN_LEAST = 8, PAUSE_US = 3 * 1000 * 1000, LONG_PAUSE_US = 10 * 1000 * 1000 };
/* Of GUARD_CHECKS: a way that loses one packet in five lets so many pass once in seven times only. */
enum { CHECKS_WELL = 15, CHECKS_DEAD = 3, PAUSES_MAX = 2 };
enum { LATER_LEAST = 8, LATER_SHARE = 4 }; /* of those who answered: one in so many only when asked again */

void guard_known(struct sweep_guard *guard, uint32_t number)
{
	/* later ones take the place of earlier ones, but not of all: some must be from before anything could happen */
	unsigned place = guard->known_count < GUARD_KNOWN_MAX ? guard->known_count++
							      : GUARD_KNOWN_MAX / 2 + number % (GUARD_KNOWN_MAX / 2);
	guard->known[place] = number;
}

static uint32_t next_known(struct sweep_guard *guard)
{
	return guard->known[guard->known_next++ % guard->known_count];
}

bool guard_wants_control(struct sweep_guard *guard, uint32_t *out)
{
	if (guard->known_count < KNOWN_LEAST || ++guard->sent < GUARD_EVERY)
		return false;
	guard->sent = 0;
	*out = next_known(guard);
	return true;
}

static unsigned failures(const struct sweep_guard *guard)
{
	return (unsigned)__builtin_popcount(guard->recent & ((1u << GUARD_WINDOW) - 1));
}

static enum guard_answer suspect(struct sweep_guard *guard)
{
	guard->checked = guard->answered = 0;
	return GUARD_SUSPECT;
}

enum guard_answer guard_control(struct sweep_guard *guard, bool answered)
{
	guard->recent = guard->recent << 1 | !answered;
	guard->seen++;
	if (guard->seen < GUARD_WINDOW || failures(guard) < guard->usual + SUSPICIOUS)
		return GUARD_FINE;
	return suspect(guard);
}

enum guard_answer guard_round(struct sweep_guard *guard, int64_t first, int64_t later)
{
	bool many = later >= LATER_LEAST && later * LATER_SHARE >= first + later;
	if (!many || guard->known_count < KNOWN_LEAST || guard->usual)
		return GUARD_FINE;
	return suspect(guard);
}

void guard_forget(struct sweep_guard *guard)
{
	guard->seen = guard->recent = 0;
}

int64_t guard_pause_us(const struct sweep_guard *guard)
{
	return guard->pauses ? LONG_PAUSE_US : PAUSE_US;
}

uint32_t guard_check_whom(struct sweep_guard *guard)
{
	return next_known(guard);
}

bool guard_checks_done(const struct sweep_guard *guard)
{
	return guard->checked == GUARD_CHECKS;
}

enum guard_answer guard_checked(struct sweep_guard *guard, bool answered)
{
	guard->checked++;
	guard->answered += answered;
	if (!guard_checks_done(guard))
		return GUARD_FINE;
	if (guard->answered >= CHECKS_WELL)
		return GUARD_RATE_LIMITED;
	if (guard->answered <= CHECKS_DEAD && ++guard->pauses < PAUSES_MAX)
		return suspect(guard);
	if (guard->answered <= CHECKS_DEAD)
		return GUARD_SILENCED;
	/* slowly or fast, some get lost: that is the way's */
	guard->usual = failures(guard) + 1;
	guard->seen = guard->recent = 0;
	return GUARD_FINE;
}
