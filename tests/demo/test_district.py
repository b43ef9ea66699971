from collections import Counter

from wuye_loop.authoring.checker.check import check
from wuye_loop.demo.district import district
from wuye_loop.settings import Settings, shipped
from wuye_loop.store.database import Database
from wuye_loop.store.directory.load import load_directory
from wuye_loop.store.directory.read import read_directory
from wuye_loop.store.workflows.files import bases


def test_the_district_has_the_shape_of_its_model() -> None:
    document = district()
    assert Counter(area["level"] for area in document["areas"]) == {"district": 1, "street": 10, "community": 60}
    kinds = Counter(unit["kind"] for unit in document["units"])
    assert kinds == {"department": 13, "office": 71, "centre": 1, "community": 60, "company": 25}
    assert len(document["estates"]) == 120
    assert len({estate["name"] for estate in document["estates"]}) == 120
    assert document == district()
    homes = [estate["households"] for estate in document["estates"]]
    assert 160 <= min(homes) < 400
    assert 2000 < max(homes) <= 2400
    assert len(set(homes)) > 30  # figures per thousand households differ


def test_every_unit_that_its_workflow_names_is_in_it(database: Database) -> None:
    with database.begin() as session:
        load_directory(session, district())
        directory = read_directory(session)
    file = shipped("workflows") / f"{Settings.model_fields['default_workflow'].default}.yaml"
    _, findings = check(file.read_bytes(), file.name, directory, bases=bases(file, ()))
    assert [str(finding) for finding in findings if finding.severity == "error"] == []


def test_every_estate_has_a_company_under_a_street_and_a_station(database: Database) -> None:
    with database.begin() as session:
        load_directory(session, district())
        directory = read_directory(session)
    for estate in district()["estates"]:
        path = directory.areas[estate["area"]].path
        street = directory.by_duty("property-office", path, "street")
        assert street is not None
        assert directory.by_duty("property-station", path, "community") is not None
        superior = directory.superior(estate["company"])
        assert superior is not None
        assert superior.code.startswith("office-")
