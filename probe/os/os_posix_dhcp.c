/* What the DHCP clients of this machine wrote down. */

#include "probe/os/os_dhcp.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "probe/os/os.h"

enum { LEASES_BYTES_MAX = 1024 * 1024, OPTION_BYTES_MAX = 1024, PATH_BYTES = 1024 };

/** What is looked for, and what came of it so far. */
struct search {
	char *url;
	size_t bytes;
	size_t leases;			/* files read */
	char problem[PATH_BYTES + 128]; /* of a lease that has the option, but no text in it */
};

/* ------------------------------------------------------------------ files */

typedef bool (*lease_read)(struct search *search, const char *path, char *text);

static bool is_wanted(const char *name, const char *prefix)
{
	return *name != '.' && strncmp(name, prefix, strlen(prefix)) == 0;
}

static bool file_read(struct search *search, const char *path, lease_read read)
{
	char reason[128];
	size_t length = 0;
	char *text = os_read_file(path, LEASES_BYTES_MAX, &length, reason, sizeof(reason));
	if (!text)
		return false;
	search->leases++;
	bool found = read(search, path, text);
	free(text);
	return found;
}

static bool directory_read(struct search *search, const char *root, const char *directory, const char *prefix,
			   lease_read read)
{
	char path[PATH_BYTES];
	bool found = false;
	struct dirent *entry;
	snprintf(path, sizeof(path), "%s%s", root, directory);
	DIR *list = opendir(path);
	while (list && !found && (entry = readdir(list)) != NULL) {
		int length = snprintf(path, sizeof(path), "%s%s/%s", root, directory, entry->d_name);
		if (is_wanted(entry->d_name, prefix) && length > 0 && (size_t)length < sizeof(path))
			found = file_read(search, path, read);
	}
	if (list)
		closedir(list);
	return found;
}

static bool option_take(struct search *search, const char *path, const unsigned char *option, size_t length)
{
	if (os_dhcp_text(option, length, search->url, search->bytes))
		return true;
	snprintf(search->problem, sizeof(search->problem), "option 252 in %s is no text", path);
	return false;
}

static int hex_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
	return at ? (int)(at - digits) : -1;
}

/* ------------------------------------------------------------------ systemd-networkd */

/* "OPTION_252=687474703a2f2f..." (its sd-dhcp-lease.c keeps options 224 to 254 so). */
static bool networkd_read(struct search *search, const char *path, char *text)
{
	static const char key[] = "OPTION_252=";
	unsigned char option[OPTION_BYTES_MAX];
	size_t length = 0;
	char *at = text;
	while (at && strncmp(at, key, sizeof(key) - 1) != 0) {
		at = strchr(at, '\n');
		at += at != NULL;
	}
	if (!at)
		return false;
	for (at += sizeof(key) - 1; length < sizeof(option); at += 2) {
		int high = hex_value(at[0]), low = high < 0 ? -1 : hex_value(at[1]);
		if (low < 0)
			break;
		option[length++] = (unsigned char)(high * 16 + low);
	}
	return option_take(search, path, option, length);
}

/* ------------------------------------------------------------------ dhclient */

/** One lease of dhclient.leases(5). */
struct lease {
	bool has_option, is_held;
	unsigned char option[OPTION_BYTES_MAX];
	size_t length;
};

static bool is_own_address(const char *text)
{
	static struct os_interface interfaces[OS_INTERFACES_MAX];
	size_t count = os_interfaces(interfaces);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < interfaces[i].address_count; k++)
			if (strcmp(interfaces[i].addresses[k], text) == 0)
				return true;
	return false;
}

/* dhclient names an option that it was not told of by its number; its administrators tell it of this one by these names. */
static bool is_option_name(const char *name, size_t length)
{
	static const char *const names[] = {"unknown-252", "option-252",	"wpad",
					    "wpad-url",	   "auto-proxy-config", "local-pac-server"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == length && strncasecmp(name, names[i], length) == 0)
			return true;
	return false;
}

static size_t quoted_read(const char *at, unsigned char *out)
{
	size_t length = 0;
	for (; *at && *at != '"' && length < OPTION_BYTES_MAX; at++) {
		unsigned value = 0, digits = 0;
		if (*at == '\\') {
			for (; digits < 3 && at[1] >= '0' && at[1] <= '7'; digits++, at++)
				value = value * 8 + (unsigned)(at[1] - '0');
			if (!digits && at[1])
				at++;
		}
		out[length++] = digits ? (unsigned char)value : (unsigned char)*at;
	}
	return length;
}

static size_t colons_read(const char *at, unsigned char *out)
{
	size_t length = 0;
	char *end = NULL;
	while (length < OPTION_BYTES_MAX && hex_value(*at) >= 0) {
		unsigned long value = strtoul(at, &end, 16);
		if (value > 0xff)
			return 0;
		out[length++] = (unsigned char)value;
		at = *end == ':' ? end + 1 : end;
		if (*end != ':')
			break;
	}
	return length;
}

static void lease_line(struct lease *lease, char *line)
{
	line += strspn(line, " \t");
	if (strncmp(line, "fixed-address ", 14) == 0) {
		line += 14;
		line[strcspn(line, "; \t\r")] = '\0';
		lease->is_held = is_own_address(line);
		return;
	}
	if (strncmp(line, "option ", 7) != 0)
		return;
	line += 7;
	size_t name = strcspn(line, " \t");
	if (!is_option_name(line, name))
		return;
	const char *value = line + name + strspn(line + name, " \t");
	lease->has_option = true;
	lease->length = *value == '"' ? quoted_read(value + 1, lease->option) : colons_read(value, lease->option);
}

/* Later leases take the place of earlier ones. */
static bool dhclient_read(struct search *search, const char *path, char *text)
{
	struct lease current = {0}, last = {0};
	bool inside = false;
	for (char *line = text, *next; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (strncmp(line, "lease {", 7) == 0) {
			inside = true;
			memset(&current, 0, sizeof(current));
		} else if (inside && *line == '}') {
			inside = false;
			last = current.is_held ? current : last;
		} else if (inside) {
			lease_line(&current, line);
		}
	}
	return last.has_option && option_take(search, path, last.option, last.length);
}

/* ------------------------------------------------------------------ all */

bool os_dhcp_wpad_below(const char *root, char *url, size_t bytes, char *reason, size_t reason_bytes)
{
	static const struct {
		const char *directory, *prefix;
		lease_read read;
	} places[] = {
		{"/run/systemd/netif/leases", "", networkd_read},
		{"/var/lib/dhcp", "dhclient", dhclient_read},
		{"/var/lib/dhclient", "dhclient", dhclient_read},
		{"/var/lib/NetworkManager", "dhclient", dhclient_read},
	};
	struct search search = {.url = url, .bytes = bytes};
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (directory_read(&search, root, places[i].directory, places[i].prefix, places[i].read))
			return true;
	if (search.problem[0])
		snprintf(reason, reason_bytes, "%s", search.problem);
	else if (search.leases)
		snprintf(reason, reason_bytes, "no lease of this machine has option 252");
	else
		snprintf(reason, reason_bytes, "no DHCP client has left a lease on this machine");
	return false;
}

bool os_dhcp_wpad(char *url, size_t bytes, char *reason, size_t reason_bytes)
{
	return os_dhcp_wpad_below("", url, bytes, reason, reason_bytes);
}
