"""OpenSearchStore: passages on an OpenSearch server or an Amazon OpenSearch domain."""
