"""The names of people who do not exist: plain given names, and family names that are puns on music."""

#: Language → (as written, in Latin letters for the mail address).
GIVEN: dict[str, tuple[tuple[str, str], ...]] = {
    "en": tuple(
        (name, name.lower())
        for name in (
            "Ada Amos Anna Bella Carl Clara Daisy Dean Ella Evan Faye Felix Gina Grant Hazel Hugo Iris Ivan Jade Jonah "
            "Kit Lena Liam Maya Miles Nina Noah Olive Owen Pearl Quinn Rosa Ruth Sam Stella Tess Theo Una Vera Wade Zoe"
        ).split()
    ),
    "de": (
        ("Anke", "anke"), ("Bernd", "bernd"), ("Clara", "clara"), ("Dörte", "doerte"), ("Emil", "emil"),
        ("Frieda", "frieda"), ("Götz", "goetz"), ("Heike", "heike"), ("Ingo", "ingo"), ("Jörg", "joerg"),
        ("Käthe", "kaethe"), ("Lars", "lars"), ("Mia", "mia"), ("Nele", "nele"), ("Ole", "ole"), ("Uwe", "uwe"),
    ),
    "fr": (
        ("Amélie", "amelie"), ("Benoît", "benoit"), ("Chloé", "chloe"), ("Denis", "denis"), ("Élodie", "elodie"),
        ("Fabrice", "fabrice"), ("Gaëlle", "gaelle"), ("Hugo", "hugo"), ("Inès", "ines"), ("Jules", "jules"),
        ("Léa", "lea"), ("Noé", "noe"), ("Océane", "oceane"), ("Zoé", "zoe"),
    ),
    "pt": (
        ("Ana", "ana"), ("Bento", "bento"), ("Caio", "caio"), ("Débora", "debora"), ("Inês", "ines"),
        ("João", "joao"), ("Lívia", "livia"), ("Otávio", "otavio"), ("Rita", "rita"), ("Tomás", "tomas"),
    ),
    "ja": (
        ("葵", "aoi"), ("陽菜", "hina"), ("蓮", "ren"), ("湊", "minato"), ("結衣", "yui"), ("咲", "saki"),
        ("大輝", "daiki"), ("凛", "rin"), ("颯太", "sota"), ("美月", "mitsuki"),
    ),
    "ko": (
        ("민준", "minjun"), ("서연", "seoyeon"), ("도윤", "doyun"), ("하은", "haeun"), ("지호", "jiho"),
        ("수아", "sua"), ("예준", "yejun"), ("지민", "jimin"), ("나리", "nari"), ("보라", "bora"),
    ),
    "ru": (
        ("Алия", "aliya"), ("Борис", "boris"), ("Вера", "vera"), ("Глеб", "gleb"), ("Дарья", "darya"),
        ("Егор", "egor"), ("Жанна", "zhanna"), ("Илья", "ilya"), ("Лилия", "liliya"), ("Тимур", "timur"),
    ),
}  # fmt: skip

FAMILY: dict[str, tuple[tuple[str, str], ...]] = {
    "en": tuple(
        (name, name.lower())
        for name in (
            "Vinylsworth Grooverton Tempolane Chordwell Riffley Bassington Treblewood Humdrum Fiddlestone Octavely "
            "Encorely Refrainham Harmonsby Beatwick Turntabler Lyricson Sharpley Flatman Quaverdale Drumsfield"
        ).split()
    ),
    "de": (
        ("Klangfeld", "klangfeld"), ("Notenbach", "notenbach"), ("Takthoff", "takthoff"),
        ("Geigenmeier", "geigenmeier"),
        ("Plattenkötter", "plattenkoetter"), ("Ohrwürmle", "ohrwuermle"), ("Pausenstein", "pausenstein"),
        ("Dreivierteltakt", "dreivierteltakt"), ("Mollinger", "mollinger"), ("Durbach", "durbach"),
    ),
    "fr": (
        ("Croche-Double", "crochedouble"), ("Mélodieux", "melodieux"), ("Delagamme", "delagamme"),
        ("Tourne-Disque", "tournedisque"), ("Bémolet", "bemolet"), ("Refrainville", "refrainville"),
        ("Sillonnet", "sillonnet"), ("Cadencier", "cadencier"),
    ),
    "pt": (
        ("Semicolcheia", "semicolcheia"), ("Compassado", "compassado"), ("Refrão", "refrao"),
        ("Pandeirinho", "pandeirinho"),
        ("Toca-Discos", "tocadiscos"), ("Batucador", "batucador"),
    ),
    "ja": (
        ("音羽田", "otohada"), ("歌川原", "utagawara"), ("拍子木", "hyoshigi"), ("鈴音", "suzune"), ("調部", "shirabe"),
        ("響野", "hibikino"), ("針谷盤", "hariyaban"),
    ),
    "ko": (
        ("음", "eum"), ("가락", "garak"), ("노래", "norae"), ("장단", "jangdan"), ("소리", "sori"), ("화음", "hwaeum"),
    ),
    "ru": (
        ("Мелодиенко", "melodienko"), ("Аккордян", "akkordyan"), ("Бемоль", "bemol"), ("Пластинчук", "plastinchuk"),
        ("Ритмаченко", "ritmachenko"), ("Ноткевич", "notkevich"), ("Диезбай", "diezbay"),
    ),
}  # fmt: skip
