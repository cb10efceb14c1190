"""Who is logged in: login, session, logout."""

import getpass
import sys
from contextlib import suppress
from typing import Annotated

import typer

from hubjobs import calls, models, passwords, sentences, session
from hubjobs.cli import output, words
from hubjobs.cli.guard import client
from hubjobs.cli.options import Json
from hubjobs.client import Jobs
from hubjobs.errors import HubJobsError, NotLoggedIn

_MOST_CHARACTERS = 10_000


def log_in(
    url: Annotated[str | None, typer.Argument(help="Address of the hub; without: where you were last.")] = None,
    user: Annotated[str | None, typer.Option("--user", "-u", help="Your name on the hub.")] = None,
    days: Annotated[int | None, typer.Option("--days", min=1, help="For how long the token is good.")] = None,
    token: Annotated[
        bool,
        typer.Option(
            "--token", help="Log in with a token of the hub, which is asked for or read from standard input."
        ),
    ] = False,
    admin: Annotated[bool, typer.Option("--admin", help="Ask for what admins of jobs may do.")] = False,
    servers: Annotated[
        bool, typer.Option("--servers", help="Ask for what starts servers of interactive types, too.")
    ] = False,
) -> None:
    """Log in to a hub: asks for your password, or reads it from standard input; it gets the hub a ticket, too."""
    hub, before = which_hub(url)
    if token:
        new = _of_token(hub, secret("Token: "))
    else:
        name = user or before or _asked_for_name()
        given = passwords.login(
            hub, name, secret(f"Password of {name}: "), days=days, admin=admin, servers=servers
        )
        new = session.Session(hub, name, given.token, given.expires_at)
    in_keyring = session.keep(new)
    output.err().sentence(
        sentences.LOGGED_IN.format(
            user=new.user,
            url=new.url,
            place=sentences.KEYRING if in_keyring else session.place(),
            until=words.moment(new.expires_at) or sentences.FOR_EVER,
        )
    )


def which_hub(url: str | None) -> tuple[str, str | None]:
    """Return the hub's address, without one that of last time, and the name of whoever is logged in there."""
    try:
        kept = session.kept()
    except NotLoggedIn:
        kept = None
    hub = _last_hub() if url is None else passwords.hub_of(url)
    if hub is None:
        raise HubJobsError(sentences.WHICH_HUB, sentences.WHICH_HUB_HINT)
    return hub, kept.user if kept and kept.url == hub else None


def _last_hub() -> str | None:
    with suppress(ValueError):
        return passwords.hub_of(session.last_hub() or "")
    return None


def _asked_for_name() -> str:
    if not sys.stdin.isatty():
        return getpass.getuser()
    name: str = typer.prompt(sentences.NAME, default=getpass.getuser(), err=True)
    return name


def secret(prompt: str) -> str:
    """Return what is typed without being shown, or the first line of standard input."""
    typed = getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline(_MOST_CHARACTERS)
    if not (secret := typed.rstrip("\r\n")):
        raise HubJobsError(sentences.NOTHING_TYPED)
    return secret


def _of_token(hub: str, token: str) -> session.Session:
    """Return the login that a token is; the service says whose it is.  Raises HubJobsError."""
    with Jobs(hub, token) as jobs:
        return session.Session(hub, jobs.me().name, token)


def show_session(json: Json = False) -> None:
    """Show who you are logged in as, and until when."""
    kept = session.kept()
    with client() as jobs:
        said = jobs.said(calls.me()) if json else ""
        if json:
            output.as_json(said)
            return
        me = jobs.me()
    screen = output.out()
    screen.pairs(
        [
            ("Hub", kept.url),
            ("You are", me.name),
            ("Groups", ", ".join(me.groups)),
            ("Token", _until(kept)),
            ("May", ", ".join(me.scopes)),
            ("Ticket", _ticket(me.ticket)),
            ("Service", me.version),
        ]
    )


def _until(kept: session.Session) -> str:
    return (
        sentences.TOKEN_OVER
        if kept.is_over
        else sentences.GOOD_UNTIL.format(until=words.moment(kept.expires_at) or sentences.FOR_EVER)
    )


def _ticket(ticket: models.Ticket | None) -> str:
    if ticket is None:
        return sentences.NO_TICKET
    until = sentences.GOOD_UNTIL.format(until=words.moment(ticket.expires) or "?")
    renewable = words.moment(ticket.renewable_until)
    return f"{until}, {sentences.RENEWED_UNTIL.format(until=renewable)}" if renewable else until


def log_out() -> None:
    """Forget the token that is kept on this machine."""
    before = session.forget()
    said = sentences.WAS_NOT
    if before is not None:
        until = words.moment(before.expires_at) or sentences.NO_MOMENT
        said = sentences.LOGGED_OUT.format(user=before.user, url=before.url, until=until)
    output.err().sentence(said)
