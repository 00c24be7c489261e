#!/usr/bin/python3
"""
A small server that misbehaves in exactly one way.

usage: stub.py [--cert FILE --key FILE] MODE PORT ADDRESS...

  fin-on-accept  rst-on-accept         close at once, in order or with a reset
  silent                               accept, read, answer nothing
  fin-after-data  rst-after-data       the same at the first bytes (a ClientHello, a CONNECT, a request)
  plain:TEXT                           answer the first bytes with TEXT (\\r \\n \\xNN are understood)
  reply:FILE                           answer a whole request header with the file's bytes, then close
  alert:N                              answer a ClientHello with the fatal TLS alert N
  tunnel-silent  tunnel-rst  tunnel-fin  answer CONNECT with 200, then swallow, reset or close at the next bytes
  cut:N:ADDRESS:PORT                   pass everything on to ADDRESS:PORT, and close after N bytes of its answer
  stall:N:ADDRESS:PORT                 the same, and say nothing more after N bytes
  onwards                              pass everything on to where the connection was meant to go before a packet filter redirected it
  forward:MS:FILE                      a proxy that works: the file's bytes are its answer to CONNECT, after that time
  forward-asks:MS:FILE                 the same, and it asks for a sign-in first, with a body in chunks
  http-silent  http-rst  http-fin      with --cert: finish TLS, read the request, then so; without: the same on plain HTTP
  http-headers  http-body  http-drip:FILE  http-reply:FILE
                                       the same: headers without end, a body of a gigabyte, the file's bytes one a second, or all at once
  garbage:TEXT                         answer the first bytes with TEXT, and then with noise without end
  drip:TEXT                            answer the first bytes with TEXT, one byte a second
"""
import argparse
import contextlib
import itertools
import random
import socket
import ssl
import struct
import threading
import time

FOREVER_SECONDS = 3600
CHUNK_BYTES = 65536
GIGABYTE = 1 << 30
SO_ORIGINAL_DST = 80


def reset(peer):
    """Close with RST: SO_LINGER of zero seconds (RFC 9293 3.10.4)."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def swallow(peer):
    """Read and answer nothing, until the peer gives up."""
    while peer.recv(CHUNK_BYTES):
        pass


def read_header(peer):
    data = b""
    while b"\r\n\r\n" not in data:
        more = peer.recv(CHUNK_BYTES)
        if not more:
            return data
        data += more
    return data


def end_as(peer, how):
    if how == "silent":
        swallow(peer)
    elif how == "rst":
        reset(peer)
    else:
        peer.close()


def pass_on(source, sink):
    """Everything, and then the end.  Closes nothing: the other direction still reads, and a number closed here could be another's by then."""
    try:
        while data := source.recv(CHUNK_BYTES):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        for end in (source, sink):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def both_ways(peer, upstream):
    there = threading.Thread(target=pass_on, args=(peer, upstream), daemon=True)
    there.start()
    pass_on(upstream, peer)
    there.join()


def onwards(peer):
    """To the address before the redirection (SO_ORIGINAL_DST of netfilter: a sockaddr_in)."""
    where = peer.getsockopt(socket.SOL_IP, SO_ORIGINAL_DST, 16)
    port, address = struct.unpack("!2xH4s8x", where)
    with socket.create_connection((socket.inet_ntoa(address), port)) as upstream:
        both_ways(peer, upstream)


def relay(peer, words, stall):
    """cut:N:ADDRESS:PORT, stall:N:ADDRESS:PORT."""
    limit, address, port = int(words[0]), words[1], int(words[2])
    upstream = socket.create_connection((address, port))
    threading.Thread(target=pass_on, args=(peer, upstream), daemon=True).start()
    while limit > 0 and (data := upstream.recv(min(limit, CHUNK_BYTES))):
        peer.sendall(data)
        limit -= len(data)
    time.sleep(FOREVER_SECONDS if stall else 0.05)
    peer.shutdown(socket.SHUT_RDWR)  # close() alone waits for the other thread's recv()


def unescaped(text):
    return text.encode().decode("unicode_escape").encode("latin-1")


def drip(peer, data):
    """One byte a second, and when there is no more nothing."""
    for byte in data:
        peer.sendall(bytes([byte]))
        time.sleep(1)
    swallow(peer)


def endless(peer, chunks):
    """Until the peer has enough."""
    for chunk in chunks:
        peer.sendall(chunk)


def header_lines():
    yield b"HTTP/1.1 200 OK\r\n"
    for number in itertools.count():
        yield f"X-Header-{number}: {'a' * 100}\r\n".encode() * 100


def gigabyte():
    yield f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {GIGABYTE}\r\n\r\n".encode()
    for _ in range(GIGABYTE // CHUNK_BYTES):
        yield b"<b>" + b"a" * (CHUNK_BYTES - 3)


def answer_http(peer, what):
    """http-WHAT, after the request's header."""
    what, _, rest = what.partition(":")
    if what == "headers":
        endless(peer, header_lines())
    elif what == "body":
        endless(peer, gigabyte())
    elif what == "drip":
        with open(rest, "rb") as file:
            drip(peer, file.read())
    elif what == "reply":
        with open(rest, "rb") as file:
            peer.sendall(file.read())
        peer.close()
    else:
        end_as(peer, what)


ASKS = (b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"corp proxy\"\r\n"
        b"Transfer-Encoding: chunked\r\nContent-Type: text/html\r\n\r\n5\r\nfirst\r\n6\r\nsecond\r\n0\r\n\r\n")


def forward(peer, words, asks):
    """forward:MS:FILE.  A GET goes on in origin form (RFC 9112 3.2.1) and ends with the connection."""
    header = read_header(peer)
    while asks and header and b"proxy-authorization:" not in header.lower():
        peer.sendall(ASKS)
        header = read_header(peer)
    if not header:
        return
    method, target, _ = header.split(b"\r\n", 1)[0].split(b" ")
    authority, _, path = target.removeprefix(b"http://").partition(b"/")
    host, _, port = authority.decode().partition(":")
    upstream = socket.create_connection((host, int(port or 80)))
    time.sleep(int(words[0]) / 1000)
    if method == b"CONNECT":
        with open(words[1], "rb") as file:
            peer.sendall(file.read())
    else:
        rest = header.split(b"\r\n", 1)[1]
        upstream.sendall(b"GET /" + path + b" HTTP/1.1\r\nConnection: close\r\n" + rest)
    both_ways(peer, upstream)


def serve(peer, mode, context):
    """One connection."""
    word, _, rest = mode.partition(":")
    if word in ("fin-on-accept", "rst-on-accept"):
        end_as(peer, word[:3])
    elif word == "silent":
        swallow(peer)
    elif word in ("fin-after-data", "rst-after-data"):
        peer.recv(CHUNK_BYTES)
        end_as(peer, word[:3])
    elif word == "plain":
        peer.recv(CHUNK_BYTES)
        peer.sendall(unescaped(rest))
        peer.shutdown(socket.SHUT_WR)
        swallow(peer)
    elif word == "garbage":
        peer.recv(CHUNK_BYTES)
        endless(peer, itertools.chain([unescaped(rest)], itertools.repeat(random.Random(5).randbytes(CHUNK_BYTES))))
    elif word == "drip":
        peer.recv(CHUNK_BYTES)
        drip(peer, unescaped(rest))
    elif word == "reply":
        read_header(peer)
        with open(rest, "rb") as file:
            peer.sendall(file.read())
        peer.shutdown(socket.SHUT_WR)
        swallow(peer)
    elif word == "alert":
        peer.recv(CHUNK_BYTES)
        peer.sendall(bytes([21, 3, 3, 0, 2, 2, int(rest)]))
        peer.shutdown(socket.SHUT_WR)
        swallow(peer)
    elif word.startswith("tunnel-"):
        read_header(peer)
        peer.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        peer.recv(CHUNK_BYTES)
        end_as(peer, word[7:])
    elif word == "onwards":
        onwards(peer)
    elif word in ("forward", "forward-asks"):
        forward(peer, rest.split(":"), word == "forward-asks")
    elif word in ("cut", "stall"):
        relay(peer, rest.split(":"), word == "stall")
    elif word.startswith("http-"):
        peer = context.wrap_socket(peer, server_side=True) if context else peer
        read_header(peer)
        answer_http(peer, mode[5:])


def serve_quietly(peer, mode, context):
    try:
        with peer:
            serve(peer, mode, context)
    except OSError as error:
        print(error, flush=True)


def listen(address, port, mode, context):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((address, port))
        door.listen(1024)
        while True:
            peer, _ = door.accept()
            threading.Thread(target=serve_quietly, args=(peer, mode, context), daemon=True).start()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("mode")
    parser.add_argument("port", type=int)
    parser.add_argument("address", nargs="+")
    options = parser.parse_args()
    context = None
    if options.cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.cert, options.key)
    for address in options.address:
        threading.Thread(target=listen, args=(address, options.port, options.mode, context), daemon=True).start()
    time.sleep(FOREVER_SECONDS)


if __name__ == "__main__":
    main()
