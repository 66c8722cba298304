"""Whether an institution is named only as the place where money goes or comes from, or a thing was issued, by what follows it."""

from __future__ import annotations

import re

_CHANGED = r"(?:바꾸|바꿔|바꿀|변경|전환|교체|이전|갈아|옮)"
_PLACE = re.compile(
    r"\s?(?:계좌|통장)?(?:으로|로)(?=\s?(?:돈|이체|송금|보내|보냈|잘못|입금|옮|갈아|자동|\d))"
    r"|\s?(?:계좌|통장|앱)?(?:에서|의)\s?"
    r"(?:만든|만들었|발급\s?받은|발급한|받은|쓰던|가입한|개설한|보낸|보내온|온\s|옮|넘어|이체한|빌린|들어온|입금)"
    r"|\s?(?:사람|고객|직원)?(?:한테|에게)|에\s?(?:있는|있던)"
)
_GOES_OUT = r"(?:빠지|빠져|빠졌|빠진|나가[는게면요]|나갔)"
_PLACE_OF_ANOTHER = re.compile(
    rf"\s?(?:계좌|통장)(?:으로|로)|(?:으로|로)\s?(?:(?:\S{{1,8}}\s)?{_CHANGED}|낼\s|내도|내고|내려|납부|결제|받)"
    # "신한은행에서 우리은행으로 바꾸려면", "토스에서 우리 계좌로 돈이 안 들어왔어요".
    r"|\s?(?:계좌|통장)?에서\s?\S{1,10}\s?(?:계좌|통장)?(?:으로|로)\s?"
    rf"(?:(?:\S{{1,8}}\s)?{_CHANGED}|.{{0,8}}?(?:들어오|들어왔|들어와|안\s?[와왔]|못\s?받))"
    r"|에서\s?(?:산\s|산거|샀|사려|사면|구매|구입|주문)"
    rf"|\s?(?:계좌|통장)에서\s?.{{0,12}}(?:{_GOES_OUT}|납부|자동이체)|에서\s?.{{0,6}}{_GOES_OUT}"
)
"""Further ones, of institutions that the index does not hold: whoever asks them here is the customer of another."""
_MEANS = re.compile(r"(?:카드|페이)로(?=\s)")


def is_counterpart(text: str, start: int, end: int, *, held: bool) -> bool:
    """Whether the name at `start` to `end` of the lower-case text is a counterpart. `held`: it is one of the index's own."""
    if _PLACE.match(text, end):
        return True
    # "신한카드로 보험료 낼 수 있나요": what is paid with.
    pays = _MEANS.match(text, max(start, end - 2)) is not None
    return not held and (pays or _PLACE_OF_ANOTHER.match(text, end) is not None)
