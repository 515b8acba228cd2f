"""`python -m gembill` is the command `gembill`. Not here: the command itself."""

from gembill.cli import main

if __name__ == "__main__":
    main()
