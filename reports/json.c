#include "reports/writers.h"

#include "probe/core/evidence_json.h"

void report_json(const struct report *report, const struct report_style *style, struct strbuf *out)
{
	(void)style;
	report_to_json(report, out);
}
