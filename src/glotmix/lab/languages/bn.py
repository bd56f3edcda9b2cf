"""Bengali: the classifier টি after every number, genitive and locative endings, the verb last."""

from glotmix.lab.grammar import Grammar, Word, words


def quantity(number: str, n: int, noun: Word, case: str) -> str:
    return f"{number}টি {noun}"


GRAMMAR = Grammar(
    tag="bn",
    digits="০১২৩৪৫৬৭৮৯",
    quantity=quantity,
    people=words(
        "name gender gen",
        """
        ana   | আনা    | f | আনার
        omar  | ওমর    | m | ওমরের
        mina  | মিনা   | f | মিনার
        leo   | লিও    | m | লিওর
        sara  | সারা   | f | সারার
        ivan  | ইভান   | m | ইভানের
        nadia | নাদিয়া | f | নাদিয়ার
        ben   | বেন    | m | বেনের
        lina  | লিনা   | f | লিনার
        david | ডেভিড  | m | ডেভিডের
        eva   | ইভা    | f | ইভার
        sami  | সামি   | m | সামির
        """,
    ),
    things=words(
        "name",
        """
        apple    | আপেল
        orange   | কমলা
        egg      | ডিম
        cookie   | বিস্কুট
        book     | বই
        notebook | খাতা
        pencil   | পেন্সিল
        pen      | কলম
        ball     | বল
        cup      | কাপ
        plate    | প্লেট
        hat      | টুপি
        shirt    | শার্ট
        key      | চাবি
        coin     | মুদ্রা
        flower   | ফুল
        stone    | পাথর
        stamp    | ডাকটিকিট
        chair    | চেয়ার
        box      | বাক্স
        bag      | ব্যাগ
        candle   | মোমবাতি
        doll     | পুতুল
        spoon    | চামচ
        ticket   | টিকিট
        """,
    ),
    places=words(
        "name loc",
        """
        market  | বাজার     | বাজারে
        school  | স্কুল      | স্কুলে
        park    | পার্ক      | পার্কে
        library | লাইব্রেরি  | লাইব্রেরিতে
        station | স্টেশন     | স্টেশনে
        garden  | বাগান     | বাগানে
        beach   | সৈকত     | সৈকতে
        museum  | জাদুঘর    | জাদুঘরে
        """,
    ),
    cities=words(
        "name loc",
        """
        lima    | লিমা     | লিমায়
        paris   | প্যারিস   | প্যারিসে
        cairo   | কায়রো   | কায়রোতে
        tokyo   | টোকিও   | টোকিওতে
        london  | লন্ডন    | লন্ডনে
        rome    | রোম     | রোমে
        delhi   | দিল্লি    | দিল্লিতে
        nairobi | নাইরোবি  | নাইরোবিতে
        seoul   | সিউল    | সিউলে
        berlin  | বার্লিন   | বার্লিনে
        """,
    ),
    days=words(
        "name",
        """
        monday    | সোমবার
        tuesday   | মঙ্গলবার
        wednesday | বুধবার
        thursday  | বৃহস্পতিবার
        friday    | শুক্রবার
        saturday  | শনিবার
        sunday    | রবিবার
        """,
    ),
    weather=words(
        "clause",
        """
        sunny | রোদ ঝলমল করছে
        rainy | বৃষ্টি হচ্ছে
        windy | জোরে বাতাস বইছে
        snowy | তুষারপাত হচ্ছে
        """,
    ),
    moods=words(
        "base",
        """
        happy  | আনন্দিত
        tired  | ক্লান্ত
        hungry | ক্ষুধার্ত
        calm   | শান্ত
        """,
    ),
    frames={
        "has": "{who:gen} কাছে {things} আছে।",
        "buys": "{who} {things} কেনে।",
        "finds": "{who} {things} খুঁজে পায়।",
        "receives": "{who} {things} উপহার পায়।",
        "loses": "{who} {things} হারিয়ে ফেলে।",
        "sells": "{who} {things} বিক্রি করে।",
        "gives": "{who} {things} বিলিয়ে দেয়।",
        "question_now": "এখন {who:gen} কাছে কয়টি {noun} আছে?",
        "question_together": "{who} ও {other:gen} কাছে মোট কয়টি {noun} আছে?",
        "answer": "উত্তর হলো {number}।",
        "setting": "আজ {day}, {city:loc} {weather}।",
        "goes": "{who} {place:loc} যায়।",
        "feels": "সন্ধ্যায় {who} {mood} বোধ করে।",
        "headline_buys": "{who} {place:loc} {things} কেনে",
        "headline_finds": "{who} {place:loc} {things} খুঁজে পায়",
        "headline_receives": "{who} {place:loc} {things} উপহার পায়",
        "headline_loses": "{who} {place:loc} {things} হারিয়ে ফেলে",
        "headline_sells": "{who} {place:loc} {things} বিক্রি করে",
        "headline_gives": "{who} {place:loc} {things} বিলিয়ে দেয়",
        "repeat": "“{word}” শব্দটি {number} বার লিখুন।",
        "reverse": "এই শব্দগুলো উল্টো ক্রমে লিখুন: {list}।",
        "first": "এই শব্দগুলোর মধ্যে শুধু প্রথমটি লিখুন: {list}।",
        "last": "এই শব্দগুলোর মধ্যে শুধু শেষটি লিখুন: {list}।",
        "without": "“{word}” বাদ দিয়ে এই শব্দগুলো লিখুন: {list}।",
        "order": "{who:gen} জন্য {things} অর্ডার করুন, ডেলিভারি {day}।",
        "tickets": "{day} {city} যাওয়ার {things} বুক করুন।",
        "alarm": "{day} {number}টার জন্য অ্যালার্ম সেট করুন।",
        "forecast": "{day} {city:loc} আবহাওয়া কেমন থাকবে?",
        "meet": "{day} {place:loc} {who:gen} সঙ্গে একটি বৈঠকের ব্যবস্থা করুন।",
    },
)
