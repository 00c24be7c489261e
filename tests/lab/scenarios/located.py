"""Where it dies: the hop at which a request is dropped or refused, and whether the device or the far end does it."""
from lab.scenario import Expect, scenario

EDGE, CORE1, CORE2 = "10.1.0.1", "198.18.0.1", "198.18.0.6"
LOGIN = "login.microsoftonline.com"
WINDOWS = "login.windows.net"
STORAGE = ("*.blob.core.windows.net", "*.blob.storage.azure.net", "*.queue.core.windows.net")
HTTPS = ("login.*", "pod01-*", "*.blob.*", "*.queue.*", "go.microsoft.com", "download.microsoft.com", "aka.ms")
PROXY = "13.64.0.99:3128"


def filtered(subject, **more):
    return Expect(**{**dict(exit=1, cause="ip_acl_at_hop_port_specific", stage="tcp", owner="firewall-team", targets=LOGIN,
                            subject=subject), **more})


def dead(subject, **more):
    return filtered(subject, **{**dict(cause="ip_path_dies_all_protocols", owner="network-team"), **more})


def refused(subject, **more):
    return filtered(subject, **{**dict(cause="tcp_refused_by_middlebox"), **more})


def answered(subject, **more):
    return filtered(subject, **{**dict(cause="tcp_synack_by_middlebox"), **more})


def ends_at(result, hop, last_heard, first_silent, host=LOGIN):
    """The place of every failing path to that host, where the system names hops."""
    if not result.names_hops:
        return
    places = [p["verdict"]["at"] for p in result.paths(host, effective=True)]
    wanted = {"hop": hop, "last_heard": last_heard, "first_silent": first_silent}
    assert places and all(place == wanted for place in places), (places, wanted)


# ---------------------------------------------------------------- silence on one port


@scenario(filtered(CORE1))
def core1_drops_one_name(lab):
    lab.core1.drop(dst=LOGIN, port=443)
    ends_at((yield), 2, CORE1, CORE2)


@scenario(filtered(CORE2))
def core2_drops_one_name(lab):
    lab.core2.drop(dst=LOGIN, port=443)
    result = yield
    for path in result.paths(LOGIN, effective=True):
        place = path["verdict"]["at"]
        assert place["hop"] == 3 and place["first_silent"] in lab.names.addresses(LOGIN), place


@scenario(filtered(EDGE, targets=HTTPS))
def edge_drops_port_443(lab):
    lab.edge.drop(port=443)
    finding, = (yield).findings()
    assert len(finding["targets"]) > 10, finding["targets"]


@scenario(filtered(EDGE))
def edge_drops_before_it_looks_at_the_ttl(lab):
    lab.edge.drop(dst=LOGIN, port=443, chain="prerouting")
    ends_at((yield), 0, "10.1.0.2", EDGE)


@scenario(filtered(EDGE))
def bridge_on_the_lan_drops(lab):
    lab.lan_wire(options=["--swallow", "syn", *lab.only(LOGIN), "--port", "443"])
    ends_at((yield), 0, "10.1.0.2", EDGE)


@scenario(filtered(CORE1))
def bridge_behind_core1_drops(lab):
    lab.wire(["--swallow", "syn", *lab.only(LOGIN), "--port", "443"])
    ends_at((yield), 2, CORE1, CORE2)


@scenario(filtered(CORE1))
def core1_drops_and_edge_is_mute(lab):
    lab.edge.mute()
    lab.core1.drop(dst=LOGIN, port=443)
    ends_at((yield), 2, CORE1, CORE2)


@scenario(filtered(EDGE))
def core1_drops_and_is_mute(lab):
    lab.core1.mute()
    lab.core1.drop(dst=LOGIN, port=443)
    ends_at((yield), 1, EDGE, CORE2)


@scenario(filtered("2001:db8:f:1::1", targets="2603:1006:2000::2"), arguments=("2603:1006:2000::2", "login.windows.net"))
def core1_drops_an_ipv6_address(lab):
    lab.core1.drop(dst="2603:1006:2000::2", port=443)
    ends_at((yield), 2, "2001:db8:f:1::1", "2001:db8:f:2::6", "2603:1006:2000::2")


# ---------------------------------------------------------------- silence for everything


@scenario(dead(EDGE, targets=STORAGE[:2]))
def core1_has_a_null_route_for_a_prefix(lab):
    """A router looks for the route before it looks at the TTL: core1 lies behind the last one that is heard."""
    lab.core1.ip("route add blackhole 52.239.0.0/16")


@scenario(dead(CORE2, targets=STORAGE[:2]))
def core2_drops_a_prefix(lab):
    lab.core2.drop(dst="52.239.0.0/16")


@scenario(dead(EDGE, targets=None, seconds=6))
def edge_lets_nothing_out(lab):
    lab.edge.drop(src=["10.1.0.2", "2001:db8:1::2"])
    finding, = (yield).findings()
    assert len(finding["targets"]) > 15, finding["targets"]


@scenario(Expect(exit=1, cause="ip_forwarding_loop", stage="tcp", owner="network-team", targets=LOGIN, subject=CORE1))
def core1_and_core2_send_it_to_each_other(lab):
    lab.loop(LOGIN)
    result = yield
    assert all(p["verdict"]["confidence"] >= 0.9 for p in result.paths(LOGIN, effective=True))


# ---------------------------------------------------------------- nobody on the way says anything


@scenario(Expect(exit=1, cause="tcp_syn_silent_unlocated", stage="tcp", owner="firewall-team", targets=LOGIN, subject=LOGIN,
                 also=("meas_icmp_muted",)))
def edge_drops_and_every_hop_is_mute(lab):
    lab.mute()
    lab.edge.drop(dst=LOGIN, port=443)


@scenario(Expect(exit=1, cause="tcp_syn_silent_unlocated", stage="tcp", owner="firewall-team", also=("meas_icmp_muted",), seconds=6))
def everything_is_dropped_and_no_icmp_passes(lab):
    lab.no_icmp()
    lab.edge.drop(proto="tcp")


@scenario(filtered(EDGE, also=("meas_privilege_missing",)))
def own_firewall_keeps_a_probe_in(lab):
    lab.edge.drop(dst=LOGIN, port=443)
    lab.client.nft("add rule inet lab output udp dport 33434-33534 drop\n")


# ---------------------------------------------------------------- resets


@scenario(refused(CORE1))
def core1_resets_one_name(lab):
    lab.core1.reject(dst=LOGIN, port=443, how="reset")
    ends_at((yield), 2, CORE1, CORE2)


@scenario(refused(CORE2))
def last_router_before_the_address_resets_one_name(lab):
    """The same TTL draws the reset and the address's own answer: the resets' TTL tells."""
    lab.core2.reject(dst=LOGIN, port=443, how="reset")


@scenario(refused("*", cause="tcp_refused_unlocated", targets=STORAGE[:2]))
def last_router_before_the_address_resets_every_port(lab):
    """Nothing of the address's own is there to compare with."""
    lab.core2.reject(dst="52.239.0.0/16", how="reset")


@scenario(refused(CORE1))
def bridge_resets_with_the_ttl_of_the_far_end(lab):
    lab.wire(["--reset", "syn", *lab.only(LOGIN), "--port", "443", "-t", "63"])
    ends_at((yield), 2, CORE1, CORE2)


@scenario(Expect(exit=1, cause="tcp_refused_at_target", stage="tcp", owner="firewall-team", targets=LOGIN, subject=LOGIN))
def only_port_80_listens_where_the_name_leads(lab):
    lab.stub("silent", LOGIN, port=80)


@scenario(Expect(exit=1, cause="tcp_refused_at_target", stage="tcp", owner="microsoft", targets="23.40.100.11"),
          arguments=("23.40.100.11:8443", "https://go.microsoft.com/"))
def service_listens_on_443_alone(lab):
    """The address has proved by its certificate whose it is."""
    verdict = (yield).paths("23.40.100.11")[0]["verdict"]
    assert verdict["confidence"] >= 0.8, verdict


# ---------------------------------------------------------------- somebody else accepts

def intercept(lab, node, mode, what, port=None):
    """A router takes the connections to these itself, on any port (or on one), and a stub answers them."""
    address = {"core1": CORE1, "edge": "198.18.0.2"}[str(node)]
    lab._start_stub(node, mode, [address], 9000, None)
    matched = f"tcp dport {port}" if port else "ip protocol tcp"
    wanted = ", ".join(a for a in lab.names.addresses(what) if ":" not in a)
    node.nft("add chain inet lab divert { type nat hook prerouting priority -100; }\n"
             f"add rule inet lab divert ip daddr {{ {wanted} }} {matched} redirect to :9000\n")


@scenario(answered(EDGE))
def core1_accepts_every_port_and_passes_nothing_on(lab):
    intercept(lab, lab.core1, "silent", LOGIN)


@scenario(answered(EDGE))
def core1_accepts_port_443_alone_and_stays_silent(lab):
    intercept(lab, lab.core1, "silent", LOGIN, port=443)


@scenario(answered(EDGE, also=("tcp_fin_on_accept",)))
def core1_accepts_every_port_and_closes(lab):
    intercept(lab, lab.core1, "fin-on-accept", LOGIN)


@scenario(answered(EDGE))
def core1_accepts_every_port_and_resets_the_hello(lab):
    intercept(lab, lab.core1, "rst-after-data", LOGIN)


@scenario(refused(CORE1))
def core1_says_port_unreachable_in_its_own_name(lab):
    lab.core1.reject(dst=LOGIN, port=443, proto="tcp", how="port")
    ends_at((yield), 2, CORE1, None)


# ---------------------------------------------------------------- the way to a proxy


@scenario(Expect(exit=1, cause="prx_unreachable", stage="proxy", owner="firewall-team", subject=PROXY, also=("ip_acl_at_hop_port_specific",)),
          arguments=("--route", f"proxy=http://{PROXY}"))
def core1_drops_the_way_to_the_proxy(lab):
    lab.core1.drop(dst="13.64.0.99", port=3128)
    ends_at((yield), 2, CORE1, CORE2)


@scenario(Expect(exit=1, cause="prx_unreachable", stage="proxy", owner="firewall-team", subject=PROXY, also=("tcp_refused_by_middlebox",)),
          arguments=("--route", f"proxy=http://{PROXY}"))
def core1_resets_the_way_to_the_proxy(lab):
    lab.core1.reject(dst="13.64.0.99", port=3128, how="reset")
    ends_at((yield), 2, CORE1, CORE2)


@scenario(Expect(exit=1, cause="prx_unreachable", stage="proxy", owner="firewall-team", subject=PROXY, also=("ip_path_dies_all_protocols",)),
          arguments=("--route", f"proxy=http://{PROXY}"))
def nothing_passes_core2_towards_the_proxy(lab):
    lab.core2.drop(dst="13.64.0.99")


# ---------------------------------------------------------------- loss


@scenario(Expect(exit=0, cause="ip_loss_high", stage="tcp", owner="network-team", status="warn", seconds=30),
          arguments=("--timeout", "8", "--deadline", "30"))
def wire_loses_one_packet_in_twenty(lab):
    lab.wire(["-l", "5"])


@scenario(Expect(exit=0, cause="ip_ecmp_member_bad", stage="tcp", owner="network-team", status="warn", targets=LOGIN))
def one_of_two_lines_is_dead(lab):
    """Sixteen addresses, so that some get through and some do not, whatever the ports."""
    lab.names.hosts[LOGIN].addresses += [f"20.190.160.{n}" for n in range(1, 9)]
    lab.ecmp(LOGIN, good=1, bad=1)


# ---------------------------------------------------------------- two faults


@scenario(filtered(EDGE, second=filtered(CORE2, targets=WINDOWS)))
def edge_drops_one_name_and_core2_another(lab):
    lab.edge.drop(dst=LOGIN, port=443)
    lab.core2.drop(dst=WINDOWS, port=443)


@scenario(filtered(EDGE, second=dead(CORE1, targets=STORAGE[:2])))
def edge_drops_one_name_and_core1_a_prefix(lab):
    lab.edge.drop(dst=LOGIN, port=443)
    lab.core1.drop(dst="52.239.0.0/16")


@scenario(refused(EDGE, second=filtered(CORE1, targets=WINDOWS)))
def edge_resets_one_name_and_core1_drops_another(lab):
    lab.edge.reject(dst=LOGIN, port=443, how="reset")
    lab.core1.drop(dst=WINDOWS, port=443)


@scenario(filtered(EDGE, faults=2))
def edge_drops_what_nobody_listens_to(lab):
    lab.edge.drop(dst=LOGIN, port=443)
    lab.move_to_other(LOGIN)


@scenario(filtered(EDGE, faults=2))
def edge_drops_what_core1_prohibits(lab):
    lab.edge.drop(dst=LOGIN, port=443)
    lab.core1.reject(dst=LOGIN, how="admin")


@scenario(Expect(exit=1, cause="http_port80_only_blocked", stage="http", owner="firewall-team", faults=2,
                 targets=("www.msft*.com", "*crl*.microsoft.com", "oneocsp.microsoft.com", "*.digicert.com", "ocsp.msocsp.com",
                          "www.microsoft.com", "ctldl.windowsupdate.com"),
                 also=("ip_acl_at_hop_port_specific",), warnings=("tls_revocation_blocked",),
                 second=Expect(exit=0, cause="tcp_partial_address_block", stage="tcp", owner="firewall-team", status="warn",
                               targets=LOGIN, subject=LOGIN)))
def edge_drops_port_80_and_one_address_of_eight(lab):
    lab.edge.drop(port=80)
    lab.edge.drop(dst="40.126.12.20", port=443)
