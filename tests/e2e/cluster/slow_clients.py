#!/usr/bin/env python3
"""Clients that mean no harm and do some: thousands of connections that send half a request and
stop, and a watcher that never reads. Others are served as before, and memory stays bounded. And the
way down: /readyz first, watches in order.

    slow_clients.py [--connections 10000]
"""
import argparse
import http.client
import json
import os
import resource
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

from lab import Lab, check, check_equal, check_in, main, wait_for

CONNECTIONS = 2000
MIB = 1 << 20
PER_CONNECTION_MAX = 64 * 1024  # resident bytes of the server for one that is stuck
BODY = "x" * 200_000


def resident(lab):
    with open(f"/proc/{lab.pid('apiserver-1')}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS")) * 1024


def token(lab):
    with open(os.path.join(lab.dir, "admin.token")) as f:
        return f.read().strip()


def cpu(lab):
    with open(f"/proc/{lab.pid('apiserver-1')}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def connect(lab, context):
    plain = socket.create_connection(("127.0.0.1", lab.ports[0]), timeout=60)
    return context.wrap_socket(plain, server_hostname="localhost")


def stuck(lab, count):
    """`count` connections, each with a request that never ends."""
    context = ssl.create_default_context(
        cafile=os.path.join(lab.dir, "pki", "ca.crt"))
    half = (f"POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: Bearer {token(lab)}\r\nContent-Length: 1000\r\n\r\n{{").encode()
    sockets = []
    for _ in range(count):
        sockets.append(connect(lab, context))
        sockets[-1].sendall(half)
    return sockets


def slowest_of(lab, times=20):
    worst = 0
    for _ in range(times):
        at = time.monotonic()
        check_equal(lab.api("GET", "/api/v1/namespaces/default")[0], 200, "another client's request")
        worst = max(worst, time.monotonic() - at)
    return worst


def connections(lab, count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard < count + 200:
        print(f"  only {hard} files may be open: {hard - 200} connections", flush=True)
        count = hard - 200
    before, at = resident(lab), time.monotonic()
    sockets = stuck(lab, count)
    print(f"  {count} connections stuck in a request after {time.monotonic() - at:.1f} s", flush=True)
    grown = resident(lab) - before
    worst = slowest_of(lab)
    busy = cpu(lab)
    time.sleep(1)  # measured, not waited for: what it costs to keep them
    busy = cpu(lab) - busy
    print(f"  resident {before / MIB:.0f} MiB, and {grown / count / 1024:.1f} KiB a connection; "
          f"{busy * 100:.0f} % of a core; the slowest of 20 requests beside them took "
          f"{worst * 1000:.0f} ms", flush=True)
    check(grown < count * PER_CONNECTION_MAX, f"{grown} bytes for {count} connections")
    check(worst < 5, f"a request took {worst:.1f} s")
    for one in sockets:
        one.close()
    wait_for("room again", lambda: lab.api("GET", "/readyz")[0] == 200)


def a_watcher_that_never_reads(lab):
    context = ssl.create_default_context(cafile=os.path.join(lab.dir, "pki", "ca.crt"))
    deaf = connect(lab, context)
    deaf.sendall((f"GET /api/v1/configmaps?watch=1 HTTP/1.1\r\nHost: x\r\n"
                  f"Authorization: Bearer {token(lab)}\r\n\r\n").encode())
    heard, ready = [], threading.Event()
    follower = http.client.HTTPSConnection("127.0.0.1", lab.ports[0], context=lab._tls(), timeout=60)
    follower.request("GET", "/api/v1/namespaces/default/configmaps?watch=1&timeoutSeconds=300"
                     "&fieldSelector=metadata.name=big")
    stream = follower.getresponse()

    def follow():
        ready.set()
        for line in stream:
            heard.append(json.loads(line)["object"]["data"]["n"])
            if heard[-1] == "150":
                return
    listener = threading.Thread(target=follow, daemon=True)
    listener.start()
    ready.wait()
    before = resident(lab)
    maps = "/api/v1/namespaces/default/configmaps"
    body = {"metadata": {"name": "big"}, "data": {"n": "0", "fill": BODY}}
    check_equal(lab.api("POST", maps, body)[0], 201, "create")
    most = 0
    for n in range(1, 151):  # 30 MB of events
        body["data"]["n"] = str(n)
        check_equal(lab.api("PUT", maps + "/big", body)[0], 200, "update")
        most = max(most, resident(lab))
    listener.join(60)
    check(not listener.is_alive(), f"the watcher that reads heard {heard[-1:]} only")
    check_equal(heard, [str(n) for n in range(151)], "what the watcher that reads heard")
    print(f"  30 MB of events beside a deaf watcher: resident grew by at most "
          f"{(most - before) / MIB:.0f} MiB", flush=True)
    # The cache's ring holds 16 MiB of changes, the deaf watcher 8 MiB, the rest is the allocator's.
    check(most - before < 120 * MIB, f"{(most - before) / MIB:.0f} MiB")
    deaf.settimeout(60)
    got = 0
    try:
        while part := deaf.recv(MIB):
            got += len(part)
    except (ConnectionResetError, ssl.SSLError):
        pass
    check(got < 30 * MIB, "the deaf watcher was not cut off")
    deaf.close()


def the_way_down(lab):
    """SIGTERM: /readyz says no while the rest still works, then a watch ends in order."""
    with open(f"/proc/{lab.pid('apiserver-1')}/cmdline") as f:
        command = f.read().split("\0")[:-1]
    lab.stop("apiserver-1", signal.SIGTERM)
    wait_for("the apiserver to end", lambda: not lab.pid("apiserver-1"), 60)
    log = open(os.path.join(lab.root, "delayed.log"), "w")
    server = subprocess.Popen([*command, "--shutdown-delay-duration=3s"], stdout=log, stderr=log)
    try:
        wait_for("ready", lambda: answers(lab, "/readyz") == 200, 60)
        watch = http.client.HTTPSConnection("127.0.0.1", lab.ports[0], context=lab._tls(),
                                            timeout=60)
        watch.request("GET", "/api/v1/namespaces?watch=1&resourceVersion=0")
        stream = watch.getresponse()
        server.send_signal(signal.SIGTERM)
        wait_for("/readyz to say no", lambda: answers(lab, "/readyz") == 500, 3, 0.02)
        check_in("[-]shutdown failed: reason withheld", lab.api("GET", "/readyz")[1], "why")
        check_equal(answers(lab, "/api/v1/namespaces/default"), 200, "while it goes down")
        text = stream.read()  # an end that is not in order is an IncompleteRead
        check_in(b'"type":"ADDED"', text, "the watch")
        check_equal(server.wait(20), 0, "exit code")
    finally:
        if server.poll() is None:
            server.kill()
            server.wait()
        log.close()
    lab.up()


def answers(lab, path):
    try:
        return lab.api("GET", path)[0]
    except OSError:
        return None


def slow_clients():
    with Lab(replicas=1, nodes=1) as lab:
        a_watcher_that_never_reads(lab)
        connections(lab, options.connections)
        the_way_down(lab)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    options, sys.argv[1:] = parser.parse_known_args()
    main([slow_clients], limit=230 if options.connections <= CONNECTIONS else 900)
