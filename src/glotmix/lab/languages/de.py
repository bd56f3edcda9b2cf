"""German: irregular plurals; all counted nouns are accusative, where the plural looks like the nominative."""

from glotmix.lab.grammar import Grammar, Word, words


def quantity(number: str, n: int, noun: Word, case: str) -> str:
    return f"{number} {noun.forms['one' if n == 1 else 'many']}"


GRAMMAR = Grammar(
    tag="de",
    quantity=quantity,
    people=words(
        "name gender",
        """
        ana   | Ana   | f
        omar  | Omar  | m
        mina  | Mina  | f
        leo   | Leo   | m
        sara  | Sara  | f
        ivan  | Ivan  | m
        nadia | Nadia | f
        ben   | Ben   | m
        lina  | Lina  | f
        david | David | m
        eva   | Eva   | f
        sami  | Sami  | m
        """,
    ),
    things=words(
        "one many",
        """
        apple    | Apfel          | Äpfel
        orange   | Orange         | Orangen
        egg      | Ei             | Eier
        cookie   | Keks           | Kekse
        book     | Buch           | Bücher
        notebook | Heft           | Hefte
        pencil   | Bleistift      | Bleistifte
        pen      | Kugelschreiber | Kugelschreiber
        ball     | Ball           | Bälle
        cup      | Tasse          | Tassen
        plate    | Teller         | Teller
        hat      | Hut            | Hüte
        shirt    | Hemd           | Hemden
        key      | Schlüssel      | Schlüssel
        coin     | Münze          | Münzen
        flower   | Blume          | Blumen
        stone    | Stein          | Steine
        stamp    | Briefmarke     | Briefmarken
        chair    | Stuhl          | Stühle
        box      | Kiste          | Kisten
        bag      | Tasche         | Taschen
        candle   | Kerze          | Kerzen
        doll     | Puppe          | Puppen
        spoon    | Löffel         | Löffel
        ticket   | Ticket         | Tickets
        """,
    ),
    places=words(
        "name to at",
        """
        market  | der Markt      | zum Markt         | auf dem Markt
        school  | die Schule     | zur Schule        | in der Schule
        park    | der Park       | in den Park       | im Park
        library | die Bibliothek | in die Bibliothek | in der Bibliothek
        station | der Bahnhof    | zum Bahnhof       | am Bahnhof
        garden  | der Garten     | in den Garten     | im Garten
        beach   | der Strand     | zum Strand        | am Strand
        museum  | das Museum     | ins Museum        | im Museum
        """,
    ),
    cities=words(
        "name in to",
        """
        lima    | Lima    | in Lima    | nach Lima
        paris   | Paris   | in Paris   | nach Paris
        cairo   | Kairo   | in Kairo   | nach Kairo
        tokyo   | Tokio   | in Tokio   | nach Tokio
        london  | London  | in London  | nach London
        rome    | Rom     | in Rom     | nach Rom
        delhi   | Delhi   | in Delhi   | nach Delhi
        nairobi | Nairobi | in Nairobi | nach Nairobi
        seoul   | Seoul   | in Seoul   | nach Seoul
        berlin  | Berlin  | in Berlin  | nach Berlin
        """,
    ),
    days=words(
        "name on",
        """
        monday    | Montag     | am Montag
        tuesday   | Dienstag   | am Dienstag
        wednesday | Mittwoch   | am Mittwoch
        thursday  | Donnerstag | am Donnerstag
        friday    | Freitag    | am Freitag
        saturday  | Samstag    | am Samstag
        sunday    | Sonntag    | am Sonntag
        """,
    ),
    weather=words(
        "clause",
        """
        sunny | die Sonne scheint
        rainy | es regnet
        windy | es ist windig
        snowy | es schneit
        """,
    ),
    moods=words(
        "base",
        """
        happy  | glücklich
        tired  | müde
        hungry | hungrig
        calm   | ruhig
        """,
    ),
    frames={
        # math: a first amount, what changes it, the question, the answer
        "has": "{who} hat {things}.",
        "buys": "{who} kauft {things}.",
        "finds": "{who} findet {things}.",
        "receives": "{who} bekommt {things}.",
        "loses": "{who} verliert {things}.",
        "sells": "{who} verkauft {things}.",
        "gives": "{who} verschenkt {things}.",
        "question_now": "Wie viele {noun:many} hat {who} jetzt?",
        "question_together": "Wie viele {noun:many} haben {who} und {other} zusammen?",
        "answer": "Die Antwort ist {number}.",
        # summarization: sentences around the event, and the headline of each event
        "setting": "Es ist {day} und {weather} {city:in}.",
        "goes": "{who} geht {place:to}.",
        "feels": "Am Abend ist {who} {mood}.",
        "headline_buys": "{who} kauft {things} {place:at}",
        "headline_finds": "{who} findet {things} {place:at}",
        "headline_receives": "{who} bekommt {things} {place:at}",
        "headline_loses": "{who} verliert {things} {place:at}",
        "headline_sells": "{who} verkauft {things} {place:at}",
        "headline_gives": "{who} verschenkt {things} {place:at}",
        # instructions: about words, whose answer is words of the same language
        "repeat": "Schreibe das Wort „{word}“ {number}-mal.",
        "reverse": "Schreibe diese Wörter in umgekehrter Reihenfolge: {list}.",
        "first": "Schreibe nur das erste dieser Wörter: {list}.",
        "last": "Schreibe nur das letzte dieser Wörter: {list}.",
        "without": "Schreibe diese Wörter ohne „{word}“: {list}.",
        # api_calls: requests to a tool
        "order": "Bestelle {things} für {who}, Lieferung {day:on}.",
        "tickets": "Buche {things} {city:to} für {day}.",
        "alarm": "Stelle den Wecker für {day} auf {number} Uhr.",
        "forecast": "Wie wird das Wetter {day:on} {city:in}?",
        "meet": "Vereinbare ein Treffen mit {who} {day:on} {place:at}.",
    },
)
