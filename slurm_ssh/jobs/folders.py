"""Where at a site lies what belongs to an owner's jobs.  Pure."""

from profiles.catalogue.site import Site


def job_folder(site: Site, owner: str) -> str:
    """Return the folder of the owner's job logs at the site."""
    return site.job_folder.replace("{owner}", owner)


def log_path(site: Site, owner: str, launch_id: str) -> str:
    """Return the path of a job's log at the site."""
    return f"{job_folder(site, owner)}/{launch_id}.log"


def launch_folder(site: Site, owner: str, launch_id: str) -> str:
    """Return the private folder that a job makes at its beginning and removes at its end."""
    return f"{job_folder(site, owner)}/{launch_id}"
