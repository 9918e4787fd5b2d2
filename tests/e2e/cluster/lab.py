"""A whole cluster for the end-to-end tests: `coracle up` in a temporary folder on free ports.

    with Lab(replicas=1) as lab:
        lab.kubectl("apply", "-f", "-", stdin=MANIFEST)
        wait_for("the pod", lambda: lab.get("pod", "p")["status"]["phase"] == "Running")

Everything started is stopped by its pid when the `with` ends, however it ends; the logs are
shown if it ends badly. CORACLE_BUILD names the build folder. A test that cannot run here exits
with 77.
"""
import functools
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

BIN = os.path.join(os.path.abspath(os.environ.get("CORACLE_BUILD", "build")), "bin")
SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
SKIPPED = 77


class Failure(AssertionError):
    pass


def check(condition, text):
    if not condition:
        raise Failure(text)


def check_equal(got, want, what):
    if got != want:
        raise Failure(f"{what}:\n  got  {got!r}\n  want {want!r}")


def check_in(part, text, what):
    if part not in text:
        raise Failure(f"{what}: {part!r} is not in\n{text}")


def skip(why):
    print(f"skipped: {why}", flush=True)
    sys.exit(SKIPPED)


def wait_for(what, probe, seconds=30, interval=0.05):
    """Polls until probe() is true and returns that. A Failure inside counts as "not yet"."""
    end = time.monotonic() + seconds
    last = None
    while True:
        try:
            last = probe()
            if last:
                return last
        except Failure as failure:
            last = failure
        if time.monotonic() > end:
            raise Failure(f"not within {seconds} s: {what}; last seen: {last}")
        time.sleep(interval)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@functools.lru_cache(None)
def client_path(name="kubectl"):
    """Stock kubectl or mini-kubectl; None if it is not here.

    Some vendors' kubectl only chooses a version by the server's: then that version, beside it."""
    if name == "mini-kubectl":
        path = os.path.join(BIN, name)
        return path if os.access(path, os.X_OK) else None
    path = shutil.which(name)
    if path is None:
        return None
    same = os.path.join(os.path.dirname(os.path.realpath(path)), "kubectl.1.32")
    return same if os.path.exists(same) else path


def need(*programs):
    for program in programs:
        if program in ("kubectl", "mini-kubectl"):
            found = client_path(program)
        elif program in ("etcd", "etcdctl", "curl", "openssl"):
            found = shutil.which(program)
        else:
            path = os.path.join(BIN, program)
            found = path if os.access(path, os.X_OK) else None
        if not found:
            skip(f"there is no {program}")


DAEMONS = ("kvstore", "apiserver", "scheduler", "controller-manager", "kubelet-sim")


class Lab:
    def __init__(self, client="kubectl", **shape):
        """shape: the flags of `coracle up`: replicas, nodes, apiservers, schedulers,
        controller_managers, store, embedded (True), timeout. None leaves one out."""
        need("coracle", *DAEMONS, client)
        self.shape, self.client = shape, client
        self.root = tempfile.mkdtemp(prefix="coracle-e2e-")
        self.dir = os.path.join(self.root, "lab")
        self.port = free_port()
        self.ports, self.extra = [], []  # of the apiservers; flags for every call of the client
        self.env = dict(os.environ, KUBECONFIG=os.path.join(self.dir, "kubeconfig"),
                        ETCDCTL_API="3", HOME=self.root,
                        KUBECACHEDIR=os.path.join(self.root, "cache"))

    def __enter__(self):
        try:
            self.up()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None and not issubclass(kind, SystemExit):
            self.show_logs()
        self.close()

    # -- its life

    def up(self, **more):
        shape = {**self.shape, **more}
        flags = [x for k, v in shape.items() if v is not None
                 for x in ["--" + k.replace("_", "-"), str(v)][:1 if v is True else 2]]
        patience = max(150, 30 + int(str(shape.get("timeout") or "0").rstrip("s")))
        done = self.coracle("up", "--port", str(self.port), *flags, timeout=patience)
        if done.returncode != 0:
            raise Failure(f"coracle up {flags}: {done.stdout}{done.stderr}")
        with open(os.path.join(self.dir, "cluster.json")) as f:
            self.ports = json.load(f)["apiserverPorts"]
        return done.stdout

    def coracle(self, *command, timeout=120):
        return subprocess.run([os.path.join(BIN, "coracle"), *command, "--dir", self.dir],
                              capture_output=True, text=True, timeout=timeout, env=self.env)

    def close(self):
        for name in self.names():
            self.stop(name, signal.SIGTERM)
        end = time.monotonic() + 5
        while any(self.pid(n) for n in self.names()) and time.monotonic() < end:
            time.sleep(0.02)
        for name in self.names():
            self.stop(name, signal.SIGKILL)
        shutil.rmtree(self.root, ignore_errors=True)

    def show_logs(self, lines=12):
        for name in self.names():
            with open(os.path.join(self.dir, "logs", name + ".log"), errors="replace") as f:
                tail = f.readlines()[-lines:]
            state = "runs" if self.pid(name) else "does not run"
            sys.stderr.write(f"---- {name} ({state})\n{''.join(tail)}")

    # -- its daemons

    def names(self):
        folder = os.path.join(self.dir, "pids")
        return sorted(os.listdir(folder)) if os.path.isdir(folder) else []

    def pid(self, name):
        """The pid if the daemon runs: the process must be the program we started."""
        try:
            with open(os.path.join(self.dir, "pids", name)) as f:
                pid = int(f.read())
            program = os.path.basename(os.readlink(f"/proc/{pid}/exe")).replace(" (deleted)", "")
            with open(f"/proc/{pid}/stat") as f:
                dead = f.read().rsplit(")", 1)[1].split()[0] == "Z"
        except (OSError, ValueError):
            return None
        want = name.rsplit("-", 1)[0]
        same = program == want or (want == "kvstore" and program == "etcd")
        return pid if same and not dead else None

    def stop(self, name, how=signal.SIGKILL):
        pid = self.pid(name)
        if pid is not None:
            os.kill(pid, how)
        return pid

    def log(self, name):
        with open(os.path.join(self.dir, "logs", name + ".log"), errors="replace") as f:
            return f.read()

    @property
    def store_endpoints(self):
        with open(os.path.join(self.dir, "endpoints")) as f:
            return f.read().strip().split(",")

    def store_status(self, member):
        """What member N (from 1) says of itself; None if it does not answer."""
        done = subprocess.run(["etcdctl", "--endpoints=" + self.store_endpoints[member - 1],
                               "--command-timeout=1s", "--dial-timeout=1s", "endpoint", "status",
                               "-w", "json"], capture_output=True, text=True, env=self.env)
        found = json.loads(done.stdout) if done.stdout.strip() else []
        return found[0]["Status"] if found else None

    def store_leader(self):
        """(number, term) of the running member that says it leads; None if nobody does."""
        for number in range(1, len(self.store_endpoints) + 1):
            if not self.pid(f"kvstore-{number}"):
                continue
            status = self.store_status(number)
            if status and status.get("leader", 0) == status["header"]["member_id"]:
                return number, status["raftTerm"]
        return None

    def lease_holder(self, lease):
        got = self.kubectl("get", "lease", lease, "-n", "kube-system", "-o",
                           "jsonpath={.spec.holderIdentity}", check=False)
        return got.stdout if got.returncode == 0 else ""

    def leading(self, program):
        """The name of the running daemon that holds the program's Lease; None if there is none.
        `coracle up` makes the daemon's name its identity."""
        holder = self.lease_holder("kube-" + program)
        return holder if holder and self.pid(holder) else None

    # -- its clients

    def run(self, *args, stdin=None, check=True, timeout=90, client=None, env=None):
        done = subprocess.run([client_path(client or self.client), *self.extra, *args],
                              input=stdin, text=True, capture_output=True, timeout=timeout,
                              env=env or self.env, cwd=self.root)
        if check and done.returncode != 0:
            raise Failure(f"{self.client} {' '.join(args)}: exit {done.returncode}: "
                          f"{done.stdout}{done.stderr}")
        return done

    kubectl = run

    def out(self, *args, **kw):
        return self.run(*args, **kw).stdout

    def get(self, *args, **kw):
        """The object (or list) as JSON."""
        return json.loads(self.out("get", *args, "-o", "json", **kw))

    def names_of(self, *args):
        return sorted(i["metadata"]["name"] for i in self.get(*args)["items"])

    def refused(self, *args, text, code=1, **kw):
        done = self.run(*args, check=False, **kw)
        what = f"{kw.get('client') or self.client} {' '.join(args)}"
        check_equal(done.returncode, code, f"exit code of {what} ({done.stdout}{done.stderr})")
        check_in(text, done.stderr, what)
        return done.stderr

    def api(self, method, path, body=None, headers=None, port=None, timeout=30):
        """(code, parsed body) as the administrator, at one apiserver."""
        connection = http.client.HTTPSConnection("127.0.0.1", port or self.ports[0],
                                                 timeout=timeout, context=self._tls())
        try:
            sent = {"Content-Type": "application/json", "Accept": "application/json"}
            if not isinstance(body, (str, bytes, type(None))):
                body = json.dumps(body)
            connection.request(method, path, body, {**sent, **(headers or {})})
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, text

    def _tls(self):
        if not hasattr(self, "_context"):
            pki = functools.partial(os.path.join, self.dir, "pki")
            self._context = ssl.create_default_context(cafile=pki("ca.crt"))
            self._context.load_cert_chain(pki("admin.crt"), pki("admin.key"))
        return self._context


def main(tests, limit=240):
    """Runs the functions named on the command line, or all; each is given nothing. After `limit`
    seconds the test fails (and tears down) by itself, before ctest would kill it."""
    def stop(number, frame):
        raise Failure(f"stopped by {signal.Signals(number).name}")
    for number in (signal.SIGALRM, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    signal.alarm(limit)
    wanted = sys.argv[1:]
    began = time.monotonic()
    for test in tests:
        if wanted and test.__name__ not in wanted:
            continue
        at = time.monotonic()
        test()
        print(f"ok {test.__name__} ({time.monotonic() - at:.1f} s)", flush=True)
    print(f"all passed in {time.monotonic() - began:.1f} s", flush=True)
