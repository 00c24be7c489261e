#include "targets/targets.h"

#include <string.h>
#include <strings.h>

#include "probe/core/arena.h"

enum { REGION_LETTERS_MIN = 2, REGION_LETTERS_MAX = 10 };

static const struct {
	const char *code, *name;
} region_table[] = {
#define REGION(code, name) {code, name},
#include "targets/region.def"
#undef REGION
};

static const char alphanumeric[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

bool targets_region_valid(const char *code)
{
	size_t length = strlen(code);

	return length >= REGION_LETTERS_MIN && length <= REGION_LETTERS_MAX && strspn(code, alphanumeric) == length;
}

const char *targets_region_name(const char *code)
{
	for (size_t i = 0; code && i < sizeof(region_table) / sizeof(*region_table); i++)
		if (strcasecmp(region_table[i].code, code) == 0)
			return region_table[i].name;
	return NULL;
}

/* "East US", "eastus" and "EastUS" are the same place. */
static bool is_same_place(const char *one, const char *other)
{
	for (;; one++, other++) {
		one += strspn(one, " ");
		other += strspn(other, " ");
		if (strncasecmp(one, other, 1) != 0)
			return false;
		if (!*one)
			return true;
	}
}

const char *targets_region_code(const char *name)
{
	for (size_t i = 0; name && i < sizeof(region_table) / sizeof(*region_table); i++)
		if (is_same_place(region_table[i].name, name))
			return region_table[i].code;
	return NULL;
}

static const char *lower_case(struct arena *arena, const char *text)
{
	char *copy = arena_strndup(arena, text, strlen(text));

	for (char *c = copy; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return copy;
}

const char *targets_region(const struct target_options *options, const char *cloud)
{
	if (options->region)
		return lower_case(options->arena, options->region);
	if (cloud && strcmp(cloud, "usgov") == 0)
		return "ugv";
	if (cloud && strcmp(cloud, "china") == 0)
		return "bjb2";
	return "eus";
}
