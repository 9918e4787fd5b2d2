#!/usr/bin/env python3
"""`coracle demo failover` tells who was killed and elected, how long there was no leader, that the
rollout went on and that nothing was lost; the rest of the coracle program says what is wrong."""
import re

from lab import Lab, check, check_equal, check_in, main


def story():
    with Lab(replicas=3, nodes=3) as lab:
        done = lab.coracle("demo", "failover", timeout=150)
        check_equal(done.returncode, 0, "exit code: " + done.stdout + done.stderr)
        print(done.stdout, end="", flush=True)
        killed = re.search(r"SIGKILL to (kvstore-\d), the leader of term (\d+); the rollout has "
                           r"(\d+) of (\d+) new replicas", done.stdout)
        check(killed, "who was killed")
        check(0 < int(killed[3]) < int(killed[4]), "it was not in the middle of the rollout")
        elected = re.search(r"(kvstore-\d) was elected in term (\d+): leaderless for ([\d.]+) s",
                            done.stdout)
        check(elected, "who was elected")
        check(elected[1] != killed[1] and int(elected[2]) > int(killed[2]), "a new leader and term")
        check(float(elected[3]) < 2, "leaderless for 2 s or more")
        check_in(f"rolling update is complete: {killed[4]} of {killed[4]}", done.stdout, "the end")
        writes = re.search(r"(\d+) acknowledged, 0 of them lost", done.stdout)
        check(writes and int(writes[1]) > 0, "the writes")
        check_in(f"{killed[1]} is started again and has caught up", done.stdout,
                 "the killed member")
        status = lab.coracle("status")
        check_equal(status.returncode, 0, "coracle status: " + status.stdout)
        check_equal(len(re.findall(r"^kvstore-\d .* (?:leader|follower) term=", status.stdout,
                                   re.M)),
                    3, "members in the status: " + status.stdout)

        check_equal(lab.coracle("down").returncode, 0, "coracle down")
        check_equal([n for n in lab.names() if lab.pid(n)], [], "what runs after down")
        lab.up()


if __name__ == "__main__":
    main([story], limit=170)
