"""Ask a server of this host for a page, again and again; print the longest wait for an answer, in seconds.

Given its address, the path of the page, and a file: this ends when that is gone.  It runs on Python alone.
"""

import http.client
import os
import sys
import time

_LOOK_SECONDS = 0.02


def main() -> None:
    """Ask until the file is gone."""
    address, path, file = sys.argv[1:]
    connection, longest = http.client.HTTPConnection(address), 0.0
    while os.path.exists(file):  # noqa: PTH110 - as little as possible beside the question
        began = time.monotonic()
        connection.request("GET", path)
        connection.getresponse().read()
        longest = max(longest, time.monotonic() - began)
        time.sleep(_LOOK_SECONDS)
    print(longest)


main()
