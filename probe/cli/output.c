#include "probe/cli/output.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "probe/core/strbuf.h"
#include "probe/os/os.h"
#include "reports/report.h"

PRINTF_LIKE(1, 0) static void say(const char *format, va_list args)
{
	fputs("marsprobe: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	fflush(stderr); /* os_start() may have it buffered */
}

void complain(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say(format, args);
	va_end(args);
}

void warn(const struct options *options, const char *format, ...)
{
	if (options->quiet)
		return;
	va_list args;
	va_start(args, format);
	say(format, args);
	va_end(args);
}

bool print_all(const struct strbuf *text)
{
	if (fwrite(text->data, 1, text->length, stdout) == text->length && fflush(stdout) == 0)
		return true;
	complain("stdout: the report could not be written whole");
	return false;
}

bool wants_color(const struct options *options, bool is_stdout)
{
	switch (options->color) {
	case COLOR_ALWAYS:
		return true;
	case COLOR_NEVER:
		return false;
	case COLOR_AUTO:
		break;
	}
	return is_stdout && os_is_terminal(1);
}

static bool report_write_one(const struct options *options, const struct report_order *order,
			     const struct report *report)
{
	bool is_stdout = strcmp(order->file, "-") == 0, written = true;
	struct report_style style = {.color = wants_color(options, is_stdout), .verbose = options->verbose};
	char reason[256];
	struct strbuf text;
	strbuf_init(&text);
	report_format_find(order->format)->write(report, &style, &text);
	if (is_stdout) {
		written = print_all(&text);
	} else if (!os_write_file(order->file, text.data, text.length, reason, sizeof(reason))) {
		complain("%s: the %s report could not be written: %s", order->file, order->format, reason);
		written = false;
	}
	strbuf_free(&text);
	return written;
}

bool reports_write(const struct options *options, const struct report *report)
{
	bool written = true;
	for (size_t i = 0; i < options->report_count; i++)
		if (!report_write_one(options, &options->reports[i], report))
			written = false;
	return written;
}
