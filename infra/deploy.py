"""`make deploy STAGE=dev`: everything from an empty account to a service that has been seen to work.

Each step looks at what is there, says what it does, and does only what is missing: run it again after whatever went
wrong. `--dry-run` says it and does nothing.
"""

import argparse
import base64
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from infra import artifact, harden, mend, settings, smoke, socket_api, stacks
from infra.deployment import Action, Deployment, GiveUp, NotYet, load, plain_errors

LEFT_FOR_OTHERS = 100  # Lambda lets nobody reserve the last hundred


class Step(NamedTuple):
    """A part of the way: its title, and what of it remains to be done."""

    title: str
    actions: Callable[[Deployment], Iterator[Action]]


def check(deployment: Deployment) -> None:
    """Raises GiveUp for whatever would stop us later, before anything is changed."""
    settings.check(deployment)
    settings.check_account(deployment)
    settings.check_letters(deployment)
    print(f"{deployment.name} in account {deployment.account}, {deployment.region}", flush=True)
    for stack, parameters in stacks.wanted(deployment).items():
        list(stacks.changes(deployment, stack, parameters))
    _check_concurrency(deployment)


def steps() -> list[Step]:
    """The whole way."""
    return [
        Step("Infrastructure", stacks.actions),
        Step("WebSocket API", socket_api.before),
        Step("Settings", settings.actions),
        Step("Artifact", _artifact),
        Step("What Chalice overlooks, before", mend.before),
        Step("Functions and API", _chalice_deploy),
        Step("What Chalice overlooks, after", mend.after),
        Step("Sign-in", stacks.sign_in_actions),
        Step("Hardening", harden.actions),
        Step("Smoke test", smoke.actions),
    ]


def run(deployment: Deployment, dry_run: bool) -> None:
    """Take every step, or only say what each would do."""
    check(deployment)
    for number, step in enumerate(steps(), start=1):
        print(f"{number}. {step.title}", flush=True)
        try:
            _take(step.actions(deployment), dry_run)
        except NotYet as missing:
            if not dry_run:
                raise GiveUp(f"What this needs is gone: {missing}. Run this again, and it is made.") from None
            print("   not known before the steps above are done")
    print("Nothing was changed." if dry_run else f"The service is at {deployment.address}")


def main(arguments: list[str], root: Path) -> None:
    """What the command line asks. Raises GiveUp, with one line, if that cannot be done."""
    parser = argparse.ArgumentParser(prog="make deploy", description=__doc__)
    parser.add_argument("stage", nargs="?", default="", help="a stage of .chalice/config.json: dev, prod")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and change nothing")
    asked = parser.parse_args(arguments)
    with plain_errors():
        run(load(root, asked.stage), asked.dry_run)


def _take(actions: Iterator[Action], dry_run: bool) -> None:
    done = 0
    for action in actions:
        print(f"   {action.what}", flush=True)
        done += 1
        if not dry_run:
            action.do()
    if not done:
        print("   as it should be", flush=True)


def _check_concurrency(deployment: Deployment) -> None:
    """A new account may have too little to reserve from; Lambda would stop us half-way."""
    functions = deployment.config["stages"][deployment.stage].get("lambda_functions", {})
    wanted = {f"{deployment.name}-{name}": function["reserved_concurrency"] for name, function in functions.items()
              if "reserved_concurrency" in function}  # fmt: skip
    more = sum(wanted.values()) - sum(map(partial(_reserved, deployment), wanted))
    free = deployment.client("lambda").get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"]
    if more > 0 and free < LEFT_FOR_OTHERS + more:
        raise GiveUp(f"This account has {free} functions at once left to give away, too few to reserve {more}. Ask AWS "
                     "for more (Service Quotas, Lambda, Concurrent executions), or take reserved_concurrency out of "
                     ".chalice/config.json.")  # fmt: skip


def _reserved(deployment: Deployment, function: str) -> int:
    functions = deployment.client("lambda")
    try:
        return int(functions.get_function_concurrency(FunctionName=function).get("ReservedConcurrentExecutions", 0))
    except functions.exceptions.ResourceNotFoundException:
        return 0


def _artifact(deployment: Deployment) -> Iterator[Action]:
    yield Action("build the package that Lambda runs", partial(_build, deployment))


def _build(deployment: Deployment) -> None:
    print(f"   {artifact.build(deployment.root, deployment.stage).describe()}")


def _chalice_deploy(deployment: Deployment) -> Iterator[Action]:
    yield Action(f"chalice deploy --stage {deployment.stage}", partial(_deploy_functions, deployment))


def _deploy_functions(deployment: Deployment) -> None:
    chalice(deployment, "deploy")
    built = base64.b64encode(bytes.fromhex(artifact.build(deployment.root, deployment.stage).sha256)).decode()
    running = deployment.client("lambda").get_function_configuration(FunctionName=deployment.name)["CodeSha256"]
    if running != built:  # it works, but starts slowly
        raise GiveUp("Chalice deployed another package than the one that was built: the code was changed meanwhile. "
                     "Run this again.")  # fmt: skip


def chalice(deployment: Deployment, command: str) -> None:
    """Run Chalice's own command on the stage. Raises GiveUp with the last thing it said if it fails."""
    program = Path(sys.executable).with_name("chalice")
    environ = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}  # what is cached beside the code would be packaged with it
    process = subprocess.Popen(
        [program, command, "--stage", deployment.stage],
        cwd=deployment.root, env=environ, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout
    why = _told(process.stdout)
    if process.wait():
        raise GiveUp(f"chalice {command} stopped: {why} No report is lost by that. Mend the cause, and run this again.")


def _told(lines: Iterable[str]) -> str:
    """Show what a command says, up to a trace if there is one, which is for nobody; gives the reason at its end."""
    said, shown = ["it said nothing"], True
    for line in filter(None, map(str.strip, lines)):
        said.append(line)
        shown = shown and not line.startswith("Traceback")
        if shown:
            print(f"     {line}", flush=True)
    _, heading, why = " ".join(said).rpartition("received the following error:")
    return f"{why.strip()}." if heading else said[-1]


if __name__ == "__main__":
    main(sys.argv[1:], Path.cwd())
