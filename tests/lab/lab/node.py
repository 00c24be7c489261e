"""One network namespace: its interfaces, its packet filter, its processes."""
import contextlib
import ctypes
import os
import pathlib
import shlex
import socket
import subprocess
import time

_libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
READY_SECONDS = 20

REJECT = {
    "admin": "icmpx type admin-prohibited", "host": "icmpx type host-unreachable", "net": "icmpx type no-route",
    "port": "icmpx type port-unreachable", "reset": "tcp reset",
}
ICMPV6_ERRORS = ("destination-unreachable", "packet-too-big", "time-exceeded", "parameter-problem", "echo-request", "echo-reply")
FILTER = """
table inet lab {
    chain prerouting { type filter hook prerouting priority -300; }
    chain forward { type filter hook forward priority 0; }
    chain input { type filter hook input priority 0; }
    chain output { type filter hook output priority 0; }
}
"""


class LabError(Exception):
    """The lab itself failed: never a verdict about the program."""


def run(command, text=None, check=True):
    """Run a command to its end; its output is shown only in the error."""
    words = shlex.split(command) if isinstance(command, str) else [str(w) for w in command]
    done = subprocess.run(words, input=text, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if check and done.returncode != 0:
        raise LabError(f"{' '.join(words)}: exit {done.returncode}\n{done.stdout}{text or ''}")
    return done.stdout


def as_uid(uid, words, values):
    """The argument list that runs something as that user without any capability (root keeps them), with this environment alone."""
    drop = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"] if uid else []
    return ["env", "-i"] + [f"{k}={v}" for k, v in values.items()] + drop + [str(w) for w in words]


def _enter(fd):
    if _libc.setns(fd, CLONE_NEWNET) != 0:
        raise LabError(f"setns: {os.strerror(ctypes.get_errno())}")


class Node:
    """A namespace by name; made by Lab.node()."""

    def __init__(self, lab, name):
        self.lab, self.name = lab, name
        self._filtered = False
        run(["ip", "netns", "add", name])

    def __str__(self):
        return self.name

    @contextlib.contextmanager
    def entered(self):
        """The calling thread's new sockets and /proc/sys/net are this namespace's inside the with block."""
        home = os.open("/proc/self/ns/net", os.O_RDONLY)
        here = os.open(f"/run/netns/{self.name}", os.O_RDONLY)
        try:
            _enter(here)
            yield self
        finally:
            _enter(home)
            os.close(here)
            os.close(home)

    # ---------------------------------------------------------------- network

    def ip(self, *lines):
        """Run lines of `ip -batch` in here: node.ip("link set lo up", "route add default via 10.1.0.1")."""
        run(["ip", "-n", self.name, "-batch", "-"], "\n".join(lines) + "\n")

    def sysctl(self, **values):
        """node.sysctl(net__ipv4__ip_forward=1); a name that this kernel lacks is passed over."""
        with self.entered():
            for name, value in values.items():
                path = pathlib.Path("/proc/sys") / name.replace("__", "/")
                if path.exists():
                    path.write_text(f"{value}\n")

    def nft(self, text):
        """Add rules; the table inet lab with chains prerouting, forward, input and output is there."""
        if not self._filtered:
            self._filtered = True
            text = FILTER + text
        run(["ip", "netns", "exec", self.name, "nft", "-f", "-"], text)

    def _rules(self, chain, action, dst, port, src, proto):
        families = [("ip", ""), ("ip6", "")]
        if dst is not None or src is not None:
            families = [(f, f) for f in ("ip", "ip6")]
        for family, prefix in families[:1] if dst is None and src is None else families:
            words = [f"add rule inet lab {chain}"]
            if not self._match_addresses(words, prefix, family, "daddr", dst):
                continue
            if not self._match_addresses(words, prefix, family, "saddr", src):
                continue
            if port is not None:
                ports = port if isinstance(port, (list, tuple)) else [port]
                words.append(f"{proto or 'tcp'} dport {{ {', '.join(map(str, ports))} }}")
            elif proto:
                words.append(f"meta l4proto {proto}")
            yield " ".join(words + [action])

    def _match_addresses(self, words, prefix, family, field, what):
        if what is None:
            return True
        wanted = [a for a in self.lab.names.addresses(what) if (":" in a) == (family == "ip6")]
        if wanted:
            words.append(f"{prefix} {field} {{ {', '.join(wanted)} }}")
        return bool(wanted)

    def rule(self, action, dst=None, port=None, src=None, proto=None, chain="forward"):
        """Add one rule: dst and src are names, addresses, prefixes or lists of them; no port means every port."""
        self.nft("\n".join(self._rules(chain, action, dst, port, src, proto)) + "\n")

    def drop(self, dst=None, port=None, src=None, proto=None, chain="forward"):
        """
        Forget matching packets without a word.  A router does that after it has looked at the TTL, and is itself the last that is heard;
        with chain="prerouting" before.
        """
        self.rule("drop", dst, port, src, proto, chain)

    def reject(self, dst=None, port=None, src=None, proto=None, how="admin", chain="forward"):
        """Answer matching packets with an error of this node: admin, host, net, port (ICMP) or reset (TCP)."""
        self.rule(f"reject with {REJECT[how]}", dst, port, src, proto or ("tcp" if how == "reset" else None), chain)

    def mute(self):
        """Say nothing when a TTL runs out here."""
        self.nft("add rule inet lab output icmp type time-exceeded drop\nadd rule inet lab output icmpv6 type time-exceeded drop\n")

    def no_icmp(self):
        """Neither send nor forward any ICMP; IPv6's neighbours are still found."""
        for chain in ("output", "forward"):
            self.nft(f"add rule inet lab {chain} meta l4proto icmp drop\n"
                     f"add rule inet lab {chain} icmpv6 type {{ {', '.join(ICMPV6_ERRORS)} }} drop\n")

    def clamp_mss(self):
        """Let no SYN that passes announce larger segments than the way out carries."""
        self.nft("add rule inet lab forward tcp flags syn tcp option maxseg size set rt mtu\n")

    # ---------------------------------------------------------------- processes

    def command(self, words):
        """The argument list that runs something in here, with /etc/netns/NAME over /etc."""
        return ["ip", "netns", "exec", self.name] + [str(w) for w in words]

    def run(self, command, check=True):
        """Run a command in here to its end and return what it printed."""
        return run(self.command(shlex.split(command) if isinstance(command, str) else command), check=check)

    def start(self, words, name, environment=None):
        """Start a server in here; its output goes to logs/NAME.log.  It lives until the lab ends or Process.kill()."""
        return self.lab.start_process(self.command(words), f"{self.name}-{name}", environment)

    def wait_tcp(self, port, address="127.0.0.1", process=None):
        """Wait until something in here accepts connections."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET

        def is_open():
            with socket.socket(family, socket.SOCK_STREAM) as one:
                one.settimeout(1)
                return one.connect_ex((address, port)) == 0

        self._wait(is_open, f"{self.name}: nothing listens on {address} port {port}", process)

    def wait_udp(self, port, process=None):
        """Wait until something in here has opened this UDP port (Linux: /proc/net/udp, local address in its second column)."""
        self._wait(lambda: f":{port:04X} " in pathlib.Path("/proc/thread-self/net/udp").read_text(encoding="ascii"),
                   f"{self.name}: nobody has UDP port {port}", process)

    def wait_dns(self, port=53, address="127.0.0.1", process=None):
        """Wait until a DNS server in here answers a query (RFC 1035 4.1: id 0x6d61, RD, one question, ". SOA")."""
        query = b"ma\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x06\x00\x01"

        def answers():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
                one.settimeout(0.2)
                try:
                    one.sendto(query, (address, port))
                    return one.recv(512)[:2] == b"ma"
                except OSError:
                    return False

        self._wait(answers, f"{self.name}: no DNS answer from {address} port {port}", process)

    def _wait(self, is_ready, message, process):
        end = time.monotonic() + READY_SECONDS
        with self.entered():
            while not is_ready():
                if time.monotonic() > end or (process and process.poll() is not None):
                    raise LabError(message + (f"\n{process.log_text()}" if process else ""))
                time.sleep(0.02)
