"""`python -m billing` is the command `gembill`. Owns nothing else."""

from billing.cli import main

if __name__ == "__main__":
    main()
