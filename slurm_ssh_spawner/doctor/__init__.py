"""Examines a hub that need not run: machine, Kerberos, addresses, catalogue, then each site.

`examination` goes through the groups in order: `machine`, `kerberos`, `addresses`, `menu` have the checks of one
each, and `site` those of sites.  What a start of the hub looks at too is in `slurm_ssh_spawner.checks` and
`kerberos_auth.checks`, and only called here.
"""
