"""`python -m hubjobs` is the command `hubjobs`."""

from hubjobs.cli.main import main

if __name__ == "__main__":
    main()
