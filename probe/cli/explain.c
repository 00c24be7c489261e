#include "probe/cli/explain.h"

#include <string.h>
#include <strings.h>

#include "probe/core/strbuf.h"
#include "probe/diagnosis/diagnosis.h"
#include "probe/plan/experiments.h"

struct agent_error {
	const char *id;
	bool is_network;
	const char *title, *advice;
};

static const struct agent_error agent_errors[] = {
#define AGENT_ERROR(id, is_network, title, advice) {id, is_network, title, advice},
#include "probe/cli/agent_errors.def"
#undef AGENT_ERROR
};
enum { AGENT_ERROR_COUNT = sizeof(agent_errors) / sizeof(agent_errors[0]) };

static void add_lines(struct strbuf *out, const char *lines)
{
	strbuf_add(out, "  - ");
	for (const char *c = lines; *c; c++)
		if (strncmp(c, "\n> ", 3) == 0) { /* a command to the step before */
			strbuf_add(out, "\n    ");
			c += 2;
		} else if (*c == '\n')
			strbuf_add(out, "\n  - ");
		else
			strbuf_add_char(out, *c);
	strbuf_add_char(out, '\n');
}

/* No finding is at hand: the report of a run fills in names and addresses. */
static void add_remedy(struct strbuf *out, const char *remedy)
{
	static const struct cause_words words = {.subject = "[subject of the finding]",
						 .target = "[target]",
						 .proxy = "HOST:PORT",
						 .packet = "[largest packet that passes]",
						 .mss = "[that less its headers]",
						 .commands =
							 "[the exact commands for that server, made of its settings]"};
	struct strbuf text;
	strbuf_init(&text);
	cause_fill_in(&text, remedy, strlen(remedy), &words);
	add_lines(out, text.data);
	strbuf_free(&text);
}

static void explain_cause(const struct cause *cause, struct strbuf *out)
{
	const char *owner = owner_text(cause->owner), *stage = stage_text(cause->stage);
	strbuf_printf(out, "%s: %s\n", cause->id, cause->title);
	strbuf_printf(out, "stage %s, whose: %s\n", stage ? stage : "none", owner ? owner : "nobody's in particular");
	strbuf_printf(out, "It is said when this was seen: %s\nWhat to do:\n", cause->proof);
	add_remedy(out, cause->remedy);
}

static void explain_agent_error(const struct agent_error *error, struct strbuf *out)
{
	strbuf_printf(out, "%s: %s (an error of the backup agent)\n", error->id, error->title);
	strbuf_printf(out, "%s\n", error->is_network ? "May be the network." : "Not the network.");
	add_lines(out, error->advice);
}

static void explain_experiment(const struct experiment_row *row, struct strbuf *out)
{
	strbuf_printf(out, "%s: an experiment, made where something failed (--no-experiments switches it off)\n",
		      row->id);
	strbuf_printf(out, "It tells apart %s.\n", row->tells);
	strbuf_printf(out, "It needs %s, and costs %s.\n", row->needs, row->cost);
}

bool explain(const char *id, struct strbuf *out)
{
	size_t count;
	const struct cause *causes = cause_all(&count);
	for (size_t i = 0; i < count; i++)
		if (strcasecmp(causes[i].id, id) == 0) {
			explain_cause(&causes[i], out);
			return true;
		}
	for (size_t i = 0; i < AGENT_ERROR_COUNT; i++)
		if (strcasecmp(agent_errors[i].id, id) == 0) {
			explain_agent_error(&agent_errors[i], out);
			return true;
		}
	for (int i = 0; i < EXPERIMENT_COUNT; i++)
		if (strcasecmp(experiment_row((enum experiment)i)->id, id) == 0) {
			explain_experiment(experiment_row((enum experiment)i), out);
			return true;
		}
	strbuf_add(out, "Causes of a report:\n");
	for (size_t i = 0; i < count; i++)
		strbuf_printf(out, "  %s\n", causes[i].id);
	strbuf_add(out, "Error ids of the backup agent:\n");
	for (size_t i = 0; i < AGENT_ERROR_COUNT; i++)
		strbuf_printf(out, "  %s\n", agent_errors[i].id);
	strbuf_add(out, "Experiments of a report:\n");
	for (int i = 0; i < EXPERIMENT_COUNT; i++)
		strbuf_printf(out, "  %s\n", experiment_row((enum experiment)i)->id);
	return false;
}
