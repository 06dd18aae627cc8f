"""`python -m fieldpost` is the `fieldpost` command."""

from .cli import main

if __name__ == "__main__":
    main()
