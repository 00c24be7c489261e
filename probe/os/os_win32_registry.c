/* Windows' registry, read live in its 64-bit view. */

#include "probe/os/os_registry.h"

#include <stdlib.h>
#include <string.h>

#include "probe/os/os_win32.h"

/* Names of keys have at most 255 characters, names of values 16,383 (MicrosoftDocs/win32, sysinfo/registry-element-size-limits). */
enum { KEY_NAME_CHARACTERS = 256, VALUE_NAME_CHARACTERS = 16384, VALUE_BYTES_MAX = 64 * 1024, VALUES_MAX = 4096 };

/* Where the registry's own bytes are put: room for a terminator behind them. */
union value_bytes {
	unsigned char bytes[VALUE_BYTES_MAX + sizeof(wchar_t)];
	wchar_t text[(VALUE_BYTES_MAX + sizeof(wchar_t)) / sizeof(wchar_t)];
};

/* One call, and what all its keys share. */
struct reading {
	os_registry_value_cb tell;
	void *user;
	size_t values_left;
	wchar_t value_name[VALUE_NAME_CHARACTERS];
	union value_bytes data;
};

/* The root that a path begins with, and what comes behind it. */
static HKEY root_of(const char *path, const char **rest)
{
	static const struct {
		const char *name;
		HKEY key;
	} roots[] = {{"HKEY_CURRENT_USER", HKEY_CURRENT_USER},
		     {"HKEY_LOCAL_MACHINE", HKEY_LOCAL_MACHINE},
		     {"HKEY_USERS", HKEY_USERS}};
	size_t length = strcspn(path, "\\");
	*rest = path[length] ? path + length + 1 : path + length;
	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
		if (strlen(roots[i].name) == length && _strnicmp(roots[i].name, path, length) == 0)
			return roots[i].key;
	return NULL;
}

/* A text in the registry may lack its terminator, have several, or end in half a character. */
static void tell_text(struct reading *reading, const char *key, const char *name, DWORD type, DWORD bytes)
{
	reading->data.text[bytes / sizeof(wchar_t)] = L'\0';
	char *text = os_narrow(reading->data.text);
	if (text)
		reading->tell(key, name, type, (const unsigned char *)text, strlen(text), reading->user);
	free(text);
}

static void tell_value(struct reading *reading, const char *key, DWORD type, DWORD bytes)
{
	char *name = os_narrow(reading->value_name);
	if (!name)
		return;
	reading->values_left--;
	if (type == REG_SZ || type == REG_EXPAND_SZ)
		tell_text(reading, key, name, type, bytes);
	else
		reading->tell(key, name, type, reading->data.bytes, bytes, reading->user);
	free(name);
}

static void read_values(struct reading *reading, HKEY key, const char *path)
{
	bool any = false;
	for (DWORD i = 0; reading->values_left > 0; i++) {
		DWORD characters = VALUE_NAME_CHARACTERS, bytes = VALUE_BYTES_MAX, type = REG_NONE;
		LSTATUS status = RegEnumValueW(key, i, reading->value_name, &characters, NULL, &type,
					       reading->data.bytes, &bytes);
		if (status != ERROR_SUCCESS && status != ERROR_MORE_DATA)
			break;
		if (status == ERROR_MORE_DATA)
			continue; /* larger than all that we know what to do with */
		any = true;
		tell_value(reading, path, type, bytes);
	}
	if (!any)
		reading->tell(path, NULL, REG_NONE, NULL, 0, reading->user);
}

static char *join(const char *path, const wchar_t *wide)
{
	char *name = os_narrow(wide);
	size_t bytes = name ? strlen(path) + strlen(name) + sizeof("\\") : 0;
	char *joined = bytes ? malloc(bytes) : NULL;
	if (joined) {
		strcpy(joined, path);
		strcat(joined, "\\");
		strcat(joined, name);
	}
	free(name);
	return joined;
}

static enum os_registry_answer answer_of(LSTATUS status)
{
	if (status == ERROR_FILE_NOT_FOUND || status == ERROR_PATH_NOT_FOUND)
		return OS_REGISTRY_ABSENT;
	return status == ERROR_SUCCESS ? OS_REGISTRY_READ : OS_REGISTRY_DENIED;
}

/* Read one key, and what is below it. A key below that this account may not read is passed over. */
static enum os_registry_answer read_key(struct reading *reading, HKEY parent, const wchar_t *name, const char *path,
					unsigned depth)
{
	HKEY key;
	wchar_t child[KEY_NAME_CHARACTERS];
	enum os_registry_answer answer = answer_of(RegOpenKeyExW(parent, name, 0, KEY_READ | KEY_WOW64_64KEY, &key));
	if (answer != OS_REGISTRY_READ)
		return answer;
	read_values(reading, key, path);
	for (DWORD i = 0; depth > 0 && reading->values_left > 0; i++) {
		DWORD characters = KEY_NAME_CHARACTERS;
		if (RegEnumKeyExW(key, i, child, &characters, NULL, NULL, NULL, NULL) != ERROR_SUCCESS)
			break;
		char *child_path = join(path, child);
		if (child_path)
			read_key(reading, key, child, child_path, depth - 1);
		free(child_path);
	}
	RegCloseKey(key);
	return OS_REGISTRY_READ;
}

enum os_registry_answer os_registry_read(const char *key, unsigned depth, os_registry_value_cb value, void *user)
{
	const char *rest;
	HKEY root = root_of(key, &rest);
	struct reading *reading = root ? malloc(sizeof(*reading)) : NULL;
	wchar_t *name = reading ? os_wide(rest) : NULL;
	enum os_registry_answer answer = OS_REGISTRY_ABSENT;
	if (name) {
		reading->tell = value;
		reading->user = user;
		reading->values_left = VALUES_MAX;
		answer = read_key(reading, root, name, key, depth);
	}
	free(name);
	free(reading);
	return answer;
}
