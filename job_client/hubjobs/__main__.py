"""`python -m hubjobs` is the command `hubjobs`."""

from hubjobs.cli.entry import hubjobs

if __name__ == "__main__":
    hubjobs()
