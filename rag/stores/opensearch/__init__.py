"""OpenSearchStore: passages on an OpenSearch server or an Amazon OpenSearch domain.

store.py        OpenSearchStore
connection.py   one client: authentication, retries, JSON; failures.py maps its errors to ours
indexes.py      names and aliases: create, swap, roll back, delete; lease.py keeps a second ingestion out
documents.py    nodes to documents and back; facts.py metadata as filterable terms, filters as queries
searches.py     request bodies, and what their scores mean
bulk.py         many writes at once, as fast as the server takes them
"""
