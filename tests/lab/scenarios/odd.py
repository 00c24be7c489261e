"""Networks that are odd and do their work: whoever accuses one of them gives a false alarm."""
from lab.scenario import Expect, scenario

LOGIN = "login.microsoftonline.com"
PROXY = "proxy.corp.test:3128"
PATIENT = ("--timeout", "5")


def no_findings(result):
    assert not result.findings(), result.findings()


# ---------------------------------------------------------------- the way

@scenario(Expect(exit=0, seconds=8), arguments=PATIENT)
def round_trips_of_300_ms(lab):
    lab.wire(delay_ms=150)
    no_findings((yield))


@scenario(Expect(exit=0, seconds=16), arguments=PATIENT)
def one_packet_of_a_hundred_is_lost(lab):
    lab.wire(["-l", "0.5"])
    no_findings((yield))


@scenario(Expect(exit=0), arguments=PATIENT)
def packets_overtake_each_other(lab):
    lab.wire(["-j", "30"])
    no_findings((yield))


@scenario(Expect(exit=0))
def way_carries_1400_bytes_and_says_so(lab):
    lab.small_mtu(1400)
    no_findings((yield))


@scenario(Expect(exit=0))
def way_carries_1300_bytes_and_segments_are_clamped(lab):
    lab.small_mtu(1300)
    lab.core1.clamp_mss()
    lab.core2.clamp_mss()
    lab.no_icmp()
    no_findings((yield))


@scenario(Expect(exit=0))
def routers_say_nothing_when_a_ttl_runs_out(lab):
    lab.mute()
    no_findings((yield))


@scenario(Expect(exit=0))
def routers_pass_no_icmp_at_all(lab):
    lab.no_icmp()
    no_findings((yield))


@scenario(Expect(exit=0))
def routers_speak_icmp_once_a_second(lab):
    for router in lab.routers():
        router.sysctl(net__ipv4__icmp_ratelimit=1000)
    no_findings((yield))


@scenario(Expect(exit=0))
def tunnel_hides_its_hops(lab):
    lab.core1.nft("add rule inet lab prerouting ip ttl < 60 ip ttl set 60\n")
    no_findings((yield))


@scenario(Expect(exit=0))
def edge_hides_the_enterprise_behind_one_address(lab):
    lab.masquerade()
    no_findings((yield))


@scenario(Expect(exit=0))
def answers_come_by_another_way(lab):
    lab.another_way_back()
    no_findings((yield))


@scenario(Expect(exit=0))
def edge_watches_connections_and_nothing_comes_in_unasked(lab):
    lab.edge.nft("add rule inet lab forward ct state established,related accept\n"
                 "add rule inet lab forward ip saddr 10.1.0.0/24 ct state new tcp dport { 80, 443 } accept\n"
                 "add rule inet lab forward ip6 saddr 2001:db8:1::/64 ct state new tcp dport { 80, 443 } accept\n"
                 "add rule inet lab forward iifname \"to-core1\" ct state new drop\n"
                 "add rule inet lab forward ip saddr 10.1.0.2 drop\n")
    no_findings((yield))


@scenario(Expect(exit=0))
def accelerator_opens_every_connection_itself(lab):
    lab.accelerator()
    no_findings((yield))


# ---------------------------------------------------------------- this server

@scenario(Expect(exit=0))
def second_card_leads_to_a_network_without_a_way_out(lab):
    lab.client.ip("link add backup type veth peer name backup netns other", "addr add 192.168.77.2/24 dev backup", "link set backup up")
    lab.other.ip("link set backup up")
    no_findings((yield))


@scenario(Expect(exit=0))
def old_tcp_without_timestamps_sack_and_large_windows(lab):
    lab.client.sysctl(net__ipv4__tcp_timestamps=0, net__ipv4__tcp_sack=0, net__ipv4__tcp_window_scaling=0)
    no_findings((yield))


@scenario(Expect(exit=0))
def explicit_congestion_notification_is_on(lab):
    for end in (lab.client, lab.azure):
        end.sysctl(net__ipv4__tcp_ecn=1)
    no_findings((yield))


@scenario(Expect(exit=0))
def card_carries_1280_bytes(lab):
    lab.client.ip("link set eth0 mtu 1280")
    no_findings((yield))


# ---------------------------------------------------------------- names

@scenario(Expect(exit=0))
def many_suffixes_are_searched(lab):
    lab.resolv_conf([lab.dns1.address, lab.dns2.address], "search corp.test ad.corp.test emea.ad.corp.test\noptions ndots:4\n")
    no_findings((yield))


@scenario(Expect(exit=0))
def dns_answers_by_tcp_alone(lab):
    lab.dns1.truncate()
    lab.dns2.truncate()
    no_findings((yield))


@scenario(Expect(exit=0))
def dns_takes_half_a_second(lab):
    lab.dns1.slow(500)
    lab.dns2.slow(500)
    no_findings((yield))


@scenario(Expect(exit=0))
def one_dns_server_named_twice(lab):
    lab.resolv_conf([lab.dns1.address, lab.dns1.address])
    no_findings((yield))


@scenario(Expect(exit=0), arguments=("http://ipv6.msftconnecttest.com/connecttest.txt",))
def name_with_an_ipv6_address_alone(_lab):
    no_findings((yield))


# ---------------------------------------------------------------- the far end

@scenario(Expect(exit=0))
def servers_know_tls_1_2_alone(lab):
    lab.web.settings["ssl_protocols"] = "TLSv1.2"
    result = yield
    no_findings(result)
    assert {o["version"] for o in result.observations("tls_handshake")} == {"TLSv1.2"}


@scenario(Expect(exit=0))
def servers_know_tls_1_3_alone(lab):
    lab.web.settings["ssl_protocols"] = "TLSv1.3"
    result = yield
    no_findings(result)
    assert {o["version"] for o in result.observations("tls_handshake")} == {"TLSv1.3"}


@scenario(Expect(exit=0))
def servers_keep_sessions_and_hand_out_tickets(lab):
    lab.web.settings.update({"ssl_session_cache": "shared:lab:1m", "ssl_session_tickets": "on"})
    no_findings((yield))


@scenario(Expect(exit=0))
def servers_close_after_each_answer(lab):
    lab.web.settings["keepalive_timeout"] = "0"
    no_findings((yield))


@scenario(Expect(exit=0))
def chain_is_long(lab):
    issuer = None
    for level in range(4):
        issuer = lab.ca.issue_ca(f"/O=Lab of Microsoft Corporation/CN=Lab Issuing CA {level}", issuer, directory=lab.work)
    lab.web.tls(LOGIN, lab.ca.issue([LOGIN] + [f"name-{n}.long.test" for n in range(80)], issuer=issuer, directory=lab.work))
    no_findings((yield))


# ---------------------------------------------------------------- the proxy

@scenario(Expect(exit=0))
def proxy_thinks_for_a_second(lab):
    lab.only_proxy_goes_out()
    helper = lab.work / "thinker"
    helper.write_text("#!/bin/sh\nwhile read -r line; do sleep 1; echo OK; done\n", encoding="ascii")
    helper.chmod(0o755)
    proxy = lab.squid(before=f"external_acl_type thinker ttl=0 negative_ttl=0 children-startup=60 children-max=60 %DST {helper}\n"
                             "acl thought external thinker\nhttp_access deny !thought")
    lab.reg(user=proxy, system=proxy)
    no_findings((yield))


@scenario(Expect(exit=0))
def proxies_of_one_name(lab):
    lab.only_proxy_goes_out()
    lab.proxy.ip("addr add 10.1.0.33/24 dev eth0")
    lab.edge.drop(src="10.1.0.33")  # it answers, and what it asks leaves from its first address
    for server in (lab.dns1, lab.dns2):
        server.record("farm.corp.test. A 10.1.0.31")
        server.record("farm.corp.test. A 10.1.0.33")
    lab.squid(extra="http_port 10.1.0.33:3128")
    lab.reg(user="farm.corp.test:3128", system="farm.corp.test:3128")
    no_findings((yield))


@scenario(Expect(exit=0))
def proxy_far_away(lab):
    lab.only_proxy_goes_out()
    proxy = lab.squid()
    lab.lan_wire(delay_ms=100)
    lab.reg(user=proxy, system=proxy)
    no_findings((yield))


@scenario(Expect(exit=0), arguments=(f"https://{LOGIN}/", "https://login.windows.net/"))
def caches_write_the_date_anew_beside_an_old_age(lab):
    """Some delivery networks keep the Date of what they cached (RFC 9111 5.1), many do not: no clock is wrong by that."""
    for host in (LOGIN, "login.windows.net"):
        lab.web.answer(host, "add_header X-Cache HIT always; add_header Age 4000 always; return 200;")
    no_findings((yield))
