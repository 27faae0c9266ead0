"""Which of these can be reached from where this runs: pairs of address and port on standard input, those that answer on standard output.

A connection that is opened and closed again, tried until a moment has passed: a packet filter drops what it does not allow.
"""

import concurrent.futures
import json
import socket
import sys

LIMIT = 2


def reached(target):
    try:
        socket.create_connection(target, LIMIT).close()
    except OSError:
        return False
    return True


targets = [tuple(target) for target in json.load(sys.stdin)]
with concurrent.futures.ThreadPoolExecutor(64) as pool:
    json.dump([target for target, answered in zip(targets, pool.map(reached, targets)) if answered], sys.stdout)
