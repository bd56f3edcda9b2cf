"""Thai: no inflection and no full stop; a thing is counted by its classifier, with spaces around the number."""

from glotmix.lab.grammar import Grammar, Word, words


def quantity(number: str, n: int, noun: Word, case: str) -> str:
    """`case` is the word that stands between the noun and the number, such as หาย in ทำกุญแจหาย 5 ดอก."""
    return f"{noun}{case} {number} {noun:clf}"


GRAMMAR = Grammar(
    tag="th",
    quantity=quantity,
    people=words(
        "name gender",
        """
        ana   | อานา   | f
        omar  | โอมาร์ | m
        mina  | มินา   | f
        leo   | ลีโอ   | m
        sara  | ซารา   | f
        ivan  | อีวาน  | m
        nadia | นาเดีย | f
        ben   | เบน    | m
        lina  | ลินา   | f
        david | เดวิด  | m
        eva   | เอวา   | f
        sami  | ซามี   | m
        """,
    ),
    things=words(
        "name clf",
        """
        apple    | แอปเปิล | ผล
        orange   | ส้ม     | ผล
        egg      | ไข่     | ฟอง
        cookie   | คุกกี้  | ชิ้น
        book     | หนังสือ | เล่ม
        notebook | สมุด    | เล่ม
        pencil   | ดินสอ   | แท่ง
        pen      | ปากกา   | ด้าม
        ball     | ลูกบอล  | ลูก
        cup      | ถ้วย    | ใบ
        plate    | จาน     | ใบ
        hat      | หมวก    | ใบ
        shirt    | เสื้อ   | ตัว
        key      | กุญแจ   | ดอก
        coin     | เหรียญ  | เหรียญ
        flower   | ดอกไม้  | ดอก
        stone    | หิน     | ก้อน
        stamp    | แสตมป์  | ดวง
        chair    | เก้าอี้ | ตัว
        box      | กล่อง   | ใบ
        bag      | กระเป๋า | ใบ
        candle   | เทียน   | เล่ม
        doll     | ตุ๊กตา  | ตัว
        spoon    | ช้อน    | คัน
        ticket   | ตั๋ว    | ใบ
        """,
    ),
    places=words(
        "name",
        """
        market  | ตลาด
        school  | โรงเรียน
        park    | สวนสาธารณะ
        library | ห้องสมุด
        station | สถานีรถไฟ
        garden  | สวน
        beach   | ชายหาด
        museum  | พิพิธภัณฑ์
        """,
    ),
    cities=words(
        "name",
        """
        lima    | ลิมา
        paris   | ปารีส
        cairo   | ไคโร
        tokyo   | โตเกียว
        london  | ลอนดอน
        rome    | โรม
        delhi   | เดลี
        nairobi | ไนโรบี
        seoul   | โซล
        berlin  | เบอร์ลิน
        """,
    ),
    days=words(
        "name",
        """
        monday    | วันจันทร์
        tuesday   | วันอังคาร
        wednesday | วันพุธ
        thursday  | วันพฤหัสบดี
        friday    | วันศุกร์
        saturday  | วันเสาร์
        sunday    | วันอาทิตย์
        """,
    ),
    weather=words(
        "clause",
        """
        sunny | แดดออก
        rainy | ฝนตก
        windy | ลมแรง
        snowy | หิมะตก
        """,
    ),
    moods=words(
        "base",
        """
        happy  | มีความสุข
        tired  | เหนื่อย
        hungry | หิว
        calm   | สงบ
        """,
    ),
    frames={
        "has": "{who}มี{things}",
        "buys": "{who}ซื้อ{things}",
        "finds": "{who}เก็บ{things:ได้}",
        "receives": "{who}ได้รับ{things}",
        "loses": "{who}ทำ{things:หาย}",
        "sells": "{who}ขาย{things}",
        "gives": "{who}แจก{things}",
        "question_now": "ตอนนี้{who}มี{noun}กี่{noun:clf}",
        "question_together": "{who}กับ{other}มี{noun}รวมกันกี่{noun:clf}",
        "answer": "คำตอบคือ {number}",
        "setting": "วันนี้เป็น{day} ที่{city}{weather}",
        "goes": "{who}ไป{place}",
        "feels": "ตอนเย็น{who}รู้สึก{mood}",
        "headline_buys": "{who}ซื้อ{things}ที่{place}",
        "headline_finds": "{who}เก็บ{things:ได้}ที่{place}",
        "headline_receives": "{who}ได้รับ{things}ที่{place}",
        "headline_loses": "{who}ทำ{things:หาย}ที่{place}",
        "headline_sells": "{who}ขาย{things}ที่{place}",
        "headline_gives": "{who}แจก{things}ที่{place}",
        "repeat": "เขียนคำว่า “{word}” {number} ครั้ง",
        "reverse": "เขียนคำเหล่านี้โดยเรียงลำดับย้อนกลับ: {list}",
        "first": "เขียนเฉพาะคำแรกจากคำเหล่านี้: {list}",
        "last": "เขียนเฉพาะคำสุดท้ายจากคำเหล่านี้: {list}",
        "without": "เขียนคำเหล่านี้ ยกเว้นคำว่า “{word}”: {list}",
        "order": "สั่ง{things}ให้{who} จัดส่ง{day}",
        "tickets": "จอง{things}ไป{city} เดินทาง{day}",
        "alarm": "ตั้งนาฬิกาปลุก{day}เวลา {number} นาฬิกา",
        "forecast": "{day}อากาศที่{city}จะเป็นอย่างไร",
        "meet": "นัดพบกับ{who}ที่{place}ใน{day}",
    },
)
