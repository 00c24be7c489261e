#include "probe/diagnosis/diagnosis.h"

#include <string.h>

#include "probe/core/strbuf.h"

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

void cause_fill_in(struct strbuf *out, const char *text, size_t length, const struct cause_words *words)
{
	const struct {
		const char *name, *value;
	} fills[] = {{"{subject}", words->subject}, {"{target}", words->target}, {"{proxy}", words->proxy},
		     {"{packet}", words->packet},   {"{mss}", words->mss},	 {"{commands}", words->commands}};
	const size_t count = sizeof(fills) / sizeof(fills[0]);
	for (size_t i = 0; i < length; i++) {
		size_t k = 0;
		while (k < count && strncmp(text + i, fills[k].name, strlen(fills[k].name)) != 0)
			k++;
		if (k < count)
			strbuf_add(out, fills[k].value);
		else
			strbuf_add_char(out, text[i]);
		i += k < count ? strlen(fills[k].name) - 1 : 0;
	}
}
