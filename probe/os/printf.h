#ifndef MARSPROBE_OS_PRINTF_H
#define MARSPROBE_OS_PRINTF_H

#include <stdio.h>

/* PRINTF_LIKE(format, first): let the compiler check the arguments from number first on (0: there are none to check) against the format.
 * mingw's "printf" is the old one of msvcrt, without %zu; what we link speaks the standard's. */
#ifdef __MINGW_PRINTF_FORMAT
#define PRINTF_LIKE(format_at, first) __attribute__((format(__MINGW_PRINTF_FORMAT, format_at, first)))
#else
#define PRINTF_LIKE(format_at, first) __attribute__((format(printf, format_at, first)))
#endif

#endif
