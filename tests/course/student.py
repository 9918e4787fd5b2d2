"""The course: exercises as a student does them, with stock kubectl and with mini-kubectl.

    def exercise(me):
        me.apply(MANIFEST)
        me("rollout", "status", "deployment/web")
        check_in("web", me("get", "pods"), "the list")

    if __name__ == "__main__":
        course([exercise, ...], nodes=2)

All exercises of a file share one lab. Each is done by two students at once, one for each client,
each in a namespace of the exercise's and the student's own and with a kubeconfig of his own, whose
context has that namespace. What is not in a namespace is named with `me.tag`.
"""
import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e/cluster"))

from lab import (Failure, Lab, SOURCE, check, check_equal, check_in, client_path, free_port,  # noqa: E402,F401
                 main, wait_for)

ROOT = os.geteuid() == 0
CLIENTS = ("kubectl", "mini-kubectl")


def may_listen_low():
    """Whether this user has the ports under 1024; without, they are moved up by 10,000."""
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start") as f:
        return os.geteuid() == 0 or int(f.read()) <= 53


def low(port):
    """Where a program of the machine finds a pod's port."""
    return port if port >= 1024 or may_listen_low() else port + 10000


class Student:
    """One client in one namespace. Called with words, it runs them and gives the standard output;
    `fails` is for what must be refused, and gives the standard error."""

    def __init__(self, lab, client, namespace):
        self.lab, self.client, self.ns = lab, client, namespace
        self.number = CLIENTS.index(client)
        self.tag = "ab"[self.number]
        self.node = f"node-{self.number + 1}"  # this student's own, for what changes nodes
        self.dir = tempfile.mkdtemp(prefix=namespace + "-", dir=lab.root)
        self.config = os.path.join(self.dir, "config")
        shutil.copy(os.path.join(lab.dir, "kubeconfig"), self.config)
        self.env = dict(lab.env, KUBECONFIG=self.config, HOME=self.dir)
        self("create", "namespace", namespace)
        self("config", "set-context", "--current", "--namespace=" + namespace)
        wait_for("the namespace's service account", lambda: self.run(
            "get", "serviceaccount", "default").returncode == 0)

    def run(self, *words, stdin=None, timeout=80, env=None):
        return subprocess.run([client_path(self.client), *words], input=stdin, text=True,
                              capture_output=True, timeout=timeout, cwd=self.dir,
                              env=dict(self.env, **(env or {})))

    def __call__(self, *words, **more):
        done = self.run(*words, **more)
        if done.returncode != 0:
            raise Failure(f"{self.client} {' '.join(words)}: exit {done.returncode}\n"
                          f"{done.stdout}{done.stderr}")
        return done.stdout

    def fails(self, *words, says=(), **more):
        done = self.run(*words, **more)
        check(done.returncode != 0, f"{self.client} {' '.join(words)} did not fail: {done.stdout}")
        for part in [says] if isinstance(says, str) else says:
            check_in(part, done.stderr + done.stdout, f"{self.client} {' '.join(words)}")
        return done.stderr

    def sh(self, line, **more):
        """A line as it is typed into a shell; `kubectl` in it is this student's client."""
        tools = os.path.join(self.dir, "tools")
        if not os.path.isdir(tools):
            os.mkdir(tools)
            os.symlink(client_path(self.client), os.path.join(tools, "kubectl"))
        done = subprocess.run(["bash", "-c", line], text=True, capture_output=True, timeout=80,
                              cwd=self.dir, env=dict(self.env, PATH=f"{tools}:{os.environ['PATH']}"),
                              **more)
        if done.returncode != 0:
            raise Failure(f"{line}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def apply(self, text, *more):
        return self("apply", "-f", "-", *more, stdin=text)

    def create(self, text):
        return self("create", "-f", "-", stdin=text)

    def file(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w") as f:
            f.write(text)
        return path

    def get(self, *words):
        return json.loads(self("get", *words, "-o", "json"))

    def names(self, *words):
        return sorted(i["metadata"]["name"] for i in self.get(*words)["items"])

    def field(self, path, *words):
        return self("get", *words, "-o", "jsonpath={" + path + "}")

    def ready(self, *what, seconds=60):
        return self("wait", "--for=condition=Ready", f"--timeout={seconds}s", *what)

    def state(self, pod, index=0):
        """(kind, details) of a container's state."""
        found = self.get("pod", pod)["status"].get("containerStatuses", [])
        return next(iter(found[index]["state"].items())) if len(found) > index else ("none", {})

    def reason(self, pod, index=0):
        return self.state(pod, index)[1].get("reason", "")

    def until(self, what, probe, seconds=60):
        return wait_for(f"{what} ({self.client})", probe, seconds, interval=0.2)

    def start(self, *words):
        """A client that goes on in the background; `stop` it."""
        return subprocess.Popen([client_path(self.client), *words], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                cwd=self.dir, env=self.env)

    def finish(self):
        self.run("delete", "namespace", self.ns, "--wait=false")


def stop(process):
    """What it printed."""
    process.terminate()
    out, errors = process.communicate(timeout=20)
    return out + errors


def curl(*words):
    """(body, exit code); an exit code other than 0 is curl's: nobody answered."""
    done = subprocess.run(["curl", "-sS", "--max-time", "5", *words], capture_output=True, text=True)
    return done.stdout, done.returncode


def page(url, *words):
    body, code = curl(url, *words)
    if code != 0:
        raise Failure(f"curl {url}: exit {code}")
    return body


def course(exercises, limit=240, **shape):
    given, sys.argv[1:] = sys.argv[1:], []
    only = os.environ.get("COURSE_CLIENT")
    clients = [c for c in CLIENTS if only in (None, "", c)]

    def one(lab, exercise, client):
        began = time.monotonic()
        me = Student(lab, client, f"{exercise.__name__.replace('_', '-')}-{client.split('-')[0]}")
        exercise(me)
        me.finish()
        return time.monotonic() - began

    def all_of_them():
        failed = []
        with Lab(**{"replicas": 1, **shape}) as lab, \
                concurrent.futures.ThreadPoolExecutor(len(clients)) as pool:
            for exercise in exercises:
                if given and exercise.__name__ not in given:
                    continue
                done = {c: pool.submit(one, lab, exercise, c) for c in clients}
                for client, result in done.items():
                    try:
                        print(f"  {exercise.__name__} with {client}: {result.result():.1f} s", flush=True)
                    except Exception as error:  # the other student and the other exercises go on
                        lines = [f.lineno for f in traceback.extract_tb(error.__traceback__)
                                 if f.name == exercise.__name__]
                        print(f"  {exercise.__name__} with {client} FAILED at line {lines[-1:]}: "
                              f"{type(error).__name__}: {error}", flush=True)
                        failed.append(f"{exercise.__name__} with {client}")
            check(not failed, "failed: " + ", ".join(failed))
    main([all_of_them], limit)
