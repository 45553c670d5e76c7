"""Turns the figures of service.py into Markdown."""

import report
from report import kib_text, median, size_text, table, time_text

BEGIN = "<!-- figures of the service: written by scripts/bench, do not edit -->"
END = "<!-- end of figures of the service -->"

NAMES = {
    "ours": "baton-crisp, Debian's libraries",
    "tarball": "baton-crisp of the tarball",
    "svcdemo": "svcdemo, no source",
    "pebble": "refconnector, Pebble (default)",
    "sqlite": "refconnector, SQLite",
}

# What the project set out to reach.
HELLO_MAX_S = 0.010
IDLE_MAX_KIB = 10 * 1024
IDLE_CPU_PART = 1 / 4
SYNC_MAX_S = {3: 0.010, 20_000: 0.4}
SYNC_PEAK_MAX_KIB = {20_000: 40 * 1024}


def against(value, ours, text):
    return f"{text(value)} ({value / ours:.1f}×)" if ours else text(value)


def rows_of(results, measures):
    """(key, text) each; the first program is ours."""
    rows = []
    ours = results["ours"]
    for name, result in results.items():
        own = name == "ours"
        rows.append([NAMES[name], *(text(result[key]) if own else against(result[key], ours[key], text)
                                    for key, text in measures)])
    return rows


def hello_table(figures):
    rows = []
    ours = median(figures["hello"]["ours"])
    for name, times in figures["hello"].items():
        value = median(times)
        rows.append([NAMES[name], time_text(value) if name == "ours" else against(value, ours, time_text),
                     f"{time_text(min(times))} – {time_text(max(times))}"])
    return table(["Program", "Start to Hello", "lowest – highest"], rows)


def idle_table(figures):
    def seconds(value):
        return f"{value:.2f} s"
    measures = [("rss_kib", kib_text), ("pss_kib", kib_text), ("processes", str), ("threads", str), ("files", str),
                ("cpu_per_hour_s", seconds)]
    rows = rows_of(figures["idle"], measures)
    for row in rows:  # a ratio of processes, threads and files says nothing
        row[3:6] = [cell.split(" ")[0] for cell in row[3:6]]
    return table(["Program", "RSS", "PSS", "Processes", "Threads", "Open files", "CPU per hour"], rows)


def sync_table(figures):
    rows = []
    for size, results in figures["sync"].items():
        ours = {key: median(results["ours"][key]) for key in ("wall_s", "peak_kib")}
        for name, result in results.items():
            own, times = name == "ours", result["wall_s"]
            cells = [text(median(result[key])) if own else against(median(result[key]), ours[key], text)
                     for key, text in (("wall_s", time_text), ("peak_kib", kib_text))]
            rows.append([f"{int(size):,}" if own else "", NAMES[name], cells[0],
                         f"{time_text(min(times))} – {time_text(max(times))}", cells[1]])
    return table(["Operators", "Program", "Task", "lowest – highest", "Peak memory"], rows)


def after_table(figures):
    """Resident memory of all processes, some time after the last task."""
    rows = []
    ours = figures["after_syncs"]["ours"]["rss_kib"]
    many = figures["after_tasks"]
    columns = list(many["ours"])
    for name in many:
        idle, few = figures["idle"][name]["rss_kib"], figures["after_syncs"][name]["rss_kib"]
        rows.append([NAMES[name], kib_text(idle), kib_text(few) if name == "ours" else against(few, ours, kib_text),
                     *(kib_text(many[name][n]["rss_kib"]) for n in columns), time_text(many[name][columns[-1]]["took_s"])])
    return table(["Program", "idle", f"after {figures['few']} syncs", *(f"after {int(n):,} tasks" for n in columns),
                  f"time of the last {int(columns[-1]) - int(columns[0]):,}"], rows)


def targets(figures):
    for name in ("ours", "tarball"):
        value = median(figures["hello"][name])
        yield f"Hello within 10 ms of the start: {NAMES[name]}", time_text(value), value <= HELLO_MAX_S
    idle = figures["idle"]
    value = idle["ours"]["rss_kib"]
    yield "idle: under 10 MiB", kib_text(value), value < IDLE_MAX_KIB
    many = figures["after_tasks"]["ours"]
    (few_n, few), (many_n, last) = [(int(n), facts) for n, facts in many.items()]
    yield f"after {many_n:,} tasks: under 10 MiB too", kib_text(last["rss_kib"]), last["rss_kib"] < IDLE_MAX_KIB
    # "The same" leaves room for the pages that a heap, or the system with its libraries, happens to touch.
    yield (f"after {many_n:,} tasks: as after {few_n:,}, to 2 %",
           f"{kib_text(last['rss_kib'])}, {kib_text(few['rss_kib'])}", last["rss_kib"] <= few["rss_kib"] * 1.02)
    value = idle["ours"]["cpu_per_hour_s"] / idle["pebble"]["cpu_per_hour_s"] if idle["pebble"]["cpu_per_hour_s"] else 1
    yield "idle: a quarter of the peer's CPU time", f"1/{1 / value:.1f}" if value else "not measurable", value <= IDLE_CPU_PART
    for size, results in figures["sync"].items():
        size = int(size)
        value, peak = median(results["ours"]["wall_s"]), median(results["ours"]["peak_kib"])
        if size in SYNC_MAX_S:
            limit = SYNC_MAX_S[size]
            yield f"task of {size:,} operators: {time_text(limit)}", time_text(value), value <= limit
        if size in SYNC_PEAK_MAX_KIB:
            limit = SYNC_PEAK_MAX_KIB[size]
            yield f"task of {size:,} operators: under {size_text(limit * 1024)}", kib_text(peak), peak < limit


def markdown(figures):
    service, plan = figures["service"], figures["service"]["plan"]
    machine = "; ".join(f"{key}: {value}" for key, value in figures["machine"].items())
    syncs = ", ".join(f"{int(size):,} operators: {len(r['ours']['wall_s'])} timed and {len(r['ours']['peak_kib'])} for memory"
                      for size, r in service["sync"].items())
    rows = [[what, reached, "yes" if met else "**no**"] for what, reached, met in targets(service)]
    return "\n\n".join([
        f"Measured on {machine}.",
        f"Starts of each program, in turn: {plan['hellos']}. Idle: {plan['idle_s']:g} s with a poll every 0.5 s. "
        f"Tasks: {syncs}. Medians; in brackets how many times ours.",
        "### From the start to Hello\n\n" + hello_table(service),
        "### Idle\n\n" + idle_table(service),
        "### One full-sync task\n\n" + sync_table(service),
        "### Memory after many tasks\n\n" + after_table(service),
        "### Targets of the service\n\n" + table(["Target", "Reached", "Met"], rows),
    ])


def write_into(path, text):
    report.write_into(path, text, BEGIN, END)
