"""Service tags: what a name's addresses say by the published lists, and what they must not say."""
from lab.handoff import lifts
from lab.scenario import Expect, scenario

LOGIN = "login.windows.net"
BOTH = "10.1.0.53, 10.1.0.54"
FILE = "ServiceTags_Public_20260601.json, change 301,"
ELSEWHERE = "203.0.113.9"  # in no tag
NEWER = "20.33.5.5"  # all services answer there, and the file does not know it


def facts(result, *addresses):
    return [o for o in result.observations("local_fact") if o["fact"] == "address_tags" and (not addresses or o["subject"] in addresses)]


def spoofed(lab, address):
    for server in (lab.dns1, lab.dns2):
        server.spoof([address], [LOGIN])


def verdict_names(result, address):
    """The verdict of the name rests on the fact about that address, and people are told."""
    path = result.paths(LOGIN, effective=True)[0]
    assert {o["id"] for o in facts(result, address)} & set(path["verdict"]["evidence"]), path["verdict"]
    remark = f"{FILE} has {address} in no prefix of AzureActiveDirectory: the answer may have been rewritten"
    assert remark in path["verdict"]["also"], path["verdict"]["also"]
    return path["verdict"]


@scenario(Expect(exit=0))
def every_address_is_in_its_tag(lab):
    lab.service_tags(encoding="utf-16")
    result = yield
    inputs = result.report["run"]["inputs"]["service_tags"]
    assert (inputs["change_number"], inputs["date"], inputs["cloud"]) == (301, "2026-06-01", "Public"), inputs
    assert [one["tag"] for one in inputs["lists"]] == ["AzureActiveDirectory", "AzureBackup.EastUS", "Storage.EastUS"], inputs
    placed = {o["subject"]: o["values"] for o in facts(result)}
    assert placed["20.190.130.3"] == ["AzureActiveDirectory"] and placed["23.45.12.10"] == [], placed
    assert placed["13.82.1.11"] == ["AzureBackup.EastUS", "AzureBackup", "AzureCloud.eastus"], placed
    remarks = [text for path in result.paths() for text in path["verdict"]["also"] if "no prefix" in text]
    assert not remarks, remarks


@scenario(Expect(exit=0))
def service_stands_at_an_address_that_the_tags_do_not_have_yet(lab):
    lab.service_tags()
    spoofed(lab, NEWER)
    result = yield
    path = result.paths(LOGIN, effective=True)[0]
    assert [text for text in path["verdict"]["also"] if text.startswith(FILE) and text.endswith("the file is older than the service")], path["verdict"]
    assert not path["verdict"]["evidence"] and "the file is older than the service" in " ".join(result.text.split()), result.text


@scenario(Expect(exit=1, cause="dns_sinkholed", stage="dns", owner="dns-team", targets=LOGIN, subject=BOTH))
def name_is_sent_to_a_page_outside_the_tags(lab):
    lab.service_tags()
    spoofed(lab, ELSEWHERE)
    lab.stub("http-silent", ELSEWHERE, certificate=lab.ca.issue("page.filter.test", issuer=lab.ca.new_inspector(lab.work), directory=lab.work))
    verdict = verdict_names((yield), ELSEWHERE)
    assert 0.5 <= verdict["confidence"] < 0.8, verdict


@scenario(Expect(exit=1, cause="dns_sinkholed", stage="dns", owner="dns-team", targets=LOGIN, subject=BOTH))
def name_is_sent_outside_the_tags_and_a_second_opinion_stays_inside(lab):
    lab.service_tags()
    spoofed(lab, ELSEWHERE)
    lab.core1.drop(dst=ELSEWHERE)
    lab.arguments += ["--control-resolver", lab.public_resolver()]
    assert verdict_names((yield), ELSEWHERE)["confidence"] >= 0.8


@scenario(Expect(exit=1, cause="ip_path_dies_all_protocols", stage="tcp", owner="network-team", targets=LOGIN))
def name_is_sent_to_a_silent_address_outside_the_tags(lab):
    lab.service_tags()
    spoofed(lab, ELSEWHERE)
    lab.core1.drop(dst=ELSEWHERE)
    verdict_names((yield), ELSEWHERE)


@scenario(Expect(exit=1, cause="dns_servers_disagree", stage="dns", owner="dns-team", targets=LOGIN, subject="10.1.0.53"))
def first_server_sends_the_name_outside_the_tags(lab):
    lab.service_tags()
    lab.dns1.spoof([ELSEWHERE], [LOGIN])
    lab.core1.drop(dst=ELSEWHERE)
    verdict_names((yield), ELSEWHERE)


@scenario(Expect(exit=1, cause="ip_path_dies_all_protocols", stage="tcp", owner="network-team", targets="*.backup.windowsazure.com"))
def handoff_gives_the_prefixes_of_the_region(lab):
    tags = lab.service_tags()
    lab.edge.drop(dst=[name for name in lab.names.hosts if name.endswith(".eus.backup.windowsazure.com")])
    result = yield
    assert f"Documented prefixes of `AzureBackup.EastUS`, by `ServiceTags_Public_20260601.json`, change `301` of `2026-06-01` | " \
           f"`{tags['AzureBackup.EastUS'][0]}` |" in result.handoff, result.handoff
    lifts(result, lab.edge)
