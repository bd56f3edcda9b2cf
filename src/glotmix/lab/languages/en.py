"""English: two numbers, no case."""

from glotmix.lab.grammar import Grammar, Word, words


def quantity(number: str, n: int, noun: Word, case: str) -> str:
    return f"{number} {noun.forms['one' if n == 1 else 'many']}"


GRAMMAR = Grammar(
    tag="en",
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
        apple    | apple    | apples
        orange   | orange   | oranges
        egg      | egg      | eggs
        cookie   | cookie   | cookies
        book     | book     | books
        notebook | notebook | notebooks
        pencil   | pencil   | pencils
        pen      | pen      | pens
        ball     | ball     | balls
        cup      | cup      | cups
        plate    | plate    | plates
        hat      | hat      | hats
        shirt    | shirt    | shirts
        key      | key      | keys
        coin     | coin     | coins
        flower   | flower   | flowers
        stone    | stone    | stones
        stamp    | stamp    | stamps
        chair    | chair    | chairs
        box      | box      | boxes
        bag      | bag      | bags
        candle   | candle   | candles
        doll     | doll     | dolls
        spoon    | spoon    | spoons
        ticket   | ticket   | tickets
        """,
    ),
    places=words(
        "name to at",
        """
        market  | the market  | to the market  | at the market
        school  | the school  | to the school  | at the school
        park    | the park    | to the park    | in the park
        library | the library | to the library | in the library
        station | the station | to the station | at the station
        garden  | the garden  | to the garden  | in the garden
        beach   | the beach   | to the beach   | at the beach
        museum  | the museum  | to the museum  | in the museum
        """,
    ),
    cities=words(
        "name in to",
        """
        lima    | Lima    | in Lima    | to Lima
        paris   | Paris   | in Paris   | to Paris
        cairo   | Cairo   | in Cairo   | to Cairo
        tokyo   | Tokyo   | in Tokyo   | to Tokyo
        london  | London  | in London  | to London
        rome    | Rome    | in Rome    | to Rome
        delhi   | Delhi   | in Delhi   | to Delhi
        nairobi | Nairobi | in Nairobi | to Nairobi
        seoul   | Seoul   | in Seoul   | to Seoul
        berlin  | Berlin  | in Berlin  | to Berlin
        """,
    ),
    days=words(
        "name on",
        """
        monday    | Monday    | on Monday
        tuesday   | Tuesday   | on Tuesday
        wednesday | Wednesday | on Wednesday
        thursday  | Thursday  | on Thursday
        friday    | Friday    | on Friday
        saturday  | Saturday  | on Saturday
        sunday    | Sunday    | on Sunday
        """,
    ),
    weather=words(
        "clause",
        """
        sunny | the sun is shining
        rainy | it is raining
        windy | it is windy
        snowy | it is snowing
        """,
    ),
    moods=words(
        "base",
        """
        happy  | happy
        tired  | tired
        hungry | hungry
        calm   | calm
        """,
    ),
    frames={
        # math: a first amount, what changes it, the question, the answer
        "has": "{who} has {things}.",
        "buys": "{who} buys {things}.",
        "finds": "{who} finds {things}.",
        "receives": "{who} receives {things}.",
        "loses": "{who} loses {things}.",
        "sells": "{who} sells {things}.",
        "gives": "{who} gives away {things}.",
        "question_now": "How many {noun:many} does {who} have now?",
        "question_together": "How many {noun:many} do {who} and {other} have together?",
        "answer": "The answer is {number}.",
        # summarization: sentences around the event, and the headline of each event
        "setting": "It is {day}: {weather} {city:in}.",
        "goes": "{who} goes {place:to}.",
        "feels": "In the evening {who} is {mood}.",
        "headline_buys": "{who} buys {things} {place:at}",
        "headline_finds": "{who} finds {things} {place:at}",
        "headline_receives": "{who} receives {things} {place:at}",
        "headline_loses": "{who} loses {things} {place:at}",
        "headline_sells": "{who} sells {things} {place:at}",
        "headline_gives": "{who} gives away {things} {place:at}",
        # instructions: about words, whose answer is words of the same language
        "repeat": "Write the word “{word}” {number} times.",
        "reverse": "Write these words in reverse order: {list}.",
        "first": "Write only the first of these words: {list}.",
        "last": "Write only the last of these words: {list}.",
        "without": "Write these words without “{word}”: {list}.",
        # api_calls: requests to a tool
        "order": "Order {things} for {who}, delivery {day:on}.",
        "tickets": "Book {things} {city:to} {day:on}.",
        "alarm": "Set an alarm for {number} o'clock {day:on}.",
        "forecast": "What will the weather be {city:in} {day:on}?",
        "meet": "Arrange a meeting with {who} {place:at} {day:on}.",
    },
)
