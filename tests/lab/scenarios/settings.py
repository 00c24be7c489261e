"""Proxy settings: which proxy Windows would use for whom, and what goes wrong when one of the settings is not what the others are."""
import struct

from lab.registry import static
from lab.scenario import Expect, scenario

PROXY = "proxy.corp.test:3128"
SETIEPROXY = "bitsadmin /util /setieproxy localsystem"
WRONG = "proxy.corp.test:3199"
ENVIRONMENT = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Session Manager\Environment"
WINHTTP = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Internet Settings\Connections"
ZONES = r"Software\Microsoft\Windows\CurrentVersion\Internet Settings"
SYSTEM_ZONES = rf"HKEY_USERS\S-1-5-18\{ZONES}"
POLICY_ZONES = r"HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\Windows\CurrentVersion\Internet Settings"
PROBE = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\NlaSvc\Parameters\Internet"
PROBE_POLICY = r"HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\Windows\NetworkConnectivityStatusIndicator"
NCSI = ("www.msftconnecttest.com", "www.msftncsi.com")
HTTPS = ("login.*", "pod01-*", "*.core.windows.net", "*.blob.storage.azure.net", "go.microsoft.com", "download.microsoft.com", "aka.ms")
WINDOWS_NET = ("login.windows.net", "*.core.windows.net")


def behind_proxy(lab):
    """Nothing but squid gets out."""
    lab.only_proxy_goes_out()
    return lab.squid()


def winhttp(proxy, bypass=""):
    """WinHttpSettings as netsh writes it: version, counter, flags (direct and proxy), two texts with their lengths."""
    words = [text.encode("ascii") for text in (proxy, bypass)]
    return struct.pack("<III", 0x28, 0, 3) + b"".join(struct.pack("<I", len(w)) + w for w in words)


def remedy(result):
    """What the first finding asks for. Its commands stand in the text report too, each whole and in a line of its own."""
    steps, printed = result.findings()[0]["remedy"], [line.strip() for line in result.text.splitlines()]
    missing = [c for step in steps for c in step.split("\n")[1:] if c not in printed]
    assert not missing, (missing, result.text)
    return "\n".join(steps)


def is_through_proxy(result, path):
    return path["route"]["via"] == f"PROXY {PROXY}" or result.target(path)["host"] is None


# ---------------------------------------------------------------- one identity against the other

@scenario(Expect(exit=1, cause="cfg_proxy_missing_for_system", stage="settings", owner="server-admin"))
def system_has_no_proxy_and_the_user_has(lab):
    behind_proxy(lab)
    lab.reg(user=static(PROXY, "*.corp.test;<local>"), system={})
    result = yield
    assert f'{SETIEPROXY} MANUAL_PROXY {PROXY} "*.corp.test <local>"' in remedy(result)
    assert result.report["readiness"]["basis"] == "system/wininet"
    assert len(result.findings()) == 1, result.findings()
    assert all(p["verdict"]["status"] == "pass" for p in result.paths("login.*", identity="user", kind="wininet"))


@scenario(Expect(exit=1, cause="cfg_proxy_missing_for_system", stage="settings", owner="server-admin"))
def system_has_its_proxy_switched_off(lab):
    behind_proxy(lab)
    lab.reg(user=PROXY, system={"ProxyEnable": 0, "ProxyServer": PROXY})


@scenario(Expect(exit=1, cause="cfg_proxy_differs_by_identity", stage="settings", owner="server-admin"))
def system_has_an_old_proxy_and_the_users_works(lab):
    behind_proxy(lab)
    lab.reg(user=PROXY, system=WRONG)
    result = yield
    assert f"{SETIEPROXY} MANUAL_PROXY {PROXY} NULL" in remedy(result)


@scenario(Expect(exit=1, cause="cfg_proxy_missing_for_system", stage="settings", owner="server-admin"))
def users_bypass_list_would_run_a_program(lab):
    behind_proxy(lab)
    lab.reg(user=static(PROXY, 'a.test" & calc & "%COMSPEC%'), system={})
    result = yield
    assert "not safe in a command" in remedy(result), remedy(result)
    assert "calc" not in remedy(result) and SETIEPROXY not in remedy(result), remedy(result)


@scenario(Expect(exit=1, cause="cfg_proxy_missing_for_system", stage="settings", owner="server-admin"))
def users_setting_holds_a_password(lab):
    behind_proxy(lab)
    lab.reg(user=f"http://corpuser:correct-horse@{PROXY}", system={})
    result = yield
    assert SETIEPROXY not in remedy(result) and "type user and password in that dialog" in remedy(result), remedy(result)
    assert "correct-horse" not in result.text and "correct-horse" not in str(result.report)


@scenario(Expect(exit=0))
def user_has_an_old_proxy_and_systems_works(lab):
    behind_proxy(lab)
    lab.reg(user=WRONG, system=PROXY)
    result = yield
    verdicts = [p["verdict"] for p in result.paths("login.microsoftonline.com", identity="user", kind="wininet")]
    assert [v["cause"] for v in verdicts] == ["cfg_proxy_differs_by_identity"], verdicts
    assert not result.findings(), result.findings()


@scenario(Expect(exit=0))
def user_without_proxy_and_system_with_one(lab):
    behind_proxy(lab)
    lab.reg(user={}, system=PROXY)
    result = yield
    assert not result.findings(), result.findings()
    assert all(is_through_proxy(result, p) for p in result.paths(effective=True))


# ---------------------------------------------------------------- other stores

@scenario(Expect(exit=0, cause="cfg_env_shadows_system", status="warn", stage="settings", owner="server-admin"))
def environment_of_services_names_an_old_proxy(lab):
    behind_proxy(lab)
    lab.reg(user=PROXY, system=PROXY, keys={ENVIRONMENT: {"HTTPS_PROXY": f"http://{WRONG}"}})
    result = yield
    assert all(p["verdict"]["status"] == "pass" for p in result.paths("login.*", identity="user", kind="wininet"))


@scenario(Expect(exit=1, cause="prx_refused", stage="proxy", owner="proxy-team"), arguments=("--route", "env", "--identity", "system"))
def environment_of_services_is_the_way_asked_for(lab):
    behind_proxy(lab)
    lab.reg(system=PROXY, keys={ENVIRONMENT: {"HTTPS_PROXY": f"http://{WRONG}", "HTTP_PROXY": f"http://{WRONG}"}})


@scenario(Expect(exit=0))
def environment_of_services_agrees(lab):
    behind_proxy(lab)
    lab.reg(system=PROXY, keys={ENVIRONMENT: {"HTTPS_PROXY": f"http://{PROXY}", "HTTP_PROXY": f"http://{PROXY}"}})
    result = yield
    assert not result.findings(), result.findings()


@scenario(Expect(exit=1, cause="cfg_winhttp_wininet_mismatch", stage="settings", owner="server-admin"),
          arguments=("--route", "wininet,winhttp", "--identity", "system"))
def winhttp_knows_the_proxy_and_wininet_does_not(lab):
    behind_proxy(lab)
    lab.reg(system={}, keys={WINHTTP: {"WinHttpSettings": winhttp(PROXY)}})
    result = yield
    assert f"{SETIEPROXY} MANUAL_PROXY {PROXY} NULL" in remedy(result)


@scenario(Expect(exit=1, cause="cfg_agent_override_wrong", stage="settings", owner="server-admin"))
def agents_own_proxy_is_an_old_one(lab):
    behind_proxy(lab)
    lab.reg(user=PROXY, system=PROXY)
    lab.arguments += ["--agent-proxy", f"http://{WRONG}"]
    result = yield
    assert result.report["readiness"]["basis"] == "agent"
    assert "Set-OBMachineSetting -NoProxy" in remedy(result)


@scenario(Expect(exit=0))
def direct_shut_and_the_agents_own_proxy_open(lab):
    lab.arguments += ["--agent-proxy", f"http://{behind_proxy(lab)}"]
    result = yield
    assert result.report["readiness"]["basis"] == "agent"
    assert not result.findings(), result.findings()


@scenario(Expect(exit=0))
def agents_own_proxy_works_and_all_other_settings_are_wrong(lab):
    lab.arguments += ["--agent-proxy", f"http://{behind_proxy(lab)}"]
    lab.reg(user=WRONG, system=WRONG)
    result = yield
    assert not result.findings(), result.findings()


@scenario(Expect(exit=0), arguments=("--route", "env"))
def environment_names_the_proxy(lab):
    proxy = behind_proxy(lab)
    lab.environment.update({"https_proxy": f"http://{proxy}", "http_proxy": f"http://{proxy}"})
    result = yield
    assert all(is_through_proxy(result, p) for p in result.paths(effective=True))


@scenario(Expect(exit=0))
def environment_names_a_dead_proxy_that_nobody_asked_for(lab):
    lab.environment.update({n: f"http://{WRONG}" for n in ("https_proxy", "http_proxy", "ALL_PROXY", "HTTPS_PROXY")})
    result = yield
    assert not result.findings(), result.findings()


# ---------------------------------------------------------------- what is written in them

@scenario(Expect(exit=1, cause="cfg_proxy_string_malformed", stage="settings", owner="server-admin", targets=HTTPS))
def proxy_list_without_an_entry_for_https(lab):
    lab.reg(system=f"http={behind_proxy(lab)}")


@scenario(Expect(exit=1, cause="cfg_proxy_string_malformed", stage="settings", owner="server-admin"))
def proxy_without_its_port(lab):
    behind_proxy(lab)
    lab.reg(system="proxy.corp.test")


@scenario(Expect(exit=1, cause="cfg_proxy_string_malformed", stage="settings", owner="server-admin"))
def proxy_list_with_commas(lab):
    behind_proxy(lab)
    lab.reg(system=f"http={PROXY},https={PROXY}")


@scenario(Expect(exit=1, cause="cfg_proxy_string_malformed", stage="settings", owner="server-admin"))
def socks_url_where_windows_wants_a_list(lab):
    lab.only_proxy_goes_out()
    lab.reg(system=f"socks5://{lab.dante()}")


@scenario(Expect(exit=0, cause="cfg_proxy_string_malformed", stage="settings", owner="server-admin", status="warn"))
def proxy_with_a_stray_scheme_that_works_all_the_same(lab):
    lab.reg(system=f"https://{behind_proxy(lab)}")


@scenario(Expect(exit=0, cause="cfg_proxy_string_malformed", stage="settings", owner="server-admin", status="warn"))
def proxy_with_a_password_in_the_registry(lab):
    lab.reg(system=f"http://corpuser:correct-horse@{behind_proxy(lab)}")
    result = yield
    for text in (str(result.report), result.text, result.errors):
        assert "correct-horse" not in text, "the password stands in what the run wrote"
    assert "***" in str(result.report["identities"])


@scenario(Expect(exit=0))
def proxy_list_with_one_entry_for_each_protocol(lab):
    proxy = behind_proxy(lab)
    lab.reg(system=f"ftp=old.corp.test:21;http={proxy};https={proxy}")


@scenario(Expect(exit=0))
def proxy_for_https_only_and_port_80_open(lab):
    lab.edge.drop(src="10.1.0.2", port=443)
    lab.reg(system=f"https={lab.squid(before='http_access deny !CONNECT')}")
    result = yield
    assert not result.findings(), result.findings()


@scenario(Expect(exit=1, cause="cfg_bypass_sends_direct", stage="settings", owner="server-admin", targets=WINDOWS_NET,
                 subject="*[*].windows.net*"))
def bypass_entry_sends_storage_direct(lab):
    proxy = behind_proxy(lab)
    lab.reg(user=proxy, system=static(proxy, "*.windows.net;<local>"))
    result = yield
    rules = {p["route"]["rule"] for p in result.paths("login.windows.net", identity="system", kind="wininet")}
    assert all("*.windows.net" in rule for rule in rules), rules
    assert f'{SETIEPROXY} MANUAL_PROXY {proxy} "<local>"' in remedy(result)


@scenario(Expect(exit=1, cause="cfg_bypass_sends_direct", stage="settings", owner="server-admin", targets=WINDOWS_NET))
def bypass_entry_of_both_identities_sends_storage_direct(lab):
    proxy = behind_proxy(lab)
    lab.reg(user=static(proxy, "*.windows.net"), system=static(proxy, "*.windows.net"))


@scenario(Expect(exit=0))
def bypass_entry_that_is_right(lab):
    lab.edge.drop(src=["10.1.0.2", "2001:db8:1::2"], dst=[n for n in lab.names.hosts if n.startswith(("login.", "pod01-"))])
    proxy = lab.squid(before="acl storage dstdomain .core.windows.net\nhttp_access deny storage")
    lab.reg(user=static(proxy, "*.core.windows.net"), system=static(proxy, "*.core.windows.net"))
    result = yield
    assert not result.findings(), result.findings()


@scenario(Expect(exit=0))
def proxy_settings_of_nobody_and_direct_open(lab):
    lab.reg(user={}, system={})
    result = yield
    assert result.report["readiness"]["basis"] == "system/wininet"
    assert not result.findings(), result.findings()


@scenario(Expect(exit=0))
def same_proxy_of_both_is_asked_once(lab):
    proxy = behind_proxy(lab)
    lab.reg(user=proxy, system=proxy)
    result = yield
    exchanges = [o for o in result.observations("proxy_exchange") if o["method"] == "CONNECT" and not o["experiment"]]
    asked = [o["request"] for o in exchanges]
    assert asked and len(asked) == len(set(asked)), sorted(asked)
    identities = {p["id"]: p["identity"] for p in result.report["paths"]}
    for one in exchanges:
        assert {identities[p] for p in one["paths"]} == {"user", "system"}, one


# ---------------------------------------------------------------- security zones, the connectivity probe

@scenario(Expect(exit=0, cause="cfg_zone_download_forbidden", stage="settings", owner="server-admin", status="warn",
                 subject="HKEY_USERS*Zones?3?1803 *settings.reg:*"))
def downloads_are_forbidden_for_system(lab):
    lab.reg(system={}, keys={rf"{SYSTEM_ZONES}\Zones\3": {"1803": 3}})
    result = yield
    assert len(result.findings()) == 1 and "reg add" in str(result.findings()[0]["remedy"]), result.findings()


@scenario(Expect(exit=0, cause="cfg_zone_not_trusted", stage="settings", owner="server-admin", status="warn",
                 targets=("login.windows.net", "*.blob.core.windows.net"), subject="*ZoneMapKey?[*].windows.net *"))
def policy_puts_required_hosts_into_the_restricted_zone(lab):
    lab.reg(system={}, keys={rf"{POLICY_ZONES}\ZoneMapKey": {"*.windows.net": "4", "https://*.microsoftonline.com": "2"}})


@scenario(Expect(exit=0, cause="cfg_zone_not_trusted", stage="settings", owner="server-admin", status="warn",
                 targets=("login.microsoftonline.com",), subject="*IEHarden *"))
def enhanced_security_and_one_host_is_not_trusted(lab):
    domains = ("windows.net", "windowsazure.com", "microsoft.com", "azure.net", "msftconnecttest.com", "msftncsi.com")
    trusted = {rf"{SYSTEM_ZONES}\ZoneMap\EscDomains\{d}": {"*": 2} for d in domains}
    ignored = {rf"{SYSTEM_ZONES}\ZoneMap\Domains\microsoftonline.com": {"*": 2}}
    lab.reg(system={}, keys={rf"{SYSTEM_ZONES}\ZoneMap": {"IEHarden": 1}, **trusted, **ignored})


@scenario(Expect(exit=0))
def zones_of_a_healthy_server(lab):
    defaults = {rf"{SYSTEM_ZONES}\Zones\{zone}": {"1803": 3 if zone == 4 else 0} for zone in range(5)}
    users_own = {rf"HKEY_CURRENT_USER\{ZONES}\Zones\3": {"1803": 3}}
    sites = {rf"{SYSTEM_ZONES}\ZoneMap\Domains\microsoft.com": {"*": 2}, rf"{SYSTEM_ZONES}\ZoneMap\Domains\casino.example": {"*": 4}}
    lab.reg(user={}, system={}, keys={**defaults, **users_own, **sites, PROBE: {"EnableActiveProbing": 1}})
    result = yield
    assert not result.findings(), result.findings()
    assert all(p["verdict"]["status"] == "pass" for p in result.paths() if result.target(p)["host"]), "a warning on a healthy server"
    zones = {o["subject"]: o["values"][0] for o in result.observations("local_fact") if o["fact"] == "zone_of_host"}
    assert zones.get("https://login.microsoft.com") == "2" and set(zones.values()) == {"2"}, zones


@scenario(Expect(exit=0, cause="host_ncsi_probe_disabled", stage="host", owner="server-admin", status="warn", targets=NCSI))
def connectivity_probe_is_off_by_policy(lab):
    lab.reg(system={}, keys={PROBE_POLICY: {"NoActiveProbe": 1}, PROBE: {"EnableActiveProbing": 1}})


@scenario(Expect(exit=0, cause="host_ncsi_probe_disabled", stage="host", owner="server-admin", status="warn", targets=NCSI))
def connectivity_probe_is_off_in_the_registry(lab):
    lab.reg(system={}, keys={PROBE: {"EnableActiveProbing": 0}})
