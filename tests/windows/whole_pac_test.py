"""PAC scripts and automatic detection in a whole run: what user and SYSTEM are told by their own scripts, and what such a run leaves behind."""
import os
import signal
import struct
import time

from host import INTERNET_SETTINGS
from lab import pac

KEYS = {"user": rf"HKCU\{INTERNET_SETTINGS}", "system": rf"HKU\S-1-5-18\{INTERNET_SETTINGS}"}
SECONDS_TO_GO = 20
DIRECT, BY_SCRIPT, DETECT = 1, 4, 8


def blob(flags, url=""):
    """A DefaultConnectionSettings of Windows 7 and later, in hexadecimal."""
    text = url.encode("ascii")
    return (struct.pack("<IIIIII", 0x46, 7, flags, 0, 0, len(text)) + text + bytes(32)).hex()


def give_script(host, identity, url):
    host.reg_add(KEYS[identity], "AutoConfigURL", "REG_SZ", url)


def give_connection(host, identity, flags, url=""):
    host.reg_add(KEYS[identity] + r"\Connections", "DefaultConnectionSettings", "REG_BINARY", blob(flags, url))


def give(proxy):
    return pac.function(f'return "PROXY {proxy}";')


def two_proxies(host):
    """Nothing gets out but two proxies; returns their names."""
    host.lab.only_proxy_goes_out()
    return {"user": host.lab.squid(), "system": host.lab.tinyproxy()}


def script_paths(result, identity):
    """Paths of a host by the Internet options of that identity."""
    return [p for p in result.paths(identity=identity, kind="wininet") if result.target(p)["host"]]


def seen(result, identity, op):
    """Observations that say something about paths of that identity."""
    ours = {p["id"] for p in result.paths(identity=identity)}
    return [o for o in result.observations(op) if ours & set(o["paths"])]


def assert_systems_own_run(result):
    system = next(i for i in result.report["identities"] if i["id"] == "system")
    assert system["mode"] == "run", system["why"]


def assert_decided(result, identity, proxy, url, mechanism="pac"):
    """Every path of that identity goes by what this script said, and the report shows the script and what it was asked."""
    paths = script_paths(result, identity)
    assert paths
    for path in paths:
        route = path["route"]
        got = (route["mechanism"], route["via"], route["list"], route["error"])
        assert got == (mechanism, f"PROXY {proxy}", [], None), (identity, route)
        assert path["verdict"]["status"] == "pass", (identity, path["verdict"])
    assert {o["url"] for o in seen(result, identity, "proxy_script")} == {url}, seen(result, identity, "proxy_script")
    decisions = seen(result, identity, "proxy_decision")
    assert {(o["script"], *o["via"]) for o in decisions} == {(url, f"PROXY {proxy}")}, decisions


def facts(result, fact):
    return [o for o in result.observations("local_fact") if o["fact"] == fact]


def assert_windows_agrees(result, proxy):
    """Wine's own client ran the user's script, too, and was told the same."""
    answers = facts(result, "proxy_answer")
    users = {p["id"] for p in result.paths(identity="user")}
    assert answers and all(set(o["paths"]) <= users for o in answers), answers
    assert all((o["state"], o["values"]) == ("agrees", [proxy, proxy]) for o in answers), answers


def assert_ready(result):
    assert result.status == 0 and result.report["readiness"]["ready"], result.text + result.errors


def test_each_identity_goes_by_its_own_script(host):
    proxies = two_proxies(host)
    pac.serve(host.lab, {f"{name}.pac": give(proxy) for name, proxy in proxies.items()})
    urls = {name: f"http://pac.corp.test/{name}.pac" for name in proxies}
    for name, url in urls.items():
        give_script(host, name, url)
    result = host.check()
    assert_ready(result)
    assert_systems_own_run(result)
    for name, proxy in proxies.items():
        assert_decided(result, name, proxy, urls[name])
    assert_windows_agrees(result, proxies["user"])
    host.assert_nothing_is_left()


def test_scripts_of_the_connections_own_value(host):
    proxies = two_proxies(host)
    pac.serve(host.lab, {f"{name}.pac": give(proxy) for name, proxy in proxies.items()})
    urls = {name: f"http://pac.corp.test/{name}.pac" for name in proxies}
    for name, url in urls.items():
        give_connection(host, name, DIRECT | BY_SCRIPT, url)
    result = host.check()
    assert_ready(result)
    assert_systems_own_run(result)
    for name, proxy in proxies.items():
        assert_decided(result, name, proxy, urls[name])
    assert_windows_agrees(result, proxies["user"])
    host.assert_nothing_is_left()


def test_both_identities_detect_their_proxy(host):
    proxy = two_proxies(host)["user"]
    pac.wpad(host.lab, give(proxy))
    for name in KEYS:
        give_connection(host, name, DIRECT | DETECT)
    result = host.check()
    assert_ready(result)
    assert_systems_own_run(result)
    for name in KEYS:
        assert_decided(result, name, proxy, "http://wpad.corp.test/wpad.dat", "auto_detect")
        assert {o["found_by"] for o in seen(result, name, "proxy_script")} == {"dns"}
    host.assert_nothing_is_left()


def loop_for_system(host):
    """SYSTEM's script never returns, the user's names a proxy; returns that proxy and its script's address."""
    proxy = two_proxies(host)["user"]
    url = pac.serve(host.lab, {"proxy.pac": give(proxy), "loop.pac": pac.function("for (;;) ;")})
    give_script(host, "user", url)
    give_script(host, "system", "http://pac.corp.test/loop.pac")
    return proxy, url


def test_systems_script_never_returns(host):
    proxy, url = loop_for_system(host)
    result = host.check()
    assert result.status == 1, result.text + result.errors
    assert_systems_own_run(result)
    assert_decided(result, "user", proxy, url)
    assert {o["error"] for o in seen(result, "system", "proxy_decision")} == {"timeout"}, seen(result, "system", "proxy_decision")
    assert {p["route"]["error"] for p in script_paths(result, "system")} == {"timeout"}, script_paths(result, "system")
    assert result.findings("cfg_pac_script_error", "fail"), result.text
    host.assert_nothing_is_left()


def test_killed_parent_leaves_no_script_running(host):
    loop_for_system(host)
    parent = host.start("--timeout", "60")
    host.wait_until(host.systems_script_children, 20, lambda: f"SYSTEM's script was not run: {host.processes()}")
    time.sleep(1)
    assert host.systems_script_children(), "the script is no longer there"
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    host.assert_nothing_is_left(SECONDS_TO_GO)


def test_script_given_for_trial_reaches_system(host):
    proxy = two_proxies(host)["system"]
    script = host.lab.work / "trial.pac"
    script.write_text(give(proxy) + "// gr\u00fc\u00df Gott\n", encoding="utf-8")
    script.chmod(0o600)
    os.chown(script, host.wine.uid, host.wine.uid)
    result = host.check("--pac", str(script))
    assert_ready(result)
    assert_systems_own_run(result)
    for name in KEYS:
        scripts = seen(result, name, "proxy_script")
        assert {o["found_by"] for o in scripts} == {"option"}, scripts
        assert_decided(result, name, proxy, scripts[0]["url"])
    for fact in ("proxy_answer", "proxy_view"):  # Windows knows nothing of a script on trial
        assert not facts(result, fact), facts(result, fact)
    host.assert_nothing_is_left()
