"""Real proxies in the namespace proxy (10.1.0.31).  Each function is a method of Lab and returns "proxy.corp.test:PORT"."""
import crypt
import hashlib
import http
import pathlib
import shutil

ADDRESS = "10.1.0.31"
EDGE = "10.1.0.1"
HOST = "proxy.corp.test"
USER, PASSWORD = "corpuser", "correct-horse"
REALM = "corp proxy"
LIB = "/usr/lib/squid"
# Rules for squid(before=...).
ONLY_PORT_443 = "http_access deny !SSL_ports"
NO_PORT_80 = "acl web port 80\nhttp_access deny web"
NO_ADDRESSES = r"acl literal dstdom_regex -n ^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$" "\nhttp_access deny literal"

SQUID = """
http_port {address}:{port} {port_options}
pid_filename {work}/squid.pid
coredump_dir {work}
cache deny all
cache_log {work}/cache.log
access_log stdio:{log}
logfile_rotate 0
pinger_enable off
netdb_filename none
shutdown_lifetime 0 seconds
dns_nameservers {resolvers}
dns_timeout 3 seconds
positive_dns_ttl 60 seconds
negative_dns_ttl 1 second
connect_timeout 3 seconds
forward_timeout 4 seconds
visible_hostname {host}
forwarded_for on
max_filedescriptors 4096
acl SSL_ports port 443
acl CONNECT method CONNECT
{before}
{access}
http_access allow all
"""


class Server:
    """A process that is ready when its port accepts connections."""

    def __init__(self, node, words, name, port, environment=None, address=ADDRESS):
        self.node, self.port, self.address = node, port, address
        self.process = node.start(words, name, environment)

    def start(self):
        """Already started."""

    def wait(self):
        self.node.wait_tcp(self.port, self.address, self.process)


def _work(lab, name):
    work = lab.work / name
    work.mkdir()
    work.chmod(0o777)
    return work


def _schemes(lab, work, auth):
    """auth_param lines for the schemes, in the order in which they are offered."""
    lines = []
    for scheme in [auth] if isinstance(auth, str) else auth or []:
        if scheme == "basic":
            (work / "passwords").write_text(_htpasswd(), encoding="ascii")
            lines += [f"auth_param basic program {LIB}/basic_ncsa_auth {work}/passwords", f"auth_param basic realm {REALM}"]
        elif scheme == "digest":
            ha1 = hashlib.md5(f"{USER}:{REALM}:{PASSWORD}".encode()).hexdigest()
            (work / "digests").write_text(f"{USER}:{REALM}:{ha1}\n", encoding="ascii")
            lines += [f"auth_param digest program {LIB}/digest_file_auth -c {work}/digests", f"auth_param digest realm {REALM}"]
        elif scheme == "ntlm":
            lines += [f"auth_param ntlm program {LIB}/ntlm_fake_auth", "auth_param ntlm children 5 startup=1"]
        elif scheme == "ntlm-denied":
            lines += [f"auth_param ntlm program {_denying_ntlm(work)}", "auth_param ntlm children 5 startup=1"]
        elif scheme == "negotiate":
            krb5 = lab.kdc().configuration
            lines += [f"auth_param negotiate program /usr/bin/env KRB5_CONFIG={krb5} {LIB}/negotiate_kerberos_auth"
                      f" -k {lab.kdc().keytab} -s HTTP/{HOST}", "auth_param negotiate children 5 startup=1"]
        else:
            raise ValueError(scheme)
    return lines + (["acl auth proxy_auth REQUIRED", "http_access deny !auth"] if lines else [])


def _denying_ntlm(work):
    """The fake helper accepts everybody: turn each of its AF (accepted) into NA (denied), as a domain does with a wrong password."""
    helper = work / "ntlm-denied"
    helper.write_text(f"#!/bin/sh\n{LIB}/ntlm_fake_auth | sed -u 's/^AF .*/NA logon failure/'\n", encoding="ascii")
    helper.chmod(0o755)
    return helper


def _htpasswd():
    return f"{USER}:{crypt.crypt(PASSWORD, crypt.mksalt(crypt.METHOD_SHA512))}\n"


def squid(lab, auth=None, port=3128, acl="", before="", extra="", tls=None, bump=None, resolvers=None):
    """
    A squid.  auth: None, "basic", "digest", "ntlm", "ntlm-denied", "negotiate" or a list of them (user corpuser, password correct-horse).
    acl: http_access lines, as "acl login dstdomain login.windows.net\\nhttp_access deny login"; before: the same, asked before the credentials.
    tls: a Certificate, for an https:// proxy.  resolvers: addresses of name servers of its own.  bump: a Certificate of a CA (lab.ca.new_inspector(lab.work)) that signs anew.
    """
    work = _work(lab, f"squid-{port}")
    options = f"tls-cert={tls.chain} tls-key={tls.key}" if tls else ""
    if bump:
        options = (f"ssl-bump tls-cert={bump.leaf} tls-key={bump.key} generate-host-certificates=on "
                   "dynamic_cert_mem_cache_size=4MB")
        certificates = work / "certificates"
        lab.proxy.run([f"{LIB}/security_file_certgen", "-c", "-s", certificates, "-M", "4MB"])
        shutil.chown(certificates, "proxy", "proxy")
        for path in certificates.rglob("*"):
            shutil.chown(path, "proxy", "proxy")
        bump.key.chmod(0o644)
        extra += (f"\nsslcrtd_program {LIB}/security_file_certgen -s {certificates} -M 4MB\nsslcrtd_children 5 startup=1\n"
                  f"tls_outgoing_options cafile={lab.ca.root.leaf}\nacl step1 at_step SslBump1\nssl_bump peek step1\nssl_bump bump all")
    values = {"address": ADDRESS, "port": port, "port_options": options, "host": HOST, "before": before,
              "access": "\n".join(_schemes(lab, work, auth) + [acl])}
    text = SQUID.format(work=work, **_squid_values(lab, port, resolvers), **values) + extra + "\n"
    if tls:
        text = text.replace("http_port", "https_port", 1)
    lab.pending.append(Server(lab.proxy, _squid_words(work, port, text), f"squid-{port}", port))
    return f"{HOST}:{port}"


def _squid_values(lab, port, resolvers=None):
    log = lab.logs / f"squid-{port}.access"
    log.touch()
    shutil.chown(log, "proxy", "proxy")
    return {"log": log, "resolvers": resolvers or f"{lab.dns1.address} {lab.dns2.address}"}


def _squid_words(work, port, text):
    (work / "squid.conf").write_text(text, encoding="utf-8")
    return ["squid", "-N", "-n", f"lab{port}", "-f", work / "squid.conf", "-d", "1"]


def tinyproxy(lab, port=8888, password=False, deny=None, connect_port=443):
    """tinyproxy; password: asks for Basic; deny: a host pattern that its filter answers with 403; connect_port: the only one for CONNECT."""
    work = _work(lab, f"tinyproxy-{port}")
    lines = [f"Port {port}", f"Listen {ADDRESS}", "Timeout 20", f"LogFile \"{lab.logs}/tinyproxy-{port}.access\"",
             "LogLevel Connect", "MaxClients 100", "DisableViaHeader No", f"ConnectPort {connect_port}"]
    if password:
        lines.append(f"BasicAuth {USER} {PASSWORD}")
    if deny:
        (work / "filter").write_text(deny + "\n", encoding="ascii")
        lines += [f"Filter \"{work}/filter\"", "FilterURLs Off"]
    (work / "tinyproxy.conf").write_text("\n".join(lines) + "\n", encoding="ascii")
    lab.pending.append(Server(lab.proxy, ["tinyproxy", "-d", "-c", work / "tinyproxy.conf"], f"tinyproxy-{port}", port))
    return f"{HOST}:{port}"


def dante(lab, port=1080, password=False, block=None, block_port=None):
    """dante, a SOCKS4/5 server; block: an address or prefix that its rules refuse (reply 2); block_port: a port that they refuse."""
    work = _work(lab, f"dante-{port}")
    method = "username" if password else "none"
    lines = ["logoutput: stderr", f"internal: {ADDRESS} port = {port}", "external: eth0", f"socksmethod: {method}",
             "clientmethod: none", "user.privileged: root", "user.unprivileged: nobody",
             "client pass { from: 0/0 to: 0/0 }"]
    if block:
        lines.append(f"socks block {{ from: 0/0 to: {block if '/' in block else block + '/32'} }}")
    if block_port:
        lines.append(f"socks block {{ from: 0/0 to: 0/0 port = {block_port} }}")
    lines.append("socks pass { from: 0/0 to: 0/0 log: error }")
    (work / "danted.conf").write_text("\n".join(lines) + "\n", encoding="ascii")
    if password:
        _add_user()
    lab.pending.append(Server(lab.proxy, ["danted", "-f", work / "danted.conf", "-p", work / "pid"], f"dante-{port}", port))
    return f"{HOST}:{port}"


def _add_user():
    """dante asks the system's own user list: the namespace proxy gets one more user (ip netns exec puts these files over /etc)."""
    for name, line in (("passwd", f"{USER}:x:65000:65000::/nonexistent:/usr/sbin/nologin\n"),
                       ("shadow", _htpasswd().rstrip("\n") + ":19000:0:99999:7:::\n")):
        path = pathlib.Path("/etc/netns/proxy") / name
        path.write_text(pathlib.Path("/etc", name).read_text(encoding="utf-8") + line, encoding="utf-8")
        path.chmod(0o600 if name == "shadow" else 0o644)


NGINX = """
daemon off;
worker_processes 1;
pid {work}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
    access_log {log};
    client_body_temp_path {work}/body;
    proxy_temp_path {work}/proxy;
    fastcgi_temp_path {work}/fastcgi;
    uwsgi_temp_path {work}/uwsgi;
    scgi_temp_path {work}/scgi;
    resolver {resolvers} ipv6=off;
    server {{
        listen {address}:{port};
        location / {{ proxy_pass http://$http_host$request_uri; add_header Via "1.1 {host}" always; }}
    }}
}}
"""


def _nginx(lab, node, address, port, text=NGINX, **values):
    work = _work(lab, f"nginx-{port}")
    values = {"host": HOST, "resolvers": f"{lab.dns1.address} {lab.dns2.address}", **values}
    text = text.format(work=work, log=lab.logs / f"nginx-{port}.access", address=address, port=port, **values)
    (work / "nginx.conf").write_text(text, encoding="ascii")
    words = ["nginx", "-e", "stderr", "-p", work, "-c", work / "nginx.conf"]
    lab.pending.append(Server(node, words, f"nginx-{port}", port, address=address))


def nginx_forward(lab, port=8080):
    """nginx set up as a proxy by somebody who did not know that it has no CONNECT: plain HTTP passes, CONNECT gets 405."""
    _nginx(lab, lab.proxy, ADDRESS, port)
    return f"{HOST}:{port}"


def _hide(lab, port):
    """The edge gives the client's plain HTTP to its own port: a proxy that nobody has set."""
    lab.edge.nft("add table ip hidden\nadd chain ip hidden before { type nat hook prerouting priority dstnat; }\n"
                 f"add rule ip hidden before ip saddr 10.1.0.2 tcp dport 80 redirect to :{port}\n")


def hidden_squid(lab, before="", extra="", port=3129):
    """A squid in the edge that intercepts the client's plain HTTP; it goes on to the address that the client meant."""
    work = _work(lab, f"squid-{port}")
    values = {"address": EDGE, "port": port, "port_options": "intercept", "host": "edge.corp.test", "before": before, "access": ""}
    text = SQUID.format(work=work, **_squid_values(lab, port), **values) + f"{extra}\nhttp_port 127.0.0.1:3128\n"
    lab.pending.append(Server(lab.edge, _squid_words(work, port, text), f"squid-{port}", port, address=EDGE))
    _hide(lab, port)


def hidden_nginx(lab, via=None, port=3129):
    """One that goes by the Host header, whatever address the client meant; via: its mark, or none."""
    _nginx(lab, lab.edge, EDGE, port, NGINX if via else NGINX.replace(' add_header Via "1.1 {host}" always;', ""), host=via)
    _hide(lab, port)


NGINX_TLS = NGINX.replace("listen {address}:{port};", "listen {address}:{port} ssl; ssl_certificate {chain}; ssl_certificate_key {key};").replace(
    "proxy_pass http://$http_host$request_uri; add_header Via \"1.1 {host}\" always;", "return 200 intranet;")


def nginx_tls(lab, certificate, port=8443):
    """A web server by TLS: no proxy at all, which answers a plain request with 400."""
    _nginx(lab, lab.proxy, ADDRESS, port, NGINX_TLS, chain=certificate.chain, key=certificate.key)
    return f"{HOST}:{port}"


def proxy_forward(lab, reply, delay_ms=0, asks=False, port=3131):
    """A proxy that works; reply is its answer to CONNECT, to the byte.  asks: it wants Basic first (any password will do)."""
    path = _work(lab, f"forward-{port}") / "reply"
    path.write_bytes(reply.encode("latin-1"))
    return lab.proxy_stub(f"{'forward-asks' if asks else 'forward'}:{delay_ms}:{path}", port)


def proxy_reply(lab, reply, port=3130):
    """Something on the proxy's port that answers every request with these bytes."""
    path = _work(lab, f"reply-{port}") / "reply"
    path.write_bytes(reply.encode("latin-1"))
    return lab.proxy_stub(f"reply:{path}", port)


def proxy_status(lab, status, headers=None, body="", port=3130):
    """Something on the proxy's port that answers every request, CONNECT too, with exactly this status."""
    lines = [f"HTTP/1.1 {status} {_reason(status)}", f"Content-Length: {len(body.encode())}", "Content-Type: text/html",
             "Connection: close"] + [f"{k}: {v}" for k, v in (headers or {}).items()]
    reply = _work(lab, f"status-{port}") / "reply"
    reply.write_bytes(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
    return lab.proxy_stub(f"reply:{reply}", port)


def _reason(status):
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Status"
