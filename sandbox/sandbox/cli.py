"""The command ``sandbox``: serve one vendor's API, or all of them, until Ctrl-C."""

import argparse
import sys
from collections.abc import Mapping, Sequence

from sandbox.fault_text import GRAMMAR, parse_fault
from sandbox.faults import Fault
from sandbox.frame import Frame
from sandbox.server import Running, UnusableAddressError, serve_until_stopped
from sandbox.vendors import VENDORS

ALL = "all"
KEPT_REQUESTS = 10_000  # a sandbox that runs for days does not grow
LARGEST_PORT = 65_535
EPILOG = f"""\
The first line on stdout is the base URL; `sandbox all` prints a line "VENDOR URL" for each.

a fault is:
{GRAMMAR}
while it runs:
  GET    /_sandbox/requests   how many arrived, the most at one time, and which
  DELETE /_sandbox/requests   forget them
  POST   /_sandbox/faults     a JSON list of fault texts, in place of the ones there are
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; give its exit code: 1 when the address cannot be had."""
    options = _parser().parse_args(arguments)
    names = tuple(VENDORS) if options.vendor == ALL else (options.vendor,)
    chosen = {name: _options_of(name, options) for name in names}
    apps = {name: _set_up(name, chosen[name], options) for name in names}

    def announce(servers: Mapping[str, Running]) -> None:
        for name, server in servers.items():
            line = f"{name} {server.url}" if options.vendor == ALL else server.url
            sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
        for name in names:
            vendor = VENDORS[name]
            sys.stderr.write(f"{vendor.title} sandbox: {vendor.hint(chosen[name])}\n")
        sys.stderr.write("Ctrl-C stops it.\n")
        sys.stderr.flush()

    first = options.port
    ports = {name: first + number if first else 0 for number, name in enumerate(names)}
    try:
        serve_until_stopped(apps, host=options.host, ports=ports, announce=announce)
    except UnusableAddressError as error:
        sys.stderr.write(f"sandbox: {error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sandbox", description=__doc__)
    commands = parser.add_subparsers(dest="vendor", required=True, metavar="VENDOR")
    for name, vendor in VENDORS.items():
        command = _command(commands, name, f"serve the {vendor.title} API")
        vendor.add_options(command)
    _command(commands, ALL, "serve them all, each with its defaults")
    return parser


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, summary: str
) -> argparse.ArgumentParser:
    """Add a command with the options that all of them have."""
    command = commands.add_parser(
        name,
        help=summary,
        description=summary,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("--host", default="127.0.0.1", help="loopback only (%(default)s)")
    command.add_argument(
        "--port", type=_port, default=0, help="0 takes any free one; `all` counts up from it"
    )
    command.add_argument("--latency-ms", type=_number, default=0, metavar="N", help="per answer")
    command.add_argument(
        "--fault", type=_fault, action="append", default=[], help="see below (repeatable)"
    )
    return command


def _options_of(name: str, options: argparse.Namespace) -> argparse.Namespace:
    """Give a vendor's own options: what was said, or its defaults when all are served."""
    if options.vendor == name:
        return options
    defaults = argparse.ArgumentParser()
    VENDORS[name].add_options(defaults)
    return defaults.parse_args([])


def _set_up(name: str, own: argparse.Namespace, shared: argparse.Namespace) -> Frame:
    app = VENDORS[name].make(own).app
    app.latency_ms = shared.latency_ms
    app.faults.extend(shared.fault)
    app.log.keep = KEPT_REQUESTS
    return app


def _fault(text: str) -> Fault:
    try:
        return parse_fault(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _number(text: str) -> int:
    if not text.isdecimal():
        msg = f"{text!r} is not a whole number"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def _port(text: str) -> int:
    if _number(text) > LARGEST_PORT:
        msg = f"{text} is above {LARGEST_PORT}"
        raise argparse.ArgumentTypeError(msg)
    return int(text)
