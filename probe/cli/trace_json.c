#include "probe/cli/trace_answer.h"
#include "probe/core/evidence_fields.h"
#include "probe/core/evidence_json.h"

static const char *failure_word(const void *field)
{
	return failure_text(*(const enum failure *)field);
}

static const struct field_words lookup_words = {failure_word, NULL};

static const struct field path_rows[] = {
	ROW("address", TEXT, trace_path, address),
	ROW("port", PORT, trace_path, port),
	ROW("reached_ttl", INT, trace_path, reached_ttl),
	ROW("reached_by", TEXT, trace_path, reached_by),
	ROW("refused_by", TEXT, trace_path, refused_by),
	ROW("last_heard_ttl", INT, trace_path, last_heard_ttl),
	ROW("last_heard", TEXT, trace_path, last_heard),
	ROW("first_silent_ttl", INT, trace_path, first_silent_ttl),
	ROW("first_silent", TEXT, trace_path, first_silent),
	ROW("muted", BOOL, trace_path, muted),
	ROW("deaf", BOOL, trace_path, deaf),
	ROW("loops", BOOL, trace_path, loops),
	ROW("says", TEXT, trace_path, says),
};
static const struct field_shape path_shape = SHAPE(path_rows, trace_path);

static const struct field answer_rows[] = {
	ROW("host", TEXT, trace_answer, host),
	ROW("port", PORT, trace_answer, port),
	ROW("control_port", PORT, trace_answer, control_port),
	ROW("started_at", AT_MS, trace_answer, started_at_ms),
	ROW("lookup_failure", WORD, trace_answer, lookup_failure, .words = &lookup_words),
	ROW("paths", LIST, trace_answer, paths, .shape = &path_shape, GROWING(trace_answer, path_count, path_capacity)),
	ROW("probes", POINTERS, trace_answer, probes, .shape = &any_observation_shape,
	    GROWING(trace_answer, probe_count, probe_capacity)),
};
static const struct field_shape answer_shape = SHAPE(answer_rows, trace_answer);

void trace_answer_json(const struct trace_answer *answer, struct strbuf *out)
{
	document_to_json("marsprobe/trace", "1.0.0", &answer_shape, answer, out);
}
