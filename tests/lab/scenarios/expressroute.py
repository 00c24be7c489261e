"""`marsprobe expressroute`: a circuit with real BGP sessions and communities, beside the Internet's way (lab/bgp.py)."""
from lab.bgp import BACKUP, CIRCUIT_HOP, ENTRA, HIDDEN, ISP, MICROSOFT, OTHER_SETS, OWN, REGION, STORAGE, wait
from lab.scenario import Expect, scenario

MISSING, NOT_USED = "ip_expressroute_prefix_missing", "ip_expressroute_not_used"
PRIVATE, RETURN = "ip_private_peering_only", "ip_return_path_lost"
HALF = "20.190.160.0/19"
# The start of eight daemons is the lab's, not the program's.
HEALTHY = Expect(exit=0, seconds=6.0)


def fault(cause, subject, **more):
    return Expect(exit=1, cause=cause, stage="tcp", owner="network-team", subject=subject, seconds=6.0, **more)


def without(*communities, prefixes=()):
    return {p: c for p, c in {**MICROSOFT, **OTHER_SETS}.items() if c not in communities and p not in prefixes}


def coverage(result, prefix, table=None):
    """What the tables say of one prefix: a list of views, or of one kind of table alone."""
    kinds = [t["kind"] for t in result.report["coverage"]["tables"]]
    found = next(p for p in result.report["coverage"]["prefixes"] if p["prefix"] == prefix)
    return [v for v in found["views"] if table in (None, kinds[v["table"]])]


def community(result, value):
    return next(c for c in result.report["coverage"]["communities"] if c["value"] == value)["state"]


def way(result, host):
    """What the text says of the addresses of a host."""
    lines = result.text[result.text.index(f"   {host}\n"):].splitlines()[1:]
    count = len(next(h for h in result.report["coverage"]["hosts"] if h["host"] == host)["addresses"])
    return {line.split(maxsplit=1)[1] for line in lines[:count]}


def said(result):
    return " ".join(result.text.split())


@scenario(HEALTHY, command="expressroute")
def circuit_carries_all(lab):
    circuit = lab.circuit()
    circuit.start()
    lab.arguments += ["--bgp", circuit.bgp_detail_json(), "--route-table", circuit.route_table(), "--communities", circuit.inventory(),
                      "--circuit-hop", CIRCUIT_HOP]
    result = yield
    assert [community(result, c) for c in (ENTRA, REGION, STORAGE, BACKUP)] == ["present"] * 4, result.report["coverage"]["communities"]
    for view in coverage(result, "20.190.128.0/18", "router") + coverage(result, "20.190.128.0/18", "circuit"):
        assert view["circuit"] == "whole" and not view["missing"], view
    router = coverage(result, "20.190.128.0/18", "router")[0]["routes"]
    assert [r["prefix"] for r in router] == ["20.190.128.0/19", HALF] and all(r["as_path"] == "12076 8075" for r in router), router
    assert all(r["communities"] == [ENTRA] and r["next_hop"] == CIRCUIT_HOP for r in router), router
    assert result.report["coverage"]["own_prefixes"] == [OWN], result.report["coverage"]["own_prefixes"]
    for host in ("login.microsoftonline.com", "pod01-id1.eus.backup.windowsazure.com"):
        assert way(result, host) == {"over the circuit, answered"}, result.text
    assert way(result, "www.msftconnecttest.com") == {"NOT over the circuit, answered"}, result.text


def read_as(form):
    """The same network, read from another form of its tables."""
    def one(lab):
        circuit = lab.circuit()
        circuit.start()
        lab.arguments += ["--bgp", getattr(circuit, form)(), "--communities", circuit.inventory()]
        result = yield
        assert coverage(result, "40.126.0.0/18", "router")[0]["circuit"] == "whole"
    one.__name__ = f"circuit_by_{form}"
    return scenario(HEALTHY, command="expressroute")(one)


for FORM in ("bgp_text", "bgp_json", "bgp_detail"):
    read_as(FORM)


@scenario(fault(MISSING, HALF), command="expressroute")
def circuit_withdraws_a_prefix(lab):
    """Microsoft has announced it, and takes it back: only half of a /18 is there."""
    circuit = lab.circuit()
    circuit.start()
    circuit.far.change("router bgp 12076", "address-family ipv4 unicast", f"no network {HALF}")
    wait(lambda: HALF not in circuit.edge.routes(), "the prefix did not go")
    lab.arguments += ["--bgp", circuit.bgp_detail_json(), "--route-table", circuit.route_table(), "--circuit-hop", CIRCUIT_HOP]
    result = yield
    view = coverage(result, "20.190.128.0/18", "router")[0]
    assert view["circuit"] == "part" and view["missing"] == [HALF] and not view["elsewhere"], view
    assert f"{HALF} is not advertised with {ENTRA}" in said(result) or "ask Microsoft" in said(result), result.text
    assert HALF in result.handoff, result.handoff


@scenario(fault(MISSING, HALF), command="expressroute")
def circuit_offers_what_the_router_drops(lab):
    """The circuit's own table has it, the router's has not: its own inbound filter."""
    circuit = lab.circuit()
    circuit.edge.neighbour(CIRCUIT_HOP, 12076, ["prefix-list own out", "prefix-list lost in"])
    circuit.edge.extra += f"ip prefix-list lost seq 5 deny {HALF}\nip prefix-list lost seq 10 permit any\n"
    circuit.dropped = {HALF}
    circuit.start()
    lab.arguments += ["--bgp", circuit.bgp_text(), "--route-table", circuit.route_table()]
    lab.arguments += ["--communities", circuit.inventory()]
    result = yield
    assert coverage(result, "20.190.128.0/18", "circuit")[0]["circuit"] == "whole"
    assert "it is lost between Microsoft's edge and that router" in said(result), result.text


@scenario(fault(MISSING, "20.190.128.0/18, 40.126.0.0/18"), command="expressroute")
def circuit_lacks_the_community_of_sign_in(lab):
    circuit = lab.circuit()
    circuit.far.networks = without(ENTRA)
    circuit.start()
    lab.arguments += ["--bgp", circuit.bgp_detail_json()]
    result = yield
    assert community(result, ENTRA) == "absent", result.report["coverage"]["communities"]
    assert f"--communities {ENTRA}" in said(result), result.text


@scenario(fault(MISSING, BACKUP), command="expressroute")
def circuit_lacks_the_communities_of_backup(lab):
    """Neither the region's nor that of Backup in it; nothing lists their prefixes, and the routes' communities tell."""
    circuit = lab.circuit()
    circuit.far.networks = without(REGION, BACKUP)
    circuit.start()
    lab.arguments += ["--bgp", circuit.bgp_detail()]
    result = yield
    assert [community(result, c) for c in (ENTRA, REGION, STORAGE, BACKUP)] == ["present", "absent", "present", "absent"]
    assert f"--communities {BACKUP}" in said(result), result.text


@scenario(fault(MISSING, "52.239.128.0/17"), command="expressroute")
def circuit_lacks_storage_by_the_inventory(lab):
    """Azure's table has no communities: the inventory says which prefixes there should be."""
    circuit = lab.circuit()
    circuit.far.networks = without(STORAGE)
    circuit.start()
    lab.arguments += ["--route-table", circuit.route_table(), "--communities", circuit.inventory()]
    result = yield
    assert community(result, STORAGE) == "absent" and community(result, BACKUP) == "present"
    assert f"--communities {STORAGE}" in said(result), result.text


@scenario(fault(MISSING, "Microsoft peering"), command="expressroute")
def circuit_without_a_route_filter(lab):
    """Microsoft announces nothing at all, and everything leaves by the default route."""
    circuit = lab.circuit()
    circuit.far.networks = {}
    circuit.isp.networks["0.0.0.0/0"] = None
    circuit.start()
    lab.arguments += ["--bgp", circuit.bgp_text()]
    result = yield
    router = next(t for t in result.report["coverage"]["tables"] if t["kind"] == "router")
    assert router["has_default"] and router["default_way"] == "internet" and not router["circuit_routes"], router
    assert all(c in result.text for c in (ENTRA, REGION, STORAGE, BACKUP)), result.text


@scenario(fault(PRIVATE, "Microsoft peering"), command="expressroute")
def circuit_has_private_peering_only(lab):
    circuit = lab.circuit()
    circuit.far.networks = {"10.50.0.0/16": None, "10.51.0.0/16": None}
    circuit.start()
    lab.arguments += ["--bgp", circuit.bgp_json()]
    result = yield
    assert ENTRA in result.text and BACKUP in result.text, result.text


@scenario(fault(NOT_USED, "20.190.128.0/20"), command="expressroute")
def circuit_loses_to_a_longer_prefix(lab):
    """The Internet's provider announces a part of what the circuit brings, and routers take the longer one."""
    circuit = lab.circuit()
    circuit.isp.networks["20.190.128.0/20"] = None
    circuit.start()
    lab.arguments += ["--bgp", circuit.bgp_json(), "--communities", circuit.inventory(), "--circuit-hop", CIRCUIT_HOP]
    result = yield
    view = coverage(result, "20.190.128.0/18", "router")[0]
    assert view["circuit"] == "part" and view["unused"] == ["20.190.128.0/20"], view
    assert result.report["coverage"]["both_ways"] == ["20.190.128.0/18"]


@scenario(fault(NOT_USED, "*"), command="expressroute")
def circuit_is_passed_by(lab):
    """The tables are as they should be, but a static route at the edge sends sign-in to the Internet: packets show it."""
    circuit = lab.circuit()
    circuit.start()
    lab.arguments += ["--route-table", circuit.route_table(), "--communities", circuit.inventory(), "--circuit-hop", CIRCUIT_HOP]
    lab.edge.ip(*[f"route replace {p} via {ISP} metric 1" for p in ("20.190.128.0/18", "40.126.0.0/18")],
                *[f"route replace {p} via {ISP} metric 1" for p, c in MICROSOFT.items() if c == ENTRA])
    result = yield
    proof = [o for o in result.report["observations"] if o["id"] in result.report["findings"][0]["evidence"]]
    assert proof and all(o["from"] == ISP for o in proof), proof


@scenario(fault(RETURN, "*"), command="expressroute")
def circuit_brings_no_answer_back(lab):
    """The enterprise announces a part of its addresses to the Internet too: answers take the longer prefix, and the edge drops them."""
    circuit = lab.circuit()
    circuit.start()
    lab.azure.ip("route add 198.51.100.0/25 via 198.18.0.9")
    lab.edge.sysctl(net__ipv4__conf__all__rp_filter=1, net__ipv4__conf__to_core1__rp_filter=1)
    lab.edge.nft('add rule inet lab prerouting iifname "to-core1" fib saddr . iif oif 0 drop\n')
    lab.arguments += ["--bgp", circuit.bgp_detail_json(), "--route-table", circuit.route_table(), "--communities", circuit.inventory(),
                      "--circuit-hop", CIRCUIT_HOP]
    result = yield
    proof = [o for o in result.report["observations"] if o["id"] in result.report["findings"][0]["evidence"]]
    assert proof and all(o["from"] == CIRCUIT_HOP for o in proof), proof
    assert OWN in result.findings(RETURN)[0]["summary"], result.findings(RETURN)


@scenario(fault(MISSING, "13.82.1.0/24"), command="expressroute")
def circuit_ends_at_this_server(lab):
    """It has an interface of its own for the circuit, and a route for sign-in alone: backups leave by the default route."""
    circuit = lab.circuit()
    lab.edge.ip("link add to-server type veth peer name er0 netns client", "addr add 10.9.0.1/30 dev to-server", "link set to-server up")
    lab.edge.nft(f"add rule inet lab hide ip saddr 10.9.0.0/30 snat ip to {HIDDEN}\n")
    lab.client.ip("link set er0 up", "addr add 10.9.0.2/30 dev er0", "route add 20.190.128.0/18 via 10.9.0.1", "route add 40.126.0.0/18 via 10.9.0.1 metric 5",
                  "route add 40.126.0.0/18 via 10.1.0.1 metric 50")
    lab.arguments += ["--communities", circuit.inventory(), "--circuit-interface", "er0"]
    result = yield
    assert [v["circuit"] for v in coverage(result, "40.126.0.0/18", "machine")] == ["whole"], coverage(result, "40.126.0.0/18")
    routes = {(r["next_hop"], r["best"], r["way"]) for r in coverage(result, "40.126.0.0/18", "machine")[0]["routes"]}
    assert routes == {("10.9.0.1", True, "circuit"), ("10.1.0.1", False, "internet")}, routes
    assert way(result, "login.windows.net") == {"over the circuit, answered"}, result.text
    assert way(result, "pod01-id1.eus.backup.windowsazure.com") == {"NOT over the circuit, answered"}, result.text
    assert any(f["subject"]["value"] == "52.239.128.0/17" for f in result.findings(MISSING)), result.findings()


@scenario(Expect(exit=3, seconds=6.0), command="expressroute")
def circuit_of_which_nothing_is_known(lab):
    result = yield
    assert "CANNOT TELL" in result.text and "--bgp" in result.text, result.text
