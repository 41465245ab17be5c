# SPDX-License-Identifier: MIT
"""memcached, filled over a socket, for what an entry takes there.

May be used by: tests/bench/memory.
"""
import os
import socket
import subprocess

import servers

BATCH = 10000  # sets that are sent in one go


class Memcached(servers.Server):
    """One thread and its defaults, but for room: an entry's size does not depend on these."""

    name = "memcached"

    def version(self):
        told = subprocess.run([servers.find_peer("memcached"), "-V"], capture_output=True, text=True)
        return told.stdout.strip()

    def command(self):
        user = ["-u", "root"] if os.geteuid() == 0 else []
        return [servers.find_peer("memcached"), "-l", "127.0.0.1", "-p", str(self.port), "-U", "0", "-t", "1", "-m", "2048",
                *user]

    def fill(self, keys, value):
        """Stores `value` under each key, and waits until all are stored."""
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            head, tail = b"set ", f" 0 3600 {len(value)} noreply\r\n".encode() + value + b"\r\n"
            for first in range(0, len(keys), BATCH):
                connection.sendall(b"".join(head + key + tail for key in keys[first:first + BATCH]))
            connection.sendall(b"version\r\n")
            answer = connection.makefile("rb").readline()
        if not answer.startswith(b"VERSION"):
            servers.die(f"memcached did not take all values: {answer!r}")

    def stats(self):
        """Its own figures by name."""
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(b"stats\r\n")
            stats = {}
            for line in connection.makefile("rb"):
                words = line.decode().split()
                if words[0] == "END":
                    return stats
                stats[words[1]] = words[2] if len(words) > 2 else ""
        return servers.die("memcached gave no statistics")
