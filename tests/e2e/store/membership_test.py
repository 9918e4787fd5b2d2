#!/usr/bin/env python3
"""The membership through Debian's etcdctl: add, learners, promote, update, remove, and refusals."""
import re
import signal
import subprocess

from cluster import (KVSTORE, Cluster, Member, check, check_equal, free_ports, main, running,
                     wait_for)


def url_of(member):
    return f"http://127.0.0.1:{member.peer}"


def new_member(c, name):
    client, peer = free_ports(2)
    return Member(c, name, client, peer)


def joined(c, member):
    """Its --initial-cluster: who there is, and itself."""
    names = {m.peer: m.name for m in c.members + [member]}
    urls = [u for m in c.json("member", "list")["members"] for u in m["peerURLs"]]
    return ",".join(f"{names[int(u.rsplit(':', 1)[1])]}={u}" for u in urls)


def add(c, member, *flags, on=None):
    """`member add`, and the flags the new member is to be started with."""
    done = c.ctl("member", "add", member.name, "--peer-urls=" + url_of(member), *flags, on=on)
    check("added to cluster" in done.stdout, done.stdout)
    member.joins = joined(c, member)
    return re.search(r"Member\s+([0-9a-f]+) added", done.stdout).group(1)


def grow(c, name, on=None):
    """Adds a voter, starts it, and waits until it serves and votes."""
    member = new_member(c, name)
    add(c, member, on=on)
    member.start()
    c.members.append(member)
    c.wait_ready([member])
    wait_for("its vote", lambda: "votes from now on" in "".join(m.log() for m in c.members))
    return member


def ids(c, on=None):
    return {m.get("name", ""): f"{m['ID']:x}" for m in
            c.json("member", "list", on=on)["members"]}


def refused(c, *args, text, on=None):
    done = c.ctl(*args, on=on, check=False)
    check(done.returncode != 0 and text in done.stderr, f"{args}: {text!r} not in {done.stderr!r}")


def wait_noticed(c, on):
    """Until the leader misses somebody. An address that is taken is refused in any case."""
    wait_for("the silence to be noticed", lambda: "unhealthy cluster" in c.ctl(
        "member", "add", "x", "--peer-urls=" + url_of(on), on=on, check=False).stderr)


def hashes(c):
    return {s["HashKV"]["hash"] for s in c.json("endpoint", "hashkv")}


def test_grow_and_shrink():
    with running(1) as c:
        c.ctl("put", "a", "1")
        refused(c, "member", "remove", ids(c)["m1"], text="not enough started members")
        m2 = new_member(c, "m2")
        add(c, m2)
        check_equal(c.out("member", "list").count("unstarted"), 1, "member list")
        c.ctl("put", "b", "2")  # nothing waits for it
        m3 = new_member(c, "m3")
        refused(c, "member", "add", "m3", "--peer-urls=" + url_of(m3),
                text="re-configuration failed due to not enough started members")
        m2.start()
        c.members.append(m2)
        c.wait_ready([m2])
        check_equal(c.out("get", "a", on=m2), "a\n1\n", "what was there before")
        grow(c, "m3", on=m2)
        wait_for("equal hashes", lambda: len(hashes(c)) == 1)
        check_equal(c.out("member", "list").count("started"), 3, "member list")
        check_equal(len({tuple(sorted(ids(c, on=m).items())) for m in c.members}), 1,
                    "all members tell the same")
        # The leader goes; the others carry on, and it ends by itself.
        leader = c.wait_leader()
        leader_args = leader.args()
        rest = [m for m in c.members if m is not leader]
        check("removed from cluster" in
              c.out("member", "remove", ids(c)[leader.name], on=rest[0]), "member remove")
        wait_for("its end", lambda: not leader.alive())
        check_equal(leader.process.returncode, 0, "exit code")
        check("was removed from the cluster" in leader.log(), leader.log())
        c.members = rest
        c.wait_leader()
        c.ctl("put", "c", "3")
        again = subprocess.run(leader_args, capture_output=True, text=True, timeout=20)
        check(again.returncode == 2 and "was removed" in again.stderr, again.stderr)
        for m in rest:
            m.kill()
        for m in rest:
            m.start()
        c.wait_ready()
        check_equal(c.out("get", "c"), "c\n3\n", "after a restart of all")


def test_learner():
    with running(3) as c:
        learner = new_member(c, "m4")
        member_id = add(c, learner, "--learner")
        refused(c, "member", "promote", member_id,
                text="can only promote a learner member which is in sync with leader")
        learner.start()
        wait_for("it to follow", lambda: (c.status(learner) or {}).get("leader"))
        check(c.status(learner).get("isLearner"), "isLearner")
        c.ctl("put", "a", "1")
        wait_for("the key", lambda: c.out("get", "a", "--consistency=s", on=learner) == "a\n1\n")
        text = "rpc not supported for learner"
        for args in (("get", "a"), ("put", "a", "2"), ("lease", "list"), ("member", "list"),
                     ("lease", "keep-alive", "--once", "77")):
            refused(c, *args, text=text, on=learner)
        watch = subprocess.run(["timeout", "5", "etcdctl", "--endpoints=" + learner.endpoint,
                                "watch", "a"], capture_output=True, text=True,
                               env={"ETCDCTL_API": "3", "PATH": "/usr/bin:/bin"})
        check(text in watch.stderr + watch.stdout, "watch: " + watch.stderr + watch.stdout)
        c.ctl("snapshot", "save", c.dir + "/snapshot", on=learner)
        other = new_member(c, "m5")
        refused(c, "member", "add", "m5", "--learner", "--peer-urls=" + url_of(other),
                text="too many learner members in cluster")
        refused(c, "member", "promote", ids(c)["m1"], text="can only promote a learner member")
        refused(c, "member", "promote", "77", text="member not found")
        check("promoted in cluster" in c.out("member", "promote", member_id, on=c.members[1]),
              "member promote")
        c.members.append(learner)
        check_equal(c.out("get", "a", on=learner), "a\n1\n", "get at the new voter")
        check_equal(c.json("member", "list")["members"].count("isLearner"), 0, "member list")


def test_refusals():
    with running(3) as c:
        known = ids(c)
        taken = url_of(c.members[1])
        for m in c.members:
            refused(c, "member", "add", "x", "--peer-urls=" + taken, on=m,
                    text="Peer URLs already exists")
            refused(c, "member", "remove", "77", on=m, text="member not found")
            refused(c, "member", "update", known["m1"], "--peer-urls=" + taken, on=m,
                    text="Peer URLs already exists")
            refused(c, "member", "update", "77", "--peer-urls=http://127.0.0.1:1", on=m,
                    text="member not found")
        dead = c.members[2]
        if c.wait_leader() is dead:
            c.ctl("move-leader", known["m1"])
            wait_for("the leader", lambda: c.leader() is c.members[0])
        dead.kill()
        extra = "http://127.0.0.1:1"
        wait_noticed(c, c.members[0])
        refused(c, "member", "add", "x", "--learner", "--peer-urls=" + extra, on=c.members[0],
                text="unhealthy cluster")
        refused(c, "member", "add", "x", "--peer-urls=" + extra, on=c.members[1],
                text="unhealthy cluster")
        refused(c, "member", "remove", known["m2"], on=c.members[0], text="unhealthy cluster")
        c.ctl("member", "remove", known["m3"], on=c.members[0])
        # It was dead when it was removed: it is told when it comes back.
        dead.start()
        wait_for("its end", lambda: not dead.alive())
        check("was removed from the cluster" in dead.log(), dead.log())
        check_equal(dead.process.returncode, 0, "exit code")


def test_update():
    """A member moves to another peer port."""
    with running(3) as c:
        moved = c.members[2]
        member_id = ids(c)["m3"]
        moved.kill(15)
        moved.peer = free_ports(1)[0]
        c.ctl("member", "update", member_id, "--peer-urls=" + url_of(moved), on=c.members[0])
        check(url_of(moved) in c.out("member", "list", on=c.members[1]), "member list")
        moved.start()
        c.wait_ready([moved])
        check_equal(ids(c)["m3"], member_id, "its id")
        c.members[0].kill()
        wait_for("a leader", lambda: c.leader())
        c.ctl("put", "a", "1", on=moved)
        c.members[0].start()
        c.wait_ready()


def test_unknown_leader():
    """Who comes back finds a leader that it has never heard of, and has to answer it."""
    with running(3, extra=["--heartbeat-interval=200", "--election-timeout=3000"]) as c:
        leader = c.wait_leader()
        away = next(m for m in c.members if m is not leader)
        rest = [m for m in c.members if m is not away]
        fourth = new_member(c, "m4")
        away.process.send_signal(signal.SIGSTOP)  # not silent for long enough to be missed
        add(c, fourth, on=leader)
        away.kill()
        fourth.start()
        c.wait_ready([fourth])
        wait_for("its vote", lambda: "votes from now on" in leader.log())
        c.ctl("move-leader", f"{c.status(fourth)['header']['member_id']:x}", on=leader)
        c.members.append(fourth)
        wait_for("the new leader", lambda: c.leader() is fourth)
        c.ctl("put", "a", "1", on=fourth)
        away.start()
        c.wait_ready([away])
        check_equal(c.out("get", "a", on=away), "a\n1\n", "get at the one that was away")
        check("m4" in ids(c, on=away), "its member list")
        rest[0].kill()
        c.ctl("put", "b", "2", on=away)  # its answers count: three of four


def test_removed_learner():
    """A learner that was away when it was removed is told, too, though it never asks for votes."""
    with running(1, extra=["--heartbeat-interval=50", "--election-timeout=300"]) as c:
        learner = new_member(c, "m2")
        member_id = add(c, learner, "--learner")
        learner.start()
        wait_for("it to follow", lambda: (c.status(learner) or {}).get("leader"))
        learner.kill()
        c.ctl("member", "remove", member_id)
        learner.start()
        wait_for("its end", lambda: not learner.alive())
        check("was removed from the cluster" in learner.log(), learner.log())


def test_wrong_starts():
    """A new member with flags that do not fit, and one that lost its disk."""
    with running(3) as c:
        def start_refused(member, *texts):
            done = subprocess.run(member.args(), capture_output=True, text=True, timeout=40)
            check_equal(done.returncode, 2, "exit code: " + done.stderr)
            for text in texts:
                check(text in done.stderr, f"{text!r} is not in {done.stderr!r}")
        stranger = new_member(c, "m4")
        stranger.joins = c.initial + ",m4=" + url_of(stranger)
        start_refused(stranger, "--initial-cluster", "member count is unequal")
        add(c, stranger)
        right = stranger.joins
        stranger.joins = right.replace(url_of(c.members[0]), "http://127.0.0.1:1")
        start_refused(stranger, "unmatched member while checking PeerURLs")
        stranger.joins = "m4=" + url_of(stranger)
        start_refused(stranger, "nobody else to ask")
        a, b = free_ports(2)
        stranger.joins = f"x=http://127.0.0.1:{a},y=http://127.0.0.1:{b},m4={url_of(stranger)}"
        start_refused(stranger, "cannot fetch cluster info from peer urls")
        stranger.joins = right
        stranger.start()
        c.members.append(stranger)
        c.wait_ready([stranger])
        # With an empty disk it would vote twice.
        lost = c.members[1]
        lost.kill()
        lost.data_dir += "-lost"
        start_refused(lost, "has already been bootstrapped", "member remove")
        lost.joins = right
        start_refused(lost, "has already been bootstrapped")


def test_another_cluster():
    """A member whose peers' addresses belong to another cluster by now: refused, said, no harm."""
    with running(1) as other:
        c = Cluster(3, token="mine")
        try:
            c.members[2].peer = other.members[0].peer
            for m in c.members[:2]:
                m.start()
            c.wait_ready(c.members[:2])
            c.ctl("put", "a", "1", on=c.members[0])
            wait_for("the refusal", lambda: any("refuses us: etcdserver: cluster ID mismatch"
                                                in m.log() for m in c.members[:2]))
            check_equal(other.out("get", "a"), "", "the other cluster")
            check_equal(other.out("member", "list").count("started"), 1, "its members")
        finally:
            c.close()


if __name__ == "__main__":
    check(KVSTORE, "no program")
    main([test_grow_and_shrink, test_learner, test_refusals, test_update, test_unknown_leader,
          test_removed_learner, test_wrong_starts, test_another_cluster])
