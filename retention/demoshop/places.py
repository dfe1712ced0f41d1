"""Where the invented people of the demo shop live: twelve countries, their cities and their time zones."""

from dataclasses import dataclass


@dataclass(frozen=True)
class City:
    """Attributes: `weight` is the chance among all cities; `area` the North American area code, if it is there."""

    name: str
    region: str
    country: str
    zone: str
    postcode: str
    weight: int
    area: str = ""


@dataclass(frozen=True)
class Country:
    """Attributes: `phone` is a pattern within a range reserved for fiction, # a random digit; empty: there is none."""

    code: str
    language: str
    street: str
    phone: str = ""


COUNTRIES: dict[str, Country] = {
    country.code: country
    for country in (
        Country("US", "en", "{n} Turntable Street", "+1{area}55501##"),
        Country("CA", "en", "{n} Maple Groove", "+1{area}55501##"),
        Country("GB", "en", "{n} Gramophone Lane", "+447700900###"),
        Country("DE", "de", "Plattenweg {n}", "+493023125###"),
        Country("FR", "fr", "{n} rue du Vinyle", "+33639980###"),
        Country("JP", "ja", "レコード町 {n}丁目"),
        Country("KR", "ko", "음반로 {n}"),
        Country("KZ", "ru", "улица Пластинок, {n}"),
        Country("IN", "en", "{n} Sitar Road"),
        Country("NZ", "en", "{n} Kiwi Tune Terrace"),
        Country("BR", "pt", "Rua do Disco, {n}"),
        Country("KI", "en", "{n} Lagoon Beat Road"),
    )
}

CITIES: tuple[City, ...] = (
    City("New York", "New York", "US", "America/New_York", "100##", 120, "212"),
    City("Boston", "Massachusetts", "US", "America/New_York", "021##", 50, "617"),
    City("Atlanta", "Georgia", "US", "America/New_York", "303##", 40, "404"),
    City("Chicago", "Illinois", "US", "America/Chicago", "606##", 70, "312"),
    City("New Orleans", "Louisiana", "US", "America/Chicago", "701##", 30, "504"),
    City("Denver", "Colorado", "US", "America/Denver", "802##", 30, "303"),
    City("Phoenix", "Arizona", "US", "America/Phoenix", "850##", 25, "602"),
    City("Seattle", "Washington", "US", "America/Los_Angeles", "981##", 60, "206"),
    City("San Francisco", "California", "US", "America/Los_Angeles", "941##", 60, "415"),
    City("Anchorage", "Alaska", "US", "America/Anchorage", "995##", 6, "907"),
    City("Honolulu", "Hawaii", "US", "Pacific/Honolulu", "968##", 8, "808"),
    City("Toronto", "Ontario", "CA", "America/Toronto", "M5V #A#", 40, "416"),
    City("Vancouver", "British Columbia", "CA", "America/Vancouver", "V6B #A#", 20, "604"),
    City("St. John's", "Newfoundland", "CA", "America/St_Johns", "A1C #A#", 4, "709"),
    City("London", "England", "GB", "Europe/London", "N1 #AA", 70),
    City("Glasgow", "Scotland", "GB", "Europe/London", "G1 #AA", 20),
    City("Berlin", "Berlin", "DE", "Europe/Berlin", "101##", 50),
    City("Hamburg", "Hamburg", "DE", "Europe/Berlin", "200##", 30),
    City("München", "Bayern", "DE", "Europe/Berlin", "803##", 30),
    City("Paris", "Île-de-France", "FR", "Europe/Paris", "750##", 45),
    City("Lyon", "Auvergne-Rhône-Alpes", "FR", "Europe/Paris", "690##", 20),
    City("東京", "東京都", "JP", "Asia/Tokyo", "100-00##", 45),
    City("大阪", "大阪府", "JP", "Asia/Tokyo", "530-00##", 20),
    City("서울", "서울특별시", "KR", "Asia/Seoul", "041##", 45),
    City("부산", "부산광역시", "KR", "Asia/Seoul", "480##", 20),
    City("Алматы", "Алматы", "KZ", "Asia/Almaty", "0500##", 25),
    City("Астана", "Астана", "KZ", "Asia/Almaty", "0100##", 15),
    City("Mumbai", "Maharashtra", "IN", "Asia/Kolkata", "4000##", 25),
    City("Bengaluru", "Karnataka", "IN", "Asia/Kolkata", "5600##", 15),
    City("Auckland", "Auckland", "NZ", "Pacific/Auckland", "10##", 18),
    City("Chatham Islands", "Chatham Islands", "NZ", "Pacific/Chatham", "8942", 1),
    City("São Paulo", "São Paulo", "BR", "America/Sao_Paulo", "010##-000", 25),
    City("Manaus", "Amazonas", "BR", "America/Manaus", "690##-000", 5),
    City("Tabwakea", "Line Islands", "KI", "Pacific/Kiritimati", "KI0###", 2),
)
