"""TLS: what answers a ClientHello in place of the service, what swallows it, and what is wrong with a certificate."""
from lab import vault
from lab.scenario import Expect, scenario

PROXY = "proxy.corp.test:3128"
LOGIN = "login.microsoftonline.com"
HTTPS = ("login.*", "pod01-*", "*.core.windows.net", "*.blob.storage.azure.net", "go.microsoft.com", "download.microsoft.com", "aka.ms")
INSPECTOR = "Corp TLS Inspection CA"
OTHER_LOGIN_ADDRESS = "20.190.130.3"


def inspecting_proxy(lab):
    """squid opens TLS and signs anew; returns the CA with which it does."""
    inspector = lab.ca.new_inspector(lab.work)
    proxy = lab.squid(bump=inspector)
    lab.reg(user=proxy)
    return inspector


def trust(lab, *more):
    """The lab's root and more, as --ca-file."""
    bundle = lab.work / "bundle.pem"
    bundle.write_bytes(b"".join(c.leaf.read_bytes() for c in (lab.ca.root,) + more))
    lab.arguments += ["--ca-file", bundle]


def openssl_server(lab, host, *options):
    """A TLS server with rules of its own where the host is (nginx takes version and ciphers from its default server)."""
    certificate = lab.ca.service(lab.names.service_of(host))
    addresses = lab.move_to_other(host)
    words = ["openssl", "s_server", "-accept", "443", "-www", "-cert", certificate.leaf, "-key", certificate.key]
    words += ["-cert_chain", certificate.chain] + list(options)
    lab.other.wait_tcp(443, addresses[0], lab.other.start(words, "openssl"))


# ---------------------------------------------------------------- interception

@scenario(Expect(exit=1, cause="tls_intercepted_trusted", stage="tls", owner="proxy-team", targets=HTTPS, subject=f"*{INSPECTOR}*"))
def squid_opens_tls_and_its_ca_is_trusted(lab):
    trust(lab, inspecting_proxy(lab))
    result = yield
    for path in result.paths("login.*", effective=True):
        assert path["verdict"]["confidence"] >= 0.8, path["verdict"]


@scenario(Expect(exit=1, cause="tls_intercepted_trusted", stage="tls", owner="proxy-team", targets=HTTPS, subject=f"*{INSPECTOR}*"))
def squid_opens_tls_and_may_restrict_tenants(lab):
    """Who opens TLS can let in some tenants alone: the vault's own is told to the proxy's team."""
    trust(lab, inspecting_proxy(lab))
    vault.give(lab, vault.document(vault.make_pfx(lab.work)[0]))
    result = yield
    assert vault.LEAVES["AadTenantId"] in result.findings("tls_intercepted_trusted")[0]["remedy"][-1], result.findings()
    assert vault.LEAVES["AadTenantId"] in result.handoff[result.handoff.index("For the proxy team"):], result.handoff


@scenario(Expect(exit=1, cause="tls_intercepted_trusted", stage="tls", owner="proxy-team", targets=HTTPS, subject=f"*{INSPECTOR}*"))
def squid_opens_tls_of_system_whose_trust_is_unknown(lab):
    trust(lab, inspecting_proxy(lab))
    lab.reg(user=PROXY, system=PROXY)
    result = yield
    for path in result.paths("login.*", effective=True):
        assert path["identity"] == "system" and path["verdict"]["confidence"] < 0.5, path["verdict"]


@scenario(Expect(exit=1, cause="tls_intercepted_untrusted", stage="tls", owner="proxy-team", targets=HTTPS, subject=f"*{INSPECTOR}*"))
def squid_opens_tls_and_nobody_knows_its_ca(lab):
    inspecting_proxy(lab)
    result = yield
    for path in result.paths("login.*", effective=True):
        assert path["verdict"]["confidence"] >= 0.8, path["verdict"]


@scenario(Expect(exit=1, cause="tls_intercepted_untrusted", stage="tls", owner="proxy-team", targets=LOGIN, subject=f"*{INSPECTOR}*"))
def one_name_is_opened_on_the_way(lab):
    lab.web.tls(LOGIN, lab.ca.issue(LOGIN, issuer=lab.ca.new_inspector(lab.work), directory=lab.work))


@scenario(Expect(exit=1, cause="tls_intercepted_trusted", stage="tls", owner="proxy-team", targets=LOGIN, subject=f"*{INSPECTOR}*"))
def one_name_is_opened_with_an_expired_certificate(lab):
    inspector = lab.ca.new_inspector(lab.work)
    lab.web.tls(LOGIN, lab.ca.issue(LOGIN, issuer=inspector, at="2020-01-01", days=30, directory=lab.work))
    trust(lab, inspector)


@scenario(Expect(exit=1, cause="tls_intercepted_untrusted", stage="tls", owner="proxy-team", targets=LOGIN, subject=f"*{INSPECTOR}*"))
def one_name_is_opened_and_only_the_leaf_is_shown(lab):
    certificate = lab.ca.issue(LOGIN, issuer=lab.ca.new_inspector(lab.work), directory=lab.work)
    certificate.chain = certificate.leaf
    lab.web.tls(LOGIN, certificate)


@scenario(Expect(exit=1, cause="tls_self_signed_appliance", stage="tls", owner="firewall-team", targets=LOGIN, subject="*appliance*"))
def appliance_shows_its_own_certificate(lab):
    lab.web.tls(LOGIN, lab.ca.issue(LOGIN, issuer="self", subject="/O=Gate Inc/CN=appliance", directory=lab.work))


# ---------------------------------------------------------------- the hello

@scenario(Expect(exit=1, cause="tls_hello_silent_unlocated", stage="tls", owner="firewall-team", targets=LOGIN, subject=LOGIN), arguments=("--no-experiments",))
def hello_is_swallowed_and_no_experiments_are_wanted(lab):
    lab.wire(["-k", LOGIN])
    result = yield
    assert not [o for o in result.report["observations"] if o["experiment"]], "an experiment was made"
    for path in result.paths(LOGIN, effective=True):
        assert path["verdict"]["confidence"] <= 0.5 and path["verdict"]["not_run"], path["verdict"]


@scenario(Expect(exit=1, cause="tls_hello_reset_unlocated", stage="tls", owner="firewall-team", targets=LOGIN, subject=LOGIN), arguments=("--no-experiments",))
def hello_is_reset_and_no_experiments_are_wanted(lab):
    lab.wire(["-s", LOGIN])


@scenario(Expect(exit=1, cause="tls_hello_reset_unlocated", stage="tls", owner="firewall-team", targets=LOGIN))
def far_end_closes_at_the_hello(lab):
    lab.stub("fin-after-data", LOGIN)


@scenario(Expect(exit=1, cause="tls_hello_reset_unlocated", stage="tls", owner="firewall-team", targets=LOGIN))
def far_end_closes_at_the_hello_from_a_proxy(lab):
    lab.only_proxy_goes_out()
    proxy = lab.squid()
    lab.reg(user=proxy, system=proxy)
    lab.stub("fin-after-data", LOGIN)
    result = yield
    flows = [flow for finding in result.findings("tls_hello_reset_unlocated") for flow in finding["flows"]]
    assert flows and all(f["seen_from"] == "proxy" and f["src"] is None and f["fqdn"] == LOGIN for f in flows), flows


@scenario(Expect(exit=1, cause="tls_plain_reply", stage="tls", owner="proxy-team", targets=LOGIN))
def hello_is_answered_with_a_page(lab):
    lab.stub(r"plain:HTTP/1.0 403 Forbidden\r\nContent-Type: text/html\r\n\r\n<html>blocked</html>", LOGIN)


@scenario(Expect(exit=1, cause="tls_cut_mid_handshake", stage="tls", owner="firewall-team", targets=LOGIN))
def handshake_is_cut_after_the_server_hello(lab):
    lab.stub(f"cut:200:{OTHER_LOGIN_ADDRESS}:443", LOGIN)


@scenario(Expect(exit=1, cause="tls_cut_mid_handshake", stage="tls", owner="firewall-team", targets=LOGIN))
def handshake_stalls_after_the_server_hello(lab):
    lab.stub(f"stall:200:{OTHER_LOGIN_ADDRESS}:443", LOGIN)
    result = yield
    for path in result.paths(LOGIN, effective=True):
        assert 0.4 <= path["verdict"]["confidence"] < 0.8, path["verdict"]  # the lower where the system limits no segments


# ---------------------------------------------------------------- refusals (without proof of origin nobody is sure that they are the service's)

@scenario(Expect(exit=1, cause="tls_version_refused", stage="tls", owner="firewall-team", targets=LOGIN))
def far_end_knows_tls_1_1_at_most(lab):
    openssl_server(lab, LOGIN, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")


@scenario(Expect(exit=1, cause="tls_no_common_cipher", stage="tls", owner="firewall-team", targets=LOGIN))
def far_end_has_no_cipher_in_common(lab):
    openssl_server(lab, LOGIN, "-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256")


@scenario(Expect(exit=1, cause="tls_alert_other", stage="tls", owner="firewall-team", targets=LOGIN))
def far_end_wants_a_client_certificate(lab):
    openssl_server(lab, LOGIN, "-tls1_2", "-Verify", "1", "-quiet")


@scenario(Expect(exit=1, cause="tls_alert_other", stage="tls", owner="firewall-team", targets=LOGIN))
def far_end_does_not_know_the_name(lab):
    lab.web.tls(LOGIN, directives="ssl_reject_handshake on;")
    result = yield
    assert any(o["alert"] == 112 for o in result.observations("tls_handshake")), "alert 112 is not recorded"


@scenario(Expect(exit=1, cause="tls_alert_other", stage="tls", owner="firewall-team", targets=LOGIN))
def far_end_has_an_internal_error(lab):
    lab.stub("alert:80", LOGIN)
    result = yield
    assert any(o["alert"] == 80 for o in result.observations("tls_handshake")), "alert 80 is not recorded"


# ---------------------------------------------------------------- certificates

@scenario(Expect(exit=1, cause="tls_cert_expired", stage="tls", targets=LOGIN))
def certificate_has_expired(lab):
    lab.web.tls(LOGIN, lab.ca.issue(LOGIN, at="2020-01-01", days=30, directory=lab.work))


@scenario(Expect(exit=1, cause="tls_cert_not_yet_valid", stage="tls", targets=LOGIN))
def certificate_is_not_yet_valid(lab):
    lab.web.tls(LOGIN, lab.ca.issue(LOGIN, at="2035-01-01", days=30, directory=lab.work))


@scenario(Expect(exit=1, cause="tls_name_mismatch", stage="tls", owner="dns-team", targets=LOGIN))
def certificate_names_somebody_else(lab):
    lab.web.tls(LOGIN, lab.ca.issue("www.elsewhere.test", directory=lab.work))


@scenario(Expect(exit=1, cause="tls_intermediate_missing", stage="tls", owner="firewall-team", targets=LOGIN))
def intermediate_certificate_is_missing(lab):
    lab.web.without_intermediate(LOGIN)


@scenario(Expect(exit=1, cause="tls_intermediate_missing", stage="tls", owner="firewall-team", targets=LOGIN))
def intermediate_certificate_is_missing_and_nobody_says_where_it_is(lab):
    alone = lab.ca.issue(LOGIN, directory=lab.work, aia=False)
    alone.chain = alone.leaf
    lab.web.tls(LOGIN, alone)


@scenario(Expect(exit=0))
def certificate_of_its_own_under_the_same_root(lab):
    lab.web.tls(LOGIN, lab.ca.issue([LOGIN, "other.test"], directory=lab.work))
