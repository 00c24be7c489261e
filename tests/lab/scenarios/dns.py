"""Names: every way in which a DNS server fails an enterprise."""
from lab.scenario import Expect, scenario

LOGIN = "login.microsoftonline.com"
BOTH = "10.1.0.53, 10.1.0.54"


def both(lab):
    return lab.dns1, lab.dns2


@scenario(Expect(exit=1, cause="dns_refused", stage="dns", owner="dns-team", subject=BOTH))
def dns_servers_refuse(lab):
    for server in both(lab):
        server.refused()


@scenario(Expect(exit=1, cause="dns_refused", stage="dns", owner="dns-team", targets=LOGIN, subject=BOTH))
def dns_servers_refuse_one_name(lab):
    for server in both(lab):
        server.refused(LOGIN)


@scenario(Expect(exit=1, cause="dns_servfail_upstream", stage="dns", owner="dns-team", subject=BOTH))
def dns_servers_fail(lab):
    for server in both(lab):
        server.servfail()


@scenario(Expect(exit=1, cause="dns_nxdomain_local_only", stage="dns", owner="dns-team", targets=LOGIN, subject=BOTH))
def dns_name_denied_only_inside(lab):
    for server in both(lab):
        server.nxdomain(LOGIN)
    lab.arguments += ["--control-resolver", lab.public_resolver()]


@scenario(Expect(exit=1, cause="dns_nxdomain_everywhere", stage="dns", owner="server-admin", targets=LOGIN, subject=LOGIN))
def dns_name_denied_everywhere(lab):
    lab.names.remove(LOGIN)
    lab.arguments += ["--control-resolver", lab.public_resolver()]


@scenario(Expect(exit=1, cause="dns_nodata", stage="dns", owner="dns-team", targets=LOGIN, subject=LOGIN))
def dns_name_without_addresses(lab):
    for server in both(lab):
        server.nodata(LOGIN)


@scenario(Expect(exit=1, cause="dns_servers_silent", stage="dns", owner="firewall-team", subject=BOTH))
def dns_servers_silent(lab):
    for server in both(lab):
        server.dead()


@scenario(Expect(exit=1, cause="dns_servers_silent", stage="dns", owner="firewall-team", targets=LOGIN, subject=BOTH))
def dns_servers_silent_for_one_name(lab):
    for server in both(lab):
        server.silent(LOGIN)


@scenario(Expect(exit=1, cause="dns_port_rejected", stage="dns", owner="dns-team", subject=BOTH))
def dns_service_not_running(lab):
    for server in both(lab):
        server.stopped()


@scenario(Expect(exit=1, cause="dns_no_servers", stage="dns", owner="server-admin"))
def dns_servers_not_configured(lab):
    lab.resolv_conf([])


@scenario(Expect(exit=1, cause="dns_sinkholed", stage="dns", owner="dns-team", targets=LOGIN, subject=BOTH))
def dns_name_sinkholed(lab):
    for server in both(lab):
        server.spoof("0.0.0.0", LOGIN)
    lab.arguments += ["--control-resolver", lab.public_resolver()]


@scenario(Expect(exit=1, cause="dns_sinkholed", stage="dns", owner="dns-team", targets=LOGIN, subject=BOTH))
def dns_name_sinkholed_and_no_second_opinion(lab):
    for server in both(lab):
        server.spoof("127.0.0.1", LOGIN)


@scenario(Expect(exit=1, cause="dns_rewritten_private", stage="dns", owner="dns-team", targets=LOGIN, subject=BOTH))
def dns_name_rewritten_to_private_address(lab):
    for server in both(lab):
        server.spoof("10.9.9.9", LOGIN)


@scenario(Expect(exit=1, cause="dns_servers_disagree", stage="dns", owner="dns-team", targets=LOGIN, subject="10.1.0.53"))
def dns_first_server_denies_what_second_knows(lab):
    lab.dns1.nxdomain(LOGIN)


@scenario(Expect(exit=0, cause="dns_servers_disagree", stage="dns", owner="dns-team", status="warn", targets=LOGIN, subject="10.1.0.54"))
def dns_second_server_denies_what_first_knows(lab):
    lab.dns2.nxdomain(LOGIN)


@scenario(Expect(exit=0, cause="dns_first_server_dead_slow", stage="dns", owner="dns-team", status="warn", subject="10.1.0.53"))
def dns_first_server_dead(lab):
    lab.dns1.dead()
    lab.resolv_conf([lab.dns1.address, lab.dns2.address], "options timeout:1\n")


@scenario(Expect(exit=0, seconds=6))
def one_silent_dns_server_holds_up_nobody(lab):
    lab.dns2.dead()
    result = yield
    slow = [p["id"] for p in result.paths(effective=True) for a in p["attempts"] if a["ended_at"] and took_ms(a) > 1000]
    assert not slow, f"a transfer waited for the dead server: {slow}"


def took_ms(attempt):
    """Duration of an attempt that does not cross midnight."""
    def since_midnight(text):
        hours, minutes, seconds = text[11:].rstrip("Z").split(":")
        return (int(hours) * 60 + int(minutes)) * 60000 + float(seconds) * 1000
    return since_midnight(attempt["ended_at"]) - since_midnight(attempt["started_at"])


@scenario(Expect(exit=1, cause="dns_servers_silent", stage="dns", owner="firewall-team", subject=BOTH))
def dns_machines_are_off(lab):
    lab.start()
    for server in both(lab):
        server.node.ip("link set eth0 down")


@scenario(Expect(exit=0, cause="dns_first_server_dead_slow", stage="dns", owner="dns-team", status="warn", subject="10.1.0.53"))
def dns_first_machine_is_off(lab):
    lab.resolv_conf([lab.dns1.address, lab.dns2.address], "options timeout:1\n")
    lab.start()
    lab.dns1.node.ip("link set eth0 down")


@scenario(Expect(exit=1, cause="dns_udp_blocked_tcp_ok", stage="dns", owner="firewall-team", subject=BOTH))
def dns_over_udp_dropped(lab):
    lab.start()
    for server in both(lab):
        server.node.drop(port=53, proto="udp", chain="input")


@scenario(Expect(exit=1, cause="dns_servers_disagree", stage="dns", owner="dns-team", targets="login.microsoftonline.com", subject="10.1.0.53"))
def first_server_names_another_public_address(lab):
    lab.dns1.spoof(["13.107.99.99"], ["login.microsoftonline.com"])
    lab.core1.drop(dst="13.107.99.99")
