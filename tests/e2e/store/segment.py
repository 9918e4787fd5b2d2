"""A log segment (docs/formats/raft-log.md) as far as one must know it to damage it with skill."""
import os
import re
import struct

HEADER, RECORD = 64, 32


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def records(data):
    """(offset, payload length, batch) of each record, and where the next one would be."""
    found, at = [], HEADER
    while any(data[at:at + RECORD]):
        length, batch = struct.unpack_from("<4x4xI4xQ", data, at)
        found.append((at, length, batch))
        at += RECORD + (length + RECORD - 1) // RECORD * RECORD
    return found, at


def last_segment(data_dir):
    folder = os.path.join(data_dir, "log")
    names = sorted(n for n in os.listdir(folder) if re.fullmatch(r"\d{16}\.log", n))
    return os.path.join(folder, names[-1])


def tear(path):
    """Adds a write that the power cut: the next batch, of which one sector came to the disk."""
    with open(path, "r+b") as f:
        found, end = records(f.read())
        payload = b"torn " * 800
        header = struct.pack("<IIBBHQQ", crc32c(payload), len(payload), 2, 1, 0,
                             found[-1][2] + 1, 0)
        f.seek(end)
        f.write((struct.pack("<I", crc32c(header)) + header + payload)[:512 - end % 512])


def flip(path):
    """Turns one bit in the payload of a record in the middle; (offset of the record, old bytes)."""
    with open(path, "r+b") as f:
        whole = f.read()
        found, _ = records(whole)
        offset, length, _ = found[len(found) // 2]
        at = offset + RECORD + length // 2
        f.seek(at)
        f.write(bytes([whole[at] ^ 4]))
    return offset, whole
