/* How far this machine's clock is from those of the servers that answered. */

#include "probe/core/evidence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/core/timestamp.h"
#include "probe/core/url.h"

enum {
	AGREE_WITHIN_MS = 60 * 1000,
	HALF_SECOND_MS = 500,
	WITNESSES_MAX = 256,
	AGE_NARROW_S = 300,
	AGE_MAX_S = 366 * 24 * 3600
};

/** What one responder says. */
struct witness {
	const char *who; /* an address, or behind a proxy the origin's name */
	int64_t offset_ms;
};

/** Unix milliseconds of an IMF-fixdate, "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7); the two obsolete forms are not
 *  read: a witness less is no harm. */
static bool parse_http_date(const char *text, int64_t *out_ms)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char month[4], timestamp[TIMESTAMP_TEXT_BYTES];
	unsigned day = 0, year = 0;
	char clock[9];
	int end = 0;
	if (!text ||
	    sscanf(text, "%*3[A-Za-z], %2u %3[A-Za-z] %4u %8[0-9:] GMT%n", &day, month, &year, clock, &end) != 4)
		return false;
	const char *found = strlen(month) == 3 ? strstr(months, month) : NULL;
	if (end == 0 || text[end] || !found || (found - months) % 3 != 0)
		return false;
	snprintf(timestamp, sizeof(timestamp), "%04u-%02u-%02uT%sZ", year % 10000, (unsigned)(found - months) / 3 + 1,
		 day % 100, clock);
	return timestamp_parse(timestamp, out_ms) && *out_ms >= 0;
}

/** Seconds that a cache has held the answer (RFC 9111 5.1): its Date is that much in the past. */
static int64_t header_age_s(const struct header_list *headers)
{
	const char *text = header_find(headers, "age");
	char *end = NULL;
	long long age = text ? strtoll(text, &end, 10) : 0;
	return text && end != text && *end == '\0' && age > 0 && age <= AGE_MAX_S ? age : 0;
}

/** Whose clock wrote the headers: behind a tunnel the address is the proxy's, so the origin goes by its name there. */
static const char *responder(struct arena *arena, const struct observation *observation)
{
	const struct path *path = observation->paths.count ? observation->paths.items[0] : NULL;
	struct url url;
	if (observation->op == OP_PROXY_EXCHANGE)
		return observation->proxy.tuple.dst;
	bool direct = !path || !path->route.via || strcmp(path->route.via, "DIRECT") == 0;
	if (direct || observation->http.by_proxy || !url_parse(arena, observation->http.url, &url))
		return observation->http.tuple.dst;
	return url.host;
}

static const struct header_list *headers_of(const struct observation *observation)
{
	if (observation->op == OP_PROXY_EXCHANGE)
		return &observation->proxy.headers;
	return observation->op == OP_HTTP_EXCHANGE ? &observation->http.headers : NULL;
}

/**
 * Of a cached answer Date is when the origin made it (RFC 9111 5.1), but many delivery networks write a new one and the Age beside it: then the
 * clock may be anything between the two. What accuses this machine least counts; a wide range around its own clock says nothing (false).
 */
static bool set_offset(struct witness *out, int64_t by_date_ms, int64_t age_s)
{
	int64_t by_age_ms = by_date_ms - age_s * 1000;
	out->offset_ms = by_date_ms < 0 ? by_date_ms : by_age_ms > 0 ? by_age_ms : 0;
	if (age_s == 0)
		out->offset_ms = by_date_ms;
	return out->offset_ms != 0 || age_s <= AGE_NARROW_S;
}

/** What the observation says about the clock; false if nothing. */
static bool read_witness(const struct report *report, const struct observation *observation, struct witness *out)
{
	const struct header_list *headers = headers_of(observation);
	int64_t date_ms = 0;
	if (!headers || !parse_http_date(header_find(headers, "date"), &date_ms))
		return false;
	out->who = responder(report->arena, observation);
	/* ours: the middle of the exchange; theirs: a Date is cut to whole seconds */
	int64_t ours_ms = report->run.started_at_ms + (observation->start_us + observation->duration_us / 2) / 1000;
	return set_offset(out, ours_ms - (date_ms + HALF_SECOND_MS), header_age_s(headers)) && out->who != NULL;
}

static size_t collect_witnesses(const struct report *report, struct witness witnesses[WITNESSES_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i < report->observations.count && count < WITNESSES_MAX; i++) {
		if (!read_witness(report, report->observations.items[i], &witnesses[count]))
			continue;
		size_t known = 0;
		while (strcmp(witnesses[known].who, witnesses[count].who) != 0)
			known++;
		if (known == count)
			count++;
	}
	return count;
}

static int compare_offsets(const void *a, const void *b)
{
	int64_t left = ((const struct witness *)a)->offset_ms, right = ((const struct witness *)b)->offset_ms;
	return (left > right) - (left < right);
}

static int64_t median(const struct witness *witnesses, size_t count)
{
	int64_t low = witnesses[(count - 1) / 2].offset_ms, high = witnesses[count / 2].offset_ms;
	return low + (high - low) / 2;
}

void report_measure_clock(struct report *report)
{
	struct witness witnesses[WITNESSES_MAX];
	size_t count = collect_witnesses(report, witnesses), best = 0;
	int64_t offset_ms = 0;
	qsort(witnesses, count, sizeof(witnesses[0]), compare_offsets);
	for (size_t first = 0, end = 0; first < count; first++) {
		while (end < count && witnesses[end].offset_ms - witnesses[first].offset_ms <= AGREE_WITHIN_MS)
			end++;
		int64_t middle = median(witnesses + first, end - first);
		/* of groups of the same size the one that accuses this machine least */
		if (end - first > best || (end - first == best && llabs(middle) < llabs(offset_ms))) {
			best = end - first;
			offset_ms = middle;
		}
	}
	report->host.clock_offset_ms = offset_ms;
	report->host.clock_witnesses = (int)best;
	report->host.clock_source = best ? "http-date" : NULL;
}
