"""Korean: particles change with the noun's last sound (사과를, 책을); a counter follows the number (사과를 3개)."""

from glotmix.lab.grammar import Grammar, Word, words


def quantity(number: str, n: int, noun: Word, case: str) -> str:
    """`case` is a form of the noun: object gives 사과를 3개, nothing gives 사과 3개."""
    return f"{noun:{case}} {number}{noun:counter}"


GRAMMAR = Grammar(
    tag="ko",
    quantity=quantity,
    people=words(
        "name gender topic subject object and",
        """
        ana   | 아나 | f | 아나는 | 아나가 | 아나를 | 아나와
        omar  | 오마르 | m | 오마르는 | 오마르가 | 오마르를 | 오마르와
        mina  | 미나 | f | 미나는 | 미나가 | 미나를 | 미나와
        leo   | 레오 | m | 레오는 | 레오가 | 레오를 | 레오와
        sara  | 사라 | f | 사라는 | 사라가 | 사라를 | 사라와
        ivan  | 이반 | m | 이반은 | 이반이 | 이반을 | 이반과
        nadia | 나디아 | f | 나디아는 | 나디아가 | 나디아를 | 나디아와
        ben   | 벤 | m | 벤은 | 벤이 | 벤을 | 벤과
        lina  | 리나 | f | 리나는 | 리나가 | 리나를 | 리나와
        david | 데이비드 | m | 데이비드는 | 데이비드가 | 데이비드를 | 데이비드와
        eva   | 에바 | f | 에바는 | 에바가 | 에바를 | 에바와
        sami  | 사미 | m | 사미는 | 사미가 | 사미를 | 사미와
        """,
    ),
    things=words(
        "name object counter",
        """
        apple    | 사과 | 사과를 | 개
        orange   | 오렌지 | 오렌지를 | 개
        egg      | 달걀 | 달걀을 | 개
        cookie   | 쿠키 | 쿠키를 | 개
        book     | 책 | 책을 | 권
        notebook | 공책 | 공책을 | 권
        pencil   | 연필 | 연필을 | 자루
        pen      | 펜 | 펜을 | 자루
        ball     | 공 | 공을 | 개
        cup      | 컵 | 컵을 | 개
        plate    | 접시 | 접시를 | 개
        hat      | 모자 | 모자를 | 개
        shirt    | 셔츠 | 셔츠를 | 벌
        key      | 열쇠 | 열쇠를 | 개
        coin     | 동전 | 동전을 | 개
        flower   | 꽃 | 꽃을 | 송이
        stone    | 돌 | 돌을 | 개
        stamp    | 우표 | 우표를 | 장
        chair    | 의자 | 의자를 | 개
        box      | 상자 | 상자를 | 개
        bag      | 가방 | 가방을 | 개
        candle   | 양초 | 양초를 | 개
        doll     | 인형 | 인형을 | 개
        spoon    | 숟가락 | 숟가락을 | 개
        ticket   | 표 | 표를 | 장
        """,
    ),
    places=words(
        "name",
        """
        market  | 시장
        school  | 학교
        park    | 공원
        library | 도서관
        station | 역
        garden  | 정원
        beach   | 해변
        museum  | 박물관
        """,
    ),
    cities=words(
        "name",
        """
        lima    | 리마
        paris   | 파리
        cairo   | 카이로
        tokyo   | 도쿄
        london  | 런던
        rome    | 로마
        delhi   | 델리
        nairobi | 나이로비
        seoul   | 서울
        berlin  | 베를린
        """,
    ),
    days=words(
        "name",
        """
        monday    | 월요일
        tuesday   | 화요일
        wednesday | 수요일
        thursday  | 목요일
        friday    | 금요일
        saturday  | 토요일
        sunday    | 일요일
        """,
    ),
    weather=words(
        "clause",
        """
        sunny | 햇살이 비칩니다
        rainy | 비가 옵니다
        windy | 바람이 붑니다
        snowy | 눈이 옵니다
        """,
    ),
    moods=words(
        "base polite",
        """
        happy  | 행복하다 | 행복합니다
        tired  | 피곤하다 | 피곤합니다
        hungry | 배고프다 | 배가 고픕니다
        calm   | 편안하다 | 편안합니다
        """,
    ),
    frames={
        # math: a first amount, what changes it, the question, the answer
        "has": "{who:topic} {things:object} 가지고 있습니다.",
        "buys": "{who:topic} {things:object} 삽니다.",
        "finds": "{who:topic} {things:object} 줍습니다.",
        "receives": "{who:topic} {things:object} 받습니다.",
        "loses": "{who:topic} {things:object} 잃어버립니다.",
        "sells": "{who:topic} {things:object} 팝니다.",
        "gives": "{who:topic} {things:object} 나누어 줍니다.",
        "question_now": "{who:topic} 지금 {noun:object} 몇 {noun:counter} 가지고 있습니까?",
        "question_together": "{who:and} {other:topic} {noun:object} 모두 몇 {noun:counter} 가지고 있습니까?",
        "answer": "답은 {number}입니다.",
        # summarization: sentences around the event, and the headline of each event
        "setting": "오늘은 {day}이고, {city}에는 {weather}.",
        "goes": "{who:topic} {place}에 갑니다.",
        "feels": "저녁에 {who:topic} {mood:polite}.",
        "headline_buys": "{who:subject} {place}에서 {things:object} 삽니다",
        "headline_finds": "{who:subject} {place}에서 {things:object} 줍습니다",
        "headline_receives": "{who:subject} {place}에서 {things:object} 받습니다",
        "headline_loses": "{who:subject} {place}에서 {things:object} 잃어버립니다",
        "headline_sells": "{who:subject} {place}에서 {things:object} 팝니다",
        "headline_gives": "{who:subject} {place}에서 {things:object} 나누어 줍니다",
        # instructions: about words, whose answer is words of the same language
        "repeat": "다음 단어를 {number}번 쓰세요: “{word}”.",
        "reverse": "다음 단어를 반대 순서로 쓰세요: {list}.",
        "first": "다음 단어 중 첫 번째 단어만 쓰세요: {list}.",
        "last": "다음 단어 중 마지막 단어만 쓰세요: {list}.",
        "without": "“{word}”만 빼고 다음 단어를 쓰세요: {list}.",
        # api_calls: requests to a tool
        "order": "{who:object} 위해 {day} 배송으로 {things:object} 주문해 주세요.",
        "tickets": "{day} {city}행 {things:object} 예매해 주세요.",
        "alarm": "{day} {number}시에 알람을 맞춰 주세요.",
        "forecast": "{day} {city}의 날씨는 어떻습니까?",
        "meet": "{day}에 {place}에서 {who:and} 만날 약속을 잡아 주세요.",
    },
)
