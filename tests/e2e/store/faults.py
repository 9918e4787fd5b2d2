#!/usr/bin/env python3
"""Real processes, real faults, under a load whose history is checked: faults.py [TEST] [--kills N].

After each test: the history is linearizable, no acknowledged write is lost, all members hold the
same (HashKV), and every watcher was told each revision once. Exit code 77: a fault that this
machine does not permit was left out.
"""
import argparse
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import time

from cluster import check, check_equal, running, wait_for
from load import loaded
from namespaces import NetworkLab, full_disk_folder, may_mount, may_partition
from segment import flip, last_segment, tear

SKIPPED = 77
LEADS = re.compile(r"T(\d\d):(\d\d):(\d\d\.\d+)Z.*\(this one\) leads")


def led_since(member):
    """The time of day (UTC) of the last line in which a member says that it leads now."""
    hours, minutes, seconds = LEADS.findall(member.log())[-1]
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def kill_leaders(kills):
    leaderless, moments = [], []
    with running(3) as c:
        with loaded(c) as load:
            for _ in range(kills):
                leader = c.wait_leader()
                load.wait_writes()
                killed = time.time() % 86400
                moments.append(time.monotonic_ns())
                leader.kill()
                rest = [m for m in c.members if m is not leader]
                new = c.wait_leader(rest)
                leaderless.append((led_since(new) - killed) % 86400)
                load.wait_writes(5, rest)
                leader.start()
                c.wait_ready([leader])
        writes = load.first_writes_after(moments)
    print(f"   {kills} kills of the leader; leaderless: median {statistics.median(leaderless):.2f} s,"
          f" worst {max(leaderless):.2f} s; first write done after the kill: median"
          f" {statistics.median(writes):.2f} s, worst {max(writes):.2f} s", flush=True)
    check(statistics.median(leaderless) < 2.5, "leaderless for too long")


def kill_followers(kills):
    with running(3) as c, loaded(c) as load:
        for n in range(max(3, kills // 2)):
            leader = c.wait_leader()
            follower = [m for m in c.members if m is not leader][n % 2]
            load.wait_writes()
            follower.kill()
            load.wait_writes(20, [leader])
            check_equal(c.leader([leader]), leader, "who leads with a follower gone")
            follower.start()
            c.wait_ready([follower])


def kill_all(kills):
    """All members at once, as when the power fails."""
    with running(3) as c, loaded(c) as load:
        for _ in range(max(3, kills // 3)):
            load.wait_writes()
            for m in c.members:
                m.process.send_signal(signal.SIGKILL)
            for m in c.members:
                m.process.wait(20)
            for m in random.sample(c.members, 3):
                m.start()
            c.wait_ready()


def stop_leader(kills):
    """The leader sleeps through an election, wakes, and must not answer from what it knew."""
    with running(3) as c, loaded(c) as load:
        for _ in range(max(3, kills // 3)):
            leader = c.wait_leader()
            load.wait_writes()
            leader.process.send_signal(signal.SIGSTOP)
            rest = [m for m in c.members if m is not leader]
            try:
                c.wait_leader(rest)
                load.wait_writes(20, rest)
            finally:
                leader.process.send_signal(signal.SIGCONT)
            c.wait_ready([leader])
            check(c.status(leader)["leader"] != c.status(leader)["header"]["member_id"],
                  "the woken leader still thinks it leads")


def chaos(kills):
    """Any of it in any order, with a log so short that who was away gets the whole state."""
    seed = os.environ.get("SEED", str(random.randrange(10**6)))
    print(f"   SEED={seed}", flush=True)
    rng = random.Random(seed)
    with running(3, extra=["--snapshot-count", "40"]) as c, \
            loaded(c, "--rate", "400", "--seed", str(rng.randrange(10**6))) as load:
        for _ in range(kills):
            one, other, third = rng.sample(c.members, 3)
            what = rng.choice(["kill", "kill", "stop", "stop", "end", "no quorum", "stop and kill"])
            if what == "stop":
                one.process.send_signal(signal.SIGSTOP)
            else:
                one.kill(signal.SIGTERM if what == "end" else signal.SIGKILL)
            try:
                if what == "no quorum":
                    other.kill()
                    other.start()
                elif what == "stop and kill":
                    other.process.send_signal(signal.SIGSTOP)
                else:
                    load.wait_writes(rng.randrange(5, 200), [other, third])
            finally:
                for m in c.members:
                    if m.alive():
                        m.process.send_signal(signal.SIGCONT)
                    else:
                        m.start()
            c.wait_ready()
            load.wait_writes(rng.randrange(1, 30))
        installed = sum(m.log().count("installing the leader's state") for m in c.members)
        print(f"   {kills} faults, {installed} times the whole state was sent", flush=True)


def partitions(kills):
    """Clients reach every member all the time; members do not reach each other."""
    if not may_partition():
        return "network namespaces are not permitted here"
    with NetworkLab(3) as net, running(3, prepare=net.prepare) as c, loaded(c) as load:
        number = {m: n for n, m in enumerate(c.members)}

        def rest_of(one):
            return [m for m in c.members if m is not one]

        def wait_other(leader):
            found = c.wait_leader(rest_of(leader))
            load.wait_writes(20, rest_of(leader))
            return found

        leader = c.wait_leader()  # 1: alone, with clients
        load.wait_writes()
        for other in rest_of(leader):
            net.cut(number[leader], number[other])
            net.cut(number[other], number[leader])
        wait_other(leader)
        net.heal()
        c.wait_ready()

        leader = c.wait_leader()  # 2: it hears, but is not heard
        load.wait_writes()
        for other in rest_of(leader):
            net.cut(number[leader], number[other])
        wait_other(leader)
        net.heal()
        c.wait_ready()

        leader = c.wait_leader()  # 3: it is heard, but hears nothing, and must not lead for ever
        load.wait_writes()
        for other in rest_of(leader):
            net.cut(number[other], number[leader])
        wait_other(leader)
        net.heal()
        c.wait_ready()

        leader = c.wait_leader()  # 4: one of two followers is cut off: nothing happens
        cut_off = rest_of(leader)[0]
        term = c.status(leader)["raftTerm"]
        net.cut(number[leader], number[cut_off])
        net.cut(number[cut_off], number[leader])
        for _ in range(3):
            load.wait_writes(100, [leader])
        net.heal()
        c.wait_ready()
        check_equal((c.leader(), c.status(leader)["raftTerm"]), (leader, term),
                    "leader and term after one follower was cut off")
    return None


def full_disk(kills):
    """The disk of one member is full: it ends and says why, and comes back when there is room."""
    if not may_mount():
        return "mounting a tmpfs is not permitted here (store_startup has a file size limit)"
    with full_disk_folder("12m") as (folder, grow):
        def prepare(c):
            c.members[0].data_dir = os.path.join(folder, "data")
        with running(3, prepare=prepare) as c, loaded(c, "--pad", "40000") as load:
            small = c.members[0]
            wait_for("the end of the member", lambda: not small.alive(), 60)
            check_equal(small.process.returncode, 1, "its exit code")
            check("No space left on device" in small.log(), small.log()[-2000:])
            load.wait_writes(20, c.members[1:])
            small.start()  # still full: whatever it does, it must not harm its data
            wait_for("an end or service", lambda: not small.alive() or c.ctl(
                "get", "x", on=small, check=False).returncode == 0, 30)
            if small.alive():
                small.kill()
            grow("200m")
            small.start()
            c.wait_ready([small])
            load.wait_writes()
    return None


def damage(kills):
    """A torn last record is cut back; damage before it is refused, with file and offset."""
    with running(3) as c, loaded(c) as load:
        load.wait_writes(100)
        for m in c.members:
            m.kill()
        torn, damaged, _ = c.members
        tear(last_segment(torn.data_dir))
        path = last_segment(damaged.data_dir)
        offset, whole = flip(path)
        with open(path, "rb") as f:
            flipped = f.read()
        damaged.start()
        check_equal(damaged.process.wait(20), 2, "exit code of the damaged member")
        check(f"{os.path.basename(path)}: damaged at offset {offset}:" in damaged.log(),
              f"record at {offset}: {damaged.log()[-2000:]}")
        with open(path, "rb") as f:
            check(f.read() == flipped, "the refused start changed the file")
        torn.start()
        c.members[2].start()
        c.wait_ready([torn, c.members[2]])
        load.wait_writes(20, [torn])
        with open(path, "wb") as f:
            f.write(whole)
        damaged.start()
        c.wait_ready([damaged])
        torn.kill()
        check(b"torn torn" not in read_log(torn), "what was torn is still in the log")
        torn.start()
        c.wait_ready([torn])


def read_log(member):
    with open(last_segment(member.data_dir), "rb") as f:
        return f.read()


TESTS = [kill_leaders, kill_followers, kill_all, stop_leader, chaos, partitions, full_disk, damage]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tests", nargs="*", choices=[t.__name__ for t in TESTS] + [[]])
    parser.add_argument("--kills", type=int, default=10, help="how often the leader is killed")
    args = parser.parse_args()
    skipped = False
    for test in TESTS:
        if args.tests and test.__name__ not in args.tests:
            continue
        began = time.monotonic()
        why_not = test(args.kills)
        skipped = skipped or bool(why_not)
        print(f"skipped {test.__name__}: {why_not}" if why_not else
              f"ok {test.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
    sys.exit(SKIPPED if skipped else 0)


if __name__ == "__main__":
    main()
