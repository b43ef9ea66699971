"""How much one file may ask of the machine, and what is wrong with one that asks more; shared by both processes."""

import json
from dataclasses import asdict, dataclass
from typing import Final

#: Why a file is not taken, by the word that the decoding process says.
REASONS: Final = {
    "broken": "文件打不开：内容不完整，或者不是它开头所说的那种文件",
    "more": "文件末尾还有别的内容，请上传原图或原文件",
    "pixels": "图片太大，请缩小后再上传",
    "pages": "PDF 的页数或内容太多，请分开上传",
    "locked": "PDF 有密码，请去掉密码后再上传",
    "costly": "文件太复杂，限定的时间和内存里打不开，请另存或缩小后再上传",
    "large": "文件重新写出后太大，请缩小后再上传",
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """The largest picture, the longest paper, the time and the memory of one decoding, the bytes of what is kept."""

    pixels: int = 50_000_000
    pages: int = 200
    seconds: int = 20
    memory_mib: int = 1024
    bytes: int = 8 * 1024 * 1024

    def as_text(self) -> str:
        """Return them as one argument of a command."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> "Bounds":
        """Read what `as_text` wrote."""
        return cls(**json.loads(text))


class Unfit(Exception):
    """The file is not taken; the message is a key of REASONS."""
