"""Russian: nouns take one of three forms after a number (1, 2-4, 5 and more), names and places are declined."""

from glotmix.lab.grammar import Grammar, Word, words


def quantity(number: str, n: int, noun: Word, case: str) -> str:
    if n % 100 in (11, 12, 13, 14) or n % 10 not in (1, 2, 3, 4):
        form = "many"
    elif n % 10 == 1:
        form = case or "one"
    else:
        form = "few"
    return f"{number} {noun.forms[form]}"


GRAMMAR = Grammar(
    tag="ru",
    quantity=quantity,
    gendered_moods=True,
    people=words(
        "name gen ins gender",
        """
        ana   | Анна  | Анны   | Анной   | f
        omar  | Омар  | Омара  | Омаром  | m
        mina  | Мина  | Мины   | Миной   | f
        leo   | Лео   | Лео    | Лео     | m
        sara  | Сара  | Сары   | Сарой   | f
        ivan  | Иван  | Ивана  | Иваном  | m
        nadia | Надя  | Нади   | Надей   | f
        ben   | Бен   | Бена   | Беном   | m
        lina  | Лина  | Лины   | Линой   | f
        david | Давид | Давида | Давидом | m
        eva   | Ева   | Евы    | Евой    | f
        sami  | Сами  | Сами   | Сами    | m
        """,
    ),
    things=words(
        "one acc few many",
        """
        apple    | яблоко   | яблоко   | яблока    | яблок
        orange   | апельсин | апельсин | апельсина | апельсинов
        egg      | яйцо     | яйцо     | яйца      | яиц
        cookie   | печенье  | печенье  | печенья   | печений
        book     | книга    | книгу    | книги     | книг
        notebook | тетрадь  | тетрадь  | тетради   | тетрадей
        pencil   | карандаш | карандаш | карандаша | карандашей
        pen      | ручка    | ручку    | ручки     | ручек
        ball     | мяч      | мяч      | мяча      | мячей
        cup      | чашка    | чашку    | чашки     | чашек
        plate    | тарелка  | тарелку  | тарелки   | тарелок
        hat      | шляпа    | шляпу    | шляпы     | шляп
        shirt    | рубашка  | рубашку  | рубашки   | рубашек
        key      | ключ     | ключ     | ключа     | ключей
        coin     | монета   | монету   | монеты    | монет
        flower   | цветок   | цветок   | цветка    | цветков
        stone    | камень   | камень   | камня     | камней
        stamp    | марка    | марку    | марки     | марок
        chair    | стул     | стул     | стула     | стульев
        box      | коробка  | коробку  | коробки   | коробок
        bag      | сумка    | сумку    | сумки     | сумок
        candle   | свеча    | свечу    | свечи     | свечей
        doll     | кукла    | куклу    | куклы     | кукол
        spoon    | ложка    | ложку    | ложки     | ложек
        ticket   | билет    | билет    | билета    | билетов
        """,
    ),
    places=words(
        "name to at",
        """
        market  | рынок      | на рынок     | на рынке
        school  | школа      | в школу      | в школе
        park    | парк       | в парк       | в парке
        library | библиотека | в библиотеку | в библиотеке
        station | вокзал     | на вокзал    | на вокзале
        garden  | сад        | в сад        | в саду
        beach   | пляж       | на пляж      | на пляже
        museum  | музей      | в музей      | в музее
        """,
    ),
    cities=words(
        "name in to",
        """
        lima    | Лима    | в Лиме    | в Лиму
        paris   | Париж   | в Париже  | в Париж
        cairo   | Каир    | в Каире   | в Каир
        tokyo   | Токио   | в Токио   | в Токио
        london  | Лондон  | в Лондоне | в Лондон
        rome    | Рим     | в Риме    | в Рим
        delhi   | Дели    | в Дели    | в Дели
        nairobi | Найроби | в Найроби | в Найроби
        seoul   | Сеул    | в Сеуле   | в Сеул
        berlin  | Берлин  | в Берлине | в Берлин
        """,
    ),
    days=words(
        "name on for",
        """
        monday    | понедельник | в понедельник | на понедельник
        tuesday   | вторник     | во вторник    | на вторник
        wednesday | среда       | в среду       | на среду
        thursday  | четверг     | в четверг     | на четверг
        friday    | пятница     | в пятницу     | на пятницу
        saturday  | суббота     | в субботу     | на субботу
        sunday    | воскресенье | в воскресенье | на воскресенье
        """,
    ),
    weather=words(
        "clause",
        """
        sunny | светит солнце
        rainy | идёт дождь
        windy | дует ветер
        snowy | идёт снег
        """,
    ),
    moods=words(
        "name m f",
        """
        happy  | счастливый | счастливым | счастливой
        tired  | усталый    | усталым    | усталой
        hungry | голодный   | голодным   | голодной
        calm   | спокойный  | спокойным  | спокойной
        """,
    ),
    frames={
        # math
        "has": "У {who:gen} {things}.",
        "buys": "{who} покупает {things:acc}.",
        "finds": "{who} находит {things:acc}.",
        "receives": "{who} получает {things:acc}.",
        "loses": "{who} теряет {things:acc}.",
        "sells": "{who} продаёт {things:acc}.",
        "gives": "{who} отдаёт {things:acc}.",
        "question_now": "Сколько {noun:many} сейчас у {who:gen}?",
        "question_together": "Сколько {noun:many} у {who:gen} и {other:gen} вместе?",
        "answer": "Ответ: {number}.",
        # summarization
        "setting": "Сегодня {day}: {city:in} {weather}.",
        "goes": "{who} идёт {place:to}.",
        "feels": "Вечером {who} чувствует себя {mood}.",
        "headline_buys": "{who} покупает {things:acc} {place:at}",
        "headline_finds": "{who} находит {things:acc} {place:at}",
        "headline_receives": "{who} получает {things:acc} {place:at}",
        "headline_loses": "{who} теряет {things:acc} {place:at}",
        "headline_sells": "{who} продаёт {things:acc} {place:at}",
        "headline_gives": "{who} отдаёт {things:acc} {place:at}",
        # instructions: "столько раз: 3" is right for every number, "3 раза, 5 раз" is not
        "repeat": "Напиши слово «{word}» столько раз: {number}.",
        "reverse": "Напиши эти слова в обратном порядке: {list}.",
        "first": "Напиши только первое из этих слов: {list}.",
        "last": "Напиши только последнее из этих слов: {list}.",
        "without": "Напиши эти слова без слова «{word}»: {list}.",
        # api_calls
        "order": "Закажи {things:acc} для {who:gen} с доставкой {day:on}.",
        "tickets": "Забронируй {things:acc} {city:to} {day:for}.",
        "alarm": "Поставь будильник на {number}:00 {day:on}.",
        "forecast": "Какая погода будет {city:in} {day:on}?",
        "meet": "Назначь встречу с {who:ins} {place:at} {day:on}.",
    },
)
