#!/usr/bin/env python3
"""Every etcdctl command: three members of ours and three of Debian's etcd answer alike."""
import os
import re
import subprocess
import sys
import tempfile
import time

from cluster import check, check_equal, wait_for
from twins import ENV, talking, twins


def keys(t):
    for n, value in enumerate(("1", "2", "three", "")):
        t.same("put", f"k{n}", value)
    t.same("put", "k1", "22", "--prev-kv")
    t.same("put", "k1", "--ignore-lease", "--", "-dash")
    t.same("put", "k1", stdin="from standard input\nsecond line")
    t.same("put", "k1", "--ignore-value")
    t.same("put", "absent", "--ignore-value")
    t.same("put", "bytes", "tab\t and \\ and \"quotes\" and ü")
    t.same("put", "b", "--lease=7", "x")
    t.same("put", "", "x")
    for args in (("k1",), ("k1", "-w", "json"), ("k1", "-w", "fields"),
                 ("k1", "--hex"), ("k1", "--print-value-only"), ("k1", "--rev=3"),
                 ("k", "--prefix"), ("k", "--prefix", "--keys-only"),
                 ("k", "--prefix", "--limit=2"), ("k", "--prefix", "--limit=2", "-w", "json"),
                 ("k", "--prefix", "--rev=4", "-w", "json"), ("k1", "k3"), ("k3", "k1"),
                 ("k2", "--from-key"), ("", "--prefix"), ("", "--from-key"), ("nothing",),
                 ("k1", "--consistency=s"), ("k1", "--consistency=l"), ("k1", "--rev=999"),
                 ("k1", "--rev=-1"), ("",)):
        t.same("get", *args, on=1 if "-w" in args else "next")
    t.only_ours("get", "k1", "-w", "protobuf", out="standard input")
    for order in ("ASCEND", "DESCEND"):
        for target in ("CREATE", "KEY", "MODIFY", "VALUE", "VERSION"):
            ties = ["--limit=1"] if target == "VERSION" else []
            t.same("get", "k", "--prefix", f"--order={order}", f"--sort-by={target}", *ties)
    for args in (("k0", "--prev-kv"), ("k0",), ("k2", "k4", "-w", "json"), ("k2", "--from-key")):
        t.same("del", *args, on=0)
    for n in range(5):
        t.same("put", f"d{n}", str(n))
    t.same("del", "d", "--prefix", "--prev-kv")
    t.same("get", "", "--prefix", "-w", "json", on=2)


def transactions(t):
    t.same("put", "t", "1")
    then = "put t 2\nget t\n\nget absent\n\n"
    for compare in ('value("t") = "1"', 'version("t") > "0"', 'create("t") = "0"',
                    'mod("t") < "1000"', 'value("absent") != "x"', 'version("absent") = "0"',
                    'value("t") = "1"\nmod("t") = "1"', ""):
        t.same("txn", stdin=f"{compare}\n\n{then}")
    t.same("txn", "-i", stdin='mod("t") > "0"\n\nput t 3\n\nput t 4\n\n')
    t.same("txn", "-w", "json", on=1, stdin='mod("t") > "0"\n\ndel t --prev-kv\nput u 1\n\n\n')
    t.same("txn", "-w", "fields", on=1, stdin='\nget u\nput u 2\nget u\n\n\n')
    t.same("txn", stdin="\nput same 1\nput same 2\n\n\n")
    t.same("txn", stdin="\nput same 1\ndel s --prefix\n\n\n")
    t.same("txn", stdin="\n" + "".join(f"put many/{n} x\n" for n in range(129)) + "\n\n")
    t.same("txn", stdin="\n" + "".join(f"put many/{n} x\n" for n in range(128)) + "\n\n")


def watches(t):
    for args in (("put", "w/a", "1"), ("put", "w/b", "1"), ("put", "w/a", "2"), ("del", "w/a"),
                 ("put", "w/a", "3")):
        t.same(*args)
    first = t.ours.cluster.json("get", "w/b")["kvs"][0]["mod_revision"] - 1
    rev = f"--rev={first}"
    t.same_lines("watch", "w/a", rev, count=11)
    t.same_lines("watch", "w/a", rev, "--prev-kv", count=14)
    t.same_lines("watch", "w/", "--prefix", rev, count=14)
    t.same_lines("watch", "w/a", "w/c", rev, count=14)
    t.same_lines("watch", "w/a", rev, "--hex", count=11)
    t.same_lines("watch", "w/a", rev, "--", "sh", "-c",
                 'echo "$ETCD_WATCH_EVENT_TYPE $ETCD_WATCH_KEY $ETCD_WATCH_VALUE"', count=16)
    both = [side.lines(["watch", "-i"], 15, 2, f"watch w/a {rev}\nwatch w/b {rev}\n")
            for side in t.sides]  # the order of two watchers is free
    triples = [sorted(zip(*[iter(lines)] * 3)) for lines in both]
    check_equal(triples[0], triples[1], "watch -i of two keys")
    for side in t.sides:  # both watchers of one stream, then the revision that both have reached
        on = side.cluster.members[1]
        with talking(side.argv(["watch", "-i"], 1)) as process:
            process.stdin.write(f"watch w/a --rev={first + 4}\n")
            process.stdin.flush()
            got = [process.stdout.readline() for _ in range(3)]
            process.stdin.write("progress\n")
            process.stdin.flush()
            got.append(process.stdout.readline())
        revision = side.cluster.json("get", "w/a", on=on)["header"]["revision"]
        check_equal(got, ["PUT\n", "w/a\n", "3\n", f"progress notify: {revision}\n"],
                    "watch -i with progress, " + side.title)


def compactions(t):
    revision = t.ours.cluster.json("get", "w/b")["header"]["revision"]
    t.same("compaction", str(revision - 2))
    t.same("compaction", str(revision - 2))
    t.same("compaction", str(revision + 1000))
    t.same("compaction", "no-number")
    t.same("get", "w/b", f"--rev={revision - 3}")
    t.same("get", "w/", "--prefix", f"--rev={revision - 2}")
    t.same("watch", "w/", "--prefix", f"--rev={revision - 3}")
    t.same("compaction", "--physical", str(revision))
    t.same("get", "", "--prefix", "-w", "json", on=0)
    for on in range(3):
        t.same("defrag", on=on)
    t.same("defrag", "--cluster", sort=True)


def hashes(t):
    """At a revision above the compacted one: at that one, 3.4 refuses and 3.6 answers."""
    t.same("put", "w/b", "hashed")
    def agree():
        answers = [side.run(("endpoint", "hashkv", "--cluster"), 0) for side in t.sides]
        values = {re.findall(r", (\d+)", a["stdout"])[n] for a in answers for n in range(3)}
        return len(values) == 1
    wait_for("six equal hashes", agree, 5)
    t.same("endpoint", "hashkv", on=None, sort=True)
    revision = t.ours.cluster.json("get", "w/b")["header"]["revision"]
    t.same("endpoint", "hashkv", f"--rev={revision}", on=0)
    t.same("endpoint", "hashkv", f"--rev={revision}", "-w", "table", on=0)
    t.same("endpoint", "hashkv", "--rev=1", on=0)
    t.same("endpoint", "hashkv", "--rev=99999", on=0)


def endpoints(t):
    t.same("endpoint", "health", on=None, sort=True)
    t.same("endpoint", "health", "--cluster", on=0, sort=True)
    for write in ("table", "json"):
        got = t.only_ours("endpoint", "health", "-w", write, on=None)
        check_equal(got.count("true"), 3, "healthy members")
    got = t.only_ours("endpoint", "status", on=None).strip().split("\n")
    rows = sorted(line.split(", ") for line in got)
    check_equal([r[:3] for r in rows], [[f"CLIENT{n}", f"ID{n}", "3.6.14"] for n in (1, 2, 3)],
                "endpoint, id and version")
    check_equal(sorted(r[4] for r in rows), ["false", "false", "true"], "who leads")
    check_equal({r[5] for r in rows}, {"false"}, "who learns")
    check_equal(len({r[6] for r in rows}), 1, "the term")
    check(all(re.fullmatch(r"\d+(\.\d+)? [kM]?B", r[3]) for r in rows), f"database sizes: {got}")
    for write in ("table", "json", "fields"):
        t.only_ours("endpoint", "status", "--cluster", "-w", write, on=0, out="3.6.14")
    dead = "127.0.0.1:9"
    done = subprocess.run(["etcdctl", "--endpoints=" + dead, "--command-timeout=1s", "endpoint",
                           "health"], env=ENV, capture_output=True, text=True, timeout=20)
    check_equal(done.returncode, 1, "health of what does not run")


def leases(t):
    t.same("lease", "list")
    t.grant("L1", 100)
    t.grant("L2", 200)
    t.same("put", "leased/a", "1", "--lease={L1}")
    t.same("put", "leased/b", "2", "--lease={L1}")
    t.same("put", "leased/b", "3", "--ignore-lease")
    t.same("put", "leased/c", "1", "--lease={L2}")
    t.same("get", "leased/", "--prefix", "-w", "json", on=1)
    t.same("lease", "list", sort=True)
    t.same("lease", "timetolive", "{L1}")
    t.same("lease", "timetolive", "{L2}", "--keys")
    t.only_ours("lease", "timetolive", "{L1}", "--keys", out=r"keys\(\[leased/a leased/b\]\)")
    t.same("lease", "keep-alive", "--once", "{L1}")
    t.same("lease", "timetolive", "123abc")
    t.same("lease", "keep-alive", "--once", "123abc")
    t.same("lease", "revoke", "123abc")
    t.same("lease", "grant", "no-number")
    t.same("lease", "grant", "-w", "json", "--", "-5")
    t.same("lease", "grant", "9000000001")
    t.same("put", "leased/a", "2")
    t.same("lease", "revoke", "{L1}")
    t.same("get", "leased/", "--prefix", "--keys-only")
    t.grant("L3", 2)
    t.same("put", "short", "1", "--lease={L3}")
    t.same_lines("lease", "keep-alive", "{L3}", count=2)
    began = time.monotonic()
    for side in t.sides:
        wait_for("the short lease to end",
                 lambda c=side.cluster: c.out("get", "short") == "", 10)
    check(time.monotonic() - began > 0.5, "the short lease ended at once")
    t.same("lease", "timetolive", "{L3}", "--keys")


def locks(t):
    t.same("lock", "lk", "echo", "inside")
    t.same("lock", "lk", "--ttl=20", "sh", "-c", "test -n $ETCD_LOCK_KEY && echo locked")
    t.same("lock", "lk", "sh", "-c", "exit 3")
    for side in t.sides:
        with talking(side.argv(["lock", "lk"], 0)) as holder:
            held = holder.stdout.readline()
            check(re.fullmatch(r"lk/[0-9a-f]{12,16}\n", held), f"lock, {side.title}: {held}")
            with talking(side.argv(["lock", "lk"], 1)) as waiter:
                waits = lambda c=side.cluster: c.out("get", "lk/", "--prefix", "--keys-only")
                wait_for("the second in line", lambda: waits().count("lk/") == 2)
                holder.terminate()
                got = waiter.stdout.readline()
                check(re.fullmatch(r"lk/[0-9a-f]{12,16}\n", got) and got != held,
                      f"the second lock, {side.title}: {got}")
        wait_for("the locks to go", lambda: waits() == "")
        with talking(side.argv(["elect", "-l", "el"], 2)) as listener:
            with talking(side.argv(["elect", "el", "first"], 0)) as candidate:
                key = candidate.stdout.readline()
                check(re.fullmatch(r"el/[0-9a-f]{12,16}\n", key), f"elect, {side.title}: {key}")
                check_equal(candidate.stdout.readline(), "first\n", "the elected value")
                check_equal([listener.stdout.readline() for _ in range(2)], [key, "first\n"],
                            "what elect -l says, " + side.title)
                with talking(side.argv(["elect", "el", "second"], 1)) as next_one:
                    candidate.terminate()
                    key = next_one.stdout.readline()
                    check_equal(next_one.stdout.readline(), "second\n", "the next elected value")
                    check_equal([listener.stdout.readline() for _ in range(2)], [key, "second\n"],
                                "what elect -l says then, " + side.title)


def mirror(t):
    for n in range(20):
        t.same("put", f"source/{n:02}", str(n))
    for side in t.sides:
        c = side.cluster
        copy = lambda: c.out("get", "copy/", "--prefix").replace("copy/", "source/")
        with talking(side.argv(["make-mirror", "--prefix", "source/", "--dest-prefix", "copy/",
                                c.members[1].endpoint], 0), 60):
            wait_for("the first copy", lambda: copy() == c.out("get", "source/", "--prefix"))
            c.ctl("put", "source/new", "x")
            c.ctl("del", "source/03")
            c.ctl("put", "source/04", "changed")
            wait_for("the changes", lambda: copy() == c.out("get", "source/", "--prefix"))
            check("source/new" in copy() and "source/03" not in copy(), "the mirror: " + copy())


def alarms(t):
    t.same("alarm", "list")
    t.same("alarm", "disarm")


def space_quota(_):
    """The store is full: writes are refused until space was made and the alarm disarmed."""
    with twins(1, ["--quota-backend-bytes", str(4 << 20)]) as t:
        def put_until_refused(side):
            for n in range(200):
                got = side.run(["put", f"big{n}"], 0, "x" * 100_000)
                if got["exit code"] != 0:
                    return got
            return None
        got, want = (put_until_refused(side) for side in t.sides)
        check_equal(got, want, "a put above the quota, ours and stock etcd")
        check(got and "database space exceeded" in got["stderr"], got)
        t.same("alarm", "list")
        t.same("put", "small", "x")
        t.same("txn", stdin="\nput small x\n\n\n")
        t.same("get", "small")
        t.same("del", "absent")
        for side in t.sides:
            side.run(["del", "big", "--prefix"], 0)
            revision = side.cluster.json("get", "small")["header"]["revision"]
            side.cluster.ctl("compaction", str(revision), "--physical")
        t.same("defrag")
        t.same("alarm", "disarm")
        t.same("alarm", "list")
        t.same("put", "small", "x")


def auth(t):
    for args in (("user", "list"), ("role", "list"), ("user", "get", "nobody"),
                 ("auth", "enable"), ("auth", "disable")):
        t.same(*args)
    t.same("get", "k1", "--user=a:b")
    for args in (("user", "add", "u:p"), ("role", "add", "r"),
                 ("user", "grant-role", "u", "r"), ("user", "delete", "u"), ("role", "delete", "r"),
                 ("role", "grant-permission", "r", "read", "k")):
        t.only_ours(*args, code=1, err="Unimplemented|not supported|not found")


def snapshot(t):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "saved")
        t.only_ours("snapshot", "save", path, on=0, out="Snapshot saved at ")
        check_equal(os.path.getsize(path) % 512, 32, "size of the snapshot, modulo 512")
        check_equal(os.listdir(folder), ["saved"], "what snapshot save leaves")
        check(os.path.getsize(path) > 512, "an empty snapshot")
        t.same("snapshot", "save", path, on=None)


def leadership(t):
    for side in t.sides:
        c = side.cluster
        leader = c.wait_leader()
        other = next(m for m in c.members if m is not leader)
        target = c.status(other)["header"]["member_id"]
        got = c.out("move-leader", f"{target:x}")
        old = c.status(leader)["header"]["member_id"]
        check_equal(got, f"Leadership transferred from {old:x} to {target:x}\n",
                    "move-leader, " + side.title)
        wait_for("the new leader", lambda: c.leader() is other)
    t.same("move-leader", "123", on=None)
    for side in t.sides:
        follower = next(m for m in side.cluster.members if m is not side.cluster.wait_leader())
        done = side.cluster.ctl("move-leader", "123", on=follower, check=False)
        check_equal((done.returncode, "no leader endpoint given at" in done.stderr), (128, True),
                    f"move-leader at a follower, {side.title}: {done.stderr}")


def settled(side, *args):
    """A membership command; again while not all members were connected for five seconds."""
    def done():
        got = side.cluster.ctl(*args, check=False)
        return None if "unhealthy cluster" in got.stderr else got
    return wait_for("a cluster that is healthy for long enough", done)


def members(t):
    t.same("member", "list", on=0, sort=True)
    t.only_ours("member", "list", "-w", "table", out="IS LEARNER")
    t.only_ours("member", "list", "-w", "json", out='"peerURLs":\\["http://PEER1"\\]')
    t.same("member", "add", "m4")
    t.same("member", "remove", "123")
    t.same("member", "remove", "no-number")
    t.same("member", "promote", "123")
    t.same("member", "update", "123", "--peer-urls=http://127.0.0.1:1")
    pair = t.new_member("m4")
    for side, new in zip(t.sides, pair):
        other = side.cluster.members[0]
        twice = settled(side, "member", "add", "m4", f"--peer-urls=http://127.0.0.1:{other.peer}")
        check_equal((twice.returncode, "Peer URLs already exists" in twice.stderr), (1, True),
                    f"a URL twice, {side.title}: {twice.stderr}")
        added = settled(side, "member", "add", "m4", "--learner",
                        f"--peer-urls=http://127.0.0.1:{new.peer}").stdout
        found = re.match(r"Member +([0-9a-f]+) added to cluster +([0-9a-f]+)\n", added)
        check(found and 'ETCD_INITIAL_CLUSTER_STATE="existing"' in added,
              f"member add, {side.title}: {added}")
        side.name_id(int(found[1], 16), "4")
        new.id = found[1]
    try:
        grown_member(t, pair)
    finally:
        for new in pair:
            if new.alive():
                new.kill()


def grown_member(t, pair):
    t.same("member", "list", on=0, sort=True)
    ids = {side: new.id for side, new in zip(t.sides, pair)}

    def each(*args, **kw):
        answers = [side.run([a.replace("NEW", ids[side]) for a in args], kw.get("on", 0))
                   for side in t.sides]
        check_equal(answers[0], answers[1], f"etcdctl {' '.join(args)}, ours and stock etcd")
        return answers[0]
    each("member", "promote", "NEW")
    for side, new in zip(t.sides, pair):
        new.start()
        wait_for("the learner's name",
                 lambda s=side: re.search(r"started, m4", s.cluster.out("member", "list")))
    t.same("member", "list", on=0, sort=True)
    for side, new in zip(t.sides, pair):
        refused = side.cluster.ctl("get", "k", on=new, check=False)
        check("rpc not supported for learner" in refused.stderr,
              f"a read at the learner, {side.title}: {refused.stderr}")
        wait_for("the promotion", lambda s=side, n=new: s.cluster.ctl(
            "member", "promote", n.id, check=False).returncode == 0)
        side.cluster.wait_ready([new])
    each("member", "promote", "NEW")
    t.same("member", "list", on=0, sort=True)
    for side, new in zip(t.sides, pair):
        url = f"http://127.0.0.1:{new.peer},http://localhost:{new.peer}"
        got = side.run(["member", "update", new.id, "--peer-urls=" + url], 0)
        check_equal(got["stdout"], "Member ID4 updated in cluster CLUSTER\n",
                    "member update, " + side.title)
        side.names += [(f"localhost:{new.peer}", "LOCAL4")]
    t.same("member", "list", on=0, sort=True)
    each("member", "remove", "NEW")
    t.same("member", "list", on=0, sort=True)
    each("member", "remove", "NEW")
    t.same("put", "after-removal", "1")


def local_commands(t):
    for args in (("version",), ("completion", "bash"), ("completion", "zsh"), ("help",)):
        t.only_ours(*args, out="etcdctl")
    t.same("nonsense")
    t.same("put")
    t.same("get")


ALL = [keys, transactions, watches, compactions, hashes, endpoints, leases, locks, mirror, alarms,
       space_quota, auth, snapshot, leadership, local_commands, members]


def main():
    wanted = sys.argv[1:]
    with twins() as t:
        for test in ALL:
            if wanted and test.__name__ not in wanted:
                continue
            began = time.monotonic()
            test(t)
            print(f"ok {test.__name__} ({time.monotonic() - began:.1f} s)", flush=True)


if __name__ == "__main__":
    main()
