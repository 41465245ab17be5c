# SPDX-License-Identifier: MIT
"""Programs that stay alive for a whole comparison and play a round when they are told to, so that sides alternate.

May be used by: the scripts of tests/bench. A player says "ready" when it is, is sent a line for each round, and answers
with a line of name=value. Its CPU is that of the whole process, all its threads, from before the line is sent until
after it is answered, by the process's own clock: the same clock for every language.
"""
import subprocess

import bench
import servers


class Player:
    def __init__(self, name, command, version):
        self.name = name
        self.command = command
        self.version_words = version
        self.process = None

    def version(self):
        return self.version_words

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        start_new_session=True)
        if self.process.stdout.readline().strip() != "ready":
            self.fail()
        return self

    def fail(self):
        """It has said why on its standard error."""
        self.stop()
        servers.die(f"{self.name} could not play: {' '.join(self.command)}")

    def play(self, line):
        """One round. Returns the figures that it answered with, and cpu_ns."""
        before = self.cpu_seconds()
        try:
            print(line, file=self.process.stdin, flush=True)
        except BrokenPipeError:
            self.fail()
        answer = self.process.stdout.readline()
        if "=" not in answer:
            self.fail()
        figures = bench.parse_machine_line(answer)
        figures["cpu_ns"] = (self.cpu_seconds() - before) * 1e9
        return figures

    def cpu_seconds(self):
        return servers.process_cpu_seconds(self.process.pid)

    def stop(self):
        if self.process is None:
            return
        self.process.kill()  # it keeps nothing that would have to be put away
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                pipe.close()
            except BrokenPipeError:
                pass
        self.process = None
