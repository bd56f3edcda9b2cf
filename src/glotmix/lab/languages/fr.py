"""French: two numbers; “de” is elided before a vowel, and the question's pronoun agrees with the person."""

from glotmix.lab.grammar import Grammar, Word, words


def quantity(number: str, n: int, noun: Word, case: str) -> str:
    return f"{number} {noun.forms['one' if n == 1 else 'many']}"


GRAMMAR = Grammar(
    tag="fr",
    quantity=quantity,
    people=words(
        "name gender",
        """
        ana   | Ana   | f
        omar  | Omar  | m
        mina  | Mina  | f
        leo   | Léo   | m
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
        "one many of",
        """
        apple    | pomme    | pommes    | de pommes
        orange   | orange   | oranges   | d'oranges
        egg      | œuf      | œufs      | d'œufs
        cookie   | biscuit  | biscuits  | de biscuits
        book     | livre    | livres    | de livres
        notebook | cahier   | cahiers   | de cahiers
        pencil   | crayon   | crayons   | de crayons
        pen      | stylo    | stylos    | de stylos
        ball     | balle    | balles    | de balles
        cup      | tasse    | tasses    | de tasses
        plate    | assiette | assiettes | d'assiettes
        hat      | chapeau  | chapeaux  | de chapeaux
        shirt    | chemise  | chemises  | de chemises
        key      | clé      | clés      | de clés
        coin     | pièce    | pièces    | de pièces
        flower   | fleur    | fleurs    | de fleurs
        stone    | pierre   | pierres   | de pierres
        stamp    | timbre   | timbres   | de timbres
        chair    | chaise   | chaises   | de chaises
        box      | boîte    | boîtes    | de boîtes
        bag      | sac      | sacs      | de sacs
        candle   | bougie   | bougies   | de bougies
        doll     | poupée   | poupées   | de poupées
        spoon    | cuillère | cuillères | de cuillères
        ticket   | billet   | billets   | de billets
        """,
    ),
    places=words(
        "name to at in",
        """
        market  | le marché       | au marché         | au marché         | sur le marché
        school  | l'école         | à l'école         | à l'école         | dans l'école
        park    | le parc         | au parc           | au parc           | dans le parc
        library | la bibliothèque | à la bibliothèque | à la bibliothèque | dans la bibliothèque
        station | la gare         | à la gare         | à la gare         | dans la gare
        garden  | le jardin       | au jardin         | au jardin         | dans le jardin
        beach   | la plage        | à la plage        | à la plage        | sur la plage
        museum  | le musée        | au musée          | au musée          | dans le musée
        """,
    ),
    cities=words(
        "name in to",
        """
        lima    | Lima     | à Lima    | pour Lima
        paris   | Paris    | à Paris   | pour Paris
        cairo   | Le Caire | au Caire  | pour Le Caire
        tokyo   | Tokyo    | à Tokyo   | pour Tokyo
        london  | Londres  | à Londres | pour Londres
        rome    | Rome     | à Rome    | pour Rome
        delhi   | Delhi    | à Delhi   | pour Delhi
        nairobi | Nairobi  | à Nairobi | pour Nairobi
        seoul   | Séoul    | à Séoul   | pour Séoul
        berlin  | Berlin   | à Berlin  | pour Berlin
        """,
    ),
    days=words(
        "name on",
        """
        monday    | lundi    | lundi
        tuesday   | mardi    | mardi
        wednesday | mercredi | mercredi
        thursday  | jeudi    | jeudi
        friday    | vendredi | vendredi
        saturday  | samedi   | samedi
        sunday    | dimanche | dimanche
        """,
    ),
    weather=words(
        "clause",
        """
        sunny | il y a du soleil
        rainy | il pleut
        windy | il y a du vent
        snowy | il neige
        """,
    ),
    moods=words(
        "m f",
        """
        happy  | heureux | heureuse
        tired  | fatigué | fatiguée
        hungry | affamé  | affamée
        calm   | calme   | calme
        """,
    ),
    gendered_moods=True,
    frames={
        # math: a first amount, what changes it, the question, the answer
        "has": "{who} a {things}.",
        "buys": "{who} achète {things}.",
        "finds": "{who} trouve {things}.",
        "receives": "{who} reçoit {things}.",
        "loses": "{who} perd {things}.",
        "sells": "{who} vend {things}.",
        "gives": "{who} donne {things}.",
        "question_now": {
            "m": "Combien {noun:of} {who} a-t-il maintenant ?",
            "f": "Combien {noun:of} {who} a-t-elle maintenant ?",
        },
        "question_together": "Combien {noun:of} ont {who} et {other} en tout ?",
        "answer": "La réponse est {number}.",
        # summarization: sentences around the event, and the headline of each event
        "setting": "C'est {day} et {weather} {city:in}.",
        "goes": "{who} va {place:to}.",
        "feels": "Le soir, {who} est {mood}.",
        "headline_buys": "{who} achète {things} {place:in}",
        "headline_finds": "{who} trouve {things} {place:in}",
        "headline_receives": "{who} reçoit {things} {place:in}",
        "headline_loses": "{who} perd {things} {place:in}",
        "headline_sells": "{who} vend {things} {place:in}",
        "headline_gives": "{who} donne {things} {place:in}",
        # instructions: about words, whose answer is words of the same language
        "repeat": "Écris le mot « {word} » {number} fois.",
        "reverse": "Écris ces mots dans l'ordre inverse : {list}.",
        "first": "Écris seulement le premier de ces mots : {list}.",
        "last": "Écris seulement le dernier de ces mots : {list}.",
        "without": "Écris ces mots sans « {word} » : {list}.",
        # api_calls: requests to a tool
        "order": "Commande {things} pour {who}, livraison {day:on}.",
        "tickets": "Réserve {things} {city:to}, départ {day:on}.",
        "alarm": "Mets un réveil pour {day:on} à {number} h.",
        "forecast": "Quel temps fera-t-il {city:in} {day:on} ?",
        "meet": "Organise un rendez-vous avec {who} {place:at} {day:on}.",
    },
)
