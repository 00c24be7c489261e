"""The lab's certificate authority: root and intermediate, made once and kept under the build directory, and leaves."""
import fcntl
import hashlib
import pathlib

from .names import Names
from .node import run

CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
AIA = "http://www.microsoft.com/pkiops/certs/lab-intermediate.crt"
CRLS = ("http://crl3.digicert.com/lab.crl", "http://crl4.digicert.com/lab.crl")
OCSP = "http://ocsp.digicert.com"
SERVICES = ("login", "login200", "backup", "blob", "blobstorage", "plain", "ncsi", "pki")
LEAF_DAYS = 365
FULL_NUMBER = 64  # hexadecimal digits of a number as long as the curve's order


class Certificate:
    """Files of one certificate: leaf alone, leaf with its intermediates, key."""

    def __init__(self, directory, name):
        base = pathlib.Path(directory) / name
        self.leaf, self.chain, self.key = (base.with_name(f"{name}{end}") for end in (".crt", ".chain.pem", ".key"))


def _has_short_number(certificate):
    """
    Does a number of its ECDSA signature (r or s) begin with a zero byte?  One signature of 128 does, and it is as good as any other, but Wine 8
    puts the numbers together without filling them up, and refuses the chain.
    """
    where = run(["openssl", "asn1parse", "-in", certificate]).strip().splitlines()[-1].split(":")[0]
    numbers = run(["openssl", "asn1parse", "-in", certificate, "-strparse", where.strip()])
    return any(len(line.rsplit(":", 1)[1]) < FULL_NUMBER for line in numbers.splitlines() if "INTEGER" in line)


def _make(words, certificate):
    """Run openssl's words, again until the signature is of full length."""
    run(words)
    while _has_short_number(certificate):
        run(words)


class Authority:
    """The files of the lab's CA in one directory."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.root = Certificate(self.directory, "root")
        self.intermediate = Certificate(self.directory, "intermediate")
        self._count = 0

    def service(self, service):
        return Certificate(self.directory, f"service-{service}")

    def make(self):
        """Root, intermediate and one certificate for each service."""
        self.new_ca(self.root, "/O=Lab of Microsoft Corporation/CN=Lab Root G2")
        self._sign(self.intermediate, "/O=Lab of Microsoft Corporation/CN=Lab TLS Issuing CA 01", self.root, days=3650,
                   extensions=["basicConstraints=critical,CA:TRUE,pathlen:0", "keyUsage=critical,keyCertSign,cRLSign"])
        self.intermediate.chain.write_bytes(self.intermediate.leaf.read_bytes())
        names = Names()
        for service in SERVICES:
            self.issue(names.of_service(service), into=self.service(service))

    def new_ca(self, files, subject):
        """A self-signed CA."""
        _make(["openssl", "req", "-x509", "-days", "3650", "-subj", subject, "-keyout", files.key, "-out", files.leaf,
               "-addext", "keyUsage=critical,keyCertSign,cRLSign"] + CURVE, files.leaf)
        files.chain.write_bytes(files.leaf.read_bytes())
        return files

    def new_inspector(self, directory, subject="/O=Corp Security/CN=Corp TLS Inspection CA"):
        """The CA of an inspecting proxy, of another house."""
        return self.new_ca(Certificate(directory, "inspector"), subject)

    def issue_ca(self, subject, issuer=None, directory=None):
        """An intermediate CA under another, or under the root."""
        self._count += 1
        files, issuer = Certificate(directory or self.directory, f"issuer-{self._count}"), issuer or self.root
        self._sign(files, subject, issuer, days=3650, extensions=["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"])
        files.chain.write_bytes(files.leaf.read_bytes() + (b"" if issuer is self.root else issuer.chain.read_bytes()))
        return files

    def _sign(self, files, subject, issuer, days, extensions, at=None):
        clock = ["faketime", at] if at else []
        words = ["openssl", "req", "-x509", "-days", days, "-subj", subject, "-keyout", files.key, "-out", files.leaf] + CURVE
        if issuer:
            words += ["-CA", issuer.leaf, "-CAkey", issuer.key]
        for extension in extensions:
            words += ["-addext", extension]
        _make(clock + words, files.leaf)

    def issue(self, names, issuer=None, days=LEAF_DAYS, at=None, into=None, directory=None, subject=None, aia=True):
        """
        A server certificate for names.  at is a date for faketime: issue(names, at="2020-01-01", days=30) has expired,
        at="2090-01-01" is not valid yet.  issuer "self" signs itself; another issuer is a Certificate with its key.
        """
        names = [names] if isinstance(names, str) else list(names)
        self._count += 1
        files = into or Certificate(directory or self.directory, f"leaf-{self._count}")
        issuer = None if issuer == "self" else issuer or self.intermediate
        extensions = ["subjectAltName=" + ",".join(f"DNS:{n}" for n in names), "extendedKeyUsage=serverAuth"]
        extensions += ["basicConstraints=critical,CA:FALSE"] if issuer else []
        if aia and issuer is self.intermediate:
            extensions += [f"authorityInfoAccess=caIssuers;URI:{AIA},OCSP;URI:{OCSP}",
                           "crlDistributionPoints=" + ",".join(f"URI:{u}" for u in CRLS)]
        self._sign(files, subject or f"/O=Lab/CN={names[0][:60]}", issuer, days, extensions, at)
        files.chain.write_bytes(files.leaf.read_bytes() + (issuer.chain.read_bytes() if issuer else b""))
        files.key.chmod(0o644)
        return files


def authority(build):
    """The CA of this build directory; made by the first that asks, anew when the names or this file change."""
    names = repr([Names().of_service(s) for s in SERVICES]).encode() + pathlib.Path(__file__).read_bytes()
    directory = pathlib.Path(build) / "lab" / f"ca-{hashlib.sha256(names).hexdigest()[:12]}"
    directory.mkdir(parents=True, exist_ok=True)
    with open(directory / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = Authority(directory)
        if not (directory / "complete").exists():
            made.make()
            (directory / "complete").touch()
    return made
