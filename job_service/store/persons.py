"""Rows of people: made when somebody is first seen."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from job_service.store.accounting import Person
from job_service.store.schema import PEOPLE

# A moment within which somebody is still the same visitor.
_VISIT = timedelta(minutes=10)


def touch(connection: sa.Connection, now: datetime, name: str) -> Person:
    """Return somebody who is here now, and lock their row."""
    row = connection.execute(sa.select(PEOPLE).where(PEOPLE.c.name == name).with_for_update()).mappings().first()
    if row is None:
        new = sa.insert(PEOPLE).values(name=name, first_seen=now, last_seen=now).returning(PEOPLE)
        return Person(**connection.execute(new).mappings().one())
    person = Person(**row)
    if is_recent(person, now):
        return person
    seen = sa.update(PEOPLE).where(PEOPLE.c.number == person.number).values(last_seen=now).returning(PEOPLE)
    return Person(**connection.execute(seen).mappings().one())


def is_recent(person: Person, now: datetime) -> bool:
    """Return whether it was kept a moment ago that somebody was here."""
    return now - person.last_seen < _VISIT
