#include "probe/settings/nrpt.h"

#include <string.h>
#include <strings.h>

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/settings/encoding.h"
#include "probe/settings/registry.h"

#define POLICY_RULES "HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Microsoft\\Windows NT\\DNSClient\\DnsPolicyConfig"
#define LOCAL_RULES "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\Dnscache\\Parameters\\DnsPolicyConfig"

/* Bits of ConfigOptions: which of the rule's settings count. */
enum { OPTION_DIRECT_ACCESS = 0x4, OPTION_SERVERS = 0x8 };

/* How well a name space fits: what is more specific is more. */
enum { FITS_NOT = 0, FITS_ANY = 1, FITS_SUFFIX = 2, FITS_FIRST_LABEL = 100 * 1000, FITS_NAME };

enum { NAMES_BYTES_MAX = 64 * 1024 };

/* ------------------------------------------------------------------ name spaces */

static size_t without_final_dot(const char *name)
{
	size_t length = strlen(name);
	return length && name[length - 1] == '.' ? length - 1 : length;
}

static bool same(const char *a, const char *b, size_t length)
{
	return strncasecmp(a, b, length) == 0;
}

static int fit(const char *space, const char *name)
{
	size_t length = strlen(space), name_length = without_final_dot(name);
	if (strcmp(space, ".") == 0)
		return FITS_ANY;
	if (space[0] == '.')
		return name_length > length && same(name + name_length - length, space, length)
			       ? FITS_SUFFIX + (int)length
			       : FITS_NOT;
	if (length == name_length && same(space, name, length))
		return FITS_NAME;
	bool is_label = length && !strchr(space, '.');
	return is_label && length < name_length && name[length] == '.' && same(space, name, length) ? FITS_FIRST_LABEL
												    : FITS_NOT;
}

/* ------------------------------------------------------------------ rules */

/* The texts of a MULTI_SZ: UTF-16, a NUL behind each and one more at the end. */
static void split_texts(struct arena *arena, const unsigned char *data, size_t length, struct text_list *out)
{
	size_t begin = 0;
	length = length < NAMES_BYTES_MAX ? length : NAMES_BYTES_MAX;
	for (size_t at = 0; at + 1 < length + 2; at += 2) {
		bool end = at + 1 >= length || (!data[at] && !data[at + 1]);
		if (end && at > begin) {
			struct strbuf text;
			strbuf_init(&text);
			encoding_add_utf16le(&text, data + begin, at - begin);
			text_list_add(arena, out, arena_strdup(arena, text.data));
			strbuf_free(&text);
		}
		if (end)
			begin = at + 2;
	}
}

static struct text_list name_spaces(struct arena *arena, const struct registry *registry, const char *key)
{
	struct text_list list = {0};
	const struct registry_value *value = registry_get(registry, key, "Name");
	if (value && value->type == REGISTRY_MULTI_SZ)
		split_texts(arena, value->data, value->length, &list);
	else if (value && value->type == REGISTRY_SZ)
		text_list_add(arena, &list, (const char *)value->data);
	return list;
}

/* "10.0.0.1;10.0.0.2" */
static void add_servers(struct arena *arena, const struct registry *registry, const char *key, const char *name,
			struct text_list *out)
{
	const struct registry_value *value = registry_get(registry, key, name);
	const char *at = value && value->type == REGISTRY_SZ ? (const char *)value->data : "";
	while (*at) {
		at += strspn(at, "; ");
		size_t length = strcspn(at, "; ");
		if (length)
			text_list_add(arena, out, arena_strndup(arena, at, length));
		at += length;
	}
}

static struct text_list servers_of(struct arena *arena, const struct registry *registry, const char *key)
{
	struct text_list list = {0};
	uint32_t options = 0;
	registry_dword(registry_get(registry, key, "ConfigOptions"), &options);
	if (options & OPTION_SERVERS)
		add_servers(arena, registry, key, "GenericDNSServers", &list);
	if (options & OPTION_DIRECT_ACCESS)
		add_servers(arena, registry, key, "DirectAccessDNSServers", &list);
	return list;
}

bool nrpt_find(struct arena *arena, const struct registry *registry, const char *name, struct nrpt_rule *out)
{
	struct nrpt_rule found = {0};
	int best = FITS_NOT;
	const char *root = registry_next_subkey(registry, POLICY_RULES, NULL) ? POLICY_RULES : LOCAL_RULES;
	for (const char *rule = NULL; (rule = registry_next_subkey(registry, root, rule)) != NULL;) {
		const char *key = arena_printf(arena, "%s\\%s", root, rule);
		struct text_list spaces = name_spaces(arena, registry, key);
		for (size_t i = 0; i < spaces.count; i++) {
			int how = fit(spaces.items[i], name);
			if (how <= best)
				continue;
			best = how;
			found = (struct nrpt_rule){spaces.items[i], servers_of(arena, registry, key)};
		}
	}
	if (!found.servers.count)
		return false;
	*out = found;
	return true;
}
