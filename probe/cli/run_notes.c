#include "probe/cli/run_notes.h"

#include <string.h>

#include "probe/core/arena.h"
#include "probe/engine/engine.h"
#include "probe/os/os.h"
#include "probe/settings/mask.h"

void note_arguments(struct report *report, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *shown = strstr(argv[i], "://") ? mask_url(report->arena, argv[i]) : argv[i];
		text_list_add(report->arena, &report->run.arguments, arena_strdup(report->arena, shown));
	}
}

void note_run(struct report *report, const struct options *options)
{
	unsigned char b[16] = {0};
	char account[256];
	os_random(b, sizeof(b));
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40); /* RFC 9562 5.4: version 4 */
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	report->run.id = arena_printf(
		report->arena, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2],
		b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
	report->run.private_endpoint = options->private_endpoint;
	report->run.timeout_us = options->timeout_us;
	report->run.experiments = !options->no_experiments;
	report->run.credentials = options->proxy_user != NULL;
	report->route_given = options->plan.routes_given;
	report->tool.name = "marsprobe";
	report->tool.version = MARSPROBE_VERSION;
	engine_describe_libraries(report);
	if (os_account_name(account, sizeof(account)))
		for (size_t i = 0; i < report->identity_count; i++)
			if (report->identities[i].id == IDENTITY_USER)
				report->identities[i].account = arena_strdup(report->arena, account);
}
