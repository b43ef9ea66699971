"""The contract says what the server does: requests made from it, lawful and unlawful, in the name of every role."""

import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
from schemathesis.checks import CHECKS
from tests.site import Town, order, town_on

from wuye_loop.app import create_app
from wuye_loop.edge import connections
from wuye_loop.store.database import Database

pytestmark = pytest.mark.proof
ROLES = ("hotline", "property-centre", "company-1", "supervisor", "admin", "security", "auditor")
CASES = 12_000
SEED = 20260302


@contextmanager
def served(town: Town) -> Iterator[str]:
    """Serve a town on a real socket, in a thread, and give its address."""
    door = socket.create_server(("127.0.0.1", 0), backlog=64)
    server = connections.server(create_app(town.site), town.site.settings)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{door.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)


class Run:
    """One role's run over all doors."""

    def __init__(self, address: str, key: str, bent: Callable[[Any], object] = lambda _: None) -> None:
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {key}"
        contract = self.session.get(f"{address}/v1/openapi.json", timeout=20).json()
        bent(contract)
        self.schema: Any = schemathesis.openapi.from_dict(contract)
        self.schema.config.base_url = address
        self.address = address
        self.checks = [
            CHECKS.get_by_names([name])[0]
            for name in (
                "not_a_server_error",
                "status_code_conformance",
                "content_type_conformance",
                "response_headers_conformance",
                "response_schema_conformance",
                "negative_data_rejection",
                "unsupported_method",
                "allow_header_conformance",
            )
        ]
        self.statuses: Counter[int] = Counter()
        self.mismatches: list[str] = []

    def play(self, operation: Any, mode: Any, examples: int) -> None:
        """Send so many requests that the contract allows, or forbids, to one door."""

        @hypothesis.seed(SEED)
        @hypothesis.settings(
            max_examples=examples,
            database=None,
            deadline=None,
            suppress_health_check=list(hypothesis.HealthCheck),
            phases=[hypothesis.Phase.generate],
            report_multiple_bugs=False,
        )
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        def sent(case: Any) -> None:
            answer = case.call(base_url=self.address, session=self.session, timeout=30)
            self.statuses[answer.status_code] += 1
            try:
                case.validate_response(answer, checks=self.checks)
            except BaseException as error:  # noqa: BLE001 a group of findings; each door goes on and tells all of them
                body = repr(case.body)[:200] if case.body is not None else ""
                words = " | ".join(str(one)[:300] for one in getattr(error, "exceptions", [error]))
                self.mismatches.append(f"{operation.label} {mode}: {answer.status_code} {case.query} {body} {words}")

        try:
            sent()
        except hypothesis.errors.Unsatisfiable:
            return  # nothing can be sent to this door that is unlawful


def test_the_server_does_what_its_contract_says_to_every_role(database: Database) -> None:
    with town_on(database, rate_reads=0, rate_writes=0, rate_intake=0, rate_files=0) as town, served(town) as address:
        for n in range(3):
            headers = {"Authorization": f"Bearer {town.keys['hotline']}"}
            made = requests.post(f"{address}/v1/grievances", json=order(f"c{n}"), headers=headers, timeout=20)
            assert made.status_code == 201
        statuses: Counter[int] = Counter()
        mismatches: list[str] = []
        for role in ROLES:
            run = Run(address, town.keys[role])
            doors = [one.ok() for one in run.schema.get_all_operations()]
            each = CASES * 5 // 4 // len(ROLES) // len(doors) // 2 + 1  # some doors can be asked in a few ways only
            for door in doors:
                for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
                    run.play(door, mode, each)
            statuses += run.statuses
            mismatches += [f"{role}: {one}" for one in run.mismatches]
        assert mismatches[:40] == []
        assert statuses.total() >= CASES


def _no_answer(contract: Any) -> None:
    del contract["paths"]["/v1/assessments"]["get"]["responses"]["200"]


def _another_answer(contract: Any) -> None:
    answer = contract["paths"]["/v1/assessments"]["get"]["responses"]["200"]["content"]["application/json"]
    answer["schema"] = {"type": "object", "required": ["no_such_field"]}


@pytest.mark.parametrize("bent", [_no_answer, _another_answer])
def test_a_contract_that_says_something_else_is_found_out(database: Database, bent: Callable[[Any], object]) -> None:
    with town_on(database, rate_reads=0) as town, served(town) as address:
        found = []
        for change in (lambda _: None, bent):
            run = Run(address, town.keys["supervisor"], change)
            (door,) = [one.ok() for one in run.schema.get_all_operations() if one.ok().label == "GET /v1/assessments"]
            for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
                run.play(door, mode, 15)
            found.append(run.mismatches)
        assert found[0] == []
        assert found[1] != []
