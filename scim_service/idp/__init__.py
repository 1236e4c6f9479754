"""HOW EACH IDP DIFFERS. One profile per kind of identity provider, chosen when a connection is made and never guessed.

Here: what a profile is (`profile.py`), and a file per provider with only what differs, each with its reason and the
recording that proves it. The core is tolerant by itself where nothing is lost by it (decision 9); here stands only
what one provider needs and another must not get.
Not here: anything that reads or writes a database or a request; the doors and `directory` ask plain questions.

The one surprise: there is no `if` on a provider's name anywhere else, which a house test checks (decision 18).

One more provider: a file with a `Profile`, its entry in `PROFILES`, its recordings in `conformance/recordings/`.
"""

from scim_service.idp import entra, okta
from scim_service.idp.profile import RFC, Profile

PROFILES: dict[str, Profile] = {one.name: one for one in (RFC, okta.PROFILE, entra.PROFILE)}
"""Every profile that a connection may have, by name."""

__all__ = ["PROFILES", "Profile"]
