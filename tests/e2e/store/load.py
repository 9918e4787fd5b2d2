"""The load program against a cluster that is being broken, and the check of what it recorded."""
import contextlib
import json
import os
import subprocess

from cluster import BUILD, check, check_equal, wait_for

STORE_LOAD = os.path.join(BUILD, "bin", "store-load")
LINEARIZE = os.path.join(BUILD, "bin", "linearize")


class Load:
    """store-load on all members of a cluster; its history lies in the cluster's folder."""

    def __init__(self, cluster, *flags):
        self.cluster = cluster
        self.history = os.path.join(cluster.dir, "history.jsonl")
        self.process = subprocess.Popen(
            [*cluster.wrapper, STORE_LOAD, "--endpoints", cluster.endpoints,
             "--history", self.history, *flags],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        check_equal(self.process.stdout.readline(), "running\n", "what store-load says first")

    def wait_writes(self, count=20, members=None):
        """Until `count` more entries were applied at some member."""
        def applied():
            found = [self.cluster.status(m) for m in members or self.cluster.members if m.alive()]
            return max((s["raftAppliedIndex"] for s in found if s), default=0)
        first = applied()
        wait_for(f"{count} writes", lambda: first and applied() >= first + count)

    def finish(self):
        """Ends the load, demands that nothing went wrong, and returns its figures."""
        out, _ = self.process.communicate("", timeout=150)
        summary = json.loads(out)
        check_equal((self.process.returncode, summary["faults"]), (0, []), "what store-load found")
        verdict = subprocess.run([LINEARIZE, self.history], capture_output=True, text=True,
                                 timeout=300)
        if verdict.returncode != 0 and "CORACLE_KEEP" in os.environ:
            os.rename(self.history, os.environ["CORACLE_KEEP"])
        check_equal(verdict.returncode, 0,
                    f"linearize says {verdict.stdout[-3000:]}{verdict.stderr[-1000:]}")
        print(f"   {summary['done']} operations, {summary['unknown']} of unknown outcome, "
              f"{summary['acknowledged_ledger']} acknowledged writes looked up, none lost; "
              f"{summary['watch_streams']} watch streams; {verdict.stdout.strip()}", flush=True)
        return summary

    def first_writes_after(self, moments):
        """For each moment (monotonic ns): seconds until the first write called later was done."""
        returns = []
        with open(self.history) as f:
            for line in f:
                op = json.loads(line)
                if "return" in op and "put" in op["request"] and "revision" in op["result"]:
                    returns.append((op["call"], op["return"]))
        return [(min(r for c, r in returns if c > at) - at) / 1e9 for at in moments]


@contextlib.contextmanager
def loaded(cluster, *flags):
    load = Load(cluster, *flags)
    try:
        yield load
        load.finish()
    finally:
        if load.process.poll() is None:
            load.process.kill()
            load.process.wait()
