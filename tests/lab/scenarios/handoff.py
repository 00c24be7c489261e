"""The proof of the hand-off: the rule that it asks for, put in where the drop is, makes the next run pass."""
from lab.dns import PUBLIC
from lab.handoff import lifts
from lab.names import is_address
from lab.network import CLIENT, PROXY as PROXY_ADDRESS
from lab.scenario import Expect, scenario

LOGIN = "login.microsoftonline.com"
PROXY = "proxy.corp.test:3128"
BLOBS = ["ceuswatcab01.blob.core.windows.net", "weus2watcab01.blob.core.windows.net"]


@scenario(Expect(exit=1, cause="ip_acl_at_hop_port_specific", stage="tcp", owner="firewall-team", targets=LOGIN))
def rule_of_the_handoff_lifts_a_drop(lab):
    lab.edge.drop(dst=LOGIN, port=443)
    result = yield
    finding = result.findings("ip_acl_at_hop_port_specific")[0]
    connects = {o["tuple"]["src_port"] for o in result.observations("tcp_connect")}
    for flow in finding["flows"]:
        assert flow["sni"] == flow["fqdn"] == LOGIN and flow["src_port"] in connects and f"10.1.0.2:{flow['src_port']}" in result.handoff, flow
        assert flow["attempts"] == 2 or lab.slowness > 1, flow  # the SYN, and once more after a second
    lifts(result, lab.edge)


@scenario(Expect(exit=1, cause="ip_path_dies_all_protocols", stage="tcp", owner="network-team", targets="*.blob.core.windows.net"))
def rule_of_the_handoff_lifts_a_drop_without_documented_prefixes(lab):
    lab.edge.drop(dst=BLOBS)
    lifts((yield), lab.edge)


@scenario(Expect(exit=1, cause="ip_acl_at_hop_port_specific", stage="tcp", owner="firewall-team", seconds=6))
def rule_of_the_handoff_lifts_a_drop_of_everything(lab):
    lab.edge.drop(proto="tcp")
    lifts((yield), lab.edge)


@scenario(Expect(exit=1, cause="prx_unreachable", stage="proxy", owner="firewall-team", subject=PROXY, seconds=6))
def rule_of_the_handoff_lifts_a_drop_of_the_proxy_port(lab):
    proxy = lab.squid()
    lab.start()
    lab.proxy.drop(port=3128, chain="input")
    lab.reg(user=proxy, system=proxy)
    lifts((yield), lab.proxy, chain="input")


@scenario(Expect(exit=1, cause="prx_upstream_timeout", stage="proxy", owner="firewall-team", targets=LOGIN, subject=PROXY))
def rule_of_the_handoff_lifts_a_drop_behind_the_proxy(lab):
    proxy = lab.squid()
    lab.core1.drop(dst=LOGIN)
    lab.reg(user=proxy, system=proxy)
    result = yield
    assert all(is_address(flow["src"] or PROXY_ADDRESS) and flow["src"] != CLIENT for f in result.findings() for flow in f["flows"])
    lifts(result, lab.core1, proxy_address=PROXY_ADDRESS)


@scenario(Expect(exit=1, cause="dns_servers_silent", stage="dns", owner="firewall-team", subject=PUBLIC))
def rule_of_the_handoff_lifts_a_drop_of_dns(lab):
    lab.public_resolver()
    lab.resolv_conf([PUBLIC])
    lab.edge.drop(dst=PUBLIC)
    lifts((yield), lab.edge)
