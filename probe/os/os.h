#ifndef MARSPROBE_OS_OS_H
#define MARSPROBE_OS_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What differs between Linux and Windows. A call that a platform lacks answers "not supported" (false, 0 or NULL), so that callers
 * need no conditional. This floor knows no other. */

/**
 * Call it first in main().
 *
 * POSIX    a peer that closes early gives an error and no SIGPIPE.
 * Windows  sockets; no DLL from anywhere but the system's folder, where others may write; UTF-8 and escape sequences on a console
 *          until os_exit(); no CR before LF in what is written to stdout and stderr.
 */
void os_start(void);

/** The arguments in UTF-8, ended by NULL, *count of them (argv itself on POSIX). They live as long as the process. */
char **os_arguments(int argc, char **argv, int *count);

/** The environment in UTF-8, "NAME=value" each, ended by NULL. Lives as long as the process. */
const char *const *os_environment(void);

/** The value of one variable of os_environment(), NULL if there is none. Lives as long as the process. */
const char *os_environment_get(const char *name);

/** A socket as the system names it: an int on POSIX, a SOCKET on Windows. */
typedef intptr_t os_socket;

/** "ECONNREFUSED" for an errno (POSIX) or "WSAECONNREFUSED" for a Winsock code; "E<number>" for one without a name. Static. */
const char *os_error_name(int code);
/** The last socket error of this thread (errno, WSAGetLastError()). */
int os_socket_error(void);

/** What a socket error means, whatever the platform's number for it. */
enum os_error_kind {
	OS_ERROR_OTHER,
	OS_ERROR_NONE,
	OS_ERROR_IN_PROGRESS,
	OS_ERROR_REFUSED,
	OS_ERROR_RESET,
	OS_ERROR_CLOSED, /* a reset in answer to what was sent after the peer had closed (EPIPE) */
	OS_ERROR_ABORTED,
	OS_ERROR_TIMED_OUT,
	OS_ERROR_HOST_UNREACHABLE,
	OS_ERROR_NET_UNREACHABLE,
	OS_ERROR_PERMISSION,
	OS_ERROR_ADDRESS_NOT_AVAILABLE,
	OS_ERROR_TOO_MANY_FILES,
	OS_ERROR_BAD_FAMILY
};
enum os_error_kind os_error_kind(int code);

/** Ask the system to keep ICMP errors for this socket (IP_RECVERR, IPV6_RECVERR; TCP_FAIL_CONNECT_ON_ICMP_ERROR). */
bool os_socket_keep_icmp(os_socket fd, bool ipv6);

struct os_icmp {
	char from[46];	     /* the sender's address */
	int type, code, mtu; /* mtu -1 where the error carries none */
	int error;	     /* the errno that it caused */
};
/** Take the next ICMP error of a socket (MSG_ERRQUEUE); false when there is none (left). Local errors are passed over. */
bool os_socket_next_icmp(os_socket fd, struct os_icmp *out);

struct os_tcp_info {
	int64_t rtt_us;
	int retransmits; /* segments sent again, but for those that the peer says it had */
	int unacked, mss;
	int segments; /* sent in all, those sent again included, but none that only acknowledge; -1 where the system does not count them */
	int held_back; /* SYNs sent again that this system did not let out: 0, 1; -1 where none was due or nobody can know */
	int64_t bytes_acked, bytes_received; /* -1 where the system does not count them */
	bool connected;			     /* the handshake had finished at some time */
};
/** TCP_INFO of a socket, also after an error and before close; false where not supported. */
bool os_socket_tcp_info(os_socket fd, struct os_tcp_info *out);

/** Pending error of a socket, and clear it (SO_ERROR); 0 for none. */
int os_socket_take_error(os_socket fd);
bool os_socket_set_nonblocking(os_socket fd);
void os_socket_close(os_socket fd);
/** Let no TCP packet in whose TTL is smaller, for this socket (IP_MINTTL, IPV6_MINHOPCOUNT, RFC 5082). False on Windows. */
bool os_socket_set_min_ttl(os_socket fd, bool ipv6, int ttl);

/** Before connect(): let neither side send larger segments than this many bytes, TCP options included (TCP_MAXSEG; on Windows by the
 *  largest packet of this socket, IP_USER_MTU). False where the system does not do so. */
bool os_socket_set_segment(os_socket fd, bool ipv6, int bytes);

/** How many routers what this socket sends may pass: 1..255 (IP_TTL, IPV6_UNICAST_HOPS). */
bool os_socket_set_ttl(os_socket fd, bool ipv6, int ttl);
/** Let the close of a connection be a reset: nothing is sent again afterwards, and its port is free at once (SO_LINGER 0). */
bool os_socket_reset_on_close(os_socket fd);

enum { OS_ADDRESSES_MAX = 16, OS_INTERFACES_MAX = 64 };

struct os_interface {
	char name[64];
	bool up, loopback;
	char addresses[OS_ADDRESSES_MAX][46];
	size_t address_count;
};
/** Interfaces with their addresses (link-local ones too); returns how many, at most OS_INTERFACES_MAX. */
size_t os_interfaces(struct os_interface *out);

/** Configured DNS servers in order, as "address" or "address:port" (IPv6 in brackets if a port follows); at most 16; returns how many. */
size_t os_resolvers(char out[][64], size_t max);

/**
 * The DNS suffixes that the system puts behind a name without a dot, in its order, as they are written; none twice. Returns how many.
 *
 * Linux    the last "search" or "domain" of /etc/resolv.conf (resolv.conf(5)), else the domain in the host's name.
 * Windows  the search list of the policy, else that of the machine; with one of them nothing else is used. Else the primary suffix, then
 *          those of the connections that are up, the preferred one's first.
 */
size_t os_dns_suffixes(char suffixes[][256], size_t max);

/** Is there a default route of that family (4 or 6)? 1 yes, 0 no, -1 cannot tell. gateway gets "" for a device route. */
int os_default_route(int family, char gateway[46]);

/** Path of the hosts file; NULL if there is none. Static. */
const char *os_hosts_path(void);

/** The account's name ("root", "CORP\\admin"); false if unknown. */
bool os_account_name(char *out, size_t bytes);

/** Name and version of the system for people ("Debian GNU/Linux 12 (bookworm), Linux 6.1.0"). */
void os_description(char *out, size_t bytes);
bool os_host_name(char *out, size_t bytes);

/** Wall clock in Unix microseconds; monotonic clock in microseconds. */
int64_t os_wall_us(void);
int64_t os_monotonic_us(void);

bool os_random(void *out, size_t bytes);

/** Was this program started by a double click, so that the window with its report goes when it ends? */
bool os_window_is_own(void);
/** Wait until a key is pressed on the console, at most timeout_ms. */
void os_wait_for_key(int timeout_ms);

/** Is this stream (1 stdout, 2 stderr) a terminal that understands escape sequences? On Windows only after os_start(). */
bool os_is_terminal(int stream);
/** How many files and sockets this process may have open at once, after asking for all that the system grants without rights. */
size_t os_files_max(void);

/**
 * Write a file whole or not at all: a temporary file beside it, then rename.
 *
 * Errors  false, with the reason in reason ("No space left on device"); nothing is left behind.
 */
bool os_write_file(const char *path, const void *bytes, size_t length, char *reason, size_t reason_bytes);

/** Read a whole file of at most max bytes into malloc()ed memory with a terminator that *length does not count.
 *  NULL, with the reason in reason. */
char *os_read_file(const char *path, size_t max, size_t *length, char *reason, size_t reason_bytes);

/** The same into the caller's max + 1 bytes, and nowhere else: for secrets. They may be filled in part where it fails. */
bool os_read_secret(const char *path, char *bytes, size_t max, size_t *length, char *reason, size_t reason_bytes);

/** Run a function in a thread of its own, never joined. False if no thread could be started. */
bool os_thread_detached(void (*run)(void *), void *argument);

/** End the process now, without waiting for threads; open streams are flushed. */
void os_exit(int status) __attribute__((noreturn));

#endif
