#!/usr/bin/env python3
"""Runs one scenario against two builds of the engine in turn, and tells how the second compares with the first.

    load-tests/side-by-side.py BEFORE AFTER [--rounds N] -- SCENARIO [FLAGS OF THE SCENARIO]

BEFORE and AFTER are engine binaries (target/release/parlance of two commits), each with its parlance-load beside it. Each
round runs both, every other one in the opposite order, so that neither always has the machine that the other warmed. For
each figure it prints the median of both and the median of the rounds' ratios with their range: single figures of a shared
machine say little.

Exits with 1 when a run failed, 2 when it was asked for something that does not exist.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main():
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    scenario = sys.argv[split + 1 :]
    args = arguments().parse_args(sys.argv[1:split])
    if not scenario:
        sys.exit("usage: side-by-side.py BEFORE AFTER [--rounds N] -- SCENARIO [FLAGS]")
    builds = {"before": args.before, "after": args.after}
    for file in [file for engine in builds.values() for file in (engine, harness_of(engine))]:
        if not os.access(file, os.X_OK):
            print(f"{file} is no program: build both engines first (make build)", file=sys.stderr)
            sys.exit(2)
    rounds, failures = [], []
    for number in range(args.rounds):
        order = list(builds) if number % 2 == 0 else list(reversed(builds))
        found = {}
        for name in order:
            report = run(builds[name], scenario)
            failures += [f"round {number + 1}, {name}: {failure}" for failure in report["failures"]]
            found[name] = figures(report)
            print(f"round {number + 1}, {name}: done", file=sys.stderr)
        rounds.append(found)
    print_table(rounds)
    for failure in failures:
        print(failure)
    sys.exit(1 if failures else 0)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path, help="the engine to compare with")
    parser.add_argument("after", type=Path, help="the engine in question")
    parser.add_argument("--rounds", type=int, default=5, help="times that each is run (5)")
    return parser


def harness_of(engine):
    return engine.with_name("parlance-load")


def run(engine, scenario):
    """The report of one run."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        # The embedded Postgres of this clone, wherever the engine was built.
        own = ["--engine", str(engine), "--set", f"storage.postgres_bin_dir={postgres()}"]
        command = [str(harness_of(engine)), *scenario, *own, "--json", file.name]
        ended = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        report = Path(file.name).read_text()
    if not report:
        sys.exit(f"{' '.join(command)} ended with {ended.returncode}:\n{ended.stderr}")
    return json.loads(report)


def postgres():
    found = subprocess.run([ROOT / ".make/find-postgres.sh"], stdout=subprocess.PIPE, text=True, check=True)
    return found.stdout.strip()


def figures(report):
    """Each figure of a report by its name, those that have a number."""
    # What follows the unit in brackets, a range, is different in each run.
    found = {f"{figure['name']}, {figure['unit'].split(' (')[0]}": figure["value"] for figure in report["figures"]}
    both = [found.get(f"{whose} CPU, µs a message") for whose in ("server", "Postgres")]
    if None not in both:
        found["server and Postgres CPU, µs a message"] = sum(both)
    for latency in report["latencies"]:
        for key, value in latency.items():
            if key not in ("name", "count"):
                found[f"{latency['name']} {key}"] = value
    return {name: value for name, value in found.items() if isinstance(value, int | float)}


def print_table(rounds):
    width = max(len(name) for name in rounds[0]["after"])
    print(f"{'':{width}}  {'before':>10}  {'after':>10}  after / before")
    for name in rounds[0]["after"]:
        pairs = [(found["before"].get(name), found["after"].get(name)) for found in rounds]
        pairs = [(before, after) for before, after in pairs if before is not None and after is not None]
        if not pairs:
            continue
        before, after = (statistics.median(side) for side in zip(*pairs, strict=True))
        ratios = sorted(after / before for before, after in pairs if before > 1e-6)
        told = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})" if ratios else ""
        print(f"{name:{width}}  {before:10.2f}  {after:10.2f}  {told}")


if __name__ == "__main__":
    main()
