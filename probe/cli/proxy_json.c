#include "probe/cli/proxy_answer.h"
#include "probe/core/evidence_fields.h"
#include "probe/core/evidence_json.h"

static const struct field row_rows[] = {
	ROW("url", TEXT, proxy_row, url),
	ROW("identity", TEXT, proxy_row, identity),
	ROW("kind", TEXT, proxy_row, kind),
	ROW("via", TEXTS, proxy_row, via),
	ROW("mechanism", TEXT, proxy_row, mechanism),
	ROW("rule", TEXT, proxy_row, rule),
	ROW("error", TEXT, proxy_row, error),
	ROW("trace", LIST, proxy_row, trace, .shape = &proxy_call_shape,
	    GROWING(proxy_row, trace_count, trace_capacity)),
};
static const struct field_shape row_shape = SHAPE(row_rows, proxy_row);

static const struct field answer_rows[] = {
	ROW("settings", POINTERS, proxy_answer, settings, .shape = &proxy_setting_shape,
	    GROWING(proxy_answer, setting_count, setting_capacity)),
	ROW("decisions", LIST, proxy_answer, rows, .shape = &row_shape, GROWING(proxy_answer, row_count, row_capacity)),
};
static const struct field_shape answer_shape = SHAPE(answer_rows, proxy_answer);

void proxy_answer_json(const struct proxy_answer *answer, struct strbuf *out)
{
	document_to_json("marsprobe/proxy", "1.0.0", &answer_shape, answer, out);
}
