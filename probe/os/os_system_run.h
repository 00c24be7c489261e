#ifndef MARSPROBE_OS_OS_SYSTEM_RUN_H
#define MARSPROBE_OS_OS_SYSTEM_RUN_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A second process of this program that runs as LocalSystem: a transient Windows service, and a named pipe between the two. Elsewhere
 * there is no such account, and os_system_run_right() says so.
 */

/** The wire between the two processes: whole messages, in order. One thread may send while another receives. */
struct os_link;

/** Send one message; blocks. False where the other side is gone. */
bool os_link_send(struct os_link *link, const void *bytes, size_t length);
/** Wait for the next message: malloc()ed, with a terminator that *length does not count. NULL where the other side is gone, or the
 *  message would be longer than max. */
char *os_link_receive(struct os_link *link, size_t max, size_t *length);

enum os_system_right {
	OS_SYSTEM_NO_SUCH_ACCOUNT, /* this platform has no LocalSystem */
	OS_SYSTEM_NOT_ELEVATED,	   /* it takes an elevated prompt */
	OS_SYSTEM_MAY_RUN,
};
enum os_system_right os_system_run_right(void);

struct os_system_run;

/**
 * Start this program once more as LocalSystem and connect to it. Before that, remove what a killed run left behind.
 *
 * Leaves   a service that is marked for deletion already, and a copy of this program in a directory of its own that only SYSTEM and
 *          Administrators may write; both go with os_system_run_end(), or when either process dies.
 * Checks   the other process's id against the service manager's, on a pipe that only SYSTEM and Administrators of this machine may open.
 * Blocks   while the service manager starts the process (30 s at most, by the manager's own clock), then at most timeout_ms.
 * Errors   NULL, with the reason for people in reason; nothing is left behind. Nor is it when Ctrl-C or a closed window ends this process
 *          meanwhile: it ends once all is removed, 10 s later at most.
 */
struct os_system_run *os_system_run_start(int timeout_ms, char *reason, size_t reason_bytes);
struct os_link *os_system_run_link(struct os_system_run *run);
/** Cut the link, which makes the other process end if it has not yet; wait for its end (5 s at most); remove everything; free. NULL is
 *  allowed. False, with the reason, if something could not be removed: it names what and where. A thread that waits in the link, or asks
 *  it later, gets its NULL or false: the link outlives the run. */
bool os_system_run_end(struct os_system_run *run, char *reason, size_t reason_bytes);

/** Does this process itself run as LocalSystem (S-1-5-18)? Wine runs every service as the user. */
bool os_account_is_system(void);

/** Was this process started by os_system_run_start() of another? Then main() has nothing to do but os_system_child_run(). */
bool os_system_child_is_wanted(int argc, char **argv);
/**
 * Be that other process: report to the service manager, connect, check the other side, call work(), end. work() gets the link
 * and runs on a thread that may take its time; when the link is cut, this process ends whatever work() is doing. After work() it waits for
 * that: when the other process is killed, this one cleans up.
 *
 * Returns  the exit status.
 */
int os_system_child_run(int argc, char **argv, void (*work)(struct os_link *link, void *user), void *user);

#endif
