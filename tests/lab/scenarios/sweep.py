"""`marsprobe sweep`: every address of a range, folded into prefixes of one behaviour."""
import json
import re

from lab.scenario import Expect, scenario

RANGE = "20.190.128.0/21"  # 2048 addresses
FAST = ("--rate", "0")
EDGE, CORE1 = "10.1.0.1", "198.18.0.1"
REJECTED = dict(cause="ip_admin_prohibited", stage="tcp", owner="firewall-team", subject=CORE1)


def sweep(result, number=0):
    return result.report["sweeps"][number]


def counts(result, number=0):
    return {k: v for k, v in sweep(result, number)["counts"].items() if v}


def prefixes(result, number=0):
    return [(p["prefix"], p["state"], p["from"]) for p in sweep(result, number)["prefixes"]]


@scenario(Expect(exit=0, seconds=6), arguments=(RANGE,) + FAST, command="sweep")
def sweep_of_a_healthy_range(_lab):
    result = yield
    assert prefixes(result) == [(RANGE, "open", None)], prefixes(result)
    assert counts(result) == {"open": 2048} and sweep(result)["addresses"] == 2048, sweep(result)
    assert not result.observations(), "one observation for each address is too many"
    assert f"{RANGE}, TCP 443: 2048 open" in result.text, result.text


@scenario(Expect(exit=0, seconds=6), arguments=("20.190.128.0/25",), command="sweep")
def sweep_goes_at_200_a_second(lab):
    lab.edge.nft("add rule inet lab forward ip daddr 20.190.128.0/25 tcp flags & (syn|ack) == syn counter\n")
    result = yield
    assert counts(result) == {"open": 128}, counts(result)
    seconds = result.report["run"]["duration_ms"] / 1000
    assert 0.6 <= seconds <= 2 * lab.slowness, f"128 at 200 a second took {seconds:.2f} s"
    sent = int(re.search(r"packets (\d+)", lab.edge.run("nft list chain inet lab forward"))[1])
    assert sent == sweep(result)["connects"], f"{sent} were sent, {sweep(result)['connects']} told"


@scenario(Expect(exit=0, seconds=12), arguments=("20.190.128.0/19",) + FAST, command="sweep")
def sweep_folds_a_dropped_part(lab):
    lab.edge.drop(dst="20.190.144.0/20", port=443)
    result = yield
    assert prefixes(result) == [("20.190.128.0/20", "open", None), ("20.190.144.0/20", "filtered", None)], prefixes(result)
    assert sweep(result)["tries"] >= 2 and "Silence is no block" in result.text


@scenario(Expect(exit=0, seconds=12, status="warn", **REJECTED), arguments=(RANGE,) + FAST, command="sweep")
def sweep_names_who_rejects_a_part(lab):
    lab.core1.reject(dst="20.190.130.0/24", port=443)
    result = yield
    assert ("20.190.130.0/24", "prohibited", CORE1) in prefixes(result), prefixes(result)
    assert counts(result) == {"open": 1792, "prohibited": 256}, counts(result)
    assert f"prohibited: {CORE1} says so (ICMP 3/13)" in result.text, result.text


@scenario(Expect(exit=0, seconds=12, cause="ip_admin_prohibited", stage="tcp", owner="firewall-team", targets="20.190.132.0/24"),
          arguments=("20.190.132.0/24", "20.190.128.0/24", "20.190.128.128/25", "--rate", "500"), command="sweep")
def sweep_of_two_ranges_one_rejected(lab):
    lab.edge.reject(dst="20.190.132.0/24", port=443)
    result = yield
    assert prefixes(result, 0) + prefixes(result, 1) == [("20.190.132.0/24", "prohibited", EDGE), ("20.190.128.0/24", "open", None)]
    assert "20.190.128.128/25 lies inside 20.190.128.0/24" in result.errors, result.errors


@scenario(Expect(exit=0, seconds=12), arguments=(RANGE,) + FAST, command="sweep")
def sweep_of_refusing_addresses(lab):
    lab.core2.reject(dst="20.190.132.0/22", port=443, how="reset")
    result = yield
    assert counts(result) == {"open": 1024, "refused": 1024}, counts(result)
    assert prefixes(result) == [("20.190.128.0/22", "open", None), ("20.190.132.0/22", "refused", None)], prefixes(result)


@scenario(Expect(exit=0, seconds=20), arguments=("20.190.128.0/20",) + FAST, command="sweep", delay_ms=18)
def sweep_finds_nearly_all_beside_loss(lab):
    lab.wire(["-l", 2], delay_ms=18)
    lab.edge.drop(dst="20.190.136.0/22", port=443)
    result = yield
    found = counts(result)
    assert found["open"] >= 0.999 * 3072 and found["open"] + found["filtered"] == 4096, found
    assert sweep(result)["tries"] >= 3 and 0.01 < sweep(result)["loss"] < 0.2, sweep(result)
    assert all(p[1] == "filtered" for p in prefixes(result) if p[0] == "20.190.136.0/22"), prefixes(result)[:8]


@scenario(Expect(exit=0, seconds=8), arguments=("2603:1006:2000::/120",) + FAST, command="sweep")
def sweep_over_ipv6(_lab):
    result = yield
    assert prefixes(result) == [("2603:1006:2000::/120", "open", None)], prefixes(result)


@scenario(Expect(exit=3, seconds=20, cause="meas_self_rate_limited", stage="host", owner="server-admin", status="inconclusive", finding="none"),
          arguments=("20.190.128.0/20", "--rate", "800"), command="sweep")
def sweep_stops_where_failures_follow_the_rate(lab):
    lab.core1.nft("add rule inet lab forward ip daddr 20.190.128.0/18 tcp flags & (syn|ack) == syn limit rate over 200/second burst 20 packets drop\n")
    result = yield
    one = sweep(result)
    assert one["stopped"] == "rate_limited" and one["counts"]["untried"] > 0 and not one["counts"]["filtered"], one["counts"]
    assert one["rate_seen"] > 300, one["rate_seen"]
    assert "because failures follow the rate" in re.sub(r"\s+", " ", result.text), result.text
    lab.core1.nft("flush chain inet lab forward\n")
    later = result.sweep_again("--resume", result.file, "--rate", "0")
    assert later.status == 0 and counts(later) == {"open": 4096}, (later.status, later.errors)


@scenario(Expect(exit=3, seconds=8, cause="meas_interrupted", stage="host", status="inconclusive", finding="none"),
          arguments=("20.190.128.0/20", "--rate", "2000"), command="sweep")
def sweep_goes_on_after_an_interruption(lab):
    lab.edge.drop(dst="20.190.140.0/23", port=443)
    lab.prefix = ["timeout", "--signal=INT", "--preserve-status", f"{1.2 * lab.slowness:.1f}"]
    first = yield
    one = sweep(first)
    assert first.report["run"]["end_reason"] == "interrupted" and one["stopped"] == "interrupted", first.report["run"]
    assert one["counts"]["open"] > 500 and one["counts"]["untried"] > 0 and not one["counts"]["filtered"], one["counts"]
    lab.prefix = []
    later = first.sweep_again("--resume", first.file, "--rate", "0")
    assert later.status == 0 and counts(later) == {"open": 3584, "filtered": 512}, (later.status, later.errors, counts(later))
    assert sweep(later)["connects"] < 4096 - one["counts"]["open"] + 2 * 1024 + 512, "what was known is asked again"
    assert ("20.190.140.0/23", "filtered", None) in prefixes(later), prefixes(later)
    bad = first.sweep_again("--resume", first.file, "20.190.128.0/24")
    assert bad.status == 2 and "name none beside it" in bad.errors, bad.errors
    assert json.loads(first.json_text)["sweeps"][0]["rate"] == 2000
