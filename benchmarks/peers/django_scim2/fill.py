"""Make the tables and the people: `python -m benchmarks.peers.django_scim2.fill PEOPLE`; prints their ids as JSON."""

from __future__ import annotations

import json
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.peers.django_scim2.settings")

import django

from benchmarks import people

BATCH = 5000


def main(count: int) -> None:
    """Tables, people, ids."""
    django.setup()
    from django.core.management import call_command
    from django.db import connection, models
    from django.db.models.functions import Cast

    from benchmarks.peers.django_scim2.models import User

    call_command("migrate", "auth", verbosity=0)
    call_command("migrate", run_syncdb=True, verbosity=0)
    for start in range(0, count, BATCH):
        User.objects.bulk_create([User(**columns(number)) for number in range(start, min(start + BATCH, count))])
    User.objects.update(scim_id=Cast("id", models.CharField()))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    print(json.dumps([str(one) for one in User.objects.order_by("id").values_list("id", flat=True)]))


def columns(number: int) -> dict[str, object]:
    """What the peer's adapter keeps of a person's document."""
    document = people.document(number)
    return {
        "username": document["userName"],
        "scim_username": document["userName"],
        "scim_external_id": document["externalId"],
        "first_name": document["name"]["givenName"],
        "last_name": document["name"]["familyName"],
        "email": document["emails"][0]["value"],
        "is_active": True,
    }


if __name__ == "__main__":
    main(int(sys.argv[1]))
