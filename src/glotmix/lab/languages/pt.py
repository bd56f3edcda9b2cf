"""Brazilian Portuguese: two numbers; “quantos” agrees with the noun, and prepositions merge with articles."""

from glotmix.lab.grammar import Grammar, Word, words


def quantity(number: str, n: int, noun: Word, case: str) -> str:
    return f"{number} {noun.forms['one' if n == 1 else 'many']}"


GRAMMAR = Grammar(
    tag="pt",
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
        nadia | Nádia | f
        ben   | Ben   | m
        lina  | Lina  | f
        david | David | m
        eva   | Eva   | f
        sami  | Sami  | m
        """,
    ),
    things=words(
        "one many ask",
        """
        apple    | maçã     | maçãs     | Quantas maçãs
        orange   | laranja  | laranjas  | Quantas laranjas
        egg      | ovo      | ovos      | Quantos ovos
        cookie   | biscoito | biscoitos | Quantos biscoitos
        book     | livro    | livros    | Quantos livros
        notebook | caderno  | cadernos  | Quantos cadernos
        pencil   | lápis    | lápis     | Quantos lápis
        pen      | caneta   | canetas   | Quantas canetas
        ball     | bola     | bolas     | Quantas bolas
        cup      | xícara   | xícaras   | Quantas xícaras
        plate    | prato    | pratos    | Quantos pratos
        hat      | chapéu   | chapéus   | Quantos chapéus
        shirt    | camisa   | camisas   | Quantas camisas
        key      | chave    | chaves    | Quantas chaves
        coin     | moeda    | moedas    | Quantas moedas
        flower   | flor     | flores    | Quantas flores
        stone    | pedra    | pedras    | Quantas pedras
        stamp    | selo     | selos     | Quantos selos
        chair    | cadeira  | cadeiras  | Quantas cadeiras
        box      | caixa    | caixas    | Quantas caixas
        bag      | sacola   | sacolas   | Quantas sacolas
        candle   | vela     | velas     | Quantas velas
        doll     | boneca   | bonecas   | Quantas bonecas
        spoon    | colher   | colheres  | Quantas colheres
        ticket   | passagem | passagens | Quantas passagens
        """,
    ),
    places=words(
        "name to at",
        """
        market  | o mercado    | ao mercado   | no mercado
        school  | a escola     | à escola     | na escola
        park    | o parque     | ao parque    | no parque
        library | a biblioteca | à biblioteca | na biblioteca
        station | a estação    | à estação    | na estação
        garden  | o jardim     | ao jardim    | no jardim
        beach   | a praia      | à praia      | na praia
        museum  | o museu      | ao museu     | no museu
        """,
    ),
    cities=words(
        "name in to",
        """
        lima    | Lima    | em Lima    | para Lima
        paris   | Paris   | em Paris   | para Paris
        cairo   | Cairo   | no Cairo   | para o Cairo
        tokyo   | Tóquio  | em Tóquio  | para Tóquio
        london  | Londres | em Londres | para Londres
        rome    | Roma    | em Roma    | para Roma
        delhi   | Délhi   | em Délhi   | para Délhi
        nairobi | Nairóbi | em Nairóbi | para Nairóbi
        seoul   | Seul    | em Seul    | para Seul
        berlin  | Berlim  | em Berlim  | para Berlim
        """,
    ),
    days=words(
        "name on",
        """
        monday    | segunda-feira | na segunda-feira
        tuesday   | terça-feira   | na terça-feira
        wednesday | quarta-feira  | na quarta-feira
        thursday  | quinta-feira  | na quinta-feira
        friday    | sexta-feira   | na sexta-feira
        saturday  | sábado        | no sábado
        sunday    | domingo       | no domingo
        """,
    ),
    weather=words(
        "clause",
        """
        sunny | faz sol
        rainy | está chovendo
        windy | está ventando
        snowy | está nevando
        """,
    ),
    moods=words(
        "m f",
        """
        happy  | feliz    | feliz
        tired  | cansado  | cansada
        hungry | com fome | com fome
        calm   | calmo    | calma
        """,
    ),
    gendered_moods=True,
    frames={
        # math: a first amount, what changes it, the question, the answer
        "has": "{who} tem {things}.",
        "buys": "{who} compra {things}.",
        "finds": "{who} encontra {things}.",
        "receives": "{who} recebe {things}.",
        "loses": "{who} perde {things}.",
        "sells": "{who} vende {things}.",
        "gives": "{who} doa {things}.",
        "question_now": "{noun:ask} {who} tem agora?",
        "question_together": "{noun:ask} {who} e {other} têm no total?",
        "answer": "A resposta é {number}.",
        # summarization: sentences around the event, and the headline of each event
        "setting": "É {day} e {weather} {city:in}.",
        "goes": "{who} vai {place:to}.",
        "feels": "À noite, {who} está {mood}.",
        "headline_buys": "{who} compra {things} {place:at}",
        "headline_finds": "{who} encontra {things} {place:at}",
        "headline_receives": "{who} recebe {things} {place:at}",
        "headline_loses": "{who} perde {things} {place:at}",
        "headline_sells": "{who} vende {things} {place:at}",
        "headline_gives": "{who} doa {things} {place:at}",
        # instructions: about words, whose answer is words of the same language
        "repeat": "Escreva a palavra “{word}” {number} vezes.",
        "reverse": "Escreva estas palavras na ordem inversa: {list}.",
        "first": "Escreva só a primeira destas palavras: {list}.",
        "last": "Escreva só a última destas palavras: {list}.",
        "without": "Escreva estas palavras sem “{word}”: {list}.",
        # api_calls: requests to a tool
        "order": "Peça {things} para {who} com entrega {day:on}.",
        "tickets": "Reserve {things} {city:to} {day:on}.",
        "alarm": "Programe um alarme para {day} às {number} horas.",
        "forecast": "Como vai estar o tempo {city:in} {day:on}?",
        "meet": "Marque uma reunião com {who} {place:at} {day:on}.",
    },
)
