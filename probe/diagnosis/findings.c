/* One cause, one finding: the paths that break by the same cause, owner and subject. */

#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/diagnosis/ladder_view.h"
#include "probe/diagnosis/parts.h"
#include "probe/diagnosis/preflight.h"
#include "probe/diagnosis/remedy_system.h"
#include "probe/diagnosis/vault.h"

enum { EVIDENCE_MAX = 32 };

static bool same_thing(const struct finding *finding, const struct verdict *verdict, const struct subject *subject)
{
	return text_equal(finding->cause, verdict->cause) && finding->owner == verdict->owner &&
	       finding->subject_kind == subject->kind && text_equal(finding->subject, subject->value);
}

static struct finding *find(const struct report *report, const struct verdict *verdict, const struct subject *subject)
{
	for (size_t i = 0; i < report->finding_count; i++)
		if (same_thing(report->findings[i], verdict, subject))
			return report->findings[i];
	return NULL;
}

static struct finding *open_finding(struct report *report, const struct verdict *verdict, const struct subject *subject)
{
	struct finding *finding = report_add_finding(report);
	finding->status = STATUS_WARN;
	finding->stage = verdict->stage;
	finding->cause = verdict->cause;
	finding->owner = verdict->owner;
	finding->subject_kind = subject->kind;
	finding->subject = subject->value;
	return finding;
}

static void add_target(struct report *report, struct finding *finding, struct target *target)
{
	for (size_t i = 0; i < finding->target_count; i++)
		if (finding->targets[i] == target)
			return;
	finding->targets = arena_grow(report->arena, finding->targets, &finding->target_capacity, finding->target_count,
				      sizeof(struct target *));
	finding->targets[finding->target_count++] = target;
}

static void add_evidence(struct report *report, struct finding *finding, const struct observation_list *evidence)
{
	for (size_t i = 0; i < evidence->count && finding->evidence.count < EVIDENCE_MAX; i++) {
		bool known = false;
		for (size_t k = 0; k < finding->evidence.count; k++)
			known |= finding->evidence.items[k] == evidence->items[i];
		if (!known)
			observation_list_add(report->arena, &finding->evidence, evidence->items[i]);
	}
}

static void join(struct report *report, struct finding *finding, const struct view *view)
{
	struct path *path = report->paths[view - view->all];
	path_list_add(report->arena, &finding->paths, path);
	if (!path->effective)
		return;
	add_target(report, finding, path->target);
	add_evidence(report, finding, &path->verdict.evidence);
	if (path_blocks(view))
		finding->status = STATUS_FAIL;
	if (path->verdict.confidence > finding->confidence)
		finding->confidence = path->verdict.confidence;
}

static bool has_cause(const struct view *view)
{
	const struct verdict *verdict = &view->path->verdict;
	return verdict->cause && verdict->status != STATUS_PASS && !verdict_is_excused(view);
}

/* Effective paths make findings; the others join what is there, and else stay silent: a way that is shut and not taken is no news. */
static void collect(struct report *report, const struct view *views)
{
	for (int effective = 1; effective >= 0; effective--)
		for (size_t i = 0; i < report->path_count; i++) {
			const struct view *view = &views[i];
			if (view->path->effective != (effective == 1) || !has_cause(view))
				continue;
			struct subject subject = subject_of(view);
			struct finding *finding = find(report, &view->path->verdict, &subject);
			if (!finding && effective)
				finding = open_finding(report, &view->path->verdict, &subject);
			if (finding)
				join(report, finding, view);
		}
}

/* What blocks before what warns; else in the order of the paths. */
static void sort(struct report *report)
{
	for (size_t i = 1; i < report->finding_count; i++) {
		struct finding *finding = report->findings[i];
		size_t k = i;
		for (; k > 0 && finding->status == STATUS_FAIL && report->findings[k - 1]->status != STATUS_FAIL; k--)
			report->findings[k] = report->findings[k - 1];
		report->findings[k] = finding;
	}
	for (size_t i = 0; i < report->finding_count; i++)
		report->findings[i]->id = arena_printf(report->arena, "f%zu", i + 1);
}

/* ------------------------------------------------------------------ what to do */

static const char *targets_in_words(struct report *report, const struct finding *finding)
{
	const char *first = finding->target_count ? finding->targets[0]->name : NULL;
	if (!first)
		return "the target";
	return finding->target_count == 1
		       ? first
		       : arena_printf(report->arena, "%s (and %zu more)", first, finding->target_count - 1);
}

/* The proxy by which it works, as a setting is written; where none is known, what to put there. */
static const char *working_proxy(struct report *report, const struct finding *finding)
{
	struct via via;
	const struct path *other = finding_other_way(finding);
	if (!other || !via_parse(report->arena, other->route.via, &via) || !via.host)
		return "HOST:PORT";
	return host_port_text(report->arena, via.host, via.port);
}

static bool starts_with(const char *line, size_t length, const char *start)
{
	return length >= strlen(start) && strncmp(line, start, strlen(start)) == 0;
}

/* One line of causes.def: the place of commands, or words, and the command that belongs to them. Returns what follows. */
static const char *fill_line(struct report *report, struct finding *finding, const struct cause_words *words,
			     const char *line)
{
	size_t length = strcspn(line, "\n");
	const char *next = line + length + (line[length] == '\n'), *command = NULL;
	struct strbuf text;
	if (starts_with(line, length, REMEDY_COMMANDS)) {
		remedy_system_add(report, finding, &finding->remedy);
		return next;
	}
	if (starts_with(next, strlen(next), REMEDY_COMMAND)) {
		next += strlen(REMEDY_COMMAND);
		command = arena_strndup(report->arena, next, strcspn(next, "\n"));
		next += strcspn(next, "\n");
		next += *next == '\n';
	}
	strbuf_init(&text);
	cause_fill_in(&text, line, length, words);
	if (length)
		remedy_add(report->arena, &finding->remedy, text.data, command);
	strbuf_free(&text);
	return next;
}

/* What gets through by the finding's evidence; where it does not say, what to find out. */
static void packet_words(struct report *report, const struct finding *finding, struct cause_words *words)
{
	struct packet_limit limit;
	bool known = packet_limit_shown(&finding->evidence, &limit);
	int packet = known ? packet_limit_bytes(&limit) : 0;
	words->mss = known ? arena_printf(report->arena, "%d (IPv6: %d)", packet - PACKET_HEADERS_V4,
					  packet - PACKET_HEADERS_V6)
			   : "MSS";
	words->packet = known ? arena_printf(report->arena, "%d", packet) : "MTU";
}

static void fill_remedy(struct report *report, struct finding *finding)
{
	const struct cause *cause = cause_find(finding->cause);
	struct cause_words words = {.subject = finding->subject ? finding->subject : "it",
				    .target = targets_in_words(report, finding),
				    .proxy = working_proxy(report, finding),
				    .commands = ""};
	packet_words(report, finding, &words);
	for (const char *line = cause ? cause->remedy : ""; *line;)
		line = fill_line(report, finding, &words, line);
}

void findings_make(struct report *report, const struct view *views)
{
	collect(report, views);
	vault_judge(report);
	preflight_judge(report);
	sort(report);
	for (size_t i = 0; i < report->finding_count; i++) {
		struct finding *finding = report->findings[i];
		if (!finding->remedy.count)
			fill_remedy(report, finding);
		vault_add_tenant(report, finding);
		flows_collect(report, views, finding);
		if (!finding->summary)
			finding->summary = summary_of(report, finding);
	}
}
