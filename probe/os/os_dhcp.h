#ifndef MARSPROBE_OS_OS_DHCP_H
#define MARSPROBE_OS_OS_DHCP_H

#include <stdbool.h>
#include <stddef.h>

enum { OS_DHCP_URL_MAX = 1024 };

/**
 * DHCP's option 252: the address of a PAC script. It may block for seconds.
 *
 * POSIX    what the system's client wrote down: systemd-networkd's leases of this start of the system, dhclient's where this machine still has
 *          the lease's address (NetworkManager's dhclient too; its own client keeps the option to itself). No traffic. A client takes the option
 *          only where it is told to ask for it.
 * Windows  DhcpRequestParams() of each adapter that has DHCP, in the system's order: from the client's cache, else by a DHCPINFORM of the
 *          system's, as when Windows itself looks for a script.
 * Output   the option's text without blanks, NUL and line ends behind it. Whether it is an address at all is the caller's to see.
 * Errors   false, with the reason in reason ("no lease has the option").
 */
bool os_dhcp_wpad(char *url, size_t bytes, char *reason, size_t reason_bytes);

/** POSIX only: the same with those files below another directory ("" is the system's). */
bool os_dhcp_wpad_below(const char *root, char *url, size_t bytes, char *reason, size_t reason_bytes);

/** The text of an option's bytes, as above; false if there is none, or what is not printable ASCII in it, or no room. */
bool os_dhcp_text(const void *option, size_t length, char *out, size_t bytes);

#endif
