"""A store cluster for the end-to-end tests: real processes on free loopback ports.

Everything started here is stopped by its process object, and the data folder goes with the cluster.
"""
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

BUILD = os.environ.get("CORACLE_BUILD", "build")
KVSTORE = os.environ.get("KVSTORE", os.path.join(BUILD, "bin", "kvstore"))
STORECTL = os.path.join(BUILD, "bin", "storectl")


def free_ports(count):
    held = [socket.socket() for _ in range(count)]
    for s in held:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


def wait_for(what, probe, seconds=15):
    """Polls until probe() is true; what it returned. Fails naming `what`."""
    end = time.monotonic() + seconds
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"timed out waiting for {what}")
        time.sleep(0.02)


class Member:
    """One process. `joins`: it enters a running cluster; that is then its --initial-cluster.
    `wrapper` goes before its command line, as the one that chooses a network namespace."""

    host, wrapper = "127.0.0.1", ()

    def __init__(self, cluster, name, client, peer, joins=None):
        self.cluster, self.name, self.client, self.peer = cluster, name, client, peer
        self.data_dir = os.path.join(cluster.dir, name)
        self.log_path = os.path.join(cluster.dir, name + ".log")
        self.joins, self.process = joins, None

    @property
    def endpoint(self):
        return f"{self.host}:{self.client}"

    def args(self):
        url = f"http://{self.host}:%d"
        return [self.cluster.program, "--name", self.name, "--data-dir", self.data_dir,
                "--listen-client-urls", url % self.client,
                "--advertise-client-urls", url % self.client,
                "--listen-peer-urls", url % self.peer,
                "--initial-advertise-peer-urls", url % self.peer,
                "--initial-cluster", self.joins or self.cluster.initial,
                "--initial-cluster-state", "existing" if self.joins else "new",
                "--initial-cluster-token", self.cluster.token] + self.cluster.extra

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([*self.wrapper, *self.args()], stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL)

    def kill(self, how=signal.SIGKILL):
        self.process.send_signal(how)
        return self.process.wait(20)

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def listens(self):
        try:
            socket.create_connection((self.host, self.client), 1).close()
            return True
        except OSError:
            return self.wrapper  # in a namespace of its own: nobody can tell from here

    def log(self):
        with open(self.log_path) as f:
            return f.read()

    def rss_mb(self):
        with open(f"/proc/{self.process.pid}/status") as f:
            for line in f:
                if line.startswith("VmRSS"):
                    return int(line.split()[1]) / 1024


class Cluster:
    """`program`: ours, or another that takes etcd's flags. `wrapper`: before every etcdctl."""

    wrapper = ()

    def __init__(self, size, extra=(), token="e2e", program=KVSTORE):
        self.dir = tempfile.mkdtemp(prefix="coracle-store-")
        self.token, self.extra, self.program = token, list(extra), program
        ports = free_ports(2 * size)
        self.members = [Member(self, f"m{i + 1}", ports[2 * i], ports[2 * i + 1])
                        for i in range(size)]

    @property
    def initial(self):
        return ",".join(f"{m.name}=http://{m.host}:{m.peer}" for m in self.members)

    def start(self):
        for member in self.members:
            member.start()
        self.wait_ready()

    def wait_ready(self, members=None):
        for member in members or self.members:
            wait_for(f"{member.name} to listen", member.listens)  # etcdctl would wait a second
            wait_for(f"{member.name} to serve",
                     lambda m=member: self.ctl("get", "ready?", on=m, check=False).returncode == 0)

    @property
    def endpoints(self):
        return ",".join(m.endpoint for m in self.members)

    def ctl(self, *args, on=None, check=True, stdin=None, timeout=20):
        endpoints = self.endpoints if on is None else on.endpoint
        env = dict(os.environ, ETCDCTL_API="3")
        done = subprocess.run([*self.wrapper, "etcdctl", "--endpoints=" + endpoints, *args],
                              env=env, input=stdin, capture_output=True, text=True,
                              timeout=timeout)
        if check and done.returncode != 0:
            raise AssertionError(f"etcdctl {args}: {done.stdout}{done.stderr}")
        return done

    def out(self, *args, **kw):
        return self.ctl(*args, **kw).stdout

    def json(self, *args, **kw):
        return json.loads(self.out(*args, "-w", "json", **kw))

    def status(self, member):
        done = self.ctl("endpoint", "status", "-w", "json", "--command-timeout=1s", on=member,
                        check=False)
        found = json.loads(done.stdout) if done.stdout.strip() else []
        return found[0]["Status"] if found else None

    def leader(self, among=None):
        """The member that leads, as it says itself; None if nobody does."""
        for member in among or self.members:
            if not member.alive():
                continue
            status = self.status(member)
            if status and status.get("leader") == status["header"]["member_id"]:
                return member
        return None

    def wait_leader(self, among=None):
        return wait_for("a leader", lambda: self.leader(among))

    def close(self):
        for member in self.members:
            if member.alive():
                member.kill()
        shutil.rmtree(self.dir, ignore_errors=True)


@contextlib.contextmanager
def running(size, prepare=None, **kw):
    """A cluster of `size`; prepare(cluster) may change it before it starts."""
    cluster = Cluster(size, **kw)
    try:
        if prepare:
            prepare(cluster)
        cluster.start()
        yield cluster
    except BaseException:
        for member in cluster.members:
            if os.path.exists(member.log_path):
                sys.stderr.write(f"---- {member.name}\n{member.log()[-3000:]}\n")
        raise
    finally:
        cluster.close()


def check(condition, text):
    if not condition:
        raise AssertionError(text)


def check_equal(got, want, what):
    if got != want:
        raise AssertionError(f"{what}: got {got!r}, want {want!r}")


def main(tests):
    """Runs the functions named on the command line, or all."""
    wanted = sys.argv[1:]
    for test in tests:
        if wanted and test.__name__ not in wanted:
            continue
        began = time.monotonic()
        test()
        print(f"ok {test.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
