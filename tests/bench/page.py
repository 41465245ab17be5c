# SPDX-License-Identifier: MIT
"""docs/benchmarks.md, made of the JSON files that the parts of a comparison have written.

May be used by: tests/bench/compare. Nothing on the page is written by hand but what is in this file; a part that was run
later replaces its own tables and leaves the others'.
"""
import json
import os
import re
import shlex

import plots

HEAD = """# Benchmarks

Written by `tests/bench/compare`, which runs everything that is told of here, in turn, on one machine: do not edit. How each
figure is come by is told in [tests/bench/](../tests/bench/README.md).

- Compare what stands in one table, and the ratios best: they are made of two figures of the same round. Absolute figures are
  this machine's, and move from run to run; figures of two parts may be of different runs.
- Cells are medians, with (least to most) of all rounds.
- What is compared with is what Debian packages, of the version that is named with each part; other versions, other
  machines and other loads may tell otherwise.
- A goal that is missed is shown as missed.
"""

# Each part, in the order of the page: its title, and what is asked.
PARTS = {
    "library-hits": ("Hits of the library", "What does a get of a key that is there cost, by one thread and by two?"),
    "scaling": ("From few entries to many", "How much dearer is a hit among ten million entries?"),
    "coalesce": ("Misses that many wait for", "What does each waiter of a load cost?"),
    "memory": ("Memory", "What does an entry take, what a parked get, and what becomes of it in a day?"),
    "http-hits": ("Hits over HTTP", "What does a cached answer cost, over connections that are kept?"),
    "herd-compare": ("A herd on one cold key", "When do many clients that ask at once have their answer?"),
}
# What a command says of the place that it was run in.
PLACES = ("--json", "--build")
OTHERS_SHARE_MAX = 0.1


def file_of(results, part):
    return os.path.join(results, f"{part}.json")


def note(results, part, facts):
    """Adds to what a part has written."""
    with open(file_of(results, part), encoding="utf-8") as file:
        written = json.load(file)
    with open(file_of(results, part), "w", encoding="utf-8") as file:
        json.dump({**written, **facts}, file, indent=1)
        file.write("\n")


def load(results):
    """The parts that have been run, in the order of the page."""
    loaded = {}
    for part in PARTS:
        try:
            with open(file_of(results, part), encoding="utf-8") as file:
                loaded[part] = json.load(file)
        except FileNotFoundError:
            continue
    return loaded


def command_words(command):
    """A command without the places of its machine."""
    words, kept = iter(shlex.split(command)), []
    for word in words:
        if word in PLACES:
            next(words, None)
        elif word != "--install":
            kept.append(word)
    return shlex.join(kept)


def machine_words(machine):
    kernel = re.match(r"[0-9.]*[0-9]", machine["kernel"])
    kind = "a virtual machine with " if machine.get("virtual") else ""
    return (f"{kind}{machine['processors']} processors ({machine['model']}), "
            f"{machine['memory_gib']:.0f} GiB, Linux {kernel.group() if kernel else machine['kernel']}")


def others_words(facts):
    """What else the machine did, which is what the figures are worth."""
    if "others_share" not in facts:
        return "what else the machine did meanwhile is not known"
    share = facts["others_share"]
    words = f"other work took {share * 100:.0f} % of the processors meanwhile"
    return words if share <= OTHERS_SHARE_MAX else f"**{words}: not figures to go by**"


def table_words(table):
    """A table of Markdown under its title."""
    def row(cells):
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    lines = [f"**{table['title'][0].upper()}{table['title'][1:]}**", "", row(table["columns"]),
             "|" + "|".join(["---"] + ["--:"] * (len(table["columns"]) - 1)) + "|"]
    return "\n".join(lines + [row(cells) for cells in table["rows"]])


def part_words(part, facts, pictures):
    title, question = PARTS[part]
    words = [f"## {title}", question]
    about = [f"- `{command_words(facts['command'])}`, {facts['date'][:10]}" +
             (f", revision {facts['revision']}" if facts.get("revision") else ""),
             f"- {machine_words(facts['machine'])}",
             f"- {others_words(facts)}"]
    about += [f"- {name}: {version}" for name, version in facts["versions"].items()]
    words.append("\n".join(about))
    words += [table_words(table) for table in facts["tables"]]
    words += [f"![{caption}]({path})" for path, caption in pictures]
    if facts["goals"]:
        words.append("\n".join(["**Goals**", ""] + [f"- {'met' if goal['met'] else 'missed'}: {goal['goal']}"
                                                    for goal in facts["goals"]]))
    return "\n\n".join(words)


def write(results, path):
    """The page, and its plots in a folder beside it that is named like it. Returns the parts that are on it."""
    loaded = load(results)
    folder = os.path.splitext(path)[0]
    words = [HEAD.strip()]
    for part, facts in loaded.items():
        pictures = [(os.path.relpath(picture, os.path.dirname(path) or "."), caption)
                    for picture, caption in plots.draw(part, facts, folder)]
        words.append(part_words(part, facts, pictures))
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n\n".join(words) + "\n")
    return list(loaded)
