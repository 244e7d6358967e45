"""What is sent: invented reports, no two the same."""

import itertools
import json
import uuid
from datetime import datetime

from chalicelib.report_items import written
from infra.load.sending import Post
from infra.replay.people import People, body

KINDS = 200


class Posts:
    """Makes reports that are sent from `at` on."""

    def __init__(self, at: datetime) -> None:
        people = People("load")
        self._kinds = [json.loads(body(people.report(at, "", False), at)) for _ in range(KINDS)]
        self._numbers = itertools.count()

    def make(self) -> Post:
        """The next one, from somebody who may be written to."""
        number = next(self._numbers)
        told = self._kinds[number % KINDS]
        contact = told["contact"] | {"email": f"load{number}@example.com", "safe_to_write": "yes"}
        told = told | {"what_happened": f"{told['what_happened']} Number {number}.", "contact": contact}
        return Post(str(uuid.uuid4()), written(told).decode())
