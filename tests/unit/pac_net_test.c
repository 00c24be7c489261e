/* PAC helper functions about addresses, and which of them ask for names. */
#include "tests/unit/pac_check.h"

static const struct pac_expression rows[] = {
	{"dnsResolve('intranet.corp.test')", "10.1.2.3"},
	{"dnsResolve('dual.corp.test')", "192.0.2.7"},
	{"dnsResolve('many.corp.test')", "10.9.9.1"},
	{"dnsResolve('six.corp.test')", "null"},
	{"dnsResolve('nowhere.test')", "null"},
	{"dnsResolve('nowhere.test') === null", "true"},
	{"dnsResolve('10.1.2.3')", "10.1.2.3"},
	{"dnsResolve('2001:db8::1')", "null"},
	{"dnsResolve('')", "null"},
	{"dnsResolve()", "null"},
	{"dnsResolve(null)", "null"},
	{"dnsResolve(undefined)", "null"},
	{"dnsResolve(10)", "null"},
	{"dnsResolve({toString: function () { return 'intranet.corp.test'; }})", "null"},
	{"dnsResolve('intranet.corp.test\\u0000.evil.test')", "null"},
	{"dnsResolve('intranet.corp.test ')", "null"},
	{"isResolvable('intranet.corp.test')", "true"},
	{"isResolvable('six.corp.test')", "false"},
	{"isResolvable('nowhere.test')", "false"},
	{"isResolvable('10.1.2.3')", "true"},
	{"isResolvable('::1')", "false"},
	{"isResolvable(null)", "false"},

	{"isInNet('10.1.2.3', '10.0.0.0', '255.0.0.0')", "true"},
	{"isInNet('11.1.2.3', '10.0.0.0', '255.0.0.0')", "false"},
	{"isInNet('10.1.2.3', '10.9.9.9', '255.0.0.0')", "true"},
	{"isInNet('10.1.2.3', '10.1.2.3', '255.255.255.255')", "true"},
	{"isInNet('10.1.2.3', '10.9.2.9', '255.0.255.0')", "true"},
	{"isInNet('10.1.2.3', '0.0.0.0', '0.0.0.0')", "true"},
	{"isInNet('200.1.2.3', '200.1.0.0', '255.255.0.0')", "true"},
	{"isInNet('intranet.corp.test', '10.1.0.0', '255.255.0.0')", "true"},
	{"isInNet('high.corp.test', '200.0.0.0', '255.000.000.000')", "true"},
	{"isInNet('six.corp.test', '0.0.0.0', '0.0.0.0')", "false"},
	{"isInNet('nowhere.test', '0.0.0.0', '0.0.0.0')", "false"},
	{"isInNet(dnsResolve('nowhere.test'), '0.0.0.0', '0.0.0.0')", "false"},
	{"isInNet('10.1.2.3', '10.0.0.256', '255.0.0.0')", "false"},
	{"isInNet('10.1.2.3', '10.0.0.0', '256.0.0.0')", "false"},
	{"isInNet('10.1.2.3', '10.0.0', '255.0.0.0')", "false"},
	{"isInNet('10.1.2.3', '10.0.0.0', '/8')", "false"},
	{"isInNet('10.1.2.3', '10.0.0.0.', '255.0.0.0')", "false"},
	{"isInNet('10.1.2.3', '10.0.0.0.0', '255.0.0.0')", "false"},
	{"isInNet('10.1.2.3', '10.0.0.x', '255.0.0.0')", "false"},
	{"isInNet('10.1.2.3', '10..0.0', '255.0.0.0')", "false"},
	{"isInNet('10.1.2.3', '10.0.0.0')", "false"},
	{"isInNet()", "false"},
	{"isInNet('::1', '0.0.0.0', '0.0.0.0')", "false"},
	{"isInNet('10.1.2.300', '0.0.0.0', '0.0.0.0')", "false"},
	{"isInNet('0010.1.2.3', '0.0.0.0', '0.0.0.0')", "false"},
	{"isInNet(myIpAddress(), '10.1.0.0', '255.255.0.0')", "true"},

	{"convert_addr('0.0.0.1')", "1"},
	{"convert_addr('10.1.2.3')", "167838211"},
	{"convert_addr('255.255.255.255')", "-1"},
	{"convert_addr('200.0.0.0')", "-939524096"},
	{"convert_addr('10')", "167772160"},
	{"convert_addr('256.0.0.1')", "1"},
	{"convert_addr('a.b.c.4')", "4"},
	{"convert_addr('1.2.3.4.5')", "16909060"},
	{"convert_addr(null)", "! exception: TypeError: argument 1 of convert_addr is null (line 1)"},

	{"myIpAddress()", "10.1.0.2"},
	{"myIpAddressEx()", "2001:db8::1;10.1.0.2;192.168.7.7"},
	{"isResolvableEx('six.corp.test')", "true"},
	{"isResolvableEx('nowhere.test')", "false"},
	{"isResolvableEx('2001:db8::1')", "true"},
	{"isResolvableEx()", "false"},
	{"dnsResolveEx('dual.corp.test')", "2001:db8::7;192.0.2.7"},
	{"dnsResolveEx('nowhere.test') === ''", "true"},
	{"dnsResolveEx('2001:db8::1')", "2001:db8::1"},
	{"dnsResolveEx(null) === ''", "true"},

	{"isInNetEx('198.95.249.79', '198.95.249.79/32')", "true"},
	{"isInNetEx('198.95.249.80', '198.95.249.79/32')", "false"},
	{"isInNetEx('198.95.249.80', '198.95.0.0/16')", "true"},
	{"isInNetEx('1.2.3.4', '1.2.3.5/24')", "true"},
	{"isInNetEx('10.128.0.0', '10.0.0.0/9')", "false"},
	{"isInNetEx('10.127.0.0', '10.0.0.0/9')", "true"},
	{"isInNetEx('1.2.3.4', '0.0.0.0/0')", "true"},
	{"isInNetEx('3ffe:8311:ffff::5', '3ffe:8311:ffff::/48')", "true"},
	{"isInNetEx('3ffe:8311:fffe::5', '3ffe:8311:ffff::/48')", "false"},
	{"isInNetEx('2001:db8::1', '2001:db8::/128')", "false"},
	{"isInNetEx('fe80::1%15', 'fe80::/10')", "true"},
	{"isInNetEx('10.1.2.3', '::ffff:10.0.0.0/104')", "false"},
	{"isInNetEx('::ffff:10.1.2.3', '10.0.0.0/8')", "false"},
	{"isInNetEx('10.1.2.3', '10.0.0.0/33')", "false"},
	{"isInNetEx('10.1.2.3', '10.0.0.0/-1')", "false"},
	{"isInNetEx('10.1.2.3', '10.0.0.0/')", "false"},
	{"isInNetEx('10.1.2.3', '10.0.0.0')", "false"},
	{"isInNetEx('10.1.2.3', '10.0.0.0/8x')", "false"},
	{"isInNetEx('10.1.2.3', '10.0.0.0/0000000000008')", "false"},
	{"isInNetEx('::1', '::/129')", "false"},
	{"isInNetEx('[::1]', '::/0')", "false"},
	{"isInNetEx('intranet.corp.test', '10.0.0.0/8')", "false"},
	{"isInNetEx()", "false"},

	{"sortIpAddressList('10.2.3.9;2001:4898:28:3:201:2ff:feea:fc14;::1;127.0.0.1;::9')",
	 "::1;::9;2001:4898:28:3:201:2ff:feea:fc14;10.2.3.9;127.0.0.1"},
	{"sortIpAddressList('2001:4898:28:3:201:2ff:feea:fc14; 157.59.139.22; fe80::5efe:157.59.139.22')",
	 "fe80::5efe:157.59.139.22;2001:4898:28:3:201:2ff:feea:fc14;157.59.139.22"},
	{"sortIpAddressList('fe80::2%9;fe80::1%15')", "fe80::1%15;fe80::2%9"},
	{"sortIpAddressList('10.0.0.10;10.0.0.9')", "10.0.0.9;10.0.0.10"},
	{"sortIpAddressList('0:0::1;::1')", "0:0::1;::1"},
	{"sortIpAddressList(' 10.0.0.1 ; ; ')", "10.0.0.1"},
	{"sortIpAddressList('10.0.0.1;nowhere.test')", "false"},
	{"sortIpAddressList('')", "false"},
	{"sortIpAddressList(';')", "false"},
	{"sortIpAddressList()", "false"},
	{"sortIpAddressList('10.0.0.1\\u0000')", "false"},
};

static void check_failing_world(void)
{
	static const struct pac_expression without_addresses[] = {
		{"myIpAddress()", "127.0.0.1"},
		{"myIpAddressEx() === ''", "true"},
	};
	static const struct pac_expression six_only[] = {
		{"myIpAddress()", "127.0.0.1"},
		{"myIpAddressEx()", "2001:db8::1"},
	};
	const char *own = pac_test_own;
	pac_test_own = "";
	PAC_CHECK_EXPRESSIONS(without_addresses);
	pac_test_own = NULL;
	PAC_CHECK_EXPRESSIONS(without_addresses);
	pac_test_own = "2001:db8::1";
	PAC_CHECK_EXPRESSIONS(six_only);
	pac_test_own = own;
}

/* Which names go outside, in which order and for which families. */
static void check_asked(void)
{
	static const struct {
		const char *body, *asked;
	} asking[] = {
		{"dnsResolve('a.test'); isResolvableEx('b.test');", "a.test\nb.test (both)\n"},
		{"isInNet('a.test', '10.0.0.0', '255.0.0.0');", "a.test\n"},
		{"isInNet('a.test', '10.0.0.0', '256.0.0.0');", ""},
		{"isInNet('10.1.1.1', '10.0.0.0', '255.0.0.0'); dnsResolve('10.1.1.1'); isResolvable('10.1.1.1');", ""},
		{"dnsResolve('::1'); dnsResolveEx('::1'); isInNetEx('a.test', '::/0');", ""},
		{"dnsResolve(null); dnsResolve(); dnsResolve(''); dnsResolve('a b'); dnsResolve('a\\u0000b');", ""},
		{"dnsResolve(new Array(300).join('a'));", ""},
		{"dnsResolve('m\\u00fc.test'); dnsResolve('\\ud800.test');", "m\xC3\xBC.test\n"},
	};
	for (size_t i = 0; i < sizeof(asking) / sizeof(*asking); i++) {
		struct strbuf script;
		struct pac_answer answer;
		strbuf_init(&script);
		strbuf_printf(&script, "function FindProxyForURL(u, h) { %s return ''; }", asking[i].body);
		pac_test_run(script.data, "http://a/", "a", &answer);
		CHECK_TEXT(answer.error, NULL);
		CHECK_TEXT(pac_log.asked.data, asking[i].asked);
		pac_answer_free(&answer);
		strbuf_free(&script);
	}
}

int main(void)
{
	pac_test_begin();
	PAC_CHECK_EXPRESSIONS(rows);
	check_failing_world();
	check_asked();
	return pac_test_end();
}
