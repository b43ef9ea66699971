"""What a database needs before it can serve: a calendar, and the workflow files published."""

import logging
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.orm import Session

from wuye_loop.domain.errors import Conflict, DefinitionError
from wuye_loop.domain.language.workflow import Workflow
from wuye_loop.domain.rulefile.definition import parse
from wuye_loop.domain.rulefile.reader import YamlDocError
from wuye_loop.edge.site import Site
from wuye_loop.loop.custody.adoption import adopt
from wuye_loop.store.assessment import schemes
from wuye_loop.store.calendar import working_days
from wuye_loop.store.workflows import files, versions

SCHEMES = "assessments"  # the folder of schemes beside workflows
# The standard library's: commands that set up no logs still say it on standard error.
_log = logging.getLogger(__name__)


@dataclass
class Prepared:
    """What was published now, and which files were refused, each with the words that say why."""

    published: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


def prepare(site: Site) -> Prepared:
    """Seed the calendar and publish workflow files that are not published yet.

    A file that does not check, or was changed after it was published, is refused by itself and logged as an error: what is
    published goes on. Raises DefinitionError when the default workflow is not published and files were refused.
    """
    done = Prepared()
    for words in adopt(site.loop, site.database).broken:
        _log.error("%s", words)
    with site.database.begin() as session:
        working_days.seed(session, site.loop.clock.now())
        known = set(versions.published(session).values())
        for folder in site.settings.workflows:
            for path in sorted(folder.glob("*.yaml")):
                try:
                    _publish(site, session, path, known, done)
                except (DefinitionError, Conflict, YamlDocError) as error:
                    done.refused[str(path)] = str(error)
        _schemes(site, session, done)
        serves = site.settings.default_workflow in versions.published(session)
    for file, words in done.refused.items():
        _log.error("流程文件 %s 没有发布，已发布的版本照常运行：\n%s", file, words)
    if done.refused and not serves:
        raise DefinitionError("\n".join(done.refused.values()))
    return done


def _publish(site: Site, session: Session, path: Path, known: set[str], done: Prepared) -> None:
    if files.is_among(path, known, site.settings.workflows):
        return
    text = files.whole_text(path, site.settings.workflows)
    if text in known:
        return
    from wuye_loop.authoring.checker.check import load  # noqa: PLC0415 where every file is published, nothing is proved again

    workflow = load(text, path.name)
    if versions.publish(session, workflow.id, text, site.loop.clock.now()):
        done.published.append(workflow.id)


def _schemes(site: Site, session: Session, done: Prepared) -> None:
    """Publish the schemes of assessment beside the workflows whose workflow is published."""
    known = set(schemes.texts(session).values())
    for folder in site.settings.workflows:
        for path in sorted((folder / SCHEMES).glob("*.yaml")):
            try:
                if files.is_among(path, known, (folder / SCHEMES,)):
                    continue
                text = files.whole_text(path, (folder / SCHEMES,))
                if text not in known:
                    _publish_scheme(site, session, path, text, done)
            except (DefinitionError, Conflict, YamlDocError) as error:
                done.refused[str(path)] = str(error)


def _publish_scheme(site: Site, session: Session, path: Path, text: str, done: Prepared) -> None:
    from wuye_loop.authoring.assessment.check import load_scheme  # noqa: PLC0415 as for workflows

    published = versions.published(session)

    def workflow(name: str) -> Workflow | None:
        return parse(published[name], f"{name}.yaml") if name in published else None

    scheme = load_scheme(text, path.name, workflows=workflow)
    if schemes.publish(session, scheme, text, site.loop.clock.now()):
        done.published.append(f"{SCHEMES}/{scheme.id}")
