"""The questions: one source of the page, the JSON validation, the messages and the schema. No AWS, no clock."""

from chalicelib.forms.categories import CATEGORIES, TITLES, Submission
from chalicelib.forms.examples import EXAMPLES
from chalicelib.forms.pairs import form_values
from chalicelib.forms.reading import canonical, read_form, read_json
from chalicelib.forms.schema import schema

__all__ = [
    "CATEGORIES",
    "EXAMPLES",
    "TITLES",
    "Submission",
    "canonical",
    "form_values",
    "read_form",
    "read_json",
    "schema",
]
