"""From start to removal: what a whole run of the program as user and as SYSTEM reads, shows, and leaves behind by each ending."""
import os
import signal
import time

from host import INTERNET_SETTINGS

PROXY = "proxy.corp.test:3128"
KEYS = {"user": rf"HKCU\{INTERNET_SETTINGS}", "system": rf"HKU\S-1-5-18\{INTERNET_SETTINGS}"}
SECONDS_TO_GO = 20


def give_proxy(host, identity):
    host.reg_add(KEYS[identity], "ProxyEnable", "REG_DWORD", "1")
    host.reg_add(KEYS[identity], "ProxyServer", "REG_SZ", PROXY)


def identity_of(result, name):
    return next(i for i in result.report["identities"] if i["id"] == name)


def test_healthy_run_as_both_identities_leaves_nothing(host):
    result = host.check()
    assert result.status == 0, result.text + result.errors
    assert {p["identity"] for p in result.paths()} == {"user", "system"}
    assert identity_of(result, "system")["mode"] == "run", identity_of(result, "system")["why"]
    assert "event log" in result.errors and "--identity user" in result.errors, result.errors
    host.assert_nothing_is_left()


def test_registry_of_both_identities_is_read_live(host):
    host.lab.only_proxy_goes_out()
    host.lab.squid()
    give_proxy(host, "user")
    give_proxy(host, "system")
    result = host.check()
    assert result.status == 0, result.text + result.errors
    for name in KEYS:
        wininet = identity_of(result, name)["settings"]["wininet"]
        assert wininet["proxy_enabled"] and wininet["proxy_server"] == PROXY, wininet
    host.assert_nothing_is_left()


def test_user_has_a_proxy_and_system_has_none(host):
    host.lab.only_proxy_goes_out()
    host.lab.squid()
    give_proxy(host, "user")
    result = host.check()
    assert result.status == 1, result.text + result.errors
    assert result.findings("cfg_proxy_missing_for_system", "fail"), result.text
    assert all(p["verdict"]["status"] == "pass" for p in result.paths("login.*", identity="user", kind="wininet"))
    host.assert_nothing_is_left()


def test_identity_user_starts_no_service(host):
    host.lab.start()
    result = host.probe.check(["--identity", "user"])
    assert result.status == 0 and "event log" not in result.errors, result.errors
    assert {p["identity"] for p in result.paths()} == {"user"}
    host.assert_nothing_is_left()


def test_ctrl_c_leaves_a_whole_report_and_nothing_else(host):
    host.lab.edge.drop(proto="tcp")
    parent = host.start("--timeout", "60", "--report", f"json={host.probe.out}/cut.json")
    host.wait_until(host.children, 20, lambda: "no service was started")
    time.sleep(3)
    os.kill(parent.pid, signal.SIGINT)
    parent.wait(timeout=SECONDS_TO_GO)
    report = host.probe.read_json("cut")
    assert report and report["run"]["end_reason"] == "interrupted", report
    system = next(i for i in report["identities"] if i["id"] == "system")
    assert system["mode"] == "run", system["why"]
    attempts = [a for p in report["paths"] if p["identity"] == "system" for a in p["attempts"]]
    assert any(a["failure"] == "interrupted_error" for a in attempts), attempts
    ours = {o["id"] for o in report["observations"]}
    assert all(a["observations"] and set(a["observations"]) <= ours for a in attempts), attempts
    host.assert_nothing_is_left(SECONDS_TO_GO)


def test_killed_parent_leaves_nothing(host):
    host.lab.edge.drop(proto="tcp")
    parent = host.start("--timeout", "60")
    host.wait_until(host.services, 20, lambda: "no service was made")
    host.wait_until(lambda: len(host.processes()) > 1, 20, lambda: f"no service was started: {host.processes()}")
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    host.assert_nothing_is_left(SECONDS_TO_GO)


def interrupt(host, seconds_later):
    """Press Ctrl-C so long after the directory of the copy has appeared: before there is a service, or while it starts."""
    parent = host.start("--timeout", "60")
    end = time.monotonic() + 20
    while not host.copies() and time.monotonic() < end:
        pass
    time.sleep(seconds_later)
    os.kill(parent.pid, signal.SIGINT)
    parent.wait(timeout=SECONDS_TO_GO)


def test_ctrl_c_while_the_service_starts_leaves_nothing(host):
    host.lab.edge.drop(proto="tcp")
    for milliseconds in (0, 2, 5, 10, 20, 50, 100, 200, 400, 800):
        interrupt(host, milliseconds / 1000)
        host.assert_nothing_is_left(SECONDS_TO_GO)


def test_killed_service_is_told_of_and_leaves_nothing(host):
    host.lab.edge.drop(proto="tcp")
    parent = host.start("--timeout", "5", "--report", f"json={host.probe.out}/killed.json")
    host.wait_until(host.children, 20, lambda: "no service was started")
    time.sleep(1)
    for pid in host.children():
        os.kill(pid, signal.SIGKILL)
    assert parent.wait(timeout=60) != 0
    report = host.probe.read_json("killed")
    system = next(i for i in report["identities"] if i["id"] == "system")
    assert system["mode"] == "unavailable" and "ended without an answer" in system["why"], system
    assert any(p["verdict"]["status"] == "fail" for p in report["paths"] if p["identity"] == "user")
    assert all(p["verdict"]["status"] == "inconclusive" for p in report["paths"] if p["identity"] == "system")
    host.assert_nothing_is_left()
