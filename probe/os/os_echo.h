#ifndef MARSPROBE_OS_OS_ECHO_H
#define MARSPROBE_OS_OS_ECHO_H

/* ICMP echo requests with a TTL of their own. Linux has a kind of socket for it (ping_group_range in icmp(7) says who may), Windows a call. */

#include "probe/os/os.h"

/** Is it a socket here (true), or a call that blocks? */
bool os_echo_by_socket(void);

/**
 * A non-blocking socket that sends echo requests and gets their answers, headers of ICMP included; identifier and checksum are the system's.
 *
 * Errors  -1 with the reason in *error: this user may not (OS_ERROR_PERMISSION), or the system has no such sockets.
 */
os_socket os_echo_socket(bool ipv6, int *error);

struct os_echo {
	bool answered;
	char from[46];	/* who answered */
	int type, code; /* of the ICMP message that came */
	int error;	/* where nothing was answered for another reason than silence; else 0 */
};
/**
 * Send one echo request and wait for what comes back, at most timeout_ms. It blocks: not for a loop's thread.
 *
 * Windows  IcmpSendEcho2, Icmp6SendEcho2. The system's statuses (ipexport.h) are given as the messages that they stand for.
 * Errors   false where the system has no such call.
 */
bool os_echo_ask(const char *address, int ttl, int timeout_ms, struct os_echo *out);

#endif
