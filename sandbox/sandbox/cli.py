"""The command ``sandbox``: serve one vendor's API or store, or all APIs, until Ctrl-C.

``sandbox kissmetrics-export`` writes the files of a raw data export into a folder.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack

from sandbox.fault_text import GRAMMAR, parse_fault
from sandbox.faults import Fault
from sandbox.kissmetrics.raw.options import add_export_options, write
from sandbox.options import PORT, WHOLE, Account, UnusableOptionsError
from sandbox.server import Running, UnusableAddressError, serve_until_stopped
from sandbox.vendors import STORES, VENDORS

ALL = "all"
EXPORT = "kissmetrics-export"
_SERVED = {**VENDORS, **STORES}
KEPT_REQUESTS = 10_000  # keeps a sandbox that runs for days from growing
EPILOG = f"""\
The first line on stdout is the base URL; `sandbox all` prints a line "VENDOR URL" for each vendor.

a fault is:
{GRAMMAR}
while it runs:
  GET    /_sandbox/requests   the number of requests, the most at one time, and the requests
  DELETE /_sandbox/requests   clear the log
  POST   /_sandbox/faults     replace all faults by those of a JSON list of fault texts
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 1 if an address or a folder is not available."""
    options = _parser().parse_args(arguments)
    try:
        if options.vendor == EXPORT:
            sys.stdout.write(f"{options.folder}: {write(options)}\n")
        else:
            _run(options)
    except (UnusableAddressError, UnusableOptionsError) as error:
        sys.stderr.write(f"sandbox: {error}\n")
        return 1
    return 0


def _run(options: argparse.Namespace) -> None:
    names = tuple(VENDORS) if options.vendor == ALL else (options.vendor,)
    with ExitStack() as stack:
        _serve({name: stack.enter_context(_account(name, options)) for name in names}, options)


def _account(name: str, options: argparse.Namespace) -> AbstractContextManager[Account]:
    """Set up a vendor's account: as the options say, or with its defaults for ``all``."""
    if options.vendor == ALL:
        options = _parser().parse_args([name, f"--latency-ms={options.latency_ms}"])
    return _SERVED[name].serving(options)


def _serve(accounts: Mapping[str, Account], options: argparse.Namespace) -> None:
    def announce(servers: Mapping[str, Running]) -> None:
        for name, server in servers.items():
            line = f"{name} {server.url}" if options.vendor == ALL else server.url
            sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
        for name, account in accounts.items():
            sys.stderr.write(f"{_title(name)} sandbox: {account.hint}\n")
        sys.stderr.write("Press Ctrl-C to stop.\n")
        sys.stderr.flush()

    for account in accounts.values():
        account.app.faults.extend(options.fault)
        account.app.log.keep = KEPT_REQUESTS
    first = options.port
    ports = {name: first + place if first else 0 for place, name in enumerate(accounts)}
    apps = {name: account.app for name, account in accounts.items()}
    serve_until_stopped(apps, host=options.host, ports=ports, announce=announce)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sandbox", description=__doc__)
    commands = parser.add_subparsers(dest="vendor", required=True, metavar="VENDOR")
    for name, vendor in VENDORS.items():
        vendor.add_options(_command(commands, name, f"serve the {_title(name)} API"))
    for name, store in STORES.items():
        store.add_options(_command(commands, name, "serve a raw data export of Kissmetrics as S3"))
    _command(commands, ALL, "serve all APIs, each with its defaults")
    summary = "write a raw data export of Kissmetrics into a folder"
    export = commands.add_parser(EXPORT, help=summary, description=summary)
    export.add_argument(
        "folder", metavar="FOLDER", help="a new folder, or one with the same export"
    )
    add_export_options(export)
    return parser


def _title(name: str) -> str:
    return " ".join(_TITLES.get(word, word.capitalize()) for word in name.split("-"))


_TITLES = {"s3": "S3"}


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, summary: str
) -> argparse.ArgumentParser:
    """Add a command with the options that all commands have."""
    command = commands.add_parser(
        name,
        help=summary,
        description=summary,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = command.add_argument
    add("--host", default="127.0.0.1", help="loopback address to listen on (%(default)s)")
    add("--port", type=PORT, default=0, help="0 takes any free port; `all` counts up from it")
    add("--latency-ms", type=WHOLE, default=0, metavar="N", help="delay of every response")
    add("--fault", type=_fault, action="append", default=[], help="see below (repeatable)")
    return command


def _fault(text: str) -> Fault:
    try:
        return parse_fault(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
