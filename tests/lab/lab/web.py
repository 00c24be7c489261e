"""All of Azure's web servers: one nginx that answers by host name as each service does."""
import collections
import ssl

from .tls import SERVICES

HEADER = """
worker_processes 1;
daemon off;
pid {work}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 8192; }}
http {{
    log_format lab '$time_iso8601 $remote_addr $server_addr:$server_port $scheme "$host" "$request" $status "$http_via"';
    access_log {log} lab;
    server_names_hash_max_size 2048;
    server_names_hash_bucket_size 256;
    server_tokens off;
{settings}
    default_type text/plain;
    client_body_temp_path {work}/body;
    proxy_temp_path {work}/proxy;
    fastcgi_temp_path {work}/fastcgi;
    uwsgi_temp_path {work}/uwsgi;
    scgi_temp_path {work}/scgi;
"""

SETTINGS = {"ssl_protocols": "TLSv1.2 TLSv1.3", "ssl_session_cache": "off", "keepalive_timeout": "30"}
STORAGE = ('add_header x-ms-request-id $request_id always; add_header x-ms-version 2009-09-19 always; '
           'add_header x-ms-error-code {code} always; default_type application/xml; '
           'return {status} \'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code></Error>\';')
SERVICE_REQUEST = "add_header x-ms-request-id $request_id always; "

# What each service answers to GET /, in nginx's words (sources: requirements 1c and 3).
ANSWERS = {
    "login": SERVICE_REQUEST + "return 302 https://www.office.com/login#;",
    "login200": SERVICE_REQUEST + "default_type text/html; return 200 '<html><title>Sign in to your account</title></html>';",
    "backup": "return 404;",
    "blob": STORAGE.format(status=400, code="InvalidQueryParameterValue"),
    "blobstorage": STORAGE.format(status=403, code="AuthenticationFailed"),
    "plain": "return 200 'ok';",
    "ncsi": "return 404;",
    "pki": "return 200;",
}
# The sign-in service's addresses are its own: what is asked for there under another service's name does not exist.
ELSEWHERE = {s: r"if ($server_addr ~ '^(20\.190\.|40\.126\.)') { return 404; }" for s in ("ncsi", "pki")}
# Locations beside "/".
LOCATIONS = {
    "ncsi": ["location = /connecttest.txt { return 200 'Microsoft Connect Test'; }",
             "location = /ncsi.txt { return 200 'Microsoft NCSI'; }",
             "location = /redirect { return 302 http://go.microsoft.com/fwlink/; }"],
    "plain": ["location = /pkiops/certs/lab-intermediate.crt { alias %(aia)s; }", "location /pkiops/ { return 200; }"],
}


class Override:
    """What one host does differently."""

    def __init__(self):
        self.certificate = self.tls = self.answer = None


class Web:
    """
    nginx on every address of azure, ports 80 and 443.  Changes are made before lab.start().

    settings   nginx's own words for all hosts: web.settings["ssl_protocols"] = "TLSv1.2"
    """

    def __init__(self, lab):
        self.lab, self.process = lab, None
        self.overrides = collections.defaultdict(Override)
        self.settings = dict(SETTINGS)

    def answer(self, host, directives):
        """Other answers, in nginx's words: web.answer("login.windows.net", "add_header Retry-After 30 always; return 503;")."""
        for name in self._hosts(host):
            self.overrides[name].answer = directives

    def tls(self, host, certificate=None, directives=""):
        """Another certificate (lab.ca.issue()), or other rules: web.tls(h, directives="ssl_protocols TLSv1.1;")."""
        for name in self._hosts(host):
            self.overrides[name].certificate = certificate or self.overrides[name].certificate
            self.overrides[name].tls = directives

    def without_intermediate(self, host):
        """Send the leaf alone."""
        for name in self._hosts(host):
            certificate = self.lab.ca.service(self.lab.names.service_of(name))
            certificate.chain = certificate.leaf
            self.tls(name, certificate)

    @staticmethod
    def _hosts(host):
        return [host] if isinstance(host, str) else host

    def _server(self, names, certificate, answer, locations=(), tls="", default=False, elsewhere=""):
        flag = " default_server" if default else ""
        lines = [f"listen 80{flag} backlog=4096;" if default else "listen 80;",
                 f"listen [::]:80{flag} ipv6only=on;" if default else "listen [::]:80;",
                 f"listen 443 ssl{flag} backlog=4096;" if default else "listen 443 ssl;",
                 f"listen [::]:443 ssl{flag} ipv6only=on;" if default else "listen [::]:443 ssl;",
                 f"server_name {' '.join(names)};",
                 f"ssl_certificate {certificate.chain};", f"ssl_certificate_key {certificate.key};", tls or "", elsewhere]
        lines += [line % {"aia": self.lab.work / "intermediate.der"} for line in locations]
        lines += [f"location / {{ {answer} }}"]
        return "    server {\n        " + "\n        ".join(filter(None, lines)) + "\n    }\n"

    def _config(self, work):
        names, ca = self.lab.names, self.lab.ca
        settings = "\n".join(f"    {name} {value};" for name, value in self.settings.items())
        text = HEADER.format(work=work, log=self.lab.logs / "web-access.log", settings=settings)
        for index, service in enumerate(SERVICES):
            covered = [n for n in names.of_service(service) if n not in self.overrides]
            text += self._server(covered, ca.service(service), ANSWERS[service], LOCATIONS.get(service, ()), default=index == 0,
                                 elsewhere=ELSEWHERE.get(service, ""))
        for host, override in self.overrides.items():
            service = names.service_of(host)
            text += self._server([host], override.certificate or ca.service(service), override.answer or ANSWERS[service],
                                 () if override.answer else LOCATIONS.get(service, ()), override.tls,
                                 elsewhere=ELSEWHERE.get(service, ""))
        return text + "}\n"

    def start(self):
        work = self.lab.work / "web"
        work.mkdir()
        (self.lab.work / "intermediate.der").write_bytes(pem_to_der(self.lab.ca.intermediate.leaf))
        (work / "nginx.conf").write_text(self._config(work), encoding="utf-8")
        self.process = self.lab.azure.start(["nginx", "-e", "stderr", "-p", work, "-c", work / "nginx.conf"], "nginx")

    def wait(self):
        self.lab.azure.wait_tcp(443, "20.190.128.10", self.process)
        self.lab.azure.wait_tcp(443, "2603:1006:2000::2", self.process)


def pem_to_der(path):
    """The bytes of the first certificate of a PEM file (RFC 7468)."""
    return ssl.PEM_cert_to_DER_cert(path.read_text(encoding="ascii"))
