"""Nothing is wrong, or nothing that stops the agent: here a false alarm is the defect."""
from lab.scenario import Expect, scenario

PROXY = "proxy.corp.test:3128"
NOBODYS = ["20.190.136.0", "20.190.152.0", "20.190.167.255", "20.190.183.255", "40.126.8.0", "40.126.24.0", "40.126.39.255", "40.126.55.255"]


@scenario(Expect(exit=0))
def direct_open(lab):
    result = yield
    assert not result.findings(), result.findings()
    assert result.report["readiness"]["blocking"] == []
    assert {p["identity"] for p in result.paths(effective=True)}, "no path is the agent's own"
    for path in result.paths("login.microsoftonline.com", kind="direct"):
        assert len(path["attempts"]) == 8, f"{len(path['attempts'])} of eight addresses were tried"


@scenario(Expect(exit=0))
def direct_shut_and_proxy_open_for_both_identities(lab):
    lab.only_proxy_goes_out()
    lab.squid()
    lab.reg(user=PROXY, system=PROXY)
    result = yield
    assert all(p["route"]["via"] == f"PROXY {PROXY}" for p in result.paths(effective=True) if result.target(p)["host"])
    assert not result.findings(), result.findings()


@scenario(Expect(exit=0, cause="tcp_partial_address_block", stage="tcp", owner="firewall-team", status="warn",
                 targets="login.microsoftonline.com", subject="login.microsoftonline.com"))
def one_address_of_eight_dead(lab):
    lab.edge.drop(dst="40.126.12.20")


@scenario(Expect(exit=0))
def proxy_settings_there_but_switched_off(lab):
    lab.reg(user={"ProxyEnable": 0, "ProxyServer": PROXY}, system={"ProxyEnable": 0})


@scenario(Expect(exit=0))
def hosts_file_names_the_right_address(lab):
    lab.hosts_file({"login.windows.net": "20.190.130.3"})


@scenario(Expect(exit=0))
def server_without_ipv6(lab):
    lab.client.sysctl(net__ipv6__conf__eth0__disable_ipv6=1)


@scenario(Expect(exit=0))
def second_server_of_corp_dns_is_slow(lab):
    lab.dns2.slow(300)


@scenario(Expect(exit=0, cause="dns_nxdomain_everywhere", stage="dns", status="inconclusive", finding="none",
                 targets="weus2watcab01.blob.core.windows.net", warnings=("dns_nxdomain_everywhere",)))
def one_stand_in_withdrawn_while_the_other_serves(lab):
    lab.names.remove("weus2watcab01.blob.core.windows.net")
    lab.arguments += ["--control-resolver", lab.public_resolver()]


@scenario(Expect(exit=0, seconds=8))
def long_way_of_100_ms(lab):
    lab.wire(delay_ms=50)


@scenario(Expect(exit=0), arguments=("mars-usgov", "--region", "ugv"))
def set_of_us_government_open(_lab):
    pass


@scenario(Expect(exit=0), arguments=("mars-china", "--region", "bjb2"))
def set_of_china_open(_lab):
    pass


@scenario(Expect(exit=0), arguments=("--region", "jpe"))
def another_region_open(_lab):
    result = yield
    assert result.paths("pod01-manag1.jpe.backup.windowsazure.com"), "the region is not in the names"


@scenario(Expect(exit=0, seconds=2.5), arguments=("--timeout", "5"))
def nobody_listens_in_most_of_the_ranges(lab):
    lab.edge.drop(dst=NOBODYS)
    result = yield
    assert not result.findings(), result.findings()
    silent = [o for o in result.observations("tcp_connect") if o["failure"] == "generic_timeout_error"]
    assert silent, "no sample was silent"
