"""`make run`: starts everything, says where it is, and ends it all on Ctrl-C or SIGTERM."""

import errno
import json
import os
import signal
import sys
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import boto3
from chalice.config import Config

from chalicelib import colours, language
from chalicelib.chat_hours import ALWAYS, read_hours
from chalicelib.retention import USUAL, read_periods
from chalicelib.statistics import NOT_CRIMED_REASONS
from infra.local import quick_calls, stack
from infra.local.clock import DevClock, parse_time
from infra.local.dev import Dev, Machine
from infra.local.dynamodb_local import dynamodb_local, missing
from infra.local.evidence_bucket import Scanner
from infra.local.functions import Functions
from infra.local.gateway import Answer, Request, Server
from infra.local.issuer import AUDIENCE, Issuer
from infra.local.sockets import MANAGEMENT, Sockets
from infra.local.triggers import Triggers

LONGEST_GOODBYE_SECONDS = 4


class Stop:
    """Ends the program once, however often it is asked to."""

    def __init__(self) -> None:
        self._asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def wait(self) -> None:
        """Sleep until asked to stop."""
        while not self._asked:
            time.sleep(0.2)  # not signal.pause(): it sleeps on when another thread takes the signal

    def _ask(self, *_: Any) -> None:
        if not self._asked:
            self._asked = True
            last_resort = threading.Timer(LONGEST_GOODBYE_SECONDS, os._exit, [0])
            last_resort.daemon = True
            last_resort.start()
            raise SystemExit(0)


def main() -> None:
    """Run until told to stop."""
    stop = Stop()
    port, clock, database = _port(), _clock(), os.environ.get("DATABASE", "moto")
    if database not in ("moto", "dynamodb-local"):
        _give_up(f"DATABASE={database} is not known: use moto or dynamodb-local")
    if database == "moto" and os.environ.get("DATABASE_DIR"):
        _give_up("DATABASE_DIR is for DATABASE=dynamodb-local: moto keeps everything in memory")
    os.environ |= _telemetry()
    with ExitStack() as running:
        _start(running, _listen(port), clock, database)
        stop.wait()


def _start(running: ExitStack, server: Server, clock: DevClock, database: str) -> None:
    running.callback(server.server_close)
    aws = running.enter_context(stack.moto())
    stack.use_only(aws)
    quick_calls.install()
    outputs = stack.apply_template()
    database_endpoint = aws
    if database == "dynamodb-local":
        database_endpoint = _use_dynamodb_local(running, outputs)
    issuer, sockets = Issuer(f"{server.url}/dev/issuer", clock.now), Sockets()
    os.environ |= _settings(server.url, sockets.url, outputs)
    config = _load_app()
    service = _install_service(clock)
    functions = Functions(config.chalice_app, clock.without_jumps)
    scanner = Scanner(outputs["EvidenceBucketName"])
    off = os.environ.get("SCHEDULES_OFF", "").split()
    triggers = Triggers(
        config.chalice_app, functions, clock.now, outputs["StreamDeadQueueUrl"], scanner, sockets, without=off
    )
    queues = {name: url for name, url in outputs.items() if name.endswith("QueueUrl")}
    sqs = boto3.client("sqs")
    prove, imported = service.reconciliation.prove, service.imported
    machine = Machine(
        server.url, sockets.url, aws, database_endpoint, queues, clock, issuer, triggers, service.outbox, prove,
        imported, sqs,
    )  # fmt: skip
    dev = Dev(machine)

    def own(request: Request) -> Answer | None:
        return sockets.manage(request) or dev.answer(request)

    triggers.start()
    running.callback(triggers.stop)
    serve = (config.chalice_app, config, own, clock.without_jumps, triggers.table_written)
    threading.Thread(target=server.serve, args=serve, name="http", daemon=True).start()
    running.callback(server.shutdown)
    sockets.start(config.chalice_app, functions, triggers.table_written)
    running.callback(sockets.stop)
    _say_ready(server.url, sockets.url, aws, database_endpoint)


def _use_dynamodb_local(running: ExitStack, outputs: dict[str, str]) -> str:
    lacking = missing()
    if lacking:
        _give_up(lacking)
    print("Starting DynamoDB Local (the first time it is downloaded: 56 MB)", flush=True)
    endpoint = running.enter_context(dynamodb_local(_database_dir()))
    outputs["StreamArn"] = stack.create_table(endpoint, outputs["TableName"])
    os.environ |= {"AWS_ENDPOINT_URL_DYNAMODB": endpoint, "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": endpoint}
    return endpoint


def _settings(url: str, socket_url: str, outputs: dict[str, str]) -> dict[str, str]:
    return {
        "REPORTS_TABLE": outputs["TableName"],
        "REPORTS_STREAM_ARN": outputs["StreamArn"],
        "TRIAGE_QUEUE_URL": outputs["TriageQueueUrl"],
        "LETTERS_QUEUE_URL": outputs["LettersQueueUrl"],
        "EVIDENCE_BUCKET": outputs["EvidenceBucketName"],
        "OIDC_ISSUER": f"{url}/dev/issuer",
        "OIDC_AUDIENCE": AUDIENCE,
        "WEBSITE_ORIGINS": os.environ.get("WEBSITE_ORIGINS", "https://www.example.com"),
        "FORCE_NAME": os.environ.get("FORCE_NAME", "Midshire Police"),
        "FORCE_CODE": os.environ.get("FORCE_CODE", "20"),
        "SERVICE_URL": url,
        "SECOND_LOOK": _second_look(),
        "RETENTION": _retention(),
        "PUBLIC_STATISTICS": _public_statistics(),
        "CHAT_SOCKET": socket_url,
        "CHAT_MANAGEMENT": f"{url}{MANAGEMENT}",
        "CHAT_HOURS": _chat_hours(),
        "FORCE_COLOUR": _colour(),
        "LANGUAGE_OF_PAGES": _language(),
        "LETTER_SENDER": "outbox",
        "LETTER_FROM": "online-reports@example.com",
    }


def _telemetry() -> dict[str, str]:
    """Quiet, unless LOG_LEVEL=INFO asks for the logs and metrics that CloudWatch would get."""
    level = os.environ.get("LOG_LEVEL") or "WARNING"
    if level not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        _give_up(f"LOG_LEVEL={level} is not known: use DEBUG, INFO, WARNING or ERROR")
    silent = str(level not in ("DEBUG", "INFO"))
    return {
        "LOG_LEVEL": level,
        "POWERTOOLS_METRICS_DISABLED": silent,
        "POWERTOOLS_SERVICE_NAME": f"crime-reports-{stack.STAGE}",
    }


def _load_app() -> Config:
    # A stage of its own: what .chalice/config.json sets for a deployed stage would win over the settings above. Not by
    # Chalice's command line: importing that asks the terminal questions, and waits ten seconds for an answer.
    on_disk = json.loads(Path(".chalice/config.json").read_text())
    app = import_module("app").app
    return Config(stack.STAGE, user_provided_params={"chalice_app": app}, config_from_disk=on_disk)


def _install_service(clock: DevClock) -> Any:
    settings, wiring = import_module("chalicelib.config"), import_module("chalicelib.wiring")
    import_module("chalicelib.casework").LETTER_LEASE = stack.LETTER_LEASE
    service = wiring.build(settings.Settings.from_environ(), clock=clock.now, settle=lambda: None)
    wiring.install(service)
    return service


def _say_ready(url: str, socket_url: str, aws: str, database: str) -> None:
    print(f"AWS (moto): {aws}\nDatabase: {database}\nWebSocket: {socket_url}")
    print(f"For people: {url}/dev (Ctrl-C ends everything)")
    print(f"Ready: {url}", flush=True)


def _listen(port: int) -> Server:
    try:
        return Server(port)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        _give_up(f"Port {port} is in use. End what uses it, or choose another: PORT={port + 1} make run")


def _database_dir() -> Path | None:
    """Where the table outlives the runner. What the queues had is told again: the stream is read from its beginning."""
    text = os.environ.get("DATABASE_DIR")
    folder = Path(text) if text else None
    try:
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        _give_up(f"DATABASE_DIR={text} cannot be used: {error.strerror}")
    return folder


def _colour() -> str:
    text = os.environ.get("FORCE_COLOUR") or colours.OURS
    if wrong := colours.problem(text.lower()):
        _give_up(f"FORCE_COLOUR={text} cannot be used: it has to be {wrong}")
    return text


def _second_look() -> str:
    reasons = os.environ.get("SECOND_LOOK", "")
    if wrong := set(reasons.split()) - set(NOT_CRIMED_REASONS):
        _give_up(f"SECOND_LOOK={' '.join(wrong)} is no reason: use some of {', '.join(NOT_CRIMED_REASONS)}")
    return reasons


def _retention() -> str:
    text = os.environ.get("RETENTION") or USUAL
    try:
        read_periods(text)
    except ValueError as wrong:
        _give_up(f"RETENTION={text} cannot be used: it has to be {wrong}")
    return text


def _chat_hours() -> str:
    text = os.environ.get("CHAT_HOURS") or ALWAYS
    try:
        read_hours(text)
    except ValueError as wrong:
        _give_up(f"CHAT_HOURS={text} cannot be used: {wrong}")
    return text


def _public_statistics() -> str:
    said = os.environ.get("PUBLIC_STATISTICS") or "no"
    if said not in ("yes", "no"):
        _give_up(f"PUBLIC_STATISTICS={said} is not known: use yes or no")
    return said


def _language() -> str:
    code = os.environ.get("LANGUAGE_OF_PAGES") or language.ENGLISH
    if code not in language.codes():
        _give_up(f"LANGUAGE_OF_PAGES={code} is not known: use {', '.join(language.codes())}, or make it: make words")
    return code


def _port() -> int:
    text = os.environ.get("PORT") or "8000"
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) < 65536):
        _give_up(f"PORT={text} is not a port: use a number up to 65535 (0 picks a free one)")
    return int(text)


def _clock() -> DevClock:
    text = os.environ.get("CLOCK")
    try:
        return DevClock(parse_time(text) if text else datetime.now(UTC))
    except ValueError:
        _give_up(f"CLOCK={text} is not a time: write it as 2019-03-01T00:00:00Z")


def _give_up(message: str) -> NoReturn:
    print(message, file=sys.stderr)
    raise SystemExit(1)


if __name__ == "__main__":
    main()
