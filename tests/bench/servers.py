# SPDX-License-Identifier: MIT
"""The servers that are measured: how each is set up, started, watched and ended.

May be used by: the scripts of tests/bench. Every server listens on 127.0.0.1 on a free port, keeps its files in a
directory that the script gives it and removes, and is ended by its process id. All caches are asked for the same URL,
/delay/MS/SIZE/KEY, which is the origin's own.
"""
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

START_SECONDS = 20
STOP_SECONDS = 10
QUIET_SECONDS = 60
QUIET_LOOK_SECONDS = 0.1
QUIET_SHARE_MAX = 0.02  # of one processor, all servers together
CONNECTIONS_MAX = 16000
DESCRIPTORS = CONNECTIONS_MAX + 2000  # files, sockets to the backend
# Threads or processes that serve: the same number for sluiced, nginx and the bare handler. (Varnish has its own model:
# a thread a busy request.) Not under 2, as libmicrohttpd takes a pool of one for none.
WORKERS = min(max(2, os.cpu_count() or 1), 64)


def die(text):
    sys.exit(f"{os.path.basename(sys.argv[0])}: {text}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def find_peer(name):
    """The path of a program of Debian's, which may lie in /usr/sbin."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def raise_descriptors():
    """Lets the servers, which inherit it, have the descriptors that the largest herd needs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, DESCRIPTORS), max(hard, DESCRIPTORS)))
    except (ValueError, OSError):
        die(f"{DESCRIPTORS} open files are needed, {hard} are allowed (ulimit -Hn)")


def descendants(pid):
    """The process and all that came from it."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as stat:
                    parent = int(stat.read().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            children.setdefault(parent, []).append(int(entry))
    found = [pid]
    for one in found:
        found.extend(children.get(one, []))
    return found


def process_cpu_seconds(pid):
    """User and system time of a process, ended threads included.

    From the process's own clock, which counts nanoseconds; utime and stime of /proc/PID/stat are the same time in
    steps of 10 ms, which is too coarse for a herd that costs 30 ms. The stat is the fallback where the clock is closed.
    """
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def kill_of_session(pid, session):
    """Ends what is left of a server's session; a process that has got the number of one that is gone is left alone."""
    try:
        if os.getsid(pid) == session:
            os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def await_quiet(servers):
    """Returns when the servers have come to rest: all is accepted, and nothing of the last measurement is under way,
    such as the closing of its connections, which the next one would pay for."""
    deadline = time.monotonic() + QUIET_SECONDS
    before = sum(server.cpu_seconds() for server in servers)
    while time.monotonic() < deadline:
        time.sleep(QUIET_LOOK_SECONDS)
        now = sum(server.cpu_seconds() for server in servers)
        if now - before <= QUIET_LOOK_SECONDS * QUIET_SHARE_MAX:
            return
        before = now
    die(f"the servers did not come to rest within {QUIET_SECONDS} s: {', '.join(server.name for server in servers)}")


class Server:
    """One process, or a family of them, that answers on one port."""

    name = ""
    tells_port = False  # it takes a free port itself, and says which on its first line

    def __init__(self, directory):
        self.directory = os.path.join(directory, self.name)
        self.port = None
        self.process = None
        os.mkdir(self.directory)

    def command(self):
        raise NotImplementedError

    def version(self):
        return ""

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def get(self, path):
        with urllib.request.urlopen(self.url(path), timeout=60) as answer:
            return answer.read()

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def log_tail(self):
        with open(os.path.join(self.directory, "log"), errors="replace") as log:
            return log.read()[-2000:]

    def start(self):
        if self.port is None:
            self.port = free_port()
        command = self.command()
        with open(os.path.join(self.directory, "log"), "w") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE if self.tells_port
                                            else log, stderr=log, start_new_session=True)
        if self.tells_port:
            self.port = int(self.process.stdout.readline().partition(b"=")[2] or 0)
        self.await_port()
        return self

    def await_port(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        self.stop()
        die(f"{self.name} did not start:\n{self.log_tail()}")

    def stop(self):
        if self.process is None:
            return
        family = descendants(self.process.pid)
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pid in family[1:]:
            kill_of_session(pid, self.process.pid)
        if self.process.stdout:
            self.process.stdout.close()
        self.process = None

    def cpu_seconds(self):
        return sum(process_cpu_seconds(pid) for pid in descendants(self.process.pid))

    def threads(self):
        return sum(len(os.listdir(f"/proc/{pid}/task")) for pid in descendants(self.process.pid))


class Backend(Server):
    name = "backend"
    tells_port = True

    def __init__(self, directory, programs):
        super().__init__(directory)
        self.programs = programs

    def command(self):
        self.port = 0
        return [os.path.join(self.programs, "backend")]

    def count(self, path):
        return int(self.get(f"/count?path={path}"))


class Floor(Server):
    """libmicrohttpd alone, with a prepared response of the same size and the same headers."""

    name = "floor"
    tells_port = True

    def __init__(self, directory, programs, size):
        self.name = f"floor-{size}"
        super().__init__(directory)
        self.name = "floor"
        self.programs = programs
        self.size = size

    def version(self):
        text = subprocess.run([os.path.join(self.programs, "floor"), "--version"], capture_output=True, text=True)
        return text.stdout.strip()

    def command(self):
        self.port = 0
        return [os.path.join(self.programs, "floor"), "--size", str(self.size), "--workers", str(WORKERS)]


class Sluiced(Server):
    """Defaults, but for as many connections as the peers may have and as much memory."""

    name = "sluiced"

    def __init__(self, directory, program, backend):
        super().__init__(directory)
        self.program = program
        self.backend = backend

    def version(self):
        return subprocess.run([self.program, "--version"], capture_output=True, text=True).stdout.strip()

    def command(self):
        config = self.write("sluice.conf", f"""
listen          = "127.0.0.1:{self.port}"
admin_listen    = "127.0.0.1:{free_port()}"
workers         = {WORKERS}
connections_max = {CONNECTIONS_MAX}
idle_timeout    = "10min"
log_level       = "warning"

cache "delay" {{
    maximum_size        = "256MiB"
    expire_after_write  = "1h"     # what the backend's Cache-Control tells the peers
    wait_timeout        = "60s"
    http {{ url = "http://127.0.0.1:{self.backend.port}/delay/{{key}}"  timeout = "30s" }}
}}
""")
        return [self.program, "--config", config]


class Nginx(Server):
    """proxy_cache with its lock. The comments say why it is set so; what is not here was no faster, or slower."""

    name = "nginx"

    def __init__(self, directory, backend):
        super().__init__(directory)
        self.backend = backend

    def version(self):
        return subprocess.run([find_peer("nginx"), "-v"], capture_output=True, text=True).stderr.strip()

    def command(self):
        user = "user root;" if os.geteuid() == 0 else ""  # as root it would take a user who may not enter our directory
        config = self.write("nginx.conf", f"""
daemon off;
{user}
worker_processes {WORKERS};                 # one a processor, as `auto`
worker_rlimit_nofile {DESCRIPTORS};
pid {self.directory}/pid;
error_log {self.directory}/error_log warn;
events {{
    worker_connections {CONNECTIONS_MAX};   # each worker could hold the whole herd
    multi_accept on;                        # a burst of connections is taken at once
}}
http {{
    access_log off;                         # the others write none either
    default_type application/octet-stream;
    keepalive_timeout 600s;                 # no connection is closed between or within rounds
    keepalive_requests 1000000000;

    # The body is read from the cache file and leaves in one writev with the header. With sendfile a small answer takes
    # more system calls, with tcp_nopush two setsockopt beside: about a fifth more CPU at 128 bytes, a sixth at 4 KiB.
    sendfile off;
    tcp_nopush off;
    tcp_nodelay on;

    # Cache files stay open: without this each hit opens and closes its file, 40 to 50 % more CPU.
    open_file_cache max=100000 inactive=600s;
    open_file_cache_valid 600s;

    client_body_temp_path {self.directory}/body;
    proxy_temp_path {self.directory}/proxy;
    fastcgi_temp_path {self.directory}/fastcgi;
    uwsgi_temp_path {self.directory}/uwsgi;
    scgi_temp_path {self.directory}/scgi;

    # In memory where the machine has a tmpfs (see bench.workplace); written in place, not renamed from elsewhere.
    proxy_cache_path {self.directory}/cache keys_zone=bench:64m max_size=256m inactive=1h use_temp_path=off;
    upstream origin {{
        server 127.0.0.1:{self.backend.port};
        keepalive 64;                       # no connection is made for a load
    }}
    server {{
        # Each worker has a listen queue of its own, so that the connections spread over them; else one takes most.
        listen 127.0.0.1:{self.port} backlog=4096 reuseport;
        location / {{
            proxy_pass http://origin;
            proxy_http_version 1.1;         # both needed for keep-alive to the backend
            proxy_set_header Connection "";
            proxy_cache bench;              # how long: the backend's Cache-Control
            proxy_cache_key $uri;
            proxy_cache_lock on;            # one load for the herd; by default each would load after 5 s
            proxy_cache_lock_age 60s;
            proxy_cache_lock_timeout 60s;
        }}
    }}
}}
""")
        return [find_peer("nginx"), "-e", f"{self.directory}/error_log", "-c", config]


class Varnish(Server):
    """With the built-in VCL and its defaults, but for room and threads enough. Nobody reads its log.

    Its log is a ring in shared memory, which lies in its directory: on tmpfs, as its manual advises.
    """

    name = "varnish"
    parameters = (
        "thread_pools=2",           # the default, as many as its manual advises
        "thread_pool_min=200",      # threads that stand ready (default 100), so that no herd waits for their making
        "thread_pool_max=5000",     # the default
        "thread_pool_timeout=600",  # those that a herd made stay for the next round
        "thread_queue_limit=20000", # requests that wait for a thread; past the default of 20 they are dropped
        "listen_depth=4096",        # as the others
        "timeout_idle=600",         # no connection is closed between rounds; the default is 5 s
    )

    def __init__(self, directory, backend):
        super().__init__(directory)
        self.backend = backend

    def version(self):
        text = subprocess.run([find_peer("varnishd"), "-V"], capture_output=True, text=True)
        return (text.stderr + text.stdout).splitlines()[0].strip()

    def command(self):
        # -j none: no jail, which would want users of its own and a directory that they may enter.
        command = [find_peer("varnishd"), "-F", "-j", "none", "-n", os.path.join(self.directory, "work"), "-a",
                   f"127.0.0.1:{self.port}", "-b", f"127.0.0.1:{self.backend.port}", "-s", "malloc,256m"]
        for parameter in self.parameters:
            command += ["-p", parameter]
        return command
