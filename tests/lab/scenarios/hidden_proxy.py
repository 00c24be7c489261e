"""Proxies that nobody has set, and delivery networks that look like one; hosts of revocation lists that cannot be reached."""
from lab.scenario import Expect, scenario

NCSI = ("www.msftconnecttest.com", "www.msftncsi.com")
BY_TLS = ("login.*", "pod01-*", "*.blob.*", "*.queue.*", "go.microsoft.com", "download.microsoft.com", "aka.ms")
REVOCATION = ("crl?.digicert.com", "ocsp.digicert.com")
HIDDEN = ("prx_transparent_present",)
PORT_80 = ("www.*", "*crl.microsoft.com", "crl?.digicert.com", "*ocsp.*", "cacerts.digicert.com", "ctldl.*")


def wrong_address(result):
    """Status and match of the request that was sent to the wrong address."""
    seen = [o for o in result.observations("http_exchange") if o["experiment"] == "http_wrong_address"]
    return [(o["status"], o["body_matches"]) for o in seen]


# ---------------------------------------------------------------- hidden proxies

@scenario(Expect(exit=0, cause="prx_transparent_present", stage="proxy", owner="proxy-team", status="warn", targets=PORT_80))
def hidden_squid_passes_everything(lab):
    lab.hidden_squid()
    result = yield
    found = result.findings("prx_transparent_present")
    assert len(found) == 1 and found[0]["status"] == "warn" and found[0]["owner"] == "proxy-team", found
    assert found[0]["subject"]["value"] == "edge.corp.test (squid/5.7)", found[0]["subject"]
    assert wrong_address(result) == [(404, False)], wrong_address(result)


@scenario(Expect(exit=0, cause="prx_transparent_present", stage="proxy", owner="proxy-team", status="warn", targets=PORT_80))
def hidden_proxy_goes_by_the_host_header(lab):
    lab.hidden_nginx(via="gate-7")
    result = yield
    assert wrong_address(result) == [(200, True)], wrong_address(result)
    assert len(result.findings("prx_transparent_present")) == 1


@scenario(Expect(exit=1, cause="prx_transparent_present", stage="proxy", owner="proxy-team", targets=NCSI, warnings=HIDDEN))
def hidden_squid_denies_the_connection_test(lab):
    lab.hidden_squid(before="acl denied dstdomain .msftconnecttest.com .msftncsi.com\nhttp_access deny denied")


@scenario(Expect(exit=1, cause="prx_transparent_present", stage="proxy", owner="proxy-team", targets=PORT_80,
                 warnings=HIDDEN + ("tls_revocation_blocked",)))
def hidden_squid_denies_everything(lab):
    lab.hidden_squid(before="http_access deny all")


# ---------------------------------------------------------------- and what only looks like one

@scenario(Expect(exit=0))
def delivery_networks_mark_their_answers(lab):
    lab.web.answer("crl3.digicert.com", 'add_header Via "1.1 varnish" always; add_header X-Cache "HIT" always; return 200;')
    lab.web.answer("crl4.digicert.com", 'add_header X-Cache "TCP_HIT from a23-45-20-10.deploy.akamaitechnologies.com (AkamaiGHost/11.1)" always; return 200;')
    lab.web.answer("crl.microsoft.com", 'add_header Via "1.1 4f1e.cloudfront.net (CloudFront)" always; return 200;')
    lab.web.answer("ctldl.windowsupdate.com", 'add_header Via "1.1 Azure" always; add_header Age 17 always; return 200;')
    result = yield
    assert not result.findings(), result.findings()
    assert not wrong_address(result)


@scenario(Expect(exit=0))
def one_service_has_a_cache_of_its_own_in_front(lab):
    for host in ("crl3.digicert.com", "crl4.digicert.com", "ocsp.digicert.com", "cacerts.digicert.com"):
        lab.web.answer(host, 'add_header Via "1.1 cache-4 (squid/6.6)" always; return 200;')
    result = yield
    assert not result.findings(), result.findings()
    assert wrong_address(result) == [(404, False)], wrong_address(result)


# ---------------------------------------------------------------- revocation

@scenario(Expect(exit=0, cause="tls_revocation_blocked", stage="tls", owner="firewall-team", status="warn", targets=BY_TLS, subject="crl3.digicert.com",
                 second=Expect(exit=0, cause="ip_admin_prohibited", stage="tcp", owner="firewall-team", finding="warn", targets=REVOCATION), faults=1))
def revocation_hosts_are_prohibited(lab):
    lab.edge.reject(dst=["crl3.digicert.com", "crl4.digicert.com", "ocsp.digicert.com"], port=80, how="admin")
    result = yield
    found = result.findings("tls_revocation_blocked")
    assert len(found) == 1 and found[0]["owner"] == "firewall-team" and found[0]["status"] == "warn", found
    assert found[0]["subject"]["value"] == "crl3.digicert.com", found[0]["subject"]
    for path in result.paths("login.*", effective=True):
        assert path["verdict"]["status"] == "warn", path["verdict"]


@scenario(Expect(exit=0, cause="dns_nxdomain_everywhere", stage="dns", finding="warn", targets=REVOCATION,
                 warnings=("tls_revocation_blocked",)))
def revocation_hosts_have_no_address(lab):
    for host in ("crl3.digicert.com", "crl4.digicert.com", "ocsp.digicert.com"):
        lab.names.remove(host)
    result = yield
    assert len(result.findings("tls_revocation_blocked")) == 1, result.findings()


@scenario(Expect(exit=0, cause="prx_acl_denied", stage="proxy", owner="proxy-team", finding="warn", targets=REVOCATION,
                 warnings=("tls_revocation_blocked",)))
def revocation_hosts_are_denied_by_the_proxy(lab):
    proxy = lab.squid(before="acl lists dstdomain crl3.digicert.com crl4.digicert.com ocsp.digicert.com\nhttp_access deny lists")
    lab.reg(user=proxy, system=proxy)


@scenario(Expect(exit=0, cause="prx_acl_denied", stage="proxy", owner="proxy-team", finding="warn",
                 targets=("crl3.digicert.com", "ocsp.digicert.com")))
def one_revocation_host_of_three_is_left(lab):
    proxy = lab.squid(before="acl lists dstdomain crl3.digicert.com ocsp.digicert.com\nhttp_access deny lists")
    lab.reg(user=proxy, system=proxy)
    result = yield
    assert not result.findings("tls_revocation_blocked"), result.findings()
