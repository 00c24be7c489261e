#ifndef MARSPROBE_SETTINGS_PAC_INSIDE_H
#define MARSPROBE_SETTINGS_PAC_INSIDE_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>

#include <duktape.h>

#include "probe/core/strbuf.h"
#include "probe/settings/pac.h"

/* What the files of the PAC language share. Everything here but pac_text_add() may leave by longjmp(), as Duktape throws so: own no
 * memory on the stack. */

struct pac_block;

/** A call that waits to be told: see pac_limits.calls. */
struct pac_call {
	struct strbuf call, result;
	int line;
	bool is_set;
};

struct pac {
	duk_context *duk;	  /* NULL: there is no memory for a heap */
	struct pac_limits limits; /* memory_bytes: with what the engine takes before the script */
	struct pac_world world;
	struct pac_block *blocks; /* all memory of the heap */
	size_t used_bytes;
	bool refused; /* in this run the limit refused memory */
	bool broken;  /* Duktape gave up: the heap must not be touched any more */
	jmp_buf escape;
	struct strbuf source; /* the script as it is given to the compiler */
	char *addresses;      /* what world.resolve gave last */
	struct pac_call now, late;
	size_t calls, told; /* of this run */
};

/** The pac that a heap belongs to. */
struct pac *pac_of(duk_context *duk);

/* ------------------------------------------------------------------ texts */

/** What becomes of characters that no report can show. */
enum pac_controls { PAC_CONTROLS_REPLACED, PAC_TABS_KEPT, PAC_CONTROLS_ESCAPED };

/** The next character of a text of Duktape's, whose characters beyond U+FFFF are two surrogates; a lone one is U+FFFD. Returns the bytes
 *  that it takes: 0 at the end. */
size_t pac_text_next(const char *text, size_t length, uint32_t *code);

/** Append one character as UTF-8. */
void pac_character_add(struct strbuf *out, uint32_t code, enum pac_controls controls);

/** Append a text of Duktape's as UTF-8, with "..." once out is longer than max bytes. */
void pac_text_add(struct strbuf *out, const char *text, size_t length, enum pac_controls controls, size_t max);

/** Push a UTF-8 text as a script sees it. */
void pac_push_text(duk_context *duk, const char *text);

/* ------------------------------------------------------------------ the global object */

/** Leave what ECMAScript 5 has, then add the helper functions. */
void pac_trim_globals(duk_context *duk);
void pac_add_helpers(duk_context *duk);

/* ------------------------------------------------------------------ what a script called */

/** The helper on the stack has its arguments at 0 to count - 1 and its result on top: tell it, as far as the limit allows. */
void pac_tell(duk_context *duk, const char *name, duk_idx_t count);

/** Tell what waited, at the end of a run. */
void pac_tell_rest(struct pac *pac);

/* ------------------------------------------------------------------ helper functions: each pushes one value */

struct pac_word {
	const char *bytes; /* terminated, but may hold NUL */
	size_t length;
};

/** An argument as text, on the stack as long as the helper runs. Objects are asked for theirs, which may throw; what is missing is
 *  "undefined". */
struct pac_word pac_argument(duk_context *duk, duk_idx_t index, duk_idx_t count);

/** The same for an argument that must not be null or undefined: the helper's JavaScript of old would throw there too. */
struct pac_word pac_text_argument(duk_context *duk, duk_idx_t index, duk_idx_t count);

void pac_is_plain_host_name(duk_context *duk, duk_idx_t count);
void pac_dns_domain_is(duk_context *duk, duk_idx_t count);
void pac_local_host_or_domain_is(duk_context *duk, duk_idx_t count);
void pac_dns_domain_levels(duk_context *duk, duk_idx_t count);
void pac_sh_exp_match(duk_context *duk, duk_idx_t count);
void pac_alert(duk_context *duk, duk_idx_t count);
void pac_get_client_version(duk_context *duk, duk_idx_t count);

void pac_is_resolvable(duk_context *duk, duk_idx_t count);
void pac_is_in_net(duk_context *duk, duk_idx_t count);
void pac_dns_resolve(duk_context *duk, duk_idx_t count);
void pac_convert_addr(duk_context *duk, duk_idx_t count);
void pac_my_ip_address(duk_context *duk, duk_idx_t count);
void pac_is_resolvable_ex(duk_context *duk, duk_idx_t count);
void pac_is_in_net_ex(duk_context *duk, duk_idx_t count);
void pac_dns_resolve_ex(duk_context *duk, duk_idx_t count);
void pac_my_ip_address_ex(duk_context *duk, duk_idx_t count);
void pac_sort_ip_address_list(duk_context *duk, duk_idx_t count);

void pac_weekday_range(duk_context *duk, duk_idx_t count);
void pac_date_range(duk_context *duk, duk_idx_t count);
void pac_time_range(duk_context *duk, duk_idx_t count);

#endif
