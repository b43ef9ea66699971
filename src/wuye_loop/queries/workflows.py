"""Published workflows as people read them: which there are, and what each says in short."""

from typing import Any

from sqlalchemy.orm import Session

from wuye_loop.domain.errors import NotFound
from wuye_loop.domain.language.workflow import Flow, Workflow
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.terms import Stage
from wuye_loop.domain.time.timestamps import as_text
from wuye_loop.loop.engine import Loop
from wuye_loop.queries import damage
from wuye_loop.queries.supervision import rung_title
from wuye_loop.store.workflows import versions


def listed(loop: Loop, session: Session) -> list[dict[str, Any]]:
    """Return every published version, in the order of their names."""
    keys = "id title sha256 published_at default"
    return list(map(damage.shown("workflows", lambda row: _head(loop, session, row), keys), versions.register(session)))


def definition(loop: Loop, session: Session, workflow_id: str) -> dict[str, Any]:
    """Return a published version: its text and what it comes to.

    Raises NotFound.
    """
    row = next((row for row in versions.register(session) if row.id == workflow_id), None)
    if row is None:
        raise NotFound
    rules = loop.reference.rules(session, workflow_id)
    return {**_head(loop, session, row), "text": row.text, "summary": summary(rules)}


def workflow(loop: Loop, session: Session, workflow_id: str) -> Workflow:
    """Return a published version as a value, to be drawn.

    Raises NotFound.
    """
    return loop.reference.rules(session, workflow_id).workflow


def summary(rules: Rules) -> dict[str, Any]:
    """Return in short what a workflow says: stages, roles, flows with their limits and ladders, documents."""
    workflow = rules.workflow
    return {
        "stages": [
            {
                "stage": stage.value,
                "title": stage.chinese,
                "states": [name for name, state in workflow.states.items() if state.stage is stage],
            }
            for stage in Stage
        ],
        "roles": {name: role.title for name, role in workflow.roles.items()},
        "calendar": {"zone": workflow.calendar.zone, "hours": list(workflow.calendar.hours)},
        **_flow(rules, workflow, None),
        "tasks": {
            name: {"title": kind.title, "opened_by": list(kind.open.by), **_flow(rules, kind, name)}
            for name, kind in workflow.tasks.items()
        },
        "documents": {name: document.series for name, document in workflow.documents.items()},
        "routers": [{"kind": router.kind, "title": router.title} for router in workflow.routers],
    }


def _flow(rules: Rules, flow: Flow, task_kind: str | None) -> dict[str, Any]:
    return {
        "states": {
            name: {"title": state.title, "holder": state.holder, "final": state.final}
            for name, state in flow.states.items()
        },
        "clocks": {
            name: {
                "title": clock.title,
                "limits": [limit.is_.chinese if limit.is_ else limit.until for limit in clock.limit],
                "ladder": [{"at": str(rung.at), "does": rung_title(rules, task_kind, rung)} for rung in clock.ladder],
            }
            for name, clock in flow.clocks.items()
        },
        "actions": {
            name: {"title": action.title, "from": list(action.from_), "to": action.to, "by": list(action.by)}
            for name, action in flow.actions.items()
        },
    }


def _head(loop: Loop, session: Session, row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "title": loop.reference.rules(session, row.id).workflow.title,
        "sha256": row.sha256,
        "published_at": as_text(row.published_at),
        "default": row.id == loop.default_workflow,
    }
