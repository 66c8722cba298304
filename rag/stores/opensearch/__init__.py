"""OpenSearchStore: passages on an OpenSearch server or an Amazon OpenSearch domain.

store.py            OpenSearchStore
catalog.py          the indexes of a server by name
reader.py           an open index: resolves its alias, and makes sure that all answers come from the same index
staging.py          the next version of an index while an ingestion builds it
lock.py             a lease on the server that keeps a second ingestion out
aliases.py          names and aliases: create, swap, roll back, delete
mapping.py          nodes to documents and back
metadata_terms.py   metadata as terms, and filters as queries over them
query_dsl.py        request bodies, and the meaning of their scores
client.py           the HTTP client: authentication, retries, JSON
errors.py           errors of opensearch-py to those of rag.errors
bulk.py             bulk requests with retries
"""
