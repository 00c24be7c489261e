#include "targets/targets.h"

#include <stdlib.h>
#include <string.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/os/os.h"
#include "targets/builtin.h"
#include "targets/set_ini.h"
#include "targets/target.h"

enum { ARGUMENT_BYTES_MAX = 2048, REASON_BYTES = 256, HTTP_PORT = 80, HTTPS_PORT = 443 };

const char *const *targets_builtin_names(void)
{
	return builtin_set_names;
}

const char *targets_builtin_text(const char *name)
{
	for (const struct builtin_set *set = builtin_sets; set->name; set++)
		if (strcmp(set->name, name) == 0)
			return set->text;
	return NULL;
}

const char *const *targets_service_roots(void)
{
	return builtin_service_roots;
}

const char *const *targets_public_roots(void)
{
	return builtin_public_roots;
}

static bool load_file(const struct target_options *options, const char *file, struct target_set *out, struct err *err)
{
	char reason[REASON_BYTES] = "";
	size_t length = 0;
	char *text = os_read_file(file, SET_BYTES_MAX, &length, reason, sizeof(reason));
	bool done;

	if (!text)
		return err_set(err, "%s: %s%s", file, reason,
			       strchr("./\\", file[0]) ? "" : " (a URL begins with https://)");
	if (memchr(text, '\0', length))
		done = err_set(err, "%s: not a text file (a NUL byte in it)", file);
	else
		done = targets_load_text(options, file, text, out, err);
	free(text);
	return done;
}

/* A set of the one target that the argument names. */
static struct target *single(const struct target_options *options, const char *argument, struct target_set *set)
{
	struct target *target = target_set_add(options->arena, set, argument);

	set->name = target->id;
	target->required = true;
	target->service = "other";
	return target;
}

static bool load_url(const struct target_options *options, const char *argument, struct target_set *set,
		     struct err *err)
{
	const char *reason;

	/* Not repeated in the message: it may hold a password. */
	if (strchr(argument, '@'))
		return err_set(err, "the URL of a target may not carry a user name or password");
	if (target_from_url(options->arena, argument, single(options, argument, set), &reason))
		return true;
	return err_set(err, "`%s`: %s", argument, reason);
}

static bool load_cidr(const struct target_options *options, const char *argument, struct target_set *set,
		      struct err *err)
{
	const char *reason;

	if (target_from_cidr(options->arena, argument, TARGET_CIDR_PORT, single(options, argument, set), &reason))
		return true;
	return err_set(err, "`%s`: %s", argument, reason);
}

static bool load_host(const struct target_options *options, const char *argument, const char *host, int port,
		      struct target_set *set)
{
	struct target *target = single(options, argument, set);
	char authority[HOST_BYTES_MAX + 16];
	const char *reason;

	if (port >= 0 && port != HTTP_PORT && port != HTTPS_PORT)
		return target_from_host(options->arena, host, port, target, &reason);
	host_port_format(host, port < 0 ? HTTPS_PORT : port, authority, sizeof(authority));
	return target_from_url(
		options->arena,
		arena_printf(options->arena, "%s://%s/", port == HTTP_PORT ? "http" : "https", authority), target,
		&reason);
}

static bool no_such_target(const char *argument, struct err *err)
{
	struct strbuf names;

	strbuf_init(&names);
	for (const char *const *name = builtin_set_names; *name; name++)
		strbuf_printf(&names, "%s%s", name == builtin_set_names ? "" : ", ", *name);
	err_set(err,
		"no such target set or host `%s`; sets are %s; a target may also be a file (with a '/' or .ini), HOST, "
		"HOST:PORT, "
		"a URL or a CIDR",
		argument, names.data);
	strbuf_free(&names);
	return false;
}

/* "20.190.128.0/18", and also what was meant to be one: an address before the '/'. */
static bool looks_like_cidr(const char *argument)
{
	struct address address;
	char before[ADDRESS_TEXT_BYTES];
	size_t length = strcspn(argument, "/");

	if (!argument[length] || length >= sizeof(before))
		return false;
	memcpy(before, argument, length);
	before[length] = '\0';
	return address_parse(before, &address);
}

static bool looks_like_file(const char *argument)
{
	size_t length = strlen(argument);

	return strpbrk(argument, "/\\") || (length > 4 && strcmp(argument + length - 4, ".ini") == 0);
}

static bool load_other(const struct target_options *options, const char *argument, struct target_set *set,
		       struct err *err)
{
	char host[HOST_BYTES_MAX + 1];
	int port;

	if (strstr(argument, "://"))
		return load_url(options, argument, set, err);
	if (looks_like_cidr(argument))
		return load_cidr(options, argument, set, err);
	if (strchr(argument, '@'))
		return err_set(err, "a target may not carry a user name or password");
	/* A mistyped set must not become a host of that name. */
	if (strncmp(argument, "mars-", 5) == 0 && !strpbrk(argument, ".:"))
		return no_such_target(argument, err);
	if (!host_port_split(argument, host, sizeof(host), &port) || !host_is_valid(host))
		return no_such_target(argument, err);
	return load_host(options, argument, host, port, set);
}

bool targets_load(const struct target_options *options, const char *argument, struct target_set *out, struct err *err)
{
	struct target_set set = {0};
	const char *text = targets_builtin_text(argument);

	if (options->region && !targets_region_valid(options->region))
		return err_set(err, "--region: a region's code is 2 to 10 letters and digits, like eus or jpe");
	if (text) {
		if (!targets_load_text(options, argument, text, out, err))
			return false;
		out->built_in = true;
		return true;
	}
	if (!strstr(argument, "://") && !looks_like_cidr(argument) && looks_like_file(argument))
		return load_file(options, argument, out, err);
	if (strlen(argument) > ARGUMENT_BYTES_MAX || !is_printable_ascii(argument))
		return err_set(err, "a target is at most %d characters of printable ASCII", ARGUMENT_BYTES_MAX);
	if (!load_other(options, argument, &set, err))
		return false;
	*out = set;
	return true;
}
