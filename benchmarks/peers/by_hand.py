"""The workload as one would write it in Python for this one mapping."""

from __future__ import annotations

from typing import Any


def keep(event: dict[str, Any]) -> bool:
    """The filter."""
    return (
        event["type"] == "track"
        and event["event"] in ("Booking Confirmed", "Guest Registered")
        and event["properties"]["total"] >= 40
    )


def body(event: dict[str, Any]) -> dict[str, Any]:
    """The mapping."""
    context = event["context"]
    traits = context["traits"]
    address = traits["address"]
    page = context["page"]
    library = context["library"]
    properties = event["properties"]
    return {
        "firstname": traits.get("given_name"),
        "lastname": traits.get("family_name"),
        "emailaddress1": traits["email"].lower(),
        "telephone1": traits.get("phone"),
        "address1_line1": address.get("street"),
        "address1_city": address.get("city"),
        "address1_postalcode": address.get("postal_code"),
        "address1_country": address.get("country"),
        "subject": f"{event['event']}, {properties['booking_id']}",
        "estimatedvalue": properties["total"],
        "transactioncurrencyid@odata.bind": (
            f"/transactioncurrencies(isocurrencycode='{properties['currency']}')"
        ),
        "parentcontactid@odata.bind": f"/contacts(externalid='{event['userId']}')",
        "hotel_origin": {
            "network": {
                "ip": context.get("ip"),
                "url": page.get("url"),
                "title": page.get("title"),
            },
            "device": {
                "agent": context.get("userAgent"),
                "locale": context.get("locale"),
                "zone": context.get("timezone"),
            },
            "library": f"{library['name']} {library['version']}",
        },
        "hotel_stays": [
            {
                "room": stay["room"],
                "description": stay["kind"],
                "rate": stay["rate"],
                "nights": stay["nights"],
            }
            for stay in properties["stays"]
        ],
        "hotel_messageid": event["messageId"],
        "hotel_occurredat": event["timestamp"],
    }
