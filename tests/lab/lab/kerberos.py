"""A Kerberos realm of the lab: krb5kdc at kdc.corp.test (10.1.0.32), one user and the proxy's service."""
from .node import run

REALM = "CORP.TEST"
ADDRESS = "10.1.0.32"
USER, PASSWORD = "corpuser", "correct-horse"

KRB5 = """
[libdefaults]
    default_realm = {realm}
    dns_lookup_kdc = false
    dns_lookup_realm = false
    rdns = false
    dns_canonicalize_hostname = false
    udp_preference_limit = 1
[realms]
    {realm} = {{
        kdc = {address}:88
    }}
[domain_realm]
    .corp.test = {realm}
"""
KDC = """
[kdcdefaults]
    kdc_listen = {address}:88
    kdc_tcp_listen = {address}:88
[realms]
    {realm} = {{
        database_name = {work}/principal
        key_stash_file = {work}/stash
        acl_file = {work}/acl
        max_life = 10h
    }}
[logging]
    kdc = STDERR
"""


class Kdc:
    """Files of the realm: configuration (KRB5_CONFIG), keytab (of the proxy), cache (the user's tickets, after login())."""

    def __init__(self, lab):
        self.lab = lab
        self.work = lab.work / "kdc"
        self.work.mkdir()
        self.work.chmod(0o755)
        self.configuration, self.keytab, self.cache = (self.work / n for n in ("krb5.conf", "http.keytab", "tickets"))
        self.configuration.write_text(KRB5.format(realm=REALM, address=ADDRESS), encoding="ascii")
        (self.work / "kdc.conf").write_text(KDC.format(realm=REALM, address=ADDRESS, work=self.work), encoding="ascii")
        self.environment = {"KRB5_CONFIG": str(self.configuration), "KRB5_KDC_PROFILE": str(self.work / "kdc.conf")}
        self._tool(["kdb5_util", "create", "-s", "-P", "master", "-r", REALM])
        for query in (f"addprinc -pw {PASSWORD} {USER}", "addprinc -randkey HTTP/proxy.corp.test",
                      f"ktadd -k {self.keytab} HTTP/proxy.corp.test"):
            self._tool(["kadmin.local", "-r", REALM, "-q", query])
        self.keytab.chmod(0o644)
        self.process = lab.kdc_node.start(["krb5kdc", "-n", "-r", REALM], "krb5kdc", self.environment)
        lab.kdc_node.wait_tcp(88, ADDRESS, self.process)

    def _tool(self, words):
        run(["env"] + [f"{k}={v}" for k, v in self.environment.items()] + words)

    def login(self):
        """Give the ordinary user on the client a ticket, and the environment that finds it."""
        self.lab.environment.update({"KRB5_CONFIG": str(self.configuration), "KRB5CCNAME": f"FILE:{self.cache}"})
        kinit = ["env", f"KRB5_CONFIG={self.configuration}", "kinit", "-c", self.cache, USER]
        run(self.lab.client.command(kinit), PASSWORD + "\n")
        run(["chown", "65534:65534", self.cache])

    def stop_answering(self):
        """The KDC takes connections in silence no more: packets to it are dropped."""
        self.lab.kdc_node.drop(chain="input", port=88, proto="tcp")
        self.lab.kdc_node.drop(chain="input", port=88, proto="udp")


def kdc(lab):
    """The lab's KDC; made at the first call."""
    if not getattr(lab, "_kdc", None):
        lab._kdc = Kdc(lab)
    return lab._kdc
