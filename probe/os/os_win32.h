#ifndef MARSPROBE_OS_OS_WIN32_H
#define MARSPROBE_OS_OS_WIN32_H

/* What the Windows files of this floor share. */

#include <winsock2.h>
/* in this order */
#include <windows.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/os/os.h"

/** UTF-8 to UTF-16, malloc()ed; NULL without memory. What is no UTF-8 becomes U+FFFD. */
wchar_t *os_wide(const char *text);

/** UTF-16 to UTF-8, malloc()ed; NULL without memory. A lone surrogate becomes U+FFFD. */
char *os_narrow(const wchar_t *wide);

/** UTF-16 to UTF-8 in a buffer; false, with "" in out, if it does not fit. */
bool os_narrow_into(const wchar_t *wide, char *out, size_t bytes);

/** A path for the W functions: absolute, and in the \\?\ form where it is long. malloc()ed; NULL with GetLastError(). */
wchar_t *os_wide_path(const char *path);

/** The system's words for a Win32 or Winsock error, without a full stop or a line's end ("Access is denied"). */
void os_error_text(DWORD error, char *out, size_t bytes);

/** A text value below HKEY_LOCAL_MACHINE, in the 64-bit view, with its %variables% expanded; false if there is none or it is too long. */
bool os_machine_text(const wchar_t *key, const wchar_t *name, wchar_t *out, size_t characters);

/** The same for a REG_DWORD. */
bool os_machine_number(const wchar_t *key, const wchar_t *name, DWORD *out);

/** All adapters (IP_ADAPTER_ADDRESSES of iphlpapi.h), malloc()ed; NULL if the system does not tell. */
struct _IP_ADAPTER_ADDRESSES_LH *os_adapters(void);

struct _MIB_IPFORWARD_ROW2;
/** What the adapter's own metric adds to that of its route (family 4 or 6); false if it is not up, and its routes do not count. */
bool os_adapter_metric(const struct _IP_ADAPTER_ADDRESSES_LH *list, const struct _MIB_IPFORWARD_ROW2 *route, int family,
		       uint64_t *metric);

typedef void (*os_function)(void);

/** A function of a DLL that is loaded anyway (kernel32, ntdll ...); NULL where this Windows has none of that name. */
os_function os_function_find(const wchar_t *dll, const char *name);

#endif
