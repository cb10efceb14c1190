"""What the service says, as frozen values.

Times have a zone; `..._s` are seconds, `memory_mib` MiB.  Texts are as the service gave them: whoever writes them
to a terminal passes them through `hubjobs.text` first.  None means that it is not known, or does not apply.
"""

from hubjobs.models.administration import Ban, Deed, Entry, Member, PersonalQuota, ServiceProject, Stand
from hubjobs.models.jobs import (
    CANCELED_STATUS,
    Event,
    File,
    Files,
    Group,
    Job,
    NotAccepted,
    Page,
    Preview,
    Server,
    Spec,
)
from hubjobs.models.offers import (
    Choice,
    Dataset,
    Datasets,
    JobType,
    OnLine,
    Option,
    Partition,
    Place,
    Project,
    Quota,
    System,
    WantedDatasets,
)
from hubjobs.models.people import Hub, Me, Ticket

__all__ = [
    "CANCELED_STATUS",
    "Ban",
    "Choice",
    "Dataset",
    "Datasets",
    "Deed",
    "Entry",
    "Event",
    "File",
    "Files",
    "Group",
    "Hub",
    "Job",
    "JobType",
    "Me",
    "Member",
    "NotAccepted",
    "OnLine",
    "Option",
    "Page",
    "Partition",
    "PersonalQuota",
    "Place",
    "Preview",
    "Project",
    "Quota",
    "Server",
    "ServiceProject",
    "Spec",
    "Stand",
    "System",
    "Ticket",
    "WantedDatasets",
]
