import pytest

from wuye_loop.domain.sheets.encoding import decoded
from wuye_loop.domain.sheets.limits import BadSheet

SIMPLE = "工单编号,诉求标题,诉求内容\n1,电梯停运,三号楼电梯停运两天，老人无法下楼，请尽快派人维修\n"
TRADITIONAL = "工單編號,訴求標題,訴求內容\n1,電梯停運,三號樓電梯停運兩天，老人無法下樓，請儘快派人維修\n"


@pytest.mark.parametrize("name", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
def test_a_text_is_read_in_the_encodings_that_sheets_are_saved_in(name: str) -> None:
    assert decoded(SIMPLE.encode(name)).removeprefix("\ufeff") == SIMPLE


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (TRADITIONAL.encode("big5"), "--encoding big5"),
        (SIMPLE.encode("utf-16-le"), "--encoding utf-16-le"),
        (SIMPLE.encode("utf-16-be"), "--encoding utf-16-be"),
        (SIMPLE.encode().decode("gb18030", "ignore").encode(), "乱码"),
        (SIMPLE.encode("gb18030").decode("latin-1").encode(), "乱码"),
        (SIMPLE.encode().decode("latin-1").encode(), "乱码"),
        (b"a,b\n\xff\xff\xff", "编码"),
        ("Straße,Größe,Übergröße,Äpfel,Öl\n".encode("cp1252") * 4, "编码"),
    ],
)
def test_what_decodes_only_by_chance_is_refused_with_the_encoding_that_would_fit(raw: bytes, words: str) -> None:
    with pytest.raises(BadSheet) as refused:
        decoded(raw)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("raw", "insisted", "text"),
    [
        (TRADITIONAL.encode("big5"), "big5", TRADITIONAL),
        (SIMPLE.encode("utf-16-le"), "utf-16-le", SIMPLE),
        (SIMPLE.encode(), "utf-8", SIMPLE),
    ],
)
def test_an_encoding_that_is_insisted_on_is_used(raw: bytes, insisted: str, text: str) -> None:
    assert decoded(raw, insisted) == text


@pytest.mark.parametrize(
    ("raw", "insisted", "words"),
    [
        (SIMPLE.encode(), "gbk", "UTF-8"),
        (SIMPLE.encode("gb18030"), "big5", "gb18030"),
        (SIMPLE.encode("gb18030"), "utf-8", "gb18030"),
        (SIMPLE.encode(), "klingon", "没有编码"),
    ],
)
def test_unless_it_gives_no_words(raw: bytes, insisted: str, words: str) -> None:
    with pytest.raises(BadSheet, match=words):
        decoded(raw, insisted)


def test_a_few_bytes_of_another_encoding_do_not_change_what_the_rest_is() -> None:
    for name in ("utf-8", "gb18030"):
        cut = SIMPLE.encode(name) * 3 + "2,水".encode(name)[:-1] + b",x\n"
        with pytest.raises(BadSheet, match="编码"):
            decoded(cut)
