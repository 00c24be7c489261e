#include "targets/set_ini.h"

#include <string.h>
#include <strings.h>

#include "probe/core/arena.h"
#include "targets/target.h"

/* The keys of a set file: one row each in keys[] below. */

enum { STATUS_MIN = 100, STATUS_MAX = 599, DECIMAL = 10 };

static struct arena *arena_of(const struct set_reader *reader)
{
	return reader->options->arena;
}

/* value with {region} filled in; NULL after a failure. */
static const char *filled(struct set_reader *reader, const char *value)
{
	static const char placeholder[] = "{region}";
	const char *region = targets_region(reader->options, reader->set->cloud);
	const char *result = arena_strdup(arena_of(reader), value);
	const char *at;

	while ((at = strstr(result, placeholder))) {
		reader->set->uses_region = true;
		if (reader->target)
			reader->target->regional = true;
		result = arena_printf(arena_of(reader), "%.*s%s%s", (int)(at - result), result, region,
				      at + strlen(placeholder));
	}
	if (!strpbrk(result, "{}"))
		return result;
	set_fail(reader, reader->line, "`%s`: {region} is the only thing in braces that is filled in", value);
	return NULL;
}

static bool take_name(struct set_reader *reader, const char *value)
{
	reader->set->name = arena_strdup(arena_of(reader), value);
	return true;
}

static bool take_cloud(struct set_reader *reader, const char *value)
{
	static const char *const clouds[] = {"public", "usgov", "china"};

	for (size_t i = 0; i < sizeof(clouds) / sizeof(*clouds); i++)
		if (strcmp(value, clouds[i]) == 0) {
			reader->set->cloud = clouds[i];
			return true;
		}
	return set_fail(reader, reader->line, "cloud=`%s`: it is public, usgov or china", value);
}

/* url=, host= and cidr= exclude each other. */
static bool where_is_first(struct set_reader *reader)
{
	if (reader->where_line)
		return set_fail(reader, reader->line, "one of url=, host= and cidr= is enough: line %d has one already",
				reader->where_line);
	reader->where_line = reader->line;
	return true;
}

static bool take_url(struct set_reader *reader, const char *value)
{
	const char *reason, *rule = reader->target->rule;
	const char *text = where_is_first(reader) ? filled(reader, value) : NULL;

	if (!text)
		return false;
	if (!target_from_url(arena_of(reader), text, reader->target, &reason))
		return set_fail(reader, reader->line, "url=: %s", reason);
	reader->target->rule = rule ? rule : reader->target->rule;
	return true;
}

static bool take_host(struct set_reader *reader, const char *value)
{
	reader->host = where_is_first(reader) ? filled(reader, value) : NULL;
	if (reader->host && !host_is_valid(reader->host))
		return set_fail(reader, reader->line, "host=`%s`: neither a DNS name nor an address", value);
	return reader->host != NULL;
}

static bool take_cidr(struct set_reader *reader, const char *value)
{
	struct target scratch;
	const char *reason;

	if (!where_is_first(reader))
		return false;
	if (!target_from_cidr(arena_of(reader), value, TARGET_CIDR_PORT, &scratch, &reason))
		return set_fail(reader, reader->line, "cidr=`%s`: %s", value, reason);
	reader->cidr = scratch.cidr;
	return true;
}

/* A decimal number without sign; -1 for anything else and for more than six digits. */
static int number(const char *text, size_t length)
{
	int value = 0;

	if (length == 0 || length > 6)
		return -1;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = value * DECIMAL + (text[i] - '0');
	}
	return value;
}

static bool take_port(struct set_reader *reader, const char *value)
{
	reader->port = number(value, strlen(value));
	if (reader->port < 1 || reader->port > TARGET_PORT_MAX)
		return set_fail(reader, reader->line, "port=`%s`: a port is a number from 1 to 65535", value);
	return true;
}

static bool take_rule(struct set_reader *reader, const char *value)
{
	const char *rule = filled(reader, value);

	if (rule && strpbrk(rule, " \t"))
		return set_fail(reader, reader->line, "rule=`%s`: one name, wildcard or range, without blanks", value);
	reader->target->rule = rule;
	return rule != NULL;
}

static bool take_service(struct set_reader *reader, const char *value)
{
	if (value[strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")])
		return set_fail(reader, reader->line, "service=`%s`: one word", value);
	reader->target->service = arena_strdup(arena_of(reader), value);
	return true;
}

static bool take_need(struct set_reader *reader, const char *value)
{
	reader->target->required = strcmp(value, "required") == 0;
	if (!reader->target->required && strcmp(value, "recommended") != 0)
		return set_fail(reader, reader->line, "need=`%s`: it is required or recommended", value);
	return true;
}

static bool take_stand_in(struct set_reader *reader, const char *value)
{
	reader->target->stand_in = strcmp(value, "yes") == 0;
	if (!reader->target->stand_in && strcmp(value, "no") != 0)
		return set_fail(reader, reader->line, "stand_in=`%s`: it is yes or no", value);
	return true;
}

/* Cuts the next entry of a comma list, without blanks round it, from *rest; false at the end. */
static bool list_next(const char **rest, const char **entry, size_t *length)
{
	const char *at = *rest;

	if (!at)
		return false;
	*rest = strchr(at, ',');
	*length = *rest ? (size_t)(*rest - at) : strlen(at);
	if (*rest)
		(*rest)++;
	for (; *length > 0 && (*at == ' ' || *at == '\t'); (*length)--)
		at++;
	for (; *length > 0 && (at[*length - 1] == ' ' || at[*length - 1] == '\t'); (*length)--)
		;
	*entry = at;
	return true;
}

static bool take_expect_status(struct set_reader *reader, const char *value)
{
	struct expect *expect = &reader->target->expect;
	const char *entry;
	size_t length;

	for (const char *rest = value; list_next(&rest, &entry, &length);) {
		int status = number(entry, length);

		if (status < STATUS_MIN || status > STATUS_MAX)
			return set_fail(reader, reader->line,
					"expect_status=`%s`: HTTP statuses from 100 to 599: 200,302", value);
		expect->status = arena_grow(arena_of(reader), expect->status, &expect->status_capacity,
					    expect->status_count, sizeof(*expect->status));
		expect->status[expect->status_count++] = status;
	}
	return true;
}

/* A header name is a token (RFC 9110 5.6.2); kept in lower case, as evidence has it. */
static const char *header_name(struct arena *arena, const char *text, size_t length)
{
	static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	char *name = arena_strndup(arena, text, length);

	if (length == 0 || name[strspn(name, token)])
		return NULL;
	for (char *c = name; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return name;
}

static bool take_expect_header(struct set_reader *reader, const char *value)
{
	const char *entry;
	size_t length;

	for (const char *rest = value; list_next(&rest, &entry, &length);) {
		const char *name = header_name(arena_of(reader), entry, length);

		if (!name)
			return set_fail(reader, reader->line,
					"expect_header=`%s`: names of headers, without values: x-ms-request-id", value);
		text_list_add(arena_of(reader), &reader->target->expect.headers, name);
	}
	return true;
}

static bool take_expect_body(struct set_reader *reader, const char *value)
{
	reader->target->expect.body = arena_strdup(arena_of(reader), value);
	return true;
}

static const struct {
	const char *name;
	bool of_target; /* else of [set] */
	bool repeatable;
	bool (*take)(struct set_reader *reader, const char *value);
} keys[] = {
	{"name", false, false, take_name},
	{"cloud", false, false, take_cloud},
	{"url", true, false, take_url},
	{"host", true, false, take_host},
	{"port", true, false, take_port},
	{"cidr", true, false, take_cidr},
	{"rule", true, false, take_rule},
	{"service", true, false, take_service},
	{"need", true, false, take_need},
	{"stand_in", true, false, take_stand_in},
	{"expect_status", true, false, take_expect_status},
	{"expect_header", true, true, take_expect_header},
	{"expect_body", true, false, take_expect_body},
};

static bool unknown_key(struct set_reader *reader, const char *key)
{
	if (!is_printable_ascii(key))
		return set_fail(reader, reader->line, "unknown key");
	if (reader->target)
		return set_fail(reader, reader->line,
				"unknown key `%s`: a target has url, host, port, cidr, rule, service, need, stand_in, "
				"expect_status, expect_header and expect_body",
				key);
	return set_fail(reader, reader->line, "unknown key `%s`: [set] has name and cloud", key);
}

bool set_key_take(struct set_reader *reader, const char *key, const char *value)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (strcmp(keys[i].name, key) != 0 || keys[i].of_target != (reader->target != NULL))
			continue;
		if ((reader->keys_seen & 1u << i) && !keys[i].repeatable)
			return set_fail(reader, reader->line, "%s= stands twice in its section", key);
		reader->keys_seen |= 1u << i;
		if (!*value)
			return set_fail(reader, reader->line, "%s= has no value", key);
		if (!is_printable_ascii(value))
			return set_fail(reader, reader->line, "%s= may hold printable ASCII only", key);
		return keys[i].take(reader, value);
	}
	return unknown_key(reader, key);
}

static bool finish_host(struct set_reader *reader)
{
	const char *reason, *rule = reader->target->rule;

	if (reader->port < 0)
		return set_fail(reader, reader->where_line, "host= needs port= beside it");
	if (!target_from_host(arena_of(reader), reader->host, reader->port, reader->target, &reason))
		return set_fail(reader, reader->where_line, "host=: %s", reason);
	reader->target->rule = rule ? rule : reader->target->rule;
	return true;
}

static bool finish_cidr(struct set_reader *reader)
{
	const char *reason, *rule = reader->target->rule;
	int port = reader->port < 0 ? TARGET_CIDR_PORT : reader->port;

	if (!target_from_cidr(arena_of(reader), reader->cidr, port, reader->target, &reason))
		return set_fail(reader, reader->where_line, "cidr=: %s", reason);
	reader->target->rule = rule ? rule : reader->target->rule;
	return true;
}

bool set_target_finish(struct set_reader *reader)
{
	struct target *target = reader->target;
	const struct expect *expect = &target->expect;

	if (!reader->where_line)
		return set_fail(reader, reader->section_line, "target `%s` has no url=, host= or cidr=", target->id);
	if (target->url && reader->port >= 0)
		return set_fail(reader, reader->where_line,
				"port= goes with host= or cidr=; a port of a URL stands in it");
	if (!target->url && (expect->status_count || expect->headers.count || expect->body))
		return set_fail(reader, reader->where_line,
				"expect_status=, expect_header= and expect_body= need url=");
	if (reader->host && !finish_host(reader))
		return false;
	if (reader->cidr && !finish_cidr(reader))
		return false;
	if (!target->service)
		target->service = "other";
	return true;
}
