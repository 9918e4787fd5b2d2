"""The store's test cluster, for the suites of this folder."""
import contextlib
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../store"))
from cluster import *  # noqa: E402,F401,F403
from cluster import STORECTL  # noqa: E402


def storectl(*args, code=0):
    done = subprocess.run([STORECTL, *args], capture_output=True, text=True, timeout=60)
    if code is not None and done.returncode != code:
        raise AssertionError(f"storectl {args}: {done.returncode}: {done.stdout}{done.stderr}")
    return done


@contextlib.contextmanager
def with_http(size, extra=()):
    """A running cluster whose members have an HTTP port, `member.http`."""
    cluster = Cluster(size, extra=list(extra))
    for member, port in zip(cluster.members, free_ports(size)):
        member.http = port
        member.args = lambda plain=member.args, port=port: plain() + [
            "--listen-metrics-urls", f"http://127.0.0.1:{port}"]
    with running_cluster(cluster):
        yield cluster


@contextlib.contextmanager
def running_cluster(cluster):
    try:
        cluster.start()
        yield cluster
    except BaseException:
        for member in cluster.members:
            if os.path.exists(member.log_path):
                sys.stderr.write(f"---- {member.name}\n{member.log()[-3000:]}\n")
        raise
    finally:
        cluster.close()
