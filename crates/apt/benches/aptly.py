#!/usr/bin/env python3
"""Measures repositories side by side with Debian's aptly, and where they are installed with reprepro, apt-ftparchive and nginx.

usage: aptly.py BINARY PACKAGES [COUNT]     BINARY: an optimised gennaker; PACKAGES: the example `packages`, optimised; COUNT: 20000

Each line: CPU seconds (user and system), wall seconds, most memory, and what the peer took as a multiple of ours. One run each, one after
another, on the same file system, in folders that are removed afterwards.
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time

DEBIANS = "/usr/bin/aptly"


def run(command, env, expect=0):
    """CPU seconds, wall seconds, MiB at most."""
    start = time.monotonic()
    child = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - start
    if os.waitstatus_to_exitcode(status) != expect:
        sys.exit(f"{' '.join(command)}: {said.decode(errors='replace')[-2000:]}")
    return usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024


class Tool:
    def __init__(self, name, program, work):
        self.name = name
        self.home = os.path.join(work, name)
        os.mkdir(self.home)
        self.program = os.path.join(self.home, "aptly")
        os.symlink(os.path.abspath(program), self.program)
        with open(os.path.join(self.home, ".aptly.conf"), "w") as file:
            file.write('{"gpgDisableSign": true}')
        self.env = {"HOME": self.home, "PATH": os.environ["PATH"], "LC_ALL": "C"}

    def __call__(self, line):
        return run([self.program] + line.split(), self.env)


def compare(what, ours, peers):
    cpu, wall, memory = ours
    print(f"{what}\n  {'gennaker':<16}{cpu:8.2f} s CPU {wall:8.2f} s {memory:6.0f} MiB")
    for name, (their_cpu, their_wall, their_memory) in peers.items():
        ratio = f"{their_cpu / max(cpu, 0.001):.1f} x CPU, {their_wall / max(wall, 0.001):.1f} x time"
        print(f"  {name:<16}{their_cpu:8.2f} s CPU {their_wall:8.2f} s {their_memory:6.0f} MiB  {ratio}", flush=True)


def reprepro(work, packages, count):
    base = os.path.join(work, "reprepro")
    os.makedirs(os.path.join(base, "conf"))
    with open(os.path.join(base, "conf/distributions"), "w") as file:
        file.write("Codename: sid\nArchitectures: amd64\nComponents: main\nContents:\n")
    files = [os.path.join(packages, name) for name in os.listdir(packages)]
    env = {"HOME": work, "PATH": os.environ["PATH"]}
    return run(["reprepro", "-s", "-b", base, "-S", "misc", "-P", "optional", "includedeb", "sid"] + files, env)


def serve(gennaker, work):
    """Requests a second over the published folder, ours and nginx'."""
    root = os.path.join(gennaker.home, ".aptly/public/bench")
    os.makedirs(root, exist_ok=True)
    for name, size in (("small", 1 << 10), ("large", 1 << 20)):
        with open(os.path.join(root, name), "wb") as file:
            file.write(b"x" * size)
    port = 20000 + os.getpid() % 20000
    conf = os.path.join(work, "nginx.conf")
    with open(conf, "w") as file:
        file.write(
            f"daemon off; worker_processes auto; pid {work}/nginx.pid; error_log stderr crit; events {{ worker_connections 1024; }}\n"
            f"http {{ access_log off; keepalive_requests 1000000; sendfile on; tcp_nopush on;\n"
            f"server {{ listen 127.0.0.1:{port + 1} backlog=1024; root {gennaker.home}/.aptly/public; }} }}\n"
        )
    # nginx' workers are another user.
    os.chmod(work, 0o755)
    os.chmod(gennaker.home, 0o755)
    nginx = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    servers = {
        "gennaker": ([gennaker.program, "serve", f"-listen=127.0.0.1:{port}"], port),
        "nginx": ([nginx, "-c", conf, "-e", "stderr"], port + 1),
    }
    for name in ("small", "large"):
        rates = {}
        for server, (command, at) in servers.items():
            child = subprocess.Popen(command, env=gennaker.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(1)
            told = subprocess.run(
                ["wrk", "-t2", "-c64", "-d4s", f"http://127.0.0.1:{at}/bench/{name}"], capture_output=True, text=True
            ).stdout
            if "Non-2xx" in told or "Requests/sec" not in told:
                sys.exit(f"{server} does not serve /bench/{name}: {told}")
            rates[server] = float(next(line.split()[1] for line in told.splitlines() if line.startswith("Requests/sec")))
            child.terminate()
            child.wait()
        ratio = rates["gennaker"] / rates["nginx"]
        print(f"serve, {'1 KiB' if name == 'small' else '1 MiB'}, 64 connections: {rates['gennaker']:.0f} requests/s, {ratio:.2f} of nginx", flush=True)


def main():
    binary, maker = sys.argv[1:3]
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 20000
    if not os.path.exists(DEBIANS):
        sys.exit("Debian's aptly is missing: apt-get install aptly")
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with tempfile.TemporaryDirectory() as work:
        packages, more = os.path.join(work, "packages"), os.path.join(work, "more")
        os.mkdir(packages)
        os.mkdir(more)
        subprocess.run([maker, packages, str(count)], check=True)
        subprocess.run([maker, more, "10", str(count)], check=True)
        ours, theirs = Tool("gennaker", binary, work), Tool("aptly", DEBIANS, work)
        both = (ours, theirs)

        def step(what, line, peers=None):
            first, second = (tool(line) for tool in both)
            compare(what, first, {"aptly": second, **(peers or {})})

        def quietly(line):
            for tool in both:
                tool(line)

        quietly("repo create bench")
        step(f"add {count} packages", f"repo add bench {packages}")
        peers = {}
        if shutil.which("apt-ftparchive"):
            peers["apt-ftparchive"] = run(["apt-ftparchive", "packages", packages], os.environ | {"LC_ALL": "C"})
        step(f"publish {count} packages without Contents", "publish repo -skip-contents -distribution=sid bench", peers)
        peers = {"reprepro (adds)": reprepro(work, packages, count)} if shutil.which("reprepro") else {}
        step(f"publish {count} packages with Contents", "publish repo -distribution=sid bench full", peers)
        one = os.path.join(more, sorted(os.listdir(more))[0])
        quietly("snapshot create before from repo bench")
        quietly(f"repo add bench {one}")
        step("publish after one more package, without Contents", "publish update -skip-contents sid")
        step("publish after one more package, with Contents", "publish update sid full")
        quietly(f"repo add bench {more}")
        step("snapshot create", "snapshot create after from repo bench")
        step("snapshot diff of two that differ by 10", "snapshot diff before after")
        step("snapshot merge of two", "snapshot merge both before after")
        step("repo show", "repo show bench")
        step("repo search by name", "repo search bench app-000001")
        for n in range(50):
            quietly(f"snapshot create s{n} from repo bench")
        step("cleanup with 50 snapshots", "db cleanup")
        if shutil.which("wrk"):
            serve(ours, work)


if __name__ == "__main__":
    main()
