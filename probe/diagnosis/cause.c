#include "probe/diagnosis/diagnosis.h"

#include <string.h>

static const struct cause causes[] = {
#define CAUSE(...) {__VA_ARGS__},
#include "probe/diagnosis/causes.def"
#undef CAUSE
};

const struct cause *cause_all(size_t *count)
{
	*count = sizeof(causes) / sizeof(causes[0]);
	return causes;
}

const struct cause *cause_find(const char *id)
{
	for (size_t i = 0; id && i < sizeof(causes) / sizeof(causes[0]); i++)
		if (strcmp(causes[i].id, id) == 0)
			return &causes[i];
	return NULL;
}
