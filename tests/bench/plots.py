# SPDX-License-Identifier: MIT
"""The plots of docs/benchmarks.md: SVG, drawn by gnuplot from the rounds that the parts have written.

May be used by: tests/bench/page.py.
"""
import os
import statistics
import subprocess

import servers

HEAD = """
set terminal svg size 760,{height} font 'sans-serif,13' background rgb 'white'
set output '{path}'
set key outside right top reverse Left
set border 3
set tics nomirror
set grid ytics linecolor rgb '#dddddd'
"""
COLOURS = ("#0b6e99", "#d9730d", "#7a7a7a", "#4d8c57", "#9b51e0", "#b3342b", "#c9a227", "#5a5a9e", "#2f2f2f", "#8a5a44")


def gnuplot(script):
    told = subprocess.run(["gnuplot", "-"], input=script, capture_output=True, text=True)
    if told.returncode != 0:
        servers.die(f"gnuplot could not draw:\n{told.stderr}")


def lines(path, points, titles, settings):
    """Curves with their spread. `points`: of each title a list of (x, middle, least, most)."""
    script = HEAD.format(path=path, height=420) + settings
    for i, title in enumerate(titles):
        script += f"$data{i} << END\n" + "\n".join(" ".join(f"{value:g}" for value in point)
                                                   for point in points[title]) + "\nEND\n"
    curves = []
    for i, title in enumerate(titles):
        colour = f"linecolor rgb '{COLOURS[i]}'"
        curves += [f"$data{i} using 1:2:3:4 with yerrorbars pointtype 0 linewidth 1 {colour} notitle",
                   f"$data{i} using 1:2 with linespoints pointtype 7 pointsize 0.5 linewidth 2 {colour} "
                   f"title '{title}' noenhanced"]
    gnuplot(script + "plot " + ", ".join(curves) + "\n")


def bars(path, groups, titles, label):
    """A cluster of bars for each group. `groups`: by name, of each title (middle, least, most); one may be missing."""
    script = HEAD.format(path=path, height=420) + f"""
set style data histograms
set style histogram errorbars gap 1.5 linewidth 1
set style fill solid 1 border rgb '#333333'
set bars 0.3
set yrange [0:*]
set ylabel '{label}'
$data << END
"""
    for name, figures in groups.items():
        cells = [" ".join(f"{value:g}" for value in figures.get(title, (float("nan"),) * 3)) for title in titles]
        script += f'"{name}" ' + " ".join(cells) + "\n"
    script += "END\n"
    clusters = [f"$data using {3 * i + 2}:{3 * i + 3}:{3 * i + 4}{':xtic(1)' if i == 0 else ''} linecolor rgb "
                f"'{COLOURS[i % len(COLOURS)]}' title '{title}' noenhanced" for i, title in enumerate(titles)]
    gnuplot(script + "plot " + ", ".join(clusters) + "\n")


def spread(values):
    return statistics.median(values), min(values), max(values)


def draw_library_hits(facts, folder):
    groups, titles = {}, []
    for keys, by_threads in facts["rounds"].items():
        for threads, rounds in by_threads.items():
            name = f"{int(keys):,} keys, {threads}T"
            groups[name] = {side: spread([one[side]["hits_per_us"] for one in rounds]) for side in rounds[0]}
            titles += [side for side in sorted(rounds[0]) if side not in titles]
    path = os.path.join(folder, "library-hits.svg")
    bars(path, groups, titles, "hits a microsecond, all threads")
    return [(path, "Hits a microsecond, by keys and threads (T); longer is better")]


def draw_scaling(facts, folder):
    by_entries = facts["rounds"]
    titles = list(next(iter(by_entries.values()))[0])
    titles = [title for title in ("sluice", "uthash", "array") if title in titles]
    points = {title: [(int(entries), *spread([one[title]["cpu_ns"] for one in rounds]))
                      for entries, rounds in by_entries.items()] for title in titles}
    path = os.path.join(folder, "scaling.svg")
    lines(path, points, titles, "set logscale x\nset format x '10^{%L}'\nset yrange [0:*]\nset xlabel 'entries'\n"
          "set ylabel 'CPU ns a lookup'\n")
    return [(path, "CPU time of a lookup by the number of entries, beside an array of pointers; lower is better")]


def draw_coalesce(facts, folder):
    rounds = facts["rounds"]
    sides = [side for side in ("callbacks", "go-dochan", "go-do") if side in rounds[0]]
    if not sides:
        return []
    path = os.path.join(folder, "coalesce.svg")
    bars(path, {"no thread of their own": {side: spread([one[side]["cpu_us"] for one in rounds]) for side in sides}},
         sides, "CPU us a waiter")
    return [(path, "CPU time a waiter, of those that hold no thread; shorter is better")]


def draw_memory(facts, folder):
    results, drawn = facts["results"], []
    if "entries" in results:
        rounds = results["entries"]
        entries = facts["entries"]
        figures = {side: spread([one[side].get("resident", one[side]["told"]) / entries - 80 for one in rounds])
                   for side in sorted(rounds[0])}
        path = os.path.join(folder, "memory-entries.svg")
        bars(path, {"an entry": figures}, list(figures), "bytes over key and value")
        drawn.append((path, "Bytes an entry over key and value, by resident memory, in Java by the heap; shorter is "
                            "better"))
    if "churn" in results:
        points = {title: [(one["hour"],) + (one[name] / 2**20,) * 3 for one in results["churn"]]
                  for title, name in (("resident", "resident_bytes"), ("weight", "weight"))}
        path = os.path.join(folder, "memory-churn.svg")
        lines(path, points, list(points), "set yrange [0:*]\nset xlabel 'hour'\nset ylabel 'MiB'\n")
        drawn.append((path, "Memory through a day of operations on a full cache"))
    return drawn


def draw_http_hits(facts, folder):
    groups = {f"{int(size):,} bytes": {side: spread([one[side]["cpu_us"] for one in rounds]) for side in rounds[0]}
              for size, rounds in facts["rounds"].items()}
    titles = sorted({side for figures in groups.values() for side in figures})
    path = os.path.join(folder, "http-hits.svg")
    bars(path, groups, titles, "server CPU us a request")
    return [(path, "Server's CPU time a request, by the size of the value; shorter is better")]


def draw_herd(facts, folder):
    groups = {f"{int(clients):,} clients": {side: spread([one[side]["last_ms"] for one in rounds])
                                            for side in rounds[0]} for clients, rounds in facts["rounds"].items()}
    titles = sorted({side for figures in groups.values() for side in figures})
    path = os.path.join(folder, "herd.svg")
    bars(path, groups, titles, "ms to the last answer")
    return [(path, "When the last client has its answer; shorter is better")]


DRAWERS = {"library-hits": draw_library_hits, "scaling": draw_scaling, "coalesce": draw_coalesce,
           "memory": draw_memory, "http-hits": draw_http_hits, "herd-compare": draw_herd}


def draw(part, facts, folder):
    """Draws a part's plots into the folder. Returns their paths and captions."""
    os.makedirs(folder, exist_ok=True)
    return DRAWERS[part](facts, folder)
