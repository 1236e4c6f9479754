"""WHAT EACH IDENTITY PROVIDER SAYS, as a play in phases: `okta`, `entra`; what they share: `play`, `roster`."""
