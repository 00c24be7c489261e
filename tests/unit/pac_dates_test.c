/* PAC helper functions about the time. Local time is eight hours ahead of UTC here. */
#include <time.h>

#include "tests/unit/pac_check.h"

/* 2026-07-15T14:30:20Z, a Wednesday; 22:30:20 local. */
static const struct pac_expression wednesday[] = {
	{"weekdayRange('WED')", "true"},
	{"weekdayRange('TUE')", "false"},
	{"weekdayRange('MON', 'FRI')", "true"},
	{"weekdayRange('WED', 'WED')", "true"},
	{"weekdayRange('THU', 'TUE')", "false"},
	{"weekdayRange('SAT', 'WED')", "true"},
	{"weekdayRange('SAT', 'TUE')", "false"},
	{"weekdayRange('SUN', 'SAT')", "true"},
	{"weekdayRange('FRI', 'MON')", "false"},
	{"weekdayRange('wed')", "false"},
	{"weekdayRange('WEDNESDAY')", "false"},
	{"weekdayRange('MON', 'DAY')", "false"},
	{"weekdayRange()", "false"},
	{"weekdayRange('GMT')", "false"},
	{"weekdayRange('WED', 'GMT')", "true"},
	{"weekdayRange('MON', 'FRI', 'GMT')", "true"},

	{"dateRange(15)", "true"},
	{"dateRange(16)", "false"},
	{"dateRange('15')", "true"},
	{"dateRange('JUL')", "true"},
	{"dateRange('JUN')", "false"},
	{"dateRange('jul')", "false"},
	{"dateRange(2026)", "true"},
	{"dateRange(2025)", "false"},
	{"dateRange(1, 20)", "true"},
	{"dateRange(16, 20)", "false"},
	{"dateRange(20, 15)", "true"},
	{"dateRange(20, 14)", "false"},
	{"dateRange('JUN', 'AUG')", "true"},
	{"dateRange('JUL', 'JUL')", "true"},
	{"dateRange('AUG', 'DEC')", "false"},
	{"dateRange('SEP', 'APR')", "false"},
	{"dateRange('SEP', 'JUL')", "true"},
	{"dateRange(2025, 2027)", "true"},
	{"dateRange(2027, 2030)", "false"},
	{"dateRange(1, 'JUN', 15, 'AUG')", "true"},
	{"dateRange(15, 'JUL', 15, 'JUL')", "true"},
	{"dateRange(16, 'JUL', 14, 'JUL')", "false"},
	{"dateRange(16, 'JUL', 15, 'JUL')", "true"},
	{"dateRange('JUN', 2026, 'AUG', 2026)", "true"},
	{"dateRange('AUG', 2025, 'JUN', 2026)", "false"},
	{"dateRange(1, 'JUN', 1995, 15, 'AUG', 1995)", "false"},
	{"dateRange(1, 'JUN', 1995, 15, 'JUL', 2026)", "true"},
	{"dateRange(1, 'JUN', 1995, 14, 'JUL', 2026)", "false"},
	{"dateRange('FOO', 'BAR')", "false"},
	{"dateRange()", "false"},
	{"dateRange('GMT')", "true"},
	{"dateRange(15, 'GMT')", "true"},
	{"dateRange('JUN', 'AUG', 'GMT')", "true"},
	{"dateRange(1e300, 2)", "false"},
	{"dateRange('1e9', 1e9)", "true"},
	{"dateRange(NaN)", "false"},

	{"timeRange(22)", "true"},
	{"timeRange('22')", "true"},
	{"timeRange(14)", "false"},
	{"timeRange(14, 'GMT')", "true"},
	{"timeRange(9, 22)", "true"},
	{"timeRange(9, 21)", "false"},
	{"timeRange(23, 22)", "false"},
	{"timeRange(13, 14, 'GMT')", "true"},
	{"timeRange(22, 30, 22, 30)", "true"},
	{"timeRange(22, 31, 23, 0)", "false"},
	{"timeRange(22, 0, 22, 29)", "false"},
	{"timeRange(22, 30, 6, 0)", "true"},
	{"timeRange(23, 0, 22, 30)", "true"},
	{"timeRange(23, 0, 22, 29)", "false"},
	{"timeRange(14, 30, 14, 30, 'GMT')", "true"},
	{"timeRange(22, 30, 20, 22, 30, 20)", "true"},
	{"timeRange(22, 30, 21, 22, 30, 59)", "false"},
	{"timeRange(22, 30, 0, 22, 30, 19)", "false"},
	{"timeRange(14, 30, 20, 14, 30, 20, 'GMT')", "true"},
	{"timeRange(0, 0, 24, 0)", "true"},
	{"timeRange('x', 0, 'y', 0)", "false"},
	{"timeRange()", "false"},
	{"timeRange(1, 2, 3)", "! exception: TypeError: timeRange takes 1, 2, 4 or 6 numbers, not 3 (line 1)"},
	{"timeRange(1, 2, 3, 4, 5)", "! exception"},
	{"timeRange(1, 2, 3, 4, 5, 6, 7)", "! exception"},
	{"timeRange(1, 2, 3, 'GMT')", "! exception"},
	{"timeRange('GMT')", "! exception"},
	{"timeRange({valueOf: function () { throw 'up'; }})", "! exception: up"},
	{"dateRange({toString: function () { throw 'up'; }})", "! exception: up"},
	{"weekdayRange({toString: function () { return 'WED'; }})", "true"},
};

/* 2026-02-28T20:00:00Z is a Saturday; local it is Sunday, 1 March, 04:00. */
static const struct pac_expression month_end[] = {
	{"weekdayRange('SUN')", "true"},
	{"weekdayRange('SAT', 'GMT')", "true"},
	{"weekdayRange('SUN', 'GMT')", "false"},
	{"dateRange('MAR')", "true"},
	{"dateRange('FEB', 'GMT')", "true"},
	{"dateRange(28, 'GMT')", "true"},
	{"dateRange(28, 'FEB', 28, 'FEB', 'GMT')", "true"},
	{"dateRange(1, 'MAR', 1, 'MAR')", "true"},
	/* 31 February is 3 March, in Chromium and Mozilla */
	{"dateRange('JAN', 'FEB')", "true"},
	{"dateRange('SEP', 'APR')", "true"},
	{"dateRange('OCT', 'JAN')", "false"},
	{"timeRange(4)", "true"},
	{"timeRange(20, 'GMT')", "true"},
	{"timeRange(22, 0, 5, 0)", "true"},
};

/* 2024-02-29T00:00:00Z */
static const struct pac_expression leap_day[] = {
	{"dateRange(29, 'FEB', 29, 'FEB', 'GMT')", "true"},
	{"dateRange(29, 'FEB', 2024, 29, 'FEB', 2024, 'GMT')", "true"},
	{"dateRange(28, 'FEB', 28, 'FEB', 'GMT')", "false"},
	{"dateRange(1, 'MAR', 31, 'DEC', 'GMT')", "false"},
	{"weekdayRange('THU', 'GMT')", "true"},
};

int main(void)
{
	pac_test_begin();
	static char zone[] = "TZ=XYZ-8"; /* POSIX: eight hours to be taken off for UTC, with a minus */
	putenv(zone);
	tzset();
	PAC_CHECK_EXPRESSIONS(wednesday);
	pac_test_now_ms = 1772308800000;
	PAC_CHECK_EXPRESSIONS(month_end);
	pac_test_now_ms = 1709164800000;
	PAC_CHECK_EXPRESSIONS(leap_day);
	return pac_test_end();
}
