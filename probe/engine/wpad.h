#ifndef MARSPROBE_ENGINE_WPAD_H
#define MARSPROBE_ENGINE_WPAD_H

#include "probe/core/evidence.h"
#include "probe/engine/resolve.h"

/** Automatic detection of a PAC script's address: DHCP option 252, then DNS (wininet.md 4.5). */
struct wpad;

struct wpad_result {
	const char
		*url; /* "http://wpad.corp.example/wpad.dat", with its query: not for a report; NULL: none was found */
	const char *found_by;	/* "dhcp" | "dns", or NULL */
	struct text_list names; /* the DNS names that were asked for, in order */
	const char *message;	/* for people, where none was found: why not, of DHCP and of DNS; else NULL */
	const char *dhcp;	/* what DHCP's option 252 said, without query; NULL: nothing */
};

struct wpad_options {
	uv_loop_t *loop;
	struct report *report;
	struct resolver *resolver;
	const struct path_list *paths;
	int64_t timeout_us;
	void (*done)(struct wpad *wpad, const struct wpad_result *result, void *user);
	void *user;
};

/**
 * Look for the address; one detection serves all identities of this process. The first name that has an address that counts (struct
 * resolved_address) decides; nobody has asked yet whether it serves a script.
 *
 * Records  its DNS look-ups as observations with experiment "wpad", for options->paths.
 * Limits   timeout_us for all of it, half of that for DHCP; the resolver's own for each name.
 * Calls    done() once, from the loop, never inside this function. A look-up may record on after done(), and is in resolver->open as long.
 */
struct wpad *wpad_start(const struct wpad_options *options);

/** End it now: done() is called before this returns, with nothing found. No effect after done(). */
void wpad_cancel(struct wpad *wpad, enum failure failure);

#endif
