"""Which words of a sentence do some passages hold: themselves, in most of their syllables, or in words of the same meaning?"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise

from rag.korean import compact
from rag.synthesis.content_words import ContentWord

_GROUPS = """
하루 1일 일일 매일
틀리 틀려 틀린 잘못 오류
바꾸 바꿔 바꿀 바꾼 바뀌 변경 교체 전환 수정 조정
만들 만드 개설 신규 가입
걸리 걸립 소요
돌아 환입 환급 반환 돌려 재입금
무료 면제 공짜 무상 없
유료 수수료 부과
올리 올릴 올려 늘리 늘릴 늘려 늘어 높이 높일 높여 증액 상향 인상
낮추 낮출 낮춰 줄이 줄일 줄여 내리 내릴 내려 감액 하향 인하 축소
발견 탐지 감지
간격 단위
현금 출금 인출
보내 송금 이체 발송 보낼
남 유지 보유
알려 통지 통보 안내
내실 내시 납부 지불
다른 타
금융회사 금융기관 은행
늦 지연
영업점 지점 창구
앱 모바일
가지않 방문없이
받으 수령 발급
안되 불가 없
새벽 오전
모으 적립
문의 연락 전화
댁 집 자택
메시지 문자
토요일 토·일
출금 인출
조회 확인
제출 내
증빙 서류
끝 종료 완료
넘 초과 경과
지난 지났 경과 만료
따로 별도
천천히 나중
담당자 직원 상담원
치료비 진료비 의료비
지난달 전월
이율 이자율 금리 이자
오토바이 이륜
휴대전화 휴대폰 핸드폰 스마트폰
홈페이지 웹사이트 누리집 인터넷
콜센터 고객센터 상담센터
컴퓨터 pc
해지 해약 깨
취소 철회
청구 신청
자동차 차량 차
우편 등기
세금 비과세 과세
증권사 증권 중복
치르 납부 결제
돈 금액 대금 자금 원금
잔고 잔액
사용 이용
보장 보상 담보
비행기 항공
밥값 식비 식사비
물건 물품 휴대품
병원 의료 진료 입원
금지 불가 제한
공짜 무상 무료 면제 0원
신분증 실명확인증표 주민등록증
부모 아버지 어머니 직계존속
자녀 아이 자식 아들 딸 직계비속
배우자 남편 아내 부부
대신 대리 대행 대체
집값 주택가격 시가
월급 급여 봉급
연봉 총급여 연소득
빌리 빌려 빌릴 대출 차입 대여
갚 상환 변제 납부
잃어버 분실
훔 도난
군 병역 복무
안드로이드 android
아이폰 ios 아이패드
우리나라 한국 국내
달러 외화
신용점수 신용평점 신용등급
직장인 근로자 근로소득자 재직자
회사 직장 재직
이민 이주
망가 고장 훼손 손상 파손
막 차단 정지 제한 금지 중단
풀 해제 허용
쌓 적립
깎 할인 우대 감면 인하
사고팔 매매 거래
사들 매수 구매 구입
팔 매도 판매 처분
꺼내 꺼낼 인출 출금
빠져나 출금 인출 차감
찾 인출 수령 지급
넣 입금 납입 예치 입력
들어오 들어와 들어옵 들어가 입금 지급
떼 공제 차감 원천징수 발급
뽑 발급 출력 인쇄
열 개설
닫 해지 폐쇄
없애 해지 폐쇄 삭제
지우 지웠 삭제
깔 설치
켜 켜기 켜져 허용 설정
끄 끄기 꺼 해제
갈아타 갈아탈 대환 전환
옮기 옮겨 이전 이관 이체
가입 들 신규
쉬 쉽니 휴무 휴장 휴일
주말 토·일 토요일
고르 골라 고를 선택
정하 정해 지정 설정 결정 산정
적 기재 입력 작성
보여 제시 지참
챙기 챙겨 지참 준비 구비
가져 지참
맡기 맡겨 맡긴 예치 의뢰 위탁
부탁 요청 의뢰 신청 요청
밀리 밀린 연체 미납
일찍 조기 중도 미리
미리 사전 선결제 먼저
비밀번호 암호 패스워드 비번
이름 성명 명의 명칭
나이 연령
유족 상속인
쇼핑 쇼핑몰 구매 전자상거래
온라인 인터넷 전자 모바일
외국 해외 국외
휴대폰 기기 단말 폰
직원 상담원 담당자
가격 값 금액 요금
비용 요금 수수료 공임
합치 합쳐 합산 합계 더하 더한
나누 나눠 분할
늘어나 증가 상승 증액
줄어들 감소 감액
오르 올라 인상 상승
기한 기간 마감
모자라 모자란 부족
남은 잔여 잔액
나머지 잔여 잔액
허락 승낙 동의
거절 거부
다치 다쳐 상해 부상
질병 질환 병명
전부 전액 모두 전체 일괄 100%
전액 100% 전부
이중 중복
똑같 동일 그대로
멈추 멈춰 중단 정지
이듬 다음해
웹 인터넷 PC
가게 가맹점 매장 상점
긁 결제 이용
카드값 카드대금 결제대금 대금
월세 임차 임대
세입자 임차인
집주인 임대인
통장 계좌 예금
증명서 확인서 서류 명세서
영어 영문
사진 촬영 이미지
찍 촬영
얼굴 안면 생체
지문 생체
도장 인감
이메일 메일
증명 입증 증빙
나아지 개선 상승 증가
떨어지 하락 감소
서명 날인
벌금 과태료
깨 해지 중도해지
이어지 연장 유지
늘려 연장 증액
되살 복원 부활
살아나 복원 부활
사라 소멸 삭제
저장 보관
보관 예치
갖추 갖춘 충족 해당
채우 채워 충족
어기 위반
숨은 휴면
도착 수취 수령
받는 수취 수령
보낸 송금 발송
잘못 착오
실수 착오
피해 손해 손실
갑자기 급히 긴급
대기 기다
예약 사전
배달 배송 발송
회사 직장
기계 자동화기기 atm 기기 단말
저절 자동
주소 배송지 주소지
아이디 id
전화 고객센터 콜센터
자택 집
붙 부과 적용 가산 발생 추가
물 부과
무 없
걸어 설정 등록
등록 설정 지정
신고 접수
접수 신청 신고
요청 신청 청구
문열 잠금해제
이익 수익 순이익
손해 손실
번 수익 이익
투자자 고객
만료 종료 만기
시작 개시 부터
끝나 종료 만기 마감
기준 산정 적용
계산 산정 산출 적용
어르신 고령 만65
학생 재학
미성년 자녀
장애 장애인
비대면 온라인 앱
대면 영업점 방문
가 방문
오 방문
들르 방문
"""
"""One meaning a line: the beginnings of words that institutions and their customers use for it."""
_SAME = tuple(tuple(compact(form) for form in line.split()) for line in _GROUPS.strip().splitlines())
_COVERED_PAIRS = 0.66
"""Share of a noun's syllable pairs that a passage must hold: "사고신고접수" beside "사고신고를 접수"."""
_GENERIC_END = re.compile(
    r"([가-힣a-z]{2,})(?:제품|상품|비용|금액|고객|회원|계좌|통장|서류|절차|기관|회사|업무|내역|기간|기준|대상|신청|방법|수단|항목|서비스|혜택|당)$"
)
"""What names only the kind of the thing before it: "가전제품" beside "가전"; "도난당하다" beside "도난"."""


def _by_first() -> dict[str, list[tuple[str, tuple[str, ...]]]]:
    """The forms that begin with a syllable, each with its group: hundreds of them are looked up for each word of a sentence."""
    found: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for forms in _SAME:
        for form in forms:
            found.setdefault(form[0], []).append((form, forms))
    return found


_BY_FIRST = _by_first()


@lru_cache(maxsize=4096)
def other_words(stem: str) -> tuple[str, ...]:
    """What else a word may be called, of two syllables at least: "공짜" gives "무상", "무료", "면제"."""
    groups = [
        forms
        for form, forms in _BY_FIRST.get(stem[:1], ())
        if stem == form or (len(form) > 1 and stem.startswith(form))
    ]
    return tuple(
        dict.fromkeys(form for forms in groups for form in forms if len(form) > 1 and not stem.startswith(form))
    )


class PassageWords:
    """What some passages hold, prepared once for many sentences."""

    def __init__(self, passages: Iterable[str]) -> None:
        self._text = compact("\n".join(passages))
        # Over the text without spaces: "사고 신고" and "사고신고" have the same pairs.
        self._pairs = frozenset(map("".join, pairwise(self._text)))

    def holds(self, word: ContentWord) -> bool:
        """Whether the passages have the word, or one that means the same."""
        stem = compact(word.stem)
        if stem in self._text:
            return True
        pairs = list(map("".join, pairwise(stem)))
        if len(pairs) >= 2 and sum(pair in self._pairs for pair in pairs) / len(pairs) >= _COVERED_PAIRS:
            return True
        if (match := _GENERIC_END.match(stem)) and match[1] in self._text:
            return True
        # "대출금" beside "대출", "접수일" beside "접수".
        if len(stem) >= 3 and stem[-1] in "금액비료일자서증률율용형식권분건" and stem[:-1] in self._text:
            return True
        if any(
            self._begins(word, stem, form) and any(other in self._text for other in forms)
            for form, forms in _BY_FIRST.get(stem[:1], ())
        ):
            return True
        # A verb's own stem changes with its ending: its first syllable is what stays.
        return not word.is_noun and len(stem) >= 2 and stem[:2] in self._text

    def _begins(self, word: ContentWord, stem: str, form: str) -> bool:
        """Whether a word begins with a form and goes on with nothing that the passages lack: "우대금리" with "우대", "금리"."""
        if form == stem:
            return True
        # "가" is the stem of "가려면" and not the beginning of "가족".
        if not stem.startswith(form) or (word.is_noun and len(form) < 2):
            return False
        rest = stem[len(form) :]
        return not word.is_noun or len(rest) < 2 or rest in self._text
