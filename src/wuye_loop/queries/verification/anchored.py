"""Compares the ledgers and the register with the anchors that were set down outside of the database."""

from itertools import islice
from pathlib import Path

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.ledger import Chain
from wuye_loop.loop.custody import anchors
from wuye_loop.queries.verification.report import Report
from wuye_loop.store import anchoring, registry

_BATCH = 1000


def compare(session: Session, chain: Chain, file: Path, report: Report) -> None:
    """Note every grievance that an anchor knows and that is gone or was rewritten since. Raises BadInput for a bad file."""
    if not file.is_file():
        report.broken(f"没有锚文件 {file}")
        return
    heads: dict[str, tuple[int, str]] = {}
    register, count, newest = (0, ""), 0, 0
    for one in anchors.read(file, chain):
        heads.update(one.heads)
        register = max(register, one.register)
        count, newest = count + 1, max(newest, one.n)
    report.anchors = count
    last = anchoring.last(session)
    if count and (last is None or last.n < newest):
        report.broken(
            f"锚文件到第 {newest} 号，数据库只到第 {last.n if last else 0} 号：数据库被换成了旧的，或锚的记录被删"
        )
    numbers = iter(heads.items())
    while some := list(islice(numbers, _BATCH)):
        rows = anchoring.rows_at(session, [{"number": number, "seq": seq} for number, (seq, _) in some])
        for number, (seq, head) in some:
            if number not in rows:
                report.broken(f"锚记着的诉求 {number} 不见了")
            elif (there := rows[number]) is None or chain.follows(there).hex() != head:
                report.broken(f"{number} 台账到第 {seq} 行与锚不符：立锚之后被改写")
    if register[0]:
        note = registry.row(session, register[0])
        if note is None or chain.follows(note.hash).hex() != register[1]:
            report.broken(f"登记簿到第 {register[0]} 行与锚不符")
