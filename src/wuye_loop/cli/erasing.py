"""`erase`, `anchor`, `master-key`: what is destroyed for good, what is set down for good, and the keys of it all."""

from time import sleep
from typing import Annotated

import typer

from wuye_loop.app import make_site
from wuye_loop.cli.clock import clock
from wuye_loop.cli.database import AsJson, DataDir, opened, settings_for
from wuye_loop.cli.output import group, out, print_json
from wuye_loop.loop.custody import anchors, erasure, rewrapping
from wuye_loop.store.keys import keyring

master_key = group()
_LEARN_SECONDS = 3.0  # every process looks at the key file once a second


def erase(
    number: Annotated[str, typer.Argument(help="诉求编号。 / number")],
    reason: Annotated[str, typer.Option(help="为什么销毁（会留在台账里）。 / why")],
    data: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Destroy who complained and every word of it, for good; the ledger still verifies."""
    with opened(data) as database:
        site = make_site(settings_for(data), database, clock=clock())
        with database.begin() as session:
            proof = erasure.erase(site.loop, session, number.strip().upper(), reason)
    if as_json:
        print_json(proof)
    else:
        out.print(
            f"已销毁 {proof['number']}：密钥、姓名、电话、地址、全部文字、{proof['files']} 个文件；台账留有一行证明"
        )


def anchor(data: DataDir = None, *, as_json: AsJson = False) -> None:
    """Set down now how every ledger and the register stand; the worker does it every so often."""
    settings = settings_for(data)
    with opened(data) as database:
        made = anchors.anchor(make_site(settings, database, clock=clock()).loop, database, settings.anchors)
    if as_json:
        print_json({"n": made.n if made else None, "heads": len(made.heads) if made else 0, "file": settings.anchors})
    elif made is None:
        out.print("上次立锚以后没有变动")
    else:
        out.print(
            f"第 {made.n} 个锚：{len(made.heads)} 件诉求的台账，登记簿到第 {made.register[0]} 行；写入 {settings.anchors}"
        )


@master_key.command("rotate")
def rotate(
    data: DataDir = None,
    *,
    keep: Annotated[bool, typer.Option(help="旧密钥留在密钥文件里。 / keep the old keys in the file")] = False,
    as_json: AsJson = False,
) -> None:
    """Make new master keys, wrap every data key and phone hash anew under load, and retire the old ones."""
    settings = settings_for(data)
    with opened(data) as database:
        make_site(settings, database, clock=clock())  # which tries the keys on what they have sealed
        if settings.master_key is None:
            name = keyring.add(settings.keys)
            sleep(_LEARN_SECONDS)
            keyring.activate(settings.keys, name)
            sleep(_LEARN_SECONDS)
        done = rewrapping.rewrap_all(keyring.rings(settings).ring, database)
        gone = []
        if settings.master_key is None and not keep and not done.broken:
            gone = keyring.retire(settings.keys)
    if as_json:
        print_json({"rewrapped": done.rows, "seconds": done.seconds, "broken": done.broken, "retired": gone})
    else:
        out.print(f"重新封存 {done.rows} 件，用时 {done.seconds:.1f} 秒；已退役的密钥 {len(gone)} 把")
        for words in done.broken:
            out.print(words, markup=False)
        if settings.master_key is not None:
            out.print("密钥来自 WUYE_MASTER_KEY：旧密钥请留在逗号之后，只用来核对从前的台账")
    if done.broken:
        raise typer.Exit(1)
