"""Launch records: our own rows about launches, kept over restarts and after their end."""

from slurm_ssh_spawner.launch.records.database import NewerDatabase
from slurm_ssh_spawner.launch.records.records import LaunchRecords
from slurm_ssh_spawner.launch.records.values import LaunchRecord, RunRecord
from slurm_ssh_spawner.launch.records.worker import DatabaseAway

__all__ = ["DatabaseAway", "LaunchRecord", "LaunchRecords", "NewerDatabase", "RunRecord"]
