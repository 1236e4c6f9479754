"""django-scim2 on PostgreSQL: the models and adapters of its documentation, connections kept open, a constant token.

BENCH_DATABASE names the database (host, name), BENCH_TOKEN the token.
"""
