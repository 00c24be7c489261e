#ifndef MARSPROBE_OS_OS_MACHINE_H
#define MARSPROBE_OS_OS_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More of what this machine says of itself. A call that a platform lacks answers false or 0. */

/** Are HTTP_PROXY and http_proxy one variable of the environment? */
bool os_environment_ignores_case(void);

/** Does this process run as Windows' LocalSystem, whose HKEY_CURRENT_USER is HKEY_USERS\S-1-5-18? */
bool os_is_local_system(void);

/** The time zone's name ("W. Europe Standard Time", "CET") and what to add to UTC now, in minutes. */
bool os_time_zone(char *name, size_t bytes, int *utc_offset_minutes);

struct os_route {
	bool found;	   /* false: the system has no way to that address */
	char device[64];   /* as in struct os_interface */
	char next_hop[46]; /* "" where the address is on the link */
	char source[46];   /* the own address that would be used */
};
/** The route that the system would take to an address now. Sends nothing. False where it cannot be asked. */
bool os_best_route(const char *address, struct os_route *out);

/** One route of the system's table. */
struct os_route_row {
	char network[46];  /* "20.190.128.0" */
	int length;	   /* bits of its prefix */
	char device[64];   /* as in struct os_interface */
	char next_hop[46]; /* "" where the network is on the link */
	uint32_t metric;   /* of two routes to one network the lower counts */
};
/**
 * Hand every route of both families to each(), the default ones too; those that refuse, and those to addresses of this system, are left out.
 *
 * Linux    of the main table: /proc/net/route, /proc/net/ipv6_route (proc(5)); of several next hops IPv4 shows the first.
 * Windows  GetIpForwardTable2(); the metric is the route's and its interface's together.
 * Errors   false: it cannot be listed.
 */
bool os_routes(void (*each)(const struct os_route_row *row, void *user), void *user);

/** The system's calls that this program would use and this version of the system lacks, at most max; how many. Static texts. */
size_t os_missing_apis(const char **names, size_t max);

/** Where Windows keeps its programs ("C:\\Windows\\System32"); NULL elsewhere. Static. */
const char *os_system_folder(void);
/** Is there such a file or folder? */
bool os_path_exists(const char *path);

/** How many files of a folder have a name with that ending, in any case; stops at max. -1 where the folder cannot be read, or elsewhere than on Windows. */
long os_count_files(const char *folder, const char *ending, long max);

struct os_volume {
	unsigned long long free_bytes, total_bytes; /* free for this account */
	char file_system[32];			    /* "NTFS" */
	bool is_remote;
	/* of the folder itself: */
	bool is_compressed, is_encrypted, is_sparse, is_link;
};
/** What a folder stands on. False where it cannot be asked, or elsewhere than on Windows. */
bool os_volume_of(const char *folder, struct os_volume *out);

/** Does a service of that name run? 1 yes, 0 no; -1 where there is none, or it cannot be asked. */
int os_service_runs(const char *name);

/** The folder of temporary files of the machine ("C:\\Windows\\Temp"); NULL elsewhere than on Windows. Static. */
const char *os_machine_temporary_folder(void);

/**
 * Run a program without a window and wait for what it prints.
 *
 * Input   program: its full path; arguments: as they stand on a command line, quoted as the program wants it.
 * Output  at most bytes - 1 of its stdout and a terminator; the rest is dropped. stderr is not kept.
 * Limits  ended, with all that it started, when timeout_ms have passed.
 * Errors  false: it did not start, did not end in time, or ended with another status than 0.
 */
bool os_run_program(const char *program, const char *arguments, int timeout_ms, char *out, size_t bytes);

#endif
