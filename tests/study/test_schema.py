"""The JSON schema that editors use says what the spec says."""

import jsonschema
import pytest
import yaml

from glotmix.study import schema
from glotmix.study.presets import PRESETS, init_study
from small_study import SPEC


def test_the_shipped_schema_is_current():
    assert schema.FILE.read_text(encoding="utf-8") == schema.schema_text(), "run python -m glotmix.study.schema"


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_keep_to_the_schema(tmp_path, preset):
    study = yaml.safe_load(init_study(tmp_path, preset).read_text())
    jsonschema.validate(study, yaml.safe_load(schema.FILE.read_text()))


def test_the_schema_refuses_an_unknown_key():
    shipped = yaml.safe_load(schema.FILE.read_text())
    jsonschema.validate(SPEC, shipped)
    with pytest.raises(jsonschema.ValidationError, match="colour"):
        jsonschema.validate(SPEC | {"colour": "red"}, shipped)
