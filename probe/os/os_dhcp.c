#include "probe/os/os_dhcp.h"

#include <string.h>

static bool is_blank(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool os_dhcp_text(const void *option, size_t length, char *out, size_t bytes)
{
	const unsigned char *at = option;
	const unsigned char *nul = length ? memchr(at, '\0', length) : NULL;
	if (nul)
		length = (size_t)(nul - at);
	while (length && is_blank(at[length - 1]))
		length--;
	for (; length && is_blank(*at); at++)
		length--;
	if (!length || length >= bytes)
		return false;
	for (size_t i = 0; i < length; i++)
		if (at[i] < ' ' || at[i] >= 0x7f)
			return false;
	memcpy(out, at, length);
	out[length] = '\0';
	return true;
}
