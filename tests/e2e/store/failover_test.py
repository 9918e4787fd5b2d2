#!/usr/bin/env python3
"""What survives: the leader killed under load, all killed, no quorum, a member far behind."""
import re
import signal
import threading
import time

from cluster import check, check_equal, main, running, wait_for


class Load:
    """Writers that put distinct keys and remember what was acknowledged, and when."""

    def __init__(self, cluster, writers=4):
        self.cluster, self.acked, self.stop = cluster, [], threading.Event()
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.write, args=(i,)) for i in range(writers)]
        for t in self.threads:
            t.start()

    def write(self, writer):
        n = 0
        while not self.stop.is_set():
            n += 1
            key, members = f"load/{writer}/{n}", [m for m in self.cluster.members if m.alive()]
            if not members:
                continue
            member = members[(writer + n) % len(members)]
            done = self.cluster.ctl("--command-timeout=9s", "put", key, str(n), on=member,
                                    check=False)
            if done.returncode == 0:
                with self.lock:
                    self.acked.append((time.monotonic(), key, str(n)))

    def finish(self):
        self.stop.set()
        for t in self.threads:
            t.join()

    def check_nothing_lost(self):
        lines = self.cluster.out("get", "--prefix", "load/").split("\n")
        stored = dict(zip(lines[::2], lines[1::2]))
        lost = [k for _, k, v in self.acked if stored.get(k) != v]
        check_equal(lost, [], "acknowledged writes that are gone")
        return len(self.acked)


def test_leader_killed_under_load():
    with running(3) as c:
        for round_number in (1, 2):
            leader = c.wait_leader()
            load = Load(c)
            wait_for("some writes", lambda: len(load.acked) > 20)
            leader.kill()
            killed = time.monotonic()
            c.wait_leader()
            wait_for("writes after the election",
                     lambda: any(at > killed + 0.05 for at, _, _ in list(load.acked)))
            first = min(at for at, _, _ in load.acked if at > killed + 0.05) - killed
            load.finish()
            gaps = [int(g) for m in c.members if m is not leader
                    for g in re.findall(r"no leader known for (\d+) ms", m.log())[-1:]]
            count = load.check_nothing_lost()
            print(f"   round {round_number}: leader killed; first acknowledged write after "
                  f"{first:.2f} s (survivors knew no leader for {max(gaps)} ms); "
                  f"{count} acknowledged writes, none lost")
            check(first < 4, "the failover took too long")
            leader.start()
            c.wait_ready([leader])


def test_leaderless_time():
    with running(3) as c:
        for _ in range(3):
            leader = c.wait_leader()
            leader.kill()
            killed = time.time()
            survivors = [m for m in c.members if m is not leader]
            new = wait_for("a new leader", c.leader)
            # The log line's time is when the new leader knew it.
            stamp = re.findall(r"T\d\d:\d\d:(\d\d\.\d+)Z.*\(this one\) leads", new.log())[-1]
            leaderless = (float(stamp) - killed % 60) % 60
            print(f"   leaderless for {leaderless:.2f} s")
            check(leaderless < 2.0, f"leaderless for {leaderless} s")
            leader.start()
            c.wait_ready([leader])
            check(all(m.alive() for m in survivors), "a survivor died")


def test_graceful_stop_hands_over():
    with running(3) as c:
        leader = c.wait_leader()
        check_equal(leader.kill(signal.SIGTERM), 0, "exit code")
        check("handing leadership" in leader.log(), "no hand-over in the log")
        began = time.monotonic()
        c.wait_leader()
        check(time.monotonic() - began < 1.0, "the hand-over took as long as an election")


def test_all_killed():
    with running(3) as c:
        load = Load(c)
        wait_for("some writes", lambda: len(load.acked) > 40)
        load.stop.set()
        for m in c.members:
            m.kill()
        load.finish()
        c.start()
        load.check_nothing_lost()
        revision = c.json("put", "after", "1")["header"]["revision"]
        check(revision > len(load.acked), "the revision went back")
        hashes = lambda: {s["HashKV"]["hash"] for s in c.json("endpoint", "hashkv")}
        wait_for("equal hashes", lambda: len(hashes()) == 1)


def test_no_quorum():
    with running(3) as c:
        c.ctl("put", "k", "v")
        leader = c.wait_leader()
        others = [m for m in c.members if m is not leader]
        for m in others:
            m.kill()
        began = time.monotonic()
        failed = c.ctl("--command-timeout=12s", "put", "k", "w", on=leader, check=False)
        took = time.monotonic() - began
        check(failed.returncode != 0 and "request timed out" in failed.stderr, failed.stderr)
        check(5 < took < 9, f"the error took {took} s")
        check_equal(c.out("get", "k", "--consistency=s", on=leader), "k\nv\n", "serializable read")
        watch = c.ctl("--command-timeout=3s", "lease", "keep-alive", "--once", "1", on=leader,
                      check=False)
        check(watch.returncode != 0, "keep-alive without a quorum")
        others[0].start()
        wait_for("service", lambda: c.ctl("put", "k", "x", on=leader, check=False).returncode == 0)
        check_equal(c.out("get", "k", on=others[0]), "k\nx\n", "the member that returned")


def test_far_behind():
    """A member that missed more than the log keeps gets the whole state, and watchers go on."""
    with running(3, extra=["--snapshot-count", "20"]) as c:
        leader = c.wait_leader()
        away = next(m for m in c.members if m is not leader)
        away.kill()
        for i in range(120):
            c.ctl("put", f"k{i % 50}", str(i), on=leader)
        lease = c.out("lease", "grant", "300", on=leader).split()[1]
        c.ctl("put", "leased", "x", "--lease=" + lease, on=leader)
        away.start()
        c.wait_ready([away])
        wait_for("the installation", lambda: "installing the leader's state" in away.log())
        check_equal(c.out("get", "k19", "--consistency=s", on=away), "k19\n119\n", "its own state")
        check("leased" in c.out("lease", "timetolive", lease, "--keys", on=away), "its leases")
        hashes = lambda: {s["HashKV"]["hash"] for s in c.json("endpoint", "hashkv")}
        wait_for("equal hashes", lambda: len(hashes()) == 1)
        away.kill()
        away.start()
        c.wait_ready([away])
        check_equal(c.out("get", "k19", on=away), "k19\n119\n", "after a restart")


if __name__ == "__main__":
    main([test_leader_killed_under_load, test_leaderless_time, test_graceful_stop_hands_over,
          test_all_killed, test_no_quorum, test_far_behind])
