"""What minds a ClientHello, or the size of packets, on the way: told by hellos that differ in one thing each, and by segments of other sizes."""
from lab.scenario import Expect, scenario

LOGIN = "login.microsoftonline.com"
SIX = "login.microsoft.com"  # has IPv6 addresses too
SECOND = "login.windows.net"
HTTPS = ("login.*", "pod01-*", "*.core.windows.net", "*.blob.storage.azure.net", "go.microsoft.com", "download.microsoft.com", "aka.ms")
OTHER_LOGIN_ADDRESS = "20.190.130.3"
CORE = ({"hop": 2, "last_heard": "198.18.0.1", "first_silent": "198.18.0.6"},
        {"hop": 2, "last_heard": "2001:db8:f:1::1", "first_silent": "2001:db8:f:2::6"})


def by_proxy(lab):
    """Nothing goes out but by the proxy, which both identities use."""
    lab.only_proxy_goes_out()
    proxy = lab.squid()
    lab.reg(user=proxy, system=proxy)


def verdicts(result, host):
    found = [p["verdict"] for p in result.paths(host, effective=True)]
    assert found, host
    return found


def ends_in_the_core(result, host):
    """Of targets that fail alike one is examined as closely; where the system names hops."""
    if not result.names_hops:
        return
    places = [v["at"] for v in verdicts(result, host) if v["at"]]
    assert places and all(p in CORE for p in places), places


def sure(result, host, least):
    for verdict in verdicts(result, host):
        assert verdict["confidence"] >= least, verdict


def says(result, cause, *words):
    """The finding's words; those about hops only where the system names them."""
    words = [word for word in words if result.names_hops or "hop " not in word]
    for finding in result.findings(cause):
        text = finding["summary"] + " ".join(str(step) for step in finding["remedy"])
        assert all(word in text for word in words), text


# ---------------------------------------------------------------- names

@scenario(Expect(exit=1, cause="tls_sni_dropped", stage="tls", owner="firewall-team", targets=LOGIN, subject=LOGIN))
def hello_of_one_name_is_swallowed(lab):
    lab.wire(["-k", LOGIN])
    result = yield
    sure(result, LOGIN, 0.85)
    ends_in_the_core(result, LOGIN)
    says(result, "tls_sni_dropped", "hop 2 (198.18.0.1)", "the same hello is answered there")


@scenario(Expect(exit=1, cause="tls_sni_reset", stage="tls", owner="firewall-team", targets=LOGIN, subject=LOGIN))
def hello_of_one_name_is_reset(lab):
    lab.wire(["-s", LOGIN])
    result = yield
    sure(result, LOGIN, 0.85)
    ends_in_the_core(result, LOGIN)


@scenario(Expect(exit=1, cause="tls_sni_reset", stage="tls", owner="firewall-team", targets=LOGIN, subject=LOGIN))
def hello_of_one_name_is_reset_with_the_far_ends_own_ttl(lab):
    """The forged reset arrives with the TTL that the server's packets have."""
    lab.wire(["-s", LOGIN, "-t", 63])
    result = yield
    sure(result, LOGIN, 0.85)


@scenario(Expect(exit=1, cause="tls_sni_reset", stage="tls", owner="firewall-team", targets=LOGIN, subject=LOGIN))
def hello_of_one_name_is_reset_beside_the_client(lab):
    lab.lan_wire(options=["-s", LOGIN, "--near"])


@scenario(Expect(exit=1, cause="tls_sni_dropped", stage="tls", owner="firewall-team", targets=SECOND, subject=SECOND))
def hello_of_one_name_is_swallowed_beside_the_client(lab):
    lab.lan_wire(options=["-k", SECOND])


@scenario(Expect(exit=1, cause="tls_sni_dropped", stage="tls", owner="firewall-team", targets=SIX, subject=SIX))
def hello_of_a_name_is_swallowed_by_both_ip_versions(lab):
    lab.wire(["-k", SIX])


@scenario(Expect(exit=1, cause="tls_sni_reset", stage="tls", owner="firewall-team", targets=SIX, subject=SIX))
def hello_of_a_name_is_reset_by_both_ip_versions(lab):
    lab.wire(["-s", SIX])


@scenario(Expect(exit=1, cause="tls_sni_dropped", stage="tls", owner="firewall-team", targets=LOGIN, subject=LOGIN))
def hello_of_one_name_is_swallowed_and_no_router_answers(lab):
    lab.mute()
    lab.wire(["-k", LOGIN])
    result = yield
    assert all(v["at"] is None for v in verdicts(result, LOGIN)), verdicts(result, LOGIN)


@scenario(Expect(exit=1, cause="tls_sni_dropped", stage="tls", owner="firewall-team", targets=LOGIN, subject=LOGIN))
def hello_of_one_name_is_swallowed_behind_the_proxy(lab):
    by_proxy(lab)
    lab.wire(["-k", LOGIN])
    result = yield
    flows = [flow for finding in result.findings("tls_sni_dropped") for flow in finding["flows"]]
    assert flows and all(f["seen_from"] == "proxy" and f["src"] is None and f["sni"] == LOGIN for f in flows), flows


@scenario(Expect(exit=1, cause="tls_sni_reset", stage="tls", owner="firewall-team", targets=LOGIN, subject=LOGIN))
def hello_of_one_name_is_reset_behind_the_proxy(lab):
    by_proxy(lab)
    lab.wire(["-s", LOGIN])


@scenario(Expect(exit=1, cause="tls_sni_dropped", stage="tls", owner="firewall-team", targets=(LOGIN, SIX),
                 second=Expect(exit=1, cause="tls_cert_expired", stage="tls", targets=SECOND)))
def two_names_are_swallowed_and_a_third_has_an_expired_certificate(lab):
    lab.wire(["-k", LOGIN, "-k", SIX])
    lab.web.tls(SECOND, lab.ca.issue(SECOND, at="2020-01-01", days=30, directory=lab.work))


@scenario(Expect(exit=1, cause="tls_sni_dropped", stage="tls", owner="firewall-team", targets=LOGIN,
                 second=Expect(exit=1, cause="tls_sni_reset", stage="tls", owner="firewall-team", targets=SECOND)))
def one_name_is_swallowed_and_another_one_reset(lab):
    lab.wire(["-k", LOGIN, "-s", SECOND])


# ---------------------------------------------------------------- all of TLS

@scenario(Expect(exit=1, cause="tls_any_hello_killed", stage="tls", owner="firewall-team", targets=HTTPS, seconds=6.5))
def every_hello_is_swallowed(lab):
    lab.wire(["-c"])
    result = yield
    sure(result, LOGIN, 0.8)
    ends_in_the_core(result, "*")
    says(result, "tls_any_hello_killed", "bytes that are no TLS are answered")


@scenario(Expect(exit=1, cause="tls_any_hello_killed", stage="tls", owner="firewall-team", targets=HTTPS))
def every_hello_is_reset(lab):
    lab.wire(["-C"])
    result = yield
    sure(result, LOGIN, 0.8)
    ends_in_the_core(result, "*")


@scenario(Expect(exit=1, cause="tls_any_hello_killed", stage="tls", owner="firewall-team", targets=LOGIN, subject=LOGIN))
def every_hello_to_one_host_is_swallowed(lab):
    lab.wire(["-c"] + lab.only(LOGIN))


@scenario(Expect(exit=1, cause="tls_any_hello_killed", stage="tls", owner="firewall-team", targets=SIX, subject=SIX))
def every_hello_to_one_host_is_reset_by_both_ip_versions(lab):
    lab.wire(["-C"] + lab.only(SIX))


@scenario(Expect(exit=1, cause="tls_any_hello_killed", stage="tls", owner="firewall-team"), arguments=(f"https://{LOGIN}/",))
def every_hello_of_the_only_target_is_swallowed(lab):
    lab.wire(["-c"])
    result = yield
    assert not [o for o in result.observations("tls_handshake") if o["sni"] not in (LOGIN, None)], "a stranger was named"
    for path in result.paths(effective=True):
        assert path["verdict"]["confidence"] == 0.6, path["verdict"]


@scenario(Expect(exit=1, cause="tls_hello_silent_unlocated", stage="tls", owner="firewall-team", targets=HTTPS, seconds=6.5))
def every_hello_that_offers_two_versions_is_swallowed(lab):
    """The list of versions as OpenSSL writes it: 1.3, 1.2 (RFC 8446 4.2.1)."""
    lab.wire(["--swallow", "text=\x04\x03\x04\x03\x03"])
    result = yield
    assert any("TLS 1.2 alone" in word for v in verdicts(result, "*") for word in v["also"]), verdicts(result, LOGIN)


@scenario(Expect(exit=1, cause="tls_any_hello_killed", stage="tls", owner="firewall-team", targets=HTTPS, seconds=6.5))
def every_hello_is_swallowed_beside_the_client(lab):
    lab.lan_wire(options=["-c"])


@scenario(Expect(exit=1, cause="prx_tunnel_dead", stage="proxy", owner="proxy-team", targets=HTTPS, seconds=8))
def every_hello_is_swallowed_behind_the_proxy(lab):
    by_proxy(lab)
    lab.wire(["-c"])


@scenario(Expect(exit=1, cause="tls_any_hello_killed", stage="tls", owner="firewall-team", targets=HTTPS, faults=2, seconds=6.5))
def every_hello_is_swallowed_and_one_certificate_is_foreign(lab):
    lab.wire(["-c"])
    lab.web.tls(LOGIN, lab.ca.issue("www.elsewhere.test", directory=lab.work))


# ---------------------------------------------------------------- the far end

@scenario(Expect(exit=1, cause="tls_timeout_after_hello", stage="tls", owner="firewall-team", targets=LOGIN, subject=LOGIN))
def far_end_reads_the_hello_and_is_silent(lab):
    """Nothing proves that the far end is Microsoft's: so Microsoft is not blamed."""
    lab.stub("silent", LOGIN)
    result = yield
    assert all(v["confidence"] <= 0.4 for v in verdicts(result, LOGIN)), verdicts(result, LOGIN)


@scenario(Expect(exit=1, cause="tls_timeout_after_hello", stage="tls", owner="firewall-team", targets=LOGIN,
                 second=Expect(exit=1, cause="tls_sni_dropped", stage="tls", owner="firewall-team", targets=SECOND)))
def one_far_end_is_silent_and_another_name_is_swallowed(lab):
    lab.stub("silent", LOGIN)
    lab.wire(["-k", SECOND])


# ---------------------------------------------------------------- large hellos

@scenario(Expect(exit=0, cause="tls_large_hello_killed", stage="tls", owner="firewall-team", status="warn", somewhere=True))
def hello_of_several_packets_is_swallowed(lab):
    lab.wire(["--swallow", "split-hello"])


@scenario(Expect(exit=0, cause="tls_large_hello_killed", stage="tls", owner="firewall-team", status="warn", somewhere=True))
def hello_of_several_packets_is_reset(lab):
    lab.wire(["--reset", "split-hello"])


# ---------------------------------------------------------------- the size of packets

@scenario(Expect(exit=1, cause="ip_pmtu_blackhole_ingress", stage="tcp", owner="network-team", targets=HTTPS, seconds=6.5))
def large_packets_vanish_on_the_way_in(lab):
    lab.wire(["--mtu-in", 1400])
    result = yield
    sure(result, LOGIN, 0.9)
    says(result, "ip_pmtu_blackhole_ingress", "up to 1400 bytes pass", "MSS to 1360")


@scenario(Expect(exit=1, cause="ip_pmtu_blackhole_egress", stage="tcp", owner="network-team", targets=HTTPS, also=("ip_pmtu_blackhole_ingress",), seconds=6.5))
def large_packets_vanish_both_ways(lab):
    lab.wire(["-m", 1400])
    result = yield
    says(result, "ip_pmtu_blackhole_egress", "up to 1400 bytes pass", "MSS to 1360")


@scenario(Expect(exit=0, cause="ip_pmtu_blackhole_egress", stage="tcp", owner="network-team", status="warn", somewhere=True))
def large_packets_vanish_on_the_way_out(lab):
    lab.wire(["--mtu-out", 1333])
    result = yield
    says(result, "ip_pmtu_blackhole_egress", "up to 1333 bytes pass", "MSS to 1293")


@scenario(Expect(exit=0))
def large_packets_are_too_big_and_a_router_says_so(lab):
    lab.small_mtu(1400)


@scenario(Expect(exit=0))
def large_packets_would_vanish_but_the_mss_is_clamped(lab):
    lab.small_mtu(1400)
    lab.no_icmp()
    lab.core1.clamp_mss()
    lab.core2.clamp_mss()


@scenario(Expect(exit=1, cause="tls_sni_dropped", stage="tls", owner="firewall-team", targets=LOGIN,
                 second=Expect(exit=1, cause="ip_pmtu_blackhole_egress", stage="tcp", owner="network-team", status="warn", somewhere=True)))
def one_name_is_swallowed_and_large_packets_vanish_on_the_way_out(lab):
    lab.wire(["--mtu-out", 1400, "-k", LOGIN])


@scenario(Expect(exit=1, cause="tls_sni_dropped", stage="tls", owner="firewall-team", targets=LOGIN, seconds=6.5,
                 second=Expect(exit=1, cause="ip_pmtu_blackhole_ingress", stage="tcp", owner="network-team", targets=HTTPS)))
def one_name_is_swallowed_and_large_packets_vanish_on_the_way_in(lab):
    lab.wire(["--mtu-in", 1400, "-k", LOGIN])
