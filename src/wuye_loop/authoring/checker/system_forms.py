"""Checks what one who fills in no form may take: the system, the hotline that urges, the chair whose minutes settle."""

from collections.abc import Collection

from wuye_loop.authoring.checker.scene import SYSTEM, Scene
from wuye_loop.domain.language.workflow import StepSpec
from wuye_loop.domain.rulefile.reader import Path


def by_system(scene: Scene, path: Path, name: str, step: StepSpec) -> None:
    """Note that the system may not take an action, or that it would have to fill in its form."""
    not_for_system(scene, path, f"操作 {name} 要由系统执行", step.by)
    unasked(scene, path, name, step, "系统")


def not_for_system(scene: Scene, path: Path, what: str, by: Collection[str], key: str = "by") -> None:
    """Note what is left to the system where `by`, written under `key`, does not name it."""
    if SYSTEM not in by:
        scene.findings.error(
            path, "not-for-system", f"{what}，它的 {key} 里没有 system：请加上，不然到期时什么也不会发生"
        )


def unasked(scene: Scene, path: Path, name: str, step: StepSpec, who: str) -> None:
    """Note the fields that an action wants filled in, where nobody is asked."""
    wanted = [field for field, spec in step.needs.items() if not spec.optional]
    if wanted:
        words = (
            f"操作 {name} 要填{'、'.join(wanted)}，而{who}在这里不填表单：请改成可不填（类型后加 ?），或另写一个操作"
        )
        scene.findings.error(path, "needs-form", words)
