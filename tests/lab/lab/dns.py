"""Real DNS: knot holds all public names, unbound recurses for the enterprise, dnsdist in front bites where a fault is wanted."""
from .names import HERE
from .node import LabError

AUTHORITY, PUBLIC = "198.41.0.4", "9.9.9.9"
BEHIND_PORT = 5353

KNOT = """
server:
    rundir: "{work}"
    listen: {address}@53
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
database:
    storage: "{work}"
log:
  - target: stdout
    any: warning
zone:
  - domain: .
    file: "{work}/root.zone"
"""

UNBOUND = """
server:
    verbosity: 1
    use-syslog: no
    logfile: ""
    do-daemonize: no
    chroot: ""
    username: ""
    pidfile: ""
    directory: "{work}"
    interface: {address}@{port}
    access-control: 0.0.0.0/0 allow
    do-ip6: no
    num-threads: 1
    incoming-num-tcp: 200
    msg-cache-size: 1m
    rrset-cache-size: 1m
    module-config: "{modules}"
    do-not-query-localhost: no
    local-zone: "corp.test." static
    local-data: "proxy.corp.test. A 10.1.0.31"
    local-data: "kdc.corp.test. A 10.1.0.32"
{more}
{zones}
remote-control:
    control-enable: no
stub-zone:
    name: "."
    stub-addr: {authority}
"""

DNSDIST = """
function suffix(name)
    local node = newSuffixMatchNode()
    node:add(newDNSName(name))
    return node
end
setLocal("{address}:53")
setACL({{"0.0.0.0/0"}})
setSecurityPollSuffix("")
setAddEDNSToSelfGeneratedResponses(false)
newServer({{address="{address}:{behind}"}}):setUp()
{rules}
"""


class Authority:
    """knot with one root zone that holds every name; lab.names changes until lab.start()."""

    def __init__(self, lab):
        self.lab, self.process = lab, None

    def start(self):
        work = self.lab.work / "knot"
        work.mkdir()
        (work / "root.zone").write_text(self.lab.names.zone(), encoding="ascii")
        (work / "knot.conf").write_text(KNOT.format(work=work, address=AUTHORITY), encoding="ascii")
        self.process = self.lab.azure.start(["knotd", "-c", work / "knot.conf"], "knot")

    def wait(self):
        self.lab.azure.wait_dns(address=AUTHORITY, process=self.process)


class Resolver:
    """
    One recursive DNS server: unbound, and in front of it dnsdist as soon as it has a fault.

    Faults take a name, a list of names (each with all below it), or nothing for every question; the first that fits acts.
    """

    def __init__(self, lab, node, address):
        self.lab, self.node, self.address = lab, node, address
        self.rules, self.records, self.is_stopped, self.wrongness = [], [], False, None
        self.modules, self.options, self.zones = "iterator", [], {}  # of unbound: its modules, lines of its configuration, zone files
        self.process = self.front = None

    # ---------------------------------------------------------------- faults

    def rule(self, names, action):
        """A dnsdist action in its own words: dns1.rule("login.windows.net", "TCAction()")."""
        listed = [names] if isinstance(names, str) else names
        selector = "AllRule()" if names is None else "OrRule({" + ",".join(
            f'SuffixMatchNodeRule(suffix("{n}"))' for n in listed) + "})"
        self.rules.append(f"addAction({selector}, {action})")

    def refused(self, names=None):
        self.rule(names, "RCodeAction(DNSRCode.REFUSED)")

    def servfail(self, names=None):
        self.rule(names, "RCodeAction(DNSRCode.SERVFAIL)")

    def nxdomain(self, names=None):
        self.rule(names, "RCodeAction(DNSRCode.NXDOMAIN)")

    def formerr(self, names=None):
        self.rule(names, "RCodeAction(DNSRCode.FORMERR)")

    def nodata(self, names=None):
        self.rule(names, "RCodeAction(DNSRCode.NOERROR)")

    def silent(self, names=None):
        """No answer over UDP; and none at all over TCP, as dnsdist would close the connection instead."""
        self.rule(names, "DropAction()")
        self.node.nft('add rule inet lab input iifname "eth0" tcp dport 53 drop\n')

    def spoof(self, addresses, names=None):
        """Answer with these addresses: a sinkhole, a private rewrite."""
        listed = [addresses] if isinstance(addresses, str) else addresses
        self.rule(names, "SpoofAction({" + ",".join(f'"{a}"' for a in listed) + "})")

    def truncate(self, names=None):
        """Answer by TCP only."""
        self.rules.append("addAction(TCPRule(false), TCAction())" if names is None else
                          f"addAction(AndRule({{QNameRule(\"{names}.\"), TCPRule(false)}}), TCAction())")

    def slow(self, milliseconds, names=None):
        self.rule(names, f"DelayAction({milliseconds})")

    def record(self, text):
        """A record of the enterprise's own: dns1.record("wpad.corp.test. A 10.1.0.40")."""
        self.records.append(text)

    def without_edns(self):
        """A server from before RFC 6891: it takes an OPT record for an error of form."""
        self.rules.append("addAction(RecordsCountRule(DNSSection.Additional, 1, 65535), RCodeAction(DNSRCode.FORMERR))")

    def edns_lost(self):
        """A firewall before it drops UDP questions that have an additional record (RFC 1035 4.1.1: ARCOUNT, behind UDP's 8 bytes)."""
        self.node.nft('add rule inet lab input iifname "eth0" udp dport 53 @th,144,16 != 0 drop\n')

    def large_replies_lost(self, over=512):
        """A firewall before it drops replies over UDP that are larger than this many bytes."""
        self.node.nft(f'add rule inet lab output oifname "eth0" udp sport 53 udp length > {over + 8} drop\n')

    def distrusts(self, name):
        """It validates, and its trust anchor for this name fits no key of the zone: SERVFAIL, unless the question says CD=1."""
        self.modules = "validator iterator"
        self.options += [f'trust-anchor: "{name}. DS 20326 8 2 ' + "AB" * 32 + '"', "ede: yes"]

    def cannot_go_out(self, names=None):
        """Its own way to the servers of these names (nothing: of all) is shut."""
        for name in names or ["."]:
            self.zones[name] = None

    def serves_others_only(self):
        """Its access list leaves the client out, and it says so (RFC 8914 4.19)."""
        self.options += ["access-control: 10.1.0.2/32 refuse", "ede: yes"]

    def invents(self, address, but=()):
        """It answers for every name that does not exist, as some providers do; `but` are names that it takes for such."""
        known = [n for host in self.lab.names.hosts.values() for n in [host.name] + host.chain if n not in but]
        self.rules.append("known = newDNSNameSet()")
        self.rules += [f'known:add(newDNSName("{name}"))' for name in sorted(set(known) | {"proxy.corp.test"})]
        self.rules.append(f'addAction(NotRule(OrRule({{QNameSetRule(known), QNameRule(".")}})), SpoofAction({{"{address}"}}))')

    def wildcard(self, zone, address):
        """A zone of the enterprise's own in which every name has this address."""
        self.options += [f'local-zone: "{zone}." redirect', f'local-data: "{zone}. A {address}"']

    def private_zone(self, zone, records=()):
        """A private zone that aliases of public names lead into; records as in a zone file."""
        self.zones[zone] = "\n".join([f"$ORIGIN {zone}.", "$TTL 60", "@ SOA a.root. hostmaster.root. 1 3600 900 604800 60",
                                      "@ NS a.root.", *records]) + "\n"

    def stopped(self):
        """The machine is there and nothing listens on port 53: it answers with ICMP port unreachable."""
        self.is_stopped = True

    def wrong(self, mode):
        """Answer every question wrongly: modes of dns_stub.py."""
        self.wrongness = mode

    def dead(self):
        """The machine does not answer at all."""
        self.node.nft('add rule inet lab input iifname "eth0" meta l4proto { tcp, udp } th dport 53 drop\n')

    # ---------------------------------------------------------------- running

    def start(self):
        if self.is_stopped:
            return
        if self.wrongness:
            self.process = self.node.start(["/usr/bin/python3", HERE / "dns_stub.py", self.wrongness, self.address], "dns-stub")
            return
        work = self.lab.work / f"unbound-{self.node}-{self.address}"
        work.mkdir()
        more = "\n".join([f'    local-data: "{r}"' for r in self.records] + [f"    {line}" for line in self.options])
        port = BEHIND_PORT if self.rules else 53
        (work / "unbound.conf").write_text(UNBOUND.format(
            work=work, address=self.address, port=port, more=more, authority=AUTHORITY, modules=self.modules,
            zones="\n".join(self._zone(work, *zone) for zone in self.zones.items())), encoding="ascii")
        self.process = self.node.start([self.lab.unconfined("unbound"), "-d", "-c", work / "unbound.conf"], f"unbound-{self.address}")
        if self.rules:
            (work / "dnsdist.conf").write_text(DNSDIST.format(
                address=self.address, behind=BEHIND_PORT, rules="\n".join(self.rules)), encoding="ascii")
            self.front = self.node.start(["dnsdist", "--supervised", "--disable-syslog", "-C", work / "dnsdist.conf"],
                                         f"dnsdist-{self.address}")

    @staticmethod
    def _zone(work, name, text):
        """A zone that unbound does not find out by itself: in a file, or at a server that nobody reaches."""
        if text is None:
            return f'forward-zone:\n    name: "{name}"\n    forward-addr: 192.0.2.53'
        path = work / f"{name}.zone"
        path.write_text(text, encoding="ascii")
        return f'auth-zone:\n    name: "{name}"\n    zonefile: "{path}"\n    for-downstream: no\n    fallback-enabled: no'

    def wait(self):
        if self.is_stopped:
            return
        if self.wrongness:
            self.node.wait_udp(53, self.process)
            return
        self.node.wait_dns(BEHIND_PORT if self.rules else 53, self.address, self.process)
        if self.front:
            self.node.wait_tcp(53, self.address, self.front)
            if self.front.poll() is not None:
                raise LabError(self.front.log_text())


def public_resolver(lab):
    """A DNS server on the Internet that tells the truth, as --control-resolver; returns its address."""
    lab.pending.append(Resolver(lab, lab.azure, PUBLIC))
    return PUBLIC
