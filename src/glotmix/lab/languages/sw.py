"""Swahili: nouns form their plural by class, "how many" agrees with that class, places take the locative -ni."""

from glotmix.lab.grammar import Grammar, Word, words


def quantity(number: str, n: int, noun: Word, case: str) -> str:
    return f"{noun.forms['one' if n == 1 else 'many']} {number}"


GRAMMAR = Grammar(
    tag="sw",
    quantity=quantity,
    people=words(
        "name gender",
        """
        ana   | Anna  | f
        omar  | Omari | m
        mina  | Mina  | f
        leo   | Leon  | m
        sara  | Sara  | f
        ivan  | Ivan  | m
        nadia | Nadia | f
        ben   | Ben   | m
        lina  | Lina  | f
        david | Daudi | m
        eva   | Eva   | f
        sami  | Sami  | m
        """,
    ),
    things=words(
        "one many howmany",
        """
        apple    | tufaha      | matufaha   | matufaha mangapi
        orange   | chungwa     | machungwa  | machungwa mangapi
        egg      | yai         | mayai      | mayai mangapi
        cookie   | biskuti     | biskuti    | biskuti ngapi
        book     | kitabu      | vitabu     | vitabu vingapi
        notebook | daftari     | madaftari  | madaftari mangapi
        pencil   | penseli     | penseli    | penseli ngapi
        pen      | kalamu      | kalamu     | kalamu ngapi
        ball     | mpira       | mipira     | mipira mingapi
        cup      | kikombe     | vikombe    | vikombe vingapi
        plate    | sahani      | sahani     | sahani ngapi
        hat      | kofia       | kofia      | kofia ngapi
        shirt    | shati       | mashati    | mashati mangapi
        key      | ufunguo     | funguo     | funguo ngapi
        coin     | sarafu      | sarafu     | sarafu ngapi
        flower   | ua          | maua       | maua mangapi
        stone    | jiwe        | mawe       | mawe mangapi
        stamp    | stempu      | stempu     | stempu ngapi
        chair    | kiti        | viti       | viti vingapi
        box      | sanduku     | masanduku  | masanduku mangapi
        bag      | mfuko       | mifuko     | mifuko mingapi
        candle   | mshumaa     | mishumaa   | mishumaa mingapi
        doll     | mwanasesere | wanasesere | wanasesere wangapi
        spoon    | kijiko      | vijiko     | vijiko vingapi
        ticket   | tiketi      | tiketi     | tiketi ngapi
        """,
    ),
    places=words(
        "name at",
        """
        market  | soko            | sokoni
        school  | shule           | shuleni
        park    | bustani ya umma | kwenye bustani ya umma
        library | maktaba         | maktabani
        station | kituo           | kituoni
        garden  | bustani         | bustanini
        beach   | ufukwe          | ufukweni
        museum  | makumbusho      | kwenye makumbusho
        """,
    ),
    cities=words(
        "name in",
        """
        lima    | Lima    | jijini Lima
        paris   | Paris   | jijini Paris
        cairo   | Kairo   | jijini Kairo
        tokyo   | Tokyo   | jijini Tokyo
        london  | London  | jijini London
        rome    | Roma    | jijini Roma
        delhi   | Delhi   | jijini Delhi
        nairobi | Nairobi | jijini Nairobi
        seoul   | Seoul   | jijini Seoul
        berlin  | Berlin  | jijini Berlin
        """,
    ),
    days=words(
        "name on",
        """
        monday    | Jumatatu | siku ya Jumatatu
        tuesday   | Jumanne  | siku ya Jumanne
        wednesday | Jumatano | siku ya Jumatano
        thursday  | Alhamisi | siku ya Alhamisi
        friday    | Ijumaa   | siku ya Ijumaa
        saturday  | Jumamosi | siku ya Jumamosi
        sunday    | Jumapili | siku ya Jumapili
        """,
    ),
    weather=words(
        "clause",
        """
        sunny | jua linawaka
        rainy | mvua inanyesha
        windy | upepo unavuma
        snowy | theluji inaanguka
        """,
    ),
    moods=words(
        "noun",
        """
        happy  | furaha
        tired  | uchovu
        hungry | njaa
        calm   | utulivu
        """,
    ),
    frames={
        # math
        "has": "{who} ana {things}.",
        "buys": "{who} ananunua {things}.",
        "finds": "{who} anaokota {things}.",
        "receives": "{who} anapokea {things}.",
        "loses": "{who} anapoteza {things}.",
        "sells": "{who} anauza {things}.",
        "gives": "{who} anampa rafiki {things}.",
        "question_now": "{who} ana {noun:howmany} sasa?",
        "question_together": "{who} na {other} wana {noun:howmany} kwa jumla?",
        "answer": "Jibu ni {number}.",
        # summarization
        "setting": "Ni {day:on}: {weather} {city:in}.",
        "goes": "{who} anaenda {place:at}.",
        "feels": "Jioni {who} anahisi {mood}.",
        "headline_buys": "{who} ananunua {things} {place:at}",
        "headline_finds": "{who} anaokota {things} {place:at}",
        "headline_receives": "{who} anapokea {things} {place:at}",
        "headline_loses": "{who} anapoteza {things} {place:at}",
        "headline_sells": "{who} anauza {things} {place:at}",
        "headline_gives": "{who} anampa rafiki {things} {place:at}",
        # instructions
        "repeat": "Andika neno “{word}” mara {number}.",
        "reverse": "Andika maneno haya kwa mpangilio wa kinyume: {list}.",
        "first": "Andika neno la kwanza tu kati ya maneno haya: {list}.",
        "last": "Andika neno la mwisho tu kati ya maneno haya: {list}.",
        "without": "Andika maneno haya bila neno “{word}”: {list}.",
        # api_calls
        "order": "Agiza {things} kwa ajili ya {who}, mzigo ufike {day:on}.",
        "tickets": "Kata {things} za kwenda {city} {day:on}.",
        "alarm": "Weka kengele ya saa {number} {day:on}.",
        "forecast": "Hali ya hewa itakuwaje {city:in} {day:on}?",
        "meet": "Panga mkutano na {who} {place:at} {day:on}.",
    },
)
