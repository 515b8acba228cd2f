"""`python -m gembill` is the command `gembill`. Owns nothing else."""

from gembill.cli import main

if __name__ == "__main__":
    main()
