#include "targets/set_ini.h"

#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "probe/core/arena.h"
#include "targets/target.h"

/*
 * inih parses; what it would let pass in silence is caught in front of it, by the reader that hands it the lines:
 *
 *   a line longer than its buffer (200 bytes) is cut   -> an error
 *   a section without a key is never told to us        -> section_close() sees it
 *   two sections of the same name look like one        -> each section line is counted
 *   an indented line continues the value above it      -> indentation is taken off: a line stands for itself
 *   section names are cut at 49 bytes                  -> SECTION_BYTES_MAX
 *   it tells no line to its callback                   -> the reader counts
 */
enum { LINE_BYTES_MAX = 190, SECTION_BYTES_MAX = 48 };

bool set_fail(struct set_reader *reader, int line, const char *format, ...)
{
	char reason[ERR_TEXT_BYTES];
	va_list arguments;

	if (reader->failed)
		return false;
	va_start(arguments, format);
	vsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	reader->failed = true;
	reader->failed_line = reader->line;
	return err_set(reader->err, "%s:%d: %s", reader->file, line, reason);
}

static bool section_close(struct set_reader *reader)
{
	if (reader->section_line == 0)
		return true;
	if (!reader->section_begun)
		return set_fail(reader, reader->section_line, "a section without a key");
	return !reader->target || set_target_finish(reader);
}

/* A line "[...]" has been read: what came before it is complete. */
static bool section_note(struct set_reader *reader, const char *line, size_t length)
{
	const char *close = memchr(line, ']', length);
	const char *rest = close ? close + 1 : line + length;

	if (!section_close(reader))
		return false;
	reader->section_line = reader->line;
	reader->section_begun = false;
	reader->target = NULL;
	rest += strspn(rest, " \t");
	if (!close || (rest < line + length && *rest != ';' && *rest != '#'))
		return set_fail(reader, reader->line,
				"a section is one `[set]` or `[target ID]` and nothing else in its line");
	return true;
}

static bool set_section_begin(struct set_reader *reader)
{
	if (reader->set->count > 0 || reader->set->name)
		return set_fail(reader, reader->section_line, "[set] stands once, before every [target ID]");
	reader->set->name = reader->file;
	return true;
}

static bool target_section_begin(struct set_reader *reader, const char *id)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

	if (!*id || id[strspn(id, allowed)])
		return set_fail(reader, reader->section_line,
				"a target's ID is made of letters, digits, '-', '_' and '.': [target my-host]");
	for (size_t i = 0; i < reader->set->count; i++)
		if (strcmp(reader->set->targets[i]->id, id) == 0)
			return set_fail(reader, reader->section_line, "target ID `%s` stands twice", id);
	if (reader->set->count >= SET_TARGETS_MAX)
		return set_fail(reader, reader->section_line, "more than %d targets", SET_TARGETS_MAX);
	reader->target = target_set_add(reader->options->arena, reader->set, id);
	reader->target->required = true;
	return true;
}

static bool section_begin(struct set_reader *reader, const char *section)
{
	reader->section_begun = true;
	reader->keys_seen = 0;
	reader->port = -1;
	reader->host = reader->cidr = NULL;
	reader->where_line = 0;
	if (reader->section_line == 0)
		return set_fail(reader, reader->line, "a key before the first [set] or [target ID]");
	if (strlen(section) >= SECTION_BYTES_MAX)
		return set_fail(reader, reader->section_line, "a section's name has at most %d bytes",
				SECTION_BYTES_MAX - 1);
	if (strcmp(section, "set") == 0)
		return set_section_begin(reader);
	if (strncmp(section, "target ", strlen("target ")) == 0)
		return target_section_begin(reader, section + strlen("target "));
	if (!is_printable_ascii(section))
		return set_fail(reader, reader->section_line, "unknown section: there are [set] and [target ID]");
	return set_fail(reader, reader->section_line, "unknown section [%s]: there are [set] and [target ID]", section);
}

/* inih's callback: 0 is an error. */
static int take_key(void *user, const char *section, const char *key, const char *value)
{
	struct set_reader *reader = user;

	if (reader->failed || (!reader->section_begun && !section_begin(reader, section)))
		return 0;
	return set_key_take(reader, key, value);
}

static bool line_check(struct set_reader *reader, const char *line, size_t length)
{
	if (length > LINE_BYTES_MAX)
		return set_fail(reader, reader->line, "a line of more than %d bytes", LINE_BYTES_MAX);
	for (size_t i = 0; i < length; i++)
		if (((unsigned char)line[i] < ' ' && line[i] != '\t') || line[i] == 0x7f)
			return set_fail(reader, reader->line, "a control character");
	return line[0] != '[' || section_note(reader, line, length);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* inih's reader: one line of the text without indentation, or a bare newline for a comment; NULL at the end or after a failure. */
static char *next_line(char *buffer, int buffer_bytes, void *user)
{
	struct set_reader *reader = user;
	const char *line = reader->cursor;
	size_t length = strcspn(line, "\n");

	if (reader->failed || !*line)
		return NULL;
	reader->cursor = line + length + (line[length] == '\n');
	reader->line++;
	for (; length > 0 && is_blank(line[length - 1]); length--)
		;
	for (; length > 0 && is_blank(*line); length--)
		line++;
	if (length == 0 || *line == ';' || *line == '#')
		length = 0;
	else if (!line_check(reader, line, length))
		return NULL;
	if (length + 2 > (size_t)buffer_bytes) {
		set_fail(reader, reader->line, "a line of more than %d bytes", buffer_bytes - 2);
		return NULL;
	}
	memcpy(buffer, line, length);
	memcpy(buffer + length, "\n", 2);
	return buffer;
}

static bool set_complete(struct set_reader *reader)
{
	struct target_set *set = reader->set;

	if (!section_close(reader))
		return false;
	if (set->count == 0)
		return err_set(reader->err, "%s: no [target ID] in it", reader->file);
	if (!set->name)
		set->name = reader->file;
	set->region = targets_region(reader->options, set->cloud);
	return true;
}

static const char *without_byte_order_mark(const char *text)
{
	return strncmp(text, "\xef\xbb\xbf", 3) == 0 ? text + 3 : text;
}

bool targets_load_text(const struct target_options *options, const char *file, const char *text, struct target_set *out,
		       struct err *err)
{
	struct target_set set = {0};
	struct set_reader reader = {.options = options, .set = &set, .err = err};
	int wrong_line;

	if (options->region && !targets_region_valid(options->region))
		return err_set(err, "--region: a region's code is 2 to 10 letters and digits, like eus or jpe");
	if (strlen(text) > SET_BYTES_MAX)
		return err_set(err, "%s: larger than 1 MiB", file);
	reader.file = arena_strdup(options->arena, file);
	reader.cursor = without_byte_order_mark(text);
	wrong_line = ini_parse_stream(next_line, &reader, take_key, &reader);
	/* The library goes on after a line that it cannot read; that line is the reason, and what we found later only follows. */
	if (wrong_line > 0 && (!reader.failed || wrong_line < reader.failed_line))
		return err_set(err, "%s:%d: neither `key=value` nor `[section]`", reader.file, wrong_line);
	if (wrong_line < 0)
		return err_set(err, "%s: out of memory", reader.file);
	if (reader.failed || !set_complete(&reader))
		return false;
	*out = set;
	return true;
}
