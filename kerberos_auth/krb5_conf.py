"""What krb5.conf says, asked of libkrb5 itself: it knows all files, included ones too.  No KDC is asked."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

_LIBRARY = "libkrb5.so.3"
_LIBDEFAULTS = b"libdefaults"


@dataclass(frozen=True)
class Krb5Conf:
    """What is asked of krb5.conf for one realm; `realms` are all that it describes."""

    default_realm: str
    realms: tuple[str, ...]
    forwardable: bool
    renew_lifetime: str


def read(realm: str = "") -> Krb5Conf | None:
    """Return what krb5.conf says for a realm ("" for its default), None if it or libkrb5 cannot be read."""
    with _profile() as profile:
        if profile is None:
            return None
        default = _text(profile, "default_realm")
        there = realm or default
        forwardable = _text(profile, "forwardable", there).lower()
        return Krb5Conf(
            default,
            _subsections(profile, b"realms"),
            # As libkrb5 reads them (conf_yes of its sources).
            forwardable in ("y", "yes", "true", "t", "1", "on"),
            _text(profile, "renew_lifetime", there),
        )


@cache
def _library() -> Any:
    try:
        found = ctypes.CDLL(_LIBRARY)
    except OSError:
        return None
    text, handle = ctypes.c_char_p, ctypes.c_void_p
    found.krb5_init_context.argtypes = (ctypes.POINTER(handle),)
    found.krb5_free_context.argtypes = (handle,)
    found.krb5_free_context.restype = None
    found.krb5_get_profile.argtypes = (handle, ctypes.POINTER(handle))
    found.profile_release.argtypes = (handle,)
    found.profile_release.restype = None
    found.profile_get_string.argtypes = (handle, text, text, text, text, ctypes.POINTER(handle))
    found.profile_release_string.argtypes = (handle,)
    found.profile_release_string.restype = None
    found.profile_get_subsection_names.argtypes = (handle, ctypes.POINTER(text), ctypes.POINTER(handle))
    found.profile_free_list.argtypes = (handle,)
    found.profile_free_list.restype = None
    return found


@contextmanager
def _profile() -> Iterator[Any]:
    """Give a handle of what krb5.conf says, None if there is none."""
    library, context, profile = _library(), ctypes.c_void_p(), ctypes.c_void_p()
    if library is None or library.krb5_init_context(ctypes.byref(context)):
        yield None
        return
    try:
        if library.krb5_get_profile(context, ctypes.byref(profile)):
            yield None
            return
        try:
            yield profile
        finally:
            library.profile_release(profile)
    finally:
        library.krb5_free_context(context)


def _text(profile: Any, name: str, realm: str = "") -> str:
    """Return an option of [libdefaults], first the one that is for the realm, "" if it is not there."""
    steps = [(_LIBDEFAULTS, realm.encode(), name.encode())] if realm else []
    for section, inner, option in (*steps, (_LIBDEFAULTS, name.encode(), None)):
        found = ctypes.c_void_p()
        _library().profile_get_string(profile, section, inner, option, None, ctypes.byref(found))
        if found.value:
            said = ctypes.string_at(found.value).decode("utf-8", "replace")
            _library().profile_release_string(found)
            return said
    return ""


def _subsections(profile: Any, section: bytes) -> tuple[str, ...]:
    names, found = (ctypes.c_char_p * 2)(section, None), ctypes.c_void_p()
    if _library().profile_get_subsection_names(profile, names, ctypes.byref(found)) or not found.value:
        return ()
    listed = ctypes.cast(found, ctypes.POINTER(ctypes.c_char_p))
    said: list[str] = []
    while (each := listed[len(said)]) is not None:
        said.append(each.decode("utf-8", "replace"))
    _library().profile_free_list(found)
    return tuple(said)
