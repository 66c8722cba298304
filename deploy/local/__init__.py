"""SageMaker on this machine: an emulator of the runtime and of the endpoint control plane, for laptops and tests.

    spec.py        what an endpoint serves, how fast, within which limits, with which faults
    server.py      the HTTP server; runtime.py, control.py and admin.py are what it routes to
    exchange.py    one request; streaming.py, parts.py and framing.py put a streamed answer on the wire
    embedding.py   how containers spell vectors, vectors.py where these come from
    generation.py  what is asked and generated, records.py how containers spell it, extractive.py the model
    resources.py   the control plane's records; images.py which container serves what
    process.py     the emulator in the background; search.py a real OpenSearch node beside it
    commands.py    the command line

In a test: `with running([EndpointSpec(name="emb", task="embed", format="tei", latency_ms=50)]) as emulator`, then
boto3 with `endpoint_url=emulator.url`, and `emulator.change("emb", faults=[{"kind": "throttle", "count": 2}])`.
"""
