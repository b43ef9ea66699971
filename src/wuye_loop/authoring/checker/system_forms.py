"""Checks what one who fills in no form may take: the system, the hotline that urges, the chair whose minutes settle."""

from wuye_loop.authoring.checker.scene import SYSTEM, Scene
from wuye_loop.domain.language.workflow import StepSpec
from wuye_loop.domain.rulefile.reader import Path


def by_system(scene: Scene, path: Path, name: str, step: StepSpec) -> None:
    """Note that the system may not take an action, or that it would have to fill in its form."""
    if SYSTEM not in step.by:
        not_for_system(scene, path, name)
    unasked(scene, path, name, step, "系统")


def not_for_system(scene: Scene, path: Path, name: str) -> None:
    """Note that the system may not take an action that it is told to take."""
    words = f"操作 {name} 要由系统执行，它的 by 里没有 system：请在 {name} 的 by 里加上 system"
    scene.findings.error(path, "not-for-system", words)


def unasked(scene: Scene, path: Path, name: str, step: StepSpec, who: str) -> None:
    """Note the fields that an action wants filled in, where nobody is asked."""
    wanted = [field for field, spec in step.needs.items() if not spec.optional]
    if wanted:
        words = (
            f"操作 {name} 要填{'、'.join(wanted)}，而{who}在这里不填表单：请改成可不填（类型后加 ?），或另写一个操作"
        )
        scene.findings.error(path, "needs-form", words)
