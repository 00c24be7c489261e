"""Routes and connections: what a firewall, a router or a far end does to a SYN, or to a connection before a byte of TLS."""
from lab.scenario import Expect, scenario

LOGIN = "login.microsoftonline.com"
BLOB = "*.blob.core.windows.net"
BLOBS = ["ceuswatcab01.blob.core.windows.net", "weus2watcab01.blob.core.windows.net"]


@scenario(Expect(exit=1, cause="ip_acl_at_hop_port_specific", stage="tcp", owner="firewall-team", targets=LOGIN, subject="10.1.0.1"))
def firewall_drops_one_endpoint(lab):
    lab.edge.drop(dst=LOGIN, port=443)
    result = yield
    path, = result.paths(LOGIN, effective=True)
    if result.names_hops:
        assert path["verdict"]["at"] == {"hop": 1, "last_heard": "10.1.0.1", "first_silent": "198.18.0.1"}, path["verdict"]["at"]
    finding, = result.findings()
    if result.names_hops:
        assert "hop 1 (10.1.0.1)" in finding["summary"] and "198.18.0.1" in finding["summary"], finding["summary"]
    assert len(finding["flows"]) >= 8, len(finding["flows"])


@scenario(Expect(exit=1, cause="ip_path_dies_all_protocols", stage="tcp", owner="network-team", targets=BLOB, subject="10.1.0.1"))
def firewall_drops_storage(lab):
    lab.edge.drop(dst=BLOBS)


@scenario(Expect(exit=1, cause="ip_acl_at_hop_port_specific", stage="tcp", owner="firewall-team", subject="10.1.0.1", seconds=6))
def firewall_drops_everything(lab):
    lab.edge.drop(proto="tcp")


@scenario(Expect(exit=1, cause="tcp_refused_by_middlebox", stage="tcp", owner="firewall-team", targets=LOGIN, subject="10.1.0.1"))
def firewall_resets_the_syn(lab):
    lab.edge.reject(dst=LOGIN, port=443, how="reset")


@scenario(Expect(exit=1, cause="tcp_refused_at_target", stage="tcp", owner="firewall-team", targets=LOGIN, subject=LOGIN))
def far_end_refuses(lab):
    lab.move_to_other(LOGIN)


@scenario(Expect(exit=1, cause="ip_admin_prohibited", stage="tcp", owner="firewall-team", targets=LOGIN, subject="10.1.0.1"))
def edge_says_prohibited(lab):
    lab.edge.reject(dst=LOGIN, how="admin")


@scenario(Expect(exit=1, cause="ip_no_route_from_router", stage="tcp", owner="network-team", targets=LOGIN, subject="198.18.0.1"))
def router_has_no_route(lab):
    lab.core1.reject(dst=LOGIN, how="net")


@scenario(Expect(exit=1, cause="ip_no_route_from_router", stage="tcp", owner="network-team", targets=LOGIN, subject="198.18.0.6"))
def router_cannot_reach_host(lab):
    lab.core2.reject(dst=LOGIN, how="host")


@scenario(Expect(exit=0, cause="tcp_partial_address_block", stage="tcp", owner="firewall-team", status="warn", targets=LOGIN,
                 subject=LOGIN))
def firewall_forgets_three_addresses(lab):
    lab.edge.drop(dst=["20.190.140.20", "40.126.0.10", "40.126.62.40"])


@scenario(Expect(exit=1, cause="tcp_fin_on_accept", stage="tcp", targets=LOGIN, subject=LOGIN))
def connection_closed_at_once(lab):
    lab.stub("fin-on-accept", LOGIN)


@scenario(Expect(exit=1, cause="tcp_reset_idle_established", stage="tcp", owner="firewall-team", targets=LOGIN, subject=LOGIN))
def connection_reset_at_once(lab):
    lab.stub("rst-on-accept", LOGIN)


PORT_80 = ("www.msft*.com", "*crl*.microsoft.com", "oneocsp.microsoft.com", "*.digicert.com", "ocsp.msocsp.com", "www.microsoft.com",
           "ctldl.windowsupdate.com")


@scenario(Expect(exit=1, cause="http_port80_only_blocked", stage="http", owner="firewall-team", targets=PORT_80,
                 warnings=("tls_revocation_blocked",)))
def firewall_drops_port_80(lab):
    lab.edge.drop(port=80)


@scenario(Expect(exit=1, cause="http_port80_only_blocked", stage="http", owner="firewall-team", targets=PORT_80,
                 warnings=("tls_revocation_blocked",)))
def firewall_rejects_port_80(lab):
    lab.edge.reject(port=80, how="admin")
