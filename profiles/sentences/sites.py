"""What in a site can be read and cannot work, and what to write.

Each stands behind the place of a value, such as `sites.geneva.job_folder`, whose name begins the sentence.
"""

from languages import sentence as _
from languages import speaks

HOST_IS_ADDRESS = _(
    "is an address, for which the KDC has no host/ principal; write the full name of the host, such as "
    "login1.example.org"
)
QUOTES = _("has a quotation mark of a text program in it; remove it, or write \" or ' around the value")
PORT_OF_NODE = _("has a port, and each server has its own; write the address alone")
HUB_IS_LOOPBACK = _(
    "{host} is each node itself, where no hub is; write the hub's name, such as http://hub.example.org:8081"
)
HUB_IS_ANY = _(
    "{host} is where the hub listens, not where nodes find it; write the hub's name, such as "
    "http://hub.example.org:8081"
)
HUB_URL_PORT = _("has a port that is none; write a number from 1 to 65535, such as http://hub.example.org:8081")
HUB_URL_MORE = _("has a login, a ? or a # in it; write scheme, name and port alone")
HUB_URL_NAME = _("{host} is not the name of a host; write the hub's name, such as http://hub.example.org:8081")
BRACES_TWICE = _("has two pairs of braces, of which one stays; write {name}")
FOLDER_ABOVE = _("has .. in it, which leads above; write the folder itself")
SEVERAL_FOLDERS = _("is several folders, or has a : in it; write the one folder that has sbatch")
NOT_EXPANDED_IN_FOLDER = _("{name} is not expanded here; write {{owner}} for the person's login")
PERCENT_IN_FOLDER = _("has a %, for which Slurm puts something else; write {owner} for the person's login")
FOLDER_OF_ALL = _(
    "is one folder for everybody, which only one of them may enter; write {owner} in it, such as "
    "/scratch/{owner}/jupyter"
)
WRITE_FOLDER = _("is not the folder that is meant; write {folder}")
PREFIX_NOT_EXPANDED = _(
    "is not an absolute path, and no ~, variable or braces are expanded here; write one that begins with /"
)
MODULES_IN_ONE = _("has a space in it, so it is no module; write {modules}")
PROGRAM_WITH_SPACE = _("has a space in it, so it is no program; write [{words}]")
PATH_NOT_EXPANDED = _("{name} is not expanded here; write `prefix` or `modules` in place of {variable}")
NOT_FOR_JOBS = _(
    "is for Slurm's commands on the front end, not for jobs; write {name} in `variables` of `jupyter` for those"
)
SHORT_HOST = _(
    "is a short name; if the KDC has no principal host/ of that name, nobody gets in; write the full name, such "
    "as login1.example.org"
)
FOLDER_OF_ONE_MACHINE = _(
    "is each machine's own on most clusters, but front ends and nodes have to see the same; write one on a shared "
    "file system"
)
TIME_IS_CUT = _(
    "is {asked}, but the longest in its partitions at {site} is {most}, so nobody gets more there; write at most "
    "{most}"
)
OFFERED_TOO = _("is what people choose at {site}, where `{offered}` offers some; remove one of them")

speaks(__name__)
