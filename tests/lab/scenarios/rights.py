"""The same networks for a program that may look at packets (CAP_NET_RAW): the TTL of an answer is read, and nobody is asked for it."""
from lab.scenario import Expect, scenario

LOGIN = "login.microsoftonline.com"
SIX = "login.microsoft.com"  # has IPv6 addresses too
CORE2 = "198.18.0.6"


def ttls(result, host, field):
    """What was read of the connections to a host, each value once; the experiment that asks for it was not made."""
    assert not [o for o in result.observations() if o["experiment"] == "reset_ttl"], "asked for although it can be read"
    addresses = {a["address"] for p in result.paths(host) for a in p["attempts"]}
    return {o[field] for o in result.observations("tcp_connect") if o["tuple"]["dst"] in addresses and o["tuple"]["dst_port"] == 443} - {None}


@scenario(Expect(exit=0))
def healthy_with_rights(lab):
    lab.rights = True
    result = yield
    assert not result.findings(), result.findings()
    opened = [o for o in result.observations("tcp_connect") if o["failure"] is None and not o["experiment"]]
    assert opened and all(o["syn_ack_ttl"] for o in opened), [o for o in opened if not o["syn_ack_ttl"]]
    assert {":" in o["tuple"]["dst"] for o in opened} == {False, True}


@scenario(Expect(exit=1, cause="tcp_refused_by_middlebox", stage="tcp", owner="firewall-team", targets=LOGIN, subject=CORE2))
def last_router_resets_one_name_with_rights(lab):
    lab.rights = True
    lab.core2.reject(dst=LOGIN, port=443, how="reset")
    result = yield
    assert len(ttls(result, LOGIN, "reset_ttl")) == 1 and not ttls(result, LOGIN, "syn_ack_ttl")
    assert "Its reset came with TTL" in result.text


@scenario(Expect(exit=1, cause="tcp_refused_at_target", stage="tcp", owner="firewall-team", targets=LOGIN, subject=LOGIN))
def far_end_refuses_with_rights(lab):
    lab.rights = True
    lab.move_to_other(LOGIN)
    assert len(ttls((yield), LOGIN, "reset_ttl")) == 1


def hello_reset(lab, name, *options):
    lab.rights = True
    lab.wire(["-s", name, *options])


@scenario(Expect(exit=1, cause="tls_sni_reset", stage="tls", owner="firewall-team", targets=SIX, subject=SIX))
def hello_of_one_name_is_reset_with_rights(lab):
    """Over both families of addresses."""
    hello_reset(lab, SIX)
    result = yield
    assert ttls(result, SIX, "syn_ack_ttl").isdisjoint(ttls(result, SIX, "reset_ttl"))
    for path in result.paths(SIX, effective=True):
        assert path["verdict"]["confidence"] >= 0.95, path["verdict"]


@scenario(Expect(exit=1, cause="tls_sni_reset", stage="tls", owner="firewall-team", targets=LOGIN, subject=LOGIN))
def far_ends_own_ttl_resets_the_hello_with_rights(lab):
    """As far as the packets tell, the far end may have done it."""
    hello_reset(lab, LOGIN, "-t", 63)
    result = yield
    assert ttls(result, LOGIN, "syn_ack_ttl") == ttls(result, LOGIN, "reset_ttl") != set()
