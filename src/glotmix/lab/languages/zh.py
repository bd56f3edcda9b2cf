"""Chinese (Simplified): no inflection; a classifier chosen by the noun stands between number and noun (3个苹果)."""

from glotmix.lab.grammar import Grammar, Word, words


def quantity(number: str, n: int, noun: Word, case: str) -> str:
    return f"{number}{noun:counted}"


GRAMMAR = Grammar(
    tag="zh",
    quantity=quantity,
    people=words(
        "name gender",
        """
        ana   | 安娜 | f
        omar  | 奥马尔 | m
        mina  | 米娜 | f
        leo   | 莱奥 | m
        sara  | 萨拉 | f
        ivan  | 伊万 | m
        nadia | 娜迪亚 | f
        ben   | 本恩 | m
        lina  | 莉娜 | f
        david | 大卫 | m
        eva   | 伊娃 | f
        sami  | 萨米 | m
        """,
    ),
    things=words(
        "name counted",
        """
        apple    | 苹果 | 个苹果
        orange   | 橙子 | 个橙子
        egg      | 鸡蛋 | 个鸡蛋
        cookie   | 饼干 | 块饼干
        book     | 书 | 本书
        notebook | 笔记本 | 个笔记本
        pencil   | 铅笔 | 支铅笔
        pen      | 钢笔 | 支钢笔
        ball     | 球 | 个球
        cup      | 杯子 | 个杯子
        plate    | 盘子 | 个盘子
        hat      | 帽子 | 顶帽子
        shirt    | 衬衫 | 件衬衫
        key      | 钥匙 | 把钥匙
        coin     | 硬币 | 枚硬币
        flower   | 花 | 朵花
        stone    | 石头 | 块石头
        stamp    | 邮票 | 张邮票
        chair    | 椅子 | 把椅子
        box      | 盒子 | 个盒子
        bag      | 包 | 个包
        candle   | 蜡烛 | 支蜡烛
        doll     | 娃娃 | 个娃娃
        spoon    | 勺子 | 把勺子
        ticket   | 票 | 张票
        """,
    ),
    places=words(
        "name",
        """
        market  | 市场
        school  | 学校
        park    | 公园
        library | 图书馆
        station | 车站
        garden  | 花园
        beach   | 海滩
        museum  | 博物馆
        """,
    ),
    cities=words(
        "name",
        """
        lima    | 利马
        paris   | 巴黎
        cairo   | 开罗
        tokyo   | 东京
        london  | 伦敦
        rome    | 罗马
        delhi   | 德里
        nairobi | 内罗毕
        seoul   | 首尔
        berlin  | 柏林
        """,
    ),
    days=words(
        "name",
        """
        monday    | 星期一
        tuesday   | 星期二
        wednesday | 星期三
        thursday  | 星期四
        friday    | 星期五
        saturday  | 星期六
        sunday    | 星期日
        """,
    ),
    weather=words(
        "clause",
        """
        sunny | 天气晴朗
        rainy | 正在下雨
        windy | 正在刮风
        snowy | 正在下雪
        """,
    ),
    moods=words(
        "base",
        """
        happy  | 高兴
        tired  | 累
        hungry | 饿
        calm   | 平静
        """,
    ),
    separator="、",
    joiner="",
    frames={
        # math: a first amount, what changes it, the question, the answer
        "has": "{who}有{things}。",
        "buys": "{who}买了{things}。",
        "finds": "{who}捡到了{things}。",
        "receives": "{who}收到了{things}。",
        "loses": "{who}弄丢了{things}。",
        "sells": "{who}卖掉了{things}。",
        "gives": "{who}送给了别人{things}。",
        "question_now": "{who}现在有多少{noun:counted}？",
        "question_together": "{who}和{other}一共有多少{noun:counted}？",
        "answer": "答案是{number}。",
        # summarization: sentences around the event, and the headline of each event
        "setting": "今天是{day}，{city}{weather}。",
        "goes": "{who}去{place}。",
        "feels": "晚上，{who}很{mood}。",
        "headline_buys": "{who}在{place}买了{things}",
        "headline_finds": "{who}在{place}捡到了{things}",
        "headline_receives": "{who}在{place}收到了{things}",
        "headline_loses": "{who}在{place}弄丢了{things}",
        "headline_sells": "{who}在{place}卖掉了{things}",
        "headline_gives": "{who}在{place}送给了别人{things}",
        # instructions: about words, whose answer is words of the same language
        "repeat": "请把“{word}”这个词写{number}遍。",
        "reverse": "请按相反的顺序写出这些词：{list}。",
        "first": "请只写出这些词中的第一个：{list}。",
        "last": "请只写出这些词中的最后一个：{list}。",
        "without": "请写出这些词，“{word}”除外：{list}。",
        # api_calls: requests to a tool
        "order": "请为{who}订购{things}，{day}送到。",
        "tickets": "请预订{day}去{city}的{things}。",
        "alarm": "请设一个{day}{number}点的闹钟。",
        "forecast": "{day}{city}的天气怎么样？",
        "meet": "请安排{day}在{place}和{who}见面。",
    },
)
