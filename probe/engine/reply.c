#include "probe/engine/transfer_state.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "probe/core/arena.h"
#include "probe/core/url.h"
#include "probe/engine/hostile.h"

enum { HEADER_NAME_MAX = 64, SCHEME_MAX = 32 };

void reply_reset(struct reply *reply)
{
	*reply = (struct reply){.status = NOT_MEASURED};
}

/* "HTTP/1.1 200 OK" (RFC 9112 4): a version, and three digits. */
static void status_line(struct reply *reply, const char *line, size_t length)
{
	const char *end = line + length;
	const char *at = memchr(line, ' ', length);
	*reply = (struct reply){.status = NOT_MEASURED, .head_bytes = reply->head_bytes};
	while (at && at < end && *at == ' ')
		at++;
	int status = 0, digits = 0;
	for (; at && at < end && isdigit((unsigned char)*at) && digits < 4; at++, digits++)
		status = status * 10 + (*at - '0');
	if (digits == 3 && status >= 100)
		reply->status = status;
	else
		reply->malformed = true;
}

static bool is_token_char(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static const char *skip_blanks(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	return at;
}

/* The next comma that is not in a quoted string, or the end. */
static const char *element_end(const char *at, const char *end)
{
	bool quoted = false;
	for (; at < end; at++) {
		if (*at == '\\' && quoted && at + 1 < end)
			at++;
		else if (*at == '"')
			quoted = !quoted;
		else if (*at == ',' && !quoted)
			break;
	}
	return at;
}

static void scheme_add(struct arena *arena, struct reply *reply, const char *name, size_t length)
{
	char text[SCHEME_MAX];
	if (!length || length >= sizeof(text) || reply->schemes.count >= REPLY_SCHEMES_MAX)
		return;
	for (size_t i = 0; i < length; i++)
		text[i] = (char)tolower((unsigned char)name[i]);
	text[length] = '\0';
	for (size_t i = 0; i < reply->schemes.count; i++)
		if (strcmp(reply->schemes.items[i], text) == 0)
			return;
	text_list_add(arena, &reply->schemes, arena_strdup(arena, text));
}

/* Challenges and their parameters are both separated by commas (RFC 9110 11.6.1): a scheme is a token that no '=' follows. */
static void challenges(struct arena *arena, struct reply *reply, const char *at, const char *end)
{
	while (at < end) {
		const char *stop = element_end(at, end);
		const char *name = skip_blanks(at, stop);
		const char *after = name;
		while (after < stop && is_token_char(*after))
			after++;
		const char *next = skip_blanks(after, stop);
		if (next == stop || *next != '=')
			scheme_add(arena, reply, name, (size_t)(after - name));
		at = stop < end ? stop + 1 : end;
	}
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), wanted = strlen(end);
	return length >= wanted && strcmp(text + length - wanted, end) == 0;
}

/* Cookies and what proves an identity are never kept. */
static bool is_secret(const char *name)
{
	static const char *const secrets[] = {
		"set-cookie",
		"set-cookie2",
		"cookie",
		"authorization",
		"proxy-authorization",
		"authentication-info",
		"authentication-control",
		"proxy-authentication-info",
	};
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		if (strcmp(name, secrets[i]) == 0)
			return true;
	return false;
}

static const char *schemes_text(struct arena *arena, const char *value, size_t length)
{
	struct reply found;
	const char *text = "";
	reply_reset(&found);
	challenges(arena, &found, value, value + length);
	for (size_t i = 0; i < found.schemes.count; i++)
		text = arena_printf(arena, "%s%s%s", text, i ? ", " : "", found.schemes.items[i]);
	return text;
}

/* An address without its query, where it may carry a token; relative ones are cut by hand. */
static const char *address_text(struct arena *arena, const char *text)
{
	struct url url;
	if (url_parse(arena, text, &url))
		return url_for_report(arena, text);
	return arena_strndup(arena, text, strcspn(text, "?#"));
}

static const char *value_text(struct arena *arena, const char *name, const char *value, size_t length)
{
	if (ends_with(name, "-authenticate"))
		return schemes_text(arena, value, length);
	if (strcmp(name, "location") == 0 || strcmp(name, "content-location") == 0 || strcmp(name, "refresh") == 0) {
		const char *text = hostile_text(arena, value, length < 2048 ? length : 2048);
		value = address_text(arena, text);
		length = strlen(value);
	}
	return hostile_text(arena, value, length < REPLY_VALUE_MAX ? length : REPLY_VALUE_MAX);
}

static void header_line(struct arena *arena, struct reply *reply, const char *line, size_t length)
{
	char name[HEADER_NAME_MAX];
	size_t name_length = 0;
	while (name_length < length && is_token_char(line[name_length]))
		name_length++;
	if (!name_length || name_length == length || line[name_length] != ':' || name_length >= sizeof(name))
		return;
	for (size_t i = 0; i < name_length; i++)
		name[i] = (char)tolower((unsigned char)line[i]);
	name[name_length] = '\0';
	const char *end = line + length;
	const char *value = skip_blanks(line + name_length + 1, end);
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	if (strcmp(name, "proxy-authenticate") == 0)
		challenges(arena, reply, value, end);
	if (reply->headers.count >= REPLY_HEADERS_MAX || is_secret(name))
		return;
	header_list_add(arena, &reply->headers, arena_strdup(arena, name),
			value_text(arena, name, value, (size_t)(end - value)));
}

void reply_line(struct arena *arena, struct reply *reply, const char *line, size_t length)
{
	reply->head_bytes += length;
	if (reply->head_bytes > HEAD_BYTES_MAX) {
		reply->malformed = true;
		return;
	}
	while (length && (line[length - 1] == '\n' || line[length - 1] == '\r'))
		length--;
	if (length >= 5 && strncasecmp(line, "HTTP/", 5) == 0) {
		status_line(reply, line, length);
		reply->start = hostile_bytes(arena, line, length < FIRST_BYTES_MAX ? length : FIRST_BYTES_MAX);
	} else if (!length) {
		reply->complete = reply->status >= 200 || reply->status == 101;
	} else if (reply->status == NOT_MEASURED) {
		reply->malformed = true;
	} else {
		header_line(arena, reply, line, length);
	}
}
