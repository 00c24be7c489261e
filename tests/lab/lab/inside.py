"""Getting into private namespaces: network, mounts and processes, so that nothing gets out and nothing is left over."""
import os
import pathlib
import subprocess
import sys

MARK = "MARSPROBE_LAB_INSIDE"
# Both are empty directories of every Debian; not the one that this checkout may lie under.
SCRATCH = pathlib.Path("/srv" if os.path.abspath(__file__).startswith("/mnt/") else "/mnt")
WORK = SCRATCH / "lab"
ORDINARY = 65534  # the user nobody, as whom programs under test run
UNSHARE = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"]


def wrapped(words):
    """The command in namespaces of its own; what it starts dies with it."""
    as_root = [] if os.geteuid() == 0 else ["sudo", "--"]
    return as_root + ["setpriv", "--pdeathsig", "KILL"] + UNSHARE + ["env", f"{MARK}=1"] + [str(w) for w in words]


def is_inside():
    return os.environ.get(MARK) == "1"


def prepare():
    """Private places for what has a fixed path, and a scratch file system that every user may enter."""
    if os.getpid() != 1:
        raise SystemExit("lab: not in a pid namespace of its own: use tests/lab/run-scenarios")
    for path in ("/run/netns", "/etc/netns"):
        pathlib.Path(path).mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "lab", path], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=1777", "lab", "/dev/shm"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "lab", str(SCRATCH)], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    os.chdir(SCRATCH)


def enter(arguments=None):
    """Run this program again inside, unless it is there, with these arguments or its own."""
    if not is_inside():
        arguments = sys.argv[1:] if arguments is None else arguments
        words = wrapped(["/usr/bin/python3", os.path.abspath(sys.argv[0])] + arguments)
        os.execvp(words[0], words)
    prepare()
