#include "reports/text_say.h"

#include <string.h>

#include "probe/core/strbuf.h"
#include "reports/screen.h"

static const char *const english[] = {
	[SAY_NOTHING] = "",
#define SAY(id, text) [SAY_##id] = text,
#include "reports/catalogue_en.def"
#undef SAY
};

const char *say_text(enum say id)
{
	return english[id];
}

static const char *fill_find(const struct fill *fills, const char *name, size_t length)
{
	for (; fills && fills->name; fills++)
		if (strlen(fills->name) == length && memcmp(fills->name, name, length) == 0)
			return fills->value ? fills->value : english[SAY_UNKNOWN];
	return english[SAY_UNKNOWN];
}

void say_with(struct strbuf *out, enum say id, const struct fill *fills,
	      void (*add)(struct strbuf *out, const char *value))
{
	const char *text = english[id];
	for (;;) {
		const char *open = strchr(text, '{');
		const char *close = open ? strchr(open, '}') : NULL;
		if (!close)
			break;
		strbuf_add_bytes(out, text, (size_t)(open - text));
		add(out, fill_find(fills, open + 1, (size_t)(close - open - 1)));
		text = close + 1;
	}
	strbuf_add(out, text);
}

static void add_for_screen(struct strbuf *out, const char *value)
{
	screen_add(out, value, SAY_VALUE_COLUMNS);
}

void say(struct strbuf *out, enum say id, const struct fill *fills)
{
	say_with(out, id, fills, add_for_screen);
}

enum say say_failure(enum failure failure)
{
	static const enum say words[] = {
		[FAILURE_NONE] = SAY_NOTHING,
#define FAILURE(name, text) [FAILURE_##name] = SAY_FAILURE_##name,
#include "probe/core/failure.def"
#undef FAILURE
	};
	return words[failure];
}

enum say say_stage(enum stage stage)
{
	static const enum say words[] = {
		[STAGE_NONE] = SAY_NOTHING,  [STAGE_HOST] = SAY_STAGE_HOST, [STAGE_SETTINGS] = SAY_STAGE_SETTINGS,
		[STAGE_DNS] = SAY_STAGE_DNS, [STAGE_TCP] = SAY_STAGE_TCP,   [STAGE_PROXY] = SAY_STAGE_PROXY,
		[STAGE_TLS] = SAY_STAGE_TLS, [STAGE_HTTP] = SAY_STAGE_HTTP,
	};
	return words[stage];
}

enum say say_owner(enum owner owner)
{
	static const enum say words[] = {
		[OWNER_NONE] = SAY_NOTHING,
		[OWNER_SERVER_ADMIN] = SAY_OWNER_SERVER_ADMIN,
		[OWNER_DNS_TEAM] = SAY_OWNER_DNS_TEAM,
		[OWNER_FIREWALL_TEAM] = SAY_OWNER_FIREWALL_TEAM,
		[OWNER_PROXY_TEAM] = SAY_OWNER_PROXY_TEAM,
		[OWNER_NETWORK_TEAM] = SAY_OWNER_NETWORK_TEAM,
		[OWNER_MICROSOFT] = SAY_OWNER_MICROSOFT,
	};
	return words[owner];
}

static enum say say_subject(enum subject_kind kind)
{
	static const enum say words[] = {
		[SUBJECT_PROXY] = SAY_SUBJECT_PROXY,	 [SUBJECT_RESOLVER] = SAY_SUBJECT_RESOLVER,
		[SUBJECT_HOP] = SAY_SUBJECT_HOP,	 [SUBJECT_PREFIX] = SAY_SUBJECT_PREFIX,
		[SUBJECT_NAME] = SAY_SUBJECT_NAME,	 [SUBJECT_ISSUER] = SAY_SUBJECT_ISSUER,
		[SUBJECT_SETTING] = SAY_SUBJECT_SETTING, [SUBJECT_HOST] = SAY_SUBJECT_HOST,
	};
	return words[kind];
}

const char *finding_first_silent(const struct finding *finding)
{
	const struct place *at = finding->subject_kind == SUBJECT_HOP ? finding_place(finding) : NULL;
	return at ? at->first_silent : NULL;
}

enum say say_subject_of(const struct finding *finding)
{
	return finding_first_silent(finding) ? SAY_SUBJECT_HOP_BETWEEN : say_subject(finding->subject_kind);
}

enum say say_confidence(double confidence)
{
	if (confidence >= 0.8)
		return SAY_SURE_PROVEN;
	return confidence >= 0.5 ? SAY_SURE_LIKELY : SAY_SURE_SUSPECTED;
}

enum say say_identity(enum identity_id id)
{
	return id == IDENTITY_SYSTEM ? SAY_IDENTITY_SYSTEM : SAY_IDENTITY_USER;
}

enum say say_basis(const char *basis)
{
	static const struct {
		const char *basis;
		enum say words;
	} rows[] = {
		{"agent", SAY_BASIS_AGENT},	  {"system/wininet", SAY_BASIS_SYSTEM},
		{"user/wininet", SAY_BASIS_USER}, {"user/direct", SAY_BASIS_DIRECT},
		{"given", SAY_BASIS_GIVEN},
	};
	if (!basis)
		return SAY_BASIS_NONE;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].basis, basis) == 0)
			return rows[i].words;
	return SAY_BASIS_OTHER;
}

const char *say_outcome(const char *outcome)
{
	if (!outcome)
		return english[SAY_UNKNOWN];
	enum failure failure = failure_parse(outcome);
	const char *own = failure_text(failure);
	return own && strcmp(own, outcome) == 0 ? english[say_failure(failure)] : outcome;
}
