"""A real OpenSearch node on this machine, with k-NN, TLS and users: for laptops and the tests.

    software.py     what it is made of, fetched once with Maven and kept in the user's cache
    process.py      start, find, stop
    Launcher.java   the node's own process
    security/       its users, and the one role the chatbot needs
    install.sh      Java and Maven, where they are missing

In a test: `node = start(folder, owner=os.getpid())`, then `node.url`, `node.user`, `node.password`, `node.ca_certs`.
"""

from deploy.local.opensearch_node.process import Node, find, start, stop
from deploy.local.opensearch_node.software import VERSION

__all__ = ["VERSION", "Node", "find", "start", "stop"]
