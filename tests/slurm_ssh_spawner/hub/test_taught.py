from profiles.facts import UNKNOWN
from slurm_ssh_spawner.hub.taught import KEPT_SECONDS, Taught

_FACTS = {"geneva": UNKNOWN, "lugano": UNKNOWN}
_A_DAY = 86400


def _refused(taught: Taught, user: str = "heidi") -> dict[str, str]:
    return {site: known.refused for site, known in taught.added(user, _FACTS).items() if known.refused}


def test_a_refusal_is_known_for_a_while_of_that_person_at_that_site() -> None:
    now = [0.0]
    taught = Taught(lambda: now[0])
    taught.learn("heidi", "lugano", "Ask there.")
    assert (_refused(taught), _refused(taught, "alice")) == ({"lugano": "Ask there."}, {})
    assert (taught.knows("heidi", "lugano"), taught.knows("alice", "lugano")) == (True, False)
    assert KEPT_SECONDS <= _A_DAY, "an account may be made meanwhile"
    now[0] = KEPT_SECONDS
    assert (_refused(taught), taught.knows("heidi", "lugano")) == ({}, False)


def test_who_was_let_in_is_not_refused_any_more() -> None:
    taught = Taught()
    taught.learn("heidi", "lugano", "Ask there.")
    taught.forget("heidi", "lugano")
    taught.forget("heidi", "geneva")
    assert _refused(taught) == {}
