"""What makes a client's resourceVersion too old: the store is compacted while the server is away."""
import json
import signal
import subprocess

from lab import check_equal, wait_for


def etcdctl(lab, *args):
    done = subprocess.run(["etcdctl", "--endpoints=" + lab.store_endpoints[0], *args],
                          capture_output=True, text=True, timeout=20, env=lab.env)
    check_equal(done.returncode, 0, f"etcdctl {args}: {done.stderr}")
    return done.stdout


def forget_the_past(lab):
    """The apiserver starts anew; of the store's history only the newest revision is left."""
    lab.stop("apiserver-1", signal.SIGTERM)
    wait_for("the apiserver to end", lambda: not lab.pid("apiserver-1"), 60)
    for n in range(5):
        etcdctl(lab, "put", "elsewhere", str(n))
    status = json.loads(etcdctl(lab, "endpoint", "status", "-w", "json"))
    etcdctl(lab, "compact", str(status[0]["Status"]["header"]["revision"]))
    lab.up()
