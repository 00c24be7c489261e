"""
Routers that speak BGP: FRR, one zebra and one bgpd for each, with sockets and files of their own and nothing that listens outside the lab.

    client - edge (AS 64500) ---- msee (AS 12076, the far end of the circuit 203.0.113.2) ---- azure (AS 8075)
                   |
                core1 (AS 64510, the Internet's provider 198.18.0.1)

edge hides the enterprise behind 198.51.100.10 on both ways out.
"""
import json
import time

from .node import LabError, run

CIRCUIT_HOP, CIRCUIT_EDGE, ISP = "203.0.113.2", "203.0.113.1", "198.18.0.1"
OWN, HIDDEN = "198.51.100.0/24", "198.51.100.10"
ENTRA, REGION, STORAGE, BACKUP = "12076:5060", "12076:51004", "12076:52004", "12076:55004"
# What Microsoft announces over the circuit of this lab: prefix and community, as BGP shows them, in halves.
MICROSOFT = {
    "20.190.128.0/19": ENTRA, "20.190.160.0/19": ENTRA, "40.126.0.0/19": ENTRA, "40.126.32.0/19": ENTRA,
    "13.82.0.0/16": REGION, "52.239.128.0/17": STORAGE, "13.82.1.0/24": BACKUP,
}
OTHER_SETS = {"20.20.32.0/19": "12076:5100", "20.231.128.0/19": "12076:5100"}
READY_SECONDS = 40


class Router:
    """zebra and bgpd in one node."""

    def __init__(self, lab, node, asn, router_id):
        self.lab, self.node, self.asn, self.router_id = lab, node, asn, router_id
        self.directory = lab.work / f"frr-{node}"
        self.neighbours, self.networks = {}, {}
        self.extra = ""

    def neighbour(self, address, asn, lines=()):
        self.neighbours[address] = (asn, lines)

    def _configuration(self):
        lines = ["frr defaults datacenter", f"router bgp {self.asn}", f" bgp router-id {self.router_id}", " no bgp ebgp-requires-policy",
                 " no bgp network import-check", " no bgp default ipv4-unicast"]
        for address, (asn, _) in self.neighbours.items():
            lines += [f" neighbor {address} remote-as {asn}", f" neighbor {address} timers 1 3", f" neighbor {address} timers connect 1",
                      f" neighbor {address} advertisement-interval 0"]
        lines.append(" address-family ipv4 unicast")
        for address, (_, extra) in self.neighbours.items():
            lines += [f"  neighbor {address} activate", f"  neighbor {address} send-community both"]
            lines += [f"  neighbor {address} {line}" for line in extra]
        lines += [f"  network {prefix}" + (f" route-map {name(community)}" if community else "") for prefix, community in self.networks.items()]
        lines += [" exit-address-family", "exit"]
        for community in sorted(set(self.networks.values()) - {None}):
            lines += [f"route-map {name(community)} permit 10", f" set community {community}", " set as-path prepend 8075", "exit"]
        return "\n".join(lines) + "\n" + self.extra

    def start(self):
        self.directory.mkdir()
        for program, text in (("zebra", ""), ("bgpd", self._configuration())):
            (self.directory / f"{program}.conf").write_text(text, encoding="utf-8")
        run(["chown", "-R", "frr:frr", self.directory])
        zserv = self.directory / "zserv"
        common = ["-z", zserv, "--vty_socket", self.directory, "-P", "0"]
        for program, more in (("zebra", []), ("bgpd", ["-l", "0.0.0.0"])):
            words = [f"/usr/lib/frr/{program}", "-f", self.directory / f"{program}.conf", "-i", self.directory / f"{program}.pid"]
            process = self.node.start(words + common + more, program)
            wait(lambda p=program: (self.directory / f"{p}.vty").exists(), f"{self.node}: {program} did not start", process)

    def show(self, command):
        return self.node.run(["vtysh", "--vty_socket", self.directory, "-c", command])

    def change(self, *lines):
        """Change its configuration while it runs."""
        self.node.run(["vtysh", "--vty_socket", self.directory] + [w for line in ("configure terminal", *lines) for w in ("-c", line)])

    def routes(self):
        """Its BGP table: prefix -> list of paths, as FRR's JSON has it."""
        return json.loads(self.show("show bgp ipv4 unicast json") or "{}").get("routes", {})


def name(community):
    return "with-" + community.replace(":", "-")


def wait(holds, message, process=None):
    end = time.monotonic() + READY_SECONDS
    while not holds():
        if time.monotonic() > end or (process and process.poll() is not None):
            raise LabError(message + (f"\n{process.log_text()}" if process else ""))
        time.sleep(0.05)


class Circuit:
    """An ExpressRoute circuit beside the Internet's way.  Change what is announced, then start()."""

    def __init__(self, lab, msee):
        self.lab, self.msee = lab, msee
        # pylint: disable=protected-access
        lab._join(lab.edge, "to-msee", CIRCUIT_EDGE, self.msee, "to-edge", CIRCUIT_HOP, 7)
        lab._join(self.msee, "to-azure", "198.18.0.25", lab.azure, "to-msee", "198.18.0.26", 8)
        self.msee.ip("route add default via 198.18.0.26")
        lab.edge.nft("add chain inet lab hide { type nat hook postrouting priority 100; }\n"
                     f'add rule inet lab hide oifname {{ "to-core1", "to-msee" }} ip saddr 10.1.0.0/24 snat ip to {HIDDEN}\n')
        lab.core1.ip(f"route add {OWN} via 198.18.0.2")
        lab.core2.ip(f"route add {OWN} via 198.18.0.5")
        lab.edge.ip(f"addr add {HIDDEN}/32 dev lo")
        self.edge = Router(lab, lab.edge, 64500, "203.0.113.1")
        self.far = Router(lab, self.msee, 12076, "203.0.113.2")
        self.azure = Router(lab, lab.azure, 8075, "198.18.0.26")
        self.isp = Router(lab, lab.core1, 64510, "198.18.0.1")
        self.edge.neighbour(CIRCUIT_HOP, 12076, ["prefix-list own out"])
        self.edge.neighbour(ISP, 64510, ["prefix-list own out"])
        self.edge.extra = f"ip prefix-list own seq 5 permit {OWN}\n"
        self.far.neighbour(CIRCUIT_EDGE, 64500)
        self.far.neighbour("198.18.0.26", 8075)
        self.azure.neighbour("198.18.0.25", 12076)
        self.isp.neighbour("198.18.0.2", 64500)
        self.far.networks = {**MICROSOFT, **OTHER_SETS}
        self.edge.networks = {OWN: None}
        self.isp.networks = {"198.18.0.0/15": None}
        self.dropped = set()  # what edge does not let in

    def start(self):
        """Start the routers, and wait until edge and azure know what they are to know."""
        routers = (self.far, self.isp, self.azure, self.edge)
        for router in routers:
            router.start()
        wanted = (set(self.far.networks) | set(self.isp.networks)) - self.dropped
        wait(lambda: wanted <= set(self.edge.routes()), "edge: BGP did not converge")
        if OWN in self.edge.networks:
            wait(lambda: OWN in self.azure.routes(), "azure: BGP did not converge")
            wait(lambda: f"{OWN} " in self.lab.azure.run("ip route"), "azure: no route of BGP's")
        kernel = [p for p in wanted if any(x.get("bestpath") and x["nexthops"][0]["ip"] == CIRCUIT_HOP for x in self.edge.routes()[p])]
        wait(lambda: all(f"{p} " in self.lab.edge.run("ip route") for p in kernel), "edge: no routes of BGP's")

    # ---------------------------------------------------------------- what the network team hands over

    def _file(self, file, text):
        path = self.lab.logs / file  # kept with a failed scenario
        path.write_text(text, encoding="utf-8")
        path.chmod(0o644)
        return str(path)

    def bgp_text(self):
        return self._file("edge-bgp.txt", self.edge.show("show bgp ipv4 unicast"))

    def bgp_json(self):
        """Short, without communities."""
        return self._file("edge-bgp.json", self.edge.show("show bgp ipv4 unicast json"))

    def bgp_detail(self):
        """Each prefix with all that is known of it, as text."""
        return self._file("edge-detail.txt", "\n".join(self.edge.show(f"show bgp ipv4 unicast {p}") for p in self.edge.routes()))

    def bgp_detail_json(self):
        return self._file("edge-detail.json", "\n".join(self.edge.show(f"show bgp ipv4 unicast {p} json") for p in self.edge.routes()))

    def route_table(self):
        """The circuit's own table in the form of `az network express-route list-route-tables`."""
        value = [{"locPrf": "", "network": prefix, "nextHop": path["nexthops"][0]["ip"], "path": path.get("path") or "", "weight": path.get("weight", 0)}
                 for prefix, paths in self.far.routes().items() for path in paths if path.get("bestpath")]
        return self._file("circuit.json", json.dumps({"value": value}, indent=2))

    def inventory(self):
        """`az network route-filter rule list-service-communities`, as Microsoft would print it for this lab."""
        found = {}
        for prefix, community in {**MICROSOFT, **OTHER_SETS}.items():
            found.setdefault(community, []).append(prefix)
        services = [{"name": f"Service{i}", "serviceName": f"Service{i}", "type": "Microsoft.Network/bgpServiceCommunities",
                     "bgpCommunities": [{"communityName": c, "communityValue": c, "communityPrefixes": p, "isAuthorizedToUse": True,
                                         "serviceGroup": "", "serviceSupportedRegion": "Global"}]} for i, (c, p) in enumerate(found.items())]
        return self._file("communities.json", json.dumps(services, indent=2))
