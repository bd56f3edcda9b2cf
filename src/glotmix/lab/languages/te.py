"""Telugu: two numbers, the verb last; it agrees with the gender of a person and with the number of things."""

from glotmix.lab.grammar import Grammar, Word, words

# Verbs whose subject is the things: one, many.
VERBS = {"exist": ("ఉంది", "ఉన్నాయి"), "found": ("దొరుకుతుంది", "దొరుకుతాయి")}


def quantity(number: str, n: int, noun: Word, case: str) -> str:
    phrase = f"{number} {noun.forms['one' if n == 1 else 'many']}"
    return f"{phrase} {VERBS[case][n > 1]}" if case else phrase


def by_gender(start: str, m: str, f: str, end: str = "") -> dict[str, str]:
    return {"m": f"{start} {m}{end}", "f": f"{start} {f}{end}"}


BUYS = ("కొంటాడు", "కొంటుంది")
RECEIVES = ("అందుకుంటాడు", "అందుకుంటుంది")
LOSES = ("పోగొట్టుకుంటాడు", "పోగొట్టుకుంటుంది")
SELLS = ("అమ్ముతాడు", "అమ్ముతుంది")
GIVES = ("ఇచ్చేస్తాడు", "ఇచ్చేస్తుంది")

GRAMMAR = Grammar(
    tag="te",
    quantity=quantity,
    people=words(
        "name gender dat with together",
        """
        ana   | అనా    | f | అనాకు   | అనాతో   | అనాల
        omar  | ఒమర్   | m | ఒమర్‌కు  | ఒమర్‌తో  | ఒమర్‌ల
        mina  | మీనా   | f | మీనాకు  | మీనాతో  | మీనాల
        leo   | లియో   | m | లియోకు  | లియోతో  | లియోల
        sara  | సారా   | f | సారాకు  | సారాతో  | సారాల
        ivan  | ఇవాన్  | m | ఇవాన్‌కు | ఇవాన్‌తో | ఇవాన్‌ల
        nadia | నాదియా | f | నాదియాకు | నాదియాతో | నాదియాల
        ben   | బెన్   | m | బెన్‌కు  | బెన్‌తో  | బెన్‌ల
        lina  | లీనా   | f | లీనాకు  | లీనాతో  | లీనాల
        david | డేవిడ్ | m | డేవిడ్‌కు | డేవిడ్‌తో | డేవిడ్‌ల
        eva   | ఈవా    | f | ఈవాకు   | ఈవాతో   | ఈవాల
        sami  | సమీ    | m | సమీకి   | సమీతో   | సమీల
        """,
    ),
    things=words(
        "one many",
        """
        apple    | ఆపిల్    | ఆపిల్‌లు
        orange   | నారింజ   | నారింజలు
        egg      | గుడ్డు   | గుడ్లు
        cookie   | బిస్కెట్ | బిస్కెట్లు
        book     | పుస్తకం  | పుస్తకాలు
        notebook | నోట్‌బుక్ | నోట్‌బుక్‌లు
        pencil   | పెన్సిల్ | పెన్సిళ్లు
        pen      | పెన్ను   | పెన్నులు
        ball     | బంతి     | బంతులు
        cup      | కప్పు    | కప్పులు
        plate    | ప్లేటు   | ప్లేట్లు
        hat      | టోపీ     | టోపీలు
        shirt    | చొక్కా   | చొక్కాలు
        key      | తాళంచెవి | తాళంచెవులు
        coin     | నాణెం    | నాణేలు
        flower   | పువ్వు   | పువ్వులు
        stone    | రాయి     | రాళ్లు
        stamp    | స్టాంపు  | స్టాంపులు
        chair    | కుర్చీ   | కుర్చీలు
        box      | పెట్టె   | పెట్టెలు
        bag      | సంచి     | సంచులు
        candle   | కొవ్వొత్తి | కొవ్వొత్తులు
        doll     | బొమ్మ    | బొమ్మలు
        spoon    | చెంచా    | చెంచాలు
        ticket   | టికెట్   | టికెట్లు
        """,
    ),
    places=words(
        "name to at",
        """
        market  | మార్కెట్  | మార్కెట్‌కు  | మార్కెట్‌లో
        school  | పాఠశాల   | పాఠశాలకు   | పాఠశాలలో
        park    | పార్కు    | పార్కుకు    | పార్కులో
        library | గ్రంథాలయం | గ్రంథాలయానికి | గ్రంథాలయంలో
        station | స్టేషన్   | స్టేషన్‌కు   | స్టేషన్‌లో
        garden  | తోట      | తోటకు      | తోటలో
        beach   | బీచ్     | బీచ్‌కు     | బీచ్‌లో
        museum  | మ్యూజియం | మ్యూజియానికి | మ్యూజియంలో
        """,
    ),
    cities=words(
        "name in to",
        """
        lima    | లిమా    | లిమాలో    | లిమాకు
        paris   | పారిస్  | పారిస్‌లో  | పారిస్‌కు
        cairo   | కైరో    | కైరోలో    | కైరోకు
        tokyo   | టోక్యో  | టోక్యోలో  | టోక్యోకు
        london  | లండన్   | లండన్‌లో   | లండన్‌కు
        rome    | రోమ్    | రోమ్‌లో    | రోమ్‌కు
        delhi   | ఢిల్లీ  | ఢిల్లీలో  | ఢిల్లీకి
        nairobi | నైరోబీ  | నైరోబీలో  | నైరోబీకి
        seoul   | సియోల్  | సియోల్‌లో  | సియోల్‌కు
        berlin  | బెర్లిన్ | బెర్లిన్‌లో | బెర్లిన్‌కు
        """,
    ),
    days=words(
        "name",
        """
        monday    | సోమవారం
        tuesday   | మంగళవారం
        wednesday | బుధవారం
        thursday  | గురువారం
        friday    | శుక్రవారం
        saturday  | శనివారం
        sunday    | ఆదివారం
        """,
    ),
    weather=words(
        "clause",
        """
        sunny | ఎండ కాస్తోంది
        rainy | వర్షం పడుతోంది
        windy | గాలి బలంగా వీస్తోంది
        snowy | మంచు కురుస్తోంది
        """,
    ),
    moods=words(
        "name adv",
        """
        happy  | సంతోషం  | సంతోషంగా
        tired  | అలసట   | అలసటతో
        hungry | ఆకలి   | ఆకలితో
        calm   | ప్రశాంతం | ప్రశాంతంగా
        """,
    ),
    frames={
        "has": "{who} వద్ద {things:exist}.",
        "buys": by_gender("{who} {things}", *BUYS, "."),
        "finds": "{who:dat} {things:found}.",
        "receives": by_gender("{who} {things}", *RECEIVES, "."),
        "loses": by_gender("{who} {things}", *LOSES, "."),
        "sells": by_gender("{who} {things}", *SELLS, "."),
        "gives": by_gender("{who} {things}", *GIVES, "."),
        "question_now": "ఇప్పుడు {who} వద్ద ఎన్ని {noun:many} ఉన్నాయి?",
        "question_together": "{who}, {other:together} వద్ద కలిపి ఎన్ని {noun:many} ఉన్నాయి?",
        "answer": "సమాధానం {number}.",
        "setting": "ఈ రోజు {day}, {city:in} {weather}.",
        "goes": by_gender("{who} {place:to}", "వెళ్తాడు", "వెళ్తుంది", "."),
        "feels": by_gender("సాయంత్రం {who} {mood:adv}", "ఉంటాడు", "ఉంటుంది", "."),
        "headline_buys": by_gender("{who} {place:at} {things}", *BUYS),
        "headline_finds": "{who:dat} {place:at} {things:found}",
        "headline_receives": by_gender("{who} {place:at} {things}", *RECEIVES),
        "headline_loses": by_gender("{who} {place:at} {things}", *LOSES),
        "headline_sells": by_gender("{who} {place:at} {things}", *SELLS),
        "headline_gives": by_gender("{who} {place:at} {things}", *GIVES),
        "repeat": "“{word}” అనే పదాన్ని {number} సార్లు రాయండి.",
        "reverse": "ఈ పదాలను వ్యతిరేక క్రమంలో రాయండి: {list}.",
        "first": "ఈ పదాలలో మొదటిది మాత్రమే రాయండి: {list}.",
        "last": "ఈ పదాలలో చివరిది మాత్రమే రాయండి: {list}.",
        "without": "“{word}” లేకుండా ఈ పదాలను రాయండి: {list}.",
        "order": "{who} కోసం {things} ఆర్డర్ చేయండి, డెలివరీ {day}.",
        "tickets": "{day} {city:to} వెళ్లడానికి {things} బుక్ చేయండి.",
        "alarm": "{day} {number} గంటలకు అలారం పెట్టండి.",
        "forecast": "{day} {city:in} వాతావరణం ఎలా ఉంటుంది?",
        "meet": "{day} {place:at} {who:with} సమావేశం ఏర్పాటు చేయండి.",
    },
)
