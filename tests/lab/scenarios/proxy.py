"""The proxy at work: reaching it, its sign-in, its rules, what is behind it; and proxies of all kinds that are fine."""
import base64

from lab.proxies import PASSWORD, USER
from lab.scenario import Expect, scenario

PROXY = "proxy.corp.test:3128"
LOGIN = "login.microsoftonline.com"
STORAGE = "md-dlbrhcw4gn5r.z33.blob.storage.azure.net"
HTTPS = ("login.*", "pod01-*", "*.core.windows.net", "*.blob.storage.azure.net", "go.microsoft.com", "download.microsoft.com", "aka.ms")
DEAD = "proxy.corp.test:3199"
MARK = {"Via": "1.1 gate.corp.test (policy)"}
WRONG_PASSWORD = "battery-staple"


def given(proxy, scheme="http"):
    """This proxy and no other."""
    return ["--route", f"proxy={scheme}://{proxy}"]


def sign_in(lab, password=PASSWORD):
    """--proxy-user, and the password in a file that only the ordinary user can read."""
    path = lab.work / "password"
    path.write_text(password + "\n", encoding="ascii")
    lab.client.run(["chown", "65534", path])
    path.chmod(0o400)
    lab.arguments += ["--proxy-user", USER, "--proxy-password-file", path]


def nowhere_in(result, password):
    """No form of the password is in what the run wrote."""
    basic = base64.b64encode(f"{USER}:{password}".encode()).decode()
    for what, text in (("JSON", str(result.report)), ("text", result.text), ("stderr", result.errors)):
        for secret in (password, basic, password.encode().hex()):
            assert secret not in text, f"the password stands in the {what}"


def exchanges(result):
    return [o for o in result.observations("proxy_exchange")]


# ---------------------------------------------------------------- reaching it

@scenario(Expect(exit=1, cause="prx_name_unresolvable", stage="proxy", owner="dns-team", subject="old-proxy.corp.test:3128"))
def proxy_name_unknown(lab):
    lab.reg(user="old-proxy.corp.test:3128", system="old-proxy.corp.test:3128")


@scenario(Expect(exit=1, cause="prx_unreachable", stage="proxy", owner="firewall-team", subject=PROXY, seconds=6))
def proxy_drops_the_syn(lab):
    proxy = lab.squid()
    lab.start()
    lab.proxy.drop(port=3128, chain="input")
    lab.reg(user=proxy, system=proxy)


@scenario(Expect(exit=1, cause="prx_unreachable", stage="proxy", owner="firewall-team", subject="far-proxy.corp.test:3128"))
def proxy_in_another_network_is_shut_off(lab):
    lab.dns1.record("far-proxy.corp.test. A 13.64.9.9")
    lab.dns2.record("far-proxy.corp.test. A 13.64.9.9")
    lab.edge.reject(dst="13.64.9.9", how="admin")
    lab.reg(system="far-proxy.corp.test:3128")


@scenario(Expect(exit=1, cause="prx_refused", stage="proxy", owner="proxy-team", subject=DEAD))
def proxy_service_stopped(lab):
    lab.reg(user=DEAD, system=DEAD)


@scenario(Expect(exit=1, cause="prx_not_http", stage="proxy", owner="server-admin", subject=PROXY))
def proxy_port_is_ssh(lab):
    lab.reg(system=lab.proxy_stub(r"plain:SSH-2.0-OpenSSH_9.2\r\n"))


@scenario(Expect(exit=1, cause="prx_not_http", stage="proxy", owner="server-admin", subject=PROXY))
def proxy_port_answers_with_a_tls_alert(lab):
    lab.reg(system=lab.proxy_stub("alert:70"))


# ---------------------------------------------------------------- sign-in

@scenario(Expect(exit=1, cause="prx_auth_none_sent", stage="proxy", owner="proxy-team", subject=PROXY))
def proxy_wants_basic_and_user_has_none(lab):
    lab.reg(user=lab.squid(auth="basic"))
    result = yield
    assert all(o["schemes"] == ["basic"] for o in exchanges(result)), exchanges(result)[0]["schemes"]
    assert all(o["status"] == 407 for o in exchanges(result))


@scenario(Expect(exit=1, cause="prx_auth_none_sent", stage="proxy", owner="proxy-team", subject=PROXY))
def proxy_wants_any_of_four_schemes(lab):
    lab.reg(user=lab.squid(auth=["negotiate", "ntlm", "digest", "basic"]))
    result = yield
    assert set(exchanges(result)[0]["schemes"]) == {"negotiate", "ntlm", "digest", "basic"}, exchanges(result)[0]["schemes"]


@scenario(Expect(exit=3, cause="prx_auth_none_sent", stage="proxy", owner="proxy-team", status="inconclusive", finding="warn", subject=PROXY))
def proxy_wants_system_to_sign_in(lab):
    proxy = lab.squid(auth=["negotiate", "ntlm", "basic"])
    lab.reg(user=proxy, system=proxy)
    result = yield
    for path in result.paths("login.*", effective=True):
        assert path["identity"] == "system" and path["verdict"]["confidence"] < 0.5, path["verdict"]
        assert "machine account" in path["verdict"]["not_run"], path["verdict"]["not_run"]


@scenario(Expect(exit=3, cause="prx_auth_scheme_unusable", stage="proxy", owner="proxy-team", status="inconclusive", finding="warn",
                 subject=PROXY))
def proxy_offers_system_only_basic_and_digest(lab):
    proxy = lab.squid(auth=["digest", "basic"])
    lab.reg(user=proxy, system=proxy)
    result = yield
    for path in result.paths("login.*", effective=True):
        assert path["verdict"]["confidence"] < 0.5 and "machine account" in path["verdict"]["not_run"], path["verdict"]


@scenario(Expect(exit=3, cause="prx_auth_scheme_unusable", stage="proxy", owner="proxy-team", status="inconclusive", finding="warn"))
def credentials_given_for_the_user_are_never_systems(lab):
    proxy = lab.squid(auth="basic")
    lab.reg(user=proxy, system=proxy)
    sign_in(lab)
    result = yield
    assert all(p["verdict"]["status"] == "pass" for p in result.paths("login.*", identity="user", kind="wininet"))
    system = {p["id"] for p in result.paths(identity="system", kind="wininet")}
    assert not [o for o in exchanges(result) if o["auth_tried"] and system & set(o["paths"])], "SYSTEM used a given password"
    nowhere_in(result, PASSWORD)


def rejected(lab, auth):
    lab.arguments += given(lab.squid(auth=auth))
    sign_in(lab, WRONG_PASSWORD)


def rejected_once(result, scheme):
    tried = [o for o in exchanges(result) if o["auth_tried"]]
    assert {o["auth_tried"] for o in tried} == {scheme}, tried
    assert len(tried) <= 2, f"{len(tried)} sign-ins with a wrong password lock an account"
    nowhere_in(result, WRONG_PASSWORD)


@scenario(Expect(exit=1, cause="prx_auth_rejected", stage="proxy", owner="proxy-team", subject=PROXY))
def wrong_password_by_basic(lab):
    rejected(lab, "basic")
    rejected_once((yield), "basic")


@scenario(Expect(exit=1, cause="prx_auth_rejected", stage="proxy", owner="proxy-team", subject=PROXY))
def wrong_password_by_digest(lab):
    rejected(lab, "digest")
    rejected_once((yield), "digest")


@scenario(Expect(exit=1, cause="prx_auth_rejected", stage="proxy", owner="proxy-team", subject=PROXY))
def wrong_password_by_ntlm(lab):
    rejected(lab, "ntlm-denied")
    rejected_once((yield), "ntlm")


def accepted(lab, auth):
    lab.only_proxy_goes_out()
    lab.arguments += given(lab.squid(auth=auth)) + ["-v"]
    sign_in(lab)


@scenario(Expect(exit=0))
def password_accepted_by_basic(lab):
    accepted(lab, "basic")
    nowhere_in((yield), PASSWORD)


@scenario(Expect(exit=0))
def password_accepted_by_digest(lab):
    accepted(lab, "digest")
    nowhere_in((yield), PASSWORD)


@scenario(Expect(exit=0))
def password_accepted_by_ntlm(lab):
    accepted(lab, "ntlm")
    nowhere_in((yield), PASSWORD)


@scenario(Expect(exit=0))
def password_accepted_by_one_of_two_schemes(lab):
    accepted(lab, ["ntlm-denied", "basic"])
    nowhere_in((yield), PASSWORD)


@scenario(Expect(exit=0))
def password_for_the_agents_own_proxy(lab):
    lab.only_proxy_goes_out()
    lab.arguments += ["--agent-proxy", f"http://{lab.squid(auth='basic')}"]
    sign_in(lab)
    nowhere_in((yield), PASSWORD)


@scenario(Expect(exit=0))
def password_by_environment_variable(lab):
    lab.only_proxy_goes_out()
    lab.environment["GATE_WORD"] = PASSWORD
    lab.arguments += given(lab.squid(auth="basic")) + ["--proxy-user", USER, "--proxy-password-env", "GATE_WORD"]
    nowhere_in((yield), PASSWORD)


@scenario(Expect(exit=0))
def users_ticket_accepted_by_negotiate(lab):
    lab.only_proxy_goes_out()
    lab.reg(user=lab.squid(auth="negotiate"))
    lab.kdc().login()
    result = yield
    assert any(o["auth_tried"] == "negotiate" and o["failure"] is None for o in exchanges(result))


@scenario(Expect(exit=0), arguments=("--route", "env"))
def password_in_the_environment_is_masked(lab):
    proxy = lab.squid()
    lab.environment.update({n: f"http://{USER}:{PASSWORD}@{proxy}" for n in ("https_proxy", "http_proxy")})
    result = yield
    nowhere_in(result, PASSWORD)
    assert "***" in str(result.report["identities"]), "the report does not say that there is a password"


@scenario(Expect(exit=0))
def silent_kdc_moves_no_other_path(lab):
    lab.reg(user=lab.squid(auth="negotiate"), system={})
    lab.start()
    lab.kdc().login()
    lab.kdc().stop_answering()
    result = yield
    limit_ms = 1500 * lab.slowness
    for path in result.paths(effective=True):
        late = [s for s in path["stages"] if s["start_ms"] is not None and s["start_ms"] + (s["duration_ms"] or 0) > limit_ms]
        assert result.target(path)["host"] is None or not late, f"{result.target(path)['host']}: {late}"
    verdicts = {p["verdict"]["cause"] for p in result.paths("login.*", identity="user", kind="wininet")}
    assert verdicts == {"prx_auth_none_sent"}, verdicts


@scenario(Expect(exit=0, seconds=4), arguments=("--timeout", "10"))
def silent_kdc_does_not_outlast_the_deadline(lab):
    lab.arguments += ["--deadline", str(2 * lab.slowness)]
    lab.reg(user=lab.squid(auth="negotiate"), system={})
    lab.start()
    lab.kdc().login()
    lab.kdc().stop_answering()
    result = yield
    assert result.report["run"]["end_reason"] == "deadline"
    verdicts = {p["verdict"]["status"] for p in result.paths("login.*", identity="user", kind="wininet")}
    assert verdicts == {"inconclusive"}, verdicts


@scenario(Expect(exit=1, cause="dns_servers_silent", stage="dns", owner="firewall-team", targets=LOGIN))
def silent_dns_moves_no_other_path(lab):
    lab.dns1.silent(LOGIN)
    lab.dns2.silent(LOGIN)
    lab.reg(user=lab.squid(), system={})
    lab.arguments += ["--timeout", str(2 * lab.slowness)]
    result = yield
    limit_ms = 1500 * lab.slowness
    for path in result.paths():
        late = [s for s in path["stages"] if s["start_ms"] is not None and s["start_ms"] + (s["duration_ms"] or 0) > limit_ms]
        assert result.target(path)["host"] in (None, LOGIN) or not late, f"{result.target(path)['host']}: {late}"


# ---------------------------------------------------------------- its rules

@scenario(Expect(exit=1, cause="prx_acl_denied", stage="proxy", owner="proxy-team", targets=LOGIN, subject=PROXY))
def squid_denies_one_name(lab):
    proxy = lab.squid(before=f"acl denied dstdomain {LOGIN}\nhttp_access deny denied")
    lab.reg(user=proxy, system=proxy)


@scenario(Expect(exit=1, cause="prx_acl_denied", stage="proxy", owner="proxy-team", subject=PROXY))
def squid_denies_this_server(lab):
    lab.reg(system=lab.squid(before="http_access deny all"))


@scenario(Expect(exit=1, cause="prx_acl_denied", stage="proxy", owner="proxy-team", targets=LOGIN, subject="proxy.corp.test:8888"))
def tinyproxy_denies_one_name(lab):
    lab.reg(system=lab.tinyproxy(deny="login.microsoftonline.com"))


@scenario(Expect(exit=1, cause="prx_block_page", stage="proxy", owner="proxy-team", targets=LOGIN, subject=PROXY))
def squid_sends_one_name_to_its_policy_page(lab):
    proxy = lab.squid(before=f"acl denied dstdomain {LOGIN}\ndeny_info 302:http://policy.corp.test/blocked denied\n"
                             "http_access deny denied")
    lab.reg(user=proxy, system=proxy)


@scenario(Expect(exit=1, cause="prx_block_page", stage="proxy", owner="proxy-team", subject="proxy.corp.test:3130"))
def proxy_redirects_everything_to_its_policy_page(lab):
    lab.reg(system=lab.proxy_status(302, {"Location": "http://policy.corp.test/blocked", **MARK}))


@scenario(Expect(exit=1, cause="prx_block_page", stage="proxy", owner="proxy-team", targets=HTTPS, subject="proxy.corp.test:3130"))
def proxy_answers_connect_with_a_page(lab):
    lab.reg(system="https=" + lab.proxy_status(200, MARK, "<html><title>Web policy</title>Access to this site is blocked.</html>"))


@scenario(Expect(exit=1, cause="prx_connect_not_allowed", stage="proxy", owner="proxy-team", targets=HTTPS, subject="proxy.corp.test:8080"))
def nginx_is_no_proxy_for_https(lab):
    lab.reg(system=lab.nginx_forward())


@scenario(Expect(exit=1, cause="prx_connect_not_allowed", stage="proxy", owner="proxy-team", targets=HTTPS, subject="proxy.corp.test:3130"))
def proxy_does_not_know_connect(lab):
    lab.reg(system="https=" + lab.proxy_status(501, MARK))


# ---------------------------------------------------------------- what is behind it

@scenario(Expect(exit=1, cause="prx_dns_failed", stage="proxy", owner="dns-team", targets=LOGIN, subject=PROXY))
def squid_cannot_resolve_one_name(lab):
    lab.dns1.nxdomain(LOGIN)
    lab.dns2.nxdomain(LOGIN)
    lab.reg(user=lab.squid(), system=PROXY)


@scenario(Expect(exit=1, cause="prx_dns_failed", stage="proxy", owner="dns-team", subject="proxy.corp.test:3130"))
def proxy_says_that_it_cannot_resolve(lab):
    lab.reg(system=lab.proxy_status(502, MARK, "<html>Gateway error: could not resolve host name (DNS)</html>"))


@scenario(Expect(exit=1, cause="prx_upstream_timeout", stage="proxy", owner="firewall-team", targets=LOGIN, subject=PROXY))
def squid_is_silent_as_its_upstream_is_dropped(lab):
    proxy = lab.squid()
    lab.core1.drop(dst=LOGIN)
    lab.reg(user=proxy, system=proxy)
    result = yield
    for flow in result.findings("prx_upstream_timeout")[0]["flows"]:
        assert flow["seen_from"] == "proxy" and flow["src"] != "10.1.0.2", flow


@scenario(Expect(exit=1, cause="prx_upstream_timeout", stage="proxy", owner="firewall-team", subject=PROXY, seconds=9))
def squid_is_silent_as_all_of_its_upstream_is_dropped(lab):
    proxy = lab.squid()
    lab.edge.drop(proto="tcp")
    lab.reg(user=proxy, system=proxy)
    result = yield
    asked = [o for o in result.observations("http_exchange") if o["experiment"] == "proxy_control"]
    assert len(asked) == 1 and asked[0]["status"] >= 400, asked


@scenario(Expect(exit=1, cause="prx_overloaded", stage="proxy", owner="proxy-team", seconds=9))
def proxy_accepts_and_never_answers(lab):
    lab.reg(system=lab.proxy_stub("silent"))


@scenario(Expect(exit=1, cause="prx_upstream_timeout", stage="proxy", owner="firewall-team", targets=STORAGE, subject=PROXY, seconds=16),
          arguments=("--timeout", "7"))
def squid_says_that_its_upstream_timed_out(lab):
    proxy = lab.squid()
    lab.core1.drop(dst=STORAGE)
    lab.reg(user=proxy, system=proxy)


@scenario(Expect(exit=1, cause="prx_upstream_timeout", stage="proxy", owner="firewall-team", subject="proxy.corp.test:3130"))
def proxy_answers_504(lab):
    lab.reg(system=lab.proxy_status(504, MARK))


@scenario(Expect(exit=1, cause="prx_upstream_refused", stage="proxy", owner="firewall-team", targets=STORAGE, subject=PROXY))
def squids_upstream_refuses(lab):
    proxy = lab.squid()
    lab.move_to_other(STORAGE)
    lab.reg(user=proxy, system=proxy)
    result = yield
    for flow in result.findings("prx_upstream_refused")[0]["flows"]:
        assert flow["seen_from"] == "proxy" and flow["src"] != "10.1.0.2", flow


@scenario(Expect(exit=1, cause="prx_upstream_refused", stage="proxy", owner="firewall-team", targets=STORAGE, subject=PROXY))
def squids_upstream_is_prohibited(lab):
    proxy = lab.squid()
    lab.core1.reject(dst=STORAGE, how="admin")
    lab.reg(user=proxy, system=proxy)


@scenario(Expect(exit=1, cause="prx_overloaded", stage="proxy", owner="proxy-team", subject="proxy.corp.test:3130"))
def proxy_answers_503_and_when_to_come_again(lab):
    lab.reg(system=lab.proxy_status(503, {"Retry-After": "30", **MARK}))


@scenario(Expect(exit=1, cause="prx_overloaded", stage="proxy", owner="proxy-team", subject="proxy.corp.test:3130"))
def proxy_answers_429(lab):
    lab.reg(system=lab.proxy_status(429, MARK))


@scenario(Expect(exit=1, cause="prx_acl_denied", stage="proxy", owner="proxy-team", subject="proxy.corp.test:3130"))
def proxy_denies_everything_without_a_name(lab):
    lab.reg(system=lab.proxy_status(403, {}))


@scenario(Expect(exit=1, cause="prx_connect_not_allowed", stage="proxy", owner="proxy-team", subject="proxy.corp.test:3130"))
def proxy_knows_no_method_at_all(lab):
    lab.reg(system=lab.proxy_status(501, {}))


# ---------------------------------------------------------------- broken

@scenario(Expect(exit=1, cause="prx_closes_silently", stage="proxy", owner="proxy-team", subject=PROXY))
def proxy_closes_after_the_request(lab):
    lab.reg(system=lab.proxy_stub("fin-after-data"))


@scenario(Expect(exit=1, cause="prx_closes_silently", stage="proxy", owner="proxy-team", subject=PROXY))
def proxy_resets_after_the_request(lab):
    lab.reg(system=lab.proxy_stub("rst-after-data"))


@scenario(Expect(exit=1, cause="prx_closes_silently", stage="proxy", owner="proxy-team", subject="proxy.corp.test:1080"))
def proxy_port_is_socks(lab):
    lab.reg(system=f"http={lab.dante()};https=proxy.corp.test:1080")


@scenario(Expect(exit=1, cause="prx_reply_malformed", stage="proxy", owner="proxy-team", subject=PROXY))
def proxy_speaks_broken_http(lab):
    lab.reg(system=lab.proxy_stub(r"plain:HTTP/1.1 banana\r\n\r\n"))


@scenario(Expect(exit=1, cause="prx_reply_malformed", stage="proxy", owner="proxy-team", targets=HTTPS, subject=PROXY))
def proxy_accepts_without_an_end(lab):
    lab.reg(system="https=" + lab.proxy_stub(r"plain:HTTP/1.1 200 OK\r\n"))


@scenario(Expect(exit=1, cause="prx_tunnel_dead", stage="proxy", owner="proxy-team", targets=HTTPS, subject=PROXY))
def tunnel_swallows_everything(lab):
    lab.reg(system="https=" + lab.proxy_stub("tunnel-silent"))


@scenario(Expect(exit=1, cause="prx_tunnel_dead", stage="proxy", owner="proxy-team", targets=HTTPS, subject=PROXY))
def tunnel_is_reset(lab):
    lab.reg(system="https=" + lab.proxy_stub("tunnel-rst"))


@scenario(Expect(exit=1, cause="prx_tunnel_dead", stage="proxy", owner="proxy-team", targets=HTTPS, subject=PROXY))
def tunnel_is_closed(lab):
    lab.reg(system="https=" + lab.proxy_stub("tunnel-fin"))


# ---------------------------------------------------------------- other kinds

@scenario(Expect(exit=0))
def tinyproxy_open(lab):
    lab.only_proxy_goes_out()
    lab.reg(system=lab.tinyproxy())
    result = yield
    assert not result.findings(), result.findings()


@scenario(Expect(exit=0))
def tinyproxy_accepts_the_password(lab):
    lab.only_proxy_goes_out()
    lab.arguments += given(lab.tinyproxy(password=True))
    sign_in(lab)
    nowhere_in((yield), PASSWORD)


@scenario(Expect(exit=0))
def https_proxy_open(lab):
    lab.only_proxy_goes_out()
    lab.arguments += given(lab.squid(tls=lab.ca.issue(["proxy.corp.test"], directory=lab.work)), "https")
    result = yield
    assert [o for o in result.observations("tls_handshake") if o["peer"] == "proxy"], "no TLS with the proxy"


@scenario(Expect(exit=0))
def socks5h_open(lab):
    lab.only_proxy_goes_out()
    lab.arguments += given(lab.dante(), "socks5h")
    result = yield
    assert not result.findings(), result.findings()


@scenario(Expect(exit=0))
def socks5_open(lab):
    lab.only_proxy_goes_out()
    lab.arguments += given(lab.dante(), "socks5")


@scenario(Expect(exit=0))
def socks4_open(lab):
    lab.only_proxy_goes_out()
    lab.arguments += given(lab.dante(), "socks4")


@scenario(Expect(exit=0))
def socks5h_accepts_the_password(lab):
    lab.only_proxy_goes_out()
    lab.arguments += given(lab.dante(password=True), "socks5h")
    sign_in(lab)
    nowhere_in((yield), PASSWORD)


@scenario(Expect(exit=1, cause="prx_auth_rejected", stage="proxy", owner="proxy-team", subject="proxy.corp.test:1080"))
def socks5h_rejects_the_password(lab):
    lab.arguments += given(lab.dante(password=True), "socks5h")
    sign_in(lab, WRONG_PASSWORD)
    rejected_once((yield), "username")


@scenario(Expect(exit=1, cause="prx_auth_none_sent", stage="proxy", owner="proxy-team", subject="proxy.corp.test:1080"))
def socks5_wants_a_password_and_none_is_given(lab):
    lab.arguments += given(lab.dante(password=True), "socks5")
    result = yield
    assert all(o["schemes"] == ["username"] for o in exchanges(result)), exchanges(result)[0]["schemes"]


@scenario(Expect(exit=1, cause="prx_acl_denied", stage="proxy", owner="proxy-team", targets=STORAGE, subject="proxy.corp.test:1080"))
def socks5h_rule_denies_one_address(lab):
    lab.arguments += given(lab.dante(block="52.239.160.4"), "socks5h")


@scenario(Expect(exit=1, cause="prx_upstream_refused", stage="proxy", owner="firewall-team", targets=STORAGE, subject="proxy.corp.test:1080"))
def socks5hs_upstream_refuses(lab):
    lab.move_to_other(STORAGE)
    lab.arguments += given(lab.dante(), "socks5h")
