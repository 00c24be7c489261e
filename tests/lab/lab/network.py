"""The topology: client - edge - core1 - core2 - azure, with the enterprise's servers beside the client."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from . import bgp, dns, inside, kerberos, proxies, registry, tags, tls, web
from .names import HERE, PREFIXES, PREFIXES6, Names, is_address
from .node import LabError, Node, as_uid, run

CLIENT, EDGE_LAN, DNS1, DNS2, PROXY, KDC = ("10.1.0.2", "10.1.0.1", "10.1.0.53", "10.1.0.54", "10.1.0.31", "10.1.0.32")
LAN6 = "2001:db8:1::"
ROUTER = {
    "net__ipv4__ip_forward": 1, "net__ipv6__conf__all__forwarding": 1, "net__ipv4__conf__all__rp_filter": 0,
    "net__ipv4__conf__default__rp_filter": 0,
    # What passes the bridge is the LAN's own business: the edge filters only what it routes.
    "net__bridge__bridge-nf-call-iptables": 0, "net__bridge__bridge-nf-call-ip6tables": 0,
}
COMMON = {"net__ipv4__icmp_ratelimit": 0, "net__ipv4__icmp_msgs_per_sec": 100000, "net__ipv6__icmp__ratelimit": 0,
          "net__ipv6__conf__all__accept_dad": 0, "net__ipv6__conf__default__accept_dad": 0,
          "net__ipv6__conf__all__accept_ra": 0, "net__ipv6__conf__default__accept_ra": 0}


class Process(subprocess.Popen):
    """A server of the lab, with its log."""

    def __init__(self, words, log, environment):
        self.log = log
        self._log_file = open(log, "ab")
        super().__init__(words, stdin=subprocess.DEVNULL, stdout=self._log_file, stderr=self._log_file,
                         env={**os.environ, **(environment or {})}, start_new_session=True)

    def log_text(self):
        return self.log.read_text(encoding="utf-8", errors="replace")


class Lab:
    """One network.  Made inside network, mount and pid namespaces of its own, which end everything that it started."""

    def __init__(self, build, work=None, delay_ms=2.0):
        refuse_with_a_way_out()
        self.build = pathlib.Path(build).resolve()
        self.work = pathlib.Path(work or tempfile.mkdtemp(prefix="lab"))
        self.logs = self.work / "logs"
        self.logs.mkdir(parents=True, exist_ok=True)
        self.work.chmod(0o755)
        self.names = Names()
        self.processes, self.pending = [], []
        self.arguments, self.environment, self.prefix = [], {}, []
        self.interrupt_after = None  # seconds, then Ctrl-C
        self.rights = False  # run the program as root
        self.slowness = 1  # how much longer the program may take for what it does in no time
        self._make_nodes()
        self._make_lan()
        self._make_internet()
        self.wire(delay_ms=delay_ms)
        self.ca = tls.authority(self.build)
        self.zone = dns.Authority(self)
        self.dns1 = dns.Resolver(self, self.node_dns1, DNS1)
        self.dns2 = dns.Resolver(self, self.node_dns2, DNS2)
        self.web = web.Web(self)
        self.pending = [self.zone, self.dns1, self.dns2, self.web]
        self.resolv_conf([DNS1, DNS2])
        self.hosts_file({})
        for name in ("nsswitch.conf", "resolv.conf"):
            shutil.copy(f"/etc/netns/client/{name}", f"/etc/netns/proxy/{name}")

    # ---------------------------------------------------------------- building

    def node(self, name, **sysctls):
        """A new namespace with lo up."""
        node = Node(self, name)
        node.sysctl(**COMMON, **sysctls)
        node.ip("link set lo up")
        (pathlib.Path("/etc/netns") / name).mkdir(parents=True, exist_ok=True)
        return node

    def _make_nodes(self):
        self.client = self.node("client")
        self.edge = self.node("edge", **ROUTER)
        self.core1 = self.node("core1", **ROUTER)
        self.core2 = self.node("core2", **ROUTER)
        self.azure = self.node("azure", net__core__somaxconn=65535, net__ipv4__conf__all__rp_filter=0)
        self.other = self.node("other")
        self.node_dns1, self.node_dns2 = self.node("dns1"), self.node("dns2")
        self.proxy, self.kdc_node = self.node("proxy"), self.node("kdc")

    def _make_lan(self):
        """The enterprise's LAN is a bridge in edge; the client hangs on it by an Ethernet wire of 1 ms."""
        self.edge.ip(f"link add lan address {mac(EDGE_LAN)} type bridge forward_delay 0", f"addr add {EDGE_LAN}/24 dev lan",
                     f"addr add {LAN6}1/64 dev lan nodad", "link set lan up")
        self.lan_wire()
        for node, address in ((self.node_dns1, DNS1), (self.node_dns2, DNS2), (self.proxy, PROXY), (self.kdc_node, KDC)):
            self.edge.ip(f"link add lan-{node} type veth peer name eth0 netns {node}", f"link set lan-{node} master lan up")
            node.ip(f"link set eth0 address {mac(address)} up", f"addr add {address}/24 dev eth0",
                    f"addr add {LAN6}{address.split('.')[3]}/64 dev eth0 nodad",
                    f"neigh replace {LAN6}1 lladdr {mac(EDGE_LAN)} dev eth0 nud permanent",
                    f"route add default via {EDGE_LAN}", f"route add ::/0 via {LAN6}1")

    def _make_internet(self):
        self._join(self.edge, "to-core1", "198.18.0.2", self.core1, "to-edge", "198.18.0.1", 1)
        self._join(self.core2, "to-azure", "198.18.0.9", self.azure, "to-core2", "198.18.0.10", 3)
        self._join(self.core2, "to-other", "198.18.0.13", self.other, "to-core2", "198.18.0.14", 4)
        self.edge.ip("route add default via 198.18.0.1", "route add ::/0 via 2001:db8:f:1::1")
        self.core1.ip("route add 10.1.0.0/24 via 198.18.0.2", f"route add {LAN6}/64 via 2001:db8:f:1::2")
        self.core2.ip("route add default via 198.18.0.10", "route add ::/0 via 2001:db8:f:3::a")
        self.azure.ip("route add default via 198.18.0.9", "route add ::/0 via 2001:db8:f:3::9")
        self.other.ip("route add default via 198.18.0.13", "route add ::/0 via 2001:db8:f:4::d")
        stray = [f"{a}/32" for h in self.names.hosts.values() if h.service != "none" for a in h.v4]
        self.azure.ip(*[f"route replace local {p} dev lo" for p in PREFIXES + stray + ["198.41.0.4/32", "9.9.9.9/32"]],
                      *[f"route replace local {p} dev lo" for p in PREFIXES6])

    @staticmethod
    def _join(left, left_device, left_address, right, right_device, right_address, net6):
        left.ip(f"link add {left_device} type veth peer name {right_device} netns {right}")
        ends = [(left, left_device, left_address), (right, right_device, right_address)]
        for (node, device, address), (_, _, peer) in (ends, ends[::-1]):
            mine, theirs = (f"2001:db8:f:{net6}::{int(a.split('.')[3]):x}" for a in (address, peer))
            node.ip(f"link set {device} address {mac(address)} up", f"addr add {address}/30 dev {device}",
                    f"addr add {mine}/64 dev {device} nodad",
                    f"neigh replace {theirs} lladdr {mac(peer)} dev {device} nud permanent")

    def _tundelay(self, name, words):
        old = next((p for p in self.processes if p.name == name), None)
        if old:
            self.stop_process(old)
            old.log.unlink()
        process = self.start_process([tools(self.build) / "tundelay"] + words, name)
        end = time.monotonic() + 10
        while "ready" not in process.log_text():
            if process.poll() is not None or time.monotonic() > end:
                raise LabError(f"{name}: {process.log_text()}")
            time.sleep(0.005)

    def lan_wire(self, delay_ms=1.0, options=()):
        """The client's own link, anew: tundelay's options are the faults."""
        self._tundelay("lan-wire", ["-A", "client", "-a", "eth0", "-B", "edge", "-b", "lan-client", "-e",
                                    "-d", str(delay_ms)] + [str(o) for o in options])
        self.edge.ip("link set lan-client master lan up")
        self.client.ip(f"link set eth0 address {mac(CLIENT)} up", f"addr add {CLIENT}/24 dev eth0",
                       f"addr add {LAN6}2/64 dev eth0 nodad",
                       f"neigh replace {LAN6}1 lladdr {mac(EDGE_LAN)} dev eth0 nud permanent",
                       f"route add default via {EDGE_LAN}", f"route add ::/0 via {LAN6}1")

    def wire(self, options=(), delay_ms=2.0):
        """The wire between core1 and core2, anew: lab.wire(["-k", "login.windows.net"]), lab.wire(["-m", 1400])."""
        self._tundelay("wire", ["-A", "core1", "-a", "wire-core2", "-B", "core2", "-b", "wire-core1", "-d", str(delay_ms)]
                       + [str(o) for o in options])
        self.core1.ip("addr add 198.18.0.5 peer 198.18.0.6 dev wire-core2", "addr add 2001:db8:f:2::5/64 dev wire-core2 nodad",
                      "link set wire-core2 up txqueuelen 5000", "route add default via 198.18.0.6",
                      "route add ::/0 via 2001:db8:f:2::6")
        self.core2.ip("addr add 198.18.0.6 peer 198.18.0.5 dev wire-core1", "addr add 2001:db8:f:2::6/64 dev wire-core1 nodad",
                      "link set wire-core1 up txqueuelen 5000", "route add 10.1.0.0/24 via 198.18.0.5",
                      "route add 198.18.0.0/30 via 198.18.0.5", f"route add {LAN6}/64 via 2001:db8:f:2::5",
                      "route add 2001:db8:f:1::/64 via 2001:db8:f:2::5")

    # ---------------------------------------------------------------- the client's files

    def _client_file(self, name, text):
        path = pathlib.Path("/etc/netns/client") / name
        path.write_text(text, encoding="utf-8")
        return path

    def resolv_conf(self, servers, extra=""):
        """Which DNS servers the client is configured with."""
        self._client_file("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n")
        self._client_file("resolv.conf", "".join(f"nameserver {s}\n" for s in servers) + extra)

    def search_suffixes(self):
        """The suffixes that resolv.conf names."""
        lines = pathlib.Path("/etc/netns/client/resolv.conf").read_text(encoding="utf-8").splitlines()
        return next((line.split()[1:] for line in lines if line.startswith("search ")), [])

    def hosts_file(self, entries):
        """lab.hosts_file({"login.windows.net": "10.9.9.9"}) beside localhost."""
        lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost"]
        self._client_file("hosts", "\n".join(lines + [f"{a} {n}" for n, a in entries.items()]) + "\n")

    # ---------------------------------------------------------------- faults in one line

    def only_proxy_goes_out(self):
        """The usual enterprise: the edge lets the proxy and the DNS servers out, and nobody else, without a word."""
        self.edge.drop(src=[CLIENT, f"{LAN6}2"])

    def move_to_other(self, what):
        """Give a host's addresses to the namespace `other`, where nothing listens until a stub does."""
        addresses = self.names.addresses(what)
        self.core2.ip(*[f"route replace {a} via {'2001:db8:f:4::e' if ':' in a else '198.18.0.14'}" for a in addresses])
        self.other.ip(*[f"route replace local {a} dev lo" for a in addresses])
        return addresses

    def only(self, what):
        """Options of lab.wire() and lab.lan_wire(): what they do, they do only to these."""
        return ["--to", ",".join(self.names.addresses(what))]

    def routers(self):
        return self.edge, self.core1, self.core2

    def mute(self, *nodes):
        """Let these routers (none named: all) say nothing when a TTL runs out."""
        for node in nodes or self.routers():
            node.mute()

    def no_icmp(self):
        """No router sends or passes any ICMP."""
        for node in self.routers():
            node.no_icmp()

    def loop(self, what):
        """core1 sends these to core2, and core2 sends them back."""
        self.core2.ip(*[f"route replace {a} via {'2001:db8:f:2::5' if ':' in a else '198.18.0.5'}" for a in self.names.addresses(what)])

    def ecmp(self, what, good=3, bad=1):
        """core1 has several ways to these, chosen by the flow's addresses and ports; the bad ones lead nowhere."""
        self.core1.sysctl(net__ipv4__fib_multipath_hash_policy=1, net__ipv4__fib_multipath_hash_seed=24301)
        self.core1.ip("link add nowhere type veth peer name nowhere netns other", "addr add 198.18.1.1/30 dev nowhere", "link set nowhere up",
                      f"neigh replace 198.18.1.2 lladdr {mac('198.18.1.2')} dev nowhere nud permanent",
                      *[f"route replace {a} nexthop via 198.18.0.6 dev wire-core2 weight {good} nexthop via 198.18.1.2 dev nowhere weight {bad}"
                        for a in self.names.addresses(what) if ":" not in a])
        self.other.ip("link set nowhere up")

    def another_way_back(self):
        """What core2 sends to the enterprise goes to the edge by a wire of its own, which core1 does not see."""
        self._join(self.core2, "back", "198.18.0.22", self.edge, "back", "198.18.0.21", 6)
        self.core2.ip("route replace 10.1.0.0/24 via 198.18.0.21", f"route replace {LAN6}/64 via 2001:db8:f:6::15")

    def masquerade(self):
        """The edge shows one address of its own for the whole enterprise."""
        self.edge.nft("add chain inet lab hide { type nat hook postrouting priority 100; }\n"
                      'add rule inet lab hide oifname "to-core1" masquerade\n')

    def small_mtu(self, mtu_bytes, out=True, back=True):
        """The wire between core1 and core2 carries no more, and its routers say so by ICMP.  (lab.wire(["-m", N]): nobody says so.)"""
        if out:
            self.core1.ip(f"link set wire-core2 mtu {mtu_bytes}")
        if back:
            self.core2.ip(f"link set wire-core1 mtu {mtu_bytes}")

    def revocation_hosts(self):
        """Where revocation lists are, and who answers about single certificates."""
        return [n for n, host in self.names.hosts.items() if host.service == "pki" and not n.startswith(("cacerts.", "ctldl."))]

    def stub(self, mode, host, port=443, certificate=None):
        """Put a small misbehaving server (stub.py) where a host is: lab.stub("rst-on-accept", "login.windows.net")."""
        self._start_stub(self.other, mode, self.move_to_other(host), port, certificate)

    def proxy_stub(self, mode, port=3128, certificate=None):
        """The same as a proxy: lab.proxy_stub("close-after-request")."""
        self._start_stub(self.proxy, mode, [PROXY], port, certificate)
        return f"proxy.corp.test:{port}"

    def accelerator(self, port=9000):
        """core1 takes every TCP connection itself, with all ports open, and passes on what it carries (a WAN accelerator)."""
        self._start_stub(self.core1, "onwards", ["198.18.0.1"], port, None)
        self.core1.nft("add chain inet lab divert { type nat hook prerouting priority -100; }\n"
                       f'add rule inet lab divert iifname "to-edge" ip protocol tcp ip daddr != 198.18.0.1 redirect to :{port}\n')

    def _start_stub(self, node, mode, addresses, port, certificate):
        words = [HERE / "stub.py", mode, port] + addresses
        if certificate:
            words = [HERE / "stub.py", "--cert", certificate.chain, "--key", certificate.key, mode, port] + addresses
        process = node.start(["/usr/bin/python3"] + words, f"stub-{mode.split(':')[0]}-{port}")
        node.wait_tcp(port, addresses[-1], process)

    def measure(self):
        """Let the next run be measured; returns a function that then says its peak memory in KiB."""
        tool, figures = self.work / "measure", self.work / "figures"
        shutil.copy(tools(self.build) / "measure", tool)
        figures.mkdir()
        figures.chmod(0o777)
        self.prefix = [tool, figures / "figures"] + self.prefix
        return lambda: int((figures / "figures").read_text(encoding="ascii").split()[3])

    # ---------------------------------------------------------------- servers and settings in one line

    squid = proxies.squid
    tinyproxy = proxies.tinyproxy
    dante = proxies.dante
    nginx_forward = proxies.nginx_forward
    nginx_tls = proxies.nginx_tls
    proxy_forward = proxies.proxy_forward
    proxy_reply = proxies.proxy_reply
    hidden_squid = proxies.hidden_squid
    hidden_nginx = proxies.hidden_nginx
    proxy_status = proxies.proxy_status
    kdc = kerberos.kdc
    reg = registry.reg
    service_tags = tags.service_tags
    public_resolver = dns.public_resolver

    def circuit(self):
        """An ExpressRoute circuit beside the Internet's way (bgp.py)."""
        return bgp.Circuit(self, self.node("msee", **ROUTER))

    def start_process(self, words, name, environment=None):
        process = Process([str(w) for w in words], self.logs / f"{name}.log", environment)
        process.name = name
        self.processes.append(process)
        return process

    def stop_process(self, process):
        process.terminate()
        try:
            process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self.processes.remove(process)

    def start(self):
        """Start the servers that are not running yet, side by side, and wait until each of them answers."""
        starting, self.pending = self.pending, []
        for server in starting:
            server.start()
        for server in starting:
            server.wait()

    def close(self):
        """TERM, then KILL; what is left ends with the pid namespace."""
        for process in self.processes:
            process.terminate()
        end = time.monotonic() + 0.3
        while time.monotonic() < end and any(p.poll() is None for p in self.processes):
            time.sleep(0.02)
        for process in self.processes:
            if process.poll() is None:
                process.kill()
        shutil.rmtree(self.work, ignore_errors=True)

    def unconfined(self, program):
        """A copy of a server's program: AppArmor's profiles, which know only the paths of the real service, do not fit it."""
        copy = self.work / "bin" / program
        if not copy.exists():
            copy.parent.mkdir(exist_ok=True)
            shutil.copy(shutil.which(program, path="/usr/sbin:/usr/bin"), copy)
        return copy

    def as_user(self, words, environment=None):
        """The argument list that runs something on the client as an ordinary user (uid 65534, no capability), or as root with self.rights."""
        values = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/nonexistent"}
        values.update(self.environment, **(environment or {}))
        return self.client.command(as_uid(0 if self.rights else inside.ORDINARY, words, values))


def tools(build):
    """Where the lab's own C programs are: in the same build, or, beside a Windows build, in the plain one."""
    own = pathlib.Path(build) / "lab"
    return own if (own / "tundelay").exists() else pathlib.Path(build).parent / "plain" / "lab"


def mac(address):
    """A hardware address of our own for an IPv4 address.  Known neighbours: the first search for one over IPv6 can take a second,
    as the kernel handles new links only so often."""
    return "02:00:" + ":".join(f"{int(part):02x}" for part in address.split("."))


def refuse_with_a_way_out():
    """Rule 0: nothing of the lab may ever run where a packet could leave this machine."""
    for family in ("-4", "-6"):
        if run(["ip", family, "route", "show", "default"]).strip():
            raise SystemExit("lab: this namespace has a default route: refusing to run; use tests/lab/run-scenarios")


__all__ = ["Lab", "LabError", "is_address"]
