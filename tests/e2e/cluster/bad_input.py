#!/usr/bin/env python3
"""Wrong input to a running cluster: each is refused with words that name what is wrong, in the
client (stock kubectl, and mini-kubectl when it is built), over plain HTTPS, and at the start of
each daemon. And a store that has no quorum: a clear error in time, then service again."""
import json
import os
import signal
import socket
import subprocess
import time

from basics import WEB
from lab import BIN, Lab, check, check_equal, check_in, client_path, main, need, wait_for


def without(text, part):
    check(part in text, f"no {part!r} in the manifest")
    return text.replace(part, "")


CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: %s\n"
SELECTOR = "  selector:\n    matchLabels:\n      app: web\n"
SPARE = WEB.replace("name: web\nspec", "name: spare\nspec")

# what, the manifest for `create -f -`, what the error must say.
MANIFESTS = [
    ("malformed YAML", CONFIG_MAP % "x" + " data: y\n",
     ["error parsing STDIN: error converting YAML to JSON: yaml: line ",
      "did not find expected key"]),
    ("malformed YAML, a tab", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n\tname: x\n",
     ["error parsing STDIN", "line 4"]),
    ("unknown kind", "apiVersion: v1\nkind: Widget\nmetadata: {name: x}\n",
     ['no matches for kind "Widget" in version "v1"']),
    ("unknown version", SPARE.replace("apps/v1", "apps/v9"),
     ['no matches for kind "Deployment" in version "apps/v9"']),
    ("unknown field", SPARE.replace("replicas: 3", "replica: 3"),
     ['unknown field "spec.replica"']),
    ("unknown field, deep", SPARE.replace("image: nginx", "imagee: nginx"),
     ['unknown field "spec.template.spec.containers[0].imagee"']),
    ("mistyped field", SPARE.replace("replicas: 3", "replicas: three"),
     ["cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"]),
    ("invalid name", CONFIG_MAP % "Bad_Name",
     ['The ConfigMap "Bad_Name" is invalid', 'metadata.name: Invalid value: "Bad_Name"',
      "a lowercase RFC 1123 subdomain must consist of"]),
    ("no name", "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n",
     ["name or generateName is required"]),
    ("missing field", without(SPARE, SELECTOR),
     ['The Deployment "spare" is invalid', "spec.selector: Required value"]),
    ("no containers", "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: []}\n",
     ['The Pod "p" is invalid', "spec.containers: Required value"]),
    ("port out of range", SPARE.replace("containerPort: 80", "containerPort: 80000"),
     ["ports[0].containerPort: Invalid value: 80000", "must be between 1 and 65535"]),
    ("selector that is not the template's", SPARE.replace("app: web\n    spec", "app: x\n    spec"),
     ["spec.template.metadata.labels: Invalid value",
      "`selector` does not match template `labels`"]),
]

# what, the arguments, what the error must say.
COMMANDS = [
    ("immutable field", ["patch", "deployment", "web", "--type=merge", "-p",
                         '{"spec":{"selector":{"matchLabels":{"app":"x"}}}}'],
     ['The Deployment "web" is invalid', "spec.selector: Invalid value", "field is immutable"]),
    ("immutable ConfigMap", ["patch", "configmap", "fixed", "-p", '{"data":{"a":"c"}}'],
     ["data: Forbidden: field is immutable when `immutable` is set"]),
    ("stale resourceVersion", ["replace", "-f", "stale.json"],
     ['Operation cannot be fulfilled on configmaps "moving"',
      "the object has been modified; please apply your changes to the latest version and try "
      "again"]),
    ("body over the limit", ["create", "-f", "big.json"],
     ["(RequestEntityTooLarge)", "limit is 3145728"]),
    ("object over the limit", ["create", "-f", "fat.json"],
     ['The ConfigMap "fat" is invalid', "Too long: may not be more than 1048576 bytes"]),
    ("bad selector", ["get", "pods", "-l", "a in ("], ["unable to parse requirement: found ''"]),
    ("bad selector's operator", ["get", "pods", "-l", "a like b"], ["unable to parse requirement"]),
    ("bad field selector", ["get", "pods", "--field-selector", "spec.nope=1"],
     ["field label not supported: spec.nope"]),
    ("bad jsonpath", ["get", "pods", "-o", "jsonpath={.items[}"],
     ["error parsing jsonpath {.items[}, unterminated array"]),
    ("unclosed jsonpath", ["get", "pods", "-o", "jsonpath={.items"], ["unclosed action"]),
    ("unknown resource", ["get", "widgets"],
     ['the server doesn\'t have a resource type "widgets"']),
    ("not there", ["get", "pod", "nosuch"], ['(NotFound): pods "nosuch" not found']),
    ("bad patch", ["patch", "deployment", "web", "-p", "{"], ["unexpected end of JSON input"]),
    ("no such file", ["create", "-f", "nowhere.yaml"], ["nowhere.yaml"]),
    ("unknown flag", ["get", "pods", "--nonsense"], ["unknown flag: --nonsense"]),
    ("unknown command", ["frobnicate"], ['unknown command "frobnicate"']),
]

# Where the two clients have different words for it.
WORDS = {
    ("mini-kubectl", "bad patch"): ['unable to parse "{"'],
    ("mini-kubectl", "malformed YAML"): ["error parsing STDIN", "line 5"],
    ("kubectl", "malformed YAML"): ["error parsing STDIN", "line 4"],
}


class Checks:
    """Goes on after a failure, so that one run tells all."""

    def __init__(self):
        self.failed, self.passed = [], 0

    def __call__(self, what, call):
        try:
            call()
            self.passed += 1
        except Exception as failure:
            self.failed.append(what)
            print(f"FAILED {what}: {failure}", flush=True)


def refuses(lab, args, texts, **kw):
    done = lab.run(*args, check=False, **kw)
    check_equal(done.returncode, 1, f"exit code ({done.stdout}{done.stderr})")
    for text in texts:
        check_in(text, done.stderr, "standard error")


def with_client(lab, each, client):
    for what, manifest, texts in MANIFESTS:
        texts = WORDS.get((client, what), texts)
        each(f"{client}: {what}", lambda: refuses(
            lab, ["create", "-f", "-"], texts, stdin=manifest, client=client))
    for what, args, texts in COMMANDS:
        texts = WORDS.get((client, what), texts)
        each(f"{client}: {what}", lambda: refuses(lab, args, texts, client=client))
    nobody = dict(lab.env, KUBECONFIG=token_kubeconfig(lab, "wrong"))
    each(f"{client}: wrong token", lambda: refuses(
        lab, ["get", "pods"], ["You must be logged in to the server"], client=client, env=nobody))
    each(f"{client}: server that is not there", lambda: refuses(
        lab, ["get", "pods", "--server=https://127.0.0.1:1"],
        ["The connection to the server 127.0.0.1:1 was refused - did you specify the right host or "
         "port?"], client=client))
    check_equal(lab.names_of("deployments"), ["web"], "nothing came of it")


def token_kubeconfig(lab, token):
    path = os.path.join(lab.root, "token-kubeconfig")
    with open(path, "w") as f:
        json.dump({"apiVersion": "v1", "kind": "Config", "current-context": "c",
                   "clusters": [{"name": "c", "cluster": {
                       "server": f"https://127.0.0.1:{lab.ports[0]}",
                       "certificate-authority": os.path.join(lab.dir, "pki/ca.crt")}}],
                   "users": [{"name": "u", "user": {"token": token}}],
                   "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]}, f)
    return path


def prepare(lab):
    lab.kubectl("apply", "-f", "-", stdin=WEB)
    lab.kubectl("create", "-f", "-", stdin=CONFIG_MAP % "fixed" + "immutable: true\ndata: {a: b}\n")
    lab.kubectl("create", "-f", "-", stdin=CONFIG_MAP % "moving")

    def write(name, thing):
        with open(os.path.join(lab.root, name), "w") as f:
            json.dump(thing, f)
    write("stale.json", lab.get("configmap", "moving"))
    lab.kubectl("label", "configmap", "moving", "a=b")
    for name, size in (("big", 4 << 20), ("fat", (1 << 20) + 1)):
        write(name + ".json", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name},
                               "data": {"a": "x" * size}})


# -- over HTTPS

def openssl(lab, *args, stdin=None):
    done = subprocess.run(["openssl", *args], cwd=lab.root, input=stdin, capture_output=True,
                          text=True)
    check(done.returncode == 0, f"openssl {args}: {done.stderr}")


def certificates(lab):
    """admin certificates: one that is over, one of a foreign CA, one that is for servers only."""
    pki = os.path.join(lab.dir, "pki")
    openssl(lab, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", "other-ca.key", "-out", "other-ca.crt", "-days", "2", "-subj", "/CN=other")
    with open(os.path.join(lab.root, "client.ext"), "w") as f:
        f.write("extendedKeyUsage=clientAuth\n")
    with open(os.path.join(lab.root, "openssl.cnf"), "w") as f:
        f.write("[ca]\ndefault_ca=d\n[d]\ndatabase=index\nserial=serial\nnew_certs_dir=.\n"
                "default_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n"
                "organizationName=optional\n")
    open(os.path.join(lab.root, "index"), "w").close()
    with open(os.path.join(lab.root, "serial"), "w") as f:
        f.write("77\n")
    for name, ca, days in (("expired", pki + "/ca", ("20200101000000Z", "20200102000000Z")),
                           ("foreign", "other-ca", ("20200101000000Z", "20400101000000Z"))):
        openssl(lab, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", name + ".key", "-out", name + ".csr",
                "-subj", "/O=system:masters/CN=kubernetes-admin")
        openssl(lab, "ca", "-batch", "-config", "openssl.cnf", "-notext", "-extfile", "client.ext",
                "-cert", ca + ".crt", "-keyfile", ca + ".key", "-startdate", days[0],
                "-enddate", days[1], "-in", name + ".csr", "-out", name + ".crt")


def curl(lab, *args, path="/api/v1/namespaces/default/pods"):
    done = subprocess.run(
        ["curl", "-s", "-m", "20", "-w", "\n%{http_code}", "--cacert", lab.dir + "/pki/ca.crt",
         *args, f"https://127.0.0.1:{lab.ports[0]}{path}"],
        cwd=lab.root, capture_output=True, text=True)
    check(done.returncode == 0, f"curl {args}: exit {done.returncode}: {done.stderr}")
    body, code = done.stdout.rsplit("\n", 1)
    return int(code), json.loads(body)


def answers(lab, want, *args, text="", **kw):
    code, body = curl(lab, *args, **kw)
    got = (code, body.get("kind"), body.get("status"), body.get("reason"), body.get("code"))
    check_equal(got, (want[0], "Status", "Failure", want[1], want[0]), f"answer {body}")
    check_in(text, body["message"], "message")


UNRECOGNIZED = "the object provided is unrecognized (must be of type ConfigMap): "
PARSE = UNRECOGNIZED + "couldn't get version/kind; json parse error: "

# what, the body of a create, the message.
BODIES = [
    ("nested too deep", b'{"a":' * 500 + b"1" + b"}" * 500, PARSE + "exceeded max depth ("),
    ("nested a million deep", b"[" * 1_000_000, PARSE + "exceeded max depth (5b5b5b"),
    ("NaN", b'{"data":{"a":NaN}}', PARSE + "invalid character 'N' looking for beginning of value "
     '({"data":{"a":NaN}})'),
    ("Infinity", b'{"data":{"a":-Infinity}}', PARSE + "invalid character 'I' in numeric literal ("),
    ("a number no double holds", b'{"data":{"a":1e999}}',
     UNRECOGNIZED + "json: cannot unmarshal number 1e999 into Go value of type float64 ("),
    ("a number for a text", b'{"metadata":{"name":"x"},"data":{"a":1}}',
     'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number '
     "into Go struct field ConfigMap.data of type string"),
    ("cut off", b'{"data":', PARSE + 'unexpected end of JSON input ({"data":)'),
    ("a comma too many", b'{"data":{},}', PARSE + "invalid character '}' looking for beginning of "
     'object key string ({"data":{},})'),
    ("a list", b"[]", PARSE + "json: cannot unmarshal array into Go value of type struct"),
    ("a kind that is no text", b'{"kind":{}}',
     PARSE + "json: cannot unmarshal object into Go struct field .kind of type string"),
    ("zeros", b"\0" * 100, PARSE + "invalid character '\\x00' looking for beginning of value (0000"),
]


def repeated(lab, js, maps):
    """The last one counts, and one is warned; or it is refused."""
    body = '{"metadata":{"name":"twice"},"data":{"a":"1","a":"2"}}'
    code, made = curl(lab, *js, "-D", "heads", "-d", body, path=maps)
    check_equal((code, made.get("data")), (201, {"a": "2"}), "made")
    with open(os.path.join(lab.root, "heads")) as f:
        check_in('299 - "duplicate field \\"data.a\\""', f.read(), "the warning")
    answers(lab, (400, "BadRequest"), *js, "-d", body, path=maps + "?fieldValidation=Strict",
            text='strict decoding error: duplicate field "data.a"')


def no_unicode(lab, js, maps):
    with open(os.path.join(lab.root, "body"), "wb") as f:
        f.write(b'{"metadata":{"name":"bytes"},"data":{"a":"x\xff\xc0\x80","b":"\\ud800"}}')
    code, made = curl(lab, *js, "--data-binary", "@body", path=maps)
    check_equal((code, made.get("data")), (201, {"a": "x\ufffd\ufffd\ufffd", "b": "\ufffd"}), "made")


def over_https(lab, each):
    certificates(lab)
    with open(os.path.join(lab.dir, "admin.token")) as f:
        bearer = "Authorization: Bearer " + f.read().strip()
    check_equal(curl(lab, "-H", bearer)[0], 200, "the right token")
    maps = "/api/v1/namespaces/default/configmaps"
    js = ["-H", bearer, "-H", "Content-Type: application/json"]
    merge = ["-H", bearer, "-X", "PATCH", "-H", "Content-Type: application/merge-patch+json"]
    denied, bad = (401, "Unauthorized"), (400, "BadRequest")
    cases = [
        ("no credentials", (403, "Forbidden"), [], 'User "system:anonymous" cannot list', {}),
        ("wrong token", denied, ["-H", "Authorization: Bearer wrong"], "Unauthorized", {}),
        ("expired certificate", denied, ["--cert", "expired.crt", "--key", "expired.key"],
         "Unauthorized", {}),
        ("foreign certificate", denied, ["--cert", "foreign.crt", "--key", "foreign.key"],
         "Unauthorized", {}),
        ("malformed YAML", bad, ["-H", bearer, "-H", "Content-Type: application/yaml",
                                 "--data-binary", CONFIG_MAP % "x" + " data: y\n"], "line 5",
         {"path": maps}),
        ("malformed JSON", bad, [*js, "-d", '{"kind":'], "json parse error", {"path": maps}),
        ("unknown Content-Type", (415, "UnsupportedMediaType"),
         ["-H", bearer, "-H", "Content-Type: text/css", "-d", "x"], "", {"path": maps}),
        ("another kind", bad, [*js, "-d", '{"apiVersion":"v1","kind":"Secret"}'], "Secret",
         {"path": maps}),
        ("another namespace", bad,
         [*js, "-d", '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x",'
                     '"namespace":"other"}}'],
         "the namespace of the provided object does not match the namespace sent on the request",
         {"path": maps}),
        ("namespace that is not there", (404, "NotFound"),
         [*js, "-d", '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"}}'],
         'namespaces "nowhere" not found', {"path": "/api/v1/namespaces/nowhere/configmaps"}),
        ("body over the limit", (413, "RequestEntityTooLarge"), [*js, "-d", "@big.json"],
         "limit is 3145728", {"path": maps}),
        ("stale resourceVersion", (409, "Conflict"),
         [*merge, "-d", '{"metadata":{"resourceVersion":"1"}}'], "the object has been modified",
         {"path": maps + "/moving"}),
        ("bad selector", bad, ["-H", bearer], "unable to parse requirement",
         {"path": maps + "?labelSelector=a%20in%20("}),
        ("bad limit", bad, ["-H", bearer], "", {"path": maps + "?limit=many"}),
        ("bad continue", bad, ["-H", bearer], "continue", {"path": maps + "?continue=junk"}),
        ("wrong method", (405, "MethodNotAllowed"), ["-H", bearer, "-X", "PUT", "-d", "{}"], "",
         {"path": maps}),
    ]
    for what, want, args, text, kw in cases:
        each(f"https: {what}", lambda: answers(lab, want, *args, text=text, **kw))
    for what, body, message in BODIES:
        with open(os.path.join(lab.root, "body"), "wb") as f:
            f.write(body)
        each(f"https: {what}", lambda: answers(
            lab, bad, *js, "--data-binary", "@body", text=message, path=maps))
    each("https: repeated fields", lambda: repeated(lab, js, maps))
    each("https: no Unicode", lambda: no_unicode(lab, js, maps))
    each("https: a cut-off request line", lambda: nonsense(lab))


def nonsense(lab):
    """Not TLS, not HTTP: the connection ends, the server lives."""
    with socket.create_connection(("127.0.0.1", lab.ports[0]), timeout=10) as s:
        s.sendall(b"\x00\xff nonsense \r\n\r\n" * 50)
        s.settimeout(10)
        try:
            while s.recv(4096):
                pass
        except ConnectionResetError:
            pass
    check_equal(lab.api("GET", "/readyz")[0], 200, "/readyz")


# -- at the start of a daemon

def command_line(lab, name):
    with open(f"/proc/{lab.pid(name)}/cmdline") as f:
        return f.read().split("\0")[:-1]


def starts_not(args, codes, *texts):
    done = subprocess.run(args, capture_output=True, text=True, timeout=30)
    check(done.returncode in codes, f"exit code {done.returncode}: {done.stdout}{done.stderr}")
    for text in texts:
        check_in(text, done.stderr + done.stdout, "the message")


def daemons(lab, each):
    for name in lab.names():
        args = command_line(lab, name)
        program = name.rsplit("-", 1)[0]
        each(f"{program}: unknown flag", lambda: starts_not(
            [*args, "--nonsense"], [2], "--nonsense"))
        each(f"{program}: unknown flag alone", lambda: starts_not(
            [args[0], "--nonsense"], [2], f"Try '{program} --help'"))
        port = args[args.index("--secure-port") + 1] if "--secure-port" in args else \
            args[args.index("--listen-peer-urls") + 1].rsplit(":", 1)[1]
        fresh = [a + "-other" if a.startswith(lab.dir + "/data/") else a for a in args]
        if program == "kvstore":
            # Of the same cluster it would be refused as a member whose disk is lost: so alone.
            at = fresh.index("--initial-cluster") + 1
            own = fresh[fresh.index("--name") + 1] + "="
            fresh[at] = next(m for m in fresh[at].split(",") if m.startswith(own))
        each(f"{program}: a port in use", lambda: starts_not(fresh, [1, 2], port, "in use"))
    for program in ("coracle", "storectl"):
        each(f"{program}: unknown command", lambda: starts_not(
            [os.path.join(BIN, program), "nonsense"], [2], 'unknown command "nonsense"'))
    for flag, value, text in (("--replicas", "2", "say 1, 3 or 5"), ("--nodes", "-1", "--nodes"),
                              ("--store", "papyrus", "--store"), ("--port", "0", "--port"),
                              ("--nonsense", "x", "--nonsense")):
        each(f"coracle up {flag} {value}", lambda: starts_not(
            [os.path.join(BIN, "coracle"), "up", "--dir", lab.root + "/x", flag, value], [2], text))
    each("coracle up in a folder that cannot be", lambda: starts_not(
        [os.path.join(BIN, "coracle"), "up", "--dir", "/proc/nowhere"], [1],
        "--dir", "/proc/nowhere"))
    each("coracle status of nothing", lambda: starts_not(
        [os.path.join(BIN, "coracle"), "status", "--dir", "/nowhere"], [1],
        "no cluster in /nowhere"))
    each("a file of the daemon is missing", lambda: starts_not(
        ["/nowhere.crt" if a.endswith("apiserver.crt") else a
         for a in command_line(lab, "apiserver-1")], [1, 2], "/nowhere.crt", "--tls-cert-file"))
    store_folders(lab, each)


def store_folders(lab, each):
    args = command_line(lab, "kvstore-3")
    folder = args[args.index("--data-dir") + 1]
    each("kvstore: a folder in use", lambda: starts_not(
        args, [1, 2], folder))
    lab.stop("kvstore-3", signal.SIGTERM)
    wait_for("kvstore-3 to stop", lambda: not lab.pid("kvstore-3"))
    token = args[args.index("--initial-cluster-token") + 1]
    each("kvstore: the folder of another cluster", lambda: starts_not(
        [a.replace(token, "another") for a in args], [2], "--data-dir", "belongs to cluster"))
    if os.geteuid() == 0:
        print("  a folder without permission: not tried, root may everything", flush=True)
    else:
        os.chmod(folder, 0)
        each("kvstore: a folder without permission", lambda: starts_not(
            args, [1, 2], folder, "Permission denied"))
        os.chmod(folder, 0o700)
    lab.up()


# -- a store without quorum

def no_quorum(lab):
    number, _ = wait_for("a leader", lab.store_leader)
    stopped = [n for n in (1, 2, 3) if n != number]
    for n in stopped:
        lab.stop(f"kvstore-{n}")
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "unsaid"}}
    at = time.monotonic()
    code, answer = lab.api("POST", "/api/v1/namespaces/default/configmaps", body, timeout=70)
    took = time.monotonic() - at
    check(code in (500, 503, 504), f"a write without quorum: {code} {answer}")
    check_equal(answer["status"], "Failure", f"answer {answer}")
    check(answer["message"], "no message")
    check(took < 62, f"the error came after {took:.0f} s")
    print(f"  without quorum: {code} {answer['reason']} {answer['message']!r} after {took:.1f} s",
          flush=True)
    check_equal(lab.api("GET", "/livez/etcd")[0], 500, "/livez/etcd without quorum")
    check_equal(lab.api("GET", "/livez?exclude=etcd")[0], 200, "/livez without quorum")
    lab.up()
    at = time.monotonic()
    wait_for("service again", lambda: lab.api(
        "POST", "/api/v1/namespaces/default/configmaps",
        {**body, "metadata": {"name": "said"}})[0] in (201, 409), 20)
    print(f"  served again {time.monotonic() - at:.1f} s after the members were back", flush=True)
    check_equal(lab.get("configmap", "said")["metadata"]["name"], "said", "the write")
    # Who lost its Lease begins anew by itself.
    wait_for("all daemons to run", lambda: all(lab.pid(n) for n in lab.names()), 10)
    lab.kubectl("scale", "deployment/web", "--replicas=4")
    lab.kubectl("rollout", "status", "deployment/web", "--timeout=40s")


def bad_input():
    need("curl", "openssl", "etcdctl")
    each = Checks()
    with Lab(replicas=3, nodes=1) as lab:
        prepare(lab)
        with_client(lab, each, "kubectl")
        if client_path("mini-kubectl"):
            with_client(lab, each, "mini-kubectl")
        else:
            print("  mini-kubectl is not built: not tried", flush=True)
        over_https(lab, each)
        daemons(lab, each)
        each("no quorum", lambda: no_quorum(lab))
        print(f"  {each.passed} as they must be, {len(each.failed)} not", flush=True)
        check(not each.failed, "failed: " + "; ".join(each.failed))


if __name__ == "__main__":
    main([bad_input], limit=190)
