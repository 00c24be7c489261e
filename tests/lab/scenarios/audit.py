"""`marsprobe sweep --audit`: which addresses of a range may be reached, although nobody listens there."""
import re

from lab.scenario import Expect, scenario

RANGE = "20.190.128.0/18"
EDGE, CORE1 = "10.1.0.1", "198.18.0.1"
QUICK = ("--audit", "--rate", "200")
PROBES_MAX = 400


def audit(result, number=0):
    return result.report["sweeps"][number]["audit"]


def blocks(result, number=0):
    """Each block as (first, last, state, last heard, first silent)."""
    return [(b["first"], b["last"], b["state"], b["last_heard"], b["first_silent"]) for b in audit(result, number)["blocks"]]


def sentence(result):
    return re.sub(r"\s+", " ", result.text)


def silent_range(lab):
    """Nobody listens anywhere in the range; and what is sent there is counted as it leaves the client."""
    lab.azure.nft(f'add rule inet lab input iifname "to-core2" ip daddr {RANGE} drop\n')
    lab.client.nft("add rule inet lab output ip daddr 20.190.128.0/18 counter\n")


def few_packets(lab, result):
    sent = int(re.search(r"counter packets (\d+)", lab.client.run("nft list chain inet lab output"))[1])
    assert sent <= audit(result)["probes"] <= PROBES_MAX, f"{sent} packets were sent, {audit(result)['probes']} told"
    assert not audit(result)["cut"], audit(result)


@scenario(Expect(exit=0, seconds=12), arguments=(RANGE,) + QUICK, command="sweep")
def audit_of_a_range_that_may_be_reached(lab):
    silent_range(lab)
    result = yield
    assert blocks(result) == [("20.190.128.0", "20.190.191.255", "permitted", None, None)], blocks(result)
    assert f"{RANGE}, TCP 443: may be reached" in result.text, result.text
    few_packets(lab, result)


@scenario(Expect(exit=0, seconds=15, cause="ip_acl_for_prefix", stage="tcp", owner="firewall-team", status="warn", subject="20.190.160.0/19"),
          arguments=(RANGE,) + QUICK, command="sweep")
def audit_finds_one_blocked_half(lab):
    silent_range(lab)
    lab.edge.drop(dst="20.190.160.0/19")
    result = yield
    assert blocks(result) == [("20.190.128.0", "20.190.159.255", "permitted", None, None),
                              ("20.190.160.0", "20.190.191.255", "blocked", EDGE, CORE1)], blocks(result)
    assert f"20.190.160.0/19 dies at {EDGE} on its way out, or before {CORE1}" in sentence(result), result.text
    assert "20.190.160.0/19" in result.handoff, result.handoff
    few_packets(lab, result)


@scenario(Expect(exit=0, seconds=20, cause="ip_acl_for_prefix", stage="tcp", owner="firewall-team", status="warn"),
          arguments=(RANGE,) + QUICK, command="sweep")
def audit_finds_the_exact_boundaries_of_an_odd_block(lab):
    silent_range(lab)
    lab.edge.nft("add rule inet lab forward ip daddr 20.190.147.77-20.190.150.200 tcp dport 443 drop\n")
    result = yield
    assert blocks(result)[1] == ("20.190.147.77", "20.190.150.200", "blocked", EDGE, CORE1), blocks(result)
    assert [b[2] for b in blocks(result)] == ["permitted", "blocked", "permitted"], blocks(result)
    prefixes = audit(result)["blocks"][1]["prefixes"]
    assert prefixes[0] == "20.190.147.77/32" and "20.190.148.0/23" in prefixes and prefixes[-1] == "20.190.150.200/32", prefixes
    few_packets(lab, result)


@scenario(Expect(exit=0, seconds=20, cause="ip_acl_for_prefix", stage="tcp", owner="firewall-team", status="warn",
                 subject="20.190.136.0/21, 20.190.176.0/20"), arguments=(RANGE,) + QUICK, command="sweep")
def audit_finds_two_blocks_at_two_firewalls(lab):
    silent_range(lab)
    lab.edge.drop(dst="20.190.136.0/21")
    lab.core1.drop(dst="20.190.176.0/20")
    result = yield
    assert [b[2:] for b in blocks(result) if b[2] == "blocked"] == [("blocked", EDGE, CORE1), ("blocked", CORE1, "198.18.0.6")], blocks(result)
    few_packets(lab, result)


@scenario(Expect(exit=0, seconds=15, cause="ip_range_fully_blocked", stage="tcp", owner="firewall-team", subject=RANGE),
          arguments=(RANGE,) + QUICK, command="sweep")
def audit_of_a_range_that_is_blocked(lab):
    silent_range(lab)
    lab.edge.drop(dst=RANGE, port=443)
    result = yield
    assert blocks(result) == [("20.190.128.0", "20.190.191.255", "blocked", EDGE, CORE1)], blocks(result)
    assert f"{RANGE} dies at {EDGE} on its way out, or before {CORE1}" in sentence(result), result.text
    few_packets(lab, result)


@scenario(Expect(exit=0, seconds=15, cause="ip_acl_for_prefix", stage="tcp", owner="firewall-team", status="warn", subject="20.190.160.0/20"),
          arguments=(RANGE,) + QUICK, command="sweep")
def audit_names_who_rejects_a_part(lab):
    silent_range(lab)
    lab.edge.reject(dst="20.190.160.0/20")
    result = yield
    assert blocks(result)[1] == ("20.190.160.0", "20.190.175.255", "blocked", EDGE, None), blocks(result)
    assert f"20.190.160.0/20 is rejected by {EDGE}" in sentence(result), result.text
    few_packets(lab, result)


@scenario(Expect(exit=0, seconds=15, cause="meas_icmp_muted", status="inconclusive", finding="none"), arguments=(RANGE,) + QUICK, command="sweep")
def audit_where_no_hop_answers_says_nothing(lab):
    silent_range(lab)
    lab.mute()
    result = yield
    assert blocks(result) == [("20.190.128.0", "20.190.191.255", "unknown", None, None)], blocks(result)
    assert "no hop answers that would tell" in sentence(result), result.text
    few_packets(lab, result)


@scenario(Expect(exit=0, seconds=25, cause="ip_acl_for_prefix", stage="tcp", owner="firewall-team", status="warn", subject="20.190.152.0/21"),
          arguments=(RANGE,) + QUICK, command="sweep")
def audit_beside_loss(lab):
    silent_range(lab)
    lab.wire(["-l", 2])
    lab.edge.drop(dst="20.190.152.0/21")
    result = yield
    assert [b[0] for b in blocks(result)] == ["20.190.128.0", "20.190.152.0", "20.190.160.0"], blocks(result)


@scenario(Expect(exit=0, seconds=20, cause="ip_range_fully_blocked", stage="tcp", owner="firewall-team", targets=RANGE, subject=RANGE),
          arguments=(RANGE, "40.126.0.0/18") + QUICK, command="sweep")
def audit_of_a_range_that_is_blocked_beside_one_that_is_not(lab):
    silent_range(lab)
    lab.edge.drop(dst=RANGE)
    result = yield
    verdict = result.paths(host=RANGE)[0]["verdict"]
    assert verdict["confidence"] > 0.8 and verdict["at"]["first_silent"] == CORE1, verdict
    assert blocks(result, 1) == [("40.126.0.0", "40.126.63.255", "permitted", None, None)], blocks(result, 1)


@scenario(Expect(exit=0, seconds=15, cause="ip_range_fully_blocked", stage="tcp", owner="firewall-team", subject=RANGE),
          arguments=(RANGE,) + QUICK, command="sweep")
def audit_of_a_range_of_which_nothing_passes(lab):
    silent_range(lab)
    lab.edge.drop(dst=RANGE)
    result = yield
    verdict = result.paths()[0]["verdict"]
    assert verdict["confidence"] < 0.5 and verdict["at"] == {"hop": 1, "last_heard": EDGE, "first_silent": None}, verdict


@scenario(Expect(exit=0, seconds=20, cause="meas_self_rate_limited", status="inconclusive", finding="none"),
          arguments=(RANGE,) + QUICK, command="sweep")
def audit_where_routers_ration_their_answers(lab):
    silent_range(lab)
    lab.edge.drop(dst="20.190.160.0/19")
    for router in lab.routers():
        router.sysctl(net__ipv4__icmp_ratelimit=1000)
    result = yield
    assert audit(result)["rationed"] and blocks(result) == [("20.190.128.0", "20.190.191.255", "unknown", None, None)], audit(result)
    assert "routers send only so many such answers a second" in sentence(result), result.text
