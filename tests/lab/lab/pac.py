"""A web server of the enterprise's own, which hands out PAC scripts: nginx on 10.1.0.32, as pac.corp.test and wpad.corp.test."""
from .network import KDC
from .proxies import Server

HOST, WPAD = "pac.corp.test", "wpad.corp.test"
MIME = "application/x-ns-proxy-autoconfig"

NGINX = """
daemon off;
worker_processes 1;
pid {work}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 256; }}
http {{
    access_log {log};
    server_tokens off;
    client_body_temp_path {work}/body;
    proxy_temp_path {work}/proxy;
    fastcgi_temp_path {work}/fastcgi;
    uwsgi_temp_path {work}/uwsgi;
    scgi_temp_path {work}/scgi;
    types {{ }}
    server {{
        listen {address}:{port}{tls};
{locations}
    }}
}}
"""


class _At(Server):
    """A server at an address of its own."""

    def __init__(self, node, words, name, address, port):
        super().__init__(node, words, name, port)
        self.address = address

    def wait(self):
        self.node.wait_tcp(self.port, self.address, self.process)


def function(body, name="FindProxyForURL"):
    """A script whose only function has this body."""
    return f"function {name}(url, host) {{\n{body}\n}}\n"


def _location(work, name, answer):
    """answer: a script's text, or directives of nginx where it begins with "return" or "add_header"."""
    if answer.startswith(("return", "add_header", "auth_basic")):
        return f"        location = /{name} {{ {answer} }}"
    path = work / name
    path.write_text(answer, encoding="utf-8")
    path.chmod(0o644)
    return f"        location = /{name} {{ default_type {MIME}; alias {path}; }}"


def serve(lab, files, port=80, names=(HOST,), tls=None):
    """
    Serve {"proxy.pac": a script, or nginx's words for another answer}; every name of names leads there.  tls: a Certificate, for https:.
    Returns the address of the first file under the first name.
    """
    work = lab.work / f"pac-{port}"
    work.mkdir()
    work.chmod(0o755)
    ssl = f" ssl;\n        ssl_certificate {tls.chain};\n        ssl_certificate_key {tls.key}" if tls else ""
    locations = "\n".join(_location(work, name, answer) for name, answer in files.items())
    (work / "nginx.conf").write_text(NGINX.format(work=work, log=lab.logs / f"pac-{port}.access", address=KDC, port=port,
                                                  tls=ssl, locations=locations), encoding="utf-8")
    lab.pending.append(_At(lab.kdc_node, ["nginx", "-e", "stderr", "-p", work, "-c", work / "nginx.conf"], f"pac-{port}", KDC, port))
    for name in names:
        for server in (lab.dns1, lab.dns2):
            server.record(f"{name}. A {KDC}")
    scheme, usual = ("https", 443) if tls else ("http", 80)
    return f"{scheme}://{names[0]}{'' if port == usual else f':{port}'}/{next(iter(files))}"


def wpad(lab, script, suffix="corp.test"):
    """The client is in this domain, and wpad.corp.test hands out the script."""
    domain(lab, suffix)
    return serve(lab, {"wpad.dat": script}, names=(WPAD,))


def domain(lab, suffix="corp.test"):
    """The client's DNS suffix, by which automatic detection goes."""
    lab.resolv_conf([lab.dns1.address, lab.dns2.address], f"search {suffix}\n")
