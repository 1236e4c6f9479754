"""Microsoft Entra ID, with and without the flag `aadOptscim062020` at the end of the tenant URL.

Source: Microsoft's pages on provisioning with SCIM and its validator; recordings in `conformance/recordings/entra/`.
"""

from scim_service.idp.profile import Profile

PROFILE = Profile(
    name="entra",
    title="Microsoft Entra ID",
    # The validator creates a second group of the same name and wants 409 (quirk 29).
    unique_group_names=True,
    # Updates come as "Replace" on emails[type eq "work"].value also where the person has no such mail (quirk 4).
    replace_creates=True,
    guide=(
        "Enterprise application > Provisioning: choose Automatic",
        "Tenant URL: {url}?aadOptscim062020 (the flag makes Entra send PATCH as the RFC has it)",
        "Secret Token: paste the token, then Test Connection",
        "Mappings > Users: keep userPrincipalName on userName, objectId on externalId, and IsSoftDeleted on active",
        "Mappings > Groups: keep displayName, objectId on externalId, and members",
        "Settings > Scope: sync only assigned users and groups; then Start provisioning",
    ),
)
