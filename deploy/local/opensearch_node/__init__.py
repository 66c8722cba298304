"""A local OpenSearch node with k-NN, TLS and users, for development and tests.

    software.py     downloads the node's files with Maven into the user's cache
    process.py      start, find, stop
    Launcher.java   the main class of the node's process
    security/       the node's users, and the chatbot's role
    install.sh      installs Java and Maven if they are missing

In a test: `node = start(folder, owner=os.getpid())`, then `node.url`, `node.user`, `node.password`, `node.ca_certs`.
"""

from deploy.local.opensearch_node.process import Node, find, start, stop
from deploy.local.opensearch_node.software import VERSION

__all__ = ["VERSION", "Node", "find", "start", "stop"]
