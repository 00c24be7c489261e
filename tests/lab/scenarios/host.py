"""The server itself."""
from lab import vault
from lab.scenario import Expect, scenario

# Every target of mars-public that is asked by TLS.
BY_TLS = ("login.*", "pod01-*", "*.blob.*", "*.queue.*", "go.microsoft.com", "download.microsoft.com", "aka.ms")
# A program built with sanitizers wants their library first; faketime comes before it.
SHIFT = ["env", "FAKETIME_DONT_FAKE_MONOTONIC=1", "ASAN_OPTIONS=verify_asan_link_order=0", "faketime", "-f"]


@scenario(Expect(exit=1, cause="host_no_interface_up", stage="host", owner="server-admin"))
def no_interface_is_up(lab):
    lab.start()
    lab.client.ip("link set eth0 down")


@scenario(Expect(exit=1, cause="host_no_default_route", stage="host", owner="server-admin"))
def no_default_route(lab):
    lab.client.ip("route del default", "route del ::/0")


@scenario(Expect(exit=1, cause="host_hosts_file_override", stage="host", owner="server-admin", targets="login.windows.net",
                 subject="login.windows.net"))
def hosts_file_names_a_dead_address(lab):
    lab.hosts_file({"login.windows.net": "10.9.9.9"})


@scenario(Expect(exit=1, cause="host_hosts_file_override", stage="host", owner="server-admin", targets="login.windows.net"))
def hosts_file_sends_to_localhost(lab):
    lab.hosts_file({"login.windows.net": "127.0.0.1"})


@scenario(Expect(exit=1, cause="host_clock_skewed", stage="host", owner="server-admin", targets=BY_TLS))
def clock_two_days_behind(lab):
    lab.prefix = SHIFT + ["-2d"]


@scenario(Expect(exit=1, cause="host_clock_skewed", stage="host", owner="server-admin", targets=BY_TLS))
def clock_two_days_behind_and_new_vault_credentials(lab):
    """The file is not yet valid by this server's clock alone: it is well."""
    lab.prefix = SHIFT + ["-2d"]
    vault.give(lab, vault.document(vault.make_pfx(lab.work)[0]))


@scenario(Expect(exit=1, cause="host_clock_skewed", stage="host", owner="server-admin", targets=BY_TLS))
def clock_two_years_ahead(lab):
    lab.prefix = SHIFT + ["+730d"]


@scenario(Expect(exit=0, cause="host_ipv6_preferred_broken", stage="host", owner="network-team", status="warn",
                 targets=("login.microsoft.com", "www.microsoft.com")))
def ipv6_goes_nowhere(lab):
    lab.edge.drop(dst="2603:1000::/24")


@scenario(Expect(exit=1, cause="host_gateway_neighbour_dead", stage="host", owner="network-team"))
def nobody_has_the_address_of_the_gateway(lab):
    """The requests wait for its hardware address, for longer than a stage may take: they never leave this server."""
    lab.client.ip("route replace default via 10.1.0.99", "route del ::/0")


@scenario(Expect(exit=1, cause="host_firewall_blocks", stage="host", owner="server-admin", targets="login.windows.net"))
def own_firewall_drops(lab):
    lab.client.drop(dst="login.windows.net", port=443, chain="output")


@scenario(Expect(exit=1, cause="host_firewall_blocks", stage="host", owner="server-admin", targets="login.windows.net"))
def own_firewall_rejects(lab):
    lab.client.reject(dst="login.windows.net", port=443, how="admin", chain="output")
