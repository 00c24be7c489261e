/* The DNS suffixes: the search lists are written into this machine's registry and put back, so under Wine alone. */

#include "probe/os/os_win32.h"

#include "tests/unit/check.h"

enum { MAX = 16 };

static const wchar_t policy_key[] = L"SOFTWARE\\Policies\\Microsoft\\Windows NT\\DNSClient";
static const wchar_t tcpip_key[] = L"SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters";

/** Set a value of the machine, or remove it (NULL). */
static bool set_text(const wchar_t *key, const wchar_t *name, const wchar_t *text)
{
	if (!text)
		return RegDeleteKeyValueW(HKEY_LOCAL_MACHINE, key, name) == ERROR_SUCCESS;
	DWORD bytes = (DWORD)((wcslen(text) + 1) * sizeof(*text));
	return RegSetKeyValueW(HKEY_LOCAL_MACHINE, key, name, REG_SZ, text, bytes) == ERROR_SUCCESS;
}

/** The suffixes, separated by blanks. */
static const char *suffixes(size_t max)
{
	static char joined[MAX * 256], found[MAX][256];
	size_t count = os_dns_suffixes(found, max);
	joined[0] = '\0';
	for (size_t i = 0; i < count; i++)
		snprintf(joined + strlen(joined), sizeof(joined) - strlen(joined), "%s%s", i ? " " : "", found[i]);
	return joined;
}

static void a_search_list_is_all_there_is(void)
{
	CHECK(set_text(tcpip_key, L"SearchList", L"a.example,B.example, c.example"));
	CHECK_TEXT(suffixes(MAX), "a.example B.example c.example");
	CHECK_TEXT(suffixes(2), "a.example B.example");
	CHECK_TEXT(suffixes(0), "");
	CHECK(set_text(tcpip_key, L"SearchList", L"a.example b.example,,A.EXAMPLE, .,a.example"));
	CHECK_TEXT(suffixes(MAX), "a.example b.example");
	CHECK(set_text(tcpip_key, L"SearchList", L"b\x00fcro.example"));
	CHECK_TEXT(suffixes(MAX), "b\xc3\xbcro.example");
}

static void the_policy_s_list_comes_before_the_machine_s(void)
{
	CHECK(set_text(tcpip_key, L"SearchList", L"a.example"));
	CHECK(set_text(policy_key, L"SearchList", L"policy.example"));
	CHECK_TEXT(suffixes(MAX), "policy.example");
	CHECK(set_text(policy_key, L"SearchList", L""));
	CHECK_TEXT(suffixes(MAX), "a.example");
	CHECK(set_text(policy_key, L"SearchList", NULL));
}

static void without_a_list_the_primary_suffix_comes_first(void)
{
	static const char wanted[] = "primary.example";
	CHECK(set_text(tcpip_key, L"SearchList", L""));
	CHECK(set_text(tcpip_key, L"Domain", L"primary.example"));
	CHECK(strncmp(suffixes(MAX), wanted, sizeof(wanted) - 1) == 0);
	CHECK_TEXT(suffixes(1), wanted);
}

int main(void)
{
	wchar_t list[2048], domain[256];
	bool had_list = os_machine_text(tcpip_key, L"SearchList", list, 2048);
	bool had_domain = os_machine_text(tcpip_key, L"Domain", domain, 256);
	os_start();
	if (!os_function_find(L"ntdll.dll", "wine_get_version")) {
		printf("this is no Wine: not tested\n");
		return check_summary();
	}
	a_search_list_is_all_there_is();
	the_policy_s_list_comes_before_the_machine_s();
	without_a_list_the_primary_suffix_comes_first();
	set_text(tcpip_key, L"SearchList", had_list ? list : NULL);
	set_text(tcpip_key, L"Domain", had_domain ? domain : NULL);
	return check_summary();
}
