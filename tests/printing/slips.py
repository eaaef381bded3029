"""Tickets to be printed."""

from typing import Any

from app.printing.slip import Slip

RUSSIAN: dict[str, Any] = {
    "language": "ru",
    "office": "Центр госуслуг «Заречный»",
    "number": "A012",
    "service": "Получение готовых документов",
    "issued_at": "27 ноября, 10:15",
    "ahead": 5,
    "limit_minutes": 15,
    "due": "10:30",
    "hotline": "8-800-000-15-15",
    "promise": [
        "Время ожидания — не более 15 минут.",
        "Услуги бесплатны, если иное не сказано в законе.",
        "Мы не требуем лишних документов.",
        "Вы можете оценить нашу работу.",
    ],
    "url": "http://queue.example:8000/v/centre/kT3mV0pQx8Zb1nYc7LrWfD2sHjUaEoGi",
}

ENGLISH: dict[str, Any] = RUSSIAN | {
    "language": "en",
    "office": "Zarechny Public Service Centre",
    "number": "H107",
    "service": "Registration of property rights",
    "issued_at": "27 November, 10:15",
    "promise": ["Nobody waits longer than 15 minutes.", "No superfluous papers are asked for."],
}

FULLEST: dict[str, Any] = RUSSIAN | {
    "office": "Многофункциональный центр предоставления государственных и муниципальных услуг № 15",
    "number": "Ж0042",
    "service": "Государственная регистрация прав на недвижимое имущество и сделок с ним, "
    "государственный кадастровый учёт",
    "category": "Инвалид I или II группы",
    "issued_offline": True,
    "further": ["Консультация", "Справки и выписки"],
}

BAREST: dict[str, Any] = {
    "language": "ru",
    "office": "МФЦ",
    "number": "К001",
    "service": "Консультация",
    "issued_at": "10:15",
    "limit_minutes": 15,
}


def slip(of: dict[str, Any] = RUSSIAN, **changed: Any) -> Slip:
    """A ticket, with some things said otherwise."""
    return Slip.model_validate(of | changed)
