"""What a hand-off asks for, done: its nftables blocks go onto a node of the lab, and the program runs once more."""
import re

BLOCK = re.compile(r"^```nft\n(.*?)^```$", re.M | re.S)


def apply_rules(result, node, chain="forward", proxy_address=None):
    """Put the blocks' place in (the lab's table and this chain), and for a rule about the proxy its address; nothing else is changed."""
    blocks = BLOCK.findall(result.handoff)
    assert blocks, "no nftables block in the hand-off"
    text = "".join(blocks).replace("inet filter forward", f"inet lab {chain}").replace("table inet filter", "table inet lab")
    if proxy_address:
        text = text.replace("192.0.2.1", proxy_address)
    node.nft(text)


def lifts(result, node, chain="forward", proxy_address=None):
    """Is the server ready in the next run, once the rules are there, and is nothing left of what they were for?"""
    apply_rules(result, node, chain, proxy_address)
    after, causes = result.run_again(), {f["cause"] for f in result.findings()}
    assert after.status == 0, f"after the rule: exit status {after.status}: {after.text[:600]}"
    left = [p["verdict"] for p in after.paths(effective=True) if after.target(p)["host"]
            and (p["verdict"]["status"] not in ("pass", "warn") or p["verdict"]["cause"] in causes)]
    assert not left, left[:3]
