"""Lets ``python -m sandbox`` do what the command ``sandbox`` does."""

import sys

from sandbox.cli import main

sys.exit(main())
