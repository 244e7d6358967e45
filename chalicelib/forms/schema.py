"""The questions as JSON Schema 2020-12, for the OpenAPI document: as strict as the validation where a schema can be."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from chalicelib.forms.categories import CATEGORIES

_REF = "#/components/schemas/{model}"


class QuestionsSchema(GenerateJsonSchema):
    """What may be left out may also be the empty text, and is never null."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        answer = self.generate_inner(schema["schema"])
        if "enum" in answer:
            return {**answer, "enum": [*answer["enum"], ""]}
        if answer["type"] == "string" and "format" not in answer:
            return answer
        return {"anyOf": [answer, {"const": ""}]}

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


def schema() -> tuple[dict[str, Any], dict[str, Any]]:
    """The schema of a report's body, and the component schemas that it refers to."""
    models = [(model, "validation") for model in CATEGORIES.values()]
    refs, definitions = models_json_schema(models, ref_template=_REF, schema_generator=QuestionsSchema)  # type: ignore[arg-type]
    one_of = [refs[model, "validation"] for model in CATEGORIES.values()]
    mapping = {category: ref["$ref"] for category, ref in zip(CATEGORIES, one_of, strict=True)}
    return {"oneOf": one_of, "discriminator": {"propertyName": "category", "mapping": mapping}}, definitions["$defs"]
