#include "probe/cli/tags_part.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "probe/cli/output.h"
#include "probe/cli/text_file.h"
#include "probe/core/arena.h"

enum { FACTS_MAX = 512 };

bool tags_load(struct arena *arena, const struct options *options, struct service_tags *out, struct err *err)
{
	size_t length;
	if (!options->service_tags)
		return true;
	/* of UTF-16 twice the bytes */
	char *text = text_file_read(options->service_tags, 2 * SERVICE_TAGS_BYTES_MAX, &length, err);
	if (!text)
		return false;
	bool loaded = service_tags_read(arena, options->service_tags, text, length, out, err);
	free(text);
	return loaded;
}

/* ------------------------------------------------------------------ what is documented */

static bool has_list(const struct tags_input *input, const char *tag)
{
	for (size_t i = 0; i < input->list_count; i++)
		if (strcmp(input->lists[i].tag, tag) == 0)
			return true;
	return false;
}

static void add_list(struct report *report, const struct service_tags *tags, const struct service_tag *tag)
{
	struct tags_input *input = report->run.tags;
	struct arena *arena = report->arena;
	if (has_list(input, tag->name))
		return;
	input->lists = arena_grow(arena, input->lists, &input->list_capacity, input->list_count, sizeof(*input->lists));
	struct tag_list *list = &input->lists[input->list_count++];
	*list = (struct tag_list){.tag = arena_strdup(arena, tag->name), .change_number = tag->change_number};
	struct prefix *prefixes = xcalloc(tag->prefix_count + 1, sizeof(*prefixes));
	size_t count = service_tags_prefixes(tags, tag, prefixes);
	for (size_t i = 0; i < count; i++) {
		char text[PREFIX_TEXT_BYTES];
		text_list_add(arena, &list->prefixes, arena_strdup(arena, prefix_format(&prefixes[i], text)));
	}
	free(prefixes);
}

static void note_file(struct report *report, const struct service_tags *tags)
{
	struct arena *arena = report->arena;
	report->run.tags = arena_alloc(arena, sizeof(*report->run.tags));
	*report->run.tags = (struct tags_input){.file = arena_strdup(arena, tags->file),
						.form = tags->form,
						.cloud = arena_strdup(arena, tags->cloud),
						.change_number = tags->change_number,
						.date = arena_strdup(arena, tags->date),
						.tags = (int)tags->tag_count,
						.prefixes = (int)tags->prefix_count};
}

/* Expected is the whole tag: the storage of a vault may well stand in another region. For rules the region's part will do. */
static void note_expected(struct report *report, const struct service_tags *tags, struct target *target)
{
	struct text_list expected = {0};
	service_tags_expected(report->arena, tags, target->host, &expected);
	for (size_t i = 0; i < expected.count; i++) {
		const struct service_tag *tag = service_tags_named(tags, expected.items[i]);
		text_list_add(report->arena, &target->tags, arena_strdup(report->arena, tag->name));
		add_list(report, tags, service_tags_of_region(tags, tag, report->run.region));
	}
}

/* ------------------------------------------------------------------ where addresses stand */

static bool is_target_name(const struct report *report, const char *name)
{
	for (size_t i = 0; name && i < report->target_count; i++)
		if (report->targets[i]->host && strcasecmp(report->targets[i]->host, name) == 0)
			return true;
	return false;
}

static void add_address(struct arena *arena, struct text_list *list, const char *text)
{
	struct address address;
	if (text && list->count < FACTS_MAX && address_parse(text, &address) && !text_list_has(list, text))
		text_list_add(arena, list, text);
}

/* Every address that a look-up gave for a target's name, whoever was asked, and those that were tried. */
static struct text_list addresses_of(const struct report *report)
{
	struct text_list list = {0};
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		if (one->op == OP_DNS_QUERY && is_target_name(report, one->dns.name))
			for (size_t k = 0; k < one->dns.answer_count; k++)
				add_address(report->arena, &list, one->dns.answers[k].data);
		if (one->op == OP_SYSTEM_LOOKUP && is_target_name(report, one->lookup.name))
			for (size_t k = 0; k < one->lookup.addresses.count; k++)
				add_address(report->arena, &list, one->lookup.addresses.items[k]);
	}
	for (size_t i = 0; i < report->path_count; i++) {
		const struct path *path = report->paths[i];
		bool direct = path->route.via && strcmp(path->route.via, "DIRECT") == 0;
		for (size_t k = 0; direct && k < path->attempt_count; k++)
			add_address(report->arena, &list, path->attempts[k]->address);
	}
	return list;
}

static void place(struct report *report, const struct service_tags *tags, const char *text)
{
	const struct service_tag *found[SERVICE_TAGS_OF_ADDRESS_MAX];
	struct address address;
	if (!address_parse(text, &address))
		return;
	size_t count = service_tags_find(tags, &address, found);
	struct observation *one = report_add_observation(report, OP_LOCAL_FACT);
	one->start_us = report->run.duration_us;
	one->duration_us = 0;
	one->fact.fact = "address_tags";
	one->fact.subject = text;
	one->fact.state = count ? "present" : "absent";
	for (size_t i = 0; i < count; i++)
		text_list_add(report->arena, &one->fact.values, arena_strdup(report->arena, found[i]->name));
}

void tags_place(struct report *report, const struct options *options, const struct service_tags *tags)
{
	if (!tags->file)
		return;
	note_file(report, tags);
	for (size_t i = 0; i < report->target_count; i++)
		note_expected(report, tags, report->targets[i]);
	struct text_list addresses = addresses_of(report);
	for (size_t i = 0; i < addresses.count; i++)
		place(report, tags, addresses.items[i]);
	if (!report->run.tags->list_count)
		warn(options, "%s: says nothing of any target, so nothing is judged by it", tags->file);
}
