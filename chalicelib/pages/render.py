"""The templates, made ready once per process, and the files that pages link to."""

import hashlib
import json
import re
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chalicelib import colours, language
from chalicelib.pages import controls

if TYPE_CHECKING:  # a submission shows no page: jinja2 is imported when one is
    from jinja2 import BaseLoader, Environment

HERE = Path(__file__).parent
COMPILED = HERE / "compiled"  # the templates as Python: only in what is deployed, where infra/artifact.py puts them
COMPONENTS = (
    "back-link",
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
    "summary-list",
    "textarea",
    "warning-text",
)
QUESTIONS = ("govukInput", "govukTextarea", "govukRadios", "govukCheckboxes", "govukDateInput")
CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}


def render(template: str, **context: Any) -> str:
    """The page that `template` makes of `context`."""
    return _templates(language.spoken()).get_template(template).render(context)


def static_file(name: str) -> tuple[str, str] | None:
    """The text and the content type of a file under its hashed name, None for any other name."""
    brand = re.match("brand-([0-9a-f]{6})", name)
    if brand and name == brand_name(f"#{brand[1]}") and not colours.problem(f"#{brand[1]}"):
        return colours.stylesheet(f"#{brand[1]}"), CONTENT_TYPES[".css"]
    return {hashed: (text, kind) for hashed, text, kind in _static_files().values()}.get(name)


def static_name(name: str) -> str:
    """The name under which a file is served: what is in it decides, so it may be kept for ever."""
    return _static_files()[name][0]


def brand_name(colour: str) -> str:
    """The same of the stylesheet that sets a force's colour, which the name tells, so that it can be made anew."""
    return _hashed(f"brand-{colour.removeprefix('#')}.css", colours.stylesheet(colour))


@cache
def _static_files() -> dict[str, tuple[str, str, str]]:
    """By their plain names: the hashed name, the text and the content type."""
    found = {}
    for file in (HERE / "static").iterdir():
        text = file.read_text(encoding="utf-8")
        found[file.name] = _hashed(file.name, text), text, CONTENT_TYPES[file.suffix]
    return found


def _hashed(name: str, text: str) -> str:
    stem, _, suffix = name.rpartition(".")
    return f"{stem}.{hashlib.sha256(text.encode()).hexdigest()[:12]}.{suffix}"


def environments(translate: language.Translate = str) -> "tuple[Environment, Environment]":
    """For our templates in one language, and for the GOV.UK components: those read parameters nobody gave, so theirs is
    less strict.
    """
    from jinja2 import ChainableUndefined, Environment, StrictUndefined

    ours, components = _loaders(translate)
    return (
        Environment(
            loader=ours,
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        ),
        Environment(loader=components, autoescape=True, undefined=ChainableUndefined, auto_reload=False),
    )


def _loaders(translate: language.Translate) -> "tuple[BaseLoader, BaseLoader]":
    from jinja2 import DictLoader, ModuleLoader, PackageLoader, PrefixLoader

    if COMPILED.is_dir():
        return ModuleLoader(COMPILED / language.spoken().code), ModuleLoader(COMPILED)
    from chalicelib import translating

    components = PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})
    texts = {file.name: file.read_text("utf-8") for file in (HERE / "templates").glob("*.html")}
    # Officers work in English: their pages are as they stand.
    said = {
        name: text if name.startswith("desk") else translating.template(text, translate) for name, text in texts.items()
    }
    return DictLoader(said), components


@cache
def _templates(spoken: language.Spoken) -> "Environment":
    env, components = environments(spoken.translate)
    env.globals.update(_macros(components), controls=controls, static=static_name, brand=brand_name, said=language.said,
                       language=lambda: language.code_for_html(spoken.code))  # fmt: skip
    return env


def _macros(env: "Environment") -> dict[str, Any]:
    names = {component: "govuk" + component.title().replace("-", "") for component in COMPONENTS}
    macros = {name: getattr(_module(env, component), name) for component, name in names.items()}
    return macros | {name: _remembering(macros[name]) for name in QUESTIONS}


def _remembering(macro: Any) -> Any:
    """The macro of a question, made once for each question that nobody has answered: a whole form has eighty, and each
    takes half a millisecond (44 ms for the form without this, 3 ms with it; `docs/adr/0008-pages.md`). What somebody
    typed is never remembered.
    """
    remembered = lru_cache(maxsize=500)(lambda plain: macro(json.loads(plain)))

    def rendered(params: dict[str, Any]) -> Any:
        return remembered(json.dumps(params)) if _says_nothing(params) else macro(params)

    return rendered


def _says_nothing(params: dict[str, Any]) -> bool:
    boxes = [item["value"] for item in params.get("items", []) if "label" in item]  # of a date
    typed = [params.get("value") or "", *params.get("values", []), *boxes]
    return not params.get("errorMessage") and not any(text.strip() for text in typed)


def _module(env: "Environment", component: str) -> Any:
    return env.get_template(f"govuk_frontend_jinja/components/{component}/macro.html").module
