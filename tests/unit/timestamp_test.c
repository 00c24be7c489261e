#include "probe/core/timestamp.h"

#include <stddef.h>

#include "tests/unit/check.h"

static const struct {
	int64_t at_ms;
	const char *text;
} both_ways[] = {
	{0, "1970-01-01T00:00:00.000Z"},
	{-1, "1969-12-31T23:59:59.999Z"},
	{1769850307120, "2026-01-31T09:05:07.120Z"},
	{951782400000, "2000-02-29T00:00:00.000Z"},
	{4107542400000, "2100-03-01T00:00:00.000Z"},
	{-631152000000, "1950-01-01T00:00:00.000Z"},
	{253402300799999, "9999-12-31T23:59:59.999Z"},
	{-62167219200000, "0000-01-01T00:00:00.000Z"},
};

static const char *const refused[] = {
	"",
	"2026-01-31",
	"2026-01-31T09:05:07",
	"2026-01-31T09:05:07+00:00",
	"2026-01-31 09:05:07Z",
	"2026-1-31T09:05:07Z",
	"2026-02-29T09:05:07Z",
	"2026-13-01T09:05:07Z",
	"2026-00-01T09:05:07Z",
	"2026-01-31T24:05:07Z",
	"2026-01-31T09:60:07Z",
	"2026-01-31T09:05:60Z",
	"2026-01-31T09:05:07.Z",
	"2026-01-31T09:05:07.1Zx",
};

int main(void)
{
	char text[TIMESTAMP_TEXT_BYTES];
	int64_t at_ms;
	for (size_t i = 0; i < sizeof(both_ways) / sizeof(both_ways[0]); i++) {
		at_ms = 7;
		CHECK_TEXT(timestamp_format(both_ways[i].at_ms, text), both_ways[i].text);
		CHECK(timestamp_parse(both_ways[i].text, &at_ms));
		CHECK_INT(at_ms, both_ways[i].at_ms);
	}
	CHECK(timestamp_format(253402300800000, text) == NULL);
	CHECK(timestamp_format(-62167219200001, text) == NULL);
	CHECK(timestamp_format(INT64_MAX, text) == NULL);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		at_ms = 7;
		CHECK(!timestamp_parse(refused[i], &at_ms));
		CHECK_INT(at_ms, 7);
	}
	CHECK(timestamp_parse("2026-01-31T09:05:07Z", &at_ms));
	CHECK_INT(at_ms, 1769850307000);
	CHECK(timestamp_parse("2026-01-31T09:05:07.1234567Z", &at_ms));
	CHECK_INT(at_ms, 1769850307123);
	return check_summary();
}
