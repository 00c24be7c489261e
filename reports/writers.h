#ifndef MARSPROBE_REPORTS_WRITERS_H
#define MARSPROBE_REPORTS_WRITERS_H

#include "reports/report.h"

/* The writers, one for each row of formats.def: total and pure, they append to out. */
#define FORMAT(name, function) \
	void function(const struct report *report, const struct report_style *style, struct strbuf *out);
#include "reports/formats.def"
#undef FORMAT

#endif
