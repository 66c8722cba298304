"""Number formats: values as Excel displays them, by Excel's rules."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest

from rag.ingestion.number_formats import format_value


@pytest.mark.parametrize(
    ("value", "code", "expected"),
    [
        (0.035, "0.0%", "3.5%"),
        (0.035, "0%", "4%"),
        (0.0475, "0.00%", "4.75%"),
        (0.035, "General", "0.035"),
        (5000, '#,##0"원"', "5,000원"),
        (0, '#,##0"원";-#,##0"원";"면제"', "면제"),
        (-500, '#,##0"원";-#,##0"원";"면제"', "-500원"),
        (-500, "#,##0;[Red](#,##0)", "(500)"),
        (50000000, '#,##0,"천원"', "50,000천원"),
        (1234567, '#,##0.0,,"백만원"', "1.2백만원"),
        (1234.5, "[$₩-412]#,##0", "₩1,235"),
        (1234, '_-"₩"* #,##0_-', "₩1,234"),
        (7, "000", "007"),
        (15991234, "0000-0000", "1599-1234"),
        (212345678, "00-000-0000", "21-234-5678"),
        (3.5, '0.##"배"', "3.5배"),
        (3, '0.##"배"', "3배"),
        (0.5, "#.0", ".5"),
        (3.14159, "0.00", "3.14"),
        (2.675, "0.00", "2.68"),
        (12, '[>=10]"많음";"적음"', "많음"),
        (3, '[>=10]"많음";"적음"', "적음"),
        (1e15, "General", "1000000000000000"),
        (0.1 + 0.2, "General", "0.3"),
        (12, 'General"개월"', "12개월"),
        ("A", '0;-0;0;"코드 "@', "코드 A"),
        ("글", "#,##0", "글"),
        (True, "General", "TRUE"),
        (None, "0", ""),
        (datetime(2026, 1, 5), "yyyy. m. d.", "2026. 1. 5."),
        (datetime(2026, 1, 5), 'yyyy"년" m"월" d"일" aaaa', "2026년 1월 5일 월요일"),
        (datetime(2026, 1, 5), "mm-dd-yy", "2026-01-05"),
        (datetime(2026, 1, 5, 14, 7), "yyyy/mm/dd h:mm AM/PM", "2026/01/05 2:07 PM"),
        (datetime(2026, 1, 5, 14, 7), "[$-412]AM/PM h:mm;@", "오후 2:07"),
        (datetime(2026, 1, 5, 2, 7), "[$-ko-KR]h:mm AM/PM", "2:07 오전"),
        (datetime(2026, 1, 5, 2, 7), "[$-409]h:mm AM/PM", "2:07 AM"),
        (datetime(2026, 1, 5, 14, 7), "오전/오후 h:mm", "오후 2:07"),
        (date(2026, 11, 9), "m/d(aaa)", "11/9(월)"),
        (time(9, 5), "hh:mm", "09:05"),
        (datetime(2026, 1, 5), "General", "2026-01-05"),
    ],
)  # fmt: skip
def test_shown(value: object, code: str, expected: str) -> None:
    assert format_value(value, code) == expected
