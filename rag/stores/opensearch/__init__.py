"""OpenSearchStore: passages on an OpenSearch server or an Amazon OpenSearch domain.

store.py        OpenSearchStore
catalog.py      a server's indexes by name
reader.py       an open index: which one its name stands for now, and answers that all come from that one
staging.py      the next version of an index, while an ingestion makes it; lock.py keeps a second ingestion out
aliases.py      names and aliases: create, swap, roll back, delete
mapping.py      nodes to documents and back; metadata_terms.py metadata as filterable terms, filters as queries
query_dsl.py    request bodies, and what their scores mean
client.py       one client: authentication, retries, JSON; errors.py maps its errors to ours
bulk.py         many writes at once, as fast as the server takes them
"""
