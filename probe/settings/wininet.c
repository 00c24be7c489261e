#include "probe/settings/wininet.h"

#include <string.h>
#include <strings.h>

#include "probe/core/arena.h"
#include "probe/settings/blob.h"
#include "probe/settings/bypass.h"
#include "probe/settings/mask.h"
#include "probe/settings/proxy_list.h"

#define INTERNET_SETTINGS "Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings"
#define CONNECTIONS INTERNET_SETTINGS "\\Connections"
#define POLICY_KEY "HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Microsoft\\Windows\\CurrentVersion\\Internet Settings"
#define SYSTEM_ROOT "HKEY_USERS\\S-1-5-18"
#define SYSTEM_ALIAS "HKEY_USERS\\.DEFAULT"

enum { TEXT_BYTES_MAX = 64 * 1024 };

/* Where one identity's settings stand. SYSTEM's hive has two names: the first that holds a value counts. */
struct hive {
	struct arena *arena;
	const struct registry *registry;
	const char *roots[2]; /* the second may be NULL */
	struct text_list *problems;
};

/* The plain values (wininet.md 1.1); texts NULL where absent. */
struct plain {
	bool found, enable_found, enable, auto_detect;
	const char *server, *bypass, *pac;
	const char *location;
};

static void complain(struct hive *hive, const char *problem)
{
	text_list_add(hive->arena, hive->problems, problem);
}

/* ------------------------------------------------------------------ values */

static const struct registry_value *get(const struct hive *hive, const char *key, const char *name, const char **place)
{
	for (size_t i = 0; i < 2 && hive->roots[i]; i++) {
		const char *path = arena_printf(hive->arena, "%s\\%s", hive->roots[i], key);
		const struct registry_value *value = registry_get(hive->registry, path, name);
		if (value) {
			*place = path;
			return value;
		}
	}
	return NULL;
}

static bool has_settings(const struct registry *registry, struct arena *arena, const char *root)
{
	const char *key = root ? arena_printf(arena, "%s\\" INTERNET_SETTINGS, root) : NULL;
	return key && registry_has_key(registry, key) && !registry_is_denied(registry, key);
}

static const char *limited(struct hive *hive, const char *name, const char *text)
{
	if (!text || strnlen(text, TEXT_BYTES_MAX + 1) <= TEXT_BYTES_MAX)
		return text;
	size_t length = TEXT_BYTES_MAX;
	while (length && ((unsigned char)text[length] & 0xc0) == 0x80) /* not through a character */
		length--;
	complain(hive, arena_printf(hive->arena, "%s is longer than %d bytes; the rest is not looked at", name,
				    TEXT_BYTES_MAX));
	return arena_strndup(hive->arena, text, length);
}

static void note_place(struct hive *hive, struct plain *plain, const char *key, const struct registry_value *value)
{
	plain->found = true;
	if (!plain->location)
		plain->location = arena_printf(hive->arena, "%s (%s)", key, value->where);
}

static const char *read_text(struct hive *hive, const char *name, struct plain *plain)
{
	const char *key = NULL;
	const struct registry_value *value = get(hive, INTERNET_SETTINGS, name, &key);
	if (!value)
		return NULL;
	note_place(hive, plain, key, value);
	if (value->type == REGISTRY_SZ)
		return limited(hive, name, (const char *)value->data);
	complain(hive, arena_printf(hive->arena, "%s (%s) is not of type REG_SZ, so Windows does not read it", name,
				    value->where));
	return NULL;
}

/* A switch of the wrong type counts as off (wininet.md 1.1). */
static bool read_switch(struct hive *hive, const char *name, struct plain *plain, bool *found)
{
	const char *key = NULL;
	uint32_t on = 0;
	const struct registry_value *value = get(hive, INTERNET_SETTINGS, name, &key);
	*found = value != NULL;
	if (!value)
		return false;
	note_place(hive, plain, key, value);
	if (!registry_dword(value, &on))
		complain(hive, arena_printf(hive->arena, "%s (%s) is not of type REG_DWORD, so it counts as 0", name,
					    value->where));
	return on != 0;
}

static struct plain read_plain(struct hive *hive)
{
	struct plain plain = {0};
	bool ignored;
	plain.server = read_text(hive, "ProxyServer", &plain);
	plain.enable = read_switch(hive, "ProxyEnable", &plain, &plain.enable_found);
	plain.bypass = read_text(hive, "ProxyOverride", &plain);
	plain.pac = read_text(hive, "AutoConfigURL", &plain);
	plain.auto_detect = read_switch(hive, "AutoDetect", &plain, &ignored);
	return plain;
}

/* ------------------------------------------------------------------ blobs */

/* A blob that may be there, and may not be read, would be what counts. */
static void note_denied(struct hive *hive)
{
	for (size_t i = 0; i < 2 && hive->roots[i]; i++) {
		const char *key = arena_printf(hive->arena, "%s\\" CONNECTIONS, hive->roots[i]);
		if (registry_is_denied(hive->registry, key))
			complain(hive, arena_printf(hive->arena,
						    "this account may not read %s: what Windows uses may differ from "
						    "what is shown here",
						    key));
	}
}

/* Read a blob into *blob; *location is where, NULL if there is none. False if there is none or it is damaged, with
 * a problem. */
static bool read_blob(struct hive *hive, enum blob_kind kind, const char *name, struct blob *blob,
		      const char **location)
{
	const char *key = NULL, *why = "it is not of type REG_BINARY";
	const struct registry_value *value = get(hive, CONNECTIONS, name, &key);
	*location = value ? arena_printf(hive->arena, "%s\\%s (%s)", key, name, value->where) : NULL;
	*blob = (struct blob){.proxy = "", .bypass = "", .pac = ""};
	if (!value)
		return false;
	if (value->type == REGISTRY_BINARY && blob_parse(hive->arena, kind, value->data, value->length, blob, &why)) {
		blob->proxy = limited(hive, "the proxy list in it", blob->proxy);
		blob->bypass = limited(hive, "the bypass list in it", blob->bypass);
		blob->pac = limited(hive, "the PAC address in it", blob->pac);
		return true;
	}
	complain(hive, arena_printf(hive->arena, "%s (%s) is damaged: %s", name, value->where, why));
	return false;
}

static void note_blob(struct proxy_setting *out, const struct blob *blob)
{
	out->blob_found = true;
	out->blob_version = blob->version;
	out->blob_counter = blob->counter;
	out->blob_flags = blob->flags;
}

static void use_blob(struct arena *arena, const struct blob *blob, struct proxy_setting *out)
{
	out->source = "blob";
	out->auto_detect = blob->flags & BLOB_AUTO_DETECT;
	out->pac_enabled = (blob->flags & BLOB_PAC) && *blob->pac;
	out->proxy_enabled = blob->flags & BLOB_STATIC;
	out->pac_address = *blob->pac ? arena_strdup(arena, blob->pac) : NULL;
	out->pac_url = out->pac_address ? mask_url(arena, blob->pac) : NULL;
	out->proxy_server = mask_passwords(arena, blob->proxy);
	out->proxy_bypass = mask_passwords(arena, blob->bypass);
}

static void use_plain(struct arena *arena, const struct plain *plain, struct proxy_setting *out)
{
	out->source = plain->found ? "values" : "none";
	out->auto_detect = plain->auto_detect;
	out->pac_enabled = plain->pac && *plain->pac;
	out->proxy_enabled = plain->enable;
	out->pac_address = out->pac_enabled ? arena_strdup(arena, plain->pac) : NULL;
	out->pac_url = out->pac_enabled ? mask_url(arena, plain->pac) : NULL;
	out->proxy_server = mask_passwords(arena, plain->server);
	out->proxy_bypass = mask_passwords(arena, plain->bypass);
}

/* ------------------------------------------------------------------ blob against values (wininet.md 1.3) */

static bool text_differs(const char *plain, const char *blob)
{
	return plain && strcmp(plain, blob) != 0;
}

/* The first plain value that contradicts the blob, NULL if none does. What is absent, or switched off in both,
 * cannot. */
static const char *difference(const struct plain *plain, const struct blob *blob)
{
	bool on = blob->flags & BLOB_STATIC, pac_on = (blob->flags & BLOB_PAC) && *blob->pac;
	if (plain->enable_found && plain->enable != on)
		return "ProxyEnable";
	if (on && text_differs(plain->server, blob->proxy))
		return "ProxyServer";
	if (on && text_differs(plain->bypass, blob->bypass))
		return "ProxyOverride";
	if (pac_on ? text_differs(plain->pac, blob->pac) : plain->pac && *plain->pac)
		return "AutoConfigURL";
	return NULL;
}

static void compare(struct hive *hive, const struct plain *plain, const struct blob *blob, struct proxy_setting *out)
{
	struct blob saved;
	const char *place = NULL, *name = difference(plain, blob);
	if (!name)
		return;
	out->disagree = true;
	complain(hive,
		 arena_printf(
			 hive->arena,
			 "the plain values (%s first) and DefaultConnectionSettings disagree: Windows uses the latter",
			 name));
	if (!read_blob(hive, BLOB_CONNECTION, "SavedLegacySettings", &saved, &place))
		return;
	if (difference(plain, &saved))
		complain(hive,
			 "a pending change: the plain values differ from SavedLegacySettings too, so something wrote "
			 "them "
			 "behind Windows' back, and Windows will take them over the next time it loads its settings");
}

/* ------------------------------------------------------------------ WinINET */

static bool is_real_user(const char *name)
{
	static const char suffix[] = "_Classes";
	size_t length = strlen(name), tail = strlen(suffix);
	if (length > tail && strcasecmp(name + length - tail, suffix) == 0)
		return false;
	return strncasecmp(name, "S-1-5-21-", 9) == 0 || strncasecmp(name, "S-1-12-1-", 9) == 0;
}

/* An export made by another account has the user's hive by its SID. It is taken only if there is no doubt whose it
 * is. */
static const char *find_user_root(struct hive *hive)
{
	const char *found = NULL, *name = NULL;
	size_t count = 0;
	if (has_settings(hive->registry, hive->arena, "HKEY_CURRENT_USER"))
		return "HKEY_CURRENT_USER";
	while ((name = registry_next_subkey(hive->registry, "HKEY_USERS", name))) {
		const char *root = is_real_user(name) ? arena_printf(hive->arena, "HKEY_USERS\\%s", name) : NULL;
		if (!has_settings(hive->registry, hive->arena, root))
			continue;
		found = root;
		count++;
	}
	if (count > 1)
		complain(hive,
			 arena_printf(
				 hive->arena,
				 "the export holds the settings of %zu users and none as HKEY_CURRENT_USER: whose are "
				 "meant is unknown. Export HKEY_CURRENT_USER as that user",
				 count));
	return count == 1 ? found : NULL;
}

static bool same_value(const struct registry_value *a, const struct registry_value *b)
{
	return a->type == b->type && a->length == b->length && memcmp(a->data, b->data, a->length) == 0;
}

/* S-1-5-18 and .DEFAULT are one hive on a real machine: exports that contradict each other are not of one time. */
static void compare_aliases(struct hive *hive)
{
	static const char *const names[][2] = {{INTERNET_SETTINGS, "ProxyEnable"},
					       {INTERNET_SETTINGS, "ProxyServer"},
					       {INTERNET_SETTINGS, "ProxyOverride"},
					       {INTERNET_SETTINGS, "AutoConfigURL"},
					       {CONNECTIONS, "DefaultConnectionSettings"}};
	const char *key = NULL;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct hive first = *hive, second = *hive;
		first.roots[1] = NULL;
		second.roots[0] = hive->roots[1];
		second.roots[1] = NULL;
		const struct registry_value *a = get(&first, names[i][0], names[i][1], &key);
		const struct registry_value *b = get(&second, names[i][0], names[i][1], &key);
		if (!a || !b || same_value(a, b))
			continue;
		complain(hive,
			 arena_printf(
				 hive->arena,
				 "HKEY_USERS\\S-1-5-18 and HKEY_USERS\\.DEFAULT are the same hive, but here their %s "
				 "differ (%s, %s): S-1-5-18 is used",
				 names[i][1], a->where, b->where));
	}
}

bool wininet_is_per_machine(const struct registry *registry)
{
	uint32_t per_user = 1;
	return registry_dword(registry_get(registry, POLICY_KEY, "ProxySettingsPerUser"), &per_user) && !per_user;
}

bool wininet_is_system_denied(const struct registry *registry)
{
	return registry_is_denied(registry, SYSTEM_ROOT) ||
	       registry_is_denied(registry, SYSTEM_ROOT "\\" INTERNET_SETTINGS);
}

bool wininet_knows_system(const struct registry *registry)
{
	bool has_hive = registry_has_key(registry, SYSTEM_ROOT) || registry_has_key(registry, SYSTEM_ALIAS);
	return (has_hive && !wininet_is_system_denied(registry)) || wininet_is_per_machine(registry);
}

static void check_policy(struct hive *hive)
{
	uint32_t ignored;
	const struct registry_value *value = registry_get(hive->registry, POLICY_KEY, "ProxySettingsPerUser");
	if (value && !registry_dword(value, &ignored))
		complain(hive,
			 arena_printf(hive->arena,
				      "ProxySettingsPerUser (%s) is not of type REG_DWORD, so settings stay per user",
				      value->where));
}

static void choose_roots(struct hive *hive, enum identity_id identity, bool per_machine)
{
	if (per_machine) {
		hive->roots[0] = "HKEY_LOCAL_MACHINE";
	} else if (identity == IDENTITY_SYSTEM) {
		hive->roots[0] = SYSTEM_ROOT;
		hive->roots[1] = SYSTEM_ALIAS;
		compare_aliases(hive);
	} else {
		hive->roots[0] = find_user_root(hive);
	}
}

/* Say why there are no settings, where the export could have had them. */
static void explain_absence(struct hive *hive, enum identity_id identity, bool per_machine)
{
	if (per_machine)
		complain(hive, "settings are machine-wide (ProxySettingsPerUser is 0), but there is no key "
			       "HKEY_LOCAL_MACHINE\\" INTERNET_SETTINGS);
	else if (identity == IDENTITY_SYSTEM && wininet_is_system_denied(hive->registry))
		complain(hive, "this account may not read SYSTEM's settings in the registry");
	else if (identity == IDENTITY_SYSTEM && wininet_knows_system(hive->registry))
		complain(hive, "SYSTEM's hive is there, but not the key Internet Settings in it: no proxy is assumed");
}

/* Which mechanisms are on, in the order in which Windows tries them (wininet.md section 4). */
static void fill_order(struct arena *arena, struct proxy_setting *out)
{
	if (out->auto_detect)
		text_list_add(arena, &out->order, "auto_detect");
	if (out->pac_enabled)
		text_list_add(arena, &out->order, "pac");
	if (out->proxy_enabled)
		text_list_add(arena, &out->order, "static");
	text_list_add(arena, &out->order, "direct");
}

static void check_lists(struct arena *arena, enum proxy_dialect dialect, struct proxy_setting *out)
{
	struct proxy_list list;
	bool web = out->pac_enabled &&
		   (strncasecmp(out->pac_url, "http://", 7) == 0 || strncasecmp(out->pac_url, "https://", 8) == 0);
	if (out->pac_enabled && !web)
		text_list_add(arena, &out->problems,
			      arena_printf(arena,
					   "the PAC address `%s` is neither http nor https: Windows no longer loads it",
					   out->pac_url));
	if (!out->proxy_enabled)
		return;
	proxy_list_parse(arena, dialect, out->proxy_server, &list);
	proxy_list_problems(arena, &list, &out->problems);
	bypass_problems(arena, dialect, out->proxy_bypass, &out->problems);
}

static void read_hive(struct hive *hive, struct proxy_setting *out)
{
	struct blob blob;
	const char *blob_place = NULL;
	struct plain plain = read_plain(hive);
	note_denied(hive);
	if (read_blob(hive, BLOB_CONNECTION, "DefaultConnectionSettings", &blob, &blob_place)) {
		use_blob(hive->arena, &blob, out);
		out->location = blob_place;
		compare(hive, &plain, &blob, out);
		note_blob(out, &blob);
		return;
	}
	use_plain(hive->arena, &plain, out);
	out->location = plain.location ? plain.location : out->location;
	if (blob_place) {
		note_blob(out, &blob);
		out->blob_malformed = true;
	}
}

void wininet_read(struct arena *arena, const struct registry *registry, enum identity_id identity,
		  struct proxy_setting *out)
{
	bool per_machine = wininet_is_per_machine(registry);
	*out = (struct proxy_setting){.identity = identity, .kind = ROUTE_WININET, .source = "none"};
	out->scope = per_machine ? "per-machine" : "per-user";
	struct hive hive = {.arena = arena, .registry = registry, .problems = &out->problems};
	check_policy(&hive);
	choose_roots(&hive, identity, per_machine);
	out->location =
		arena_printf(arena, "%s\\" INTERNET_SETTINGS, hive.roots[0] ? hive.roots[0] : "HKEY_CURRENT_USER");
	out->found = has_settings(registry, arena, hive.roots[0]) || has_settings(registry, arena, hive.roots[1]);
	if (out->found) {
		read_hive(&hive, out);
		check_lists(arena, PROXY_WININET, out);
	} else {
		explain_absence(&hive, identity, per_machine);
	}
	fill_order(arena, out);
}

/* ------------------------------------------------------------------ WinHTTP */

void winhttp_read(struct arena *arena, const struct registry *registry, enum identity_id identity,
		  struct proxy_setting *out)
{
	struct blob blob;
	const char *place = NULL;
	*out = (struct proxy_setting){
		.identity = identity, .kind = ROUTE_WINHTTP, .scope = "per-machine", .source = "none"};
	struct hive hive = {.arena = arena,
			    .registry = registry,
			    .roots = {"HKEY_LOCAL_MACHINE", NULL},
			    .problems = &out->problems};
	bool usable = read_blob(&hive, BLOB_WINHTTP, "WinHttpSettings", &blob, &place);
	out->location = place ? place : "HKEY_LOCAL_MACHINE\\" CONNECTIONS "\\WinHttpSettings";
	out->found = place != NULL;
	if (place) {
		note_blob(out, &blob);
		out->blob_malformed = !usable;
	}
	if (usable) {
		use_blob(arena, &blob, out);
		check_lists(arena, PROXY_WINHTTP, out);
	}
	fill_order(arena, out);
}
