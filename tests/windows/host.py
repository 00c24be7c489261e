"""A Windows of a test's own: Wine on the client of a healthy lab, with what a test asks of it: registry, services, files, processes."""
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lab"))
from lab import inside, wine  # noqa: E402
from lab.network import Lab  # noqa: E402
from lab.runner import Probe  # noqa: E402

INTERNET_SETTINGS = r"Software\Microsoft\Windows\CurrentVersion\Internet Settings"
SERVICES = r"HKLM\System\CurrentControlSet\Services"
OURS = "marsprobe"
# What Wine itself writes as it goes, and what a run of any program changes.
OF_WINE = (".reg", ".update-timestamp", "/wineserver")


class Host:
    """lab is not started yet: a test may break it first; check() starts what is pending."""

    def __init__(self, build, program):
        self.lab = Lab(build, work=inside.WORK)
        self.probe = Probe(self.lab, program, elevated=True)
        self.wine = self.probe.wine
        self.wine.wait()
        self.begin = self.files()

    # ---------------------------------------------------------------- programs

    def tool(self, *words, status=0):
        """Run a program of Windows, "reg" or "sc"; returns what it printed.  Another exit status than that is an error (None: any)."""
        got, _, out, errors = self.probe.run_command([wine.tool("wine"), *words])
        assert status in (None, got), f"{' '.join(words)}: exit {got}\n{out}{errors}"
        return out.replace("\r\n", "\n")

    def check(self, *arguments, prefix=()):
        """`marsprobe check`, elevated, for both identities; returns the lab's Result."""
        self.lab.start()
        self.lab.prefix = list(prefix)
        return self.probe.check(["--identity", "user,system", *arguments])

    def start(self, *arguments):
        """Start `marsprobe check` and return the process, to be killed."""
        self.lab.start()
        words = self.probe.words + ["check", "--identity", "user,system", *arguments]
        return subprocess.Popen(self.lab.as_user(words, self.wine.values), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL, cwd=self.probe.out)

    # ---------------------------------------------------------------- what is there

    def reg_add(self, key, name, kind, data):
        """Write one value with reg.exe: host.reg_add(r"HKCU\\Software\\X", "ProxyEnable", "REG_DWORD", "1")."""
        self.tool("reg", "add", key, "/v", name, "/t", kind, "/d", data, "/f")

    def services(self):
        """Names of the services of ours that the registry holds; the service manager keeps them there until they are deleted."""
        keys = self.tool("reg", "query", SERVICES).splitlines()
        return [key.rpartition("\\")[2] for key in keys if key.rpartition("\\")[2].startswith(OURS)]

    def files(self):
        """Every file and directory of the prefix that is not Wine's own bookkeeping."""
        found = set()
        for folder, folders, names in os.walk(self.wine.prefix):
            found |= {os.path.join(folder, name) for name in folders + names}
        return {path for path in found if not path.endswith(OF_WINE)}

    def copies(self):
        """The directories with a copy of ours."""
        return list(pathlib.Path(self.wine.prefix).glob("drive_c/Program Files/marsprobe-*"))

    @staticmethod
    def _running():
        """(process id, words of its command line) of every process here."""
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                words = (process / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            yield int(process.name), [word.decode(errors="replace") for word in words]

    def children(self):
        """Process ids of the services of ours."""
        return [number for number, words in self._running() if "--system-run" in words]

    def systems_script_children(self):
        """Process ids of the programs that run a PAC script for a service of ours: they are of its copy."""
        return [number for number, words in self._running() if "--run-pac-script" in words and words[0].startswith("C:\\Program Files\\")]

    def left(self):
        """Everything of ours that is still there: services, files, processes."""
        files = sorted(path for path in self.files() - self.begin if OURS in path.lower())
        return self.services() + files + self.processes()

    def processes(self):
        """Command lines of the programs of ours that run."""
        return [" ".join(words).strip() for _, words in self._running() if words[0].endswith("marsprobe.exe")]

    def wait_until(self, holds, seconds, what):
        """Poll until holds() or fail with what()."""
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, f"after {seconds} s: {what()}"
            time.sleep(0.2)

    def assert_nothing_is_left(self, seconds=0):
        self.wait_until(lambda: not self.left(), seconds, lambda: f"left behind: {self.left()}")
