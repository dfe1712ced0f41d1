"""`make bench`: every benchmark in a process of its own, one after another, and all ratios once more at the end."""

import json
import pkgutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
NOT_BENCHMARKS = {"__main__", "harness", "sink"}


def names() -> list[str]:
    return sorted(
        module.name
        for module in pkgutil.iter_modules([str(FOLDER)])
        if module.name not in NOT_BENCHMARKS and "__main__" in (FOLDER / f"{module.name}.py").read_text()
    )


def results() -> dict[str, list[str]]:
    return {path.stem: path.read_text().splitlines() for path in (FOLDER / "results").glob("*.jsonl")}


def main(wanted: list[str]) -> int:
    if unknown := sorted(set(wanted) - set(names())):
        sys.stderr.write(f"No such benchmark: {', '.join(unknown)}. There are: {', '.join(names())}.\n")
        return 2
    before = results()
    failed = []
    for name in wanted or names():
        print(f"── {name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], cwd=FOLDER.parent, check=False).returncode:
            failed.append(name)
    print("── all of this run, ours ÷ floor (1 is as fast as the floor)")
    for name, lines in sorted(results().items()):
        for line in lines[len(before.get(name, [])) :]:
            kept = json.loads(line)
            spread = f"({kept['ratio_lowest']:.2f}–{kept['ratio_highest']:.2f})"
            ours = f"{kept['ours']['median']:,.0f} {kept['unit']}/s"
            print(f"  {name:<28}{kept['ratio']:>6.2f} {spread:<14}{ours}")
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
