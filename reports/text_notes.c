#include "reports/text_parts.h"

#include <stdio.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/diagnosis/diagnosis.h"
#include "reports/screen.h"

enum { NOTES_SHOWN = 24 };

/* The notes, gathered first, so that there is a heading only if there are any and that no flood of them hides the rest. */
struct notes {
	struct arena *arena;
	struct text_list lines;
};

static void note(struct notes *notes, enum say id, const struct fill *fills)
{
	struct strbuf line;
	strbuf_init(&line);
	say(&line, id, fills);
	text_list_add(notes->arena, &notes->lines, arena_strdup(notes->arena, line.data));
	strbuf_free(&line);
}

static const char *target_name(struct notes *notes, const struct target *target)
{
	struct strbuf name;
	strbuf_init(&name);
	say_target(&name, target);
	const char *copy = arena_strdup(notes->arena, name.data);
	strbuf_free(&name);
	return copy;
}

/* ------------------------------------------------------------------ paths that could not be judged */

static const struct path *path_by_id(const struct report *report, const char *id)
{
	for (size_t i = 0; i < report->path_count; i++)
		if (strcmp(report->paths[i]->id, id) == 0)
			return report->paths[i];
	return NULL;
}

/* A cause in people's words; a remark as it is. */
static const char *remark_words(const char *text)
{
	const struct cause *cause = cause_find(text);
	return cause ? cause->title : text;
}

static const char *why_not_judged(struct notes *notes, const struct path *path)
{
	const struct verdict *verdict = &path->verdict;
	struct strbuf why;
	strbuf_init(&why);
	if (path->route.problem)
		strbuf_add(&why, path->route.problem);
	else if (verdict->cause)
		strbuf_add(&why, remark_words(verdict->cause));
	for (size_t i = 0; i < verdict->also.count; i++)
		strbuf_printf(&why, "%s%s", why.length ? "; " : "", remark_words(verdict->also.items[i]));
	struct strbuf what;
	strbuf_init(&what);
	for (size_t i = 0; i < verdict->not_run.count; i++)
		strbuf_printf(&what, "%s%s", i ? ", " : "", verdict->not_run.items[i]);
	if (what.length) {
		strbuf_add(&why, why.length ? "; " : "");
		say(&why, SAY_NOTE_NOT_RUN, FILLS({"what", what.data}));
	}
	const char *copy = arena_strdup(notes->arena, why.length ? why.data : say_text(SAY_NOTE_NO_REASON));
	strbuf_free(&what);
	strbuf_free(&why);
	return copy;
}

/* Paths of one identity and route that could not be judged for the same reason: one note. */
struct unjudged {
	const struct path *first;
	const char *why;
	size_t paths;
};

static struct unjudged *find_unjudged(struct unjudged *all, size_t count, const struct path *path, const char *why)
{
	for (size_t i = 0; i < count; i++)
		if (all[i].first->identity == path->identity && all[i].first->route.kind == path->route.kind &&
		    strcmp(all[i].why, why) == 0)
			return &all[i];
	return NULL;
}

static size_t gather_unjudged(struct notes *notes, const struct report *report, struct unjudged *all)
{
	const struct text_list *open = &report->readiness.inconclusive;
	size_t count = 0;
	for (size_t i = 0; i < open->count; i++) {
		const struct path *path = path_by_id(report, open->items[i]);
		if (!path)
			continue;
		const char *why = why_not_judged(notes, path);
		struct unjudged *known = find_unjudged(all, count, path, why);
		if (known)
			known->paths++;
		else if (count < NOTES_SHOWN)
			all[count++] = (struct unjudged){path, why, 1};
	}
	return count;
}

static void note_inconclusive(struct notes *notes, const struct report *report)
{
	struct unjudged all[NOTES_SHOWN];
	size_t count = gather_unjudged(notes, report, all);
	for (size_t i = 0; i < count; i++) {
		char more[24];
		snprintf(more, sizeof(more), "%zu", all[i].paths - 1);
		note(notes, all[i].paths > 1 ? SAY_NOTE_PATHS : SAY_NOTE_PATH,
		     FILLS({"target", target_name(notes, all[i].first->target)}, {"count", more},
			   {"identity", say_text(say_identity(all[i].first->identity))},
			   {"route", route_kind_text(all[i].first->route.kind)}, {"why", all[i].why}));
	}
}

/* ------------------------------------------------------------------ remarks: what else was seen, each said once */

struct remark {
	const char *text;
	const struct target *first;
	size_t targets;
	const struct target *last;
};

static struct remark *find_remark(struct remark *remarks, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(remarks[i].text, text) == 0)
			return &remarks[i];
	return NULL;
}

static size_t gather_remarks(const struct path *path, struct remark *remarks, size_t count)
{
	for (size_t i = 0; i < path->verdict.also.count; i++) {
		const char *text = path->verdict.also.items[i];
		struct remark *known = find_remark(remarks, count, text);
		if (known) {
			known->targets += known->last != path->target;
			known->last = path->target;
		} else if (count < NOTES_SHOWN) {
			remarks[count++] = (struct remark){text, path->target, 1, path->target};
		}
	}
	return count;
}

static void note_remark(struct notes *notes, const struct remark *remark)
{
	char more[24];
	snprintf(more, sizeof(more), "%zu", remark->targets - 1);
	const struct cause *cause = cause_find(remark->text);
	enum say one = cause ? SAY_NOTE_ALSO_CAUSE : SAY_NOTE_ALSO;
	enum say many = cause ? SAY_NOTE_ALSO_CAUSE_MORE : SAY_NOTE_ALSO_MORE;
	note(notes, remark->targets > 1 ? many : one,
	     FILLS({"remark", cause ? cause->title : remark->text}, {"target", target_name(notes, remark->first)},
		   {"count", more}, {"cause", remark->text}));
}

static void note_remarks(struct notes *notes, const struct report *report)
{
	struct remark remarks[NOTES_SHOWN];
	size_t count = 0;
	for (size_t i = 0; i < report->path_count; i++)
		count = gather_remarks(report->paths[i], remarks, count);
	for (size_t i = 0; i < count; i++)
		note_remark(notes, &remarks[i]);
}

/* ------------------------------------------------------------------ identities and their settings */

static void note_setting(struct notes *notes, const struct identity *identity, const struct proxy_setting *setting)
{
	for (size_t i = 0; setting && i < setting->problems.count; i++)
		note(notes, SAY_NOTE_SETTING,
		     FILLS({"identity", say_text(say_identity(identity->id))},
			   {"route", route_kind_text(setting->kind)}, {"location", setting->location},
			   {"problem", setting->problems.items[i]}));
}

static void note_identity(struct notes *notes, const struct identity *identity)
{
	static const enum say notes_of_modes[] = {
		[MODE_RUN] = SAY_NOTE_IDENTITY_RUN,
		[MODE_SETTINGS] = SAY_NOTE_IDENTITY_SETTINGS,
		[MODE_UNAVAILABLE] = SAY_NOTE_IDENTITY_UNAVAILABLE,
	};
	if (identity->why)
		note(notes, notes_of_modes[identity->mode],
		     FILLS({"identity", say_text(say_identity(identity->id))}, {"why", identity->why}));
	note_setting(notes, identity, identity->wininet);
	note_setting(notes, identity, identity->winhttp);
	note_setting(notes, identity, identity->agent);
	note_setting(notes, identity, identity->env);
}

void text_notes(struct page *page)
{
	const struct report *report = page->report;
	struct notes notes = {arena_new(), {NULL, 0, 0}};
	if (report->run.end_reason != END_COMPLETE)
		note(&notes, report->run.end_reason == END_DEADLINE ? SAY_NOTE_DEADLINE : SAY_NOTE_INTERRUPTED, NULL);
	note_inconclusive(&notes, report);
	note_remarks(&notes, report);
	for (size_t i = 0; i < report->identity_count; i++)
		note_identity(&notes, &report->identities[i]);
	if (notes.lines.count > 0)
		page_heading(page, SAY_NOTES);
	for (size_t i = 0; i < notes.lines.count && i < NOTES_SHOWN; i++)
		page_bullet(page, notes.lines.items[i]);
	if (notes.lines.count > NOTES_SHOWN) {
		struct strbuf line;
		char count[24];
		snprintf(count, sizeof(count), "%zu", notes.lines.count - NOTES_SHOWN);
		strbuf_init(&line);
		say(&line, SAY_NOTE_MORE, FILLS({"count", count}));
		page_bullet(page, line.data);
		strbuf_free(&line);
	}
	arena_free(notes.arena);
}
