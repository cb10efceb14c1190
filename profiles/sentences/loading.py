"""What is wrong in the files of a catalogue: as files, as YAML, as XML; and what to write.

Each stands behind the place where it was found, whose name begins the sentence, but those about a whole catalogue.
"""

from languages import counted, speaks
from languages import sentence as _

# -- files -------------------------------------------------------------------------------------------------
UNREADABLE = _("cannot be read: {reason}")
INCLUDED_UNREADABLE = _("{path} cannot be read: {reason}; write a path relative to this file")
INCLUDED_FOLDER = _("{path} cannot be read: {reason}; write such as profiles/*.yaml for the files in it")
INCLUDED_FORBIDDEN = _("{path} cannot be read: {reason}; let the hub's user read it")
INCLUDED_NO_FILE = _("{path} is not a file, but a pipe or a device; write the path of a file")
INCLUDED_TOO_LARGE = _("{path} is larger than {most} MB; write a smaller file, or several")
TOO_MANY_FILES = _("there are more than {most} files; include fewer")
SITES_OF_INCLUDED = _("only the first file may name sites, since tickets go there; move them to it")
GATEWAYS_OF_INCLUDED = _("only the first file may name gateways, since passwords go there; move them to it")
NOT_UTF8 = _("is not UTF-8 text from here on; save the file as UTF-8")
EMPTY_FILE = _("is empty; write `sites` and `profiles`")
INCLUDES_ITSELF = _("leads back to {path}, which includes this file; remove one of the two")
NOT_SECTIONS = _("is not a mapping; write `sites:` or `profiles:` and what belongs to it")
NO_KEY_OF_INCLUDED = _("there is no such key in an included file; write one of {names}")
NOT_FILES = _("is not a list of files; write [profiles/*.yaml]")
NOT_ENTRIES = _("is not a mapping; write names, and what belongs to each")
TWICE_IN_FILE = _("is there twice, first in line {line}; remove one of them")
TWICE = _("is there twice, first in {file}:{line}; remove one of them")

# -- YAML --------------------------------------------------------------------------------------------------
NOT_YAML = _("not YAML: {reason}")
NOT_YAML_HINT = _("not YAML: {reason}; {hint}")
CONTROL_CHARACTER = _("not YAML: the character U+{code} is not allowed; write it as an escape in quotes")
TOO_MUCH_REPEATED = _(
    "not YAML: with all that is repeated by aliases (* and a word) there are more than {most} values; repeat less"
)
TOO_DEEP = _("not YAML: too many brackets or dashes within each other; remove some")
NOT_WHAT_ITS_TAG_SAYS = _("this is not what its tag {tag} says")
WITHIN_ITSELF = _("this contains itself")
NO_YAML_KEY = _("a list or mapping cannot be a key")
SPACES_NOT_TABS = _("indent with spaces, not tabs")
SPACES_OR_QUOTES = _("indent with spaces, not tabs; put text that begins with @, % or ` in quotes")
COLON_IN_QUOTES = _("put text with a colon in quotes, or indent as the line before")
COLON_BEHIND_KEY = _("put a colon and a space after the key, or indent text that continues")
NOT_CLOSED = _("close the quote or bracket that begins here")
COMMA_MISSING = _("a bracket is not closed, or a comma is missing")
INDENT_KEYS = _(
    "indent as the keys before it; put text that begins with a bracket or a quote in quotes as a whole"
)
INDENT_DASHES = _("indent as the keys before it, or begin the line with a dash")
STAR_IN_QUOTES = _("put text that begins with * or & in quotes")
BACKSLASH = _("write \\\\ for a backslash, or use single quotes")
ONE_DOCUMENT = _("remove the line ---")
NO_TAG = _("remove the tag")
NO_ALIAS_WITHIN = _("remove one of its aliases (* and a word)")
TEXT_AS_KEY = _("write text before the colon, in quotes if it begins with a bracket")
ANCHOR_FIRST = _(
    "write the anchor (&) before it is used, in this file or below an `x-` key of one that is read before it; put "
    "text that begins with * in quotes"
)
ANCHOR_TWICE = _("give this anchor (&) another name: there is one of this name before")
ANCHOR_OF_ANOTHER = _("has the anchor &{name}, as has {file}:{line}; give one of them another name")
LOOK_HERE = _("look at this line and the one before")

# -- XML ---------------------------------------------------------------------------------------------------
NOT_XML = _("not XML: {reason}; {hint}")
XML_TAG = _("close each element by its own name, in the order in which they were opened")
XML_NOTHING = _("close all elements, up to </jobType>")
XML_UNCLOSED = _("write > at the end of each tag, and close quotes")
XML_ESCAPE = _("write &lt; for < and &amp; for & in text, and values of attributes in quotes")
XML_ENTITY = _("write &amp; for &; only &lt; &gt; &amp; &quot; &apos; are known")
XML_ATTRIBUTE_TWICE = _("remove one of the two attributes")
XML_ONE_ELEMENT = _("write one <jobType> in each file")
XML_DOCTYPE = _("has a DOCTYPE, which could let a short text become endless; remove it")
XML_TOO_DEEP = _("has elements more than {most} deep; remove some")
XML_TOO_MANY = _("has more than {most} elements; remove some")
XML_ROOT = _("is not a job type; write <jobType> around all of it")
XML_NO_ELEMENT = _("there is no such element here; {hint}")
XML_NO_ATTRIBUTE = _("there is no attribute `{name}` here; {hint}")
REMOVE_IT = _("remove it")
XML_MISSING = _("has no <{name}>; write it")
XML_EMPTY = _("is empty; write text in it")
XML_TEXT_BESIDE = _("has text beside its elements; remove it")
XML_ELEMENTS = _("has elements in it, but must be text; write text")
XML_NO_KEY = _("has neither a letter nor a digit; write a name such as recon")
XML_NAME_TWICE = _("becomes `{key}`, as an earlier one does; write another name")
XML_MEANINGLESS = _("has no meaning for the type {kind}; remove it")
XML_QUOTES = _("has a quote that does not end, or a backslash at its end; write it as for a shell")
XML_GROUP_DEFAULT = _("is true for two of one group; write true for one of them")
XML_GROUP_CONDITION = _("differs within one group; write the same for each of it")
XML_NOT_RUN = _(
    "is not run by an interactive type, which starts a server of the profile `{profile}`; that says what runs"
)
XML_OF_BATCH = _(
    "has no meaning in an interactive type, whose options are the profile's parameters; write it there"
)
XML_PROFILE_OF_BATCH = _("has `profile`, which only an interactive type has; remove it")
XML_OF_BATCH_ATTRIBUTE = _("has `{name}`, which only a batch type has; remove it")
XML_NO_NUMBER = _("has `{name}`, which is not a whole number from 0 to {most}; write one")
XML_NO_TYPES = _("takes datasets, but <datasetTypes> is missing in it; write it")
XML_TYPES_ALONE = _('has no meaning without acceptsDatasets="true"; write that in <jobType>, or remove it')
XML_OF_ICAT = _("has `{name}`, which means nothing without an ICAT; nothing becomes of it")

# -- a catalogue that was changed --------------------------------------------------------------------------
CHANGED = _(
    "The catalogue was changed and has a configuration error: {problem}. The version of {time} stays in use. "
    "Fix the file, then run `jupyterhub-sites check {path}`."
)
CHANGED_MORE = _(
    "The catalogue was changed and has {count} configuration errors, first: {problem}. "
    "The version of {time} stays in use. Fix the file, then run `jupyterhub-sites check {path}`."
)


def types_off(count: int, problem: object, path: str) -> str:
    """Return the sentence about job types in XML that are wrong; the others are offered."""
    return counted(
        "{count} job type of the catalogue is off, for it has an error: {problem}. "
        "Fix the file, then run `jupyterhub-sites check {path}`.",
        "{count} job types of the catalogue are off, for they have errors, first: {problem}. "
        "Fix the files, then run `jupyterhub-sites check {path}`.",
        count,
    ).format(count=count, problem=problem, path=path)


NOT_READ = _(
    "The catalogue {path} could not be read ({reason}); the log of the hub says more. "
    "The version of {time} stays in use."
)
FILES_HANG = _(
    "The catalogue {path} cannot be read: its file system does not answer. The version of {time} stays in use."
)

speaks(__name__)
