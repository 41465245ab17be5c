# SPDX-License-Identifier: MIT
"""What the comparing scripts share: their options, the heading that says what ran, tables, ratios, the JSON file.

May be used by: the scripts of tests/bench. A ratio is taken between two servers' figures of the same round, which ran
one after the other, and then the median of the rounds is taken: what else the machine did weighs on both alike.
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
import subprocess
import sys
import tempfile

import peers
import servers

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


SERVERS = ("sluiced", "nginx", "varnish", "floor")

# Every table that was printed, for the JSON file.
printed = []


def parser(description, rounds, sides=SERVERS):
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--rounds", type=int, default=rounds, help=f"alternated rounds (default {rounds})")
    options.add_argument("--build", default=os.path.join(ROOT, "build", "release"), metavar="DIR",
                         help="build tree with sluiced and the programs that measure (default build/release)")
    options.add_argument("--without", action="append", default=[], choices=sides or None, metavar="SIDE",
                         help=f"leave one {'of these out: ' + ', '.join(sides) if sides else 'out'}; may be given again")
    options.add_argument("--install", action="store_true", help="install from Debian what is missing of the peers")
    options.add_argument("--json", metavar="FILE", help="write every figure there")
    return options


def require_built(parser_, options, names):
    """Sees that these files of the build tree are there. Returns their paths."""
    if options.rounds < 1:
        parser_.error("--rounds takes a number from 1")
    paths = [os.path.join(options.build, name) for name in names]
    missing = [path for path in paths if not os.access(path, os.X_OK)]
    if missing:
        servers.die(f"not built: {', '.join(missing)}. Run: cmake --preset release && cmake --build --preset release")
    return paths


def prepare(parser_, options):
    """Sees that what is to run is there. Returns the directory of the load generators and the path of sluiced."""
    names = [f"tests/bench/{name}" for name in ("herd", "hits", "backend", "floor")]
    require_built(parser_, options, names + (["server/sluiced"] if "sluiced" not in options.without else []))
    peers.require([name for name in ("nginx", "varnish") if name not in options.without], options.install)
    return os.path.join(options.build, "tests", "bench"), os.path.join(options.build, "server", "sluiced")


def memory_directory():
    """A tmpfs, so that no peer waits for a disk; None where there is none that programs may be run from (Varnish
    compiles its configuration to a library in its directory)."""
    place = "/dev/shm"
    try:
        usable = os.access(place, os.W_OK | os.X_OK) and not os.statvfs(place).f_flag & os.ST_NOEXEC
    except OSError:
        usable = False
    return place if usable else None


def end_all(ends):
    """Nothing may keep the servers from being ended: a second Ctrl-C waits until they are."""
    handlers = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    ends.close()
    for number, handler in handlers.items():
        signal.signal(number, handler)


@contextlib.contextmanager
def workplace():
    """A directory of our own, and a stack of what is to be ended before it goes: also on failure, Ctrl-C, SIGTERM."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    servers.raise_descriptors()
    with tempfile.TemporaryDirectory(prefix="sluice-bench-", dir=memory_directory()) as directory:
        ends = contextlib.ExitStack()
        try:
            yield directory, ends
        finally:
            end_all(ends)


def start_all(created, ends):
    for server in created:
        ends.callback(server.stop)
        server.start()
    return created


def start_caches(directory, sluiced, backend, options, ends):
    """Those that are compared, but for the ones that are to be left out."""
    created = [servers.Sluiced(directory, sluiced, backend), servers.Nginx(directory, backend),
               servers.Varnish(directory, backend)]
    created = [server for server in created if server.name not in options.without]
    if not created:
        servers.die("--without has left none")
    return start_all(created, ends)


def parse_machine_line(text):
    """The last line of herd and hits, as numbers."""
    pairs = (pair.partition("=") for pair in text.strip().rpartition("\n")[2].split())
    return {name: float(value) for name, _, value in pairs}


def numbers(parser_, option, text, least, most):
    """The numbers of an option such as 128,4096."""
    words = text.split(",")
    if not all(word.isdigit() and least <= int(word) <= most for word in words):
        parser_.error(f"{option} takes numbers from {least} to {most}, parted by commas, not '{text}'")
    return [int(word) for word in words]


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        told = [[word.strip() for word in line.split(":", 1)] for line in info if ":" in line]
    models = [value for name, value in told if name == "model name"]
    virtual = any(name == "flags" and "hypervisor" in value.split() for name, value in told)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"processors": os.cpu_count(), "model": models[0] if models else platform.machine(), "virtual": virtual,
            "memory_gib": memory / (1 << 30), "kernel": platform.release(), "load_average": os.getloadavg()[0]}


def revision():
    """Of the tree that is measured, if it is one of git's."""
    try:
        told = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True)
    except FileNotFoundError:
        return ""
    return told.stdout.strip()


def heading(started, setting=""):
    """Says what runs where. Returns it for the JSON file."""
    facts = {"command": shlex.join([os.path.relpath(sys.argv[0]), *sys.argv[1:]]),
             "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
             "machine": machine(), "revision": revision(), "versions": {}, "commands": {}}
    print(f"$ {facts['command']}")
    here = facts["machine"]
    facts["setting"] = setting or f"{servers.WORKERS} workers"
    print(f"{here['processors']} processors ({here['model']}), Linux {here['kernel']}, "
          f"load average {here['load_average']:.2f}, {facts['setting']}, "
          f"files under {memory_directory() or tempfile.gettempdir()}")
    for server in started:
        facts["versions"][server.name] = server.version()
        facts["commands"][server.name] = shlex.join(server.process.args)
        print(f"{server.name}: {facts['versions'][server.name]}")
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
    printed.append({"title": title, "columns": columns, "rows": rows})
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
        print("goals")

    def check(self, words, met):
        self.results.append({"goal": words, "met": bool(met)})
        print(f"  {'met   ' if met else 'MISSED'}  {words}")


def write_json(path, results):
    if path:
        with open(path, "w") as file:
            json.dump({**results, "tables": printed}, file, indent=1)
            file.write("\n")
