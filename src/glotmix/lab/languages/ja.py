"""Japanese: no plural; each noun has its counter, and the particle stands before the number (りんごを3個)."""

from glotmix.lab.grammar import Grammar, Word, words


def quantity(number: str, n: int, noun: Word, case: str) -> str:
    """`case` is the noun's particle itself: を gives りんごを3個, nothing gives りんご3個."""
    return f"{noun}{case}{number}{noun:counter}"


GRAMMAR = Grammar(
    tag="ja",
    quantity=quantity,
    people=words(
        "name gender",
        """
        ana   | アナ | f
        omar  | オマル | m
        mina  | ミナ | f
        leo   | レオ | m
        sara  | サラ | f
        ivan  | イワン | m
        nadia | ナディア | f
        ben   | ベン | m
        lina  | リナ | f
        david | デビッド | m
        eva   | エバ | f
        sami  | サミ | m
        """,
    ),
    things=words(
        "name counter ask",
        """
        apple    | りんご | 個 | 何個
        orange   | オレンジ | 個 | 何個
        egg      | 卵 | 個 | 何個
        cookie   | クッキー | 枚 | 何枚
        book     | 本 | 冊 | 何冊
        notebook | ノート | 冊 | 何冊
        pencil   | 鉛筆 | 本 | 何本
        pen      | ペン | 本 | 何本
        ball     | ボール | 個 | 何個
        cup      | カップ | 個 | 何個
        plate    | 皿 | 枚 | 何枚
        hat      | 帽子 | 個 | 何個
        shirt    | シャツ | 枚 | 何枚
        key      | 鍵 | 本 | 何本
        coin     | コイン | 枚 | 何枚
        flower   | 花 | 本 | 何本
        stone    | 石 | 個 | 何個
        stamp    | 切手 | 枚 | 何枚
        chair    | 椅子 | 脚 | 何脚
        box      | 箱 | 個 | 何個
        bag      | かばん | 個 | 何個
        candle   | ろうそく | 本 | 何本
        doll     | 人形 | 体 | 何体
        spoon    | スプーン | 本 | 何本
        ticket   | チケット | 枚 | 何枚
        """,
    ),
    places=words(
        "name",
        """
        market  | 市場
        school  | 学校
        park    | 公園
        library | 図書館
        station | 駅
        garden  | 庭
        beach   | ビーチ
        museum  | 博物館
        """,
    ),
    cities=words(
        "name",
        """
        lima    | リマ
        paris   | パリ
        cairo   | カイロ
        tokyo   | 東京
        london  | ロンドン
        rome    | ローマ
        delhi   | デリー
        nairobi | ナイロビ
        seoul   | ソウル
        berlin  | ベルリン
        """,
    ),
    days=words(
        "name",
        """
        monday    | 月曜日
        tuesday   | 火曜日
        wednesday | 水曜日
        thursday  | 木曜日
        friday    | 金曜日
        saturday  | 土曜日
        sunday    | 日曜日
        """,
    ),
    weather=words(
        "clause",
        """
        sunny | 晴れです
        rainy | 雨です
        windy | 風が強いです
        snowy | 雪です
        """,
    ),
    moods=words(
        "base polite",
        """
        happy  | 幸せ | 幸せな気持ちです
        tired  | 疲れている | 疲れています
        hungry | 空腹 | おなかがすいています
        calm   | 穏やか | 穏やかな気持ちです
        """,
    ),
    separator="、",
    joiner="",
    frames={
        # math: a first amount, what changes it, the question, the answer
        "has": "{who}さんは{things:を}持っています。",
        "buys": "{who}さんは{things:を}買います。",
        "finds": "{who}さんは{things:を}拾います。",
        "receives": "{who}さんは{things:を}もらいます。",
        "loses": "{who}さんは{things:を}なくします。",
        "sells": "{who}さんは{things:を}売ります。",
        "gives": "{who}さんは人に{things:を}あげます。",
        "question_now": "{who}さんは今、{noun}を{noun:ask}持っていますか。",
        "question_together": "{who}さんと{other}さんは、合わせて{noun}を{noun:ask}持っていますか。",
        "answer": "答えは{number}です。",
        # summarization: sentences around the event, and the headline of each event
        "setting": "今日は{day}で、{city}は{weather}。",
        "goes": "{who}さんは{place}へ行きます。",
        "feels": "夜、{who}さんは{mood:polite}。",
        "headline_buys": "{who}さんが{place}で{things:を}買います",
        "headline_finds": "{who}さんが{place}で{things:を}拾います",
        "headline_receives": "{who}さんが{place}で{things:を}もらいます",
        "headline_loses": "{who}さんが{place}で{things:を}なくします",
        "headline_sells": "{who}さんが{place}で{things:を}売ります",
        "headline_gives": "{who}さんが{place}で人に{things:を}あげます",
        # instructions: about words, whose answer is words of the same language
        "repeat": "「{word}」という単語を{number}回書いてください。",
        "reverse": "次の単語を逆の順番に書いてください：{list}。",
        "first": "次の単語のうち、最初の単語だけを書いてください：{list}。",
        "last": "次の単語のうち、最後の単語だけを書いてください：{list}。",
        "without": "「{word}」を除いて、次の単語を書いてください：{list}。",
        # api_calls: requests to a tool
        "order": "{who}さんのために、{day}に届くように{things:を}注文してください。",
        "tickets": "{day}の{city}行きの{things:を}予約してください。",
        "alarm": "{day}の{number}時にアラームをセットしてください。",
        "forecast": "{day}の{city}の天気はどうなりますか。",
        "meet": "{day}に{place}で{who}さんと会う予定を入れてください。",
    },
)
