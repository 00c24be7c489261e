#include "probe/cli/inputs.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "probe/cli/output.h"
#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/core/url.h"
#include "probe/core/utf8.h"
#include "probe/os/os.h"
#include "probe/os/os_machine.h"
#include "probe/settings/encoding.h"
#include "probe/settings/pac_child.h"
#include "probe/settings/registry.h"
#include "targets/vault.h"

enum { REGISTRY_MAX_BYTES = 16 * 1024 * 1024 };

/* The exports given, else the machine's own registry, else NULL. */
static bool load_registry(struct arena *arena, const struct options *options, struct registry **out, struct err *err)
{
	char reason[256];
	*out = registry_new(arena);
	if (!options->registry_count) {
		*out = machine_registry_read(*out) ? *out : NULL;
		return true;
	}
	for (size_t i = 0; i < options->registry_count; i++) {
		size_t length;
		const char *file = options->registry[i];
		char *bytes = os_read_file(file, REGISTRY_MAX_BYTES, &length, reason, sizeof(reason));
		if (!bytes)
			return err_set(err, "%s: %s", file, reason);
		bool merged = registry_merge(*out, file, bytes, length, err);
		free(bytes);
		if (!merged)
			return false;
	}
	const char *const *problems = registry_problems(*out);
	if (!problems[0])
		return true;
	/* Windows would drop such lines without a word. What they meant is unknown, and so would be every answer. */
	for (; problems[1]; problems++)
		complain("%s", problems[0]);
	return err_set(err, "%s; export the key again", problems[0]);
}

/* Whether they can be used is seen before anything else is begun. */
static bool load_anchors(struct arena *arena, const struct options *options, struct pem *out, struct err *err)
{
	struct text_list prints = {0};
	return !options->ca_file || (engine_pem_read(arena, options->ca_file, out, err) &&
				     engine_pem_fingerprints(arena, out, &prints, err));
}

static bool is_web_address(const char *text)
{
	return strncasecmp(text, "http://", 7) == 0 || strncasecmp(text, "https://", 8) == 0;
}

static bool check_pac_address(struct arena *arena, const char *text, struct err *err)
{
	struct url url;
	if (!url_parse(arena, text, &url) || !url.password)
		return true;
	return err_set(err,
		       "--pac %s: a password does not belong in a URL, where every user of this machine can see it; "
		       "and Windows signs in nowhere for a script",
		       url_for_report(arena, text));
}

/* A file is read now: if it cannot be, that is said before anything else is begun. */
static bool load_pac(struct arena *arena, const struct options *options, struct pac_given *out, struct err *err)
{
	char reason[256];
	size_t length;
	out->name = options->pac;
	if (!options->pac)
		return true;
	if (is_web_address(options->pac))
		return check_pac_address(arena, options->pac, err);
	if (strstr(options->pac, "://"))
		return err_set(err, "--pac %s: a script is fetched by http or https only; of a file, give its path",
			       url_for_report(arena, options->pac));
	char *bytes = os_read_file(options->pac, PAC_SCRIPT_BYTES_MAX, &length, reason, sizeof(reason));
	if (!bytes)
		return err_set(err, "%s: %s", options->pac, reason);
	struct strbuf text;
	strbuf_init(&text);
	encoding_add_script(&text, utf8_is_valid(bytes, length) ? "utf-8" : NULL, bytes, length);
	out->length = text.length;
	out->text = memcpy(arena_alloc(arena, text.length + 1), text.data, text.length);
	strbuf_free(&text);
	free(bytes);
	return true;
}

bool inputs_load(struct arena *arena, const struct options *options, struct inputs *out, struct err *err)
{
	*out = (struct inputs){0};
	return load_registry(arena, options, &out->registry, err) && load_anchors(arena, options, &out->ca, err) &&
	       load_pac(arena, options, &out->pac, err);
}

/* An option, or an export of another machine, says it; else the agent of this machine is asked. */
static void ask_agent(const struct options *options, struct settings_input *input)
{
	input->agent_proxy = options->agent_proxy;
	if (!options->agent_proxy && !options->registry_count && options->plan.system &&
	    machine_agent_proxy(input->arena, &input->agent_proxy))
		input->agent_source = MACHINE_AGENT_SOURCE;
}

void inputs_ask(struct arena *settings_arena, const struct options *options, struct inputs *inputs)
{
	const struct registry *registry = inputs->registry;
	inputs->settings = (struct settings_input){.arena = settings_arena,
						   .registry = registry,
						   .environment = os_environment(),
						   .environment_ignores_case = os_environment_ignores_case()};
	inputs->machine = (struct machine){
		.registry = options->registry_count ? NULL : registry, .identity = IDENTITY_USER, .settings = registry};
	ask_agent(options, &inputs->settings);
}

void inputs_settings(const struct inputs *inputs, struct settings *out)
{
	settings_read(&inputs->settings, out);
	if (inputs->pac.name)
		settings_use_pac(inputs->settings.arena, out, inputs->pac.name);
}

void inputs_engine(struct arena *arena, const struct options *options, const struct inputs *inputs,
		   struct engine_options *out)
{
	const char **resolvers = arena_alloc(arena, (options->resolvers.count + 1) * sizeof(*resolvers));
	for (size_t i = 0; i < options->resolvers.count; i++)
		resolvers[i] = options->resolvers.items[i];
	*out = (struct engine_options){
		.timeout_us = options->timeout_us,
		.deadline_us = options->deadline_us,
		.parallel = options->parallel,
		.experiments = !options->no_experiments,
		.resolvers = options->resolvers.count ? resolvers : NULL,
		.control_resolver = options->control_resolver,
		.ca = options->ca_file ? &inputs->ca : NULL,
		.pac = inputs->pac.name ? &inputs->pac : NULL,
		.proxy_user = options->proxy_user,
		.proxy_password = options->proxy_password,
		.machine = &inputs->machine,
	};
}

bool inputs_vault(struct report *report, const struct options *options, struct err *err)
{
	struct vault_file *vault = arena_alloc(report->arena, sizeof(*vault));
	if (!options->vault_credentials)
		return true;
	if (!vault_file_read(report->arena, options->vault_credentials, vault, err))
		return false;
	report->run.vault = vault;
	if (options->region && vault->region && strcasecmp(options->region, vault->region) != 0)
		warn(options, "--region %s is used, though the vault of %s is in %s", options->region, vault->file,
		     vault->region);
	if (!options->region && !vault->region)
		warn(options, "%s names no region that is known here; --region names yours", vault->file);
	return true;
}
