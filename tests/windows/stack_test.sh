#!/bin/sh
# Run stack_test.exe under Wine with certificates and servers made for it, in a network namespace of its own.
# usage: tests/windows/stack_test.sh BUILD/windows/stack_test.exe
set -eu
program=$(realpath "$1")
if [ "${2:-}" != inside ]; then
	as_root=
	[ "$(id -u)" = 0 ] || as_root="sudo --"
	exec $as_root unshare --net --mount --kill-child --fork "$0" "$1" inside
fi
ip link set lo up
work=$(mktemp -d)
export WINEPREFIX="$work/prefix" WINEDEBUG="${WINEDEBUG:--all}" WINEDLLOVERRIDES="mscoree,mshtml="
servers=
finish() {
	wineserver -k 2>/dev/null || true
	kill $servers 2>/dev/null || true
	rm -rf "$work"
}
trap finish EXIT
cd "$work"

issue() { # NAME ISSUER DAYS EXTENSIONS
	openssl req -new -newkey rsa:2048 -nodes -keyout "$1.key" -subj "/CN=$1.example" -out "$1.csr" 2>/dev/null
	printf '%b' "$4" >"$1.ext"
	openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -set_serial "0x$(openssl rand -hex 8)" -days "$3" \
		-extfile "$1.ext" -out "$1.pem" 2>/dev/null
	openssl x509 -in "$1.pem" -outform DER -out "$1.der"
}
names='subjectAltName=DNS:login.example,IP:127.0.0.1\n'
openssl req -x509 -newkey rsa:2048 -nodes -keyout root.key -out root.pem -days 30 -subj "/CN=Test Root" \
	-addext basicConstraints=critical,CA:true 2>/dev/null
openssl x509 -in root.pem -outform DER -out root.der
openssl req -x509 -newkey rsa:2048 -nodes -keyout mail.key -out mail.pem -days 30 -subj "/CN=Mail Root" \
	-addext basicConstraints=critical,CA:true -addext extendedKeyUsage=emailProtection 2>/dev/null
openssl x509 -in mail.pem -outform DER -out mail.der
issue issuing root 30 'basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign\n'
issue leaf issuing 30 "${names}extendedKeyUsage=serverAuth\n"
issue client issuing 30 "${names}extendedKeyUsage=clientAuth\n"
openssl req -new -key leaf.key -subj /CN=login.example -out expired.csr 2>/dev/null
mkdir old.db && : >old.db/index.txt && echo 77 >old.db/serial
printf '[ca]\ndefault_ca=d\n[d]\ndatabase=old.db/index.txt\nserial=old.db/serial\nnew_certs_dir=old.db\ndefault_md=sha256\npolicy=p\nx509_extensions=e\n[p]\ncommonName=supplied\n[e]\n%b' "$names" >old.cnf
openssl ca -batch -config old.cnf -in expired.csr -cert issuing.pem -keyfile issuing.key -startdate 20200101000000Z \
	-enddate 20200201000000Z -out expired.pem -notext 2>/dev/null
openssl x509 -in expired.pem -outform DER -out expired.der

cat >server.py <<'PYTHON'
import http.server, ssl, threading, time

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        by_proxy = self.path.startswith("http://")
        status = 407 if by_proxy else {"/": 200, "/away": 302}.get(self.path, 404)
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/")
        if status == 407:
            self.send_header("Proxy-Authenticate", "Basic realm=test")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass

web = http.server.ThreadingHTTPServer(("127.0.0.1", 8000), Handler)
tls = http.server.ThreadingHTTPServer(("127.0.0.1", 8443), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("chain.pem", "leaf.key")
tls.socket = context.wrap_socket(tls.socket, server_side=True)
for server in (web, tls):
    threading.Thread(target=server.serve_forever, daemon=True).start()
open("ready", "w").close()
time.sleep(120)
PYTHON
cat leaf.pem issuing.pem >chain.pem
python3 server.py &
servers="$servers $!"
for _ in $(seq 100); do
	[ -e ready ] && break
	sleep 0.1
done
# Wine takes its anchors from here when a prefix is made.
bundle=/etc/ssl/certs/ca-certificates.crt
cat mail.pem >unknown.crt
cat mail.pem root.pem >anchored.crt
printf '127.0.0.1 localhost login.example\n' >hosts
mount --bind hosts /etc/hosts
passed=0 failed=0
for case in unknown anchored; do
	mount --bind "$case.crt" "$bundle"
	timeout 120 wine "$program" "$(winepath -w "$work" 2>/dev/null | tr -d '\r')" "$case" >out || true
	wineserver -k || true
	umount "$bundle"
	rm -rf "$WINEPREFIX"
	tr -d '\r' <out | sed "s/^/$case: /"
	counts=$(tr -d '\r' <out | sed -n '$s/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p')
	[ -n "$counts" ] || counts="0 1"
	passed=$((passed + ${counts% *})) failed=$((failed + ${counts#* }))
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
