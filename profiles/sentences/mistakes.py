"""What is wrong in a catalogue, and what to write.

Each stands behind the place of a value, such as `sites.geneva.title`, whose name begins the sentence.  `{hint}` is
one of the first three, `{found}` one of FOUND.
"""

from languages import sentence as _
from languages import speaks

# -- what may have been meant ------------------------------------------------------------------------------
DID_YOU_MEAN = _("did you mean `{name}`?")
WRITE_ONE_OF = _("write one of {names}")
WRITE_ONE_OF_MANY = _("write one of {names}, or of {count} others")
NOTHING_KNOWN = _("there are none")

# -- values of another kind --------------------------------------------------------------------------------
FOUND = (
    (type(None), _("empty")),
    (bool, _("true or false")),
    (int | float, _("a number")),
    (str, _("text")),
    (list | tuple, _("a list")),
    (dict, _("a mapping")),
    (object, _("something else")),
)
TEXT_NEEDED = _("is {found}, but must be text; write it after the key")
TEXT_IN_QUOTES = _('is {found}, but must be text; write it in quotes: "{text}"')
LIST_NEEDED = _("is {found}, but must be a list; write [...], or lines that begin with a dash")
LIST_OF_ONE = _("is {found}, but must be a list; write [{value}]")
MAPPING_NEEDED = _("is {found}, but must be a mapping; write keys with values, such as {example}")
MAPPING_OF_KEYS = _("is {found}, but must be a mapping; write {example}")
NOT_A_FLAG = _("{value} is neither true nor false; write one of them")
NOT_A_NUMBER = _("{value} is not a whole number; write digits, such as 4")
IS_NOT_A_NUMBER = _("is {found}, but must be a whole number; write digits, such as 4")
DOES_NOT_FIT = _("is {found}, which does not fit; see its documentation")
DOES_NOT_FIT_ABOUT = _("is {found}, which does not fit; write: {description}")

# -- values that are not accepted --------------------------------------------------------------------------
NO_SUCH_KEY = _("there is no such key; {hint}")
STANDS_UNDER_SITES = _("stands under `sites`, as if it were one; write it at the beginning of its line")
MISSING = _("is missing; write it")
MISSING_ABOUT = _("is missing; write it: {description}")
NO_MATCH = _("{value} does not match {pattern}; write text that does")
TOO_FEW = _("is empty; write at least one")
TOO_FEW_OF = _("has fewer than {least}; write at least {least}")
TOO_MANY = _("has {count}, more than the {most} allowed; write at most {most}")
NOT_MORE = _("{value} is out of range; write more than {limit}")
NOT_AT_LEAST = _("{value} is out of range; write at least {limit}")
NOT_LESS = _("{value} is out of range; write less than {limit}")
NOT_AT_MOST = _("{value} is out of range; write at most {limit}")
NOT_ONE_OF = _("{value} is not one of {options}; {hint}")
IS_NOT_ONE_OF = _("is {found}, which is not one of {options}; {hint}")

# -- texts that do not match their pattern -----------------------------------------------------------------
NO_KEY = _(
    "{value} is not a valid name here; write lower-case letters and digits, with single - or _ between them"
)
NOT_PLAIN = _("{value} has a line break or another control character; write it on one line")
NO_SLURM_WORD = _("{value} is not a valid Slurm name; write letters, digits and _.:=,[]/@+*- without spaces")
NO_ABSOLUTE_PATH = _("{value} is not an absolute path; write one that begins with /")
HOME_NOT_EXPANDED = _(
    "{value} is not an absolute path; write the path itself, a folder of each person's as /home/{owner}/jupyter"
)
NO_SETTING = _("{value} is empty, or has a line break or another control character; write it on one line")
NO_DIRECTIVE = _("{value} is not a long option of sbatch; write it without the leading --, such as constraint")
DIRECTIVE_AS = _("{value} is not how an option of sbatch is written here; write {option}")
NO_WEB_ADDRESS = _(
    "{value} is not the address of a website; write https:// and a name in lower case, "
    "without a login, a query or a part that begins with a dot"
)
NO_ICON = _("{value} is not the name of an icon; write it as in Font Awesome, such as brain or chart-line")
NO_USER = _("{value} is not a name on the hub; write it in small letters, without spaces, / and commas")
NO_HOST = _("{value} is not a host name; write the full name, such as login1.example.org")
NO_HOST_KEY = _(
    "{value} is not a public host key; write a line of /etc/ssh/ssh_host_*_key.pub: ssh-ed25519 AAAA..."
)
NO_LOGIN = _("{value} is not a login name; write letters, digits and _.-, beginning with a letter")
NO_PRINCIPAL = _("{value} is not a Kerberos principal; write one such as jupyter-monitor@EXAMPLE.ORG")
NO_PRINCIPAL_NAME = _(
    "{value} is not a principal of a certificate; write letters, digits and _.@:/+-, with {{owner}} for the login"
)
NO_NETWORK = _("{value} is not an address or a network; write one such as 192.0.2.7 or 192.0.2.0/24")
NO_NODE_ADDRESS = _(
    "{value} is not an address of nodes; write {node} in it for the node's name, without spaces and http://, such "
    "as {node}.example.org"
)
NO_HUB_URL = _("{value} is not the URL of a hub; write one such as http://hub.example.org:8081, without a path")
NO_GATEWAY_URL = _(
    "{value} is not the address of a gateway; write one that begins with https://, without a password and "
    "without ?"
)
NO_COUNTRY = _("{value} is not a country; write its two letters, such as CH")
EMAIL_OF_EACH = _(
    "{value} is no mail address that differs for everybody; write one with {{owner}} in it, such as "
    "jobs+{{owner}}@example.org"
)
NO_TOOL_NAME = _("{value} is not the name of a tool; write letters, digits and _.-, such as PY_EXPANSE")
NO_TOOL_PARAMETER = _("{value} is not a parameter of a tool; write letters, digits, _ and ., such as runtime_")
NO_VARIABLE = _("{value} is not a variable name; write letters, digits and _, not beginning with a digit")
HAS_NUL = _("{value} has a NUL character; remove it")
NO_COLLECTION = _("{value} is not the name of a module collection; write letters, digits and _.@+-")
NO_KERNELSPEC = _("{value} is not the name of a kernelspec; write letters, digits and ._-")
NO_DISPLAY_NAME = _("{value} is empty or has a line break; write it on one line")

NO_HOST_WITH_LOGIN = _("{value} has a login in it; write the host alone, since people log in by their own names")
NO_HOST_WITH_PORT = _("{value} has a port in it; write the host alone, and `port: {port}` beside it")
HOST_KEY_OF_KNOWN_HOSTS = _("has the host's name in front of the key; write {key}")
HOST_CERTIFICATE = _("is a certificate, not a key; write the line of /etc/ssh/ssh_host_*_key.pub without -cert")
HOST_KEY_DSA = _("is a DSA key, which is no longer safe; write the line of ssh_host_ed25519_key.pub")
HOST_KEY_KIND = _("{kind} is no kind of host key; write one of {known}, and the key behind it")
HOST_KEY_CUT = _("is not a whole key, a part of it is missing; write the line of ssh_host_*_key.pub again")
HOST_KEY_OF_OTHER_KIND = _("says {kind}, but its key is {inside}; write {inside} in front of it")

# -- words with a meaning of their own ---------------------------------------------------------------------
NOT_A_MOMENT = _(
    "{value} is not a date with a time; write 2026-12-01 08:00, with +01:00 or Z behind it if it is not the time "
    "of this machine"
)
DECIDED_BY = _("is set by the launch itself; write {key} instead")
DECIDED_BY_SITE = _("is set by the launch itself; write {key} of the site instead")
JOB_NAME = _("is set by the launch itself, because jobs are found by their name; remove it")
ONE_TASK = _("is set by the launch itself, because the server is one task on a node; remove it")
SEVERAL_JOBS = _("would make several jobs of one launch; remove it")
NOT_AT_ONCE_STARTED = _("would keep the job from starting while a person waits for it; remove it")
NOTHING_SUBMITTED = _("submits no job at all; remove it")
PATH_OF_SLURM = _("is for `kind: pbs`; write `slurm_path` beside `scheduler`")
OPTION_OF_PBS = _("is for `kind: pbs`; remove it: Slurm takes a project as `--account`")
ANSWER_IS_READ = _("would change what the hub reads of sbatch; remove it")
NOT_RUN_AGAIN = _("would run the job again when nobody waits for it; remove it")
SCRIPT_OF_ITS_OWN = _("would take the place of the launch's own script; write `command` instead")
FOR_ROOT = _("may be used by root alone, but jobs are submitted by their owners; remove it")
SHORT_FOR = _("is short for `{name}`, which {why}")
SHORT_FOR_OPTION = _("is short for `{name}`, which a newer sbatch may not understand; write {name}")
NO_SUCH_OPTION = _("there is no such option of sbatch; did you mean `{name}`?")
FLAG_WITH_VALUE = _("would become --{name}={value}; write true for an option without a value")
NOT_SWITCHED_OFF = _("cannot be switched off like this; write true, or remove the option")
NO_MEANING = _("{name} has no meaning here; {known} has")
NO_MEANING_OF = _("{name} has no meaning here; {known} have")
ICON_PREFIX = _("`{icon}` has the prefix that all icons have; write {name}")
NOT_IN_SHELL = _("has {name}, which is not put in here; write a variable of the shell's, such as $USER")
NO_LINES = _("is empty; write lines of shell, or omit it")
NO_IMAGE = _("does not contain the image; write {image} as one of the words")
NO_HOOK = _("there is no such hook; {hint}")
HOOK_FAILED = _("the hook `{name}` cannot be used ({reason}); update or repair the package it comes from")

# -- keys beside each other --------------------------------------------------------------------------------
SHORT_FOR_ONE = _("is short for one value; write a range or options as `{long}`")
SHORT_AND_LONG = _("is short for `{long}`, which is there too; remove one of them")
SHORT_KERNEL = _("is short for one entry of `kernels`, which is there too; remove one of them")
NAMES_NOBODY = _("names nobody; write groups, projects or users, or omit it for everybody")
SAME_FOR_GROUP = _("says nothing that differs; write `partitions`, `resources` or `directives`, or remove it")
NO_MEANING_BESIDE_OPTIONS = _("has no meaning beside `options`; remove one of them")
NO_OPTION = _("is not among the options; write one of {options}")
LESS_THAN_LEAST = _("is less than the minimum, which is {least}; write a larger one")
MORE_THAN_MOST = _("is more than the maximum, which is {most}; write a smaller one")
DEFAULT_OUTSIDE = _("is {value}, but only {least} to {most} is allowed; write one of these")
CHOICE_AS_LIST = _("is a list; write {example} for a choice")
NEEDS_ONE = _("allows 0, but a job needs one; write 1 or more")
ONE_TEXT = _("is one text, but must be a list; write [{value}]")
NOT_TEXT = _("is not text; write it in quotes, so that nothing is lost")
THERE_TWICE = _("is there twice; remove one of them")
NOT_PICKABLE = _("is empty, or has spaces around it or unusual ones in it; write it without them")
OPTIONS_AND_RANGE = _("has `options` and `min` or `max`; remove one of them")
PICKED_TWICE = _("has no meaning beside `{name}`; remove one of them")
NOTHING_TO_PICK = _(
    "does not say what can be chosen; write `options`, `min` and `max`, `decimal`, `flag: true` or `text`"
)
MIN_OVER_MAX = _("is more than `max`, {most}; write a smaller one")
NOT_IN_RANGE = _("is not in the range; write a whole number from {least} to {most}")
NO_DECIMAL = _(
    "is not a decimal number; write one such as 0.5, with at most 18 digits before and behind the point"
)
NOT_SUCH = {
    "decimal": _("is not in the range; write a decimal number from `min` to `max`"),
    "flag": _("is neither true nor false; write one of them"),
    "text": _("is too long, or does not match the pattern; write another text"),
}
"""Of a default, by the key that says what may be picked."""

NO_PATTERN = _("is not a pattern: {reason}; write a regular expression without look-around and back-references")
FLAG_NOT_TRUE = _("is not true; write `flag: true`, or remove it")
FLAG_WITHOUT_WORD = _("has no word for yes; write one such as --quiet")
EMPTY_NOT_DEFAULT = _('is not the empty option, so nobody could choose that; write "" here, or remove that option')
EMPTY_ARGUMENT = _("is empty; write a word such as --quality, or [] for the value alone")
WORDS_AND_ARGUMENT = _("has no meaning beside `argument`; remove one of them")
WORDS_WITHOUT_OPTIONS = _("has no meaning without `options`; write `argument`")
NO_OPTION_FOR_WORDS = _("is not among the options; write one of {options}")
ONLY_BEHIND_RUN = _("has no meaning without `run`, behind which it would stand; write `variable`, or remove it")
ONLY_OF_JOB_TYPES = _("has no meaning in a profile, which has no datasets; remove it")
ONE_SITE = _("is one name, but must be a list; write [{value}]")
NAMES_OF_SITES = _("names of sites")
NO_SITES = _("names no site; write at least one, or omit it for all of them")
NO_SITE_NAME = _("is not the name of a site; write only names, or a mapping of names to what differs there")
NO_PARTITION_NAME = _("is not the name of a partition; write only names, or a mapping such as {example}")
NO_WEIGHT = _("{value} is not a weight; write a number such as 0.25, not less than 0")
NOTHING_WEIGHED = _("weighs nothing; write a weight above 0 for `nodes`, `cores`, `memory` or `gpus`")
NO_RESERVATION_NAME = _("is not the name of a reservation; write only names, or a mapping such as {example}")
NO_PROJECTS = _("is neither a list, nor none or accounting; for a list write [{value}]")
EMPTY_PROGRAM = _("is empty; write the path or the name of a program")
NOTHING_TO_RUN = _(
    "does not say what runs; write `run` with a program and its arguments, `command: any` for lines of "
    "people's own, or `profile` for a server"
)
COMMAND_NOT_ANY = _(
    "is not the word any; write any for lines of people's own, or `run` with a program and its arguments"
)
RUN_AND_COMMAND = _("has no meaning beside `run`; remove one of them")
RUN_BESIDE_COMMAND = _("has no meaning beside `command: any`; remove one of them")
OF_THE_PROFILE = _("has no meaning beside `profile`, whose servers are as the profile says; write it there")
OF_BATCH_JOBS = _("has no meaning beside `profile`, for only batch jobs have it; remove one of them")
ONE_SERVER = _("has no meaning beside `profile`, which starts one server for all datasets; remove it")
NO_PROFILE = _("there is no profile `{name}`; {hint}")
PROFILE_ELSEWHERE = _("the profile `{profile}` is not offered at {site}; write it there, or remove it here")
PROFILE_NOWHERE = _(
    "the profile `{profile}` is offered at no site that takes jobs; write `jobs` for one of its sites"
)
NO_DATASETS_PARAMETER = _(
    "the profile `{profile}` has no parameter `datasets` for any text; write there: "
    "`datasets: {{title: Datasets, text: {{}}, variable: DATASETS}}`"
)
DATASETS_UNSEEN = _(
    "the parameter `datasets` of the profile `{profile}` reaches no server; write there: `variable: DATASETS`"
)
APPENDED = _("is set by the job itself, which appends to its output when it is run again; remove it")
FOLDER_OF_LOGS = _("is the site's job_folder too, where old files are removed; write another folder")
NO_PROJECTS_OF_GATEWAY = _("is {value}; write a list of projects, or none")
NSG_WITHOUT_TOOLS = _("is nsg, but no tool is named; write `tools` beside it")
OLD_NAME_TAKEN = _("is the name of another system too; write another name, or remove it")
NO_ARGUMENTS_OF_TOOL = _(
    "has words behind the tool, but {gateway} does not say how it takes them; write `arguments` there"
)
UMBRELLA_OF_NSG = _("is for `kind: nsg`; write that, or remove it")
TOOLS_OF_NSG = _("are for `kind: nsg`; write that, or remove them")
NO_COMMAND = _("is command, but no command is given; write `command` beside it")
OF_ANOTHER_DELIVERY = _("is for `delivery: {delivery}`; write that, or remove it")
ENDS_BEFORE = _("is not after `begins`; write a time after {begins}")
OF_CERTIFICATES = _("is for `kind: certificate`; write that, or remove it")
NO_AUTHORITY = _("is certificate, but nothing signs any; write `ca_key` or `command` beside it")
TWO_AUTHORITIES = _("has no meaning beside `ca_key`; remove one of them")
PRINCIPAL_OF_NOBODY = _("is the same for everybody; write `{owner}` in it")
NO_TICKET_THERE = _("brings tickets to jobs, but people come to this site by certificate (`login`); remove it")
NO_TICKET_FOR_IT = _("logs in by Kerberos ticket, but this site is entered by certificate (`login`); remove it")
NO_TICKET_FOLDER = _("is copy, but the site has no ticket_folder; write `ticket_folder` for the site")

# -- datasets -----------------------------------------------------------------------------------------------
LIST_OR_FOLDER = _("says not where the datasets are, or says it twice; write `list`, or `folder` with `type`")
BESIDE_FOLDER = _("`{key}` has no meaning beside `list`; remove it")
FOLDER_WITHOUT_TYPE = _("nothing says what the datasets in it are; write `type: scan`")
DATASET_TWICE = _("`{id}` is the id of an earlier dataset too; give one of them another")
NOT_ONE_VALUE = _("is not one value; write a number, true, false, or text")
NO_DATASET_KEY = _("{value} cannot be an id; write letters, digits and `_.:+@-`, such as `scan-17`")
NO_PARAMETER_NAME = _("{value} cannot be the name of a parameter; write letters, digits, `_` and `.`")
NO_FILE_PATTERN = _("{value} cannot match a name; write a pattern without `/`, such as `*.nii`")
DATASETS_MAX = _("is less than `min`; write at least {least}")
NO_DATASET_TYPE = _("no source has datasets of the type `{name}`; {hint}")
DATASET_WITHOUT_ONE = _("`{place}` has no meaning in a type without datasets; write `datasets`, or remove it")
DATASET_OF_SEVERAL = _("a job with several datasets has no single `{{dataset}}`; write `modes: [each, array]`")

speaks(__name__)
