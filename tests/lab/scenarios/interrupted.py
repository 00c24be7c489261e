"""
Interrupted, or out of time, in the middle of experiments: at many moments of runs that have each kind of them under way.

Whatever had come by then is a whole report, which says how the run ended, and nothing waits for what is under way.
"""
from lab.scenario import Expect, scenario

LOGIN = "login.microsoftonline.com"
WINDOWS = "login.windows.net"
MOMENTS = [0.4 + 0.35 * step for step in range(6)]  # not before the program has begun to listen to Ctrl-C, on a busy machine too
GOODBYE_SECONDS = 1.5  # of a busy machine
FAILURE = {"deadline": "deadline_error", "interrupted": "interrupted_error"}


def ends_well(result, reason, moment, known):
    """One run that was cut at that moment, or was over before; returns the ids of the experiments that it cut."""
    run = result.report["run"] if result.report else None
    assert run and run["id"] not in known, f"no report after {moment:.2f} s: {result.errors}"
    known.add(run["id"])
    assert result.status in ((1, 3) if run["end_reason"] == reason else (1,)), f"exit status {result.status}: {result.errors}"
    assert run["end_reason"] in (reason, "complete"), run["end_reason"]
    assert "ended_at" in run and all(p["verdict"]["status"] for p in result.report["paths"]), run
    assert result.text.strip() and result.handoff.strip()
    return {o["experiment"] for o in result.observations() if o["experiment"] and o["failure"] == FAILURE[reason]}


def cut_at_many_moments(lab, first, wanted):
    """By Ctrl-C, and by the deadline; among them every kind that is wanted is under way once."""
    known, cut = {first.report["run"]["id"]}, set()
    arguments = list(lab.arguments)
    for moment in MOMENTS:
        for reason in ("interrupted", "deadline"):
            seconds = moment * lab.slowness
            lab.interrupt_after = seconds if reason == "interrupted" else None
            lab.arguments = arguments + (["--deadline", f"{seconds:.2f}"] if reason == "deadline" else [])
            result = first.run_again()
            cut |= ends_well(result, reason, moment, known)
            took_seconds = result.report["run"]["duration_ms"] / 1000
            assert took_seconds <= (moment + GOODBYE_SECONDS) * lab.slowness, f"{took_seconds:.2f} s, cut at {moment:.2f} s"
    assert set(wanted) <= cut, f"never under way: {', '.join(sorted(set(wanted) - cut))}"


@scenario(Expect(exit=1, cause="tls_sni_dropped", stage="tls", targets=LOGIN,
                 second=Expect(exit=1, cause="ip_acl_at_hop_port_specific", stage="tcp", targets=WINDOWS)))
def experiments_on_direct_ways_are_cut(lab):
    lab.wire(["-k", LOGIN])
    lab.core1.drop(dst=WINDOWS, port=443)
    cut_at_many_moments(lab, (yield), ["walk", "walk_hello", "again", "tls_segments", "tls_required_name"])


@scenario(Expect(exit=1, cause="tls_sni_dropped", stage="tls", targets=LOGIN))
def experiments_behind_a_proxy_are_cut(lab):
    lab.only_proxy_goes_out()
    proxy = lab.squid()
    lab.reg(user=proxy, system=proxy)
    lab.wire(["-k", LOGIN])
    cut_at_many_moments(lab, (yield), ["tls_segments", "tls_required_name"])


@scenario(Expect(exit=1, cause="dns_servers_silent", stage="dns"))
def experiments_with_dns_are_cut(lab):
    for server in (lab.dns1, lab.dns2):
        server.silent()
    cut_at_many_moments(lab, (yield), ["dns_over_tcp"])
