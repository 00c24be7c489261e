"""
Two faults at once.  On the same targets the earlier stage is the cause, and the other waits until it is mended (faults=2); on different targets
each has its own finding (second=).
"""
from lab.scenario import Expect, scenario

PROXY = "proxy.corp.test:3128"
LOGIN = "login.microsoftonline.com"
WINDOWS = "login.windows.net"
STORAGE = "md-dlbrhcw4gn5r.z33.blob.storage.azure.net"
BLOB = "*.blob.core.windows.net"
BLOBS = ["ceuswatcab01.blob.core.windows.net", "weus2watcab01.blob.core.windows.net"]
NCSI = ("www.msftconnecttest.com", "www.msftncsi.com")
BOTH = "10.1.0.53, 10.1.0.54"
BY_TLS = ("login.*", "pod01-*", "*.blob.*", "*.queue.*", "go.microsoft.com", "download.microsoft.com", "aka.ms")
PORT_80 = ("www.msft*.com", "*crl*.microsoft.com", "oneocsp.microsoft.com", "*.digicert.com", "ocsp.msocsp.com", "www.microsoft.com",
           "ctldl.windowsupdate.com")
PAGE = "default_type text/html; return 403 '<html><title>Web Page Blocked</title>Forbidden by policy.</html>';"
SERVICE = "add_header x-ms-request-id $request_id always; add_header x-ms-version 2009-09-19 always; "
CLOCK = ["env", "FAKETIME_DONT_FAKE_MONOTONIC=1", "ASAN_OPTIONS=verify_asan_link_order=0", "faketime", "-f"]


def both(lab):
    return lab.dns1, lab.dns2


def everybody_by(lab, proxy):
    lab.reg(user=proxy, system=proxy)


# ---------------------------------------------------------------- one behind the other

@scenario(Expect(exit=1, cause="host_hosts_file_override", stage="host", targets=WINDOWS, subject=WINDOWS, faults=2))
def hosts_file_is_wrong_and_dns_refuses_the_name(lab):
    lab.hosts_file({WINDOWS: "10.9.9.9"})
    for server in both(lab):
        server.refused(WINDOWS)


@scenario(Expect(exit=1, cause="host_no_default_route", stage="host", faults=2))
def no_default_route_and_port_443_shut_at_the_edge(lab):
    lab.client.ip("route del default", "route del ::/0")
    lab.edge.drop(port=443)


@scenario(Expect(exit=1, cause="dns_refused", stage="dns", owner="dns-team", targets=LOGIN, subject=BOTH, faults=2))
def dns_refuses_a_name_whose_addresses_are_shut(lab):
    lab.edge.drop(dst=LOGIN)
    for server in both(lab):
        server.refused(LOGIN)


@scenario(Expect(exit=1, cause="dns_servers_silent", stage="dns", owner="firewall-team", subject=BOTH, faults=2, seconds=6))
def dns_is_silent_and_everything_else_is_shut(lab):
    lab.edge.drop(proto="tcp")
    for server in both(lab):
        server.dead()


@scenario(Expect(exit=1, cause="ip_admin_prohibited", stage="tcp", targets=LOGIN, subject="10.1.0.1", faults=2))
def edge_prohibits_what_shows_a_bad_certificate(lab):
    lab.edge.reject(dst=LOGIN, how="admin")
    lab.web.tls(LOGIN, lab.ca.issue("www.elsewhere.test", directory=lab.work))


@scenario(Expect(exit=1, cause="prx_refused", stage="proxy", owner="proxy-team", subject=PROXY, faults=2))
def proxy_is_down_and_the_sign_in_page_is_blocked(lab):
    lab.web.answer(LOGIN, PAGE)
    everybody_by(lab, PROXY)


@scenario(Expect(exit=1, cause="prx_acl_denied", stage="proxy", owner="proxy-team", targets=LOGIN, subject=PROXY, faults=2))
def proxy_denies_a_name_whose_certificate_has_expired(lab):
    lab.web.tls(LOGIN, lab.ca.issue(LOGIN, at="2020-01-01", days=30, directory=lab.work))
    everybody_by(lab, lab.squid(before=f"acl denied dstdomain {LOGIN}\nhttp_access deny denied"))


@scenario(Expect(exit=1, cause="tls_intercepted_untrusted", stage="tls", owner="proxy-team", targets=LOGIN, faults=2))
def name_is_opened_and_its_certificate_names_another(lab):
    lab.web.tls(LOGIN, lab.ca.issue("www.elsewhere.test", issuer=lab.ca.new_inspector(lab.work), directory=lab.work))


@scenario(Expect(exit=1, cause="tls_cert_expired", stage="tls", targets=STORAGE, faults=2))
def certificate_has_expired_and_the_service_is_busy(lab):
    lab.web.answer(STORAGE, SERVICE + "add_header Retry-After 30 always; return 503;")
    lab.web.tls(STORAGE, lab.ca.issue(STORAGE, at="2020-01-01", days=30, directory=lab.work))


# ---------------------------------------------------------------- one beside the other

@scenario(Expect(exit=1, cause="tls_cert_expired", stage="tls", targets=LOGIN,
                 second=Expect(exit=1, cause="host_clock_skewed", stage="host", owner="server-admin", targets=BY_TLS)))
def clock_is_ahead_and_one_certificate_has_expired_by_any_clock(lab):
    lab.web.tls(LOGIN, lab.ca.issue(LOGIN, at="2020-01-01", days=30, directory=lab.work))
    lab.prefix = CLOCK + ["+730d"]


@scenario(Expect(exit=1, cause="http_block_page", stage="http", owner="firewall-team", targets=LOGIN,
                 second=Expect(exit=1, cause="http_service_throttled", stage="http", owner="microsoft", targets=STORAGE, subject=STORAGE)))
def sign_in_is_blocked_and_storage_is_busy(lab):
    lab.web.answer(LOGIN, PAGE)
    lab.web.answer(STORAGE, SERVICE + "add_header Retry-After 30 always; return 503;")


@scenario(Expect(exit=1, cause="tls_cert_expired", stage="tls", targets=LOGIN,
                 second=Expect(exit=1, cause="tls_name_mismatch", stage="tls", owner="dns-team", targets=STORAGE)))
def one_certificate_has_expired_and_one_names_another(lab):
    lab.web.tls(LOGIN, lab.ca.issue(LOGIN, at="2020-01-01", days=30, directory=lab.work))
    lab.web.tls(STORAGE, lab.ca.issue("www.elsewhere.test", directory=lab.work))


@scenario(Expect(exit=1, cause="ip_admin_prohibited", stage="tcp", owner="firewall-team", targets=LOGIN, subject="10.1.0.1",
                 second=Expect(exit=1, cause="ip_no_route_from_router", stage="tcp", owner="network-team", targets=BLOB, subject="198.18.0.1")))
def edge_prohibits_one_name_and_a_router_has_no_route_to_another(lab):
    lab.edge.reject(dst=LOGIN, how="admin")
    lab.core1.reject(dst=BLOBS, how="net")


@scenario(Expect(exit=1, cause="dns_nxdomain_local_only", stage="dns", owner="dns-team", targets=LOGIN, subject=BOTH,
                 warnings=("tls_revocation_blocked",),
                 second=Expect(exit=1, cause="http_port80_only_blocked", stage="http", owner="firewall-team", targets=PORT_80)))
def dns_denies_one_name_and_port_80_is_shut(lab):
    for server in both(lab):
        server.nxdomain(LOGIN)
    lab.arguments += ["--control-resolver", lab.public_resolver()]
    lab.edge.drop(port=80)


@scenario(Expect(exit=1, cause="http_captive_portal", stage="http", owner="network-team", targets=NCSI,
                 second=Expect(exit=1, cause="tls_self_signed_appliance", stage="tls", owner="firewall-team", targets=LOGIN)))
def portal_and_an_appliance_of_its_own(lab):
    lab.web.answer(NCSI, "return 302 http://portal.hotel.test/welcome;")
    lab.web.tls(LOGIN, lab.ca.issue(LOGIN, issuer="self", subject="/O=Gate Inc/CN=appliance", directory=lab.work))


@scenario(Expect(exit=1, cause="tls_plain_reply", stage="tls", owner="proxy-team", targets=LOGIN,
                 second=Expect(exit=1, cause="dns_sinkholed", stage="dns", owner="dns-team", targets=STORAGE, subject=BOTH)))
def sign_in_answers_in_the_clear_and_storage_is_sinkholed(lab):
    lab.stub(r"plain:HTTP/1.0 403 Forbidden\r\nContent-Type: text/html\r\n\r\n<html>blocked</html>", LOGIN)
    for server in both(lab):
        server.spoof("0.0.0.0", STORAGE)


@scenario(Expect(exit=1, cause="http_service_5xx", stage="http", owner="microsoft", targets=STORAGE, subject=STORAGE,
                 second=Expect(exit=0, cause="host_ipv6_preferred_broken", stage="host", owner="network-team", status="warn",
                               targets=("login.microsoft.com", "www.microsoft.com"))))
def storage_fails_and_ipv6_goes_nowhere(lab):
    lab.web.answer(STORAGE, SERVICE + "return 500;")
    lab.edge.drop(dst="2603:1000::/24")


@scenario(Expect(exit=1, cause="http_ncsi_altered", stage="http", owner="proxy-team", targets=NCSI,
                 second=Expect(exit=0, cause="tcp_partial_address_block", stage="tcp", owner="firewall-team", status="warn", targets=LOGIN,
                               subject=LOGIN)))
def ncsi_is_altered_and_one_address_of_eight_is_dead(lab):
    lab.web.answer(NCSI, "return 200 'Microsoft Connect Test, checked by Gate';")
    lab.edge.drop(dst="40.126.12.20")


@scenario(Expect(exit=1, cause="tls_intermediate_missing", stage="tls", owner="firewall-team", targets=LOGIN,
                 second=Expect(exit=0, cause="dns_first_server_dead_slow", stage="dns", owner="dns-team", status="warn", subject="10.1.0.53")))
def first_dns_server_is_dead_and_an_intermediate_is_missing(lab):
    lab.dns1.dead()
    lab.resolv_conf([lab.dns1.address, lab.dns2.address], "options timeout:1\n")
    lab.web.without_intermediate(LOGIN)


@scenario(Expect(exit=1, cause="prx_acl_denied", stage="proxy", owner="proxy-team", targets=LOGIN, subject=PROXY,
                 second=Expect(exit=1, cause="tls_self_signed_appliance", stage="tls", owner="firewall-team", targets=STORAGE)))
def proxy_denies_one_name_and_behind_it_stands_an_appliance(lab):
    everybody_by(lab, lab.squid(before=f"acl denied dstdomain {LOGIN}\nhttp_access deny denied"))
    lab.web.tls(STORAGE, lab.ca.issue(STORAGE, issuer="self", subject="/O=Gate Inc/CN=appliance", directory=lab.work))


@scenario(Expect(exit=1, cause="host_hosts_file_override", stage="host", owner="server-admin", targets=WINDOWS, subject=WINDOWS,
                 second=Expect(exit=1, cause="http_service_throttled", stage="http", owner="microsoft", targets=STORAGE)))
def hosts_file_is_wrong_and_storage_is_busy(lab):
    lab.hosts_file({WINDOWS: "10.9.9.9"})
    lab.web.answer(STORAGE, SERVICE + "return 429;")
