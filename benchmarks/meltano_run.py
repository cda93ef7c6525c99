"""Whole runs through ``meltano run``: the time that Meltano, the tap and the target take."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from sandbox.postgres import postgres_running

from benchmarks.contest import Case, Contestant, contest, print_progress, scratch
from benchmarks.environments import ENVIRONMENTS
from benchmarks.khoros_site import EXPORT, TAP, tenant
from benchmarks.measure import NOWHERE, measured, plain_environment
from benchmarks.runs import catalog, tap_command
from benchmarks.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.contest import Options

ROOT = Path(__file__).parent.parent
PROJECT = ENVIRONMENTS / "meltano"
ROWS = 100_000
TARGETS = ("target-jsonl", "target-postgres")
POSTGRES = ("host", "port", "user", "password", "database")
EVERY_S = 0.1
Variables = dict[str, str]


def run(options: Options) -> Iterator[Case | str]:
    """Measure loads into JSONL and into PostgreSQL: the whole run, and each part alone."""
    rows = options.sized(ROWS)
    make_project()
    with (
        scratch() as name,
        tenant("--rows", f"{EXPORT}={rows}", "--exclusive-end") as settings,
        postgres_running() as postgres,
    ):
        folder = Path(name)
        tap = [*tap_command(TAP, settings, folder), *catalog(TAP, settings, folder, EXPORT)]
        messages = folder / "messages"
        with messages.open("wb") as file:
            subprocess.run(
                tap,
                check=True,
                stdout=file,
                stderr=subprocess.DEVNULL,
                env=plain_environment(),
            )
        jsonl = folder / "jsonl"
        jsonl.mkdir()
        variables = {
            **tap_variables(settings),
            **postgres.target_settings,
            "TARGET_JSONL_DESTINATION_PATH": str(jsonl),
        }
        for target in TARGETS:
            title = f"{rows:,} rows of 20 columns, meltano run {TAP} {target}"
            case = Case(target, title, rows, is_race=False)
            yield contest(case, parts(target, tap, messages, variables), options, place=NOWHERE)
            yield shares(target, variables)


def make_project() -> None:
    """Create a separate Meltano project with the tap and the targets from ``meltano.yml``.

    Raises:
        RuntimeError: Meltano cannot install them; the message has the end of its output.
    """
    PROJECT.mkdir(parents=True, exist_ok=True)
    project = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))
    plugins = project["plugins"]
    plugins["extractors"] = [tap for tap in plugins["extractors"] if tap["name"] == TAP]
    plugins["extractors"][0]["pip_url"] = f"-e {ROOT / TAP} -c {ROOT / 'constraints.txt'}"
    for more in ("jobs", "schedules"):
        project.pop(more, None)
    (PROJECT / "meltano.yml").write_text(yaml.safe_dump(project, sort_keys=False))
    print_progress("meltano_run: installing the plugins")
    # The tap's environment contains a copy of the kit, which may be out of date.
    for options in (("--clean", "--plugin-type=extractors"), ("--plugin-type=loaders",)):
        done = subprocess.run(
            _meltano("install", *options),
            check=False,
            capture_output=True,
            cwd=PROJECT,
            env=plain_environment(),
        )
        if done.returncode:
            raise RuntimeError((done.stdout + done.stderr).decode()[-2000:])


def parts(target: str, tap: list[str], messages: Path, variables: Variables) -> list[Contestant]:
    """Return the whole run, the tap alone, and the target alone with the tap's output."""
    program = PROJECT / ".meltano" / "loaders" / target / "venv" / "bin" / target
    fed = f'exec "$0" "$@" < {messages}'
    return [
        Contestant(f"meltano run {TAP} {target}", lambda _: whole(target, variables), count=None),
        Contestant(f"{TAP} alone", lambda _: tap, count=None),
        Contestant(
            f"{target} alone, from a file",
            lambda folder: [
                *("sh", "-c", fed, str(program)),
                *("--config", target_config(target, variables, folder)),
            ],
            count=None,
        ),
    ]


def whole(target: str, variables: Variables) -> list[str]:
    """Return the command of a user, in the project's folder, with a full refresh."""
    settings = [f"{name}={value}" for name, value in variables.items()]
    command = _meltano("--log-level=warning", "run", "--full-refresh", TAP, target)
    return ["env", "-C", str(PROJECT), *settings, *command]


def shares(target: str, variables: Variables) -> str:
    """Return a table of the CPU time of each program in one whole run."""
    programs = ("meltano", TAP, target, "postgres")
    with scratch() as name, Watch(programs, EVERY_S) as watch:
        took = measured(whole(target, variables), Path(name))
    lines = [
        f"CPU time in one run of {took.seconds:.1f} s, sampled ten times a second:",
        "",
        "| program | CPU s | share |",
        "|---|---|---|",
    ]
    spent = {program: watch.cpu_s(program) for program in programs}
    everything = sum(spent.values())
    lines += [
        f"| {program} | {s:.1f} | {100 * s / everything:.0f} % |"
        for program, s in spent.items()
        if s
    ]
    return "\n".join(lines)


def _meltano(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("meltano")), "--environment=prod", *arguments]


def tap_variables(settings: dict[str, Any]) -> Variables:
    """Return the tap's settings and the selected stream as environment variables."""
    prefix = TAP.upper().replace("-", "_")
    own = {f"{prefix}_{name.upper()}": str(value) for name, value in settings.items()}
    return {**own, f"{prefix}__SELECT": json.dumps([f"{EXPORT}.*"])}


def recommended(target: str) -> dict[str, Any]:
    """Return the settings of a target in ``meltano.yml``, which a run through Meltano has too."""
    project = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))
    (loader,) = (one for one in project["plugins"]["loaders"] if one["name"] == target)
    return dict(loader["config"])


def target_config(target: str, variables: Variables, folder: Path) -> str:
    """Write a config file for a target that runs without Meltano, and return its path."""
    names = {"target-jsonl": ("destination_path",), "target-postgres": POSTGRES}[target]
    prefix = target.upper().replace("-", "_")
    config = recommended(target)
    config |= {name: variables[f"{prefix}_{name.upper()}"] for name in names}
    if target == "target-postgres":
        schema = variables.get("TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA", "alone")
        config |= {"port": int(config["port"]), "default_target_schema": schema}
    path = folder / "target.json"
    path.write_text(json.dumps(config))
    return str(path)
