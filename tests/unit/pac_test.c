/* PAC scripts: entry points, results, errors, the trace, and scripts that want more than they may have. */
#include "probe/core/utf8.h"
#include "tests/unit/pac_check.h"

#define FIND "function FindProxyForURL(url, host) "

struct script_case {
	const char *script;
	const char *error;  /* NULL: none */
	const char *wanted; /* the result, or a part of the message */
};

static const struct script_case cases[] = {
	/* what an answer may be */
	{FIND "{ return 'PROXY a:1; DIRECT'; }", NULL, "PROXY a:1; DIRECT"},
	{FIND "{ return ''; }", NULL, ""},
	{FIND "{ return url + '|' + host; }", NULL, "http://h.test/p?q|h.test"},
	{FIND "{ return arguments.length + typeof this; }", NULL, "2object"},
	{FIND "{ return 'PROXY a:1;\\tDIRECT'; }", NULL, "PROXY a:1;\tDIRECT"},
	{FIND "{ return 'PROXY a\\u0000evil:1'; }", NULL,
	 "PROXY a\xEF\xBF\xBD"
	 "evil:1"},
	{FIND "{ return 'PROXY a:1\\nDIRECT'; }", NULL,
	 "PROXY a:1\xEF\xBF\xBD"
	 "DIRECT"},
	{FIND "{ return 'a\\u001b[31m\\u007f\\u0085'; }", NULL, "a\xEF\xBF\xBD[31m\xEF\xBF\xBD\xEF\xBF\xBD"},
	{FIND "{ return '\\ud83d'; }", NULL, "\xEF\xBF\xBD"},
	{FIND "{ return '\\ude00\\ud83d'; }", NULL, "\xEF\xBF\xBD\xEF\xBF\xBD"},
	{FIND "{ return '\\ud83d\\ude00'; }", NULL, "\xF0\x9F\x98\x80"},
	{FIND "{ return '\xF0\x9F\x98\x80'; }", NULL, "\xF0\x9F\x98\x80"},
	{FIND "{ return 'm\xC3\xBC'; }", NULL, "m\xC3\xBC"},
	{FIND "{ return 'm\xFC'; }", NULL, "m\xEF\xBF\xBD"},
	{FIND "{ return String.fromCharCode(0x110000, 0xFFFFFFFF).length > 0 ? 'long' : ''; }", NULL, "long"},
	{"\xEF\xBB\xBF" FIND "{ return 'bom'; }", NULL, "bom"},
	{FIND "{ return 'x'; } // the last line has no end", NULL, "x"},
	{FIND "{ return 'a'; }\nfunction FindProxyForURL(url, host) { return 'b'; }", NULL, "b"},
	{"var FindProxyForURL = function () { return 'var'; };", NULL, "var"},
	{"FindProxyForURL = function () { return 'global'; };", NULL, "global"},
	{FIND "{ return 'plain'; }\nfunction FindProxyForURLEx(url, host) { return 'ex'; }", NULL, "ex"},
	{"function FindProxyForURLEx(url, host) { return 'only ex'; }", NULL, "only ex"},
	{FIND "{ return 'plain'; }\nvar FindProxyForURLEx = 'no function';", NULL, "plain"},
	{"var count = 0;" FIND "{ return String(++count); }", NULL, "1"},
	{"'use strict';" FIND "{ return 'strict'; }", NULL, "strict"},
	{FIND "{ return eval('\"eval\"') + new Function('return 1')(); }", NULL, "eval1"},
	{FIND "{ try { null.x; } catch (e) { return 'caught'; } }", NULL, "caught"},
	{FIND "{ return unescape(escape('a b')) + 'abc'.substr(1, 1); }", NULL, "a bb"},
	{FIND "{ return /^h\\.(t|x)/.test(host) ? 'regexp' : ''; }", NULL, "regexp"},
	{FIND "{ return JSON.stringify({a: [1, 2]}); }", NULL, "{\"a\":[1,2]}"},
	/* a script may replace helpers; that reaches no other helper */
	{"function isInNet() { return true; }" FIND "{ return String(isInNet()); }", NULL, "true"},
	{"var dnsResolve = function () { return '10.0.0.1'; };" FIND
	 "{ return String(isInNet('nowhere.test', '10.0.0.0', '255.0.0.0')); }",
	 NULL, "false"},
	{"String.prototype.toString = function () { return 'evil'; };" FIND
	 "{ return String(isPlainHostName('a.b')); }",
	 NULL, "false"},
	{"Object.prototype.isInNet = 1; Object.prototype.line = 2; Object.prototype.lineNumber = 9;" FIND
	 "{ return String(isInNet('10.1.2.3', '10.0.0.0', '255.0.0.0')); }",
	 NULL, "true"},

	/* what is no answer */
	{FIND "{ }", "bad_return", "FindProxyForURL returned undefined, not a text"},
	{FIND "{ return null; }", "bad_return", "null"},
	{FIND "{ return 5; }", "bad_return", "a number"},
	{FIND "{ return true; }", "bad_return", "a boolean"},
	{FIND "{ return {}; }", "bad_return", "an object"},
	{FIND "{ return ['DIRECT']; }", "bad_return", "an object"},
	{FIND "{ return new String('DIRECT'); }", "bad_return", "an object"},
	{FIND "{ return FindProxyForURL; }", "bad_return", "a function"},
	{"function FindProxyForURLEx() { return 1; }", "bad_return", "FindProxyForURLEx returned a number"},
	{"", "no_entry_point", "FindProxyForURL"},
	{"var x = 1;", "no_entry_point", "FindProxyForURL"},
	{"function findproxyforurl() { return 'x'; }", "no_entry_point", "FindProxyForURL"},
	{"var FindProxyForURL = 'DIRECT';", "no_entry_point", "FindProxyForURL"},
	{FIND "{ return 'x'; }\nFindProxyForURL = null;", "no_entry_point", "FindProxyForURL"},
	{"<html><body>Sign in</body></html>", "syntax", "line 1"},
	{FIND "{\n return 'x'\n", "syntax", "line 3"},
	{FIND "{\n return 'x';\n}\n}", "syntax", "line 4"},
	{FIND "{\n if (host == 'a' { return 'x'; }\n}", "syntax", "line 2"},
	{FIND "{ return 'a\nb'; }", "syntax", "SyntaxError"},
	{"let x = 1;" FIND "{ return 'x'; }", "syntax", "SyntaxError"},
	{FIND "{ return (() => 'x')(); }", "syntax", "SyntaxError"},
	{FIND "{\n\n return nothere; }", "exception", "ReferenceError: identifier 'nothere' undefined (line 3)"},
	{FIND "{\n return host.a.b; }", "exception", "(line 2)"},
	{"nothere();\n" FIND "{ return 'x'; }", "exception", "(line 1)"},
	{FIND "{ throw 'a text'; }", "exception", "a text"},
	{FIND "{ throw null; }", "exception", "null"},
	{FIND "{ throw {toString: function () { throw 1; }}; }", "exception", "does not say what it is"},
	{FIND "{\n\n\n throw new Error('mine\\u0000\\u001b'); }", "exception",
	 "Error: mine\xEF\xBF\xBD\xEF\xBF\xBD (line 4)"},
	{FIND "{ var e = new Error('x'); e.message = {toString: function () { return nothere; }}; throw e; }",
	 "exception", ""},
	{FIND "{\n return eval('1 +'); }", "exception", "SyntaxError"},
	{FIND "{ return new Function('(')(); }", "exception", "SyntaxError"},
	{FIND "{ return isPlainHostName({toString: function () { throw new Error('from inside'); }}); }", "exception",
	 "from inside"},
	{FIND "{ return dnsDomainIs({get toString() { throw new Error('getter'); }}, 'x'); }", "exception", "getter"},
	{FIND "{ return host.includes('x') ? 'a' : 'b'; }", "exception", "TypeError"},
	{FIND "{ return host.startsWith('x') ? 'a' : 'b'; }", "exception", "TypeError"},
	{"Object.defineProperty(this, 'FindProxyForURL', {get: function () { throw new Error('entry'); }});",
	 "exception", "entry"},
	{"Error.prototype.toString = function () { return 'replaced'; };" FIND "{ null.x; }", "exception", "replaced"},

	/* there is nothing outside */
	{FIND "{ return Duktape.version; }", "exception", "'Duktape' undefined"},
	{FIND "{ new Duktape.Thread(FindProxyForURL); }", "exception", "'Duktape' undefined"},
	{FIND "{ Duktape.fin({}, FindProxyForURL); }", "exception", "'Duktape' undefined"},
	{FIND "{ return require('fs'); }", "exception", "'require' undefined"},
	{FIND "{ return new ActiveXObject('WScript.Shell'); }", "exception", "'ActiveXObject' undefined"},
	{FIND "{ return new XMLHttpRequest(); }", "exception", "'XMLHttpRequest' undefined"},
	{FIND "{ return process.env; }", "exception", "'process' undefined"},
	{FIND "{ return WScript.Echo('x'); }", "exception", "'WScript' undefined"},
	{FIND "{ return setTimeout(FindProxyForURL, 1); }", "exception", "'setTimeout' undefined"},
	{FIND "{ return print('x'); }", "exception", "'print' undefined"},
	{FIND "{ return new Uint8Array(4); }", "exception", "'Uint8Array' undefined"},
	{FIND "{ return new Proxy({}, {}); }", "exception", "'Proxy' undefined"},
	{FIND "{ return CBOR.encode({}); }", "exception", "'CBOR' undefined"},
	{FIND "{ return performance.now(); }", "exception", "'performance' undefined"},
	{FIND "{ return Symbol('x'); }", "exception", "'Symbol' undefined"},
	{"import fs from 'fs';" FIND "{ return 'x'; }", "syntax", ""},
	{FIND "{ return import('fs'); }", "syntax", ""},
	{FIND "{ return typeof this.constructor.constructor('return this')().Duktape; }", NULL, "undefined"},
	{FIND "{ return typeof Function('return this')().ActiveXObject; }", NULL, "undefined"},
	{FIND "{ return typeof (0, eval)('this').Buffer; }", NULL, "undefined"},
	{FIND "{ return typeof [].constructor.constructor('return typeof Reflect + typeof globalThis')(); }", NULL,
	 "string"},
	{FIND "{ return [].constructor.constructor('return typeof Reflect + typeof globalThis')(); }", NULL,
	 "undefinedundefined"},
	{FIND "{ return typeof isInNet.constructor('return this')().print; }", NULL, "undefined"},
	{FIND "{ return typeof isInNet.caller + typeof isInNet.prototype; }", NULL, "undefinedundefined"},
	{FIND "{ return typeof new Error('x').stack; }", NULL, "undefined"},
	{FIND "{ return typeof ({}).__proto__; }", NULL, "undefined"},
	{FIND "{ return (function () { return typeof arguments.callee.caller; })(); }", NULL, "undefined"},
};

static void check_case(const struct script_case *row)
{
	struct pac_answer answer;
	pac_test_run(row->script, "http://h.test/p?q", "h.test", &answer);
	check_one_text(answer.error, row->error, row->script, __FILE__, __LINE__);
	CHECK((answer.error == NULL) == (answer.result != NULL));
	if (!row->error)
		check_one_text(answer.result, row->wanted, row->script, __FILE__, __LINE__);
	else
		check_one(answer.message && strstr(answer.message, row->wanted),
			  answer.message ? answer.message : row->script, __FILE__, __LINE__);
	pac_answer_free(&answer);
}

/* ------------------------------------------------------------------ the trace */

static const struct {
	const char *body, *calls;
} traces[] = {
	/* a call on several lines: the line of its last argument */
	{"\n isInNet(host, '10.0.0.0',\n '255.0.0.0');\n dnsResolve(host);",
	 "3: isInNet(\"intranet.corp.test\", \"10.0.0.0\", \"255.0.0.0\") -> true\n"
	 "4: dnsResolve(\"intranet.corp.test\") -> \"10.1.2.3\"\n"},
	{"dnsResolve('nowhere.test'); weekdayRange(); dnsDomainLevels('a.b'); myIpAddress();",
	 "1: dnsResolve(\"nowhere.test\") -> null\n1: weekdayRange() -> false\n1: dnsDomainLevels(\"a.b\") -> 1\n"
	 "1: myIpAddress() -> \"10.1.0.2\"\n"},
	{"alert('a \"b\"\\\\\\n\\u0000\\u0085\\ud800 \\ud83d\\ude00');",
	 "1: alert(\"a \\\"b\\\"\\\\\\n\\u0000\\u0085\xEF\xBF\xBD \xF0\x9F\x98\x80\") -> undefined\n"},
	{"alert(); alert(1.5, true, null, undefined); alert([1, 2]); alert({}); alert(alert);",
	 "1: alert() -> undefined\n1: alert(1.5, true, null, undefined) -> undefined\n1: alert(\"1,2\") -> undefined\n"
	 "1: alert(\"[object Object]\") -> undefined\n"
	 "1: alert(\"function () { [native code] }\") -> undefined\n"},
	{"dnsResolve({}, [], alert);", "1: dnsResolve([object], [array], [function]) -> null\n"},
	{"\n['a', 'b.c'].forEach(\nfunction (h) {\nisPlainHostName(h); });\n['d'].forEach(isPlainHostName);",
	 "4: isPlainHostName(\"a\") -> true\n4: isPlainHostName(\"b.c\") -> false\n"
	 "5: isPlainHostName(\"d\", 0, [array]) -> true\n"},
	{"isPlainHostName({toString: function () { return dnsResolve('10.0.0.1'); }});",
	 "1: dnsResolve(\"10.0.0.1\") -> \"10.0.0.1\"\n1: isPlainHostName([object]) -> false\n"},
	{"try { timeRange(1, 2, 3); } catch (e) {}\nalert('after');", "2: alert(\"after\") -> undefined\n"},
};

static void run_body(const char *body)
{
	struct strbuf script;
	struct pac_answer answer;
	strbuf_init(&script);
	strbuf_printf(&script, FIND "{ %s return ''; }", body);
	pac_test_run(script.data, "http://intranet.corp.test/", "intranet.corp.test", &answer);
	CHECK_TEXT(answer.error, NULL);
	pac_answer_free(&answer);
	strbuf_free(&script);
}

static void check_long_call(void)
{
	run_body("alert(new Array(100000).join('\\u00fc'), 'second');");
	const char *end = strstr(pac_log.calls.data, " -> ");
	CHECK(end && end - pac_log.calls.data <= PAC_CALL_TEXT_BYTES_MAX + (int)strlen("1: "));
	CHECK(end && strncmp(end - 5, "...\")", 5) == 0);
	CHECK(utf8_is_valid(pac_log.calls.data, pac_log.calls.length));
	run_body("alert.apply(null, new Array(1000));");
	CHECK(pac_log.calls.length < PAC_CALL_TEXT_BYTES_MAX + 32);
}

/* The first ones, and the last that said yes. */
static void check_call_limit(void)
{
	static const char script[] =
		FIND "{ for (var i = 0; i < 20; i++) isPlainHostName('a' + i + (i % 5 ? '.b' : '')); return ''; }";
	struct pac_answer answer;
	pac_test_limits.calls = 3;
	struct pac *pac = pac_test_new();
	pac_load(pac, script, strlen(script), &answer);
	pac_answer_free(&answer);
	for (int round = 0; round < 2; round++) {
		strbuf_truncate(&pac_log.calls, 0);
		pac_ask(pac, "http://a/", "a", &answer);
		CHECK_TEXT(pac_log.calls.data,
			   "1: isPlainHostName(\"a0\") -> true\n1: isPlainHostName(\"a1.b\") -> false\n"
			   "1: isPlainHostName(\"a15\") -> true\n");
		CHECK_INT(answer.calls_untold, 17);
		pac_answer_free(&answer);
	}
	pac_free(pac);
	pac_test_limits.calls = 0;
}

/* ------------------------------------------------------------------ too much */

struct bomb {
	const char *script, *error;
};

static const struct bomb bombs[] = {
	{FIND "{ var s = 'x'; while (true) s += s; }", "memory"},
	{FIND "{ var a = []; while (true) a.push(a.length, 'text' + a.length); }", "memory"},
	{FIND "{ var o = {}, i = 0; while (true) o['k' + i++] = i; }", "memory"},
	{FIND "{ var a = []; while (true) a.push(new RegExp('a' + a.length)); }", "memory"},
	{FIND "{ var a = []; while (true) a.push(function () { return a; }); }", "memory"},
	{FIND "{ var s = ''; while (true) { try { s += s + 'x'; } catch (e) { throw e; } } }", "memory"},
	{FIND "{ return new Array(50000000).join('x'); }", "memory"},
	{"var a = []; while (true) a.push(a.slice(0), 'x' + a.length);" FIND "{ return 'x'; }", "memory"},
	{FIND "{ return FindProxyForURL(url, host) + 'x'; }", "exception"},
	{FIND "{ var f = function () { return f() + 1; }; return f(); }", "exception"},
	{FIND "{ var o = {toString: function () { return '' + o; }}; return '' + o; }", "exception"},
	{FIND "{ var o = {toString: function () { return isPlainHostName(o); }}; return dnsResolve(o) || "
	      "isPlainHostName(o); }",
	 "exception"},
	{FIND "{ var o = {}; o.toJSON = function () { return JSON.stringify(o); }; return JSON.stringify(o); }",
	 "exception"},
	{FIND "{ var a = []; for (var i = 0; i < 5000; i++) a = [a]; return JSON.stringify(a); }", "exception"},
	{FIND "{ return JSON.parse(new Array(100000).join('[')); }", "exception"},
	{FIND "{ var a = [1]; a[0] = a; for (var i = 0; i < 5000; i++) a = [a]; return a.join(); }", "exception"},
	{FIND "{ var s = new Array(60000).join('a'); return String(/^(a|b)*$/.test(s)); }", "exception"},
	{FIND "{ return String(new RegExp(new Array(60000).join('(')).test('a')); }", "exception"},
	{FIND "{ return eval(new Array(60000).join('(')); }", "exception"},
	{FIND "{ return eval(new Array(60000).join('[')); }", "exception"},
	{FIND "{ return eval(new Array(60000).join('!') + '1'); }", "exception"},
	{FIND "{ return eval(new Array(20000).join('function f(){') + new Array(20000).join('}')); }", "exception"},
	{FIND "{ var f = FindProxyForURL; for (var i = 0; i < 50; i++) f = f.bind(null); return f() + ''; }",
	 "exception"},
	{FIND "{ return [3, 2, 1].sort(function f(a, b) { return [a, b].sort(f); }); }", "exception"},
	{FIND "{ return 'aa'.replace(/a/g, function f() { return 'aa'.replace(/a/g, f); }); }", "exception"},
	{FIND "{ var o = {}; Object.defineProperty(o, 'x', {get: function () { return o.x; }}); return o.x; }",
	 "exception"},
	{FIND "{ return String.fromCharCode.apply(null, {length: 4000000}); }", "exception"},
	{FIND "{ isInNet.apply(null, {length: 500000}); dateRange.apply(null, {length: 500000}); return "
	      "dateRange.bind(1)(); }",
	 NULL /* any */},
	{FIND "{ return new Array(10 * 1024 * 1024 / 8).join('12345678'); }", NULL},
};

enum { SMALL_HEAP_BYTES = 1024 * 1024 };

/* Each bomb ends in an error; the program goes on. A script that catches what it can goes on too, and then the next question is asked of
 * the same heap. */
static void check_bombs(void)
{
	size_t memory = pac_test_limits.memory_bytes;
	for (size_t i = 0; i < sizeof(bombs) / sizeof(*bombs); i++) {
		struct pac_answer answer;
		bool fills_heap = check_text(bombs[i].error, "memory");
		pac_test_limits.memory_bytes = fills_heap ? SMALL_HEAP_BYTES : memory;
		pac_test_run(bombs[i].script, "http://a/", "a", &answer);
		CHECK(answer.error && answer.message && !answer.result);
		if (bombs[i].error)
			check_one_text(answer.error, bombs[i].error, bombs[i].script, __FILE__, __LINE__);
		pac_answer_free(&answer);
	}
	pac_test_limits.memory_bytes = memory;
}

static void check_recovery(void)
{
	static const char script[] =
		"var n = 0;" FIND "{ if (n++ < 3) { var s = 'x'; while (true) s += s; } return 'well again'; }";
	struct pac_answer answer;
	struct pac *pac = pac_test_new();
	pac_load(pac, script, strlen(script), &answer);
	pac_answer_free(&answer);
	for (int i = 0; i < 4; i++) {
		pac_ask(pac, "http://a/", "a", &answer);
		CHECK_TEXT(answer.error, i < 3 ? "memory" : NULL);
		CHECK_TEXT(answer.result, i < 3 ? NULL : "well again");
		pac_answer_free(&answer);
	}
	pac_free(pac);
}

static void check_large_result(void)
{
	struct pac_answer answer;
	size_t memory = pac_test_limits.memory_bytes;
	pac_test_limits.memory_bytes = 48 * 1024 * 1024;
	pac_test_run(FIND "{ var s = 'x'; while (s.length < 10 * 1024 * 1024) s += s; return s; }", "http://a/", "a",
		     &answer);
	CHECK_TEXT(answer.error, "too_large");
	CHECK_TEXT(answer.message, "FindProxyForURL returned 16777216 bytes, more than the 4096 that are looked at");
	CHECK(!answer.result);
	pac_answer_free(&answer);
	pac_test_run(FIND "{ return new Array(4096 + 1).join('x'); }", "http://a/", "a", &answer);
	CHECK_TEXT(answer.error, NULL);
	CHECK(answer.result && strlen(answer.result) == 4096);
	pac_answer_free(&answer);
	pac_test_limits.memory_bytes = memory;
}

/* Whatever the limit is, and wherever it strikes, the end is an answer. */
static void check_any_limit(void)
{
	static const char script[] =
		FIND "{ var a = []; for (var i = 0; i < 300; i++) a.push({k: 'text' + i}); null.x; }";
	struct pac_answer answer;
	size_t memory = pac_test_limits.memory_bytes;
	int used_up = 0, thrown = 0;
	for (pac_test_limits.memory_bytes = 0; pac_test_limits.memory_bytes < 400000;
	     pac_test_limits.memory_bytes += 997) {
		pac_test_run(script, "http://a/", "a", &answer);
		CHECK(answer.error && answer.message);
		used_up += check_text(answer.error, "memory");
		thrown += check_text(answer.error, "exception");
		pac_answer_free(&answer);
	}
	CHECK(used_up > 50);
	CHECK(thrown > 50);
	pac_test_limits.memory_bytes = memory;
}

int main(void)
{
	pac_test_begin();
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		check_case(&cases[i]);
	for (size_t i = 0; i < sizeof(traces) / sizeof(*traces); i++) {
		run_body(traces[i].body);
		CHECK_TEXT(pac_log.calls.data, traces[i].calls);
	}
	check_long_call();
	check_call_limit();
	check_bombs();
	check_recovery();
	check_large_result();
	check_any_limit();
	return pac_test_end();
}
