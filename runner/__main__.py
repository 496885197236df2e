"""`python -m runner` is the command `outreach`."""

from runner.cli.main import main

if __name__ == "__main__":
    main()
