"""The templates, made ready once per process, and the files that pages link to."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import ChainableUndefined, Environment, FileSystemLoader, PackageLoader, PrefixLoader, StrictUndefined

from chalicelib.pages import controls

HERE = Path(__file__).parent
COMPONENTS = (
    "button",
    "checkboxes",
    "date-input",
    "error-message",
    "error-summary",
    "exit-this-page",
    "fieldset",
    "generic-header",
    "input",
    "inset-text",
    "notification-banner",
    "panel",
    "radios",
    "service-navigation",
    "skip-link",
    "textarea",
    "warning-text",
)
CONTENT_TYPES = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8"}


def render(template: str, **context: Any) -> str:
    """The page that `template` makes of `context`."""
    return _templates().get_template(template).render(context)


def static_file(name: str) -> tuple[str, str] | None:
    """The text and the content type of one file of the static folder, None for any other name."""
    return _static_files().get(name)


@cache
def _static_files() -> dict[str, tuple[str, str]]:
    files = (HERE / "static").iterdir()
    return {file.name: (file.read_text(encoding="utf-8"), CONTENT_TYPES[file.suffix]) for file in files}


@cache
def _templates() -> Environment:
    env = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals.update(_macros(), controls=controls)
    return env


def _macros() -> dict[str, Any]:
    # The components read parameters nobody gave, so they live in an environment that is less strict than ours.
    env = Environment(
        loader=PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")}),
        autoescape=True,
        undefined=ChainableUndefined,
        auto_reload=False,
    )
    names = {component: "govuk" + component.title().replace("-", "") for component in COMPONENTS}
    return {name: getattr(_module(env, component), name) for component, name in names.items()}


def _module(env: Environment, component: str) -> Any:
    return env.get_template(f"govuk_frontend_jinja/components/{component}/macro.html").module
