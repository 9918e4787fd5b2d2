"""Two clusters of three, ours and Debian's etcd, that are given the same etcdctl commands.

`Twins.same` demands the same exit code and the same words of both. What must differ (ids, ports,
lease ids, terms, times) is replaced by names before the comparison; revisions are not.
"""
import contextlib
import os
import re
import subprocess
import threading

from cluster import Member, check, check_equal, free_ports, running

ENV = dict(os.environ, ETCDCTL_API="3")
STOCK_FLAGS = ["--log-level", "error", "--logger", "zap"]


@contextlib.contextmanager
def twins(size=3, extra=()):
    with running(size, extra=extra) as ours, \
            running(size, program="etcd", extra=STOCK_FLAGS + list(extra)) as stock:
        yield Twins(ours, stock)


class Side:
    """One of the two: its cluster, and the names of what differs."""

    def __init__(self, title, cluster):
        self.title, self.cluster, self.leases, self.names = title, cluster, {}, []
        cluster.wait_leader()
        for m in cluster.members:
            self.name_member(m)
        cluster_id = cluster.status(cluster.members[0])["header"]["cluster_id"]
        self.names += [(f"{cluster_id:x}", "CLUSTER"), (str(cluster_id), "CLUSTER")]

    def name_member(self, member):
        number = member.name[1:]
        self.names += [(member.endpoint, "CLIENT" + number),
                       (f"127.0.0.1:{member.peer}", "PEER" + number)]
        status = self.cluster.status(member)
        if status:
            self.name_id(status["header"]["member_id"], number)

    def name_id(self, number, name):
        self.names += [(f"{number:x}", "ID" + name), (str(number), "ID" + name)]

    def words(self, text):
        for name, lease in self.leases.items():
            text = text.replace(f"{lease:016x}", name).replace(f"{lease:x}", name)
            text = text.replace(str(lease), name)
        for real, name in self.names:  # etcdctl pads some ids to sixteen places, and not others
            padded = r"( ?) *(?<![0-9a-f])" if name.startswith(("ID", "CLUSTER")) else "()"
            text = re.sub(padded + re.escape(real), r"\1" + name, text)
        for pattern, name in ((r"took = \S+", "took = TIME"), (r"remaining\(\d+s\)", "remaining"),
                              (r'"raft_term":\d+', '"raft_term":TERM'),
                              (r'"RaftTerm" : \d+', '"RaftTerm" : TERM'),
                              (r'"ID":\d{12,}', '"ID":ANY-ID'), (r" *\b[0-9a-f]{12,16}\b", " ANY-ID")):
            text = re.sub(pattern, name, text)
        return text

    def argv(self, args, on):
        members = self.cluster.members
        endpoints = self.cluster.endpoints if on is None else members[on].endpoint
        fill = {k: f"{v:x}" for k, v in self.leases.items()}
        args = [a.format(**fill) if a.startswith(("{", "--lease={")) else a for a in args]
        return ["etcdctl", "--endpoints=" + endpoints, *args]

    def run(self, args, on, stdin=None):
        done = subprocess.run(self.argv(args, on), env=ENV, input=stdin or "", encoding="utf-8",
                              errors="replace", capture_output=True, timeout=30)
        errors = [line for line in done.stderr.split("\n") if not line.startswith('{"level"')]
        return {"exit code": done.returncode, "stdout": self.words(done.stdout),
                "stderr": self.words("\n".join(errors))}

    def lines(self, args, count, on, stdin=None):
        """The first `count` lines a command prints that does not end by itself."""
        with talking(self.argv(args, on)) as process:
            if stdin:
                process.stdin.write(stdin)
                process.stdin.flush()
            got = [self.words(process.stdout.readline()) for _ in range(count)]
        check(got[-1], f"etcdctl {' '.join(args)}, {self.title}: only {got}, not {count} lines")
        return got


@contextlib.contextmanager
def talking(argv, seconds=20):
    """A process with pipes; ended with the block, and after `seconds` in any case."""
    process = subprocess.Popen(argv, env=ENV, text=True, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    limit = threading.Timer(seconds, process.kill)
    limit.start()
    try:
        yield process
    finally:
        process.terminate()
        process.wait(10)
        limit.cancel()


class Twins:
    def __init__(self, ours, stock):
        self.ours, self.stock = Side("ours", ours), Side("stock", stock)
        self.sides, self.count = (self.ours, self.stock), 0

    def next_member(self):
        self.count += 1
        return self.count % len(self.ours.cluster.members)

    def same(self, *args, on="next", stdin=None, sort=False):
        """Both answer alike; what ours printed. `sort`: the order of lines is free."""
        on = self.next_member() if on == "next" else on
        got, want = (side.run(args, on, stdin) for side in self.sides)
        if sort:
            for answer in (got, want):
                answer["stdout"] = sorted(answer["stdout"].split("\n"))
                answer["stderr"] = sorted(answer["stderr"].split("\n"))
        check_equal(got, want, f"etcdctl {' '.join(args)} at member {on}, ours and stock etcd")
        return got["stdout"]

    def same_lines(self, *args, count, stdin=None):
        on = self.next_member()
        got, want = (side.lines(args, count, on, stdin) for side in self.sides)
        check_equal(got, want, f"etcdctl {' '.join(args)} at member {on}, ours and stock etcd")
        return got

    def grant(self, name, seconds):
        """A lease on each side, from now on called `name` in commands ({name}) and answers."""
        on = self.next_member()
        for side in self.sides:
            got = subprocess.run(side.argv(["lease", "grant", str(seconds)], on), env=ENV,
                                 capture_output=True, text=True, timeout=20)
            found = re.fullmatch(rf"lease ([0-9a-f]{{16}}) granted with TTL\({seconds}s\)\n",
                                 got.stdout)
            check(found, f"lease grant, {side.title}: {got.stdout}{got.stderr}")
            side.leases[name] = int(found[1], 16)

    def only_ours(self, *args, code=0, out=None, err=None, on="next", stdin=None):
        """What stock cannot be compared with: exit code and words are given here."""
        on = self.next_member() if on == "next" else on
        got = self.ours.run(args, on, stdin)
        check_equal(got["exit code"], code, f"etcdctl {args}: exit code ({got})")
        if out is not None:
            check(re.search(out, got["stdout"]), f"etcdctl {args}: no {out!r} in {got['stdout']!r}")
        if err is not None:
            check(re.search(err, got["stderr"]), f"etcdctl {args}: no {err!r} in {got['stderr']!r}")
        return got["stdout"]

    def new_member(self, name):
        """A member for each side that joins when started; ours first."""
        made = []
        for side in self.sides:
            c, (client, peer) = side.cluster, free_ports(2)
            joins = f"{c.initial},{name}=http://127.0.0.1:{peer}"
            made.append(Member(c, name, client, peer, joins))
            side.names += [(made[-1].endpoint, "CLIENT" + name[1:]),
                           (f"127.0.0.1:{peer}", "PEER" + name[1:])]
        return made
