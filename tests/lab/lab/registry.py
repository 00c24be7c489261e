"""Registry exports as regedit writes them: UTF-16LE with a byte order mark and CRLF."""

SETTINGS = r"Software\Microsoft\Windows\CurrentVersion\Internet Settings"
USER = rf"HKEY_CURRENT_USER\{SETTINGS}"
SYSTEM = rf"HKEY_USERS\S-1-5-18\{SETTINGS}"
LINE_BYTES = 25


def _value(value):
    if isinstance(value, bool) or isinstance(value, int):
        return f"dword:{int(value):08x}"
    if isinstance(value, bytes):
        rows = [value[i:i + LINE_BYTES] for i in range(0, len(value), LINE_BYTES)]
        return "hex:" + ",\\\r\n  ".join(",".join(f"{b:02x}" for b in row) for row in rows)
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def static(server, bypass=None):
    """Values of a static proxy: lab.reg(user=static("proxy.corp.test:3128", "*.windows.net;<local>"))."""
    values = {"ProxyEnable": 1, "ProxyServer": server}
    return {**values, "ProxyOverride": bypass} if bypass is not None else values


def reg(lab, user=None, system=None, keys=None, name="settings.reg", use=True):
    """
    Write a .reg file and give it to the run with --registry.  user and system: values of Internet Settings, as a dict, or the text of a
    static proxy; {} says that the key is there and empty.  keys: more keys, {"HKEY_...": {...}}.  Returns the path.
    """
    lines = ["Windows Registry Editor Version 5.00", ""]
    for key, values in [(USER, user), (SYSTEM, system)] + list((keys or {}).items()):
        if values is None:
            continue
        values = static(values) if isinstance(values, str) else values
        lines += [f"[{key}]"] + [f'"{n}"={_value(v)}' for n, v in values.items()] + [""]
    path = lab.work / name
    path.write_bytes("\ufeff".encode("utf-16-le") + "\r\n".join(lines + [""]).encode("utf-16-le"))
    if use:
        lab.arguments += ["--registry", str(path)]
    return path
