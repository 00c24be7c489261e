#include "probe/core/evidence_scan.h"

#include <string.h>

/* A place in a text. */
struct scan {
	const char *at, *end;
};

static bool scan_more(const struct scan *scan)
{
	return scan->at < scan->end;
}

/* From the opening quote to behind the closing one, or to the end. */
static void skip_string(struct scan *scan)
{
	for (scan->at++; scan_more(scan); scan->at++) {
		if (*scan->at == '\\' && scan->at + 1 < scan->end)
			scan->at++;
		else if (*scan->at == '"')
			break;
	}
	if (scan_more(scan))
		scan->at++;
}

static void skip_blanks(struct scan *scan)
{
	while (scan_more(scan) && memchr(" \t\r\n", *scan->at, 4))
		scan->at++;
}

static size_t line_at(const char *text, const char *at)
{
	size_t line = 1;
	for (; text < at; text++)
		line += *text == '\n';
	return line;
}

bool scan_check_limits(const char *text, size_t length, size_t *line, const char **reason)
{
	struct scan scan = {text, text + (length > SCAN_MAX_BYTES ? 0 : length)};
	size_t depth = 0, values = 0;
	*line = 1;
	*reason = length > SCAN_MAX_BYTES ? "larger than 64 MiB" : NULL;
	while (scan_more(&scan) && !*reason) {
		char c = *scan.at;
		if (c == '"') {
			skip_string(&scan);
			continue;
		}
		depth += c == '{' || c == '[';
		values += c == '{' || c == '[' || c == ',';
		if ((c == '}' || c == ']') && depth > 0)
			depth--;
		if (depth > SCAN_MAX_DEPTH)
			*reason = "nested too deep";
		else if (values > SCAN_MAX_VALUES)
			*reason = "too many values";
		else
			scan.at++;
	}
	if (*reason && length <= SCAN_MAX_BYTES)
		*line = line_at(text, scan.at);
	return !*reason;
}

/* Over one whole value of valid JSON. */
static void skip_value(struct scan *scan)
{
	size_t depth = 0;
	do {
		skip_blanks(scan);
		if (!scan_more(scan))
			return;
		if (*scan->at == '"') {
			skip_string(scan);
			continue;
		}
		depth += *scan->at == '{' || *scan->at == '[';
		depth -= *scan->at == '}' || *scan->at == ']';
		bool scalar = depth == 0 && *scan->at != '}' && *scan->at != ']';
		scan->at++;
		while (scalar && scan_more(scan) && !memchr(",]} \t\r\n", *scan->at, 7))
			scan->at++;
	} while (depth > 0);
}

/* From the opening brace to the value of that member. */
static bool enter_member(struct scan *scan, const char *key)
{
	size_t length = strlen(key);
	for (scan->at++, skip_blanks(scan); scan_more(scan) && *scan->at == '"'; skip_blanks(scan)) {
		const char *name = scan->at + 1;
		skip_string(scan);
		bool found = (size_t)(scan->at - name) == length + 1 && memcmp(name, key, length) == 0;
		skip_blanks(scan);
		scan->at += scan_more(scan); /* the colon */
		skip_blanks(scan);
		if (found)
			return true;
		skip_value(scan);
		skip_blanks(scan);
		scan->at += scan_more(scan) && *scan->at == ',';
	}
	return false;
}

/* From the opening bracket to that item. */
static bool enter_item(struct scan *scan, size_t index)
{
	for (scan->at++; scan_more(scan); index--) {
		skip_blanks(scan);
		if (scan_more(scan) && *scan->at == ']')
			return false;
		if (index == 0)
			return true;
		skip_value(scan);
		skip_blanks(scan);
		scan->at += scan_more(scan) && *scan->at == ',';
	}
	return false;
}

size_t scan_find_line(const char *text, size_t length, const struct scan_step *steps, size_t count)
{
	struct scan scan = {text, text + length};
	skip_blanks(&scan);
	const char *found = scan.at;
	for (size_t i = 0; i < count && scan_more(&scan); i++) {
		bool entered = false;
		if (steps[i].key && *scan.at == '{')
			entered = enter_member(&scan, steps[i].key);
		else if (!steps[i].key && *scan.at == '[')
			entered = enter_item(&scan, steps[i].index);
		if (!entered)
			break;
		found = scan.at;
	}
	return line_at(text, found);
}
