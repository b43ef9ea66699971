"""A migration that a release has brought to somebody's database is never edited: what was done there stays what is written."""

from hashlib import sha256

from wuye_loop.settings import shipped

# Written down when a version was released; a change of a released file is a new migration, not a new hash here.
RELEASED = {
    "0001_tables.py": "5ab18271c5376b1027379da5b73117c5d1c994f35c79b3e7edfc7665af1a44d3",
    "0002_jobs.py": "4ec34c768e7f11942c6bfccb62f06dc62f1d353e4bc5f141851b970124ec32d8",
    "0003_papers.py": "534cefbc0372e6cdbc4c545cd1351765b1e80b924d2f6a4c707c7899d52013b7",
}


def test_released_migrations_are_as_they_were_released() -> None:
    folder = shipped("migrations") / "versions"
    present = {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.py")}
    assert {name: present.get(name) for name in RELEASED} == RELEASED
