#include "probe/engine/machine.h"

#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/os/os_machine.h"
#include "probe/os/os_registry.h"
#include "probe/settings/agent.h"

enum { AGENT_TIMEOUT_MS = 10 * 1000, ANSWER_BYTES = 4096 };

#define SETUP_KEY "HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows Azure Backup\\Setup"

/* The names of the properties are those that a public DSC resource for the agent uses (cMARSProxy: ProxySetting.Enabled, .ProxyServer,
 * .ProxyPort); Microsoft documents none. Seen on no machine yet: an answer that lacks them leaves the setting unknown. */
static const char script[] = "$ErrorActionPreference = 'Stop'; Import-Module -Name '%s'; "
			     "$proxy = (Get-OBMachineSetting).ProxySetting; 'enabled=' + $proxy.Enabled; "
			     "'server=' + $proxy.ProxyServer; 'port=' + $proxy.ProxyPort";

struct search {
	struct arena *arena;
	const char *folder;
};

static void on_setup_value(const char *key, const char *name, unsigned type, const unsigned char *data, size_t length,
			   void *user)
{
	enum { TYPE_SZ = 1 };
	struct search *search = user;
	(void)key;
	if (name && type == TYPE_SZ && strcasecmp(name, "InstallPath") == 0)
		search->folder = arena_strndup(search->arena, (const char *)data, length);
}

/* The agent's module for PowerShell, NULL where no agent is installed. */
static const char *find_module(struct arena *arena)
{
	struct search search = {.arena = arena};
	if (os_registry_read(SETUP_KEY, 0, on_setup_value, &search) != OS_REGISTRY_READ || !search.folder)
		return NULL;
	size_t length = strlen(search.folder);
	bool slash = length && search.folder[length - 1] == '\\';
	const char *module = arena_printf(arena, "%s%sbin\\Modules\\MSOnlineBackup", search.folder, slash ? "" : "\\");
	return os_path_exists(module) ? module : NULL;
}

bool machine_agent_proxy(struct arena *arena, const char **proxy)
{
	char answer[ANSWER_BYTES];
	const char *system = os_system_folder(), *module = system ? find_module(arena) : NULL;
	*proxy = NULL;
	if (!module || strpbrk(module, "'\""))
		return false;
	const char *program = arena_printf(arena, "%s\\WindowsPowerShell\\v1.0\\powershell.exe", system);
	struct strbuf arguments;
	strbuf_init(&arguments);
	strbuf_add(&arguments, "-NoProfile -NonInteractive -ExecutionPolicy RemoteSigned -Command \"");
	strbuf_printf(&arguments, script, module);
	strbuf_add(&arguments, "\"");
	bool told = os_run_program(program, arguments.data, AGENT_TIMEOUT_MS, answer, sizeof(answer)) &&
		    agent_parse_answer(arena, answer, proxy);
	strbuf_free(&arguments);
	return told;
}
