"""FastAPI behind Mangum, and boto3."""

from typing import Annotated

from fastapi import FastAPI, Header
from mangum import Mangum
from model import Report
from table import put_new, serialize

app = FastAPI()


@app.post("/reports", status_code=201)
def submit(report: Report, idempotency_key: Annotated[str, Header()]) -> dict[str, str]:
    put_new(idempotency_key, report.category, serialize(report.model_dump(mode="json", exclude_none=True)))
    return {"reference": idempotency_key}


handler = Mangum(app, lifespan="off")
