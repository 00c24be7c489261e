#include "probe/settings/pac_inside.h"

#include <string.h>

/* What a script of ECMAScript 5 may expect of the global object (ECMA-262 5.1 15.1, B.2). All else of Duktape's goes. */
static const char *const kept[] = {"NaN",	  "Infinity",
				   "undefined",	  "eval",
				   "parseInt",	  "parseFloat",
				   "isNaN",	  "isFinite",
				   "decodeURI",	  "decodeURIComponent",
				   "encodeURI",	  "encodeURIComponent",
				   "escape",	  "unescape",
				   "Object",	  "Function",
				   "Array",	  "String",
				   "Boolean",	  "Number",
				   "Date",	  "RegExp",
				   "Error",	  "EvalError",
				   "RangeError",  "ReferenceError",
				   "SyntaxError", "TypeError",
				   "URIError",	  "Math",
				   "JSON"};

/* What Duktape 2.7 adds to objects that stay: ECMAScript 2015 and later, its own, and what browsers had. A script that needs them fails in
 * Windows, whose engine for PAC scripts is older, so it must fail here too. (RegExp.prototype.flags stays, as toString() needs it, and
 * three constants of Number's that cannot be deleted.) */
static const struct {
	const char *object, *names;
} added[] = {
	{"Object", "setPrototypeOf assign getOwnPropertySymbols is"},
	{"Object.prototype", "__proto__ __defineGetter__ __defineSetter__ __lookupGetter__ __lookupSetter__"},
	{"String", "fromCodePoint"},
	{"String.prototype", "codePointAt repeat startsWith endsWith includes"},
	{"Number", "parseInt parseFloat isFinite isInteger isNaN isSafeInteger"},
	{"Error.prototype", "stack fileName lineNumber"},
	{"Math", "cbrt clz32 hypot imul log2 log10 sign trunc"},
};

static bool is_kept(const char *name)
{
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		if (strcmp(name, kept[i]) == 0)
			return true;
	return false;
}

static void trim_global_object(duk_context *duk)
{
	duk_push_global_object(duk);
	duk_enum(duk, -1, DUK_ENUM_OWN_PROPERTIES_ONLY | DUK_ENUM_INCLUDE_NONENUMERABLE | DUK_ENUM_INCLUDE_SYMBOLS);
	while (duk_next(duk, -1, 0)) {
		if (duk_is_symbol(duk, -1) || !is_kept(duk_get_string(duk, -1)))
			duk_del_prop(duk, -3);
		else
			duk_pop(duk);
	}
	duk_pop_2(duk);
}

/* Push "Object" or "Object.prototype". */
static void push_object(duk_context *duk, const char *path)
{
	const char *dot = strchr(path, '.');
	duk_push_global_object(duk);
	duk_get_prop_lstring(duk, -1, path, dot ? (size_t)(dot - path) : strlen(path));
	duk_remove(duk, -2);
	if (!dot)
		return;
	duk_get_prop_string(duk, -1, dot + 1);
	duk_remove(duk, -2);
}

static void trim_object(duk_context *duk, const char *path, const char *names)
{
	push_object(duk, path);
	for (size_t length; *names; names += length + (names[length] == ' ')) {
		length = strcspn(names, " ");
		duk_push_lstring(duk, names, length);
		duk_del_prop(duk, -2);
	}
	duk_pop(duk);
}

void pac_trim_globals(duk_context *duk)
{
	trim_global_object(duk);
	for (size_t i = 0; i < sizeof(added) / sizeof(*added); i++)
		trim_object(duk, added[i].object, added[i].names);
}
