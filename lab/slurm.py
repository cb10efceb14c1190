"""Text for Slurm: slurm.conf, slurmdbd.conf and their companions, made from a site of the plan."""

from lab.plan import Host, Role, Site

PROJECTS_FILE = "/etc/slurm/projects"
"""What slurmdbd is told once, before slurmctld starts for the first time."""

GPU_DEVICE = "/run/gpu-{kind}-{index}"
"""Plain files stand for GPUs: Slurm only wants a path that exists."""

SETTINGS = """\
SlurmUser=slurm
AuthType=auth/munge
CredType=cred/munge
StateSaveLocation=/var/lib/slurm/slurmctld
SlurmdSpoolDir=/var/lib/slurm/slurmd
SlurmctldPidFile=/run/slurmctld.pid
SlurmdPidFile=/run/slurmd.pid
SlurmctldDebug=verbose
SlurmdDebug=verbose

# No cgroups and fewer cores than declared: this is one small machine.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
MpiDefault=none
SlurmdParameters=config_overrides

SchedulerType=sched/backfill
SchedulerParameters=sched_interval=5,bf_interval=5,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=200
GresTypes=gpu
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
ReturnToService=2
SlurmdTimeout=30
KillWait=30
MinJobAge=300
InactiveLimit=0
JobCompType=jobcomp/none
"""
"""What slurm.conf says at every site."""


def slurm_conf(site: Site) -> str:
    """Return slurm.conf of the site, the same text on all its hosts."""
    nodes = site.having(Role.NODE)
    return f"""\
ClusterName={site.name}
SlurmctldHost={site.controller.name}({site.controller.address})
{SETTINGS}
{_accounting_lines(site)}
{"JobSubmitPlugins=lua" if site.scavenge_advice else ""}
{_node_lines(nodes)}
{_partition_lines(site, nodes)}
"""


def _accounting_lines(site: Site) -> str:
    if not site.projects:
        return "AccountingStorageType=accounting_storage/none"
    return f"""\
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost={site.controller.name}
AccountingStorageEnforce=associations,limits"""


def _partition_lines(site: Site, nodes: tuple[Host, ...]) -> str:
    with_gpus = ",".join(node.name for node in nodes if node.gpus)
    gpu = f"PartitionName=gpu Nodes={with_gpus}" if with_gpus else ""
    last = nodes[-1].name
    return f"""\
PartitionName=DEFAULT MaxTime=08:00:00 DefaultTime=00:30:00 PriorityTier=10 PreemptMode=OFF
PartitionName=normal Nodes=ALL Default=YES
PartitionName=debug Nodes={last} MaxTime=00:10:00 DefaultTime=00:05:00
PartitionName=cloud Nodes=ALL
{gpu}
PartitionName=staff Nodes=ALL AllowGroups={site.staff_group}
PartitionName=maint Nodes={last} State=DOWN
PartitionName=scavenge Nodes=ALL PriorityTier=1 PreemptMode=REQUEUE"""


def _node_lines(nodes: tuple[Host, ...]) -> str:
    return "\n".join(
        f"NodeName={node.name} NodeAddr={node.address} CPUs=16 RealMemory={node.memory_mib}{_gres(node)}"
        for node in nodes
    )


def _gres(node: Host) -> str:
    gpus = ",".join(f"gpu:{kind}:{count}" for kind, count in node.gpus)
    return f" Gres={gpus}" if gpus else ""


def gpu_devices(host: Host) -> tuple[tuple[str, str], ...]:
    """Return type and device of each of the host's GPUs."""
    return tuple(
        (kind, GPU_DEVICE.format(kind=kind, index=index)) for kind, count in host.gpus for index in range(count)
    )


def gres_conf(host: Host) -> str:
    """Return gres.conf of one host: its GPUs, or nothing."""
    return "".join(f"Name=gpu Type={kind} File={path}\n" for kind, path in gpu_devices(host))


def cgroup_conf() -> str:
    """Return cgroup.conf: Slurm must not look for cgroups, which belong to the machine."""
    return "CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n"


def job_submit_lua(site: Site) -> str:
    """Return job_submit.lua: the advice of a site that gives any."""
    return f"""\
function slurm_job_submit(job, partitions, uid)
    if job.partition == "scavenge" then
        slurm.log_user("{site.scavenge_advice}")
    end
    return slurm.SUCCESS
end

function slurm_job_modify(job, record, partitions, uid)
    return slurm.SUCCESS
end
"""


def slurmdbd_conf(site: Site) -> str:
    """Return slurmdbd.conf of a site's controller, where the data base lets the account slurm in by its socket."""
    return f"""\
AuthType=auth/munge
DbdHost={site.controller.name}
SlurmUser=slurm
PidFile=/run/slurmdbd/slurmdbd.pid
DebugLevel=verbose
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=slurm
StorageLoc=slurm_acct_db
"""
