"""Spanish: two numbers; “cuántos” agrees with the noun, and “y” becomes “e” before an i."""

from glotmix.lab.grammar import Grammar, Word, words


def quantity(number: str, n: int, noun: Word, case: str) -> str:
    return f"{number} {noun.forms['one' if n == 1 else 'many']}"


GRAMMAR = Grammar(
    tag="es",
    quantity=quantity,
    people=words(
        "name gender and",
        """
        ana   | Ana   | f | y Ana
        omar  | Omar  | m | y Omar
        mina  | Mina  | f | y Mina
        leo   | Leo   | m | y Leo
        sara  | Sara  | f | y Sara
        ivan  | Iván  | m | e Iván
        nadia | Nadia | f | y Nadia
        ben   | Ben   | m | y Ben
        lina  | Lina  | f | y Lina
        david | David | m | y David
        eva   | Eva   | f | y Eva
        sami  | Sami  | m | y Sami
        """,
    ),
    things=words(
        "one many ask",
        """
        apple    | manzana   | manzanas   | Cuántas manzanas
        orange   | naranja   | naranjas   | Cuántas naranjas
        egg      | huevo     | huevos     | Cuántos huevos
        cookie   | galleta   | galletas   | Cuántas galletas
        book     | libro     | libros     | Cuántos libros
        notebook | cuaderno  | cuadernos  | Cuántos cuadernos
        pencil   | lápiz     | lápices    | Cuántos lápices
        pen      | bolígrafo | bolígrafos | Cuántos bolígrafos
        ball     | pelota    | pelotas    | Cuántas pelotas
        cup      | taza      | tazas      | Cuántas tazas
        plate    | plato     | platos     | Cuántos platos
        hat      | sombrero  | sombreros  | Cuántos sombreros
        shirt    | camisa    | camisas    | Cuántas camisas
        key      | llave     | llaves     | Cuántas llaves
        coin     | moneda    | monedas    | Cuántas monedas
        flower   | flor      | flores     | Cuántas flores
        stone    | piedra    | piedras    | Cuántas piedras
        stamp    | sello     | sellos     | Cuántos sellos
        chair    | silla     | sillas     | Cuántas sillas
        box      | caja      | cajas      | Cuántas cajas
        bag      | bolsa     | bolsas     | Cuántas bolsas
        candle   | vela      | velas      | Cuántas velas
        doll     | muñeca    | muñecas    | Cuántas muñecas
        spoon    | cuchara   | cucharas   | Cuántas cucharas
        ticket   | boleto    | boletos    | Cuántos boletos
        """,
    ),
    places=words(
        "name to at",
        """
        market  | el mercado    | al mercado      | en el mercado
        school  | la escuela    | a la escuela    | en la escuela
        park    | el parque     | al parque       | en el parque
        library | la biblioteca | a la biblioteca | en la biblioteca
        station | la estación   | a la estación   | en la estación
        garden  | el jardín     | al jardín       | en el jardín
        beach   | la playa      | a la playa      | en la playa
        museum  | el museo      | al museo        | en el museo
        """,
    ),
    cities=words(
        "name in to",
        """
        lima    | Lima     | en Lima     | a Lima
        paris   | París    | en París    | a París
        cairo   | El Cairo | en El Cairo | a El Cairo
        tokyo   | Tokio    | en Tokio    | a Tokio
        london  | Londres  | en Londres  | a Londres
        rome    | Roma     | en Roma     | a Roma
        delhi   | Delhi    | en Delhi    | a Delhi
        nairobi | Nairobi  | en Nairobi  | a Nairobi
        seoul   | Seúl     | en Seúl     | a Seúl
        berlin  | Berlín   | en Berlín   | a Berlín
        """,
    ),
    days=words(
        "name on",
        """
        monday    | lunes     | el lunes
        tuesday   | martes    | el martes
        wednesday | miércoles | el miércoles
        thursday  | jueves    | el jueves
        friday    | viernes   | el viernes
        saturday  | sábado    | el sábado
        sunday    | domingo   | el domingo
        """,
    ),
    weather=words(
        "clause",
        """
        sunny | hace sol
        rainy | llueve
        windy | hace viento
        snowy | nieva
        """,
    ),
    moods=words(
        "m f",
        """
        happy  | feliz      | feliz
        tired  | cansado    | cansada
        hungry | hambriento | hambrienta
        calm   | tranquilo  | tranquila
        """,
    ),
    gendered_moods=True,
    frames={
        # math: a first amount, what changes it, the question, the answer
        "has": "{who} tiene {things}.",
        "buys": "{who} compra {things}.",
        "finds": "{who} encuentra {things}.",
        "receives": "{who} recibe {things}.",
        "loses": "{who} pierde {things}.",
        "sells": "{who} vende {things}.",
        "gives": "{who} regala {things}.",
        "question_now": "¿{noun:ask} tiene {who} ahora?",
        "question_together": "¿{noun:ask} tienen {who} {other:and} en total?",
        "answer": "La respuesta es {number}.",
        # summarization: sentences around the event, and the headline of each event
        "setting": "Es {day} y {weather} {city:in}.",
        "goes": "{who} va {place:to}.",
        "feels": "Por la noche, {who} está {mood}.",
        "headline_buys": "{who} compra {things} {place:at}",
        "headline_finds": "{who} encuentra {things} {place:at}",
        "headline_receives": "{who} recibe {things} {place:at}",
        "headline_loses": "{who} pierde {things} {place:at}",
        "headline_sells": "{who} vende {things} {place:at}",
        "headline_gives": "{who} regala {things} {place:at}",
        # instructions: about words, whose answer is words of the same language
        "repeat": "Escribe la palabra “{word}” {number} veces.",
        "reverse": "Escribe estas palabras en orden inverso: {list}.",
        "first": "Escribe solo la primera de estas palabras: {list}.",
        "last": "Escribe solo la última de estas palabras: {list}.",
        "without": "Escribe estas palabras sin “{word}”: {list}.",
        # api_calls: requests to a tool
        "order": "Pide {things} para {who} con entrega {day:on}.",
        "tickets": "Reserva {things} {city:to} para {day:on}.",
        "alarm": "Pon una alarma para {day:on} a las {number}.",
        "forecast": "¿Qué tiempo hará {city:in} {day:on}?",
        "meet": "Organiza una reunión con {who} {place:at} {day:on}.",
    },
)
