#include "probe/settings/wpad_names.h"

#include <libpsl.h>
#include <stdbool.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/evidence.h"

/* RFC 1035 2.3.4: a label has 63 bytes, a name 255 with the length before each label and the root's: 253 characters. */
enum { LABEL_MAX = 63, NAME_MAX_CHARACTERS = 253 };

static const char prefix[] = "wpad.";

/** What a domain's name may hold in DNS, in lower case: letters, digits, "-" and, in Active Directory, "_". */
static const char name_characters[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";

/** Is that a domain's name, without a final dot? A last label of digits makes it an address or nothing at all (RFC 3696 2). */
static bool is_domain(const char *name)
{
	bool digits = true;
	if (strlen(name) > NAME_MAX_CHARACTERS)
		return false;
	for (const char *label = name;; label++) {
		size_t length = strspn(label, name_characters);
		digits = strspn(label, "0123456789") == length;
		label += length;
		if (length == 0 || length > LABEL_MAX || (*label != '.' && *label))
			return false;
		if (!*label)
			return !digits;
	}
}

/** The suffix in lower case without its final dot, in the arena; NULL if it is no domain. */
static const char *suffix_read(struct arena *arena, const char *text)
{
	size_t length = text ? strnlen(text, NAME_MAX_CHARACTERS + 2) : 0;
	if (length > 0 && text[length - 1] == '.')
		length--;
	if (length == 0 || length > NAME_MAX_CHARACTERS)
		return NULL;
	char *name = arena_strndup(arena, text, length);
	for (char *at = name; *at; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at + ('a' - 'A'));
	return is_domain(name) ? name : NULL;
}

/** The list calls every name of one label public that it does not know; here such a name belongs to who gave it to his machines. */
static bool is_public(const char *domain)
{
	return psl_is_public_suffix2(psl_builtin(), domain, PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE) != 0;
}

static void name_add(struct arena *arena, const char *domain, struct text_list *out)
{
	if (out->count >= WPAD_NAMES_MAX || strlen(prefix) + strlen(domain) > NAME_MAX_CHARACTERS)
		return;
	const char *name = arena_printf(arena, "%s%s", prefix, domain);
	if (!text_list_has(out, name))
		text_list_add(arena, out, name);
}

static void suffix_devolve(struct arena *arena, const char *suffix, struct text_list *out)
{
	const char *domain = suffix;
	do {
		if (is_public(domain))
			return;
		name_add(arena, domain, out);
		domain = strchr(domain, '.');
		domain = domain ? domain + 1 : NULL;
	} while (domain && strchr(domain, '.'));
}

void wpad_names(struct arena *arena, const struct text_list *suffixes, struct text_list *out)
{
	for (size_t i = 0; suffixes && i < suffixes->count && i < WPAD_SUFFIXES_MAX; i++) {
		const char *suffix = suffix_read(arena, suffixes->items[i]);
		if (suffix)
			suffix_devolve(arena, suffix, out);
	}
}
