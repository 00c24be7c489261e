#include "probe/settings/pac_inside.h"

#include <string.h>

#include "probe/settings/pac_child.h"

/* The helper functions by name (wininet.md 4.3). They are C, so that the line of the script that calls one can be had: the script is run
 * as it was written. */
static const struct pac_helper {
	const char *name;
	void (*run)(duk_context *duk, duk_idx_t count);
} helpers[] = {
	{"isPlainHostName", pac_is_plain_host_name},
	{"dnsDomainIs", pac_dns_domain_is},
	{"localHostOrDomainIs", pac_local_host_or_domain_is},
	{"dnsDomainLevels", pac_dns_domain_levels},
	{"shExpMatch", pac_sh_exp_match},
	{"isResolvable", pac_is_resolvable},
	{"isInNet", pac_is_in_net},
	{"dnsResolve", pac_dns_resolve},
	{"convert_addr", pac_convert_addr},
	{"myIpAddress", pac_my_ip_address},
	{"weekdayRange", pac_weekday_range},
	{"dateRange", pac_date_range},
	{"timeRange", pac_time_range},
	{"alert", pac_alert},
	{"isResolvableEx", pac_is_resolvable_ex},
	{"isInNetEx", pac_is_in_net_ex},
	{"dnsResolveEx", pac_dns_resolve_ex},
	{"myIpAddressEx", pac_my_ip_address_ex},
	{"sortIpAddressList", pac_sort_ip_address_list},
	{"getClientVersion", pac_get_client_version},
};

static const char *running_helper(duk_context *duk)
{
	return helpers[duk_get_current_magic(duk)].name;
}

static duk_ret_t call_helper(duk_context *duk)
{
	duk_idx_t count = duk_get_top(duk);
	helpers[duk_get_current_magic(duk)].run(duk, count);
	pac_tell(duk, running_helper(duk), count);
	return 1;
}

void pac_add_helpers(duk_context *duk)
{
	duk_push_global_object(duk);
	for (size_t i = 0; i < sizeof(helpers) / sizeof(*helpers); i++) {
		duk_push_c_function(duk, call_helper, DUK_VARARGS);
		duk_set_magic(duk, -1, (duk_int_t)i);
		duk_put_prop_string(duk, -2, helpers[i].name);
	}
	duk_pop(duk);
}

/* ------------------------------------------------------------------ arguments */

struct pac_word pac_argument(duk_context *duk, duk_idx_t index, duk_idx_t count)
{
	struct pac_word word;
	if (index < count)
		duk_dup(duk, index);
	else
		duk_push_undefined(duk);
	word.bytes = duk_to_lstring(duk, -1, &word.length);
	return word;
}

struct pac_word pac_text_argument(duk_context *duk, duk_idx_t index, duk_idx_t count)
{
	if (index >= count || duk_is_null_or_undefined(duk, index))
		(void)duk_type_error(duk, "argument %ld of %s is %s", (long)index + 1, running_helper(duk),
				     index < count && duk_is_null(duk, index) ? "null" : "undefined");
	return pac_argument(duk, index, count);
}

/* ------------------------------------------------------------------ telling */

/* Room for what may stand behind the cut: an escape, dots, a quote, a bracket. */
enum { SHOWN_BYTES_MAX = PAC_CALL_TEXT_BYTES_MAX - 16, CALLERS_MAX = 8 };

/* A value as text, without running anything of the script's. */
static void show_value(struct strbuf *out, duk_context *duk, duk_idx_t index)
{
	size_t length;
	const char *text;
	if (duk_is_string(duk, index)) {
		text = duk_get_lstring(duk, index, &length);
		strbuf_add_char(out, '"');
		pac_text_add(out, text, length, PAC_CONTROLS_ESCAPED, SHOWN_BYTES_MAX);
		strbuf_add_char(out, '"');
	} else if (duk_is_object(duk, index)) {
		strbuf_add(out, duk_is_function(duk, index) ? "[function]"
				: duk_is_array(duk, index)  ? "[array]"
							    : "[object]");
	} else {
		duk_dup(duk, index);
		strbuf_add(out, duk_to_string(duk, -1)); /* a number, true, false, null or undefined */
		duk_pop(duk);
	}
}

static void show_call(struct strbuf *out, duk_context *duk, const char *name, duk_idx_t count)
{
	strbuf_add(out, name);
	strbuf_add_char(out, '(');
	for (duk_idx_t i = 0; i < count && out->length < SHOWN_BYTES_MAX; i++) {
		strbuf_add(out, i > 0 ? ", " : "");
		show_value(out, duk, i);
	}
	strbuf_add_char(out, ')');
}

/* The line of the nearest caller that has lines: Array.prototype.forEach and the like have none. 0 where there is none. */
static int line_of_caller(duk_context *duk)
{
	int line = 0;
	for (duk_int_t level = -2; line == 0 && level > -2 - CALLERS_MAX; level--) {
		duk_inspect_callstack_entry(duk, level);
		if (!duk_is_object(duk, -1)) {
			duk_pop(duk);
			return 0;
		}
		duk_get_prop_string(duk, -1, "lineNumber");
		line = duk_get_int(duk, -1);
		duk_pop_2(duk);
	}
	return line;
}

/* Does the result on top say yes? It need not have decided anything, but a no has done so more rarely. */
static bool says_yes(duk_context *duk)
{
	return duk_is_boolean(duk, -1) ? duk_get_boolean(duk, -1) : !duk_is_null_or_undefined(duk, -1);
}

static void tell(struct pac *pac, const struct pac_call *call)
{
	pac->world.called(pac->world.user, call->call.data, call->result.data, call->line);
	pac->told++;
}

void pac_tell(duk_context *duk, const char *name, duk_idx_t count)
{
	struct pac *pac = pac_of(duk);
	bool first = pac->limits.calls == 0 || pac->told + 1 < pac->limits.calls;
	pac->calls++;
	if (!pac->world.called || (!first && !says_yes(duk)))
		return;
	struct pac_call *call = first ? &pac->now : &pac->late;
	strbuf_truncate(&call->call, 0);
	strbuf_truncate(&call->result, 0);
	call->line = line_of_caller(duk);
	show_value(&call->result, duk, -1);
	show_call(&call->call, duk, name, count);
	if (first)
		tell(pac, call);
	else
		call->is_set = true;
}

void pac_tell_rest(struct pac *pac)
{
	if (pac->late.is_set)
		tell(pac, &pac->late);
	pac->late.is_set = false;
}
