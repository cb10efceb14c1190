"""How the tables of launch records came to be, one revision after the other; run by `database.upgrade`."""
