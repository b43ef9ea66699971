"""What a database needs before it can serve: a calendar, and the shipped workflows published."""

from wuye_loop.domain.checker import load
from wuye_loop.edge.site import Site
from wuye_loop.store import calendars, workflows


def prepare(site: Site) -> list[str]:
    """Seed the calendar and publish workflow files that are not published yet; return the ids published now.

    Raises DefinitionError for a file that does not check, and words when a published file was changed.
    """
    now = site.loop.clock.now()
    fresh = []
    with site.database.begin() as session:
        calendars.seed(session, now)
        known = {workflows.digest_of(text) for text in workflows.published(session).values()}
        for folder in site.settings.workflows:
            for path in sorted(folder.glob("*.yaml")):
                text = path.read_text(encoding="utf-8")
                if workflows.digest_of(text) in known:
                    continue
                workflow = load(text, path.name)
                if workflows.publish(session, workflow.id, text, now):
                    fresh.append(workflow.id)
    return fresh
