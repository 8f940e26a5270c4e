"""``python -m jacobians`` is the ``jacobians`` command."""

import sys

from jacobians.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
