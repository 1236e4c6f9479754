"""`python -m scim_service.cli` is `scim-service`."""

from scim_service.cli import main

main()
