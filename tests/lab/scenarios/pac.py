"""PAC scripts and automatic detection: what they give, what becomes of it where they give nothing, and who is to blame."""
import struct

from lab import pac
from lab.names import Host
from lab.network import KDC
from lab.registry import static
from lab.scenario import Expect, scenario

PROXY = "proxy.corp.test:3128"
DEAD = "proxy.corp.test:3199"
GIVE_PROXY = f'return "PROXY {PROXY}";'
SETIEPROXY = "bitsadmin /util /setieproxy localsystem"
LOGIN = ("login.*",)
WINHTTP = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Internet Settings\Connections"


def behind_proxy(lab):
    """Nothing but squid gets out."""
    lab.only_proxy_goes_out()
    return lab.squid()


def by_script(lab, body, **more):
    """SYSTEM and the user go by a script whose function has this body."""
    url = pac.serve(lab, {"proxy.pac": pac.function(body)})
    both(lab, url, **more)
    return url


def both(lab, url, **more):
    lab.reg(user={"AutoConfigURL": url, **more}, system={"AutoConfigURL": url, **more})


def winhttp(proxy):
    """WinHttpSettings as netsh writes it: version, counter, flags (direct and proxy), the proxy and an empty bypass list."""
    return struct.pack("<IIII", 0x28, 0, 3, len(proxy)) + proxy.encode("ascii") + struct.pack("<I", 0)


def detect(lab, **more):
    """Automatic detection is switched on for both."""
    lab.reg(user={"AutoDetect": 1, **more}, system={"AutoDetect": 1, **more})


def ways(result, **which):
    return {p["route"]["via"] for p in result.paths(effective=True, **which) if result.target(p)["host"]}


def no_findings(result):
    assert not result.findings(), result.findings()


def summary(result, cause):
    return result.findings(cause)[0]["summary"]


# ---------------------------------------------------------------- all is well

@scenario(Expect(exit=0))
def pac_names_a_proxy_that_works(lab):
    behind_proxy(lab)
    by_script(lab, GIVE_PROXY)
    result = yield
    no_findings(result)
    assert ways(result) == {f"PROXY {PROXY}"}, ways(result)
    assert all(p["route"]["mechanism"] == "pac" for p in result.paths("login.*", effective=True))


@scenario(Expect(exit=0))
def pac_says_direct_and_direct_is_open(lab):
    by_script(lab, 'return "DIRECT";')
    result = yield
    no_findings(result)
    assert ways(result) == {"DIRECT"}, ways(result)


@scenario(Expect(exit=0))
def pac_names_a_list_with_socks(lab):
    lab.only_proxy_goes_out()
    socks = lab.dante()
    by_script(lab, f'return "SOCKS {socks}; PROXY {DEAD}; DIRECT";')
    result = yield
    no_findings(result)
    assert ways(result) == {f"SOCKS {socks}"}, ways(result)


@scenario(Expect(exit=0))
def pac_asks_dns_and_is_answered(lab):
    behind_proxy(lab)
    by_script(lab, f"""
    if (isInNet(dnsResolve(host), "10.0.0.0", "255.0.0.0")) return "DIRECT";
    return isResolvable("proxy.corp.test") ? "PROXY {PROXY}" : "DIRECT";""")
    result = yield
    no_findings(result)
    assert ways(result) == {f"PROXY {PROXY}"}, ways(result)


@scenario(Expect(exit=0))
def pac_of_the_user_and_systems_own_proxy(lab):
    proxy = behind_proxy(lab)
    lab.reg(user={"AutoConfigURL": pac.serve(lab, {"proxy.pac": pac.function(GIVE_PROXY)})}, system=proxy)
    result = yield
    no_findings(result)


@scenario(Expect(exit=0))
def pac_sends_some_direct_and_the_rest_by_proxy(lab):
    lab.edge.drop(src=["10.1.0.2", "2001:db8:1::2"], dst=[n for n in lab.names.hosts if n.startswith(("login.", "pod01-"))])
    lab.squid(before="acl storage dstdomain .core.windows.net\nhttp_access deny storage")
    by_script(lab, f'if (shExpMatch(host, "*.core.windows.net")) return "DIRECT";\n{GIVE_PROXY}')
    result = yield
    no_findings(result)
    assert ways(result, host="*.core.windows.net") == {"DIRECT"}, ways(result, host="*.core.windows.net")


@scenario(Expect(exit=0))
def wpad_by_dns_names_a_proxy_that_works(lab):
    behind_proxy(lab)
    pac.wpad(lab, pac.function(GIVE_PROXY))
    detect(lab)
    result = yield
    no_findings(result)
    assert ways(result) == {f"PROXY {PROXY}"}, ways(result)
    found = result.observations("proxy_script")[0]
    assert (found["found_by"], found["names"]) == ("dns", ["wpad.corp.test"]), found


@scenario(Expect(exit=0))
def wpad_is_found_one_domain_up(lab):
    behind_proxy(lab)
    pac.wpad(lab, pac.function(GIVE_PROXY), suffix="berlin.corp.test")
    detect(lab)
    result = yield
    no_findings(result)
    assert result.observations("proxy_script")[0]["names"] == ["wpad.berlin.corp.test", "wpad.corp.test"]


@scenario(Expect(exit=0, seconds=5))
def detection_is_on_and_finds_nothing_and_direct_is_open(lab):
    pac.domain(lab)
    detect(lab)
    result = yield
    no_findings(result)
    assert all(p["verdict"]["status"] == "pass" for p in result.paths("login.*"))


@scenario(Expect(exit=0))
def detection_finds_nothing_and_the_proxy_behind_it_works(lab):
    proxy = behind_proxy(lab)
    pac.domain(lab)
    detect(lab, **static(proxy))
    result = yield
    no_findings(result)


# ---------------------------------------------------------------- no script comes

@scenario(Expect(exit=1, cause="cfg_pac_unreachable", stage="settings", owner="proxy-team", subject="http://pac.corp.test/gone.pac"))
def pac_is_not_there_any_more(lab):
    behind_proxy(lab)
    pac.serve(lab, {"proxy.pac": pac.function(GIVE_PROXY)})
    both(lab, "http://pac.corp.test/gone.pac")
    result = yield
    assert "404" in summary(result, "cfg_pac_unreachable"), summary(result, "cfg_pac_unreachable")
    assert len(result.findings()) == 1, result.findings()
    assert f"{SETIEPROXY} " in str(result.findings()[0]["remedy"]), result.findings()[0]["remedy"]


@scenario(Expect(exit=1, cause="cfg_pac_unreachable", stage="settings", owner="proxy-team", subject="http://old-pac.corp.test/proxy.pac"))
def pac_host_has_no_name_and_the_users_proxy_works(lab):
    proxy = behind_proxy(lab)
    lab.reg(user=proxy, system={"AutoConfigURL": "http://old-pac.corp.test/proxy.pac"})
    result = yield
    assert "old-pac.corp.test" in summary(result, "cfg_pac_unreachable")
    assert f"PROXY {PROXY}, which works" in summary(result, "cfg_pac_unreachable"), summary(result, "cfg_pac_unreachable")
    assert f"{SETIEPROXY} MANUAL_PROXY {PROXY} NULL" in str(result.findings()[0]["remedy"]), result.findings()[0]["remedy"]


@scenario(Expect(exit=1, cause="cfg_pac_unreachable", stage="settings", owner="proxy-team"))
def pac_host_drops_the_syn(lab):
    behind_proxy(lab)
    url = pac.serve(lab, {"proxy.pac": pac.function(GIVE_PROXY)})
    lab.start()
    lab.kdc_node.drop(port=80, chain="input")
    both(lab, url)


@scenario(Expect(exit=0))
def pac_comes_by_https(lab):
    behind_proxy(lab)
    certificate = lab.ca.issue([pac.HOST], directory=lab.work)
    both(lab, pac.serve(lab, {"proxy.pac": pac.function(GIVE_PROXY)}, port=443, tls=certificate))
    result = yield
    no_findings(result)
    assert ways(result) == {f"PROXY {PROXY}"}, ways(result)


@scenario(Expect(exit=1, cause="cfg_pac_unreachable", stage="settings", owner="proxy-team", subject="https://pac.corp.test/proxy.pac"))
def pac_host_shows_a_bad_certificate(lab):
    behind_proxy(lab)
    certificate = lab.ca.issue([pac.HOST], issuer="self", directory=lab.work)
    both(lab, pac.serve(lab, {"proxy.pac": pac.function(GIVE_PROXY)}, port=443, tls=certificate))
    result = yield
    assert "TLS" in summary(result, "cfg_pac_unreachable"), summary(result, "cfg_pac_unreachable")


@scenario(Expect(exit=3, cause="meas_budget_cut_short", status="inconclusive", finding="warn"), arguments=("--deadline", "1"))
def pac_does_not_come_before_the_deadline(lab):
    behind_proxy(lab)
    url = pac.serve(lab, {"proxy.pac": pac.function(GIVE_PROXY)})
    lab.start()
    lab.kdc_node.drop(port=80, chain="input")
    both(lab, url)


@scenario(Expect(exit=0, cause="cfg_pac_unreachable", stage="settings", owner="proxy-team", status="warn"))
def pac_is_refused_and_the_static_proxy_behind_it_works(lab):
    proxy = behind_proxy(lab)
    pac.serve(lab, {"other.pac": pac.function(GIVE_PROXY)}, port=8080)
    both(lab, "http://pac.corp.test/proxy.pac", **static(proxy))
    result = yield
    assert ways(result) == {f"PROXY {PROXY}"}, ways(result)


@scenario(Expect(exit=0, cause="cfg_pac_unreachable", stage="settings", owner="proxy-team", status="warn"))
def pac_is_a_file_which_windows_does_not_read(lab):
    both(lab, "file://C:/proxy.pac")


@scenario(Expect(exit=1, cause="cfg_pac_needs_auth", stage="settings", owner="proxy-team"))
def pac_wants_a_password(lab):
    behind_proxy(lab)
    lab.reg(user={}, system={"AutoConfigURL": pac.serve(lab, {
        "proxy.pac": "add_header WWW-Authenticate 'Basic realm=\"pac\"' always; return 401;"})})


@scenario(Expect(exit=3, cause="cfg_pac_needs_auth", stage="settings", owner="proxy-team", status="inconclusive", finding="warn"))
def pac_wants_an_account_of_the_domain(lab):
    behind_proxy(lab)
    lab.reg(user={}, system={"AutoConfigURL": pac.serve(lab, {
        "proxy.pac": "add_header WWW-Authenticate Negotiate always; add_header WWW-Authenticate NTLM always; return 401;"})})


@scenario(Expect(exit=1, cause="cfg_pac_not_script", stage="settings", owner="proxy-team"))
def pac_is_a_page(lab):
    behind_proxy(lab)
    both(lab, pac.serve(lab, {"proxy.pac": "add_header X-Page 1; return 200 '<html><body>Please sign in</body></html>';"}))


@scenario(Expect(exit=1, cause="cfg_pac_not_script", stage="settings", owner="proxy-team"))
def pac_is_empty(lab):
    behind_proxy(lab)
    both(lab, pac.serve(lab, {"proxy.pac": ""}))


@scenario(Expect(exit=1, cause="cfg_pac_not_script", stage="settings", owner="proxy-team"))
def pac_is_too_large(lab):
    behind_proxy(lab)
    both(lab, pac.serve(lab, {"proxy.pac": pac.function(GIVE_PROXY) + "// padding\n" * 120000}))


# ---------------------------------------------------------------- it comes, and breaks

@scenario(Expect(exit=1, cause="cfg_pac_script_error", stage="settings", owner="proxy-team"))
def pac_with_a_typing_error(lab):
    behind_proxy(lab)
    by_script(lab, 'return "PROXY " + ;')


@scenario(Expect(exit=1, cause="cfg_pac_script_error", stage="settings", owner="proxy-team"))
def pac_without_its_function(lab):
    behind_proxy(lab)
    both(lab, pac.serve(lab, {"proxy.pac": "// FindProxyForURL is elsewhere\n" + pac.function(GIVE_PROXY, "findProxy")}))


@scenario(Expect(exit=1, cause="cfg_pac_script_error", stage="settings", owner="proxy-team", targets=LOGIN))
def pac_throws_for_some_names(lab):
    behind_proxy(lab)
    by_script(lab, f'if (shExpMatch(host, "login.*")) return tables[host].proxy;\n{GIVE_PROXY}')
    result = yield
    assert "tables" in summary(result, "cfg_pac_script_error"), summary(result, "cfg_pac_script_error")


@scenario(Expect(exit=1, cause="cfg_pac_script_error", stage="settings", owner="proxy-team"))
def pac_never_returns(lab):
    behind_proxy(lab)
    by_script(lab, "for (;;) ;")


@scenario(Expect(exit=0, cause="cfg_pac_script_error", stage="settings", owner="proxy-team", status="warn"))
def pac_returns_nothing_and_direct_is_open(lab):
    by_script(lab, "return;")


@scenario(Expect(exit=1, cause="cfg_pac_script_error", stage="settings", owner="proxy-team"))
def pac_given_for_trial_breaks(lab):
    behind_proxy(lab)
    script = lab.work / "trial.pac"
    script.write_text(pac.function("return proxy;"), encoding="ascii")
    script.chmod(0o644)
    lab.arguments += ["--pac", script]


@scenario(Expect(exit=0))
def pac_given_for_trial_works(lab):
    behind_proxy(lab)
    script = lab.work / "trial.pac"
    script.write_text(pac.function(GIVE_PROXY), encoding="ascii")
    script.chmod(0o644)
    lab.arguments += ["--pac", script]
    result = yield
    assert ways(result) == {f"PROXY {PROXY}"}, ways(result)


# ---------------------------------------------------------------- it answers, and wrongly

@scenario(Expect(exit=1, cause="cfg_pac_returns_direct", stage="settings", owner="proxy-team", targets=LOGIN))
def pac_sends_sign_in_direct_and_that_is_shut(lab):
    behind_proxy(lab)
    by_script(lab, f'if (dnsDomainIs(host, ".com") || shExpMatch(host, "login.*")) {{ if (shExpMatch(host, "login.*")) return "DIRECT"; }}\n{GIVE_PROXY}')
    result = yield
    assert "shExpMatch" in summary(result, "cfg_pac_returns_direct"), summary(result, "cfg_pac_returns_direct")


@scenario(Expect(exit=1, cause="cfg_pac_returns_direct", stage="settings", owner="proxy-team"))
def pac_sends_system_direct_and_the_users_proxy_works(lab):
    proxy = behind_proxy(lab)
    lab.reg(user=proxy, system={"AutoConfigURL": pac.serve(lab, {"proxy.pac": pac.function('return "DIRECT";')})})
    result = yield
    assert f"PROXY {PROXY}, which works" in summary(result, "cfg_pac_returns_direct"), summary(result, "cfg_pac_returns_direct")


@scenario(Expect(exit=0, cause="cfg_pac_first_proxy_dead", stage="settings", owner="proxy-team", status="warn", subject=DEAD))
def pac_names_a_dead_proxy_first(lab):
    behind_proxy(lab)
    by_script(lab, f'return "PROXY {DEAD}; PROXY {PROXY}";')
    result = yield
    assert ways(result) == {f"PROXY {PROXY}"}, ways(result)


@scenario(Expect(exit=0, cause="cfg_pac_first_proxy_dead", stage="settings", owner="proxy-team", status="warn", subject="gone.corp.test:3128"))
def pac_names_a_proxy_without_an_address_first(lab):
    behind_proxy(lab)
    by_script(lab, f'return "PROXY gone.corp.test:3128; PROXY {PROXY}";')


@scenario(Expect(exit=1, cause="prx_refused", stage="proxy", owner="proxy-team", subject=DEAD))
def pac_names_dead_proxies_alone(lab):
    behind_proxy(lab)
    by_script(lab, f'return "PROXY {DEAD}; PROXY proxy.corp.test:3198";')


@scenario(Expect(exit=1, cause="prx_acl_denied", stage="proxy", owner="proxy-team", subject=PROXY))
def pac_names_a_proxy_that_says_no_and_another(lab):
    lab.only_proxy_goes_out()
    lab.squid(acl="http_access deny all")
    lab.tinyproxy()
    by_script(lab, f'return "PROXY {PROXY}; PROXY proxy.corp.test:8888";')


@scenario(Expect(exit=1, cause="cfg_pac_depends_on_client_dns", stage="settings", owner="proxy-team", targets=LOGIN))
def pac_asks_dns_for_its_site_and_gets_no_answer(lab):
    behind_proxy(lab)
    for server in (lab.dns1, lab.dns2):
        server.servfail("site.corp.test")
    by_script(lab, f"""
    if (!shExpMatch(host, "login.*")) {GIVE_PROXY}
    return isInNet("site.corp.test", "10.0.0.0", "255.0.0.0") ? "PROXY {PROXY}" : "DIRECT";""")
    result = yield
    assert "site.corp.test" in summary(result, "cfg_pac_depends_on_client_dns"), summary(result, "cfg_pac_depends_on_client_dns")


@scenario(Expect(exit=1, cause="cfg_pac_depends_on_client_dns", stage="settings", owner="proxy-team"))
def pac_asks_dns_that_is_refused_and_the_users_proxy_works(lab):
    proxy = behind_proxy(lab)
    for server in (lab.dns1, lab.dns2):
        server.refused("site.corp.test")
    url = pac.serve(lab, {"proxy.pac": pac.function(f'return dnsResolve("site.corp.test") ? "PROXY {PROXY}" : "DIRECT";')})
    lab.reg(user=proxy, system={"AutoConfigURL": url})


# ---------------------------------------------------------------- one identity, one store against the other

@scenario(Expect(exit=1, cause="cfg_proxy_missing_for_system", stage="settings", owner="server-admin"))
def system_has_nothing_and_the_users_pac_works(lab):
    behind_proxy(lab)
    url = pac.serve(lab, {"proxy.pac": pac.function(GIVE_PROXY)})
    lab.reg(user={"AutoConfigURL": url}, system={})
    result = yield
    assert f"{SETIEPROXY} AUTOSCRIPT {url}" in str(result.findings()[0]["remedy"]), result.findings()[0]["remedy"]


@scenario(Expect(exit=1, cause="cfg_proxy_differs_by_identity", stage="settings", owner="server-admin"))
def systems_pac_names_an_old_proxy_and_the_users_works(lab):
    proxy = behind_proxy(lab)
    lab.reg(user=proxy, system={"AutoConfigURL": pac.serve(lab, {"proxy.pac": pac.function(f'return "PROXY {DEAD}";')})})


@scenario(Expect(exit=1, cause="cfg_winhttp_wininet_mismatch", stage="settings", owner="server-admin"),
          arguments=("--route", "wininet,winhttp", "--identity", "system"))
def systems_pac_names_an_old_proxy_and_winhttps_works(lab):
    proxy = behind_proxy(lab)
    url = pac.serve(lab, {"proxy.pac": pac.function(f'return "PROXY {DEAD}";')})
    lab.reg(system={"AutoConfigURL": url}, keys={WINHTTP: {"WinHttpSettings": winhttp(proxy)}})


# ---------------------------------------------------------------- automatic detection

@scenario(Expect(exit=1, cause="cfg_wpad_not_found", stage="settings", owner="proxy-team"))
def detection_is_all_there_is_and_finds_nothing(lab):
    behind_proxy(lab)
    pac.domain(lab)
    detect(lab)
    result = yield
    finding = result.findings("cfg_wpad_not_found")[0]
    assert "wpad.corp.test" in finding["summary"], finding["summary"]
    assert finding["flows"], "the firewall team gets no flows"


@scenario(Expect(exit=1, cause="cfg_proxy_missing_for_system", stage="settings", owner="server-admin"))
def detection_finds_nothing_for_system_and_the_user_has_a_proxy(lab):
    proxy = behind_proxy(lab)
    pac.domain(lab)
    lab.reg(user=proxy, system={"AutoDetect": 1})


@scenario(Expect(exit=0, cause="cfg_autodetect_stalls", stage="settings", owner="proxy-team", status="warn"), arguments=("--timeout", "3"))
def detection_waits_for_dns_that_is_silent_on_wpad(lab):
    pac.domain(lab)
    for server in (lab.dns1, lab.dns2):
        server.rule("wpad.corp.test", "DropAction()")
    detect(lab)


@scenario(Expect(exit=1, cause="cfg_pac_unreachable", stage="settings", owner="proxy-team", subject="http://wpad.corp.test/wpad.dat"))
def detection_finds_a_host_without_the_script(lab):
    behind_proxy(lab)
    pac.domain(lab)
    pac.serve(lab, {"other.dat": pac.function(GIVE_PROXY)}, names=(pac.WPAD,))
    detect(lab)


@scenario(Expect(exit=0, cause="cfg_wpad_hijacked", stage="settings", owner="dns-team", status="warn", subject="wpad.corp.test"))
def servers_lead_wpad_to_different_places(lab):
    behind_proxy(lab)
    pac.wpad(lab, pac.function(GIVE_PROXY))
    lab.dns2.records.remove("wpad.corp.test. A 10.1.0.32")
    lab.dns2.record("wpad.corp.test. A 13.64.9.9")
    detect(lab)


@scenario(Expect(exit=1, cause="cfg_wpad_hijacked", stage="settings", owner="dns-team", subject="wpad.berlin.example"))
def wpad_is_an_alias_of_a_foreign_host(lab):
    behind_proxy(lab)
    pac.domain(lab, "berlin.example")
    pac.serve(lab, {"wpad.dat": pac.function(f'return "PROXY {DEAD}";')})
    lab.names.hosts["wpad.berlin.example"] = Host("wpad.berlin.example", "none", [KDC], ["proxies.evil.test"])
    detect(lab)


# ---------------------------------------------------------------- bypass lists

@scenario(Expect(exit=1, cause="cfg_bypass_never_matches", stage="settings", owner="server-admin", targets=("*.core.windows.net",),
                 subject="entry `core.windows.net` *"))
def bypass_entry_lacks_its_star(lab):
    proxy = lab.squid(before="acl storage dstdomain .core.windows.net\nhttp_access deny storage")
    lab.reg(user=static(proxy, "core.windows.net;<local>"), system=static(proxy, "core.windows.net;<local>"))


@scenario(Expect(exit=1, cause="cfg_bypass_never_matches", stage="settings", owner="server-admin", targets=("login.windows.net",),
                 subject="entry `20.190.130.0/24` *"))
def bypass_entry_is_a_range(lab):
    proxy = lab.squid(before="acl sign_in dstdomain login.windows.net\nhttp_access deny sign_in")
    lab.reg(user=static(proxy, "20.190.130.0/24"), system=static(proxy, "20.190.130.0/24"))
