import pytest
from tests.site import driving, town_on

from wuye_loop.store.database import Database

pytestmark = pytest.mark.anyio


async def test_a_wrong_method_is_told_all_the_right_ones(database: Database) -> None:
    with town_on(database) as town:
        async with driving(town) as drive:
            for path, methods in (
                ("/v1/grievances", "GET, POST"),
                ("/v1/grievances/WY260302-AAAAAAAA", "GET, PATCH"),
                ("/v1/grievances/WY260302-AAAAAAAA/files", "GET, POST"),
                ("/v1/grievances:batch", "POST"),
                ("/healthz", "GET"),
            ):
                for method in ("OPTIONS", "HEAD", "DELETE", "PUT", "PATCH", "TRACE"):
                    if method in methods:
                        continue
                    answer = await drive.client.request(method, path, headers=drive.headers("supervisor"))
                    assert (answer.status_code, answer.headers["allow"]) == (405, methods), (method, path)


async def test_the_contract_names_what_any_door_may_answer(database: Database) -> None:
    with town_on(database) as town:
        async with driving(town) as drive:
            contract = await drive.get(None, "/v1/openapi.json")
            for path, doors in contract["paths"].items():
                for method, door in doors.items():
                    common = {"400", "408", "414", "422", "429", "431"}
                    common |= {"401", "503"} if path.startswith("/v1/") else set()
                    common |= {"413", "415"} if "requestBody" in door else set()
                    assert common <= door["responses"].keys(), (method, path)
                    assert "Retry-After" in door["responses"]["429"]["headers"]
                    for status in common:
                        assert list(door["responses"][status]["content"]) == ["application/problem+json"]
            form = contract["paths"]["/v1/grievances/{number}/files"]["post"]["requestBody"]["content"]
            assert set(form) == {
                "multipart/form-data", "application/pdf", "image/jpeg", "image/png", "image/webp", "image/heic",
            }  # fmt: skip
            asked = contract["paths"]["/v1/grievances"]["get"]["parameters"]
            (q,) = [one for one in asked if one["name"] == "q"]
            assert "pattern" in str(q["schema"])
