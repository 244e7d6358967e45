"""The house keeps its order: who may know whom, what is locked, what is wired, what the submission may load."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from chalicelib.forms import CATEGORIES
from chalicelib.forms.contact import Contact
from chalicelib.forms.questions import Section, questions
from chalicelib.forms.sections import Item

ROOT = Path(__file__).parents[1]
MODULES = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
           for path in (ROOT / "chalicelib").rglob("*.py")} | {"app": ROOT / "app.py"}  # fmt: skip

# Imports point one way: each part may know those named here, and nothing else of ours.
RULES = {
    "times",
    "errors",
    "reference",
    "life_cycle",
    "by_officers",
    "disposals",
    "triage",
    "offences",
    "report",
    "statistics",
    "call_backs",
    "by_public",
    "clues",
    "evidence",
    "colours",
    "language",
    "translating",
    "wanted",
    "retold",
    "imported",
    "figures",
    "proof",
    "retention",
    "tables",
    "small_numbers",
    "chat",
    "chat_hours",
    "chat_queue",
    "replies",
}
KNOWS = {
    **dict.fromkeys(RULES, RULES),
    "forms": {"chat", "errors", "language", "disposals"},
    "pages": RULES | {"forms"},
    "table": set(),
    "wire": set(),
    "queues": set(),
    "config": {"chat_hours", "colours", "language", "retention"},
    "identity": {"errors", "report"},
    "typeset": {"language", "translating"},
    "letters": RULES | {"typeset"},
    "senders": RULES | {"table", "letters"},
    "crime_numbers": RULES | {"table"},
    "token_secrets": {"times", "table"},
    "passes": set(),
    "sessions": RULES | {"table"},
    "sign_in": {"errors", "identity"},
    "throttle": {"errors", "table"},
    "drafts": RULES | {"table"},
    "evidence_files": RULES | {"table"},
    "report_items": RULES | {"table"},
    "finder": RULES | {"table"},
    "work_lists": RULES | {"table", "report_items"},
    "ledger": RULES | {"table", "report_items"},
    "verification": RULES | {"table", "report_items"},
    "rounds": RULES | {"table", "crime_numbers"},
    "reconciliation": RULES | {"table", "report_items", "crime_numbers", "ledger", "rounds", "verification"},
    "imported_months": RULES | {"table"},
    "public_figures": RULES,
    "store": RULES | {"table", "report_items", "work_lists"},
    "casework": RULES | {"table", "store", "crime_numbers", "finder", "letters"},
    "changes": RULES | {"table", "store", "crime_numbers"},
    "keeping": RULES | {"changes", "crime_numbers", "finder", "store"},
    "desk": RULES | {"table", "changes", "keeping"},
    "search": RULES | {"store", "finder", "desk"},
    "subject_access": RULES | {"chats", "store", "finder", "desk"},
    "erasing": RULES | {"drafts", "finder", "store"},
    "rule": RULES | {"table", "store", "crime_numbers"},
    "telemetry": RULES,
    "chat_items": RULES | {"table"},
    "chats": RULES | {"table", "changes", "chat_items"},
    "chat_reports": RULES | {"casework", "changes", "chats"},
    "chat_keeping": RULES | {"changes", "chat_items", "chat_reports", "chats", "drafts", "finder", "store", "table"},
    "sockets": RULES | {"table"},
    "wiring": {
        "language",
        "chats",
        "chat_keeping",
        "chat_reports",
        "sockets",
        "casework",
        "config",
        "crime_numbers",
        "desk",
        "drafts",
        "erasing",
        "evidence_files",
        "finder",
        "identity",
        "imported_months",
        "ledger",
        "letters",
        "passes",
        "public_figures",
        "queues",
        "reconciliation",
        "retention",
        "rule",
        "search",
        "senders",
        "sessions",
        "sign_in",
        "store",
        "subject_access",
        "table",
        "throttle",
        "token_secrets",
        "wire",
    },
}
ANYTHING = {"handlers", "app"}
KNOW_CHALICE = {"handlers", "app"}
KNOW_AWS = {"evidence_files", "sockets", "table", "queues", "senders", "wire", "wiring"}


def part(module: str) -> str:
    """`chalicelib.forms.answers` is of the part `forms`."""
    return module.removeprefix("chalicelib.").split(".")[0]


def imported(tree: ast.AST, at_run_time: bool = False) -> Iterator[str]:
    """What is imported anywhere in a module; at run time means outside `if TYPE_CHECKING`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and at_run_time and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{name.name}" for name in node.names)
        else:
            yield from imported(node, at_run_time)


def syntax(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text())


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_one_way(module: str) -> None:
    ours = {part(name) for name in imported(syntax(module)) if name.startswith("chalicelib.")}
    if part(module) in ANYTHING or module == "chalicelib":
        return
    assert ours - {part(module)} <= KNOWS[part(module)]


@pytest.mark.parametrize("module", MODULES)
def test_only_the_edge_knows_chalice_and_few_know_aws(module: str) -> None:
    known = {name.split(".")[0] for name in imported(syntax(module))}
    running = {name.split(".")[0] for name in imported(syntax(module), at_run_time=True)}
    assert "chalice" not in known or part(module) in KNOW_CHALICE
    assert not {
        "botocore",
        "mypy_boto3_dynamodb",
        "mypy_boto3_sqs",
        "mypy_boto3_sesv2",
        "mypy_boto3_ssm",
        "mypy_boto3_s3",
    } & known or (part(module) in KNOW_AWS)
    assert "boto3" not in known and not any(name.startswith("mypy_boto3") for name in running)


def test_no_two_parts_know_each_other_except_among_the_rules() -> None:
    for one, others in KNOWS.items():
        assert not [other for other in others - RULES if one in KNOWS[other]], one


@pytest.mark.parametrize("module", [name for name in MODULES if MODULES[name].read_text().strip()])
def test_every_module_says_what_it_is_for(module: str) -> None:
    assert ast.get_docstring(syntax(module))


def files_we_wrote() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("this is no git checkout")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_no_file_of_code_is_too_long_to_read() -> None:
    long = {path.name: count for path in files_we_wrote() if path.suffix == ".py" and "tests" not in path.parts
            and (count := len(path.read_text().splitlines())) > 400}  # fmt: skip
    assert not long


def test_no_machine_is_named_in_the_repository() -> None:
    machine = re.compile(rb"/(wor[k]|roo[t]|hom[e])/\w|[-.]codeartifac[t]|artifactor[y]|AKI[A][0-9A-Z]{16}")
    found = [path.name for path in files_we_wrote() if machine.search(path.read_bytes())]
    assert not found


# Routes


@pytest.fixture
def app(app_module: Any) -> Any:
    return app_module.app


PUBLIC = {"/", "/healthz", "/openapi.json", "/reports", "/status"}
DOOR = {"/desk/sign-in", "/desk/signed-in", "/desk/signed-out"}  # where officers come in and go out
ROLES = {"officer", "supervisor", "analyst"}


def views(app: Any) -> Iterator[tuple[str, str, Any]]:
    for path, methods in app.routes.items():
        for method, entry in methods.items():
            yield path, method, entry.view_function


def test_every_officers_route_asks_for_a_role_and_no_public_one_does(app: Any) -> None:
    asked = {(path, method): set(getattr(view, "roles", ())) for path, method, view in views(app)}
    assert len(asked) > 15
    for (path, method), roles in asked.items():
        officers = (path.startswith(("/triage", "/desk")) and path not in DOOR) or path.startswith("/statistics")
        assert bool(roles) is officers, (path, method)
        assert roles <= ROLES
        assert "analyst" not in roles or path in ("/statistics", "/statistics/answer", "/desk/sign-out"), (path, method)


def test_everything_the_contract_names_is_there(app: Any) -> None:
    assert set(app.routes) >= PUBLIC
    change = ("claim", "release", "call-backs", "crime", "not-crime", "disposal", "notes")
    assert all("POST" in app.routes[f"/triage/{{reference}}/{name}"] for name in change)
    assert "GET" in app.routes["/triage"] and "POST" in app.routes["/triage/next"]
    assert "GET" in app.routes["/triage/{reference}"] and "GET" in app.routes["/statistics"]
    assert "POST" in app.routes["/reports/{reference}/status"]


# What wakes us


def queues_of_the_template() -> set[str]:
    resources = yaml.safe_load((ROOT / "infra" / "data.yaml").read_text())["Resources"]
    names = {name for name, resource in resources.items() if resource["Type"] == "AWS::SQS::Queue"}
    return {name for name in names if not name.endswith("DeadQueue")}


def test_every_queue_has_a_handler_and_every_handler_a_queue() -> None:
    source = (ROOT / "app.py").read_text()
    read = set(re.findall(r'queue=_queue\("([A-Z_]+)_QUEUE_URL"\)', source))
    assert len(read) == source.count("on_sqs_message") > 0
    assert {f"{name.title().replace('_', '')}Queue" for name in read} == queues_of_the_template()


def test_every_handler_loads_as_lambda_loads_it(app: Any) -> None:
    handlers = [source.handler_string for source in app.event_sources] + [
        function.handler_string for function in app.pure_lambda_functions
    ]
    assert sorted(handlers) == [
        "app.crime_due_reports", "app.keep_house", "app.on_letter", "app.on_report_change", "app.on_triage",
        "app.reconcile",
    ]  # fmt: skip
    for handler in [*handlers, "app.app"]:
        module, _, name = handler.rpartition(".")
        assert callable(getattr(sys.modules[module], name))


# What the submission loads

SUBMIT = """
import os, sys
for name in ("REPORTS_STREAM_ARN", "TRIAGE_QUEUE_URL", "LETTERS_QUEUE_URL", "EVIDENCE_BUCKET", "STAGE", "REPORTS_TABLE",
             "OIDC_ISSUER", "OIDC_AUDIENCE", "FORCE_NAME", "FORCE_CODE"):
    os.environ[name] = "x" * 32
import json
from types import SimpleNamespace
import app
from chalicelib import wiring
from chalicelib.config import Settings
from chalicelib.forms import EXAMPLES

class Table:
    items = []
    def get(self, pk, sk):
        return {"secrets": ["secret 2026-01-01T00:00:00Z"]}
    def put_new(self, item):
        self.items.append(item)

service = wiring.build(Settings.from_environ())
service.table = Table()
wiring.install(service)
event = {"httpMethod": "POST", "requestContext": {"resourcePath": "/reports", "httpMethod": "POST", "path": "/reports",
         "stage": "x", "identity": {}}, "resource": "/reports", "path": "/reports", "pathParameters": None,
         "multiValueQueryStringParameters": None, "headers": {"Content-Type": "application/json"},
         "body": json.dumps(EXAMPLES["theft"]), "isBase64Encoded": False, "stageVariables": None}
answer = app.app(event, SimpleNamespace(aws_request_id="x"))
print(json.dumps([answer["statusCode"], len(Table.items), sorted(sys.modules)]))
"""


def test_a_submission_loads_neither_templates_nor_tokens_nor_letters_nor_boto3() -> None:
    done = subprocess.run([sys.executable, "-c", SUBMIT], cwd=ROOT, capture_output=True, text=True, check=True)
    status, stored, modules = json.loads(done.stdout.splitlines()[-1])
    assert (status, stored) == (201, 1), done.stdout
    assert not {"jinja2", "joserfc", "boto3", "govuk_frontend_jinja", "chalicelib.typeset"} & set(modules)
    assert not {"notifications_python_client", "requests", "jwt"} & set(modules)
    assert "pydantic" in modules  # the list is a real one


# The rules ask for answers that the forms have


def known_answers() -> dict[str, set[str]]:
    """Every section of every form with its questions; the top of a form under ``."""
    found: dict[str, set[str]] = {"": set(), "contact": names(Contact), "items": names(Item)}
    for form in CATEGORIES.values():
        for question in questions(form):
            found[""].add(question.name)
            if question.kind == "section" and question.model:
                found.setdefault(question.name, set()).update(names(question.model))
    return found


def names(model: type[Section]) -> set[str]:
    return {question.name for question in questions(model)}


def options() -> dict[tuple[str, str], set[str]]:
    """The values that each question may have."""
    found: dict[tuple[str, str], set[str]] = {}
    for form in CATEGORIES.values():
        for section in questions(form):
            for question in questions(section.model) if section.kind == "section" and section.model else ():
                found.setdefault((section.name, question.name), set()).update(question.ask.options)
    return found


def text_of(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def section_of(node: ast.AST) -> str | None:
    """`answers.get("about", {})`, `answers["contact"]`, or a name that the code gives such a section."""
    source = ast.unparse(node)
    if found := re.fullmatch(r"(?:report\.|said\.)?answers(?:\.get\('(\w+)', \{\}\)|\['(\w+)'\])", source):
        return found[1] or found[2]
    if source in ("answers", "report.answers", "said"):
        return ""
    return source if source in ("about", "harm", "contact", "where", "item") else None


def asked_for(module: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(section, question, values compared with) wherever the code of a module looks into answers."""
    for node in ast.walk(syntax(module)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("_said", "_unknown"):
            texts = [text for text in map(text_of, node.args) if text]
            if len(texts) >= 2:
                yield texts[0], texts[1], tuple(texts[2:])
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
            section, name = section_of(node.func.value), text_of(node.args[0])
            if section is not None and name:
                yield section, name, ()
        elif isinstance(node, ast.Compare) and isinstance(node.left, ast.Call | ast.Constant):
            yield from _compared(node)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd) and isinstance(node.left, ast.Set):
            yield from _intersected(node)


def _compared(node: ast.Compare) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    left, right = node.left, node.comparators[0]
    if name := text_of(left):  # "registration" in answers.get("about", {})
        section = section_of(right)
        if section is not None:
            yield section, name, ()
    elif isinstance(left, ast.Call) and isinstance(left.func, ast.Attribute) and left.func.attr == "get":
        section, name = section_of(left.func.value), text_of(left.args[0])
        values = right.elts if isinstance(right, ast.Tuple) else [right]
        if section and name:
            yield section, name, tuple(text for text in map(text_of, values) if text)


def _intersected(node: ast.BinOp) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    assert isinstance(node.left, ast.Set)
    texts = tuple(text for text in map(text_of, node.left.elts) if text)
    source = node.right.args[0] if isinstance(node.right, ast.Call) else node.right
    if (section := section_of(source)) is not None:
        yield from ((section, text, ()) for text in texts)


READERS = ("chalicelib.triage", "chalicelib.offences", "chalicelib.letters", "chalicelib.casework", "chalicelib.clues")


@pytest.mark.parametrize("module", READERS)
def test_the_rules_ask_for_answers_that_the_forms_have(module: str) -> None:
    known, allowed = known_answers(), options()
    asked = set(asked_for(module))
    assert len(asked) >= {"chalicelib.triage": 35, "chalicelib.offences": 9, "chalicelib.letters": 6,
                          "chalicelib.clues": 8}.get(module, 2)  # fmt: skip
    for section, name, values in asked:
        section = "items" if section == "item" else section
        assert name in known[section], f"{section}.{name}"
        assert not values or set(values) <= allowed[section, name], f"{section}.{name}: {values}"
