"""A kubelet-sim of a test's own, beside the lab's: one node, whose containers are scripted."""
import os
import subprocess
import sys

from lab import BIN


class SpareKubelet:
    """While it is entered its node runs; it may be entered again. Fails with the end of its log."""

    def __init__(self, lab, number, *more, env=None):
        self.folder = os.path.join(lab.root, f"node-{number}")
        os.makedirs(self.folder, exist_ok=True)
        self.env = env
        self.command = [
            os.path.join(BIN, "kubelet-sim"), "--kubeconfig",
            os.path.join(lab.dir, "pki", "kubelet-sim.kubeconfig"), "--nodes", "1", "--first-node",
            str(number), "--runtime", "scripted", "--root-dir", self.folder, "--pod-range",
            "127.191.0.0", *more]

    def __enter__(self):
        with open(os.path.join(self.folder, "log"), "a") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, env=self.env)
        return self

    def __exit__(self, kind, *_):
        self.process.terminate()
        self.process.wait(10)
        if kind is not None:
            with open(os.path.join(self.folder, "log")) as log:
                sys.stderr.write("".join(log.readlines()[-15:]))
