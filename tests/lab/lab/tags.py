"""A file of service tags as Microsoft publishes them, about the lab's own addresses."""
import ipaddress
import json

from .names import PREFIXES, PREFIXES6

ENTRA = PREFIXES[:5]
REGIONAL = {"AzureBackup": "AzureBackup.EastUS", "Storage": "Storage.EastUS"}


def _addresses(lab, *services):
    return {ipaddress.ip_address(a) for host in lab.names.hosts.values() if host.service in services for a in host.addresses}


def _tag(name, prefixes, change_number):
    return {"name": name, "id": name, "properties": {
        "changeNumber": change_number, "region": "eastus" if "." in name else "", "regionId": 32 if "." in name else 0, "platform": "Azure",
        "systemService": name.split(".")[0], "addressPrefixes": [str(p) for p in prefixes], "networkFeatures": None}}


def service_tags(lab, encoding="utf-8"):
    """
    Write the file and give it to the run with --service-tags: sign-in, backup and storage have the addresses that names.txt gives them, and the
    cloud has all of 13.64.0.0/11.  Returns the prefixes by tag.
    """
    tags = {"AzureActiveDirectory": ENTRA + PREFIXES6[:1],
            "AzureBackup": sorted({ipaddress.ip_network(f"{a}/24", strict=False) for a in _addresses(lab, "backup")}),
            "Storage": ["52.239.0.0/16"] + sorted(ipaddress.ip_network(a) for a in _addresses(lab, "blob", "blobstorage")),
            "AzureCloud.eastus": ["13.64.0.0/11"]}
    tags["AzureBackup.EastUS"], tags["Storage.EastUS"] = ["13.82.1.0/24"], tags["Storage"]
    document = {"changeNumber": 301, "cloud": "Public", "values": [_tag(n, p, 7 + i) for i, (n, p) in enumerate(tags.items())]}
    path = lab.work / "ServiceTags_Public_20260601.json"
    path.write_text(json.dumps(document, indent=2), encoding=encoding)
    lab.arguments += ["--service-tags", str(path)]
    return {name: [str(p) for p in prefixes] for name, prefixes in tags.items()}
