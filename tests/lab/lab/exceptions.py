"""Scenarios whose evidence Wine cannot give: tests/lab/wine-exceptions, a name or pattern and a reason in each line, a tab between."""
import fnmatch
import pathlib

from . import wine

LIST = pathlib.Path(__file__).resolve().parent.parent / "wine-exceptions"


def of(program, names):
    """{name: reason} of the scenarios that this program cannot pass here; a line that fits none is an error."""
    found = {}
    for number, line in enumerate(LIST.read_text(encoding="utf-8").splitlines() if wine.is_exe(program) else [], 1):
        if not line or line.startswith("#"):
            continue
        pattern, tab, reason = line.partition("\t")
        fitting = [n for n in names if fnmatch.fnmatch(n, pattern)]
        if not fitting or not tab or not reason.strip():
            raise SystemExit(f"{LIST.name}:{number}: " + ("no reason after a tab" if fitting else f"no scenario is called {pattern}"))
        found.update({name: reason.strip() for name in fitting})
    return found
