"""Names and addresses of the stand-in: names.txt, and for every other name of targets/*.ini a fixed rule."""
import fnmatch
import hashlib
import ipaddress
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent.parent
ROOT = HERE.parent.parent
DEFAULT_RANGE = ipaddress.ip_network("13.64.0.0/11")
REGIONS = {"public": ["eus", "we", "jpe"], "usgov": ["ugv"], "china": ["bjb2"]}

# Everything in these belongs to the namespace azure (AnyIP), whether a name points there or not.
PREFIXES = [
    "20.190.128.0/18", "40.126.0.0/18", "20.20.32.0/19", "20.231.128.0/19", "48.213.128.0/20",
    "13.64.0.0/11", "13.104.0.0/14", "20.33.0.0/16", "52.239.0.0/16", "23.32.0.0/11", "192.229.128.0/17",
    "20.140.232.0/23", "40.72.70.0/23", "104.16.0.0/13",
]
PREFIXES6 = ["2603:1000::/24", "2620:1ec::/36"]


class Host:
    """One name: the service that it offers, its CNAME chain and its addresses."""

    def __init__(self, name, service, addresses, chain=()):
        self.name, self.service, self.addresses, self.chain = name, service, list(addresses), list(chain)

    @property
    def v4(self):
        return [a for a in self.addresses if ":" not in a]

    @property
    def v6(self):
        return [a for a in self.addresses if ":" in a]


def default_address(name):
    """The address of a name that names.txt does not list: its hash picks one out of DEFAULT_RANGE."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    return str(DEFAULT_RANGE[1 + number % (DEFAULT_RANGE.num_addresses - 2)])


def target_hosts():
    """All host names of targets/*.ini, {region} filled in."""
    found = set()
    for path in sorted((ROOT / "targets").glob("*.ini")):
        text = path.read_text(encoding="utf-8")
        cloud = re.search(r"^cloud\s*=\s*(\w+)", text, re.M)
        for host in re.findall(r"^(?:url\s*=\s*https?://|host\s*=\s*)([^/\s:;]+)", text, re.M):
            for region in REGIONS.get(cloud.group(1) if cloud else "public", ["eus"]):
                found.add(host.replace("{region}", region).lower())
    return found


class Names:
    """The table: hosts by name, and suffix patterns in the order of the file."""

    def __init__(self, path=HERE / "names.txt"):
        self.hosts, self.patterns = {}, []
        for line in path.read_text(encoding="utf-8").splitlines():
            words = line.split("#")[0].split()
            if words and words[0].startswith("*"):
                self.patterns.append((words[0], words[1]))
            elif words:
                self._add_line(words)
        for name in sorted(target_hosts()):
            if name not in self.hosts:
                self.hosts[name] = Host(name, self.service_of(name), [default_address(name)])

    def _add_line(self, words):
        name, service, rest = words[0], words[1], [w for w in words[2:] if w != "->"]
        chain = [w for w in rest if not is_address(w)]
        self.hosts[name] = Host(name, service, [w for w in rest if is_address(w)], chain)

    def service_of(self, name):
        if name in self.hosts:
            return self.hosts[name].service
        return next((service for pattern, service in self.patterns if fnmatch.fnmatch(name, pattern)), "plain")

    def addresses(self, what):
        """Addresses of a host name, an address or a prefix, or a list of those."""
        if isinstance(what, (list, tuple, set)):
            return [address for one in what for address in self.addresses(one)]
        if is_address(what):
            return [what]
        return list(self.hosts[what].addresses)

    def remove(self, name):
        """Take a name out of the public DNS, with every wildcard that would answer for it."""
        self.hosts.pop(name)
        self.patterns = [(p, s) for p, s in self.patterns if not fnmatch.fnmatch(name, p)]

    def of_service(self, service):
        """Names and wildcards that one server block and one certificate of this service must cover."""
        names = [h.name for h in self.hosts.values() if h.service == service]
        wild = [p for p, s in self.patterns if s == service]
        for pattern in list(wild):
            if pattern.startswith("*.backup."):
                wild += [f"*.{region}{pattern[1:]}" for regions in REGIONS.values() for region in regions]
        return sorted(names) + wild

    def zone(self):
        """Everything as one root zone, so that an authoritative server follows each CNAME itself."""
        lines = ["$ORIGIN .", "$TTL 300", ". 3600 IN SOA a.root. hostmaster.root. 1 3600 900 604800 60",
                 ". 3600 IN NS a.root.", "a.root. IN A 198.41.0.4"]
        owners, records = set(), set()
        for host in self.hosts.values():
            chain = [host.name] + host.chain
            for owner, following in zip(chain, chain[1:]):
                records.add(f"{owner}. 300 IN CNAME {following}.")
            for address in host.addresses:
                records.add(f"{chain[-1]}. 60 IN {'AAAA' if ':' in address else 'A'} {address}")
            owners.add(host.name)
        for pattern, _ in self.patterns:
            records.update(self._wildcards(pattern, owners))
        return "\n".join(lines + sorted(records)) + "\n"

    @staticmethod
    def _wildcards(pattern, owners):
        """A wildcard stops at names that exist on the way to a longer one (RFC 4592 2.2.2): repeat it below each of those."""
        suffix = pattern[2:]
        yield f"{pattern}. 60 IN A {default_address(pattern)}"
        for owner in owners:
            if not owner.endswith("." + suffix):
                continue
            labels = owner[: -len(suffix) - 1].split(".")
            for i in range(1, len(labels)):
                between = ".".join(labels[i:]) + "." + suffix
                yield f"*.{between}. 60 IN A {default_address(pattern)}"


def is_address(text):
    try:
        ipaddress.ip_network(text, strict=False)
        return True
    except ValueError:
        return False
