#!/usr/bin/python3
"""Measures baton-crisp beside the same connector written in Go on ConductorOne's SDK. See
docs/benchmarks.md; started by scripts/bench."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import measure
import report
import service
import service_report

SIZES = (3, 2_000, 20_000, 100_000)
# Timed runs of each program, by the number of operators; and how many more look at memory.
ROUNDS = ((100, 15, 3), (5_000, 9, 3), (50_000, 5, 2), (sys.maxsize, 3, 2))
QUICK_SIZES = (3, 2_000)
HELP_RUNS = 100


def say(text):
    print(text, file=sys.stderr, flush=True)


def rounds_for(size, quick):
    if quick:
        return 3, 1
    return next((timed, watched) for limit, timed, watched in ROUNDS if size < limit)


class Sandbox:
    def __init__(self, program, operators):
        arguments = [program, "--exit-with-parent", "--operators", str(operators)]
        printed = subprocess.run([program, "--print-env"], capture_output=True, text=True, check=True).stdout
        self.env = dict(line.split("=", 1) for line in printed.split())
        self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        self.base_url = self.process.stdout.readline().split()[-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Bench:
    def __init__(self, ours, tarball, go, work, quick):
        self.ours, self.tarball, self.go, self.work, self.quick = ours, tarball, go, work, quick
        self.sandbox = None
        self.env = {"PATH": os.environ["PATH"], "HOME": str(work), "TMPDIR": str(work)}

    def cost(self, argv, **more):
        env = {**self.env, **(self.sandbox.env if self.sandbox else {})}
        not_ours = [self.sandbox.process.pid] if self.sandbox else []
        return measure.run(argv, env, not_ours=not_ours, **more)

    def interleaved(self, contestants, timed, watched, before=lambda name: None, after=lambda name: {}):
        """Runs every contestant in turn, `timed` times over, then the runs that look at memory."""
        results = {name: {"wall_s": [], "cpu_s": [], "peak_kib": []} for name in contestants}
        for turn in range(timed + watched):
            for name, argv in contestants.items():
                before(name)
                cost = self.cost(argv, watch_memory=turn >= timed)
                if turn < timed:
                    results[name]["wall_s"].append(cost.wall_s)
                    results[name]["cpu_s"].append(cost.cpu_s)
                else:
                    results[name]["peak_kib"].append(cost.peak_kib)
                results[name].update(after(name))
        return results

    def syncs(self, size):
        """One full sync into a new file, by each program."""
        url = self.sandbox.base_url
        out = {name: self.work / f"{name}.c1z" for name in report.SYNCERS}
        reference = [self.go / "refconnector", "--base-url", url, "--file"]
        contestants = {
            "ours": [self.ours / "baton-crisp", "--crisp-base-url", url, "--file", out["ours"]],
            "pebble": [*reference, out["pebble"]],
            "sqlite": [*reference, out["sqlite"], "--storage-engine", "sqlite"],
        }
        self.cost(self.transfer())  # lets the sandbox make its list
        if size < 100:
            for name, argv in contestants.items():  # brings the programs into the page cache
                self.cost(argv)
        return self.interleaved(
            contestants,
            *rounds_for(size, self.quick),
            before=lambda name: out[name].unlink(missing_ok=True),
            after=lambda name: {"file_bytes": out[name].stat().st_size},
        )

    def transfer(self):
        """The two requests of a sync alone, thrown away: no program that uses libcurl is faster."""
        env = self.sandbox.env
        website = f"{self.sandbox.base_url}/website/{env['BATON_CRISP_WEBSITE_ID']}"
        return [
            shutil.which("curl"), "--silent", "--fail", "--parallel", "--header", "X-Crisp-Tier: plugin",
            "--user", f"{env['BATON_CRISP_API_IDENTIFIER']}:{env['BATON_CRISP_API_KEY']}",
            website, website + "/operators/list", "--output", os.devnull, "--output", os.devnull,
        ]

    def reads(self, size):
        """The grants of the same file as JSON, by our reader and by the real one."""
        file = self.work / "ours.c1z"
        contestants = {
            "inspect": [self.ours / "baton-inspect", "--file", file, "grants", "-o", "json"],
            "baton": [self.go / "baton", "--file", file, "grants", "-o", "json"],
        }
        return self.interleaved(contestants, *rounds_for(size, self.quick))

    def one_size(self, size):
        with Sandbox(self.ours / "crisp-sandbox", size) as self.sandbox:
            result = {"operators": size, "sync": self.syncs(size)}
            floor = self.interleaved({"curl": self.transfer()}, rounds_for(size, self.quick)[0], 0)
        self.sandbox = None
        result["transfer"] = floor["curl"]
        result["read"] = self.reads(size)
        return result

    def help(self):
        runs = 20 if self.quick else HELP_RUNS
        return self.interleaved({"ours": [self.ours / "baton-crisp", "--help"],
                                 "reference": [self.go / "refconnector", "--help"]}, runs, 1)

    def service(self):
        plan = service.QUICK if self.quick else service.Plan()

        def sandbox(operators):
            return Sandbox(self.ours / "crisp-sandbox", operators)

        return service.ServiceBench(self.ours, self.tarball, self.go, self.work, sandbox, plan).run(say)

    def binaries(self):
        sizes = {}
        for program in (self.ours / "baton-crisp", self.ours / "baton-inspect", self.go / "refconnector", self.go / "baton"):
            stripped = self.work / "stripped"
            subprocess.run(["strip", "-o", stripped, program], check=True)
            sizes[program.name] = stripped.stat().st_size
        return sizes


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true",
                        help="few runs, small sizes: does it work? The figures are printed, docs/benchmarks.md is left alone")
    parser.add_argument("--service", action="store_true", help="only the service, about six minutes")
    parser.add_argument("--no-service", action="store_true", help="everything but the service")
    parser.add_argument("--sizes", metavar="N,N", help=f"numbers of operators (default {','.join(map(str, SIZES))})")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write every single figure there")
    parser.add_argument("--no-doc", action="store_true", help="print the figures, leave docs/benchmarks.md alone")
    for name in ("ours", "tarball", "go"):
        parser.add_argument(f"--{name}", type=Path, required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    json_file = options.json.resolve() if options.json else None
    sizes = [int(s) for s in options.sizes.split(",")] if options.sizes else QUICK_SIZES if options.quick else SIZES

    load = os.getloadavg()[0]
    if load > 0.5:
        print(f"this machine is not quiet (load {load:.1f}): the figures will be too high", file=sys.stderr)
    measure.adopt_orphans()
    work = Path(tempfile.mkdtemp(prefix="bench-"))
    os.chdir(work)
    try:
        bench = Bench(options.ours.resolve(), options.tarball.resolve(), options.go.resolve(), work, options.quick)
        figures = {"machine": report.machine(work)}
        if not options.service:
            figures["sizes"] = []
            for size in sizes:
                say(f"{size} operators ...")
                figures["sizes"].append(bench.one_size(size))
            figures["help"] = bench.help()
            figures["binaries"] = bench.binaries()
        if not options.no_service:
            figures["service"] = bench.service()
    finally:
        os.chdir("/")
        shutil.rmtree(work)

    is_for_doc = not (options.quick or options.no_doc)
    page = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
    for part, reporter in (("sizes", report), ("service", service_report)):
        if part in figures:
            text = reporter.markdown(figures)
            print(text)
            if is_for_doc:
                reporter.write_into(page, text)
    if json_file:
        json_file.write_text(json.dumps(figures, indent=1) + "\n")



if __name__ == "__main__":
    main()
