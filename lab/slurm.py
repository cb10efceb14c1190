"""Text for Slurm: slurm.conf and its companions, made from a site of the plan."""

from lab.plan import Host, Role, Site

GPU_DEVICE = "/run/gpu{index}"
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
ReturnToService=2
SlurmdTimeout=30
KillWait=5
MinJobAge=300
InactiveLimit=0
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
"""
"""What slurm.conf says at every site."""


def slurm_conf(site: Site) -> str:
    """Return slurm.conf of the site, the same text on all its hosts."""
    nodes = site.having(Role.NODE)
    with_gpus = ",".join(node.name for node in nodes if node.gpus)
    return f"""\
ClusterName={site.name}
SlurmctldHost={site.controller.name}({site.controller.address})
{SETTINGS}
{_node_lines(nodes)}
PartitionName=normal Nodes=ALL Default=YES MaxTime=08:00:00 DefaultTime=00:30:00
PartitionName=debug Nodes={nodes[-1].name} MaxTime=00:10:00 DefaultTime=00:05:00
PartitionName=gpu Nodes={with_gpus} MaxTime=08:00:00 DefaultTime=00:30:00
"""


def _node_lines(nodes: tuple[Host, ...]) -> str:
    return "\n".join(
        f"NodeName={node.name} NodeAddr={node.address} CPUs=8 RealMemory=4000"
        + (f" Gres=gpu:{node.gpus}" if node.gpus else "")
        for node in nodes
    )


def gres_conf(host: Host) -> str:
    """Return gres.conf of one host: its GPUs, or nothing."""
    return "".join(f"Name=gpu File={GPU_DEVICE.format(index=index)}\n" for index in range(host.gpus))


def cgroup_conf() -> str:
    """Return cgroup.conf: Slurm must not look for cgroups, which belong to the machine."""
    return "CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n"
