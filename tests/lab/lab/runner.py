"""Run one scenario, inside: build, break, probe, judge; and keep everything when it fails."""
import contextlib
import inspect
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import traceback

from . import inside, matrix, wine
from .network import Lab
from .node import run
from .scenario import Result, judge, judge_expressroute, judge_trace, same_judgement

LIMIT_SECONDS = 90
STAGE_TIMEOUT = "2"
# Each call of a socket asks Wine's server; an answer that is there before libcurl's next call is read before the program can look at it.
WINE_SLOWNESS, WINE_LAN_MS = 3, 5.0
KEPT_ENVIRONMENT = ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS")


class Probe:
    """marsprobe on the lab's client, as an ordinary user; an .exe by Wine, of which each lab has its own, elevated if that is said."""

    def __init__(self, lab, program, elevated=False):
        self.lab = lab
        self.program = lab.work / f"marsprobe{pathlib.Path(program).suffix}"
        self.program.touch()
        subprocess.run(["mount", "--bind", program, self.program], check=True)
        self.out = lab.work / "out"
        self.out.mkdir()
        self.out.chmod(0o777)
        self.root = lab.work / "lab-root.pem"
        shutil.copy(lab.ca.root.leaf, self.root)
        self.root.chmod(0o644)
        self.commands = []
        self.wine = wine.on_client(lab) if wine.is_exe(program) else None
        self.search_list = []  # of Windows' registry
        self.words = wine.loaded(self.program)
        if self.wine:
            lab.slowness = WINE_SLOWNESS
            lab.lan_wire(delay_ms=WINE_LAN_MS)
        if self.wine and not elevated:
            self.words[1:1] = [str(wine.limited(lab.build))]

    def run(self, words, prefix=()):
        """Run the program with these arguments; returns exit status, seconds, stdout and stderr."""
        return self.run_command(list(prefix) + self.words + list(words))

    def run_command(self, words):
        """Run any command as the user whom the program runs as, with its environment; returns the same."""
        kept = {k: os.environ[k] for k in KEPT_ENVIRONMENT if k in os.environ}
        if self.wine:
            self.wine.wait()
            kept.update(self.wine.values)
            self._search_list(kept)
        command = [str(w) for w in self.lab.as_user(words, kept)]
        self.commands.append(command)
        # Files, not pipes: a process of Wine's that outlives the program would keep a pipe open.
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
            begin = time.monotonic()
            ctrl_c = threading.Timer(self.lab.interrupt_after or LIMIT_SECONDS, self._interrupt)
            if self.lab.interrupt_after:
                ctrl_c.start()
            try:
                status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=errors, check=False, timeout=LIMIT_SECONDS,
                                        cwd=self.out).returncode
            except subprocess.TimeoutExpired:
                status = -1
                errors.write(b"\nthe lab killed it\n")
            ctrl_c.cancel()
            seconds = time.monotonic() - begin
            texts = [stream.seek(0) or stream.read().decode(errors="replace") for stream in (out, errors)]
        if self.wine:
            self.wine.check()
        return status, seconds, *texts

    def _interrupt(self):
        """Ctrl-C for the program and its children alone: of Wine's services, which may be in the same process group, not one survives it."""
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if (process / "comm").read_text().strip() == self.program.name:
                    os.kill(int(process.name), signal.SIGINT)

    def _search_list(self, environment):
        """Windows keeps the DNS suffixes of resolv.conf in its registry; of several Wine tells the program the first alone."""
        suffixes = self.lab.search_suffixes()
        if len(suffixes) < 2 or self.search_list == suffixes:
            return
        add = ["reg", "add", r"HKLM\System\CurrentControlSet\Services\Tcpip\Parameters", "/v", "SearchList", "/d", ",".join(suffixes), "/f"]
        run([str(w) for w in self.lab.as_user([wine.tool("wine"), *add], environment)])
        self.search_list = suffixes

    def _trust(self, given):
        """The options by which the program trusts the lab's root.  On Windows the system's store holds it, as a company's does."""
        if not self.wine:
            return {"--ca-file": self.root}
        self.wine.trust(given[given.index("--ca-file") + 1] if "--ca-file" in given else self.root)
        return {}

    def sweep(self, arguments, name="report"):
        """`marsprobe sweep`; returns a Result."""
        words = ["sweep", "--report", f"json={self.out}/{name}.json", "--report", f"text={self.out}/{name}.txt",
                 "--report", f"handoff={self.out}/{name}.md", "--timeout", STAGE_TIMEOUT]
        status, seconds, _, errors = self.run(words + [*self.lab.arguments, *arguments], self.lab.prefix)
        result = Result(status, seconds, self.read_json(name), self._text(f"{name}.txt"), errors, self._text(f"{name}.json"), self._text(f"{name}.md"))
        result.is_sweep = True
        result.sweep_again = lambda *more: self.sweep(more, name="later")
        result.file = f"{self.out}/{name}.json"
        return result

    def check(self, arguments=(), name="report", color="never"):
        """`marsprobe check` with the lab's root trusted and as service root, unless the scenario gives these options; returns a Result."""
        given = [*self.lab.arguments, *arguments]
        usual = {**self._trust(given), "--service-roots": self.root, "--timeout": STAGE_TIMEOUT, "--region": "eus", "--color": color}
        if "--vault-credentials" in given:
            del usual["--region"]
        words = ["check", "--report", f"json={self.out}/{name}.json", "--report", f"text={self.out}/{name}.txt",
                 "--report", f"handoff={self.out}/{name}.md"]
        words += [word for option, value in usual.items() if option not in given for word in (option, value)]
        status, seconds, _, errors = self.run(words + given, self.lab.prefix)
        return Result(status, seconds, self.read_json(name), self._text(f"{name}.txt"), errors, self._text(f"{name}.json"), self._text(f"{name}.md"))

    def trace(self, arguments):
        """`marsprobe trace` as data, and once more for people; returns a Result, whose report is the document."""
        words = ["trace", "--timeout", STAGE_TIMEOUT, "--color", "never", *self.lab.arguments, *arguments]
        status, seconds, document, errors = self.run(words + ["--json"], self.lab.prefix)
        text = self.run(words, self.lab.prefix)[2]
        for name, content in (("trace.json", document), ("trace.txt", text)):
            (self.out / name).write_text(content, encoding="utf-8")
        return Result(status, seconds, self.read_json("trace"), text, errors)

    def expressroute(self, arguments):
        """`marsprobe expressroute`; returns a Result."""
        words = ["expressroute", "--timeout", STAGE_TIMEOUT, "--region", "eus", "--color", "never", "--report", f"json={self.out}/report.json",
                 "--report", f"text={self.out}/report.txt", "--report", f"handoff={self.out}/report.md"]
        status, seconds, _, errors = self.run(words + [*self.lab.arguments, *arguments], self.lab.prefix)
        return Result(status, seconds, self.read_json(), self._text("report.txt"), errors, self._text("report.json"), self._text("report.md"))

    def diagnose(self, name="report"):
        """The same report judged again from its file; None if that failed."""
        self.run(["diagnose", f"{self.out}/{name}.json", "--report", f"json={self.out}/{name}-again.json"])
        return self.read_json(f"{name}-again")

    def _text(self, name):
        path = self.out / name
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def read_json(self, name="report"):
        try:
            return json.loads(self._text(f"{name}.json") or "null")
        except ValueError:
            return None


def slowness(program, build):
    """How much longer a run may take than the program as it is: sanitizers and Wine's server take their time."""
    return 4.0 if "sanitize" in str(build) else WINE_SLOWNESS if wine.is_exe(program) else 1.0


def run_scenario(scenario, program, build, keep, keep_all=False):
    """Returns (problems, seconds of the program, its cells of the matrix); problems is empty if the scenario passed."""
    lab, probe, seconds, result = None, None, 0.0, None
    try:
        lab = Lab(build, work=inside.WORK, **scenario.lab)
        probe = Probe(lab, program)
        step = scenario.function(lab)
        if inspect.isgenerator(step):
            next(step)
        lab.start()
        result = getattr(probe, scenario.command)(scenario.arguments)
        result.run_again = lambda: probe.check(scenario.arguments, name="later")
        seconds = result.seconds
        problems = _problems(scenario, probe, result, step, slowness(program, build))
    except Exception:  # pylint: disable=broad-except
        problems = ["the lab failed: " + traceback.format_exc()]
    if lab and (problems or keep_all):
        _keep(lab, probe, problems, pathlib.Path(keep))
    if lab:
        lab.close()
    cells = {"expressroute": matrix.cells_of_findings, "trace": lambda *_: []}.get(scenario.command, matrix.cells)
    return problems, seconds, cells(scenario.expect, result)


def _problems(scenario, probe, result, step, factor):
    judged = scenario.command != "trace"
    problems = {"expressroute": judge_expressroute, "trace": judge_trace}.get(scenario.command, judge)(scenario.expect, result, factor)
    if judged and result.report is not None:
        again = probe.diagnose()
        problems += same_judgement(result.report, again) if again else ["diagnose gave no report"]
    if inspect.isgenerator(step) and result.report is not None:
        try:
            step.send(result)
        except StopIteration:
            pass
        except AssertionError:
            problems.append("the scenario's own check failed:\n" + traceback.format_exc(limit=-1))
    if problems and result.errors.strip():
        problems.append("stderr: " + result.errors.strip()[-2000:])
    return problems


def _keep(lab, probe, problems, directory):
    """Reports, logs, configurations and the commands, where the developer finds them."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for name in ("out", "logs"):
        if (lab.work / name).exists():
            shutil.copytree(lab.work / name, directory / name, ignore_dangling_symlinks=True)
    for path in lab.work.rglob("*.conf"):
        shutil.copy(path, directory / f"{path.parent.name}-{path.name}")
    for path in lab.work.glob("*.reg"):
        shutil.copy(path, directory)
    if "SUDO_UID" in os.environ:
        subprocess.run(["chown", "-R", os.environ["SUDO_UID"], directory.parent], check=True)
    commands = [" ".join(c) for c in probe.commands] if probe else []
    (directory / "problems.txt").write_text("\n".join(problems + commands) + "\n", encoding="utf-8")
