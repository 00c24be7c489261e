"""
Wine of its own for each run of an .exe: a prefix over a shared template, a wineserver, a root store and a hosts file.

wineserver, not the program, opens every socket, and it serves whoever has the same prefix.  So prefix, socket directory and server are made
inside the namespaces of the run, end with them, and each run checks that the server is in the network namespace that is meant.
"""
import fcntl
import hashlib
import inspect
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import time

if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from lab import inside  # noqa: E402
from lab.node import LabError, as_uid, run  # noqa: E402

BOOT_SECONDS, MAKE_SECONDS = 60, 180
PLACES = "/usr/lib/wine:/usr/bin"
# Windows' version, and services that no test needs: each would be a process more at every start of a prefix.  And what every server has and Wine has
# not: .NET Framework 4.8 and PowerShell 5.1, by what the registry says.
SERVICES = r"HKLM\System\CurrentControlSet\Services"
SETTING_UP = [["wineboot", "-i"], ["winecfg", "/v", "win10"]] + [
    ["reg", "add", rf"{SERVICES}\{name}", "/v", "Start", "/t", "REG_DWORD", "/d", "4", "/f"] for name in ("Eventlog", "PlugPlay")] + [
    ["reg", "add", r"HKLM\Software\Microsoft\NET Framework Setup\NDP\v4\Full", "/v", "Release", "/t", "REG_DWORD", "/d", "528040", "/f"],
    ["reg", "add", r"HKLM\Software\Microsoft\PowerShell\3\PowerShellEngine", "/v", "PowerShellVersion", "/t", "REG_SZ", "/d", "5.1.17763.1", "/f"]]


def is_exe(program):
    """Does this program need Wine?"""
    return pathlib.Path(program).suffix == ".exe"


def tool(name):
    """The loader or the server itself: Debian's scripts in front of them only warn that there is no 32-bit Wine."""
    found = shutil.which(name + "64", path=PLACES) or shutil.which(name, path=PLACES)
    if not found:
        raise SystemExit(f"lab: {name} is missing: tests/install-packages --windows")
    return found


def loaded(program):
    """The words that run a program: of the system, or by Wine."""
    return [tool("wine"), str(program)] if is_exe(program) else [str(program)]


def variables(prefix, sockets):
    """What the environment of every program in that prefix holds; sockets is where its server listens."""
    return {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/nonexistent", "WINEPREFIX": str(prefix), "TMPDIR": str(sockets),
            "XDG_CACHE_HOME": str(sockets),
            "WINEDEBUG": os.environ.get("WINEDEBUG", "-all"), "WINEDLLOVERRIDES": "mscoree,mshtml,winemenubuilder.exe=d"}


# ---------------------------------------------------------------- the template

def template(build):
    """A booted prefix that nobody runs in; made by the first that asks, anew when Wine or the recipe change."""
    recipe = run([tool("wine"), "--version"]) + inspect.getsource(make_template) + repr(SETTING_UP)
    directory = pathlib.Path(build) / "wine" / f"prefix-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    directory.parent.mkdir(parents=True, exist_ok=True)
    with open(directory.parent / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (directory / "complete").exists():
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir()
            done = subprocess.run(inside.wrapped(["/usr/bin/python3", os.path.abspath(__file__), directory]), stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=MAKE_SECONDS, check=False)
            if not (directory / "complete").exists():
                raise SystemExit(f"lab: no Wine prefix could be made:\n{done.stdout}")
    return directory


def make_template(directory):
    """Inside namespaces: boot a prefix, set it up, end its server, and give the files to whoever called."""
    inside.prepare()
    prefix, sockets = (inside.SCRATCH / name for name in ("prefix", "sockets"))
    for path in (prefix, sockets):
        path.mkdir()
    run(["mount", "--bind", directory, prefix])
    for path in (prefix, sockets):
        os.chown(path, inside.ORDINARY, inside.ORDINARY)
        path.chmod(0o700)
    values = variables(prefix, sockets)
    for words in SETTING_UP:
        run(as_uid(inside.ORDINARY, [tool("wine")] + words, values))
    run(as_uid(inside.ORDINARY, [tool("wineserver"), "-w"], values))
    (prefix / "wineserver").unlink(missing_ok=True)
    owner = int(os.environ.get("SUDO_UID", 0))
    run(["chown", "-R", "-h", f"{owner}:{int(os.environ.get('SUDO_GID', 0))}", prefix])
    prefix.chmod(0o755)
    (prefix / "complete").touch()


def limited(build):
    """The program that starts another without elevation; compiled by the first that asks."""
    source = pathlib.Path(__file__).resolve().parents[2] / "windows" / "limited.c"
    made = pathlib.Path(build) / "wine" / f"limited-{hashlib.sha256(source.read_bytes()).hexdigest()[:12]}.exe"
    made.parent.mkdir(parents=True, exist_ok=True)
    if not made.exists():
        new = made.with_suffix(f".{os.getpid()}")
        run(["x86_64-w64-mingw32-gcc", "-Wall", "-Wextra", "-Werror", "-O1", "-s", "-o", new, source])
        new.rename(made)
    return made


# ---------------------------------------------------------------- one prefix in use

class Wine:
    """
    A prefix and its server.  work is an empty directory of a private file system; enter(words) gives the words that enter the network
    namespace whose id is net ("net:[...]", as /proc/PID/ns/net has it).
    """

    def __init__(self, source, work, enter=list, net=None, uid=inside.ORDINARY):
        self.enter, self.uid = enter, uid
        self.net = net or os.readlink("/proc/self/ns/net")
        self.prefix = work / "prefix"
        upper, scratch, sockets = work / "upper", work / "scratch", work / "sockets"
        for path in (work, self.prefix, upper, scratch, sockets):
            path.mkdir(exist_ok=True)
        run(["mount", "-t", "overlay", "-o", f"lowerdir={source},upperdir={upper},workdir={scratch}", "overlay", self.prefix])
        self._give(sockets)
        self.values = variables(self.prefix, sockets)
        self.store = None
        self.booting = None

    def _give(self, sockets):
        """Wine wants a prefix of its user's own; the programs in it may stay another's."""
        sockets.chmod(0o700)
        owned = [self.prefix, sockets, *self.prefix.glob("*.reg")] + [pathlib.Path(d) for d, _, _ in os.walk(self.prefix)]
        for path in owned:
            os.chown(path, self.uid, self.uid)

    def trust(self, bundle):
        """Let the store of root certificates hold these alone (a PEM file): Wine's is the system's, read at each start of a program."""
        shutil.copyfile(bundle, self.store)

    def hosts(self, path):
        """Let Windows' hosts file be this one, now and when it changes."""
        theirs = self.prefix / "drive_c/windows/system32/drivers/etc/hosts"
        theirs.unlink(missing_ok=True)
        theirs.symlink_to(path)

    def boot(self):
        """Start the server and its services now; wait() waits for them.  They keep none of the output of a later program."""
        if self.servers():
            raise LabError("a wineserver runs before it was started")
        words = self.enter(as_uid(self.uid, ["sh", "-c", f"{tool('wineserver')} -p && exec {tool('wine')} cmd.exe /c exit"], self.values))
        self.booting = subprocess.Popen([str(w) for w in words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)

    def wait(self):
        """Until booted; an error if a server is in another network namespace than it should be."""
        if self.booting:
            status = self.booting.wait(timeout=BOOT_SECONDS)
            self.booting = None
            if status:
                raise LabError(f"Wine did not start: exit status {status}")
        self.check()

    def check(self):
        """Exactly one server, and in the right network namespace; called before and after each run."""
        found = self.servers()
        if list(found.values()) != [self.net]:
            raise LabError(f"wineservers {found}, wanted one in {self.net}")

    def words(self, words):
        """The words that run a program of Windows in here; the environment of the caller stays."""
        return ["env"] + [f"{k}={v}" for k, v in self.values.items()] + [tool("wine")] + [str(w) for w in words]

    def script(self, program):
        """A program of this system that does the same, for tests that start many."""
        path = self.prefix.parent / pathlib.Path(program).stem
        path.write_text("#!/bin/sh\nexec " + " ".join(shlex.quote(w) for w in self.words([program])) + ' "$@"\n', encoding="utf-8")
        path.chmod(0o755)
        return path

    def stop(self):
        """End all that runs in the prefix."""
        run(self.enter(as_uid(self.uid, [tool("wineserver"), "-k"], self.values)), check=False)
        end = time.monotonic() + 5
        while self.servers() and time.monotonic() < end:
            time.sleep(0.02)

    @staticmethod
    def servers():
        """{pid: network namespace} of each wineserver of this pid namespace."""
        name, found = pathlib.Path(tool("wineserver")).name, {}
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if (process / "comm").read_text().strip() == name[:15]:
                    found[int(process.name)] = os.readlink(process / "ns" / "net")
            except OSError:
                continue
        return found


def on_client(lab):
    """Wine on the lab's client; it boots while the lab goes on."""
    files = pathlib.Path("/etc/netns") / lab.client.name
    lab.client.sysctl(net__ipv4__ping_group_range="0 2147483647")  # Windows lets everybody send echo requests
    made = Wine(template(lab.build), lab.work / "wine", lab.client.command, f"net:[{os.stat(f'/run/netns/{lab.client.name}').st_ino}]")
    made.hosts(files / "hosts")
    made.store = files / "ssl" / "certs" / "ca-certificates.crt"  # `ip netns exec` puts it over /etc/ssl
    made.store.parent.mkdir(parents=True)
    made.trust(lab.ca.root.leaf)
    made.boot()
    return made


if __name__ == "__main__":
    make_template(pathlib.Path(sys.argv[1]))
