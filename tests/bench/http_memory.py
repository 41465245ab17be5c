# SPDX-License-Identifier: MIT
"""What a server takes of memory for a connection, for a request that waits for a load, and for a cached answer.

May be used by: tests/bench/memory. Memory is what the processes of a server have anonymously (Pss_Anon): neither their
programs' pages nor a log in shared memory count.
"""
import contextlib
import socket
import time

import bench
import servers

BATCH = 100          # requests that are sent before their answers are read
DELAY_MS = 4000      # of the load that all wait for
VALUE_BYTES = 64
ANSWER_SECONDS = 60


def anonymous_bytes(server):
    total = 0
    for pid in servers.descendants(server.process.pid):
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
            total += sum(int(line.split()[1]) for line in rollup if line.startswith("Pss_Anon:"))
    return total * 1024


def request(path):
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()


def read_answer(server, reader):
    """One answer, to its end: 200 with a body of the right size."""
    status = reader.readline()
    length = None
    for line in iter(reader.readline, b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
        if not line:
            break
    if b" 200 " not in status or length != VALUE_BYTES or len(reader.read(length)) != VALUE_BYTES:
        servers.die(f"{server.name} answered {status!r}, {length} bytes:\n{server.log_tail()}")


def connect(server, ends):
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=ANSWER_SECONDS)
    ends.callback(connection.close)
    reader = connection.makefile("rb")
    ends.callback(reader.close)
    return connection, reader


def ask_all(server, connections, path):
    for connection, _ in connections:
        connection.sendall(request(path))
    for _, reader in connections:
        read_answer(server, reader)


def parked(created, server, count):
    """Bytes a connection that has had an answer, and what each takes more while its next request waits for one load."""
    with contextlib.ExitStack() as ends:
        before = anonymous_bytes(server)
        connections = [connect(server, ends) for _ in range(count)]
        ask_all(server, connections, f"/delay/0/{VALUE_BYTES}/warm")
        servers.await_quiet(created)
        idle = anonymous_bytes(server)
        for connection, _ in connections:
            connection.sendall(request(f"/delay/{DELAY_MS}/{VALUE_BYTES}/parked"))
        time.sleep(DELAY_MS / 2000)
        waiting = anonymous_bytes(server)
        for _, reader in connections:
            read_answer(server, reader)
    return {"connection": (idle - before) / count, "parked": (waiting - idle) / count}


def store(server, connection, reader, keys):
    for first in range(keys.start, keys.stop, BATCH):
        batch = range(first, min(first + BATCH, keys.stop))
        connection.sendall(b"".join(request(f"/delay/0/{VALUE_BYTES}/{key:016x}") for key in batch))
        for _ in batch:
            read_answer(server, reader)


def cached(server, count):
    """Bytes an answer of VALUE_BYTES under a key of 16, beyond these. Some are stored before, so that what is made ready
    once does not count."""
    with contextlib.ExitStack() as ends:
        connection, reader = connect(server, ends)
        store(server, connection, reader, range(count // 4))
        before = anonymous_bytes(server)
        store(server, connection, reader, range(count // 4, count // 4 + count))
        return (anonymous_bytes(server) - before) / count - VALUE_BYTES - 16


def measure(options, tools, sluiced, directory, ends):
    """Each server, freshly started for each figure."""
    backend = servers.Backend(directory, tools)
    bench.start_all([backend], ends)
    created = bench.start_caches(directory, sluiced, backend, options, ends)
    results = {}
    for server in created:
        results[server.name] = parked(created, server, options.connections)
        if server.name != "nginx":  # which keeps answers in files
            server.stop()  # what connections gave back would be used again
            server.start()
            results[server.name]["cached"] = cached(server, options.answers)
        results[server.name]["version"] = server.version()
        print(f"http, {server.name}: " + ", ".join(f"{name} {value:,.0f}" for name, value in
                                                   results[server.name].items() if name != "version"), flush=True)
    print()
    return results
