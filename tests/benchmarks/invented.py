"""Invented people's names, each in several spellings: surnames are made of syllables at random, so they are nobody's.

A form is given in Belarusian and Russian (Cyrillic), Łacinka, the instruction of 2007, and from the Russian (Latin).
"""

# Columns: be, ru, lacinka, by_2007, from_russian
_FIRST = [
    line.split()
    for line in """
    Бра Бра Bra Bra Bra
    Вы Вы Vy Vy Vy
    Гру Гру Hru Hru Gru
    Дзе Де Dzie Dzie De
    Жо Жо Žo Zho Zho
    За За Za Za Za
    Кле Кле Kle Kle Kle
    Лю Лю Lu Liu Lyu
    Мро Мро Mro Mro Mro
    Ня Не Nia Nia Ne
    Пры При Pry Pry Pri
    Ры Ри Ry Ry Ri
    Сва Сва Sva Sva Sva
    Тра Тра Tra Tra Tra
    Уя Уя Uja Uia Uya
    Хле Хле Chle Khle Khle
    Цві Цви Ćvi Tsvi Tsvi
    Чы Чи Čy Chy Chi
    Шу Шу Šu Shu Shu
    Яр Яр Jar Yar Yar
    """.strip().splitlines()
]
_MIDDLE = [
    line.split()
    for line in """
    бак бак bak bak bak
    веж веж viež vezh vezh
    ган ган han han gan
    дум дум dum dum dum
    зён зён zion zion zyon
    клад клад klad klad klad
    лаш лаш laš lash lash
    мір мир mir mir mir
    нач нач nač nach nach
    пор пор por por por
    рыл рыл ryl ryl ryl
    сяк сяк siak siak syak
    тух тух tuch tukh tukh
    хар хар char khar khar
    цап цап cap tsap tsap
    шэл шел šel shel shel
    """.strip().splitlines()
]
# The same, for men and for women
_LAST = [
    tuple(form.split() for form in line.split("|"))
    for line in """
    овіч ович ovič ovich ovich | овіч ович ovič ovich ovich
    енка енко ienka enka enko | енка енко ienka enka enko
    ук ук uk uk uk | ук ук uk uk uk
    скі ский ski ski skiy | ская ская skaja skaia skaya
    оў ов oŭ ou ov | ова ова ova ova ova
    ін ин in in in | іна ина ina ina ina
    ейка ейко iejka eika eyko | ейка ейко iejka eika eyko
    ыш ыш yš ysh ysh | ыш ыш yš ysh ysh
    """.strip().splitlines()
]
# The same, and a short form in Belarusian
_MEN = [
    line.split()
    for line in """
    Алесь Александр Aleś Ales Aleksandr Сашка
    Андрэй Андрей Andrej Andrei Andrey Андрэйка
    Віктар Виктор Viktar Viktar Viktor Віця
    Дзмітрый Дмитрий Dzmitryj Dzmitryi Dmitriy Зміцер
    Іван Иван Ivan Ivan Ivan Янка
    Кастусь Константин Kastuś Kastus Konstantin Костка
    Мікалай Николай Mikałaj Mikalai Nikolay Мікола
    Павел Павел Pavieł Pavel Pavel Паўлюк
    Сяргей Сергей Siarhiej Siarhei Sergey Сярожа
    Уладзімір Владимир Uładzimir Uladzimir Vladimir Валодзя
    Юрась Юрий Juraś Yuras Yuriy Юрка
    Яўген Евгений Jaŭhien Yauhen Evgeniy Жэня
    """.strip().splitlines()
]
_WOMEN = [
    line.split()
    for line in """
    Алена Елена Alena Alena Elena Ленка
    Ганна Анна Hanna Hanna Anna Ганулька
    Вольга Ольга Volha Volha Olga Воля
    Ірына Ирина Iryna Iryna Irina Іра
    Кацярына Екатерина Kaciaryna Katsiaryna Ekaterina Каця
    Марына Марина Maryna Maryna Marina Марынка
    Наталля Наталья Natalla Natallia Natalya Наташа
    Святлана Светлана Sviatłana Sviatlana Svetlana Света
    Таццяна Татьяна Tacciana Tatsiana Tatyana Таня
    Юлія Юлия Julija Yuliia Yuliya Юля
    """.strip().splitlines()
]
_FATHERS = [
    ("Іванавіч", "Иванович", "Іванаўна", "Ивановна"),
    ("Пятровіч", "Петрович", "Пятроўна", "Петровна"),
    ("Мікалаевіч", "Николаевич", "Мікалаеўна", "Николаевна"),
    ("Аляксандравіч", "Александрович", "Аляксандраўна", "Александровна"),
    ("Сцяпанавіч", "Степанович", "Сцяпанаўна", "Степановна"),
]


def spellings(rng, woman):
    """(text, language, script, kind, scheme) of somebody's names, the legal one first; one to seven of them."""
    given = rng.choice(_WOMEN if woman else _MEN)
    last = rng.choice(_LAST)[1 if woman else 0]
    surname = [a + b + c for a, b, c in zip(rng.choice(_FIRST), rng.choice(_MIDDLE), last, strict=True)]
    father = rng.choice(_FATHERS)[2 if woman else 0 :]
    chance = rng.random
    found = [(f"{given[0]} {surname[0]}", "be", "Cyrl", "legal", "original")]
    if chance() < 0.7:
        found.append((f"{surname[1]} {given[1]} {father[1]}", "ru", "Cyrl", "legal", "original"))
    if chance() < 0.5:
        found.append((f"{given[3]} {surname[3]}", "en", "Latn", "romanised", "by_2007"))
    if chance() < 0.3:
        found.append((f"{given[2]} {surname[2]}", "be", "Latn", "romanised", "lacinka"))
    if chance() < 0.5:
        found.append((f"{given[4]} {surname[4]}", "en", "Latn", "media", "from_russian"))
    if chance() < 0.1:
        found.append((f"{given[5]} {surname[0]}", "be", "Cyrl", "diminutive", ""))
    if chance() < 0.02:
        wrong = rng.choice(_FIRST)[4] + surname[4][2:]
        found.append((f"{given[4]} {wrong}", "en", "Latn", "erroneous", "media"))
    return found
