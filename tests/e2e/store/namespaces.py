"""Faults that need rights: members in network namespaces of their own, and a small file system."""
import contextlib
import os
import shutil
import subprocess
import tempfile


def ip(*args, inside=None, check=True):
    """The ip command, in a network namespace if one is named."""
    command = ["ip", "-n", inside, *args] if inside else ["ip", *args]
    return subprocess.run(command, check=check, capture_output=True, text=True, timeout=20)


def may_partition():
    if os.geteuid() != 0 or not shutil.which("ip"):
        return False
    try:
        with NetworkLab(1) as net:
            net.cut(0, 1)
        return True
    except (subprocess.CalledProcessError, OSError):
        return False


def may_mount():
    if os.geteuid() != 0:
        return False
    try:
        with full_disk_folder("1m"):
            return True
    except (subprocess.CalledProcessError, OSError):
        return False


class NetworkLab:
    """One namespace a member, and one with the bridge between them, where the clients live too."""

    def __init__(self, size):
        self.size, self.made, self.cuts = size, [], []
        self.hub = f"coracle-{os.getpid()}-hub"

    def name(self, number):
        return f"coracle-{os.getpid()}-{number}"

    @staticmethod
    def address(number):
        return f"10.77.0.{number + 1}"

    def __enter__(self):
        try:
            self.add(self.hub)
            ip("link", "add", "bridge", "type", "bridge", inside=self.hub)
            ip("address", "add", "10.77.0.200/24", "dev", "bridge", inside=self.hub)
            ip("link", "set", "bridge", "up", inside=self.hub)
            for n in range(self.size):
                self.add(self.name(n))
                ip("link", "add", f"to{n}", "type", "veth", "peer", "name", "net",
                   "netns", self.name(n), inside=self.hub)
                ip("link", "set", f"to{n}", "master", "bridge", "up", inside=self.hub)
                ip("address", "add", self.address(n) + "/24", "dev", "net", inside=self.name(n))
                ip("link", "set", "net", "up", inside=self.name(n))
        except BaseException:
            self.__exit__()
            raise
        return self

    def add(self, name):
        ip("netns", "add", name)
        self.made.append(name)
        ip("link", "set", "lo", "up", inside=name)

    def __exit__(self, *_):
        for name in reversed(self.made):
            ip("netns", "delete", name, check=False)

    def prepare(self, cluster):
        """Puts the members of a cluster that was not started yet into the namespaces."""
        cluster.wrapper = ("ip", "netns", "exec", self.hub)
        for n, member in enumerate(cluster.members):
            member.host, member.wrapper = self.address(n), ("ip", "netns", "exec", self.name(n))

    def cut(self, sender, receiver):
        """What one sends to the other is lost from now on; the other direction stays."""
        ip("route", "add", "blackhole", self.address(receiver) + "/32", inside=self.name(sender))
        self.cuts.append((sender, receiver))

    def heal(self):
        for sender, receiver in self.cuts:
            ip("route", "delete", "blackhole", self.address(receiver) + "/32",
               inside=self.name(sender))
        self.cuts = []


@contextlib.contextmanager
def full_disk_folder(size):
    """(folder, grow): a folder on a file system of so many bytes, and what makes it larger."""
    folder = tempfile.mkdtemp(prefix="coracle-disk-")
    try:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=" + size, "none", folder], check=True,
                       capture_output=True, timeout=20)
        try:
            yield folder, lambda more: subprocess.run(
                ["mount", "-o", "remount,size=" + more, folder], check=True, timeout=20)
        finally:
            subprocess.run(["umount", folder], check=False, timeout=20)
    finally:
        os.rmdir(folder)
