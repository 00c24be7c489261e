"""The vault credentials file beside the network."""
import json

from lab import vault
from lab.scenario import Expect, scenario

STALE, UNUSABLE, CLOUD = "svc_vault_credentials_stale", "svc_vault_credentials_unusable", "svc_wrong_cloud_endpoint"


def about_file(**more):
    return Expect(**{"exit": 1, "stage": "host", "owner": "server-admin", "targets": (), "subject": "*/contoso-vault_*.VaultCredentials", **more})


@scenario(Expect(exit=0))
def vault_credentials_of_another_region(lab):
    """As PowerShell saves it and older Windows encrypts it; its region's names are tested, and nothing of it is told that is secret."""
    pfx, key = vault.make_pfx(lab.work, "rc2")
    text = vault.document(pfx, Location="japaneast", AadAuthority="https://login.windows.net/")
    vault.give(lab, text.encode("utf-16"))
    result = yield
    hosts = {t["host"]: t for t in result.report["targets"]}
    assert hosts["pod01-manag1.jpe.backup.windowsazure.com"]["regional"] and not any(".eus." in (h or "") for h in hosts), sorted(map(str, hosts))
    assert hosts["login.windows.net"]["required"] and not hosts["login.windows.net"]["stand_in"], hosts["login.windows.net"]
    inputs = result.report["run"]["inputs"]
    assert (inputs["region"], inputs["region_assumed"]) == ("jpe", False), inputs
    assert inputs["vault_credentials"]["encryption"] == "PBE-SHA1-RC2-40" and inputs["vault_credentials"]["certificate"] == "read", inputs
    assert "Japan East (jpe), as the vault credentials say" in result.text and vault.LEAVES["AadTenantId"] in result.text, result.text
    told = result.json_text + result.text + result.handoff + result.errors
    secrets = [line for line in key.splitlines() if len(line) > 20] + [text[i:i + 40] for i in range(text.index("MII"), text.index("</Man") - 40, 40)]
    assert not any(s in told or json.dumps(s)[1:-1] in told for s in secrets)


@scenario(about_file(cause=STALE))
def vault_credentials_expired(lab):
    vault.give(lab, vault.document(vault.make_pfx(lab.work, age_hours=72, life_hours=48)[0]))


@scenario(about_file(exit=0, cause=STALE, status="warn"))
def vault_credentials_of_three_days(lab):
    """Too old for an old agent, and nobody knows which will come."""
    vault.give(lab, vault.document(vault.make_pfx(lab.work, age_hours=72)[0]))


@scenario(about_file(cause=STALE))
def vault_credentials_of_three_days_and_an_old_agent(lab):
    vault.give(lab, vault.document(vault.make_pfx(lab.work, age_hours=72)[0]))
    agent = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\Windows Azure Backup"
    lab.reg(keys={agent: {"DisplayVersion": "2.0.9100.0"}})


@scenario(about_file(cause=UNUSABLE))
def vault_credentials_of_site_recovery(lab):
    vault.give(lab, vault.site_recovery(vault.make_pfx(lab.work, "3des")[0]))


@scenario(about_file(cause=UNUSABLE))
def vault_credentials_damaged(lab):
    pfx, _ = vault.make_pfx(lab.work)
    vault.give(lab, vault.document(pfx[:len(pfx) // 2]))


@scenario(about_file(cause=UNUSABLE, subject="*/renamed.xml"))
def vault_credentials_renamed(lab):
    vault.give(lab, vault.document(vault.make_pfx(lab.work)[0]), "renamed.xml")


@scenario(about_file(cause=CLOUD, subject="login.microsoftonline.com"), arguments=("mars-public",))
def vault_credentials_of_another_cloud(lab):
    vault.give(lab, vault.document(vault.make_pfx(lab.work)[0], Location="usgovvirginia", AadAuthority="https://login.microsoftonline.us"))


@scenario(Expect(exit=0))
def vault_credentials_choose_their_cloud(lab):
    """The same file without a target named: its own cloud's set is taken."""
    vault.give(lab, vault.document(vault.make_pfx(lab.work)[0], Location="usgovvirginia", AadAuthority="https://login.microsoftonline.us"))
    result = yield
    hosts = {t["host"] for t in result.report["targets"]}
    assert {"login.microsoftonline.us", "pod01-manag1.ugv.backup.windowsazure.us"} <= hosts and "login.microsoftonline.com" not in hosts, hosts


@scenario(Expect(exit=1, cause="ip_acl_at_hop_port_specific", stage="tcp", owner="firewall-team", targets="login.windows.net",
                 second=about_file(cause=STALE)))
def vault_credentials_expired_and_one_name_dropped(lab):
    """Both are said: the file hides nothing of the network."""
    lab.edge.drop(dst="login.windows.net", port=443)
    vault.give(lab, vault.document(vault.make_pfx(lab.work, age_hours=400)[0]))
