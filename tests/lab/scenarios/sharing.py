"""Paths that would send the same share what was seen, whoever comes first; how each found its way stays its own."""
from lab import pac
from lab.registry import static
from lab.scenario import Expect, scenario

PROXY, DEAD = "proxy.corp.test:3128", "proxy.corp.test:3199"
TOLD = f'return "PROXY {DEAD}; PROXY {PROXY}";'


def proxied(result, identity):
    return [p for p in result.paths(identity=identity, kind="wininet") if result.target(p)["host"]]


def about(result, path, *experiments):
    return {o["id"] for o in result.observations() if path["id"] in o["paths"] and o["experiment"] in experiments}


@scenario(Expect(exit=0, cause="cfg_pac_first_proxy_dead", stage="settings", owner="proxy-team", status="warn"))
def pac_comes_to_proxies_that_others_have_tried(lab):
    """SYSTEM's script names the list that the user's settings hold: it is tried before the script has spoken, and once."""
    lab.only_proxy_goes_out()
    lab.squid()
    lab.reg(user=static(f"{DEAD};{PROXY}"), system={"AutoConfigURL": pac.serve(lab, {"proxy.pac": pac.function(TOLD)})})
    result = yield
    for user, system in zip(proxied(result, "user"), proxied(result, "system")):
        assert user["route"]["via"] == system["route"]["via"] == f"PROXY {PROXY}", (user, system)
        assert about(result, system, "pac_download") and not about(result, user, "pac_download", "pac_dns"), (user, system)


@scenario(Expect(exit=0))
def two_scripts_lead_to_one_proxy(lab):
    """What one script took, from its download to the names that it asked for, is about those whom it was asked for, and about all of them."""
    lab.only_proxy_goes_out()
    lab.squid()
    asking = f'dnsResolve("pac.corp.test"); return "PROXY {PROXY}";'
    user = pac.serve(lab, {"user.pac": pac.function(asking), "system.pac": pac.function(f'isResolvable("corp.test"); {asking}')})
    lab.reg(user={"AutoConfigURL": user}, system={"AutoConfigURL": user.replace("user.pac", "system.pac")})
    result = yield
    shares = {}
    for identity in ("user", "system"):
        found = [about(result, p, "pac_download", "pac_dns") for p in proxied(result, identity)]
        assert found and found[0] and all(f == found[0] for f in found), found
        shares[identity] = found[0]
    assert not shares["user"] & shares["system"], shares
    downloads = [o for o in result.observations("http_exchange") if o["experiment"] == "pac_download"]
    assert len(downloads) == 2 and not any(o["body_head"] for o in downloads), downloads  # a script may hold passwords
