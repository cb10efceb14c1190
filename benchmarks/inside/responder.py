"""Answers every GET on a port with 200 and `{}`: one program for the servers of many jobs that only sleep.

Runs on a node, which has no source tree: the standard library only.  The argument is the port.
"""

import asyncio
import contextlib
import sys

ANSWER = b"HTTP/1.1 200 OK\r\nX-JupyterHub-Version: 6.1.1\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER)
        await writer.drain()
    writer.close()


async def main(port: int) -> None:
    server = await asyncio.start_server(answer, "0.0.0.0", port, backlog=1000)  # noqa: S104 - of a lab's node
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
