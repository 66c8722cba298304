"""Generates personal numbers in various spellings, and other numbers that look similar, with a fixed seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

_FULL = str.maketrans("0123456789-.", "０１２３４５６７８９－．")
_CIRCLED = str.maketrans("0123456789", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗")
_SEPARATORS = ("-", " ", ".", " - ", "–", "", "·")
PERSONAL_FRAMES = (
    "{} 맞나요? 한도 알려주세요",
    "제 정보는 {} 입니다. 인증서 재발급 되나요",
    "{}로 조회해 주세요",
    "안녕하세요 {} 이체 한도 올리고 싶어요",
    "본인 확인용 {} 이고 OTP 잃어버렸어요",
)
ORDINARY_FRAMES = (
    "{} 이게 뭔가요?",
    "문자에 {} 라고 왔어요",
    "{} 관련해서 이체 한도 알려주세요",
    "안내문에 {} 라고 적혀 있던데 맞나요",
)


def _digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choice("0123456789") for _ in range(count))


def _resident(rng: random.Random) -> list[str]:
    day = f"{rng.randrange(100):02d}{rng.randrange(1, 13):02d}{rng.randrange(1, 29):02d}"
    return [day, rng.choice("12345678") + _digits(rng, 6)]


def _card(rng: random.Random) -> list[str]:
    body = rng.choice("4539") + _digits(rng, 14)
    doubled = [sum(divmod(2 * int(d), 10)) if i % 2 == 0 else int(d) for i, d in enumerate(body)]
    number = body + str(-sum(doubled) % 10)
    return [number[i : i + 4] for i in range(0, 16, 4)]


def _account(rng: random.Random) -> list[str]:
    sizes = rng.choice(((3, 3, 6), (6, 2, 6), (4, 3, 6), (3, 6, 5), (3, 4, 4, 2), (4, 2, 7), (4, 4, 4), (3, 2, 6)))
    return [rng.choice("1357") + _digits(rng, size - 1) for size in sizes]


def _mobile(rng: random.Random) -> list[str]:
    return [rng.choice(("010", "010", "011", "+82 10")), rng.choice("23456789") + _digits(rng, 3), _digits(rng, 4)]


def _landline(rng: random.Random) -> list[str]:
    return [rng.choice(("02", "031", "051", "064", "070")), rng.choice("23456789") + _digits(rng, 3), _digits(rng, 4)]


def _licence(rng: random.Random) -> list[str]:
    return [str(rng.randrange(11, 29)), _digits(rng, 2), _digits(rng, 6), _digits(rng, 2)]


def _passport(rng: random.Random) -> list[str]:
    return [
        rng.choice("MS")
        + rng.choice((f"9{_digits(rng, 7)}", f"{_digits(rng, 3)}{rng.choice('ABCD')}{_digits(rng, 4)}"))
    ]


def _email(rng: random.Random) -> list[str]:
    name = rng.choice(("minsu.kim", "hong_gd", "jiyoung", "lee-1990", "k.park"))
    host = f"{rng.choice(('mail', 'post'))}.{rng.choice(('example', 'co.kr'))}"
    return [f"{name}{rng.randrange(1000)}{rng.choice(('@', ' @ ', '＠', '(at)'))}{host}"]


_MAKERS: dict[str, Callable[[random.Random], list[str]]] = {
    "resident": _resident, "card": _card, "account": _account, "mobile": _mobile, "landline": _landline,
    "licence": _licence, "passport": _passport, "email": _email,
}  # fmt: skip


def personal(count: int = 300, seed: int = 20260301) -> Iterator[tuple[str, str, str]]:
    """Yield (kind, number as written, message that contains it)."""
    rng = random.Random(seed)
    kinds = sorted(_MAKERS)
    for index in range(count):
        kind = kinds[index % len(kinds)]
        groups = _MAKERS[kind](rng)
        choices = _SEPARATORS if kind in ("resident", "card", "mobile", "landline") else _SEPARATORS[:5]
        written = rng.choice(choices).join(groups)
        if rng.random() < 0.2:
            written = written.translate(_FULL)
        elif rng.random() < 0.06:
            written = written.translate(_CIRCLED)
        yield kind, written, rng.choice(PERSONAL_FRAMES).format(written)


def ordinary(count: int = 300, seed: int = 20260302) -> Iterator[tuple[str, str]]:
    """Yield (number that is not personal, message that contains it)."""
    rng = random.Random(seed)
    makers: tuple[Callable[[], str], ...] = (
        lambda: f"{rng.choice(('15', '16', '18'))}{_digits(rng, 2)}{rng.choice(('-', ' ', ''))}{_digits(rng, 4)}",
        lambda: f"080-{_digits(rng, 3)}-{_digits(rng, 4)}",
        lambda: f"{rng.randrange(1, 900)},{_digits(rng, 3)},{_digits(rng, 3)}원",
        lambda: f"{rng.randrange(10**9, 10**11)}원",
        lambda: f"{rng.randrange(1, 99)}억 {rng.randrange(1, 9)}천만원",
        lambda: f"{rng.randrange(2000, 2030)}.{rng.randrange(1, 13):02d}.{rng.randrange(1, 29):02d}.",
        lambda: (
            f"2026-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d} {rng.randrange(24):02d}:{rng.randrange(60):02d}:00"
        ),
        lambda: f"2025.01.01 ~ 2026.{rng.randrange(1, 13):02d}.{rng.randrange(1, 29):02d}",
        lambda: f"주문번호 {2026}{rng.randrange(1, 13):02d}{rng.randrange(1, 29):02d}{_digits(rng, 6)}",
        lambda: f"주문번호: {2026}-{_digits(rng, 4)}-{_digits(rng, 5)}",
        lambda: f"접수번호 {_digits(rng, 12)}",
        lambda: f"상품코드 {rng.choice('ABMS')}{_digits(rng, 8)}",
        lambda: f"{rng.choice('ABCE')}{_digits(rng, 3)}-{_digits(rng, 4)}",
        lambda: f"오류코드 SN-{_digits(rng, 4)}",
        lambda: f"{rng.choice((110, 214, 605))}-{rng.choice((81, 86, 88))}-{_digits(rng, 5)}",
        lambda: f"연 {rng.randrange(1, 9)}.{_digits(rng, 2)}%",
        lambda: f"0{rng.randrange(7, 10)}:00~{rng.randrange(16, 24)}:30",
        lambda: f"운송장 {_digits(rng, 4)}-{_digits(rng, 4)}-{_digits(rng, 4)}",
        lambda: f"1회 {rng.randrange(1, 9)}000만원 1일 {rng.randrange(1, 9)}억원",
        lambda: f"192.168.{rng.randrange(256)}.{rng.randrange(256)}",
    )
    for index in range(count):
        written = makers[index % len(makers)]()
        yield written, rng.choice(ORDINARY_FRAMES).format(written)
