"""What cannot be had at a site whose jobs PBS runs, and what to write.

Each stands behind the place of a value, such as `sites.geneva.qos`, whose name begins the sentence.
"""

from languages import sentence as _
from languages import speaks

PATH = _("is Slurm's, and the site has PBS; write `scheduler: {kind: pbs, path: }`")
OF_SLURM = _("is Slurm's, and the site has PBS; remove it")
OF_SBATCH = _("are options of sbatch, and the site has PBS; remove them")
RESERVATIONS = _("are Slurm's; in PBS a reservation is a queue, so write its queue in `partitions`")
MONITOR = _("asks Slurm, and the site has PBS; remove it: people's own connections ask there")
JOBS = _("takes batch jobs, which are sent to Slurm only; remove it: at a site with PBS notebooks alone run")
ACCOUNTING = _("asks Slurm's accounting, and the site has PBS; write the projects as a list")
AUKS = _("is a plug-in of Slurm, and the site has PBS; write copy, command or none")
FOLDER = _("has a colon or a comma, which mean something else to qsub; choose another folder")
OF_SBATCH_AT = _("are options of sbatch, and {site} has PBS; write them for the sites with Slurm only")
RESERVATIONS_AT = _("are Slurm's, and {site} has PBS; write them for the sites with Slurm only")
GPU_TYPES_AT = _("are not known to PBS, which {site} has; write them for the sites with Slurm only")
KERNELS_AT = _(
    "have a script that calls init-cluster, which starts its cluster by Slurm, and {site} has PBS; write it for "
    "the sites with Slurm only"
)
SPARK_AT = _("starts its cluster by Slurm, and {site} has PBS; write it for the sites with Slurm only")

speaks(__name__)
