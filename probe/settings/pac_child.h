#ifndef MARSPROBE_SETTINGS_PAC_CHILD_H
#define MARSPROBE_SETTINGS_PAC_CHILD_H

#include <stddef.h>

/* The child process that runs a PAC script: this program once more, with the argument below alone. */

#define PAC_CHILD_ARGUMENT "--run-pac-script"

/** What a script may use. The parent enforces time; size and memory are enforced by both sides. */
enum {
	PAC_SCRIPT_BYTES_MAX = 1024 * 1024,    /* WinHTTP refuses more */
	PAC_HEAP_BYTES_MAX = 48 * 1024 * 1024, /* of the script's objects */
	PAC_PROCESS_BYTES_MAX = 256 * 1024 * 1024,
	PAC_RESULT_BYTES_MAX = 64 * 1024,
	PAC_CPU_SECONDS_MAX = 60, /* in all; Windows cuts a script off after as long */
	PAC_CALLS_MAX = 200,	  /* of a trace; what comes after is counted, not kept */
	PAC_CALL_TEXT_BYTES_MAX = 512,
	PAC_NAMES_MAX = 200,		/* that one question may have looked up; what comes after does not resolve */
	PAC_NAME_BYTES_MAX = 255,	/* of one name; a longer one does not resolve */
	PAC_WORDS_BYTES_MAX = 1024,	/* of a text for people */
	PAC_ADDRESSES_BYTES_MAX = 4096, /* of one name */
	PAC_CHILD_EXIT_NO_MEMORY = 4	/* xmalloc()'s exit status */
};

/**
 * Enter the sandbox (os_sandbox.h), then serve the messages of pac_wire.h on standard input and output until they end.
 *
 * Input    the parent's, taken for hostile too: a message that is damaged or out of turn ends the process.
 * Returns  the exit status. Without a sandbox nothing is read: one NO_SANDBOX message, and the end.
 */
int pac_child_main(void);

#endif
