"""What a scenario is, and what the report of a run must say for it to pass."""
import dataclasses
import fnmatch
import importlib.util
import json
import pathlib
import re

import jsonschema

HERE = pathlib.Path(__file__).resolve().parent.parent
ROOT = HERE.parent.parent
JUDGEMENT = ("findings", "readiness")
SCENARIOS = {}


@dataclasses.dataclass
class Expect:
    """
    exit      exit status of `check`
    cause     cause of the verdict of each effective path of `targets`, and of a finding; None: everything is well
    stage, owner   of the same verdicts and of that finding; None: not looked at
    status    of those verdicts; the finding has `finding`, which is the same unless given ("none": there need not be one)
    targets   hosts (patterns of fnmatch) that the fault strikes; None: every target but the ranges; (): none, it is a finding about something
              that no path depends on.  All others must pass.
    also      causes that each of those verdicts must name besides
    subject   what the finding is about: its exact value, or a pattern of fnmatch; None: not looked at
    warnings  causes of findings of status warn that are right beside it, on targets that work too
    seconds   how long the program may take
    faults    how many faults there are at once: 2 if the second is hidden by the first, or strikes the same targets
    somewhere the fault is seen on at least one of the targets, and all others pass
    second    the Expect of a second fault, which strikes other targets (exit and seconds are the first's)
    """
    exit: int
    cause: str = None
    stage: str = None
    owner: str = None
    status: str = "fail"
    finding: str = None
    targets: tuple = None
    subject: str = None
    warnings: tuple = ()
    seconds: float = 12.0
    also: tuple = ()
    faults: int = None
    somewhere: bool = False
    second: "Expect" = None

    def __post_init__(self):
        self.strikes = [one for one in (self, self.second) if one and one.cause]
        self.faults = self.faults or len(self.strikes)
        self.targets = (self.targets,) if isinstance(self.targets, str) else self.targets
        self.finding = self.finding or self.status


@dataclasses.dataclass
class Scenario:
    """
    function(lab) injects the fault; a generator may yield once and gets the Result for checks of its own.
    command   what is run: "check", or "trace": then the Result's report is the document of `trace --json`, and only exit and seconds are judged;
              or "sweep": `arguments` are its ranges, which stand for the hosts then, and the exit status says nothing of readiness
              or "expressroute", which has findings and no paths
    """
    function: object
    expect: Expect
    arguments: tuple
    lab: dict
    command: str = "check"

    @property
    def name(self):
        return self.function.__name__


def scenario(expect, arguments=(), command="check", **lab):
    """Decorator: what must come out, arguments of the command, and keyword arguments of Lab()."""
    def keep(function):
        if function.__name__ in SCENARIOS:
            raise ValueError(f"two scenarios are called {function.__name__}")
        SCENARIOS[function.__name__] = Scenario(function, expect, tuple(arguments), lab, command)
        return function
    return keep


def discover(directory=HERE / "scenarios"):
    """Import every file of scenarios/; what it decorates is then in SCENARIOS."""
    for path in sorted(directory.glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"scenarios_{path.stem}", path)
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    return SCENARIOS


class Result:
    """One run: exit status, seconds, report (a dict), text, errors (what it wrote to stderr), the JSON as it was written, and the hand-off;
    run_again() runs the same anew."""

    def __init__(self, status, seconds, report, text, errors, json_text="", handoff=""):
        self.status, self.seconds, self.report, self.text, self.errors = status, seconds, report, text, errors
        self.json_text, self.handoff, self.run_again = json_text, handoff, None
        self.is_sweep = False

    def target(self, path):
        """What it leads to; of a sweep the range has the place of the host."""
        target = next(t for t in self.report["targets"] if t["id"] == path["target"])
        return {**target, "host": target["cidr"]} if self.is_sweep else target

    def paths(self, host=None, identity=None, kind=None, effective=None):
        """Paths by host (a pattern), identity, kind of route and whether they are the agent's own."""
        return [p for p in self.report["paths"]
                if (host is None or fnmatch.fnmatch(self.target(p)["host"] or "", host))
                and identity in (None, p["identity"]) and kind in (None, p["route"]["kind"])
                and effective in (None, p["effective"])]

    def findings(self, cause=None, status=None):
        return [f for f in self.report["findings"] if cause in (None, f["cause"]) and status in (None, f["status"])]

    @property
    def names_hops(self):
        """Does this system tell who sent an ICMP error to a TCP socket?  Wine and old Windows do not: hops are numbers there."""
        return not any(o["fact"] == "missing_api" and o["subject"] == "TCP_FAIL_CONNECT_ON_ICMP_ERROR" for o in self.observations("local_fact"))

    def observations(self, op=None):
        return [o for o in self.report["observations"] if op in (None, o["op"])]


def _run_problems(expect, result, factor):
    problems = []
    if result.status != expect.exit:
        problems.append(f"exit status {result.status}, expected {expect.exit}")
    if result.seconds > expect.seconds * factor:
        problems.append(f"took {result.seconds:.1f} s, allowed {expect.seconds * factor:.1f} s")
    return problems


def judge_trace(expect, result, factor=1.0):
    """The same for `trace`: what it says is the scenario's own to check."""
    problems = _run_problems(expect, result, factor)
    if result.report is None:
        return problems + ["no JSON document"]
    return problems + _schema_problems(result.report, "trace.schema.json")


def judge_expressroute(expect, result, factor=1.0):
    """The same for `expressroute`: it has findings, and no paths."""
    problems = _run_problems(expect, result, factor)
    if result.report is None:
        return problems + ["no JSON report"]
    if not result.text.strip():
        problems.append("the text report is empty")
    return problems + _schema_problems(result.report) + _experiment_problems(result.report) + _finding_problems(expect, result)


def judge(expect, result, factor=1.0):
    """Everything in which the result differs from what was expected, one sentence each."""
    problems = _run_problems(expect, result, factor)
    if result.report is None:
        return problems + ["no JSON report"]
    if not result.text.strip():
        problems.append("the text report is empty")
    return problems + _schema_problems(result.report) + _sharing_problems(result.report) + _experiment_problems(result.report) + _verdict_problems(expect, result) + _finding_problems(expect, result)


EXPERIMENTS = set(re.findall(r'^EXPERIMENT\(\w+, "(\w+)"', (ROOT / "probe" / "plan" / "experiments.def").read_text(encoding="utf-8"), re.M))
STEPS = {"wpad", "pac_download", "pac_dns", "proxy_credentials"}  # of a way, and no contrast


def _experiment_problems(report):
    """Every experiment is a row of the plan's table."""
    used = {o["experiment"] for o in report["observations"]} - {None}
    return [f"{name} is no row of experiments.def" for name in sorted(used - EXPERIMENTS - STEPS)]


def _schema_problems(report, schema="report.schema.json"):
    path = ROOT / "reports" / schema
    if not path.exists():
        return [f"reports/{schema} is missing"]
    validator = jsonschema.Draft202012Validator(json.loads(path.read_text(encoding="utf-8")))
    errors = sorted(validator.iter_errors(report), key=lambda e: list(map(str, e.absolute_path)))
    return [f"schema: {'/'.join(map(str, e.absolute_path))}: {e.message[:200]}" for e in errors[:5]]


def _sharing_problems(report):
    """Paths share attempts and observations: what an attempt rests on names its path, once, and nobody else's script is its own."""
    seen = {o["id"]: o for o in report["observations"]}
    problems = [f"{o['id']} names a path twice" for o in seen.values() if len(set(o["paths"])) < len(o["paths"])]
    for path in report["paths"]:
        used = [i for a in path["attempts"] for i in a["observations"]]
        problems += [f"{path['id']} rests on {i}, which does not name it" for i in used if path["id"] not in seen[i]["paths"]]
        asked = [o["script"] for o in seen.values() if o["op"] == "proxy_decision" and path["id"] in o["paths"]]
        if len(asked) > len(set(asked)):
            problems.append(f"{path['id']} was decided twice by one script")
    return problems[:5]


def striking(expect, target):
    """The Expect of the fault that strikes this target; None: it must pass."""
    return next((one for one in expect.strikes if target["host"] is not None
                 and (one.targets is None or any(fnmatch.fnmatch(target["host"], t) for t in one.targets))), None)


def _verdict_problems(expect, result):
    wrong, struck = {}, []
    for path in result.paths(effective=True):
        target, verdict = result.target(path), path["verdict"]
        problem, strike = None, striking(expect, target)
        if strike and not (strike.somewhere and verdict["status"] == "pass"):
            struck.append(strike)
            problem = _difference(strike, target, verdict)
        elif not strike and target["host"] is not None and not is_well(expect, verdict):
            problem = f"{_told(verdict)}, expected pass"
        if problem:
            wrong.setdefault(problem, []).append(target["url"] or target["name"])
    problems = [f"no effective path was struck by {one.cause}" for one in expect.strikes if one not in struck and one.targets != ()]
    return problems + [f"{_named(targets)}: {problem}" for problem, targets in wrong.items()]


def is_well(expect, verdict):
    """It passes, if need be with a warning that is right."""
    return verdict["status"] == "pass" or (verdict["status"] == "warn" and verdict["cause"] in expect.warnings)


def _named(targets):
    return ", ".join(targets[:3]) + (f" and {len(targets) - 3} more" if len(targets) > 3 else "")


def _difference(expect, target, verdict):
    """What is wrong with the verdict of a struck path, or None."""
    # What is only recommended may be told as a warning, and a stand-in that nobody knows as inconclusive.
    allowed = {expect.status}
    allowed |= set() if target["required"] else {"warn", "fail"}
    allowed |= {"inconclusive"} if target["stand_in"] else set()
    wanted = {"cause": expect.cause, "stage": expect.stage, "owner": expect.owner}
    missing = set(expect.also) - set(verdict["also"])
    if verdict["status"] in allowed and all(v is None or verdict[k] == v for k, v in wanted.items()) and not missing:
        return None
    return f"{_told(verdict)}, expected {expect.status} {expect.stage or '*'}/{expect.cause} ({expect.owner or '*'})" + (
        f", and also {', '.join(sorted(missing))}" if missing else "")


def _told(verdict):
    return f"{verdict['status']} {verdict['stage']}/{verdict['cause']} ({verdict['owner']}), confidence {verdict['confidence']}"


def unexpected_findings(expect, result):
    """Findings that no fault of the scenario explains."""
    blocking = {one.cause for one in expect.strikes if one.finding == "fail"}
    allowed = {w for one in [expect, *expect.strikes] for w in one.warnings} | {one.cause for one in expect.strikes}
    return [f for f in result.findings() if f["cause"] not in (blocking if f["status"] == "fail" else allowed)]


def _finding_problems(expect, result):
    problems = [f"finding {_told_finding(f)} was not expected" for f in unexpected_findings(expect, result)]
    for one in expect.strikes:
        if one.finding != "none" and not any(_is_the_finding(one, f, result.names_hops) for f in result.findings(one.cause)):
            problems.append(f"no finding {one.finding} {one.cause} ({one.owner or '*'}) about {one.subject or '*'}; there are: "
                            + ("; ".join(_told_finding(f) for f in result.findings()) or "none"))
    ready = result.report["readiness"]["ready"]
    if ready != (expect.exit == 0) and not result.is_sweep:
        problems.append(f"readiness says ready = {ready} beside exit status {expect.exit}")
    return problems


def _is_the_finding(expect, finding, names_hops):
    subject, wanted = finding["subject"]["value"] or "", expect.subject
    if not names_hops and wanted and re.fullmatch(r"[0-9.]+|[0-9a-f:]+:[0-9a-f:]*", wanted):
        wanted = None
    return (finding["status"] == expect.finding and expect.owner in (None, finding["owner"]) and expect.stage in (None, finding["stage"])
            and (wanted is None or subject == wanted or fnmatch.fnmatch(subject, wanted)))


def _told_finding(finding):
    return f"{finding['status']} {finding['cause']} ({finding['owner']}) about {finding['subject']['kind']} {finding['subject']['value']}"


def same_judgement(first, second):
    """Differences between the judgement of a run and of `diagnose` on its report."""
    problems = [f"diagnose: {name} differ from the run's" for name in JUDGEMENT if first[name] != second[name]]
    for one, other in zip(first["paths"], second["paths"]):
        problems += [f"diagnose: {name} of path {one['id']}: {json.dumps(other[name])[:300]} against {json.dumps(one[name])[:300]}"
                     for name in ("stages", "verdict") if one[name] != other[name]]
    return problems[:6] + (["diagnose: another number of paths"] if len(first["paths"]) != len(second["paths"]) else [])
