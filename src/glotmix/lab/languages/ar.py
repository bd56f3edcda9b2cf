"""Arabic: one thing, a dual, 3-10 with a plural, 11-99 with a singular accusative; verbs agree in gender."""

from glotmix.lab.grammar import Grammar, Word, words

ONE = {"m": "واحد", "f": "واحدة"}
ONE_ACC = {"m": "واحدًا", "f": "واحدة"}


def quantity(number: str, n: int, noun: Word, case: str) -> str:
    gender = noun.forms["gender"]
    if n == 1:
        return f"{noun:acc} {ONE_ACC[gender]}" if case == "acc" else f"{noun:one} {ONE[gender]}"
    if n == 2:
        return noun.forms["dual_acc" if case == "acc" else "dual"]
    return f"{number} {noun.forms['few' if n <= 10 else 'acc']}"


def verb(m: str, f: str) -> dict[str, str]:
    """A frame for each gender of `who`: the same words after the verb."""
    return {"m": m + " {who} {things:acc}.", "f": f + " {who} {things:acc}."}


def headline(m: str, f: str) -> dict[str, str]:
    return {"m": "{who} " + m + " {things:acc} {place:at}", "f": "{who} " + f + " {things:acc} {place:at}"}


GRAMMAR = Grammar(
    tag="ar",
    quantity=quantity,
    digits="٠١٢٣٤٥٦٧٨٩",
    separator="، ",
    people=words(
        "name gender",
        """
        ana   | آنا     | f
        omar  | عمر     | m
        mina  | مينا    | f
        leo   | ليو     | m
        sara  | سارة    | f
        ivan  | إيفان   | m
        nadia | نادية   | f
        ben   | بنيامين | m
        lina  | لينا    | f
        david | داود    | m
        eva   | إيفا    | f
        sami  | سامي    | m
        """,
    ),
    things=words(
        "one acc dual dual_acc few gender",
        """
        apple    | تفاحة      | تفاحة      | تفاحتان        | تفاحتين        | تفاحات     | f
        orange   | برتقالة    | برتقالة    | برتقالتان      | برتقالتين      | برتقالات   | f
        egg      | بيضة       | بيضة       | بيضتان         | بيضتين         | بيضات      | f
        cookie   | بسكويتة    | بسكويتة    | بسكويتتان      | بسكويتتين      | بسكويتات   | f
        book     | كتاب       | كتابًا     | كتابان         | كتابين         | كتب        | m
        notebook | دفتر       | دفترًا     | دفتران         | دفترين         | دفاتر      | m
        pencil   | قلم رصاص   | قلم رصاص   | قلما رصاص      | قلمي رصاص      | أقلام رصاص | m
        pen      | قلم حبر    | قلم حبر    | قلما حبر       | قلمي حبر       | أقلام حبر  | m
        ball     | كرة        | كرة        | كرتان          | كرتين          | كرات       | f
        cup      | كوب        | كوبًا      | كوبان          | كوبين          | أكواب      | m
        plate    | طبق        | طبقًا      | طبقان          | طبقين          | أطباق      | m
        hat      | قبعة       | قبعة       | قبعتان         | قبعتين         | قبعات      | f
        shirt    | قميص       | قميصًا     | قميصان         | قميصين         | قمصان      | m
        key      | مفتاح      | مفتاحًا    | مفتاحان        | مفتاحين        | مفاتيح     | m
        coin     | قطعة نقدية | قطعة نقدية | قطعتان نقديتان | قطعتين نقديتين | قطع نقدية  | f
        flower   | زهرة       | زهرة       | زهرتان         | زهرتين         | زهرات      | f
        stone    | حجر        | حجرًا      | حجران          | حجرين          | أحجار      | m
        stamp    | طابع       | طابعًا     | طابعان         | طابعين         | طوابع      | m
        chair    | كرسي       | كرسيًا     | كرسيان         | كرسيين         | كراسي      | m
        box      | صندوق      | صندوقًا    | صندوقان        | صندوقين        | صناديق     | m
        bag      | حقيبة      | حقيبة      | حقيبتان        | حقيبتين        | حقائب      | f
        candle   | شمعة       | شمعة       | شمعتان         | شمعتين         | شمعات      | f
        doll     | دمية       | دمية       | دميتان         | دميتين         | دمى        | f
        spoon    | ملعقة      | ملعقة      | ملعقتان        | ملعقتين        | ملاعق      | f
        ticket   | تذكرة      | تذكرة      | تذكرتان        | تذكرتين        | تذاكر      | f
        """,
    ),
    places=words(
        "name to at",
        """
        market  | السوق   | إلى السوق   | في السوق
        school  | المدرسة | إلى المدرسة | في المدرسة
        park    | المتنزه | إلى المتنزه | في المتنزه
        library | المكتبة | إلى المكتبة | في المكتبة
        station | المحطة  | إلى المحطة  | في المحطة
        garden  | الحديقة | إلى الحديقة | في الحديقة
        beach   | الشاطئ  | إلى الشاطئ  | على الشاطئ
        museum  | المتحف  | إلى المتحف  | في المتحف
        """,
    ),
    cities=words(
        "name in to",
        """
        lima    | ليما    | في ليما    | إلى ليما
        paris   | باريس   | في باريس   | إلى باريس
        cairo   | القاهرة | في القاهرة | إلى القاهرة
        tokyo   | طوكيو   | في طوكيو   | إلى طوكيو
        london  | لندن    | في لندن    | إلى لندن
        rome    | روما    | في روما    | إلى روما
        delhi   | دلهي    | في دلهي    | إلى دلهي
        nairobi | نيروبي  | في نيروبي  | إلى نيروبي
        seoul   | سيول    | في سيول    | إلى سيول
        berlin  | برلين   | في برلين   | إلى برلين
        """,
    ),
    days=words(
        "name on",
        """
        monday    | الاثنين  | يوم الاثنين
        tuesday   | الثلاثاء | يوم الثلاثاء
        wednesday | الأربعاء | يوم الأربعاء
        thursday  | الخميس   | يوم الخميس
        friday    | الجمعة   | يوم الجمعة
        saturday  | السبت    | يوم السبت
        sunday    | الأحد    | يوم الأحد
        """,
    ),
    weather=words(
        "clause",
        """
        sunny | الشمس تسطع
        rainy | المطر يهطل
        windy | الرياح تهب
        snowy | الثلج يتساقط
        """,
    ),
    moods=words(
        "noun with",
        """
        happy  | السعادة | بالسعادة
        tired  | التعب   | بالتعب
        hungry | الجوع   | بالجوع
        calm   | الهدوء  | بالهدوء
        """,
    ),
    frames={
        # math
        "has": "لدى {who} {things}.",
        "buys": verb("يشتري", "تشتري"),
        "finds": verb("يجد", "تجد"),
        "receives": verb("يتلقى", "تتلقى"),
        "loses": verb("يفقد", "تفقد"),
        "sells": verb("يبيع", "تبيع"),
        "gives": {"m": "يعطي {who} {things:acc} لصديق.", "f": "تعطي {who} {things:acc} لصديق."},
        "question_now": "كم {noun:acc} لدى {who} الآن؟",
        "question_together": "كم {noun:acc} لدى {who} و{other} معًا؟",
        "answer": "الجواب هو {number}.",
        # summarization
        "setting": "اليوم هو {day}: {weather} {city:in}.",
        "goes": {"m": "يذهب {who} {place:to}.", "f": "تذهب {who} {place:to}."},
        "feels": {"m": "في المساء يشعر {who} {mood:with}.", "f": "في المساء تشعر {who} {mood:with}."},
        "headline_buys": headline("يشتري", "تشتري"),
        "headline_finds": headline("يجد", "تجد"),
        "headline_receives": headline("يتلقى", "تتلقى"),
        "headline_loses": headline("يفقد", "تفقد"),
        "headline_sells": headline("يبيع", "تبيع"),
        "headline_gives": {
            "m": "{who} يعطي {things:acc} لصديق {place:at}",
            "f": "{who} تعطي {things:acc} لصديق {place:at}",
        },
        # instructions
        "repeat": "اكتب كلمة «{word}»، عدد المرات: {number}.",
        "reverse": "اكتب هذه الكلمات بترتيب عكسي: {list}.",
        "first": "اكتب الكلمة الأولى فقط من هذه الكلمات: {list}.",
        "last": "اكتب الكلمة الأخيرة فقط من هذه الكلمات: {list}.",
        "without": "اكتب هذه الكلمات دون كلمة «{word}»: {list}.",
        # api_calls
        "order": "اطلب {things:acc} ل{who}، والتوصيل {day:on}.",
        "tickets": "احجز {things:acc} {city:to} {day:on}.",
        "alarm": "اضبط المنبه على الساعة {number} {day:on}.",
        "forecast": "كيف سيكون الطقس {city:in} {day:on}؟",
        "meet": "رتب اجتماعًا مع {who} {place:at} {day:on}.",
    },
)
