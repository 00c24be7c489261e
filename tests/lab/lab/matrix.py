"""The confusion matrix: which cause each scenario expects and which one the program reported; and whether every core cause has a scenario."""
import collections
import dataclasses
import pathlib

from .scenario import is_well, striking, unexpected_findings

CORE = pathlib.Path(__file__).resolve().parent.parent / "core-causes.txt"
HEALTHY, NOTHING = "(healthy)", "(no report)"
NAMES_MAX = 4


@dataclasses.dataclass
class Cell:
    """Scenarios of one expected and one reported cause."""
    expected: str
    reported: str


def cells(expect, result):
    """What this run adds to the matrix: a cell for each fault, and one for what is healthy if there is nothing else or it was accused."""
    if result is None or result.report is None:
        return [Cell(one.cause, NOTHING) for one in expect.strikes] or [Cell(HEALTHY, NOTHING)]
    seen = {id(one): collections.Counter() for one in expect.strikes}
    accused = collections.Counter(f["cause"] for f in unexpected_findings(expect, result))
    for path in result.paths(effective=True):
        strike, verdict = striking(expect, result.target(path)), path["verdict"]
        cause = HEALTHY if verdict["status"] == "pass" else verdict["cause"] or verdict["status"]
        if strike and not (strike.somewhere and cause == HEALTHY):
            seen[id(strike)][cause] += 1
        elif not strike and result.target(path)["host"] is not None and not is_well(expect, verdict):
            accused[cause] += 1
    found = [Cell(one.cause, _reported(one.cause, seen[id(one)])) for one in expect.strikes]
    return found + ([Cell(HEALTHY, accused.most_common(1)[0][0])] if accused else []) or [Cell(HEALTHY, HEALTHY)]


def _reported(expected, causes):
    """One word for the verdicts of all struck paths: the most frequent wrong one, if any is wrong."""
    wrong = [cause for cause, _ in causes.most_common() if cause != expected]
    return wrong[0] if wrong else expected if causes else HEALTHY


def core_causes():
    """Those that must have a scenario; the others have their reason, after a tab, in the same file."""
    lines = [line for line in CORE.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return [line for line in lines if "\t" not in line]


def without_scenario(scenarios):
    """Core causes that no scenario expects."""
    expected = {cause for s in scenarios for one in [s.expect, *s.expect.strikes] for cause in (one.cause, *one.also)}
    return [cause for cause in core_causes() if cause not in expected]


class Matrix:
    """Collects the cells of all scenarios that ran."""

    def __init__(self):
        self.rows = collections.defaultdict(lambda: collections.defaultdict(list))
        self.kinds, self.exact = collections.Counter(), 0

    def add(self, scenario, found):
        """What `trace` prints names no causes: it is no part of the matrix."""
        if scenario.command == "trace":
            return
        for cell in found:
            self.rows[cell.expected][cell.reported].append(scenario.name)
        self.exact += all(cell.expected == cell.reported for cell in found)
        self.kinds["scenarios"] += 1
        self.kinds["healthy networks"] += not scenario.expect.strikes
        self.kinds["with two faults"] += scenario.expect.faults > 1

    def lines(self):
        """One line for each row with a wrong cell, and the totals."""
        for expected, cells_of_row in sorted(self.rows.items()):
            if set(cells_of_row) != {expected}:
                yield f"matrix: {expected} was reported as " + "; ".join(
                    f"{reported} {len(names)}x" + ("" if reported == expected else f" ({_few(names)})")
                    for reported, names in sorted(cells_of_row.items()))
        alarms = sum(len(names) for reported, names in self.rows[HEALTHY].items() if reported != HEALTHY)
        yield (f"matrix: {self.kinds['scenarios']} scenarios, {len(set(self.rows) - {HEALTHY})} causes, {self.exact} exact, "
               f"{alarms} false alarms, {self.kinds['healthy networks']} healthy networks, {self.kinds['with two faults']} with two faults")


def _few(names):
    return ", ".join(names[:NAMES_MAX]) + (f" and {len(names) - NAMES_MAX} more" if len(names) > NAMES_MAX else "")
