/* Helper functions about the time (wininet.md 4.3). Where Windows has nothing in writing, they do what Chromium and Mozilla share, whose ranges
 * are built by setting parts of a date one after another. With 'GMT', all of "now" is UTC; theirs mixes it with local parts at month's end. */
#include "probe/settings/pac_inside.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "probe/core/timestamp.h"

enum { DAYS_OF_WEEK = 7, MONTHS = 12, ERA_DAYS = 146097, EPOCH_DAYS = 719468, HOUR_S = 3600, MINUTE_S = 60 };

static const char weekdays[] = "SUNMONTUEWEDTHUFRISAT", months[] = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC";

/* ------------------------------------------------------------------ now */

struct now {
	int year, month, day, weekday, hour, minute, second; /* month and weekday from 0 */
};

static void read_now(const struct pac_world *world, bool utc, struct now *out)
{
	time_t seconds = world->now_ms ? (time_t)(world->now_ms / 1000) : time(NULL);
	const struct tm *parts = utc ? gmtime(&seconds) : localtime(&seconds);
	*out = (struct now){.year = 1970};
	if (parts)
		*out = (struct now){parts->tm_year + 1900, parts->tm_mon, parts->tm_mday, parts->tm_wday,
				    parts->tm_hour,	   parts->tm_min, parts->tm_sec};
}

/* ------------------------------------------------------------------ arguments */

/* Is the last argument 'GMT'? It counts no more then. */
static bool take_gmt(duk_context *duk, duk_idx_t *count)
{
	struct pac_word last = pac_argument(duk, *count - 1, *count);
	bool gmt = last.length == 3 && memcmp(last.bytes, "GMT", 3) == 0;
	*count -= gmt;
	return gmt;
}

/* The place of a name in a list of names of three letters, with case; -1 if it is none. */
static int place_of(struct pac_word name, const char *names)
{
	for (int i = 0; name.length == 3 && names[3 * i]; i++)
		if (memcmp(name.bytes, names + 3 * (size_t)i, 3) == 0)
			return i;
	return -1;
}

/* Where isnan() is a macro it may lose bits on the way, and compilers warn. */
static bool is_nan(double number)
{
	return !(number < 0) && !(number >= 0);
}

/* parseInt(): the number that the text begins with; NaN if it begins with none. */
static double parse_int(struct pac_word text)
{
	size_t at = 0;
	while (at < text.length && text.bytes[at] != '\0' && strchr(" \t\r\n\v\f", text.bytes[at]))
		at++;
	bool negative = at < text.length && text.bytes[at] == '-';
	at += at < text.length && (text.bytes[at] == '-' || text.bytes[at] == '+');
	size_t first = at;
	double value = 0;
	for (; at < text.length && text.bytes[at] >= '0' && text.bytes[at] <= '9'; at++)
		value = value * 10 + (text.bytes[at] - '0');
	if (at == first)
		return (double)NAN;
	return negative ? -value : value;
}

/* ------------------------------------------------------------------ weekdayRange */

/* weekdayRange(day [, day] [, 'GMT']): wraps, SAT..WED. An unknown name, and no argument, is false. */
void pac_weekday_range(duk_context *duk, duk_idx_t count)
{
	struct now now;
	if (count == 0) {
		duk_push_false(duk);
		return;
	}
	read_now(&pac_of(duk)->world, take_gmt(duk, &count), &now);
	int first = place_of(pac_argument(duk, 0, count), weekdays);
	int last = count == 2 ? place_of(pac_argument(duk, 1, count), weekdays) : first;
	int length = (last - first + DAYS_OF_WEEK) % DAYS_OF_WEEK;
	int passed = (now.weekday - first + DAYS_OF_WEEK) % DAYS_OF_WEEK;
	duk_push_boolean(duk, first >= 0 && last >= 0 && passed <= length);
}

/* ------------------------------------------------------------------ dateRange */

/* A day of the calendar as JavaScript's Date keeps one: setting a part may carry over into the others. month from 0. */
struct date {
	double days; /* since 1970-01-01; NaN: no date */
};

/* Days from 1970-01-01 to any day of any month, the year counted from March (see probe/core/timestamp.c). */
static struct date date_of(double year, double month, double day)
{
	double whole = year + floor(month / MONTHS), within = month - floor(month / MONTHS) * MONTHS;
	double from_march = whole - (within < 2), place = within < 2 ? within + 10 : within - 2;
	if (!(fabs(year) < 1e6 && fabs(month) < 1e6 && fabs(day) < 1e8))
		return (struct date){(double)NAN};
	double era = floor(from_march / 400), year_of_era = from_march - era * 400;
	return (struct date){era * ERA_DAYS + year_of_era * 365 + floor(year_of_era / 4) - floor(year_of_era / 100) +
			     floor((153 * place + 2) / 5) + day - 1 - EPOCH_DAYS};
}

static void date_parts(struct date date, double *year, double *month, double *day)
{
	double days = date.days + EPOCH_DAYS, era = floor(days / ERA_DAYS), in_era = days - era * ERA_DAYS;
	double year_of_era =
		floor((in_era - floor(in_era / 1460) + floor(in_era / 36524) - floor(in_era / (ERA_DAYS - 1))) / 365);
	double in_year = in_era - (365 * year_of_era + floor(year_of_era / 4) - floor(year_of_era / 100));
	double place = floor((5 * in_year + 2) / 153);
	*day = in_year - floor((153 * place + 2) / 5) + 1;
	*month = place < 10 ? place + 2 : place - 10;
	*year = year_of_era + era * 400 + (*month < 2);
}

enum { FIRST_YEAR = 32 }; /* a number below is a day */

/* Set what an argument means: a month's name, a day, a year. A name that is no month goes one before January, as theirs. */
static struct date set_part(struct date date, struct pac_word text, bool *is_day)
{
	double year, month, day, number = parse_int(text);
	date_parts(date, &year, &month, &day);
	if (is_nan(number))
		return date_of(year, place_of(text, months), day);
	*is_day = *is_day || number < FIRST_YEAR;
	return number < FIRST_YEAR ? date_of(year, month, number) : date_of(number, month, day);
}

static bool is_one_date(struct pac_word text, const struct now *now)
{
	double number = parse_int(text);
	if (is_nan(number))
		return place_of(text, months) == now->month;
	return fabs(number - (number < FIRST_YEAR ? now->day : now->year)) < 0.5;
}

static struct date with_month(struct date date, int to)
{
	double year, month, day;
	date_parts(date, &year, &month, &day);
	return date_of(year, to, day);
}

/* Half of the arguments say when it begins, the rest when it ends; both are of this year where they do not say. Wraps: SEP..APR. As with
 * Chromium and Mozilla the end is set from 31 December, so a last month of 30 days takes in the 1st of the next one; and of (day, month) the
 * month is overruled by this one. */
static bool is_in_dates(duk_context *duk, duk_idx_t count, const struct now *now)
{
	struct date first = date_of(now->year, 0, 1), last = date_of(now->year, MONTHS - 1, 31);
	double today = date_of(now->year, now->month, now->day).days;
	bool has_day = false, ignored = false;
	for (duk_idx_t i = 0; i < count / 2; i++)
		first = set_part(first, pac_argument(duk, i, count), &has_day);
	for (duk_idx_t i = count / 2; i < count; i++)
		last = set_part(last, pac_argument(duk, i, count), &ignored);
	if (has_day && count <= 2) {
		first = with_month(first, now->month);
		last = with_month(last, now->month);
	}
	return first.days <= last.days ? first.days <= today && today <= last.days
				       : today <= last.days || first.days <= today;
}

/* dateRange(day | month | year), or two of these in front and two behind ..., [, 'GMT']. */
void pac_date_range(duk_context *duk, duk_idx_t count)
{
	struct now now;
	if (count == 0) {
		duk_push_false(duk);
		return;
	}
	read_now(&pac_of(duk)->world, take_gmt(duk, &count), &now);
	if (count == 1)
		duk_push_boolean(duk, is_one_date(pac_argument(duk, 0, count), &now));
	else
		duk_push_boolean(duk, is_in_dates(duk, count, &now));
}

/* ------------------------------------------------------------------ timeRange */

static double number_argument(duk_context *duk, duk_idx_t index)
{
	duk_dup(duk, index);
	return duk_to_number(duk, -1);
}

/* Seconds since midnight of the hour, minute and second that stand at an index; Date's setters cut decimals off. */
static double time_argument(duk_context *duk, duk_idx_t index, bool has_seconds, double seconds)
{
	double hour = trunc(number_argument(duk, index)), minute = trunc(number_argument(duk, index + 1));
	if (has_seconds)
		seconds = trunc(number_argument(duk, index + 2));
	return hour * HOUR_S + minute * MINUTE_S + seconds;
}

/* timeRange(hour), (hour, hour), (h, m, h, m), (h, m, s, h, m, s) [, 'GMT']. The two last forms wrap over midnight, the second does not: so
 * Chromium and Mozilla. The last hour, and the last minute of the third form, count to their ends. */
void pac_time_range(duk_context *duk, duk_idx_t count)
{
	struct now now;
	if (count == 0) {
		duk_push_false(duk);
		return;
	}
	read_now(&pac_of(duk)->world, take_gmt(duk, &count), &now);
	if (count != 1 && count != 2 && count != 4 && count != 6)
		(void)duk_type_error(duk, "timeRange takes 1, 2, 4 or 6 numbers, not %ld", (long)count);
	if (count <= 2) {
		double first = number_argument(duk, 0), last = count == 2 ? number_argument(duk, 1) : first;
		duk_push_boolean(duk, first <= now.hour && now.hour <= last);
		return;
	}
	bool has_seconds = count == 6;
	double at = now.hour * HOUR_S + now.minute * MINUTE_S + now.second;
	double first = time_argument(duk, 0, has_seconds, 0);
	double last = time_argument(duk, count / 2, has_seconds, MINUTE_S - 1);
	duk_push_boolean(duk, first <= last ? first <= at && at <= last : last >= at || at >= first);
}
