#ifndef MARSPROBE_CLI_TEXT_FILE_H
#define MARSPROBE_CLI_TEXT_FILE_H

#include <stddef.h>

#include "probe/core/err.h"

/**
 * Read a whole file that people made, as UTF-8: "> FILE" of Windows PowerShell 5.1 writes UTF-16 with its mark. Other bytes stay as they are.
 *
 * bytes_max  of the file as it is stored; a larger one is an error
 * Returns    *length bytes, to be freed by the caller; NULL with the error set, which names the file.
 */
char *text_file_read(const char *file, size_t bytes_max, size_t *length, struct err *err);

#endif
