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
    """What is asked of krb5.conf for one realm; `realms` are all that it describes, `kdcs` those of the one.

    `names_by_dns`: a name server may decide which host a ticket is for; `kdcs_by_dns`: and where KDCs are, if none
    is listed.
    """

    default_realm: str
    realms: tuple[str, ...]
    forwardable: bool
    renew_lifetime: str
    names_by_dns: bool = False
    kdcs: tuple[str, ...] = ()
    kdcs_by_dns: bool = False


def read(realm: str = "") -> Krb5Conf | None:
    """Return what krb5.conf says for a realm ("" for its default), None if it or libkrb5 cannot be read."""
    with _profile() as profile:
        if profile is None:
            return None
        default = _text(profile, "default_realm")
        there = realm or default
        by_dns = [_is_yes(_text(profile, name) or "true") for name in ("rdns", "dns_canonicalize_hostname")]
        return Krb5Conf(
            default,
            _subsections(profile, b"realms"),
            _is_yes(_text(profile, "forwardable", there)),
            _text(profile, "renew_lifetime", there),
            any(by_dns),
            _values(profile, b"realms", there.encode(), b"kdc"),
            _is_yes(_text(profile, "dns_lookup_kdc") or "true"),
        )


def _is_yes(text: str) -> bool:
    """Return what libkrb5 takes for yes (conf_yes of its sources)."""
    return text.lower() in ("y", "yes", "true", "t", "1", "on")


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
    found.profile_get_values.argtypes = (handle, ctypes.POINTER(text), ctypes.POINTER(handle))
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
    if _library().profile_get_subsection_names(profile, names, ctypes.byref(found)):
        return ()
    return _taken(found)


def _values(profile: Any, *path: bytes) -> tuple[str, ...]:
    names, found = (ctypes.c_char_p * (len(path) + 1))(*path, None), ctypes.c_void_p()
    if _library().profile_get_values(profile, names, ctypes.byref(found)):
        return ()
    return _taken(found)


def _taken(found: ctypes.c_void_p) -> tuple[str, ...]:
    """Return the texts of a list of the library's, which is freed."""
    if not found.value:
        return ()
    listed = ctypes.cast(found, ctypes.POINTER(ctypes.c_char_p))
    said: list[str] = []
    while (each := listed[len(said)]) is not None:
        said.append(each.decode("utf-8", "replace"))
    _library().profile_free_list(found)
    return tuple(said)
