"""Vault credentials files, as the portal and PowerShell make them: XML with a PFX that has no password.  Keys and certificates are made for each."""
import base64
import datetime
import pathlib
import subprocess

NAMESPACE = "http://schemas.datacontract.org/2004/07/Microsoft.Azure.Portal.RecoveryServices.Models.Common"
KINDS = {
    "aes": ["-keypbe", "AES-256-CBC", "-certpbe", "AES-256-CBC"],
    "3des": ["-legacy", "-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES"],
    "rc2": ["-legacy", "-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-RC2-40"],
}
LEAVES = {
    "Version": "1.0", "SubscriptionId": "11111111-2222-3333-4444-555555555555", "ResourceType": "Vault", "ResourceName": "contoso-vault",
    "ManagementCert": None, "ResourceId": "1234567890123456789", "ResourceGroup": "contoso", "Location": "eastus",
    "ProviderNamespace": "Microsoft.RecoveryServices", "AadAuthority": "https://login.microsoftonline.com",
    "AadTenantId": "0ec4a9c1-72b5-43c4-8a8d-0a1b2c3d4e5f", "ServicePrincipalClientId": "99999999-8888-7777-6666-555555555555",
    "IdMgmtRestEndpoint": "https://management.azure.com/", "AgentLinks": "WABUpdateKBLink,http://go.microsoft.com/fwlink/?LinkId=229525;",
}
SITE_RECOVERY = """<?xml version="1.0" encoding="utf-8"?>
<RSVaultAsrCreds xmlns="{namespace}">
  <VaultDetails><SubscriptionId>{SubscriptionId}</SubscriptionId><ResourceName>{ResourceName}</ResourceName><Location>{Location}</Location></VaultDetails>
  <ManagementCert>{ManagementCert}</ManagementCert><Version>2.0</Version><ChannelIntegrityKey>c2VjcmV0</ChannelIntegrityKey>
  <AadDetails><AadAuthority>{AadAuthority}</AadAuthority><AadTenantId>{AadTenantId}</AadTenantId></AadDetails>
</RSVaultAsrCreds>
"""


def make_pfx(directory, kind="aes", age_hours=1, life_hours=240, password="", arguments=()):
    """Bytes of a PFX whose self-signed certificate began age_hours ago.  Returns them and the key in PEM, to be looked for."""
    base = pathlib.Path(directory) / "vault-credentials-for-tests"
    key, leaf, pfx = (base.with_suffix(end) for end in (".key", ".crt", ".pfx"))
    begin = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=age_hours)
    dates = [f"{begin + datetime.timedelta(hours=h):%Y%m%d%H%M%SZ}" for h in (0, life_hours)]
    run = lambda *words: subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)  # noqa: E731
    run("req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", base.with_suffix(".csr"), "-subj", "/CN=CN_contoso-vault")
    run("x509", "-req", "-in", base.with_suffix(".csr"), "-signkey", key, "-out", leaf, "-days", 1)
    # `openssl x509` cannot date backwards, `openssl ca` can.
    (base.with_suffix(".index")).write_text("")
    (base.with_suffix(".serial")).write_text("01\n")
    base.with_suffix(".cnf").write_text(
        f"[ca]\ndefault_ca = x\n[x]\ndatabase = {base.with_suffix('.index')}\nserial = {base.with_suffix('.serial')}\nnew_certs_dir = {directory}\n"
        "default_md = sha256\npolicy = p\n[p]\ncommonName = supplied\n")
    run("ca", "-batch", "-config", base.with_suffix(".cnf"), "-selfsign", "-keyfile", key, "-in", base.with_suffix(".csr"), "-out", leaf,
        "-startdate", dates[0], "-enddate", dates[1], "-notext")
    run("pkcs12", "-export", *KINDS[kind], "-inkey", key, "-in", leaf, "-out", pfx, "-passout", f"pass:{password}", *arguments)
    return pfx.read_bytes(), key.read_text()


def document(pfx, **leaves):
    """The text of a backup vault's file; an element given as None is left out."""
    values = {**LEAVES, "ManagementCert": base64.b64encode(pfx).decode(), **leaves}
    inner = "".join(f"  <{name}>{value}</{name}>\n" for name, value in values.items() if value is not None)
    return f'<?xml version="1.0" encoding="utf-8"?>\n<RSBackupVaultAADCreds\n  xmlns:i="http://www.w3.org/2001/XMLSchema-instance"\n' \
           f'  xmlns="{NAMESPACE}">\n{inner}</RSBackupVaultAADCreds>\n'


def site_recovery(pfx, **leaves):
    """The text of Site Recovery's kind."""
    return SITE_RECOVERY.format(namespace=NAMESPACE, **{**LEAVES, "ManagementCert": base64.b64encode(pfx).decode(), **leaves})


def give(lab, text, name="contoso-vault_Sun Nov 29 2026.VaultCredentials"):
    """Put the file where the program can read it, and name it."""
    path = lab.work / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(0o644)
    lab.arguments += ["--vault-credentials", str(path)]
