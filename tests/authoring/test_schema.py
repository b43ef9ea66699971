"""The schema for editors takes a file that extends another: nothing is required of a part, null removes, names are known."""

from typing import Any

import orjson

from wuye_loop.authoring.schema import json_schema
from wuye_loop.settings import shipped

SCHEMA = json_schema()
PARTS: Any = SCHEMA["$defs"]


def test_only_a_file_that_extends_may_leave_parts_out() -> None:
    assert SCHEMA["if"] == {"required": ["extends"]}
    assert SCHEMA["then"] == {"required": ["name", "version", "title"]}
    assert SCHEMA["else"] == {"$ref": "#/$defs/Whole"}
    assert {"states", "roles", "routers"} <= set(PARTS["Whole"]["required"])
    assert "required" not in SCHEMA
    assert "required" in PARTS["ClockSpec"]
    assert "required" not in PARTS["ClockSpecPart"]


def test_null_removes_an_entry_or_a_key_of_it() -> None:
    assert {"type": "null"} in SCHEMA["properties"]["states"]["anyOf"]
    assert {"type": "null"} in PARTS["StatePart"]["properties"]["holder"]["anyOf"]
    assert SCHEMA["properties"]["name"] == PARTS["Whole"]["properties"]["name"]


def test_what_is_one_value_is_never_written_in_part() -> None:
    assert not {"FieldSpecPart", "ConditionPart", "EffectCallPart", "LimitPart", "RungSpecPart"} & set(PARTS)
    limit, null = PARTS["ClockSpecPart"]["properties"]["limit"]["anyOf"]
    assert limit == PARTS["ClockSpec"]["properties"]["limit"]
    assert null == {"type": "null"}


def test_the_schema_beside_the_shipped_files_is_what_the_program_writes_today() -> None:
    written = (shipped("workflows") / "workflow.schema.json").read_bytes()
    assert orjson.loads(written) == orjson.loads(orjson.dumps(json_schema())), (
        "wuye-loop schema > workflows/workflow.schema.json"
    )
