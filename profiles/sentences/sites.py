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
NOT_EXPANDED_IN_FOLDER = _("{name} is not expanded here; write {{owner}} for the person's login")
PERCENT_IN_FOLDER = _("has a %, for which Slurm puts something else; write {owner} for the person's login")
FOLDER_OF_ALL = _(
    "is one folder for everybody, which only one of them may enter; write {owner} in it, such as "
    "/scratch/{owner}/jupyter"
)
WRITE_FOLDER = _("is not the folder that is meant; write {folder}")
PATH_NOT_EXPANDED = _("{name} is not expanded here; write `prefix` or `modules` in place of {variable}")
NOT_FOR_JOBS = _(
    "is for Slurm's commands on the front end, not for jobs; write {name} in `variables` of `jupyter` for those"
)
OFFERED_TOO = _("is what people choose at {site}, where `{offered}` offers some; remove one of them")

speaks(__name__)
