#!/usr/bin/env python3
"""Secrets are encrypted in the store: etcdctl shows ciphertext, clients see none of it, and keys are
rotated by restarting the apiserver with the next configuration. On our store and on stock etcd."""
import base64
import json
import os
import signal
import stat
import subprocess

from lab import Lab, check, check_equal, check_in, main, need, wait_for

KEY = "/registry/secrets/default/"
CONFIG = """
apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
- resources: [%s]
  providers: [%s]
"""


def aesgcm(name, fill):
    secret = base64.b64encode(fill * 32).decode()
    return "{aesgcm: {keys: [{name: %s, secret: %s}]}}" % (name, secret)


def etcdctl(lab, *args):
    done = subprocess.run(["etcdctl", "--endpoints=" + lab.store_endpoints[0], *args],
                          capture_output=True, timeout=20, env=lab.env)
    check_equal(done.returncode, 0, f"etcdctl {args}: {done.stderr}")
    return done.stdout


def stored(lab, name):
    return etcdctl(lab, "get", KEY + name, "--print-value-only")


def restart(lab, config=None):
    """The apiserver again, as `coracle up` starts it, maybe with another configuration."""
    if config is not None:
        with open(os.path.join(lab.dir, "pki", "encryption.yaml"), "w") as f:
            f.write(config)
    lab.stop("apiserver-1", signal.SIGTERM)
    wait_for("the apiserver to end", lambda: not lab.pid("apiserver-1"), 60)
    lab.up()


def value(lab, name):
    return base64.b64decode(lab.get("secret", name)["data"]["password"]).decode()


def rewrite_all(lab):
    """What the documentation of Kubernetes tells to do after a new key."""
    lab.kubectl("replace", "-f", "-", stdin=lab.out("get", "secrets", "-A", "-o", "json"))


def rotation(store):
    need("etcdctl", *(["etcd"] if store == "etcd" else []))
    with Lab(replicas=1, nodes=1, store=store) as lab:
        file = os.path.join(lab.dir, "pki", "encryption.yaml")
        check_equal(stat.S_IMODE(os.stat(file).st_mode), 0o600, "mode of the file with the key")
        lab.kubectl("create", "secret", "generic", "first", "--from-literal=password=hunter2")
        lab.kubectl("create", "configmap", "plain", "--from-literal=password=hunter2")
        found = stored(lab, "first")
        check(found.startswith(b"k8s:enc:aesgcm:v1:key1:"), f"stored: {found[:60]}")
        check(b"hunter2" not in found and base64.b64encode(b"hunter2") not in found, "in clear")
        check_in("hunter2", etcdctl(lab, "get", "/registry/configmaps/default/plain").decode(),
                 "a ConfigMap is not encrypted")
        check_equal(value(lab, "first"), "hunter2", "through the API")

        old = open(file).read()
        secret = old.split("secret: ")[1].split()[0]
        key1 = "{aesgcm: {keys: [{name: key1, secret: \"%s\"}]}}" % secret
        restart(lab, CONFIG % ("secrets", f"{aesgcm('key2', b'2')}, {key1}"))
        check_equal(value(lab, "first"), "hunter2", "read with the key before")
        lab.kubectl("create", "secret", "generic", "second", "--from-literal=password=sesame")
        check(stored(lab, "second").startswith(b"k8s:enc:aesgcm:v1:key2:"), "the new key writes")
        check(stored(lab, "first").startswith(b"k8s:enc:aesgcm:v1:key1:"), "not yet rewritten")
        rewrite_all(lab)
        keys = etcdctl(lab, "get", "/registry/secrets/", "--prefix", "--keys-only").split()
        for key in keys:
            found = etcdctl(lab, "get", key.decode(), "--print-value-only")
            check(found.startswith(b"k8s:enc:aesgcm:v1:key2:"), f"{key}: {found[:40]}")

        restart(lab, CONFIG % ("secrets", aesgcm("key2", b"2")))
        check_equal((value(lab, "first"), value(lab, "second")), ("hunter2", "sesame"),
                    "without the key before")
        restart(lab, CONFIG % ("secrets", aesgcm("key3", b"3")))
        lab.refused("get", "secrets", text='Internal error occurred: unable to transform key '
                    '"/registry/secrets/default/first": no matching key was found')
        check_equal(lab.names_of("configmaps"), ["kube-root-ca.crt", "plain"], "the others")

        # Back to plain text.
        restart(lab, CONFIG % ("secrets", "{identity: {}}, " + aesgcm("key2", b"2")))
        rewrite_all(lab)
        check_equal(json.loads(stored(lab, "first"))["metadata"]["name"], "first", "in clear again")


def on_our_store():
    rotation("kvstore")


def on_stock_etcd():
    rotation("etcd")


def a_wrong_file():
    need("apiserver")
    with Lab(replicas=1, nodes=1) as lab:
        lab.stop("apiserver-1", signal.SIGTERM)
        wait_for("the apiserver to end", lambda: not lab.pid("apiserver-1"), 60)
        file = os.path.join(lab.dir, "pki", "encryption.yaml")
        with open(file, "w") as f:
            f.write(CONFIG % ("secrets", "{aesgcm: {keys: [{name: k, secret: c2hvcnQ=}]}}"))
        done = lab.coracle("up")
        check(done.returncode != 0, "it started")
        check_in("resources[0].providers[0].aesgcm.keys[0].secret: Invalid value: \"REDACTED\"",
                 lab.log("apiserver-1") + done.stderr + done.stdout, "why")


if __name__ == "__main__":
    main([on_our_store, on_stock_etcd, a_wrong_file], limit=160)
