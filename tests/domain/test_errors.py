from collections.abc import Iterator

from wuye_loop.domain import errors
from wuye_loop.domain.errors import DefinitionError, IllegalAction, Unavailable, WuyeError


def tree(root: type[WuyeError]) -> Iterator[type[WuyeError]]:
    yield root
    for branch in root.__subclasses__():
        if branch.__module__ == errors.__name__:
            yield from tree(branch)


def test_every_error_has_a_slug_of_its_own_and_a_chinese_title() -> None:
    found = list(tree(WuyeError))
    assert len(found) > 15
    assert len({one.slug for one in found}) == len(found)
    assert all(one.slug == one.slug.lower() and " " not in one.slug for one in found)
    assert all(any("\u4e00" <= letter <= "\u9fff" for letter in one.title) for one in found)
    assert all(400 <= one.status < 600 for one in found)


def test_an_error_carries_words_members_and_headers() -> None:
    error = IllegalAction("此状态下不能办结", actions=["sign"])
    assert (str(error), error.detail, error.extra) == ("此状态下不能办结", "此状态下不能办结", {"actions": ["sign"]})
    assert Unavailable(retry_after=7).headers == {"Retry-After": "7"}
    assert DefinitionError(findings=("a:1:2 x", "a:3:4 y")).detail == "a:1:2 x\na:3:4 y"
    assert WuyeError().detail == WuyeError.title
