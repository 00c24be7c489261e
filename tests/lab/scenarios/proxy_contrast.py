"""What only a contrast at the proxy proves: TLS, another port, the address instead of the name, another target; odd replies, two faults at
once, and odd proxies that are fine."""
from lab.proxies import PASSWORD, USER
from lab.scenario import Expect, scenario

PROXY = "proxy.corp.test:3128"
STUB = "proxy.corp.test:3130"
LOGIN = "login.microsoftonline.com"
STORAGE = "md-dlbrhcw4gn5r.z33.blob.storage.azure.net"
HTTPS = ("login.*", "pod01-*", "*.core.windows.net", "*.blob.storage.azure.net", "go.microsoft.com", "download.microsoft.com", "aka.ms")
HTTP = ("www.*", "*crl.microsoft.com", "crl?.digicert.com", "*ocsp.*", "cacerts.digicert.com", "ctldl.*")
MARK = {"Via": "1.1 gate.corp.test (policy)"}


def given(proxy, scheme="http"):
    """This proxy and no other."""
    return ["--route", f"proxy={scheme}://{proxy}"]


def asked(result, experiment, op="proxy_exchange"):
    """What an experiment saw."""
    return [o for o in result.observations(op) if o["experiment"] == experiment]


# ---------------------------------------------------------------- TLS to the proxy

@scenario(Expect(exit=1, cause="prx_wants_tls", stage="proxy", owner="server-admin", subject=PROXY))
def squids_tls_port_is_set_as_a_plain_proxy(lab):
    proxy = lab.squid(tls=lab.ca.issue(["proxy.corp.test"], directory=lab.work))
    lab.reg(user=proxy, system=proxy)
    result = yield
    inside = asked(result, "proxy_tls")
    assert len(inside) == 1 and inside[0]["status"] == 200, inside
    for path in result.paths("login.*", effective=True):
        assert path["verdict"]["confidence"] >= 0.8, path["verdict"]


@scenario(Expect(exit=1, cause="prx_wants_tls", stage="proxy", owner="server-admin", subject=PROXY))
def squids_tls_port_has_a_certificate_that_nobody_trusts(lab):
    proxy = lab.squid(tls=lab.ca.issue(["proxy.corp.test"], issuer="self", directory=lab.work))
    lab.reg(user=proxy, system=proxy)
    result = yield
    assert not asked(result, "proxy_tls"), "a request was sent although the certificate did not verify"
    for path in result.paths("login.*", effective=True):
        assert path["verdict"]["confidence"] < 0.8, path["verdict"]


@scenario(Expect(exit=1, cause="prx_wants_tls", stage="proxy", owner="server-admin", subject=PROXY))
def squids_tls_port_asks_for_a_sign_in_inside(lab):
    proxy = lab.squid(tls=lab.ca.issue(["proxy.corp.test"], directory=lab.work), auth="basic")
    lab.reg(user=proxy, system=proxy)
    result = yield
    inside = asked(result, "proxy_tls")
    assert len(inside) == 1 and inside[0]["status"] == 407 and not inside[0]["auth_tried"], inside


@scenario(Expect(exit=1, cause="prx_connect_not_allowed", stage="proxy", owner="proxy-team"))
def web_servers_tls_port_is_set_as_a_plain_proxy(lab):
    lab.reg(system=lab.nginx_tls(lab.ca.issue(["proxy.corp.test"], directory=lab.work)))


@scenario(Expect(exit=1, cause="tls_plain_reply", stage="tls", owner="proxy-team"))
def plain_squid_is_set_as_a_tls_proxy(lab):
    lab.arguments += given(lab.squid(), "https")


# ---------------------------------------------------------------- another port

@scenario(Expect(exit=1, cause="prx_port_not_allowed", stage="proxy", owner="proxy-team", targets=HTTP, subject=PROXY,
                 warnings=("tls_revocation_blocked",)))
def squid_lets_only_port_443_through(lab):
    proxy = lab.squid(before="http_access deny !SSL_ports")
    lab.reg(user=proxy, system=proxy)
    result = yield
    assert len(asked(result, "proxy_other_port")) == 1, asked(result, "proxy_other_port")


@scenario(Expect(exit=1, cause="prx_port_not_allowed", stage="proxy", owner="proxy-team", targets=HTTPS, subject=PROXY))
def squid_lets_only_port_80_through(lab):
    proxy = lab.squid(before="acl Safe_ports port 80\nhttp_access deny !Safe_ports")
    lab.reg(user=proxy, system=proxy)


@scenario(Expect(exit=1, cause="prx_port_not_allowed", stage="proxy", owner="proxy-team", targets=HTTPS, subject="proxy.corp.test:8888"))
def tinyproxy_lets_no_tunnel_to_443(lab):
    lab.reg(system=lab.tinyproxy(connect_port=563))


@scenario(Expect(exit=1, cause="prx_port_not_allowed", stage="proxy", owner="proxy-team", targets=HTTP, subject="proxy.corp.test:1080",
                 warnings=("tls_revocation_blocked",)))
def socks5h_rule_lets_only_port_443_through(lab):
    lab.arguments += given(lab.dante(block_port=80), "socks5h")


@scenario(Expect(exit=1, cause="prx_port_not_allowed", stage="proxy", owner="proxy-team", targets=HTTP, subject="proxy.corp.test:1080",
                 warnings=("tls_revocation_blocked",)))
def socks5_rule_lets_only_port_443_through(lab):
    lab.arguments += given(lab.dante(block_port=80), "socks5")


@scenario(Expect(exit=1, cause="prx_acl_denied", stage="proxy", owner="proxy-team", subject=PROXY), arguments=(f"https://{LOGIN}/",))
def squid_denies_the_only_target_at_every_port(lab):
    proxy = lab.squid(before=f"acl denied dstdomain {LOGIN}\nhttp_access deny denied")
    lab.reg(user=proxy, system=proxy)


# ---------------------------------------------------------------- the address instead of the name

@scenario(Expect(exit=1, cause="prx_dns_failed", stage="proxy", owner="dns-team", subject=PROXY, seconds=9))
def proxys_own_dns_is_silent(lab):
    proxy = lab.squid(resolvers="10.1.0.99")
    lab.reg(user=proxy, system=proxy)
    result = yield
    by_address = asked(result, "proxy_address")
    assert len(by_address) == 1 and by_address[0]["status"] == 200, by_address


@scenario(Expect(exit=1, cause="prx_ip_literal_denied", stage="proxy", owner="proxy-team", targets="52.239.160.4", subject=PROXY),
          arguments=(f"https://{STORAGE}/", "52.239.160.4:443"))
def squid_denies_addresses(lab):
    proxy = lab.squid(before=r"acl literal url_regex ^[0-9.]+:" + "\nhttp_access deny literal")
    lab.reg(user=proxy, system=proxy)


# ---------------------------------------------------------------- another target

@scenario(Expect(exit=1, cause="prx_tunnel_dead", stage="proxy", owner="proxy-team", targets=LOGIN), arguments=(f"https://{LOGIN}/", "https://aka.ms/"))
def tunnel_of_the_only_target_by_the_proxy_is_dead(lab):
    lab.reg(system={"ProxyEnable": 1, "ProxyServer": lab.proxy_stub("tunnel-rst"), "ProxyOverride": "aka.ms"})
    result = yield
    for path in result.paths(LOGIN, effective=True):
        assert path["verdict"]["confidence"] >= 0.8, path["verdict"]


# ---------------------------------------------------------------- odd replies

@scenario(Expect(exit=1, cause="prx_reply_malformed", stage="proxy", owner="proxy-team", targets=HTTPS, subject=STUB))
def proxys_header_has_no_end(lab):
    lab.reg(system="https=" + lab.proxy_reply("HTTP/1.1 200 OK\r\nX-Long: " + "a" * 100_000))


@scenario(Expect(exit=1, cause="tls_plain_reply", stage="tls", owner="proxy-team", targets=HTTPS))
def proxy_accepts_and_says_a_word(lab):
    lab.reg(system="https=" + lab.proxy_reply("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"))


@scenario(Expect(exit=1, cause="prx_auth_none_sent", stage="proxy", owner="proxy-team", subject=STUB))
def proxy_asks_for_a_sign_in_and_offers_no_scheme(lab):
    lab.arguments += given(lab.proxy_status(407, MARK))


@scenario(Expect(exit=1, cause="prx_upstream_refused", stage="proxy", owner="firewall-team", targets=HTTPS, subject=STUB))
def proxy_answers_502_with_a_nameless_page(lab):
    lab.reg(system="https=" + lab.proxy_status(502, {}, "<html><h1>502</h1></html>"))
    result = yield
    for path in result.paths("login.*", effective=True):
        assert path["verdict"]["confidence"] <= 0.6, path["verdict"]


@scenario(Expect(exit=1, cause="prx_not_http", stage="proxy", owner="server-admin", subject=STUB))
def proxy_speaks_http_0_9(lab):
    lab.reg(system=lab.proxy_reply("<html><h1>Welcome</h1></html>"))


@scenario(Expect(exit=1, cause="prx_chain_loop", stage="proxy", owner="proxy-team", targets=HTTPS, subject=STUB))
def proxy_says_that_it_has_met_itself(lab):
    lab.reg(system="https=" + lab.proxy_status(508, MARK))


@scenario(Expect(exit=1, cause="prx_connect_not_allowed", stage="proxy", owner="proxy-team", targets=HTTPS, subject=STUB))
def proxy_is_a_teapot(lab):
    lab.reg(system="https=" + lab.proxy_status(418, {}))
    result = yield
    for path in result.paths("login.*", effective=True):
        assert path["verdict"]["confidence"] < 0.5, path["verdict"]


@scenario(Expect(exit=1, cause="prx_upstream_refused", stage="proxy", owner="firewall-team", subject=PROXY, seconds=9))
def squids_parent_is_dead(lab):
    proxy = lab.squid(extra="cache_peer 10.1.0.31 parent 3999 0 no-query default\nnever_direct allow all")
    lab.reg(user=proxy, system=proxy)
    result = yield
    assert asked(result, "proxy_address"), "the address was not tried"


# ---------------------------------------------------------------- two faults

@scenario(Expect(exit=1, faults=2, cause="prx_auth_none_sent", stage="proxy", owner="proxy-team", subject=PROXY,
                 warnings=("dns_servers_disagree", "dns_servfail_upstream")))
def proxys_name_fails_at_one_server_and_it_asks_for_a_sign_in(lab):
    lab.dns1.servfail("proxy.corp.test")
    lab.reg(user=lab.squid(auth="basic"))


@scenario(Expect(exit=1, faults=2, cause="prx_auth_none_sent", stage="proxy", owner="proxy-team", subject=PROXY))
def proxy_asks_for_a_sign_in_and_would_deny_everything(lab):
    lab.reg(user=lab.squid(auth="basic", acl="http_access deny all"))


@scenario(Expect(exit=1, faults=2, cause="prx_auth_none_sent", stage="proxy", owner="proxy-team", subject=PROXY))
def proxy_asks_for_a_sign_in_and_its_dns_is_silent(lab):
    lab.reg(user=lab.squid(auth="basic", resolvers="10.1.0.99"))


@scenario(Expect(exit=1, faults=2, cause="prx_wants_tls", stage="proxy", owner="server-admin", subject=PROXY))
def proxy_wants_tls_and_denies_everything_inside(lab):
    proxy = lab.squid(tls=lab.ca.issue(["proxy.corp.test"], directory=lab.work), before="http_access deny all")
    lab.reg(user=proxy, system=proxy)
    result = yield
    assert [o["status"] for o in asked(result, "proxy_tls")] == [403]


@scenario(Expect(exit=1, faults=2, cause="prx_wants_tls", stage="proxy", owner="server-admin", subject=PROXY))
def proxy_wants_tls_and_its_certificate_has_expired(lab):
    proxy = lab.squid(tls=lab.ca.issue(["proxy.corp.test"], at="2020-01-01", days=30, directory=lab.work))
    lab.reg(user=proxy, system=proxy)


@scenario(Expect(exit=1, faults=2, cause="tls_cert_expired", stage="tls", owner="proxy-team"))
def tls_proxys_certificate_has_expired_and_it_denies_everything(lab):
    tls = lab.ca.issue(["proxy.corp.test"], at="2020-01-01", days=30, directory=lab.work)
    lab.arguments += given(lab.squid(tls=tls, before="http_access deny all"), "https")


@scenario(Expect(exit=1, faults=2, cause="prx_dns_failed", stage="proxy", owner="dns-team", subject=PROXY, seconds=9))
def proxys_own_dns_is_silent_and_direct_is_shut(lab):
    lab.only_proxy_goes_out()
    proxy = lab.squid(resolvers="10.1.0.99")
    lab.reg(user=proxy, system=proxy)


@scenario(Expect(exit=1, faults=2, cause="prx_acl_denied", stage="proxy", owner="proxy-team", targets=LOGIN, subject=PROXY))
def squid_denies_one_name_that_direct_cannot_reach_either(lab):
    lab.only_proxy_goes_out()
    proxy = lab.squid(before=f"acl denied dstdomain {LOGIN}\nhttp_access deny denied")
    lab.reg(user=proxy, system=proxy)
    result = yield
    assert not asked(result, "proxy_other_port"), "another port was tried although others pass at this one"


@scenario(Expect(exit=1, cause="ip_admin_prohibited", stage="tcp", owner="firewall-team", targets=LOGIN,
                 second=Expect(exit=1, cause="prx_transparent_present", stage="proxy", owner="proxy-team", status="warn", targets=HTTP)))
def hidden_proxy_and_a_prohibited_endpoint(lab):
    lab.hidden_squid()
    lab.edge.reject(dst=LOGIN, port=443, how="admin")


# ---------------------------------------------------------------- odd, and fine

def forwards(lab, reply, **how):
    """Everything goes by this proxy, and nothing is wrong."""
    lab.only_proxy_goes_out()
    lab.reg(system=lab.proxy_forward(reply, **how))


@scenario(Expect(exit=0))
def proxy_answers_as_http_1_0_and_says_close(lab):
    forwards(lab, "HTTP/1.0 200 Connection established\r\nConnection: close\r\nProxy-Connection: close\r\n\r\n")
    result = yield
    assert not result.findings(), result.findings()


@scenario(Expect(exit=0))
def proxy_answers_with_twenty_kilobytes_of_headers(lab):
    forwards(lab, "HTTP/1.1 200 OK\r\n" + "".join(f"X-Filler-{i}: {'z' * 320}\r\n" for i in range(60)) + "\r\n")


@scenario(Expect(exit=0))
def proxy_takes_a_second_and_a_half(lab):
    forwards(lab, "HTTP/1.1 200 OK\r\n\r\n", delay_ms=1500)
    result = yield
    assert not result.findings(), result.findings()


@scenario(Expect(exit=0))
def proxy_promises_chunks_in_the_tunnel(lab):
    forwards(lab, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/html\r\n\r\n")


@scenario(Expect(exit=0))
def proxy_ends_its_lines_with_line_feeds(lab):
    forwards(lab, "HTTP/1.1 200 OK\nProxy-Agent: old\n\n")


@scenario(Expect(exit=0))
def proxy_asks_in_chunks_and_takes_the_password(lab):
    lab.only_proxy_goes_out()
    path = lab.work / "password"
    path.write_text(PASSWORD + "\n", encoding="ascii")
    lab.client.run(["chown", "65534", path])
    lab.arguments += given(lab.proxy_forward("HTTP/1.1 200 OK\r\n\r\n", asks=True)) + ["--proxy-user", USER, "--proxy-password-file", path]


@scenario(Expect(exit=0))
def proxy_listens_on_port_443(lab):
    lab.only_proxy_goes_out()
    lab.reg(system=lab.squid(port=443))


@scenario(Expect(exit=0))
def proxy_has_an_ipv6_address_only(lab):
    lab.only_proxy_goes_out()
    lab.squid(extra="http_port [2001:db8:1::31]:3140")
    lab.arguments += given("[2001:db8:1::31]:3140")


# ---------------------------------------------------------------- without experiments

@scenario(Expect(exit=1, cause="prx_closes_silently", stage="proxy", owner="proxy-team", subject=PROXY), arguments=("--no-experiments",))
def without_experiments_nobody_tries_tls_at_the_proxy(lab):
    proxy = lab.squid(tls=lab.ca.issue(["proxy.corp.test"], directory=lab.work))
    lab.reg(user=proxy, system=proxy)
    result = yield
    assert not [o for o in result.observations() if (o["experiment"] or "").startswith("proxy")]
    for path in result.paths("login.*", effective=True):
        assert "TLS to the proxy" in path["verdict"]["not_run"], path["verdict"]
