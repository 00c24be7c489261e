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

@scenario(Expect(exit=1, cause="prx_port_not_allowed", stage="proxy", owner="proxy-team", targets=HTTP, subject=PROXY))
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


@scenario(Expect(exit=1, cause="prx_port_not_allowed", stage="proxy", owner="proxy-team", targets=HTTP, subject="proxy.corp.test:1080"))
def socks5h_rule_lets_only_port_443_through(lab):
    lab.arguments += given(lab.dante(block_port=80), "socks5h")


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
