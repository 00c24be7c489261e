#!/usr/bin/python3
"""
A DNS server that answers every question in exactly one wrong way.

usage: dns_stub.py MODE ADDRESS

  noise            the question's id, and then bytes that make no sense
  wrong-id         an answer to another question id
  wrong-question   an answer that repeats another question
  pointer-loop     an answer whose name is a pointer to itself (RFC 1035 4.1.4)
  flood            a thousand answers with other ids to each question
  cut              an answer that announces a record and ends in it
  drip             truncated by UDP (TC); by TCP one byte a second of the longest message that there can be
"""
import random
import socket
import struct
import sys
import threading
import time

ANSWER, TRUNCATED = 0x8180, 0x8380
A_RECORD = struct.pack("!HHIH4s", 1, 1, 60, 4, bytes([10, 9, 9, 9]))
POINTER = b"\xc0\x0c"  # to the question's name
FOREVER_SECONDS = 3600


def message(identity, question, record, flags=ANSWER):
    """One question, one answer (RFC 1035 4.1)."""
    return struct.pack("!HHHHHH", identity, flags, 1, 1 if record else 0, 0, 0) + question + record


def answers(mode, query):
    """The datagrams that go back."""
    identity = struct.unpack("!H", query[:2])[0]
    end = 12
    while query[end]:
        end += 1 + query[end]
    question = query[12:end + 5]
    if mode == "noise":
        yield query[:2] + random.Random(identity).randbytes(200)
    elif mode == "wrong-id":
        yield message(identity ^ 1, question, POINTER + A_RECORD)
    elif mode == "wrong-question":
        yield message(identity, b"\x05other\x04test\x00\x00\x01\x00\x01", POINTER + A_RECORD)
    elif mode == "pointer-loop":
        yield message(identity, question, struct.pack("!H", 0xc000 | 12 + len(question)) + A_RECORD)
    elif mode == "flood":
        for other in range(1, 1001):
            yield message(identity ^ other, question, POINTER + A_RECORD)
    elif mode == "cut":
        yield message(identity, question, POINTER + A_RECORD[:-3])
    elif mode == "drip":
        yield message(identity, question, b"", TRUNCATED)
    else:
        sys.exit(f"dns_stub: {mode}?")


def drip(peer):
    """By TCP."""
    try:
        peer.recv(4096)
        for byte in b"\xff\xff" + bytes(65535):
            peer.sendall(bytes([byte]))
            time.sleep(1)
    except OSError:
        peer.close()


def listen(address):
    with socket.create_server((address, 53), backlog=1024) as door:
        while True:
            threading.Thread(target=drip, args=(door.accept()[0],), daemon=True).start()


def main():
    mode, address = sys.argv[1:]
    if mode == "drip":
        threading.Thread(target=listen, args=(address,), daemon=True).start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind((address, 53))
        while True:
            query, peer = door.recvfrom(4096)
            for datagram in answers(mode, query) if len(query) > 16 else ():
                door.sendto(datagram, peer)


if __name__ == "__main__":
    main()
