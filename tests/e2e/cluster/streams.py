#!/usr/bin/env python3
"""What goes both ways: exec, attach, cp, port-forward, run -i and the proxies, with stock kubectl
(over WebSocket and over SPDY), mini-kubectl and the Python client, into real processes.

    streams.py [NAME of a part ...]
"""
import collections
import contextlib
import hashlib
import os
import re
import subprocess
import sys
import time
import urllib.request

from lab import Failure, Lab, check, check_equal, check_in, client_path, main, wait_for

PODS = """
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  terminationGracePeriodSeconds: 1
  initContainers:
  - {name: setup, image: busybox, command: ["true"]}
  containers:
  - name: web
    image: nginx:1.26
    ports: [{name: http, containerPort: 80}]
  - name: tools
    image: busybox
    command: [sh, -c, "while true; do sleep 1; done"]
---
apiVersion: v1
kind: Pod
metadata: {name: shell}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - {name: sh, image: busybox, command: [sh, -c, "echo ready; exec cat"], stdin: true}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{name: http, port: 8080, targetPort: http}]
"""

OLD = {"KUBECTL_REMOTE_COMMAND_WEBSOCKETS": "false", "KUBECTL_PORT_FORWARD_WEBSOCKETS": "false"}


def ways(lab):
    """(name, client, environment): who speaks which protocol."""
    yield "kubectl over WebSocket", "kubectl", lab.env
    yield "kubectl over SPDY", "kubectl", dict(lab.env, **OLD)
    yield "mini-kubectl", "mini-kubectl", lab.env


def setup(lab):
    wait_for("the default ServiceAccount", lambda: "default" in lab.names_of("sa"))
    lab.kubectl("apply", "-f", "-", stdin=PODS)
    lab.kubectl("wait", "--for=condition=Ready", "pod/web", "pod/shell", "--timeout=60s")


def exec_(lab):
    for name, client, env in ways(lab):
        def run(*args, **kw):
            return lab.run("exec", *args, client=client, env=env, check=False, **kw)
        done = run("web", "-c", "tools", "--", "sh", "-c", "echo out; echo err >&2; exit 3")
        check_equal((done.returncode, done.stdout), (3, "out\n"), f"exec, {name}")
        check_in("err\n", done.stderr, name)
        check_in("command terminated with exit code 3", done.stderr, name)
        done = run("-i", "web", "-c", "tools", "--", "sh", "-c", "cat; echo end", stdin="in\n")
        check_equal((done.returncode, done.stdout, done.stderr), (0, "in\nend\n", ""),
                    f"input to its end, {name}")
        done = run("deploy/none", "--", "true")
        check_in('"none" not found', done.stderr, name)
        done = run("web", "-c", "none", "--", "true")
        check(done.returncode == 1 and "none" in done.stderr, f"{name}: {done.stderr}")
        done = run("web", "--", "hostname")
        check_in('Defaulted container "web" out of: web, tools, setup (init)', done.stderr, name)
        check_equal(done.stdout, "web\n", f"hostname, {name}")
        done = run("web", "-c", "tools", "--", "no-such-program")
        check(done.returncode != 0 and "no-such-program" in done.stderr, f"{name}: {done.stderr}")
        big = "0123456789abcdef" * (1 << 16)
        done = run("-i", "web", "-c", "tools", "--", "md5sum", stdin=big)
        check_equal(done.stdout.split()[0], hashlib.md5(big.encode()).hexdigest(), f"1 MiB, {name}")
        with popen(client, env, "exec", "web", "-c", "tools", "--", "yes") as endless:
            got = sum(len(endless.stdout.read(1 << 16)) for _ in range(128))
            check_equal(got, 8 << 20, f"what an endless command printed, {name}")
    wait_for("the endless commands to be hung up", lambda: "yes" not in lab.out(
        "exec", "web", "-c", "tools", "--", "ps").split())


@contextlib.contextmanager
def popen(client, env, *args, **more):
    process = subprocess.Popen([client_path(client), *args], env=env, stdout=subprocess.PIPE,
                               **more)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=20)
        process.stdout.close()


def copy(lab):
    source = os.path.join(lab.root, "tree")
    os.makedirs(os.path.join(source, "deep", "er"))
    blob = os.urandom(1 << 20)
    for name, data in (("a.bin", blob), ("deep/empty", b""), ("deep/er/" + "n" * 120, b"long\n")):
        with open(os.path.join(source, name), "wb") as f:
            f.write(data)
    for number, (name, client, env) in enumerate(ways(lab)):
        there, back = f"/tmp/tree{number}", os.path.join(lab.root, f"back{number}")

        def run(*args, **kw):
            return lab.run("cp", "-c", "tools", *args, client=client, env=env, **kw)
        run(source, "web:" + there)
        run("default/web:" + there, back)
        check_equal(subprocess.run(["diff", "-r", source, back], capture_output=True,
                                   text=True).stdout, "", f"there and back, {name}")
        run(os.path.join(source, "a.bin"), "web:/tmp")  # into a folder that is there
        digest = lab.out("exec", "web", "-c", "tools", "--", "md5sum", "/tmp/a.bin").split()[0]
        check_equal(digest, hashlib.md5(blob).hexdigest(), name)
        failed = run("web:/tmp/none", back, check=False)
        if client == "mini-kubectl":  # the stock one may be gone before it has printed why
            check_in("/tmp/none", failed.stderr, f"what is not there, {name}")
        check(not os.path.exists(os.path.join(back, "none")), f"nothing came, {name}")
        failed = run("/no/such/file", "web:/tmp", check=False)
        check_in("/no/such/file doesn't exist in local filesystem", failed.stderr, name)


def read_url(url, **headers):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20) as got:
        return got.status, got.read().decode()


@contextlib.contextmanager
def serving(client, env, pattern, *args):
    """A client that listens and says where."""
    with popen(client, env, *args, text=True) as process:
        line = process.stdout.readline()
        found = re.search(pattern, line)
        check(found, f"{' '.join(args)} said {line!r}")
        yield int(found.group(1)), process


def forward(lab):
    for name, client, env in ways(lab):
        pattern = r"Forwarding from 127\.0\.0\.1:(\d+) -> 80"
        for target in ("pod/web", "svc/web"):
            port = ":80" if target == "pod/web" else ":8080"
            with serving(client, env, pattern, "port-forward", target, port) as (local, process):
                for _ in range(3):
                    status, page = read_url(f"http://127.0.0.1:{local}/")
                    check_equal(status, 200, f"{target}, {name}")
                    check_in("nginx", page, f"{target}, {name}")
        refused = lab.run("port-forward", "pod/none", ":80", client=client, env=env, check=False)
        check_in('pods "none" not found', refused.stderr, name)
        with popen(client, env, "port-forward", "pod/web", ":81", text=True,
                   stderr=subprocess.STDOUT) as process:
            local = int(re.search(r"127\.0\.0\.1:(\d+)", process.stdout.readline()).group(1))
            try:
                read_url(f"http://127.0.0.1:{local}/")
                raise Failure("there is nobody at port 81")
            except OSError:
                pass
            said = wait_for("kubectl to give up", lambda: process.stdout.read())
            check_in("an error occurred forwarding", said, name)


def attach(lab):
    for name, client, env in ways(lab):
        with popen(client, env, "attach", "-i", "shell", text=True, stdin=subprocess.PIPE,
                   stderr=subprocess.DEVNULL) as process:
            word = "hello " + name + "\n"
            process.stdin.write(word)
            process.stdin.flush()
            check_equal(process.stdout.readline(), word, f"attach, {name}")
        check_in(word, lab.out("logs", "shell"), f"what was said is in the log, {name}")
        pod = "once-" + client + ("-old" if env is not lab.env else "")
        done = lab.run("run", pod, "-i", "--rm", "--restart=Never", "--image=busybox", "--", "sh",
                       "-c", "cat; echo done; exit 5", client=client, env=env, stdin="typed\n",
                       check=False)
        check_in("typed\ndone\n", done.stdout, f"run -i, {name}")
        check_in(f'pod "{pod}" deleted', done.stdout, f"run --rm, {name}")
        check_equal(done.returncode, 5, f"exit code of run, {name} ({done.stderr})")
        wait_for("the pod to go", lambda: pod not in lab.names_of("pods"))


def debug(lab):
    for client in ("kubectl", "mini-kubectl"):
        done = lab.run("debug", "shell", "-i", "--image=busybox", "-c", "look-" + client, "--",
                       "sh", "-c", "echo looked", client=client)
        check_in("looked\n", done.stdout, f"debug, {client}")
    names = [c["name"] for c in lab.get("pod", "shell")["spec"]["ephemeralContainers"]]
    check_equal(names, ["look-kubectl", "look-mini-kubectl"], "ephemeral containers")


def proxies(lab):
    base = "/api/v1/namespaces/default"
    for path in ("/pods/web:80/proxy/", "/pods/web/proxy/", "/services/web:8080/proxy/",
                 "/services/http:web:http/proxy/"):
        code, page = lab.api("GET", base + path, headers={"Accept": "text/html"})
        check_equal(code, 200, path)
        check_in("nginx", page, path)
    check_equal(lab.api("GET", base + "/pods/web/proxy/none")[0], 404, "a page that is not there")
    code, said = lab.api("GET", base + "/pods/web:81/proxy/")
    check_equal(code, 503, "nobody at the port")
    check_in("error trying to reach service: dial tcp", said["message"], "nobody at the port")
    lab.kubectl("create", "service", "clusterip", "lonely", "--tcp=80")
    wait_for("its Endpoints", lambda: "lonely" in lab.names_of("endpoints"))
    code, said = lab.api("GET", base + "/services/lonely:80/proxy/")
    check_equal((code, said["message"]), (503, 'no endpoints available for service "lonely"'),
                "a service without endpoints")
    check_equal(lab.api("GET", "/api/v1/nodes/node-1/proxy/healthz"), (200, "ok"), "node")
    check_equal(lab.out("get", "--raw", base + "/services/web:8080/proxy/").count("<html"), 1,
                "get --raw")
    for client in ("kubectl", "mini-kubectl"):
        with serving(client, lab.env, r"127\.0\.0\.1:(\d+)", "proxy", "--port=0") as (port, _):
            check_in('"gitVersion"', read_url(f"http://127.0.0.1:{port}/version")[1], client)
            check_in("nginx", read_url(
                f"http://127.0.0.1:{port}{base}/services/web:8080/proxy/")[1], client)
            for path, host in ((base + "/pods/web/exec", "localhost"), ("/version", "evil.com")):
                try:
                    read_url(f"http://127.0.0.1:{port}{path}", Host=host)
                    raise Failure(f"{client}: {path} for {host} was served")
                except urllib.error.HTTPError as refused:
                    check_equal(refused.code, 403, f"{client}: {path} for {host}")


def permissions(lab):
    lab.kubectl("create", "role", "looker", "--verb=get", "--resource=pods/exec,pods")
    lab.kubectl("create", "rolebinding", "looker", "--role=looker", "--user=eve")
    refusal = ('pods "web" is forbidden: User "eve" cannot create resource "pods/exec" in API '
               'group "" in the namespace "default"')
    for name, client, env in ways(lab):
        done = lab.run("--as=eve", "exec", "web", "-c", "tools", "--", "true", client=client,
                       env=env, check=False)
        check_equal(done.returncode, 1, f"exec with get alone, {name}")
        check_in(refusal, done.stderr, name)
    code, said = lab.api("GET", "/api/v1/namespaces/default/pods/web/exec?container=web&command=a")
    check_equal((code, said["message"]), (400, "Upgrade request required"), "no upgrade")


PYTHON = """
import sys
from kubernetes import client, config
from kubernetes.stream import stream
config.load_kube_config()
api = client.CoreV1Api()
out = stream(api.connect_get_namespaced_pod_exec, "web", "default", container="tools",
             command=["sh", "-c", "echo one; echo two >&2"], stderr=True, stdin=False, stdout=True,
             tty=False)
assert sorted(out.split()) == ["one", "two"], out
talk = stream(api.connect_get_namespaced_pod_exec, "web", "default", container="tools",
              command=["sh"], stderr=True, stdin=True, stdout=True, tty=False,
              _preload_content=False)
talk.write_stdin("echo $((6 * 7)); exit 4\\n")
talk.run_forever(timeout=60)
assert talk.read_stdout() == "42\\n", talk
assert talk.returncode == 4, talk.returncode
try:
    from kubernetes.stream import portforward
except ImportError:
    sys.exit(0)
tunnel = portforward(api.connect_get_namespaced_pod_portforward, "web", "default", ports="80")
http = tunnel.socket(80)
http.setblocking(True)
http.sendall(b"GET / HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n")
page = b""
while True:
    part = http.recv(65536)
    if not part:
        break
    page += part
assert page.startswith(b"HTTP/1.1 200") and b"nginx" in page, page
assert tunnel.error(80) is None, tunnel.error(80)
"""


def python(lab):
    known = subprocess.run(["/usr/bin/python3", "-c", "import kubernetes.stream"],
                           capture_output=True)
    if known.returncode != 0:
        print("there is no python3-kubernetes", flush=True)
        return
    done = subprocess.run(["/usr/bin/python3", "-c", PYTHON], env=lab.env, capture_output=True,
                          text=True, timeout=90)
    check_equal(done.returncode, 0, f"the Python client: {done.stdout}{done.stderr}")


PARTS = collections.OrderedDict((f.__name__.rstrip("_"), f) for f in (
    exec_, copy, forward, attach, debug, proxies, permissions, python))


def streams():
    wanted = [name for name in PARTS if not chosen or name in chosen]
    with Lab(replicas=1, nodes=2) as lab:
        setup(lab)
        for name in wanted:
            at = time.monotonic()
            PARTS[name](lab)
            print(f"ok {name} ({time.monotonic() - at:.1f} s)", flush=True)


if __name__ == "__main__":
    chosen = sys.argv[1:]
    sys.argv[1:] = []
    main([streams], limit=230)
