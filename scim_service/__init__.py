"""scim-service: identity providers push people and groups, seats of licenses are given under caps.

The rooms, from the door inwards: `cli`, `app`, `endpoints`, `jobs`, `directory`, `licensing`, `access`, `audit`,
`storage`, `idp`, `protocol`. A room imports only from those after it; each has its sign in its own `__init__`.
"""

__version__ = "0.1.0"
