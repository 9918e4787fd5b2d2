#!/usr/bin/env python3
"""The suite of basics.py with the store in the process of the apiserver, and that one killed."""
import subprocess

import basics
from lab import BIN, Lab, check, check_equal, main
from restart_all import kill_everything


def on_an_embedded_store():
    basics.run(embedded=True, replicas=None)


def killed():
    kill_everything(embedded=True)


def what_does_not_go_with_it():
    with Lab(embedded=True, nodes=1) as lab:
        check_equal([n for n in lab.names() if n.startswith("kvstore")], [], "store members")
        status = lab.coracle("status")
        check(status.returncode == 0 and "kvstore" not in status.stdout, status.stdout)
    for flags in (["--replicas", "3"], ["--apiservers", "2"], ["--store", "etcd"], ["--store-tls"]):
        done = subprocess.run([f"{BIN}/coracle", "up", "--embedded", "--dir", "/nowhere", *flags],
                              capture_output=True, text=True)
        check_equal(done.returncode, 2, f"exit code with {flags}")
        check(f"--embedded: " in done.stderr and flags[0] in done.stderr, done.stderr)
    done = subprocess.run([f"{BIN}/apiserver", "--embedded-store-dir", "/nowhere/x",
                           "--etcd-servers", "http://127.0.0.1:1", "--tls-cert-file", "x",
                           "--tls-private-key-file", "x"], capture_output=True, text=True)
    check_equal(done.returncode, 2, "exit code of an apiserver with two stores")
    check("--embedded-store-dir: cannot be together with --etcd-servers" in done.stderr, done.stderr)


if __name__ == "__main__":
    main([on_an_embedded_store, killed, what_does_not_go_with_it], limit=240)
