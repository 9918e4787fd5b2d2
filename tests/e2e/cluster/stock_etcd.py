#!/usr/bin/env python3
"""The suite of basics.py with Debian's stock etcd-server in the place of our store."""
import basics
from lab import main, need


def on_stock_etcd():
    need("etcd")
    basics.run(store="etcd")


if __name__ == "__main__":
    main([on_stock_etcd], limit=170)
