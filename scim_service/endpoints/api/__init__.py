"""THE PRODUCT'S DOOR: `/api/v1`, where the product that sells the seats asks, and changes nothing (docs/api.md).

Here: the questions about people (`people.py`) and licenses (`licenses.py`), how they are read (`asked.py`) and
answered (`answers.py`: an ETag for each answer, a code and a sentence for each refusal), and where a list goes on
(`cursors.py`).
Not here: who comes in and when time passes; `door.py` does that for this door as for SCIM's. Who is licensed for what
is known in `licensing/checks.py`.
Called by `app.create_app`.

The one surprise: a token of the scope `check` is good here and nowhere else, and no other token is good here.

One more question: a view here with GET alone, its answer in `licensing/`, its row in docs/api.md.
"""

from scim_service.endpoints.api import licenses, people
from scim_service.endpoints.api.routes import blueprint

__all__ = ["blueprint", "licenses", "people"]
