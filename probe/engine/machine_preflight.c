#include "probe/engine/machine_preflight.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/engine/machine.h"
#include "probe/os/os_machine.h"
#include "probe/os/os_registry.h"
#include "probe/settings/registry.h"
#include "probe/settings/zones.h"

/* 65,536 is more than any document's limit. */
enum { TEMPORARY_FILES_MAX = 65536, NAMES_MAX = 200 };

#define MACHINE "HKEY_LOCAL_MACHINE\\"
#define CERTIFICATES MACHINE "SOFTWARE\\Microsoft\\SystemCertificates\\MY\\Certificates"
#define DEFENDER MACHINE "SOFTWARE\\Microsoft\\Windows Defender\\Exclusions\\"
#define DEFENDER_POLICY MACHINE "SOFTWARE\\Policies\\Microsoft\\Windows Defender\\Exclusions\\"
#define SERVICE "obengine"

static const struct {
	const char *subject, *key, *name;
} facts[] = {
#define FACT(subject, key, name) {subject, MACHINE key, name},
#include "probe/engine/preflight_facts.def"
#undef FACT
};
enum { FACT_COUNT = sizeof(facts) / sizeof(facts[0]) };

struct gather {
	struct report *report;
	const struct registry *registry;
	bool live;
};

static void put(const char *key, const char *name, unsigned type, const unsigned char *data, size_t length, void *user)
{
	const struct registry_value value = {
		.name = name, .type = type, .data = data, .length = length, .where = "this machine's registry"};
	registry_put(user, key, &value);
}

static bool read_key(struct registry *registry, const char *key, unsigned depth)
{
	enum os_registry_answer answer = os_registry_read(key, depth, put, registry);
	if (answer == OS_REGISTRY_DENIED)
		registry_deny(registry, key);
	return answer != OS_REGISTRY_NO_REGISTRY;
}

bool machine_preflight_read(struct registry *registry)
{
	static const char *const lists[] = {DEFENDER "Paths", DEFENDER "Processes", DEFENDER_POLICY "Paths",
					    DEFENDER_POLICY "Processes"};
	bool any = machine_registry_read(registry) && read_key(registry, CERTIFICATES, 1);
	for (size_t i = 0; any && i < FACT_COUNT; i++)
		read_key(registry, facts[i].key, 0);
	for (size_t i = 0; any && i < sizeof(lists) / sizeof(lists[0]); i++)
		read_key(registry, lists[i], 0);
	return any;
}

/* ------------------------------------------------------------------ writing down */

static struct local_fact *add(struct gather *gather, const char *subject, const char *state)
{
	struct observation *one = report_add_observation(gather->report, OP_LOCAL_FACT);
	one->start_us = one->duration_us = 0;
	one->fact.fact = "preflight";
	one->fact.subject = subject;
	one->fact.state = state;
	return &one->fact;
}

static void add_value(struct gather *gather, struct local_fact *fact, const char *text)
{
	text_list_add(gather->report->arena, &fact->values, arena_strdup(gather->report->arena, text));
}

/* An export that lacks the key says nothing of it: most hold a part of a registry. */
static const char *state_of_missing(const struct gather *gather, const char *key)
{
	if (!gather->registry)
		return "not_applicable";
	bool looked =
		gather->live ? !registry_is_denied(gather->registry, key) : registry_has_key(gather->registry, key);
	return looked ? "absent" : "unknown";
}

static const char *text_of(struct gather *gather, const struct registry_value *value)
{
	uint32_t number;
	if (value->type == REGISTRY_SZ || value->type == REGISTRY_EXPAND_SZ)
		return arena_strndup(gather->report->arena, (const char *)value->data, value->length);
	return registry_dword(value, &number) ? arena_printf(gather->report->arena, "%u", number) : NULL;
}

/* What was read, or NULL. */
static const char *record_value(struct gather *gather, const char *subject, const char *key, const char *name)
{
	const struct registry_value *value = gather->registry ? registry_get(gather->registry, key, name) : NULL;
	const char *text = value ? text_of(gather, value) : NULL;
	const char *state = text ? "read" : value ? "unknown" : state_of_missing(gather, key);
	struct local_fact *fact = add(gather, subject, state);
	add_value(gather, fact, text ? text : "");
	add_value(gather, fact,
		  value ? arena_printf(gather->report->arena, "%s\\%s (%s)", key, name, value->where)
			: arena_printf(gather->report->arena, "%s\\%s", key, name));
	return text;
}

/* ------------------------------------------------------------------ what the registry has besides */

static bool holds(const unsigned char *bytes, size_t length, const char *text, size_t step)
{
	size_t count = strlen(text);
	for (size_t at = 0; at + count * step <= length; at++) {
		size_t same = 0;
		while (same < count && bytes[at + same * step] == (unsigned char)text[same])
			same++;
		if (same == count)
			return true;
	}
	return false;
}

/* In the blob stand the certificate (the name in ASCII) and its friendly name (UTF-16LE). */
static void record_certificates(struct gather *gather)
{
	static const char stale[] = "Windows Azure Tools";
	const struct registry *registry = gather->registry;
	bool known = registry && registry_has_key(registry, CERTIFICATES);
	struct local_fact *fact = add(gather, "certificates", known ? "read" : state_of_missing(gather, CERTIFICATES));
	for (const char *name = known ? registry_next_subkey(registry, CERTIFICATES, NULL) : NULL; name;
	     name = registry_next_subkey(registry, CERTIFICATES, name)) {
		const char *key = arena_printf(gather->report->arena, CERTIFICATES "\\%s", name);
		const struct registry_value *blob = registry_get(registry, key, "Blob");
		if (blob && blob->type == REGISTRY_BINARY &&
		    (holds(blob->data, blob->length, stale, 1) || holds(blob->data, blob->length, stale, 2)))
			add_value(gather, fact, name);
	}
	add_value(gather, fact, CERTIFICATES);
}

static bool is_excluded(const struct registry *registry, const char *list, const char *what)
{
	static const char *const places[] = {DEFENDER, DEFENDER_POLICY};
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char key[NAMES_MAX];
		snprintf(key, sizeof(key), "%s%s", places[i], list);
		if (registry_get(registry, key, what))
			return true;
	}
	return false;
}

/* The exclusions of Windows' own antivirus are names of values; nobody else's can be read. Of folders one above serves too. */
static void record_exclusions(struct gather *gather, const char *folder)
{
	const struct registry *registry = gather->registry;
	bool known = registry &&
		     (registry_has_key(registry, DEFENDER "Paths") || registry_has_key(registry, DEFENDER "Processes"));
	struct local_fact *fact = add(gather, "exclusions", known ? "read" : registry ? "unknown" : "not_applicable");
	char path[NAMES_MAX * 2], process[NAMES_MAX * 2];
	snprintf(path, sizeof(path), "%s",
		 folder ? folder : "C:\\Program Files\\Microsoft Azure Recovery Services Agent");
	size_t length = strlen(path);
	if (length && path[length - 1] == '\\')
		path[--length] = '\0';
	snprintf(process, sizeof(process), "%.*s\\bin\\cbengine.exe", NAMES_MAX, path);
	if (known &&
	    (is_excluded(registry, "Processes", "CBEngine.exe") || is_excluded(registry, "Processes", process)))
		add_value(gather, fact, "CBEngine.exe");
	if (known && (is_excluded(registry, "Paths", path)))
		add_value(gather, fact, path);
	add_value(gather, fact, DEFENDER "Paths, Processes");
}

static void record_zone(struct gather *gather)
{
	struct zone_value value = {0, "security zone 3 of SYSTEM, 1803"};
	const struct registry *registry = gather->registry;
	bool known = registry && zones_are_known(registry, IDENTITY_SYSTEM);
	bool set = known && zones_action(gather->report->arena, registry, IDENTITY_SYSTEM, ZONE_INTERNET,
					 ZONE_FILE_DOWNLOAD, &value);
	const char *state = set ? "read" : known ? "absent" : registry ? "unknown" : "not_applicable";
	struct local_fact *fact = add(gather, "zone_download", state);
	add_value(gather, fact, set ? arena_printf(gather->report->arena, "%u", value.number) : "");
	add_value(gather, fact, value.place);
}

/* ------------------------------------------------------------------ this machine alone */

static const char *state_of_machine(const struct gather *gather, bool read)
{
	return read ? "read" : gather->live ? "unknown" : "not_applicable";
}

static void record_temporary_files(struct gather *gather)
{
	char number[24] = "";
	const char *folder = gather->live ? os_machine_temporary_folder() : NULL;
	long count = folder ? os_count_files(folder, ".tmp", TEMPORARY_FILES_MAX) : -1;
	if (count >= 0)
		snprintf(number, sizeof(number), "%ld", count);
	struct local_fact *fact = add(gather, "temporary_files", state_of_machine(gather, count >= 0));
	add_value(gather, fact, number);
	add_value(gather, fact, folder ? folder : "the folder of temporary files");
}

/* Values: free bytes, all bytes, file system, then what is not allowed of it, a word each; last the folder. */
static void record_volume(struct gather *gather, const char *folder)
{
	struct os_volume volume;
	bool read = gather->live && folder && os_volume_of(folder, &volume);
	struct local_fact *fact = add(gather, "scratch_volume", state_of_machine(gather, read));
	if (read) {
		const struct {
			bool is;
			const char *word;
		} traits[] = {{volume.is_remote, "remote"},
			      {volume.is_compressed, "compressed"},
			      {volume.is_encrypted, "encrypted"},
			      {volume.is_sparse, "sparse"},
			      {volume.is_link, "reparse point"}};
		add_value(gather, fact, arena_printf(gather->report->arena, "%llu", volume.free_bytes));
		add_value(gather, fact, arena_printf(gather->report->arena, "%llu", volume.total_bytes));
		add_value(gather, fact, volume.file_system);
		for (size_t i = 0; i < sizeof(traits) / sizeof(traits[0]); i++)
			if (traits[i].is)
				add_value(gather, fact, traits[i].word);
	}
	add_value(gather, fact, folder ? folder : "the agent's Scratch folder");
}

static void record_service(struct gather *gather)
{
	int runs = gather->live ? os_service_runs(SERVICE) : -1;
	struct local_fact *fact = add(gather, "service_state", state_of_machine(gather, runs >= 0));
	add_value(gather, fact, runs > 0 ? "running" : runs == 0 ? "stopped" : "");
	add_value(gather, fact, "service " SERVICE);
}

void machine_preflight_record(struct report *report, const struct registry *registry, bool live)
{
	struct gather gather = {report, registry, live && registry};
	const char *folder = NULL, *scratch = NULL;
	for (size_t i = 0; i < FACT_COUNT; i++) {
		const char *text = record_value(&gather, facts[i].subject, facts[i].key, facts[i].name);
		if (strcmp(facts[i].subject, "agent_folder") == 0)
			folder = text;
		if (strcmp(facts[i].subject, "scratch") == 0)
			scratch = text;
	}
	if (!scratch && folder)
		scratch = arena_printf(report->arena, "%s%sScratch", folder,
				       *folder && folder[strlen(folder) - 1] == '\\' ? "" : "\\");
	record_value(&gather, "agent_version", MACHINE_AGENT_KEY, "DisplayVersion");
	record_certificates(&gather);
	record_exclusions(&gather, folder);
	record_zone(&gather);
	record_temporary_files(&gather);
	record_volume(&gather, scratch);
	record_service(&gather);
}
