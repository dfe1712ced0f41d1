"""A real API of three routes over the real router, with exchange rates as what is written."""

import datetime as dt
from decimal import Decimal

from django.http import HttpRequest
from django.urls import path, re_path
from ninja import Schema, Status
from pydantic import Field

from retention import clock
from retention.api.mount import Api, nowhere
from retention.doors import problems
from retention.doors.endpoints import Page, Router, StrictParser, actor, page
from retention.doors.operations.shop import set_rate
from retention.shop.models import ExchangeRate

router = Router("Rates")


class RateIn(Schema):
    currency: str = Field(max_length=3)
    on: dt.date
    rate: Decimal = Field(gt=0, max_digits=18, decimal_places=9)


class RateOut(Schema):
    id: int
    currency: str
    rate: str


def shape(row: ExchangeRate) -> dict:
    return {"id": row.pk, "currency": row.currency, "rate": f"{row.rate.normalize():f}"}


@router.get("rates/", scope="rates:read", response=Page[RateOut])
def list_rates(request: HttpRequest, cursor: str | None = None, limit: int = 50):
    return page(ExchangeRate.objects.all(), cursor, limit, shape=shape)


@router.post("rates/", scope="rates:write", response={201: RateOut})
def write_rate(request: HttpRequest, payload: RateIn):
    row = set_rate(currency=payload.currency, on=payload.on, rate=payload.rate, now=clock.now(), by=actor(request))
    return Status(201, shape(row))


@router.post("rates/broken/", scope="rates:write", response=RateOut)
def break_half_way(request: HttpRequest, payload: RateIn):
    write_rate(request, payload)
    raise ZeroDivisionError("the secret is 42")


@router.post("rates/sum/", scope="rates:read", response={200: dict}, idempotent=False)
def add_up(request: HttpRequest, numbers: list[int]):
    return {"sum": sum(numbers)}


api = Api(title="Small", parser=StrictParser(), urls_namespace="small", docs_url=None)
problems.install(api)
api.add_router("", router)
urlpatterns = [path("api/v1/", api.urls), re_path(r"^api/(?P<path>.*)$", nowhere)]
