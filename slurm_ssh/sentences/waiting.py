"""Why jobs wait, in words for people: the reasons that `squeue` of Slurm 25.11 can give for a job.

`REASONS` has a sentence for each reason that stands alone.  Those of limits are made of parts, such as
`QOSMaxCpuPerUserLimit`: whose limit, of what, for whom; `LIMITS` has the sentences, with `{what}` of `AMOUNTS` and
`{whose}` of `OWNERS`.
"""

from languages import sentence as _
from languages import speaks

WITH_WORD = _("{sentence} ({word})")
OTHER = _("The job waits in the queue of {site}.")

_RESOURCES = _("No node of {site} has enough free for this job now.")
_PRIORITY = _("Other jobs are before yours in the queue of {site}.")
_NODES_AWAY = _("The nodes that this job could use are down, drained or reserved.")
_PARTITION_DOWN = _("This partition of {site} starts no jobs at present.")
_HELD = _("The job is held by an administrator of {site}: it starts when they let it. Ask their support.")
_NEVER = _("{site} cannot start the job as it was asked for. Cancel it, and change the choices.")
_FAILED_ONCE = _("Slurm could not start the job at first, and holds it. Cancel it, and start again.")
_POWER = _("Nodes of {site} are switched on or wait for power.")
_BURST_BUFFER = _("Fast storage that the job asks for is not ready.")
_DEPENDENCY = _("The job waits for another one.")
_SOON = _("The job is about to start, or Slurm has not looked at it yet.")
_ACCOUNT = _("Your project may not use this partition or cluster. Choose another one.")
_QOS = _("This quality of service may not be used here. Choose another one.")
_ASSOCIATION = _("You or your project have reached a limit of {site}; the job starts when other jobs have ended.")
_QOS_LIMIT = _("A limit of this quality of service is reached; the job starts when other jobs have ended.")
_RESERVATION = _("The job waits for its reservation.")
_RESERVATION_GONE = _("The reservation that the job asks for is gone. Cancel it, and change the choices.")
_LONGER = _("The job asks for more time than its partition lets a job have. Cancel it, and ask for less.")

REASONS = {
    "None": _SOON,
    "Prolog": _SOON,
    "SchedDefer": _SOON,
    "Cleaning": _SOON,
    "FedJobLock": _SOON,
    "Priority": _PRIORITY,
    "Resources": _RESOURCES,
    "Dependency": _DEPENDENCY,
    "DependencyNeverSatisfied": _NEVER,
    "BeginTime": _("The job has a time before which it does not start."),
    "DeadLine": _NEVER,
    "Licenses": _("The job waits for a licence that others use now."),
    "JobArrayTaskLimit": _("As many tasks of the job run as may run at once."),
    "PartitionNodeLimit": _("The job asks for more nodes than its partition has. Cancel it, and ask for less."),
    "PartitionTimeLimit": _LONGER,
    "PartitionDown": _PARTITION_DOWN,
    "PartitionInactive": _PARTITION_DOWN,
    "PartitionConfig": _NEVER,
    "ReqNodeNotAvail": _NODES_AWAY,
    "NodeDown": _NODES_AWAY,
    "FrontEndDown": _NODES_AWAY,
    "ReservedForMaintenance": _("{site} has a maintenance, and the job would not end before it begins."),
    "MaxPoweredUpNodes": _POWER,
    "PowerNotAvail": _POWER,
    "PowerReserved": _POWER,
    "Reservation": _RESERVATION,
    "ReservationDeleted": _RESERVATION_GONE,
    "ReservationInvalid": _RESERVATION_GONE,
    "ReservationMaxUse": _RESERVATION,
    "BadConstraints": _NEVER,
    "Constraints": _NEVER,
    "JobHeldAdmin": _HELD,
    "JobHeldUser": _("You have held the job: release it with scontrol, or cancel it."),
    "JobHoldMaxRequeue": _FAILED_ONCE,
    "JobLaunchFailure": _FAILED_ONCE,
    "SystemFailure": _FAILED_ONCE,
    "NonZeroExitCode": _FAILED_ONCE,
    "RaisedSignal": _FAILED_ONCE,
    "OutOfMemory": _FAILED_ONCE,
    "TimeLimit": _FAILED_ONCE,
    "InactiveLimit": _FAILED_ONCE,
    "InvalidAccount": _ACCOUNT,
    "AccountNotAllowed": _ACCOUNT,
    "AccountingPolicy": _ASSOCIATION,
    "AssociationJobLimit": _ASSOCIATION,
    "AssociationResourceLimit": _ASSOCIATION,
    "AssociationTimeLimit": _ASSOCIATION,
    "InvalidQOS": _QOS,
    "QOSNotAllowed": _QOS,
    "QOSUsageThreshold": _QOS_LIMIT,
    "QOSJobLimit": _QOS_LIMIT,
    "QOSResourceLimit": _QOS_LIMIT,
    "QOSTimeLimit": _QOS_LIMIT,
    "MaxMemPerLimit": _("The job asks for more memory than one may have here. Cancel it, and ask for less."),
    "BurstBufferResources": _BURST_BUFFER,
    "BurstBufferStageIn": _BURST_BUFFER,
    "BurstBufferOperation": _FAILED_ONCE,
    # What squeue says in its own words in place of a reason.
    "Nodes required for job are DOWN": _NODES_AWAY,
    "Nodes required for job are DOWN or DRAINED": _NODES_AWAY,
}

TOGETHER = _("All jobs of {whose} together use as much as they may: {what}. Yours starts when others have ended.")
YOURS = _("Your jobs together use as much as {whose} lets you: {what}. This one starts when another has ended.")
TOO_MUCH = _("The job asks for more than {whose} lets one job have: {what}. Cancel it, and ask for less.")
TOO_LITTLE = _("The job asks for less than {whose} wants: {what}. Cancel it, and ask for more.")

OWNERS = {"Assoc": _("your project"), "QOS": _("this quality of service"), "": _("your project")}
AMOUNTS = {
    "Cpu": _("cores"),
    "Mem": _("memory"),
    "Memory": _("memory"),
    "Node": _("nodes"),
    "GRES": _("GPUs and the like"),
    "License": _("licences"),
    "BB": _("fast storage"),
    "Energy": _("energy"),
    "Billing": _("what is charged"),
    "Unknown": _("a resource of this cluster"),
    "Jobs": _("jobs at once"),
    "SubmitJobs": _("jobs in the queue"),
    "Wall": _("time"),
}

speaks(__name__)
