# SPDX-License-Identifier: MIT
"""What the comparing scripts share: their options, the heading that says what ran, tables, ratios, the JSON file.

May be used by: the scripts of tests/bench. A ratio is taken between two servers' figures of the same round, which ran one
after the other, and then the median of the rounds is taken: what else the machine did weighs on both alike.
"""
import argparse
import contextlib
import datetime
import json
import os
import platform
import shlex
import signal
import statistics
import sys
import tempfile

import servers

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def parser(description, rounds):
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--rounds", type=int, default=rounds, help=f"alternated rounds (default {rounds})")
    options.add_argument("--build", default=os.path.join(ROOT, "build", "release"), metavar="DIR",
                         help="build tree with sluiced and the load generators (default build/release)")
    options.add_argument("--without", action="append", default=[], metavar="SERVER",
                         help="leave one of the servers out; may be given again")
    options.add_argument("--install", action="store_true", help="install nginx and Varnish from Debian where they are missing")
    options.add_argument("--json", metavar="FILE", help="write every figure there")
    return options


def programs(options):
    """The directory of the load generators and the path of sluiced, both built."""
    tools = os.path.join(options.build, "tests", "bench")
    sluiced = os.path.join(options.build, "server", "sluiced")
    wanted = [os.path.join(tools, name) for name in ("herd", "hits", "backend", "floor")]
    if "sluiced" not in options.without:
        wanted.append(sluiced)
    missing = [path for path in wanted if not os.access(path, os.X_OK)]
    if missing:
        servers.die(f"not built: {', '.join(missing)}. Run: cmake --preset release && cmake --build --preset release")
    if options.rounds < 1:
        servers.die("--rounds takes a number from 1")
    return tools, sluiced


@contextlib.contextmanager
def workplace():
    """A directory of our own, and a stack of what is to be ended before it goes, also on Ctrl-C and SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as directory, contextlib.ExitStack() as ends:
        yield directory, ends


def start_all(created, ends):
    for server in created:
        ends.callback(server.stop)
        server.start()
    return created


def parse_machine_line(text):
    """The last line of herd and hits, as numbers."""
    pairs = (pair.partition("=") for pair in text.strip().rpartition("\n")[2].split())
    return {name: float(value) for name, _, value in pairs}


def machine():
    with open("/proc/cpuinfo") as info:
        models = [line.partition(":")[2].strip() for line in info if line.startswith("model name")]
    return {"processors": os.cpu_count(), "model": models[0] if models else platform.machine(), "kernel": platform.release(),
            "load_average": os.getloadavg()[0]}


def heading(started):
    """Says what runs where. Returns it for the JSON file."""
    facts = {"command": shlex.join([os.path.relpath(sys.argv[0]), *sys.argv[1:]]),
             "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
             "machine": machine(), "versions": {}, "commands": {}}
    print(f"$ {facts['command']}")
    here = facts["machine"]
    print(f"{here['processors']} processors ({here['model']}), Linux {here['kernel']}, load average {here['load_average']:.2f}")
    for server in started:
        facts["versions"][server.name] = server.version()
        facts["commands"][server.name] = shlex.join(server.process.args)
        print(f"{server.name}: {server.version()}\n    {shlex.join(server.process.args)}")
    print(flush=True)
    return facts


def in_turn(created, number):
    """The servers, beginning with another one each round."""
    first = number % len(created)
    return created[first:] + created[:first]


def spread(values, digits=1):
    return f"{statistics.median(values):,.{digits}f} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def ratios(rounds, ours, theirs, figure):
    return [one[ours][figure] / one[theirs][figure] for one in rounds if one[theirs][figure] > 0]


def print_table(title, columns, rows):
    print(title)
    widths = [max(len(row[i]) for row in [columns, *rows]) for i in range(len(columns))]
    for row in [columns, *rows]:
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        print("  " + "   ".join(cells))
    print(flush=True)


class Goals:
    """What the project has set itself, and whether this run met it."""

    def __init__(self):
        self.results = []

    def check(self, words, met):
        self.results.append({"goal": words, "met": bool(met)})
        print(f"  {'met   ' if met else 'MISSED'}  {words}")


def write_json(path, results):
    if path:
        with open(path, "w") as file:
            json.dump(results, file, indent=1)
            file.write("\n")
