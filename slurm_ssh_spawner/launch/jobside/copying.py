"""Copies a notebook into the home of whoever's server this is, when the hub asks: an extension of jupyter_server.

`POST <server>/jupyterhub-sites/copy` takes {"kind": "file", "git" or "gallery", "from", "path", "ref", "folder",
"name"}, and answers {"path": the copy's, below what the server shows, "page": "lab", "notebook" or ""}, or
{"problem": a word that the hub knows, "detail": what was said of it}.  Jupyter's own checks hold: of who asks, and
against forged requests.  It is loaded by what is added to jupyter_config.py.
"""

import contextlib
import errno
import json
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
import urllib.request
from http.client import HTTPException

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web
from tornado.ioloop import IOLoop

SECONDS = 45
"""For all of a copy; the hub waits somewhat longer."""

SOCKET_SECONDS = 15
MOST_BYTES = 50 * 1000 * 1000
MOST_OF_REPOSITORY = 500 * 1000 * 1000
PART = 1 << 16
MOST_DETAIL = 300
MOST_COPIES = 1000
ENDING = ".ipynb"
MISSING = (errno.ENOENT, errno.ENOTDIR)
DENIED = (errno.EACCES, errno.EPERM)
FULL = (errno.ENOSPC, errno.EDQUOT)

# Nothing of a repository but its files; no other server than the one named; files no larger than the limit.
GIT = ["git", "-c", "http.followRedirects=false", "-c", "gc.auto=0", "-c", "core.hooksPath=/dev/null"]
LIMITED = ["sh", "-c", 'ulimit -c 0; ulimit -f "$0" && exec "$@"', str(MOST_OF_REPOSITORY // 512)]


class Problem(Exception):  # noqa: N818
    """Why there is no copy: a word for the hub, and what was said of it."""

    def __init__(self, word: str, detail: object = "") -> None:
        super().__init__(word)
        self.word, self.detail = word, " ".join(str(detail).split())[:MOST_DETAIL]


class Until:
    """The moment by which a copy is made or given up."""

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds

    def left(self) -> float:
        """Return how many seconds are left.  Raises Problem if there are none."""
        left = self.end - time.monotonic()
        if left <= 0:
            raise Problem("too-slow")
        return left


def of_file(path: str, until: Until) -> bytes:
    """Return what is in a file of the cluster, as its reader's rights let them."""
    try:
        # A pipe is not waited for.
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError as error:
        raise Problem(_unread(error), error.strerror) from error
    try:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise Problem("no-regular-file")
        return _bounded(lambda: os.read(number, PART), until)
    except OSError as error:
        raise Problem(_unread(error), error.strerror) from error
    finally:
        os.close(number)


def _unread(error: OSError) -> str:
    if error.errno in MISSING:
        return "no-file"
    return "not-allowed" if error.errno in DENIED else "unreadable"


def _bounded(read, until: Until) -> bytes:  # type: ignore[no-untyped-def]
    parts: list = []
    size = 0
    while True:
        until.left()
        part = read()
        if not part:
            return b"".join(parts)
        parts.append(part)
        size += len(part)
        if size > MOST_BYTES:
            raise Problem("too-large")


def of_gallery(address: str, until: Until) -> bytes:
    """Return a notebook that an nbgallery gives to everybody."""
    opener = urllib.request.OpenerDirector()
    # Nothing else: no other scheme than these, and no other place than the one that was named.
    for handler in (urllib.request.ProxyHandler, urllib.request.HTTPHandler, urllib.request.HTTPSHandler):
        opener.add_handler(handler())
    try:
        with opener.open(address + "/download", timeout=min(SOCKET_SECONDS, until.left())) as answer:
            status = answer.status
            if status == 200:
                return _bounded(lambda: answer.read1(PART), until)
    except (OSError, HTTPException, ValueError) as error:
        raise Problem("gallery-away", getattr(error, "reason", "") or error or type(error).__name__) from error
    if status == 404:
        raise Problem("not-in-gallery")
    # One that wants a login leads to it.
    if status in (401, 403) or 300 <= status < 400:
        raise Problem("gallery-closed")
    raise Problem("gallery-away", "HTTP %d" % status)


def of_repository(address: str, path: str, ref: str, until: Until) -> bytes:
    """Return a file of a git repository."""
    if ref.startswith("-"):
        raise Problem("no-ref")
    if not shutil.which("git"):
        raise Problem("no-git")
    folder = tempfile.mkdtemp(prefix="copy-", dir=os.environ.get("JUPYTER_RUNTIME_DIR"))
    try:
        _git(folder, until, ["init", "--quiet", "--bare", "--template=", "."], "git-failed")
        fetch = ["fetch", "--quiet", "--depth=1", "--no-tags", "--", address, ref or "HEAD"]
        _git(folder, until, fetch, "git-failed")
        said = _git(folder, until, ["cat-file", "blob", "FETCH_HEAD:" + path], "not-in-repository")
        with open(said, "rb") as file:
            return _bounded(lambda: file.read(PART), until)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _git(folder: str, until: Until, arguments: list, word: str) -> str:
    """Run git in a folder, and return the path of what it has printed."""
    printed, complaint = os.path.join(folder, "printed"), os.path.join(folder, "complaint")
    # What is set for another repository; no question is asked of anybody.
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "SSH_ASKPASS"))}
    environ.update(GIT_TERMINAL_PROMPT="0", GIT_ASKPASS="true", GIT_ALLOW_PROTOCOL="http:https", LC_ALL="C")
    with open(printed, "wb") as out, open(complaint, "wb") as err:
        process = subprocess.Popen(
            LIMITED + GIT + arguments,
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        try:
            status = process.wait(until.left())
        except subprocess.TimeoutExpired:
            raise Problem("too-slow") from None
        finally:
            _end(process)
    if status:
        with open(complaint, errors="replace") as file:
            raise _git_failed(file.read(PART), word)
    return printed


def _end(process: subprocess.Popen) -> None:
    """End it with all that it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _git_failed(said: str, word: str) -> Problem:
    lines = [line for line in said.splitlines() if line.strip()] or ["?"]
    why = next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1]).partition(": ")[2]
    if "signal %d" % signal.SIGXFSZ in said:
        return Problem("repository-too-large")
    if "remote ref" in said or "not our ref" in said:
        return Problem("no-ref")
    if "Authentication failed" in said or "could not read" in said or "not found" in said:
        return Problem("repository-closed", why)
    return Problem(word, why or lines[-1])


def check(content: bytes) -> None:
    """Raise Problem unless it is a notebook."""
    try:
        found = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("nbformat"), int):
        raise Problem("no-notebook")


def keep(content: bytes, folder: str, name: str) -> str:
    """Write a file of that name, or with a number behind it, and return its path; nothing is ever overwritten."""
    if "/" in folder + name or folder.startswith(".") or name.startswith(".") or not name.endswith(ENDING):
        raise Problem("no-notebook")
    place = os.path.join(os.path.expanduser("~"), folder)
    try:
        os.makedirs(place, exist_ok=True)
        for number in range(MOST_COPIES):
            mark = "-%d" % number if number else ""
            path = os.path.join(place, name[: -len(ENDING)] + mark + ENDING)
            try:
                # Also no link is followed.
                file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
            except FileExistsError:
                continue
            _fill(file, path, content)
            return path
    except OSError as error:
        raise Problem("no-room" if error.errno in FULL else "cannot-write", error.strerror) from error
    raise Problem("cannot-write", os.strerror(errno.EEXIST))


def _fill(number: int, path: str, content: bytes) -> None:
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
    except OSError:
        os.unlink(path)
        raise


def copy(asked: dict, root: str) -> str:
    """Make the copy that was asked for, and return its path below `root`, the folder that the server shows."""
    until = Until(SECONDS)
    kind, place = asked["kind"], asked["from"]
    if kind == "file":
        content = of_file(place, until)
    elif kind == "git":
        content = of_repository(place, asked["path"], asked["ref"], until)
    else:
        content = of_gallery(place, until)
    check(content)
    path = keep(content, asked["folder"], asked["name"])
    shown = os.path.relpath(os.path.realpath(path), os.path.realpath(os.path.expanduser(root)))
    if shown.startswith(os.pardir):
        raise Problem("not-shown", path)
    return shown


class CopyHandler(APIHandler):
    """Makes copies, one at a time."""

    auth_resource = "contents"
    _copying = False

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Answer what became of it.  400 for a question of another shape."""
        asked = self.get_json_body()
        names = ("kind", "from", "path", "ref", "folder", "name")
        if not isinstance(asked, dict) or any(not isinstance(asked.get(name), str) for name in names):
            raise web.HTTPError(400)
        self.finish(json.dumps(await self._told(asked)))

    async def _told(self, asked: dict) -> dict:
        if CopyHandler._copying:
            return {"problem": "busy", "detail": ""}
        CopyHandler._copying = True
        try:
            root = self.contents_manager.root_dir
            path = await IOLoop.current().run_in_executor(None, copy, asked, root)
        except Problem as problem:
            return {"problem": problem.word, "detail": problem.detail}
        finally:
            CopyHandler._copying = False
        return {"path": path, "page": self._page()}

    def _page(self) -> str:
        there = self.serverapp.extension_manager.extensions if self.serverapp else {}
        if "jupyterlab" in there:
            return "lab"
        return "notebook" if {"notebook", "nbclassic"} & set(there) else ""


def _jupyter_server_extension_points() -> list:
    return [{"module": __name__}]


def _load_jupyter_server_extension(app) -> None:  # type: ignore[no-untyped-def]
    url = app.web_app.settings["base_url"].rstrip("/") + "/jupyterhub-sites/copy"
    app.web_app.add_handlers(".*$", [(url, CopyHandler)])
