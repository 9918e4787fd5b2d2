"""The lab's first apiserver as a process of the test's own, with more flags."""
import os
import signal
import subprocess

from lab import wait_for


def command_of(lab, name="apiserver-1"):
    with open(f"/proc/{lab.pid(name)}/cmdline") as f:
        return f.read().split("\0")[:-1]


class OwnApiserver:
    def __init__(self, lab, *flags):
        self.lab, self.command, self.process = lab, command_of(lab), None
        lab.stop("apiserver-1", signal.SIGTERM)
        wait_for("the apiserver to end", lambda: not lab.pid("apiserver-1"), 60)
        self.output = open(os.path.join(lab.root, "apiserver.log"), "w")
        self.start(*flags)

    def start(self, *flags):
        self.process = subprocess.Popen([*self.command, *flags],
                                        stdout=self.output, stderr=self.output)
        wait_for("ready", self.ready, 60)

    def ready(self):
        try:
            return self.lab.api("GET", "/readyz")[0] == 200
        except OSError:
            return False

    def restart(self, *flags):
        self.end_process()
        self.start(*flags)

    def refuses(self, *flags):
        """What it says instead of starting; its exit code must be 2."""
        done = subprocess.run([*self.command, *flags], capture_output=True, text=True, timeout=30)
        assert done.returncode == 2, (done.returncode, done.stderr)
        return done.stderr

    def end_process(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()

    def stop(self):
        self.end_process()
        self.output.close()
