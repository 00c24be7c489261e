#include "probe/engine/machine.h"

#include "probe/os/os_registry.h"
#include "probe/settings/registry.h"

#define USER "HKEY_CURRENT_USER\\"
#define SYSTEM "HKEY_USERS\\S-1-5-18\\"
#define MACHINE "HKEY_LOCAL_MACHINE\\"
#define INTERNET "Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings"
#define POLICIES "Software\\Policies\\Microsoft\\Windows\\CurrentVersion\\Internet Settings"
#define WOW "SOFTWARE\\WOW6432Node\\"

/* What is read: wininet.md 1 and 5.1 (proxies, zones), requirements.md 3 (NCSI) and 7 (TLS). depth: how many levels below the key. */
static const struct {
	const char *key;
	unsigned depth;
} keys[] = {
	{USER INTERNET, 0},
	{USER INTERNET "\\Connections", 0},
	{USER INTERNET "\\Zones", 1},
	{USER INTERNET "\\ZoneMap", 3},
	{USER POLICIES, 3},
	{"HKEY_USERS\\S-1-5-18", 0},
	{SYSTEM INTERNET, 0},
	{SYSTEM INTERNET "\\Connections", 0},
	{SYSTEM INTERNET "\\Zones", 1},
	{SYSTEM INTERNET "\\ZoneMap", 3},
	{SYSTEM POLICIES, 3},
	{SYSTEM "Environment", 0},
	{MACHINE INTERNET, 0},
	{MACHINE INTERNET "\\Connections", 0},
	{MACHINE INTERNET "\\Zones", 1},
	{MACHINE INTERNET "\\ZoneMap", 3},
	{MACHINE INTERNET "\\WinHttp", 0},
	{MACHINE WOW "Microsoft\\Windows\\CurrentVersion\\Internet Settings\\WinHttp", 0},
	{MACHINE POLICIES, 3},
	{MACHINE "SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment", 0},
	{MACHINE "SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\TLS 1.2\\Client", 0},
	{MACHINE "SOFTWARE\\Microsoft\\.NETFramework\\v4.0.30319", 0},
	{MACHINE "SOFTWARE\\Microsoft\\.NETFramework\\v2.0.50727", 0},
	{MACHINE WOW "Microsoft\\.NETFramework\\v4.0.30319", 0},
	{MACHINE WOW "Microsoft\\.NETFramework\\v2.0.50727", 0},
	{MACHINE_AGENT_KEY, 0},
	{MACHINE "SYSTEM\\CurrentControlSet\\Services\\NlaSvc\\Parameters\\Internet", 0},
	{MACHINE "SOFTWARE\\Policies\\Microsoft\\Windows\\NetworkConnectivityStatusIndicator", 0},
	{MACHINE "SOFTWARE\\Policies\\Microsoft\\Windows NT\\DNSClient\\DnsPolicyConfig", 1},
	{MACHINE "SYSTEM\\CurrentControlSet\\Services\\Dnscache\\Parameters\\DnsPolicyConfig", 1},
};

static void put(const char *key, const char *name, unsigned type, const unsigned char *data, size_t length, void *user)
{
	const struct registry_value value = {
		.name = name, .type = type, .data = data, .length = length, .where = "this machine's registry"};
	registry_put(user, key, &value);
}

bool machine_registry_read(struct registry *out)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		switch (os_registry_read(keys[i].key, keys[i].depth, put, out)) {
		case OS_REGISTRY_READ:
		case OS_REGISTRY_ABSENT:
			break;
		case OS_REGISTRY_DENIED:
			registry_deny(out, keys[i].key);
			break;
		case OS_REGISTRY_NO_REGISTRY:
			return false;
		}
	}
	return true;
}
