"""Turns the figures of bench.py into Markdown."""

import datetime
import os
import platform
import statistics
import subprocess
from pathlib import Path

BEGIN = "<!-- figures: written by scripts/bench, do not edit -->"
END = "<!-- end of figures -->"

SYNCERS = {
    "ours": "baton-crisp",
    "pebble": "refconnector, Pebble (default)",
    "sqlite": "refconnector, SQLite",
}
READERS = {"inspect": "baton-inspect", "baton": "baton (Go)"}
MEASURES = ("wall_s", "cpu_s", "peak_kib")

# What the project set out to reach.
HELP_MAX_S = 0.005
BINARY_MAX_BYTES = 1024 * 1024


def median(values):
    return statistics.median(values) if values else 0


def time_text(seconds):
    if seconds < 0.1:
        return f"{seconds * 1000:.1f} ms"
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"


def size_text(count):
    for unit, size in (("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"


def kib_text(kib):
    return size_text(kib * 1024)


def first_line(path, key):
    for line in Path(path).read_text().splitlines():
        if line.startswith(key):
            return line.partition(":")[2].strip()
    return "unknown"


def machine(work):
    """Where the figures come from; no names of hosts or people."""
    memory_kib = int(first_line("/proc/meminfo", "MemTotal").split()[0])
    system = "Linux"
    if os.path.exists("/etc/os-release"):
        system = platform.freedesktop_os_release().get("PRETTY_NAME", system)
    file_system = subprocess.run(
        ["stat", "-f", "-c", "%T", work], capture_output=True, text=True, check=True
    ).stdout.strip()
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "cpu": first_line("/proc/cpuinfo", "model name"),
        "cores": os.cpu_count(),
        "memory": kib_text(memory_kib),
        "system": system,
        "kernel": platform.release(),
        "file system": file_system,
        "load before": round(os.getloadavg()[0], 1),
    }


def table(head, rows):
    align = ["---"] + ["---:"] * (len(head) - 1)
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, align, *rows])


def cost_rows(names, results, of):
    """A row for each program; the first of them is ours."""
    first = next(iter(names))
    ours = {m: median(results[first][m]) for m in MEASURES}
    rows = []
    for key, name in names.items():
        own = key == first
        figures = [median(results[key][m]) for m in MEASURES]
        texts = [
            (text(value) if own or not ours[m] else f"{text(value)} ({value / ours[m]:.1f}×)")
            for m, value, text in zip(MEASURES, figures, (time_text, time_text, kib_text))
        ]
        spread = f"{time_text(min(results[key]['wall_s']))} – {time_text(max(results[key]['wall_s']))}"
        file = [size_text(results[key]["file_bytes"])] if "file_bytes" in results[key] else []
        rows.append([of if own else "", name, texts[0], spread, texts[1], texts[2], *file])
    return rows


def sync_table(figures):
    head = ["Operators", "Program", "Wall", "lowest – highest", "CPU", "Peak memory", "File"]
    rows = []
    for size in figures["sizes"]:
        rows += cost_rows(SYNCERS, size["sync"], f"{size['operators']:,}")
        transfer = size["transfer"]
        spread = f"{time_text(min(transfer['wall_s']))} – {time_text(max(transfer['wall_s']))}"
        rows.append(["", "*the two requests alone (curl)*", time_text(median(transfer["wall_s"])), spread,
                     time_text(median(transfer["cpu_s"])), "", ""])
    return table(head, rows)


def read_table(figures):
    head = ["Operators", "Program", "Wall", "lowest – highest", "CPU", "Peak memory"]
    return table(head, [row for size in figures["sizes"]
                        for row in cost_rows(READERS, size["read"], f"{size['operators']:,}")])


def other_table(figures):
    rows = []
    for key, name in (("ours", "baton-crisp"), ("reference", "refconnector")):
        result = figures["help"][key]
        rows.append([f"`{name} --help`, wall", time_text(median(result["wall_s"]))])
    rows += [[f"`{name}`, stripped", size_text(size)] for name, size in figures["binaries"].items()]
    return table(["What", "Figure"], rows)


def targets(figures):
    """(what was to be reached, what was reached, whether it was), of what was measured."""
    by_size = {size["operators"]: size for size in figures["sizes"]}

    def sync(size, program, measure):
        return median(by_size[size]["sync"][program][measure])

    def part(size, program):
        return sync(size, "ours", "wall_s") / sync(size, program, "wall_s")

    def fraction(value):
        return f"1/{1 / value:.1f}"

    if 3 in by_size:
        value = part(3, "pebble")
        yield "3 operators: a tenth of the peer's wall time", fraction(value), value <= 1 / 10
        peak = sync(3, "ours", "peak_kib")
        yield "3 operators: under 12 MiB", kib_text(peak), peak < 12 * 1024
    if 20_000 in by_size:
        value = part(20_000, "pebble")
        yield "20,000: a fifth of Pebble's wall time", fraction(value), value <= 1 / 5
        value = part(20_000, "sqlite")
        yield "20,000: a fifteenth of SQLite's wall time", fraction(value), value <= 1 / 15
    if 100_000 in by_size:
        peak = sync(100_000, "ours", "peak_kib")
        yield "100,000: under 64 MiB", kib_text(peak), peak < 64 * 1024
        if 20_000 in by_size:
            growth = sync(100_000, "ours", "wall_s") / sync(20_000, "ours", "wall_s")
            yield "100,000: in linear time (5 times the 20,000, and a tenth for noise)", f"{growth:.1f}×", growth <= 5.5
    largest = by_size[max(by_size)]["read"]
    for measure_name, name in (("cpu_s", "CPU time"), ("peak_kib", "memory")):
        value = median(largest["inspect"][measure_name]) / median(largest["baton"][measure_name])
        yield (f"`baton-inspect grants -o json`, {max(by_size):,} operators: a tenth of the real tool's {name}",
               fraction(value), value <= 1 / 10)
    size = figures["binaries"]["baton-crisp"]
    yield "stripped program under 1 MiB", size_text(size), size < BINARY_MAX_BYTES
    wall = median(figures["help"]["ours"]["wall_s"])
    yield "`--help` under 5 ms", time_text(wall), wall < HELP_MAX_S


def markdown(figures):
    machine_text = "; ".join(f"{key}: {value}" for key, value in figures["machine"].items())
    runs = ", ".join(
        f"{size['operators']:,} operators: {len(size['sync']['ours']['wall_s'])} timed and "
        f"{len(size['sync']['ours']['peak_kib'])} for memory" for size in figures["sizes"])
    target_rows = [[what, reached, "yes" if met else "**no**"] for what, reached, met in targets(figures)]
    return "\n\n".join([
        f"Measured on {machine_text}.",
        f"Runs of each program, in turn: {runs}. Medians; in brackets how many times ours.",
        "### One full sync into a new file\n\n" + sync_table(figures),
        "### Grants as JSON, from our file\n\n" + read_table(figures),
        "### Start-up and size\n\n" + other_table(figures),
        "### Targets\n\n" + table(["Target", "Reached", "Met"], target_rows),
    ])


def write_into(path, text, first=BEGIN, last=END):
    page = path.read_text()
    head, begin, rest = page.partition(first)
    _, end, tail = rest.partition(last)
    if not (begin and end):
        raise SystemExit(f"{path} has lost the two lines between which the figures stand")
    path.write_text(f"{head}{first}\n\n{text}\n\n{last}{tail}")
