#include "reports/report.h"

#include <string.h>

#include "reports/writers.h"

static const struct report_format formats[] = {
#define FORMAT(name, function) {#name, function},
#include "reports/formats.def"
#undef FORMAT
};

const struct report_format *report_format_find(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}

const struct report_format *report_format_all(size_t *count)
{
	*count = sizeof(formats) / sizeof(formats[0]);
	return formats;
}
