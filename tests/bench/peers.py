# SPDX-License-Identifier: MIT
"""What the library is compared with: where Debian's packages put each, which versions there are, how Java is compiled.

May be used by: the scripts of tests/bench.
"""
import os
import subprocess

import servers

HERE = os.path.dirname(os.path.abspath(__file__))
JARS = {"caffeine": "/usr/share/java/caffeine.jar", "guava": "/usr/share/java/guava.jar"}
# A heap that no round fills, and the collector that makes stores of references cheapest.
JAVA_OPTIONS = ["-Xms1g", "-Xmx1g", "-XX:+UseParallelGC"]

# What a peer needs: a program by its name or a file by its path, and the package that it comes with.
NEEDS = {
    "java": (("javac", "default-jdk-headless"),),
    "caffeine": ((JARS["caffeine"], "libcaffeine-java"),),
    "guava": ((JARS["guava"], "libguava-java"),),
    "go": (("go", "golang-go"),
           ("/usr/share/gocode/src/golang.org/x/sync/singleflight", "golang-golang-x-sync-dev")),
    "memcached": (("memcached", "memcached"),),
    "nginx": (("nginx", "nginx-light"),),
    "varnish": (("varnishd", "varnish"),),
    "gnuplot": (("gnuplot", "gnuplot-nox"),),
}


def is_there(need):
    return os.path.exists(need) if need.startswith("/") else servers.find_peer(need) is not None


def missing_packages(names):
    return [package for name in names for need, package in NEEDS[name] if not is_there(need)]


def require(names, install):
    """Sees that these are there, or installs them from Debian, whose packages may start a service of their own."""
    missing = missing_packages(names)
    if not missing:
        return
    if not install:
        servers.die(f"not installed: {', '.join(missing)}. Run `apt-get install {' '.join(missing)}`, or this with "
                    "--install (as root). Their Debian packages may start a service of their own.")
    command = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    print("+", " ".join(command), flush=True)
    if subprocess.run(command, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, stdin=subprocess.DEVNULL,
                      stdout=subprocess.DEVNULL).returncode != 0:
        servers.die(f"could not install {' and '.join(missing)}")


def package_version(package):
    """Of a Debian package that is installed: "name version"."""
    told = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}", package], capture_output=True, text=True)
    return told.stdout.strip() or f"{package}, not from a package"


def go_build(name, directory):
    """Builds go/NAME.go with Debian's packages. Returns the program's path."""
    program = os.path.join(directory, f"go-{name}")
    settings = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": "", "GOCACHE":
                os.path.join(directory, "go-cache")}
    if subprocess.run(["go", "build", "-o", program, os.path.join(HERE, "go", f"{name}.go")],
                      env={**os.environ, **settings}).returncode != 0:
        servers.die(f"go/{name}.go does not compile")
    return program


def go_version():
    return subprocess.run(["go", "version"], capture_output=True, text=True).stdout.strip()


def java_version():
    if not is_there("java"):
        return "no Java"
    told = subprocess.run(["java", "-version"], capture_output=True, text=True)
    return (told.stderr + told.stdout).splitlines()[0].strip()


def java_command(class_path):
    return ["java", *JAVA_OPTIONS, "-cp", class_path]


def java_compile(package, directory):
    """Compiles java/PACKAGE. Returns the class path with which it runs."""
    sources = os.path.join(HERE, "java", package)
    classes = os.path.join(directory, f"classes-{package}")
    libraries = list(JARS.values())
    # Annotations that Guava's classes carry and that nothing needs are told of in "classfile".
    command = ["javac", "-Xlint:all,-classfile,-processing", "-Werror", "-d", classes, "-cp", ":".join(libraries)]
    command += sorted(os.path.join(sources, name) for name in os.listdir(sources) if name.endswith(".java"))
    if subprocess.run(command).returncode != 0:
        servers.die(f"{sources} does not compile")
    return ":".join([classes, *libraries])
