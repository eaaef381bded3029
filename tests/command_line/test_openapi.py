"""The OpenAPI document from the command line."""

import json

from app.main import openapi_document
from tests.command_line.conftest import Fifteen


def test_the_printed_document_is_the_server_s(fifteen: Fifteen) -> None:
    printed = fifteen("openapi")

    assert json.loads(printed.output) == openapi_document()
