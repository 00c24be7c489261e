#ifndef MARSPROBE_ENGINE_SCRIPT_PROCESS_H
#define MARSPROBE_ENGINE_SCRIPT_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

/** A PAC script in a process of its own, in a sandbox (os_sandbox.h), asked one URL after another. */
struct script_process;

/** Everything is valid only during the call. Texts are UTF-8 without control characters but untrusted: each tab is a blank, each other
 *  control character U+FFFD. */
struct script_process_answer {
	const char *error;	 /* NULL, or as in contract.md 4, and "no_sandbox" */
	const char *message;	 /* for people, or NULL */
	const char *result;	 /* what the script returned; NULL with an error */
	const char *entry_point; /* or NULL */
};

struct script_process_options {
	uv_loop_t *loop;
	const char *text; /* the script, UTF-8; copied */
	size_t length;
	const char *own_addresses; /* "10.1.0.2;2001:db8::2"; copied */
	int64_t timeout_us;	   /* of loading the script, and of each answer; stopped while it waits for a name */
	/** The script wants the addresses of a name: answer later, or at once, by script_process_names(). Not called for literals; at most
	 *  PAC_NAMES_MAX times per question. */
	void (*resolve)(struct script_process *process, const char *name, bool both, void *user);
	/** A helper function returned. At most PAC_CALLS_MAX times per question. */
	void (*called)(const char *call, const char *result, int line, void *user);
	/** The question was answered. The first call, before any question, says whether the script could be loaded at all (result NULL). */
	void (*answered)(const struct script_process_answer *answer, void *user);
	void *user;
};

/**
 * Start the process, load the script, and say by answered() how that went.
 *
 * Calls    only from the loop, never inside this function. After an answer with an error "timeout", "memory", "no_sandbox" or "exception"
 *          of the process itself it is dead, and so it is when the script could not be loaded; every later question is answered with the
 *          same error.
 */
struct script_process *script_process_start(const struct script_process_options *options);

/** Ask for one URL; only once the answer before has come. url and host as the script is to see them. */
void script_process_ask(struct script_process *process, const char *url, const char *host);

/** The addresses that resolve() asked for: "10.1.2.3;10.1.2.4", or NULL if there are none. Without effect where nobody waits any more. */
void script_process_names(struct script_process *process, const char *addresses);

/** Is it dead, so that a new one would have to be started for more questions? */
bool script_process_is_dead(const struct script_process *process);

/** What the sandbox consists of, for people, and what of it this system does not enforce; NULL until it stood. Until close. */
const char *script_process_sandbox(const struct script_process *process);

/** Kill it if it lives; nothing is called any more. Frees itself through the loop. */
void script_process_close(struct script_process *process);

#endif
