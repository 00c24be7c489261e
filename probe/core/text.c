#include "probe/core/text.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

const char *text_find_nocase(const char *text, const char *part)
{
	size_t length = strlen(part);
	for (; *text; text++)
		if (strncasecmp(text, part, length) == 0)
			return text;
	return length ? NULL : text;
}

char *text_next_word(char **rest, const char *separators)
{
	char *word = *rest;
	if (!word)
		return NULL;
	word += strspn(word, separators);
	size_t length = strcspn(word, separators);
	*rest = word[length] ? word + length + 1 : NULL;
	word[length] = '\0';
	return length ? word : NULL;
}
