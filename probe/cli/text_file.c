#include "probe/cli/text_file.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "probe/core/strbuf.h"
#include "probe/os/os.h"
#include "probe/settings/encoding.h"

static bool is_utf16(const char *bytes, size_t length)
{
	return length >= 2 && (memcmp(bytes, "\xFF\xFE", 2) == 0 || memcmp(bytes, "\xFE\xFF", 2) == 0);
}

char *text_file_read(const char *file, size_t bytes_max, size_t *length, struct err *err)
{
	char reason[256];
	struct strbuf text;
	char *bytes = os_read_file(file, bytes_max, length, reason, sizeof(reason));
	if (!bytes)
		err_set(err, "%s: %s", file, reason);
	if (!bytes || !is_utf16(bytes, *length))
		return bytes;
	strbuf_init(&text);
	encoding_add_script(&text, NULL, bytes, *length);
	free(bytes);
	*length = text.length;
	return text.data;
}
