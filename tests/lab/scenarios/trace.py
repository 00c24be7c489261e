"""`marsprobe trace`: where on its way a SYN ends.  Hops: 10.1.0.1 (edge), 198.18.0.1 (core1), 198.18.0.6 (core2); the target is at TTL 4."""
import re

from lab.network import LAN6
from lab.scenario import Expect, scenario

TARGET, TARGET6 = "40.126.0.10", "2603:1000::1"
EDGE, CORE1, CORE2, CLIENT = "10.1.0.1", "198.18.0.1", "198.18.0.6", "10.1.0.2"
# All that a walk of silence may take: the time-out of 2 s, and a start.
HEARD, SILENT = Expect(exit=0, seconds=1.5), Expect(exit=0, seconds=3.0)


def probes(result, experiment, address=TARGET):
    return [p for p in result.report["probes"] if p["experiment"] == experiment and p["tuple"]["dst"] == address]


def senders(result, experiment, address=TARGET):
    """Who answered, by TTL: an address, "syn_ack", "rst", or None for silence."""
    return [p["from"] or p["tcp"] for p in probes(result, experiment, address)]


def path(result):
    assert len(result.report["paths"]) == 1, result.report["paths"]
    return result.report["paths"][0]


def sentence(result):
    """The text as one line, without the line breaks of its wrapping."""
    text = re.sub(r"\s+", " ", result.text)
    assert path(result)["says"] in text, text
    return text


def mute(*nodes):
    """Routers that report no TTL that ran out."""
    for node in nodes:
        node.nft("add rule inet lab output icmp type time-exceeded drop\n")


@scenario(HEARD, arguments=(TARGET,), command="trace")
def trace_reaches_the_target(lab):
    lab.client.sysctl(net__ipv4__ping_group_range="0 2147483647")
    result = yield
    for experiment, arrival in (("walk", "syn_ack"), ("walk_control", "syn_ack"), ("walk_udp", TARGET), ("walk_echo", TARGET)):
        assert senders(result, experiment) == [EDGE, CORE1, CORE2, arrival], senders(result, experiment)
    assert path(result)["reached_ttl"] == 4 and path(result)["last_heard"] == CORE2, path(result)
    assert path(result)["says"] == "reached after 3 hops"
    walk = probes(result, "walk")
    assert all(p["tuple"]["src"] == CLIENT and p["expired"] == (p["ttl"] < 4) for p in walk), walk
    ports = [p["tuple"]["src_port"] - p["ttl"] for p in walk]
    assert len(set(ports)) == 1, f"the ports are no row: {ports}"
    assert "reached after 3 hops." in sentence(result)
    assert re.search(rf"^  3 +{CORE2} +[0-9.]+ +same +same +same$", result.text, re.M), result.text


@scenario(Expect(exit=0, seconds=3.0), arguments=("login.microsoftonline.com:443",), command="trace")
def trace_walks_to_four_addresses_of_a_name(lab):
    result = yield
    paths = result.report["paths"]
    assert len(paths) == 4 and all(p["says"] == "reached after 3 hops" for p in paths), paths
    if lab.slowness == 1:  # Linux asks ping_group_range, which lets nobody here; Windows lets everybody
        assert all(p["failure"] == "permission_denied" for p in result.report["probes"] if p["experiment"] == "walk_echo")
        assert "ICMP echo was not tried: not permitted by this system." in result.text


@scenario(HEARD, arguments=(TARGET6,), command="trace")
def trace_over_ipv6(lab):
    result = yield
    assert senders(result, "walk", TARGET6) == [f"{LAN6}1", "2001:db8:f:1::1", "2001:db8:f:2::6", "syn_ack"]
    assert path(result)["says"] == "reached after 3 hops"


@scenario(SILENT, arguments=(f"[{TARGET6}]:443",), command="trace")
def trace_over_ipv6_dies_at_the_edge(lab):
    lab.edge.drop(dst=TARGET6, port=443)
    result = yield
    assert path(result)["says"] == f"dies at {LAN6}1 on its way out, or between it and 2001:db8:f:1::1", path(result)


@scenario(SILENT, arguments=(TARGET,), command="trace")
def trace_dies_at_the_edge_on_one_port(lab):
    lab.edge.drop(dst=TARGET, port=443)
    result = yield
    assert senders(result, "walk") == [EDGE] + [None] * 29, senders(result, "walk")
    assert senders(result, "walk_control") == [EDGE, CORE1, CORE2, "syn_ack"]
    assert (path(result)["last_heard_ttl"], path(result)["first_silent_ttl"]) == (1, 2)
    assert path(result)["says"] == f"dies at {EDGE} on its way out, or between it and {CORE1}"
    text = sentence(result)
    assert "TCP 80, UDP to the same address gets further" in text, text
    ports = re.search(rf"TCP {CLIENT}:(\d+)-(\d+) -> {TARGET}:443, [0-9:.]+ to [0-9:.]+ UTC", text)
    assert ports and int(ports[2]) - int(ports[1]) == 28, text
    assert "silence is no proof" in text


@scenario(SILENT, arguments=(TARGET,), command="trace")
def trace_dies_for_all_packets(lab):
    lab.core1.drop(dst=TARGET)
    result = yield
    assert path(result)["says"] == f"dies at {CORE1} on its way out, or between it and the next hop, which is not known"
    assert "gets further" not in result.text


@scenario(SILENT, arguments=(TARGET,), command="trace")
def trace_where_no_hop_answers(lab):
    mute(lab.edge, lab.core1, lab.core2)
    lab.edge.drop(dst=TARGET)
    result = yield
    assert path(result)["muted"] and path(result)["last_heard_ttl"] is None
    assert "no hop answers: the routers on the way do not report (ICMP muted); nothing can be said of where." in sentence(result)


@scenario(HEARD, arguments=(TARGET,), command="trace")
def trace_gets_through_where_no_hop_answers(lab):
    mute(lab.edge, lab.core1, lab.core2)
    result = yield
    assert senders(result, "walk") == [None, None, None, "syn_ack"]
    assert path(result)["says"] == "reached after 3 hops"


@scenario(HEARD, arguments=(TARGET,), command="trace")
def trace_goes_round_in_a_loop(lab):
    lab.core2.ip(f"route replace {TARGET}/32 via 198.18.0.5")
    result = yield
    assert path(result)["loops"] and senders(result, "walk")[:5] == [EDGE, CORE1, CORE2, CORE1, CORE2], senders(result, "walk")
    assert "goes round in a loop" in path(result)["says"]


@scenario(HEARD, arguments=(TARGET,), command="trace")
def trace_is_prohibited_and_told_by_whom(lab):
    lab.core1.reject(dst=TARGET, port=443, how="admin")
    result = yield
    assert path(result)["refused_by"] == CORE1
    assert path(result)["says"] == f"refused by {CORE1} with an ICMP message (type 3, code 13: administratively prohibited)"


@scenario(HEARD, arguments=(TARGET,), command="trace")
def trace_is_reset_before_the_target(lab):
    lab.core1.reject(dst=TARGET, port=443, how="reset")
    result = yield
    assert senders(result, "walk") == [EDGE, CORE1, "rst"]
    assert "by a device before the target: TCP 80 gets there at TTL 4 only" in path(result)["says"]


@scenario(SILENT, arguments=(TARGET,), command="trace")
def trace_dies_on_this_machine(lab):
    lab.client.drop(dst=TARGET, port=443, chain="output")
    result = yield
    assert path(result)["says"] == f"dies on this machine, or between it and {EDGE}, the first hop that answers others"


@scenario(Expect(exit=0, seconds=3.0), arguments=("nothing.corp.test",), command="trace")
def trace_to_a_name_that_is_none(lab):
    result = yield
    assert result.report["paths"] == [] and result.report["lookup_failure"] == "dns_nxdomain_error", result.report
    assert "gives no address to walk to" in result.text
