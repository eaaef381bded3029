"""Answers held against the OpenAPI document."""

import re
from functools import lru_cache
from typing import Any

import httpx2
import jsonschema_rs

from app.main import openapi_document

DOCUMENT = openapi_document()


def as_described(response: httpx2.Response) -> httpx2.Response:
    """The response, when the document knows its status, its content type and its shape."""
    operation = _operation(response.request.method, response.request.url.path)
    if operation is None:
        assert response.status_code in (404, 405), "nothing but a refusal comes from what is not described"
        return response
    described = operation["responses"][str(response.status_code)]
    contents = described.get("content")
    if not contents:
        assert not response.content
        return response
    media_type = response.headers["content-type"].partition(";")[0]
    if media_type.endswith("json"):
        schema = contents[media_type]["schema"]
        _validator(schema["$ref"]).validate(response.json())
    return response


def _operation(method: str, path: str) -> Any:
    for template, operations in DOCUMENT["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            return operations.get(method.lower())
    return None


@lru_cache
def _validator(reference: str) -> Any:
    schema = {"$ref": reference, "components": DOCUMENT["components"]}
    return jsonschema_rs.validator_for(schema, validate_formats=True)
