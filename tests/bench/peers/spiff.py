"""SpiffWorkflow, as its documentation keeps a workflow: written out as JSON after each step, read back before the next.

The JSON lies in one row, which is locked meanwhile. The process is the way of a grievance: six tasks of people, one way back.
"""

import sys

import psycopg
from SpiffWorkflow import TaskState
from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from turns import serve

TASKS = ("accept", "sign", "finish", "approve", "call_back", "rate")


def diagram() -> str:
    """Return the process as BPMN: what is not approved goes back to whoever is to finish it."""
    flows = [("start", "accept"), ("accept", "sign"), ("sign", "finish"), ("finish", "approve"), ("approve", "right"),
             ("call_back", "rate"), ("rate", "end")]  # fmt: skip
    lines = [f'<sequenceFlow id="{a}_{b}" sourceRef="{a}" targetRef="{b}"/>' for a, b in flows]
    lines += [
        '<sequenceFlow id="right_call_back" sourceRef="right" targetRef="call_back"/>',
        '<sequenceFlow id="right_finish" sourceRef="right" targetRef="finish"><conditionExpression>returned</conditionExpression></sequenceFlow>',
        '<exclusiveGateway id="right" default="right_call_back"/>',
        '<startEvent id="start"/>', '<endEvent id="end"/>',
    ]  # fmt: skip
    lines += [f'<userTask id="{name}" name="{name}"/>' for name in TASKS]
    return (
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="way">'
        f'<process id="way" isExecutable="true">{"".join(lines)}</process></definitions>'
    )


def main(url: str, count: int) -> None:
    """Bring so many workflows to where the unit is to sign, and sign as many as is asked."""
    parser = BpmnParser()
    parser.add_bpmn_str(diagram().encode())
    spec = parser.get_spec("way")
    serializer = BpmnWorkflowSerializer()
    first = BpmnWorkflow(spec)
    first.do_engine_steps()
    _done(first, "accept", {"returned": False, "holder": "property-centre"})
    kept = serializer.serialize_json(first)
    names = [f"W{n}" for n in range(count)]
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE workflow (number text PRIMARY KEY, state json NOT NULL)")
        connection.cursor().executemany("INSERT INTO workflow VALUES (%s, %s)", [(name, kept) for name in names])
        connection.commit()

        def sign(name: str) -> None:
            row = connection.execute(
                "SELECT state::text FROM workflow WHERE number = %s FOR UPDATE", [name], prepare=True
            ).fetchone()
            assert row is not None
            workflow = serializer.deserialize_json(row[0])
            _done(workflow, "sign", {"holder": "market"})
            connection.execute(
                "UPDATE workflow SET state = %s WHERE number = %s",
                [serializer.serialize_json(workflow), name],
                prepare=True,
            )
            connection.commit()

        serve(sign, names)


def _done(workflow: BpmnWorkflow, name: str, said: dict[str, object]) -> None:
    """Complete a task that waits for people, and go on to the next."""
    task = workflow.get_next_task(state=TaskState.READY, spec_name=name)
    task.set_data(**said)
    task.run()
    workflow.do_engine_steps()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
