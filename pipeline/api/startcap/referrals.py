"""Referrals and a partner's own account over HTTP (SC-63 to SC-74)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from pipeline.api.context import service_of
from pipeline.api.paths import Id
from pipeline.api.startcap.access import BY_PARTNER
from pipeline.api.startcap.answers import NO_REFERRAL, Failure, success
from pipeline.api.startcap.leads import box_of, rest_time, statuses
from pipeline.api.startcap.periods import period_of
from pipeline.api.startcap.schemas import (
    Commissions,
    DownlineAnswer,
    OneReferral,
    Payouts,
    ReferralStatsAnswer,
    ReferrerStatsAnswer,
    documented,
)
from pipeline.partners import earnings, plans, referrals
from pipeline.partners.accounts import Partner
from pipeline.partners.referrals import ReferralUnknown
from pipeline.partners.validation import ADDRESS_LABELS

router = APIRouter()


@router.get(
    "/referrals/stats",
    operation_id="referral_stats",
    tags=["Referrals"],
    response_model=ReferralStatsAnswer,
    responses=documented("How many referrals there are, and in which coarse status they are now.", 400, 429),
)
async def stats(
    request: Request,
    start_date: Annotated[str | None, Query(description="From this day on, YYYY-MM-DD, UTC.")] = None,
    end_date: Annotated[str | None, Query(description="To the end of this day.")] = None,
    partner: Partner = BY_PARTNER,
) -> Response:
    """All referrals that began within the days given, by their status now. `conversion_rate`: the share that is funded."""
    period = period_of(start_date, end_date)
    service = service_of(request)
    counts = await service.run(referrals.count_by_status, service.database, partner.id, period)
    return success(
        stats={
            "total_referrals": sum(counts.values()),
            "total_clicks": counts["click"],
            "total_leads": counts["lead"],
            "total_applications": counts["application"],
            "total_funded": counts["funded"],
            "conversion_rate": referrals.conversion_rate(counts),
        }
    )


@router.get(
    "/referrals/{id}",
    operation_id="get_referral",
    tags=["Referrals"],
    response_model=OneReferral,
    responses=documented("The referral; of traffic, without contact details.", 404, 429),
)
async def get(request: Request, reference_id: Id, partner: Partner = BY_PARTNER) -> Response:
    """One referral, by its reference id."""
    service = service_of(request)
    try:
        found = await service.run(referrals.get_referral, service.database, box_of(request), partner.id, reference_id)
    except ReferralUnknown:
        raise Failure(404, NO_REFERRAL) from None
    fields = {name: value for name, value in found.fields.items() if name not in ADDRESS_LABELS}
    head = {"reference_id": found.reference_id, "referral_type": found.referral_type}
    return success(referral=head | fields | statuses(found) | {"updated_at": rest_time(found.updated_at)})


@router.get(
    "/referrer/stats",
    operation_id="referrer_stats",
    tags=["Referrer"],
    response_model=ReferrerStatsAnswer,
    responses=documented("What you earned, in dollars, and of how many referrals.", 429),
)
async def own_stats(request: Request, partner: Partner = BY_PARTNER) -> Response:
    """Earnings: all of them, and of these what is pending and what was paid."""
    service = service_of(request)
    found = await service.run(earnings.earnings, service.database, partner.id)
    return success(
        stats={
            "total_earnings": _dollars(found.total),
            "pending_earnings": _dollars(found.pending),
            "paid_earnings": _dollars(found.paid),
            "total_referrals": found.referrals,
            "total_funded": found.funded,
        }
    )


@router.get(
    "/referrer/commissions",
    operation_id="referrer_commissions",
    tags=["Referrer"],
    response_model=Commissions,
    responses=documented("What you earn of a funded lead, by level.", 429),
)
async def commissions(request: Request, partner: Partner = BY_PARTNER) -> Response:
    """Level 1: of your own leads; 2 and 3: of those of your downline."""
    service = service_of(request)
    rates = await service.run(plans.list_rates, service.database, partner.id)
    return success(
        commissions=[
            {"id": rate.id, "level": rate.level, "percentage": float(rate.percentage), "description": rate.description}
            for rate in rates
        ]
    )


@router.get(
    "/referrer/payouts",
    operation_id="referrer_payouts",
    tags=["Referrer"],
    response_model=Payouts,
    responses=documented("All payouts, newest first.", 429),
)
async def payouts(request: Request, partner: Partner = BY_PARTNER) -> Response:
    """What was paid, and when."""
    service = service_of(request)
    found = await service.run(earnings.list_payouts, service.database, partner.id)
    return success(
        payouts=[
            {
                "id": payout.id,
                "amount": _dollars(payout.amount_cents),
                "status": payout.status,
                "processed_at": rest_time(payout.processed_at),
            }
            for payout in found
        ]
    )


@router.get(
    "/referrer/downline",
    operation_id="referrer_downline",
    tags=["Referrer"],
    response_model=DownlineAnswer,
    responses=documented("The partners whom you brought.", 429),
)
async def downline(request: Request, partner: Partner = BY_PARTNER) -> Response:
    """Partners whose upline you are, with how many referrals each has."""
    service = service_of(request)
    found = await service.run(earnings.list_downline, service.database, partner.id)
    return success(downline=[_member(member) for member in found])


def _member(member: earnings.Downline) -> dict[str, Any]:
    return {
        "id": member.id,
        "name": member.name,
        "email": member.email,
        "status": member.status,
        "total_referrals": member.referrals,
    }


def _dollars(cents: int) -> float:
    return cents / 100
