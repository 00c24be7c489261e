#include "probe/core/timestamp.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { DAY_MS = 86400000, ERA_DAYS = 146097, ERA_YEARS = 400 };

/* Days from 1970-01-01, counted in eras of 400 years that begin on 1 March, so that the leap day comes last. */
static int64_t days_from_date(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - (ERA_YEARS - 1)) / ERA_YEARS;
	int64_t year_of_era = y - era * ERA_YEARS;
	int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * ERA_DAYS + day_of_era - 719468;
}

static void date_from_days(int64_t days, struct moment *out)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - (ERA_DAYS - 1)) / ERA_DAYS;
	int64_t day_of_era = days - era * ERA_DAYS;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month = (5 * day_of_year + 2) / 153;
	out->day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
	out->month = (int)(month < 10 ? month + 3 : month - 9);
	out->year = (int)(year_of_era + era * ERA_YEARS + (out->month <= 2));
}

bool moment_from_unix_ms(int64_t at_ms, struct moment *out)
{
	static const int64_t first_ms = -62167219200000, last_ms = 253402300799999;
	if (at_ms < first_ms || at_ms > last_ms)
		return false;
	int64_t days = at_ms / DAY_MS;
	int64_t rest = at_ms % DAY_MS;
	if (rest < 0) {
		rest += DAY_MS;
		days--;
	}
	date_from_days(days, out);
	out->millisecond = (int)(rest % 1000);
	out->second = (int)(rest / 1000 % 60);
	out->minute = (int)(rest / 60000 % 60);
	out->hour = (int)(rest / 3600000);
	return true;
}

char *timestamp_format(int64_t at_ms, char *text)
{
	struct moment m;
	if (!moment_from_unix_ms(at_ms, &m))
		return NULL;
	snprintf(text, TIMESTAMP_TEXT_BYTES, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", (unsigned)m.year % 10000,
		 (unsigned)m.month % 100, (unsigned)m.day % 100, (unsigned)m.hour % 100, (unsigned)m.minute % 100,
		 (unsigned)m.second % 100, (unsigned)m.millisecond % 1000);
	return text;
}

/* Exactly count decimal digits at *text, which moves on; -1 if they are not there. */
static int take_digits(const char **text, int count)
{
	int value = 0;
	for (int i = 0; i < count; i++, (*text)++) {
		if (**text < '0' || **text > '9')
			return -1;
		value = value * 10 + (**text - '0');
	}
	return value;
}

static bool take_char(const char **text, char wanted)
{
	if (**text != wanted)
		return false;
	(*text)++;
	return true;
}

static bool take_date(const char **text, struct moment *m)
{
	m->year = take_digits(text, 4);
	if (m->year < 0 || !take_char(text, '-'))
		return false;
	m->month = take_digits(text, 2);
	if (m->month < 1 || m->month > 12 || !take_char(text, '-'))
		return false;
	m->day = take_digits(text, 2);
	return m->day >= 1 && m->day <= 31 && take_char(text, 'T');
}

static bool take_time(const char **text, struct moment *m)
{
	m->hour = take_digits(text, 2);
	if (m->hour < 0 || m->hour > 23 || !take_char(text, ':'))
		return false;
	m->minute = take_digits(text, 2);
	if (m->minute < 0 || m->minute > 59 || !take_char(text, ':'))
		return false;
	m->second = take_digits(text, 2);
	return m->second >= 0 && m->second <= 59;
}

static bool take_fraction(const char **text, struct moment *m)
{
	m->millisecond = 0;
	if (!take_char(text, '.'))
		return true;
	size_t digits = strspn(*text, "0123456789");
	int weight = 100;
	for (size_t i = 0; i < digits; i++, weight /= 10)
		m->millisecond += ((*text)[i] - '0') * weight;
	*text += digits;
	return digits > 0;
}

bool timestamp_parse(const char *text, int64_t *at_ms)
{
	struct moment m;
	if (!take_date(&text, &m) || !take_time(&text, &m) || !take_fraction(&text, &m) || strcmp(text, "Z") != 0)
		return false;
	int64_t days = days_from_date(m.year, m.month, m.day);
	struct moment back;
	date_from_days(days, &back);
	/* the 31st of a shorter month turns into another date */
	if (back.day != m.day || back.month != m.month)
		return false;
	*at_ms = days * DAY_MS + m.hour * 3600000LL + m.minute * 60000LL + m.second * 1000LL + m.millisecond;
	return true;
}
