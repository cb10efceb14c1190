"""The command `hubjobs`: a module for each group of commands, `output` writes, `main` joins them."""
