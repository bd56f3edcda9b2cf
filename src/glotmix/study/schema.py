"""The JSON schema of `study.yaml`, for editors; after a change of the spec, `python -m glotmix.study.schema`."""

import json
from pathlib import Path

from glotmix.spec import StudySpec

FILE = Path(__file__).with_name("study.schema.json")


def schema_text() -> str:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **StudySpec.model_json_schema()}
    return json.dumps(schema, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(schema_text(), encoding="utf-8")
