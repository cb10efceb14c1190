"""The service's database: jobs with their history, people, projects with their ledger, what admins did.

Begin at `store.py`: a Store has a part for each of these.  `values.py` and `accounting.py` have what goes in and
comes out.  SQLAlchemy is used here alone.
"""
