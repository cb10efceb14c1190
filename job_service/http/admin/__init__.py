"""The routes of admins: everybody's jobs, people, projects, quotas, members, bans; and what admins did.

Every change leaves a row in the audit, with the name of whoever made it.
"""
