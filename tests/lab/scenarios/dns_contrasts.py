"""Names where only another question, or another connection, tells the cause; and odd DNS that does no harm."""
from lab.scenario import Expect, scenario

LOGIN = "login.microsoftonline.com"
PROT = "pod01-prot1.eus.backup.windowsazure.com"
PRIVATE_ZONE = "privatelink.eus.backup.windowsazure.com"
BOTH = "10.1.0.53, 10.1.0.54"
NOWHERE = "10.9.9.9"


def both(lab):
    return lab.dns1, lab.dns2


def confidence(result, cause, least):
    found = [p["verdict"]["confidence"] for p in result.paths(effective=True) if p["verdict"]["cause"] == cause]
    assert found and min(found) >= least, f"{cause}: {found}"


def experiments(result, name=None):
    return [o for o in result.report["observations"] if o["op"] == "dns_query" and o["experiment"] and name in (None, o["experiment"])]


def no_experiment(result):
    odd = sorted({(o["experiment"], o["name"]) for o in experiments(result)})
    assert not odd, f"nothing was odd enough for these: {odd}"


# ---------------------------------------------------------------- EDNS and size

@scenario(Expect(exit=1, cause="dns_edns_dropped", stage="dns", owner="firewall-team", subject=BOTH))
def dns_questions_with_edns_dropped_and_system_uses_it(lab):
    lab.resolv_conf(["10.1.0.53", "10.1.0.54"], "options edns0 timeout:1 attempts:1\n")
    lab.start()
    for server in both(lab):
        server.edns_lost()
    result = yield
    confidence(result, "dns_edns_dropped", 0.8)


@scenario(Expect(exit=0, cause="dns_edns_dropped", stage="dns", owner="firewall-team", status="warn", subject=BOTH))
def dns_questions_with_edns_dropped_and_system_uses_none(lab):
    lab.start()
    for server in both(lab):
        server.edns_lost()


def many_addresses(lab, count):
    """LOGIN's answer becomes large: nobody needs to listen at more than 16 of them, as no more are tried."""
    host = lab.names.hosts[LOGIN]
    host.addresses = [f"20.190.{128 + i // 100}.{10 + i % 100}" for i in range(count)]


@scenario(Expect(exit=0, cause="dns_large_udp_dropped", stage="dns", owner="firewall-team", status="warn", targets=LOGIN, subject=BOTH))
def dns_replies_over_512_bytes_dropped(lab):
    many_addresses(lab, 40)
    for server in both(lab):
        server.large_replies_lost()


@scenario(Expect(exit=1, cause="dns_large_udp_dropped", stage="dns", owner="firewall-team", targets=LOGIN, subject=BOTH))
def dns_replies_over_512_bytes_dropped_and_tcp_shut(lab):
    many_addresses(lab, 40)
    lab.resolv_conf(["10.1.0.53", "10.1.0.54"], "options timeout:1 attempts:1\n")
    lab.start()
    for server in both(lab):
        server.large_replies_lost()
        server.node.drop(port=53, proto="tcp", chain="input")


@scenario(Expect(exit=0, cause="dns_large_udp_dropped", stage="dns", owner="firewall-team", status="warn", targets=LOGIN, subject=BOTH))
def dns_reply_fragments_lost(lab):
    many_addresses(lab, 100)
    for server in both(lab):
        server.large_replies_lost(over=1400)


@scenario(Expect(exit=1, cause="dns_tcp_fallback_blocked", stage="dns", owner="firewall-team", targets=LOGIN, subject=BOTH))
def dns_over_tcp_dropped(lab):
    many_addresses(lab, 100)
    lab.resolv_conf(["10.1.0.53", "10.1.0.54"], "options timeout:1 attempts:1\n")
    lab.start()
    for server in both(lab):
        server.node.drop(port=53, proto="tcp", chain="input")


# ---------------------------------------------------------------- SERVFAIL

@scenario(Expect(exit=1, cause="dns_dnssec_bogus", stage="dns", owner="dns-team", targets=LOGIN, subject=BOTH))
def dns_validation_fails(lab):
    for server in both(lab):
        server.distrusts("microsoftonline.com")
    result = yield
    confidence(result, "dns_dnssec_bogus", 0.8)
    assert all(o["checking_disabled"] for o in experiments(result, "dns_checking_disabled"))


@scenario(Expect(exit=1, cause="dns_servfail_upstream", stage="dns", owner="dns-team", subject=BOTH))
def dns_servers_fail_unchecked_too(lab):
    for server in both(lab):
        server.servfail()
    result = yield
    confidence(result, "dns_servfail_upstream", 0.8)
    assert len(experiments(result, "dns_checking_disabled")) <= 6, "asked of every name"


@scenario(Expect(exit=1, cause="dns_dnssec_bogus", stage="dns", owner="dns-team", targets=LOGIN, subject=BOTH))
def dns_validation_fails_and_firewall_drops_the_same_name(lab):
    for server in both(lab):
        server.distrusts("microsoftonline.com")
    lab.edge.drop(dst=LOGIN)


@scenario(Expect(exit=1, cause="dns_servfail_upstream", stage="dns", owner="dns-team", subject=BOTH))
def dns_servers_have_no_way_out(lab):
    for server in both(lab):
        server.cannot_go_out()


@scenario(Expect(exit=1, cause="dns_servfail_upstream", stage="dns", owner="dns-team", subject=BOTH), arguments=("--no-experiments",))
def dns_servers_fail_and_nothing_else_may_be_asked(lab):
    for server in both(lab):
        server.servfail()
    result = yield
    assert not experiments(result)
    verdict = result.paths(effective=True)[0]["verdict"]
    assert verdict["confidence"] < 0.8 and any("CD=1" in text for text in verdict["not_run"]), verdict


# ---------------------------------------------------------------- what no server should say

@scenario(Expect(exit=1, cause="dns_reply_malformed", stage="dns", owner="dns-team", subject=BOTH))
def dns_servers_take_plain_questions_for_malformed(lab):
    for server in both(lab):
        server.formerr()
    result = yield
    confidence(result, "dns_reply_malformed", 0.8)


@scenario(Expect(exit=1, cause="dns_refused", stage="dns", owner="dns-team", subject=BOTH))
def dns_access_list_leaves_this_server_out(lab):
    for server in both(lab):
        server.serves_others_only()
    result = yield
    assert any(o["ede"] == 18 for o in result.observations("dns_query")), "the server did not say why"
    confidence(result, "dns_refused", 0.8)


# ---------------------------------------------------------------- invented addresses

@scenario(Expect(exit=1, cause="dns_nxdomain_wildcarded", stage="dns", owner="dns-team", targets=LOGIN, subject=BOTH))
def dns_invents_address_for_name_that_it_does_not_find(lab):
    for server in both(lab):
        server.invents(NOWHERE, but=[LOGIN])
    result = yield
    confidence(result, "dns_nxdomain_wildcarded", 0.8)


@scenario(Expect(exit=1, cause="dns_nxdomain_wildcarded", stage="dns", owner="dns-team", targets=LOGIN, subject=BOTH))
def dns_invents_public_address_of_a_search_page(lab):
    page = "23.40.200.1"
    lab.core2.ip(f"route replace {page} via 198.18.0.14")
    lab.other.ip(f"route replace local {page} dev lo")
    for server in both(lab):
        server.invents(page, but=[LOGIN])


@scenario(Expect(exit=1, cause="dns_rewritten_private", stage="dns", owner="dns-team", targets="*.microsoftonline.com", subject=BOTH))
def dns_filter_for_a_whole_domain_is_no_wildcard(lab):
    for server in both(lab):
        server.spoof(NOWHERE, ["microsoftonline.com"])


@scenario(Expect(exit=0))
def dns_invents_addresses_and_all_names_are_known(lab):
    for server in both(lab):
        server.invents(NOWHERE)
    result = yield
    no_experiment(result)


# ---------------------------------------------------------------- search suffixes

@scenario(Expect(exit=1, cause="dns_suffix_appended_capture", stage="dns", owner="dns-team", subject="lan.test"))
def search_suffix_is_tried_first_and_captures_all(lab):
    lab.resolv_conf(["10.1.0.53", "10.1.0.54"], "search lan.test\noptions ndots:9\n")
    for server in both(lab):
        server.wildcard("lan.test", NOWHERE)
    lab.edge.reject(dst=NOWHERE, how="reset", proto="tcp")


@scenario(Expect(exit=1, cause="dns_suffix_appended_capture", stage="dns", owner="dns-team", targets=LOGIN, subject="lan.test"))
def search_suffix_captures_name_that_servers_deny(lab):
    lab.resolv_conf(["10.1.0.53", "10.1.0.54"], "search corp.test lan.test\n")
    for server in both(lab):
        server.nxdomain([LOGIN])
        server.wildcard("lan.test", NOWHERE)
    # dnsdist denies all names below LOGIN; with the suffix behind it, it is another name.
    result = yield
    confidence(result, "dns_suffix_appended_capture", 0.8)


@scenario(Expect(exit=0))
def search_suffixes_that_capture_nothing(lab):
    lab.resolv_conf(["10.1.0.53", "10.1.0.54"], "search corp.test lan.test\n")
    for server in both(lab):
        server.wildcard("lan.test", NOWHERE)
    result = yield
    no_experiment(result)


# ---------------------------------------------------------------- private link

def behind_private_link(lab, records):
    """The public name leads by way of the private zone's name, as it does once a private endpoint exists."""
    lab.names.hosts[PROT].chain = [f"pod01-prot1.{PRIVATE_ZONE}", "eus-pod01-prot-01.eastus.cloudapp.azure.com"]
    if records is not None:
        for server in both(lab):
            server.private_zone(PRIVATE_ZONE, records)


@scenario(Expect(exit=0, finding="warn", cause="dns_privatelink_dead_end", stage="dns", owner="dns-team", targets=PROT, subject=PROT))
def private_zone_lacks_the_record(lab):
    behind_private_link(lab, [])


@scenario(Expect(exit=0, finding="warn", cause="dns_privatelink_stale", stage="dns", owner="dns-team", targets=PROT, subject=PROT))
def private_endpoint_is_gone(lab):
    behind_private_link(lab, ["pod01-prot1 A 10.7.0.4"])
    lab.arguments += ["--control-resolver", lab.public_resolver()]
    result = yield
    confidence(result, "dns_privatelink_stale", 0.8)


@scenario(Expect(exit=0, finding="warn", cause="dns_privatelink_stale", stage="dns", owner="dns-team", targets=PROT, subject=PROT))
def private_endpoint_is_gone_and_its_address_refuses(lab):
    behind_private_link(lab, ["pod01-prot1 A 10.7.0.4"])
    lab.edge.reject(dst="10.7.0.4", how="reset", proto="tcp")
    lab.arguments += ["--control-resolver", lab.public_resolver()]


@scenario(Expect(exit=0, cause="dns_privatelink_leaks_public", stage="dns", owner="dns-team", status="warn", targets=PROT, subject=PROT),
          arguments=("--private-endpoint", "expected"))
def private_zone_is_not_linked_and_the_public_way_is_open(lab):
    behind_private_link(lab, None)


@scenario(Expect(exit=0, finding="warn", cause="dns_privatelink_leaks_public", stage="dns", owner="dns-team", targets=PROT, subject=PROT),
          arguments=("--private-endpoint", "expected"))
def private_zone_is_not_linked_and_the_public_way_is_shut(lab):
    behind_private_link(lab, None)
    lab.edge.drop(dst=PROT)


@scenario(Expect(exit=0), arguments=("--private-endpoint", "none"))
def chain_passes_private_link_and_none_is_expected(lab):
    behind_private_link(lab, None)


STORAGE_HOSTS = {"ceuswatcab01.blob.core.windows.net": "blob.core.windows.net", "ceuswatcab01.queue.core.windows.net": "queue.core.windows.net"}


def private_endpoints_for_all(lab):
    """Backup, blob and queue by private endpoints that answer; sign-in and the rest stay public."""
    behind_private_link(lab, ["pod01-prot1 A 10.7.0.4"])
    for number, (host, zone) in enumerate(STORAGE_HOSTS.items(), 5):
        lab.names.hosts[host].chain = [f"ceuswatcab01.privatelink.{zone}", f"{zone.split('.')[0]}.dm5prdstr01a.store.core.windows.net"]
        for server in both(lab):
            server.private_zone(f"privatelink.{zone}", [f"ceuswatcab01 A 10.7.0.{number}"])
    lab.azure.ip("route replace local 10.7.0.0/24 dev lo")


@scenario(Expect(exit=0), arguments=("--private-endpoint", "expected"))
def private_endpoints_answer_for_backup_blob_and_queue(lab):
    private_endpoints_for_all(lab)
    lab.service_tags()
    result = yield
    for number, host in enumerate([PROT, *STORAGE_HOSTS], 4):
        path = result.paths(host, effective=True)[0]
        assert [a["address"] for a in path["attempts"]] == [f"10.7.0.{number}"] and not path["verdict"]["also"], path
    assert all(a["address"].startswith(("20.190.", "40.126.")) for path in result.paths("login.microsoftonline.com") for a in path["attempts"])


@scenario(Expect(exit=0, finding="warn", cause="dns_privatelink_stale", stage="dns", owner="dns-team", targets="ceuswatcab01.queue.*",
                 subject="ceuswatcab01.queue.core.windows.net"), arguments=("--private-endpoint", "none"))
def private_endpoint_of_the_queue_is_gone_and_none_is_expected(lab):
    private_endpoints_for_all(lab)
    lab.edge.drop(dst="10.7.0.6")


# ---------------------------------------------------------------- aliases

@scenario(Expect(exit=1, cause="dns_cname_hop_blocked", stage="dns", owner="dns-team", targets=LOGIN, subject=LOGIN))
def dns_filter_stops_an_alias(lab):
    for server in both(lab):
        server.private_zone("aadg.trafficmanager.net")
    lab.arguments += ["--control-resolver", lab.public_resolver()]


# ---------------------------------------------------------------- two faults at once

@scenario(Expect(exit=1, cause="dns_refused", stage="dns", owner="dns-team", targets=LOGIN, subject=BOTH))
def dns_refuses_a_name_that_the_firewall_drops_too(lab):
    for server in both(lab):
        server.refused(LOGIN)
    lab.edge.drop(dst=LOGIN)


@scenario(Expect(exit=1, cause="dns_refused", stage="dns", owner="dns-team", targets=LOGIN, subject="10.1.0.54"))
def first_dns_server_dead_and_second_refuses_a_name(lab):
    lab.dns1.silent(LOGIN)
    lab.dns2.refused(LOGIN)


@scenario(Expect(exit=1, cause="dns_udp_blocked_tcp_ok", stage="dns", owner="firewall-team", subject=BOTH))
def dns_over_udp_dropped_and_web_shut_too(lab):
    lab.start()
    for server in both(lab):
        server.node.drop(port=53, proto="udp", chain="input")
    lab.edge.drop(port=[80, 443])


@scenario(Expect(exit=1, cause="dns_port_rejected", stage="dns", owner="dns-team", subject="10.1.0.53"))
def first_dns_service_not_running_and_second_server_dead(lab):
    lab.dns1.stopped()
    lab.dns2.dead()


@scenario(Expect(exit=1, cause="dns_refused", stage="dns", owner="dns-team", subject="10.1.0.53"))
def first_dns_server_refuses_and_second_is_dead(lab):
    lab.dns1.refused()
    lab.dns2.dead()


@scenario(Expect(exit=1, cause="dns_servers_disagree", stage="dns", owner="dns-team", targets=LOGIN, subject="10.1.0.53"))
def first_dns_server_fails_and_firewall_drops_what_second_gives(lab):
    lab.dns1.nxdomain(LOGIN)
    lab.edge.drop(dst=LOGIN)


@scenario(Expect(exit=1, cause="dns_refused", stage="dns", owner="dns-team", targets=LOGIN, subject="10.1.0.53"))
def dns_servers_deny_a_name_in_different_words(lab):
    lab.dns1.refused(LOGIN)
    lab.dns2.nxdomain(LOGIN)


@scenario(Expect(exit=1, cause="dns_sinkholed", stage="dns", owner="dns-team", targets=LOGIN, subject=BOTH))
def dns_name_sinkholed_and_its_addresses_dropped_too(lab):
    for server in both(lab):
        server.spoof("0.0.0.0", LOGIN)
    lab.edge.drop(dst=LOGIN)
    lab.arguments += ["--control-resolver", lab.public_resolver()]


@scenario(Expect(exit=1, cause="dns_edns_dropped", stage="dns", owner="firewall-team", subject=BOTH))
def dns_questions_with_edns_dropped_and_web_shut_too(lab):
    lab.resolv_conf(["10.1.0.53", "10.1.0.54"], "options edns0 timeout:1 attempts:1\n")
    lab.start()
    for server in both(lab):
        server.edns_lost()
    lab.edge.drop(port=443)


@scenario(Expect(exit=0, finding="warn", cause="dns_privatelink_dead_end", stage="dns", owner="dns-team", targets=PROT, subject=PROT))
def private_zone_lacks_the_record_and_the_public_way_is_shut(lab):
    behind_private_link(lab, [])
    lab.edge.drop(dst=PROT)
    lab.arguments += ["--control-resolver", lab.public_resolver()]


# ---------------------------------------------------------------- odd, and well

@scenario(Expect(exit=0))
def first_dns_server_is_slow(lab):
    lab.dns1.slow(200)
    result = yield
    no_experiment(result)


@scenario(Expect(exit=0))
def dns_servers_without_edns(lab):
    for server in both(lab):
        server.without_edns()
    result = yield
    own = [o for o in result.observations("dns_query") if not o["experiment"]]
    assert own and all(o["edns_bytes"] is None for o in own), "the answer was to a question with EDNS"
    no_experiment(result)


@scenario(Expect(exit=0))
def large_answers_come_by_tcp(lab):
    many_addresses(lab, 100)
    result = yield
    assert experiments(result, "dns_edns_4096"), "a cut off answer, and nothing was asked"


@scenario(Expect(exit=0))
def dns_servers_answer_by_tcp_only(lab):
    for server in both(lab):
        server.truncate()


@scenario(Expect(exit=0))
def second_dns_server_refuses_ipv6_questions(lab):
    lab.dns2.rules.append("addAction(QTypeRule(DNSQType.AAAA), RCodeAction(DNSRCode.REFUSED))")


@scenario(Expect(exit=0))
def dns_servers_have_no_ipv6_addresses(lab):
    for server in both(lab):
        server.rules.append("addAction(QTypeRule(DNSQType.AAAA), RCodeAction(DNSRCode.NOERROR))")


@scenario(Expect(exit=0))
def chain_of_five_aliases(lab):
    lab.names.hosts[LOGIN].chain = [f"step{i}.msidentity.com" for i in range(1, 6)]


@scenario(Expect(exit=0))
def answers_may_not_be_kept(lab):
    """TTL 0: every question goes to the authority."""
    for server in both(lab):
        server.options.append("cache-max-ttl: 0")


@scenario(Expect(exit=0))
def aliases_in_mixed_case(lab):
    lab.names.hosts[LOGIN].chain = ["Login.MSO.MSidentity.COM", "www.TM.a.prd.AADG.TrafficManager.net"]


@scenario(Expect(exit=0))
def internal_wildcard_zone_of_other_names(lab):
    for server in both(lab):
        server.wildcard("apps.corp.test", "10.1.0.31")
    lab.edge.drop(dst="131.107.255.255")
