"""Steady requests from where this runs, until its standard input ends; then what came of them, as JSON.

python load.py COOKIE    Half of the callers open a connection for each request; the others keep theirs as a gateway does, and ask once
more when the server has closed it meanwhile, which for reading is what HTTP wants (RFC 9110, 9.2.2).
"""

import collections
import http.client
import itertools
import json
import sys
import threading
import time

CONSOLE, PORTAL = "dudao-console.dudao", "dudao-publication.dudao"
PAUSE, LIMIT = 0.15, 10
done = threading.Event()
counts, failures, slowest = collections.Counter(), [], collections.Counter()
addresses = itertools.count()


def ask(host, path, cookie, kept):
    """One request; gives back the connection when it may be used again."""
    # The portal admits so and so many requests of one address; these come from many, by the word of a gateway.
    number = next(addresses) % 60000
    headers = {"Cookie": cookie, "Sec-Fetch-Site": "none", "X-Forwarded-For": f"198.18.{number // 250}.{number % 250 + 1}"}
    for again in (True, False):
        connection, used = kept or http.client.HTTPConnection(host, 80, timeout=LIMIT), kept is not None
        kept = None
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            connection.close()
            if not (used and again):
                raise
            counts["closed meanwhile, asked again"] += 1
            continue
        answer.read()
        if answer.status != 200:
            raise http.client.HTTPException(f"{answer.status}")
        return connection


def caller(keeps, host, paths, cookie):
    kept = None
    for path in itertools.cycle(paths):
        if done.wait(PAUSE):
            return
        began = time.monotonic()
        try:
            kept = ask(host, path, cookie, kept)
            if not keeps:
                kept.close()
                kept = None
            counts[f"{host}{path}"] += 1
        except (OSError, http.client.HTTPException) as error:
            kept = None
            failures.append(f"{time.strftime('%X')} {host}{path}{' (kept)' if keeps else ''}: {type(error).__name__} {error}")
        slowest[host] = max(slowest[host], time.monotonic() - began)


def main():
    cookie = sys.argv[1]
    plans = [
        (CONSOLE, ["/sign-in"], ""),
        (CONSOLE, ["/", "/plans", "/cases"], cookie),
        (PORTAL, ["/", "/open-data/rectifications.json"], ""),
    ]
    threads = [threading.Thread(target=caller, args=[keeps, *plan]) for keeps in (False, True) for plan in plans]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    done.set()
    for thread in threads:
        thread.join()
    json.dump({"counts": counts, "failures": failures, "slowest": slowest}, sys.stdout)


main()
