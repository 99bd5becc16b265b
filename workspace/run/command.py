"""How a command starts and fails: one clear line for a user's mistake, no traceback."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable

from demand.schema.errors import UserError
from workspace.run.machine_errors import describe_machine_error
from workspace.secrets.redacted_output import redacted_output
from workspace.secrets.redaction import read_environment


def run_command(main: Callable[[], None]) -> None:
    """Run a stage's main(); a UserError becomes one message on stderr and exit code 1, without a traceback.

    So does what the machine refuses, such as room on a full disk.
    Nothing that is printed meanwhile holds a secret, the traceback of an unexpected error neither.
    """
    read_environment()
    with redacted_output():
        try:
            main()
        except UserError as error:
            print(f"error: {error}", file=sys.stderr)
            sys.exit(1)
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            sys.exit(130)
        except Exception as error:
            reason = describe_machine_error(error)
            if reason is None:
                traceback.print_exc()
            else:
                print(f"error: {reason}", file=sys.stderr)
            sys.exit(1)
