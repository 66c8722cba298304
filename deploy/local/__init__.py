"""An emulator of SageMaker's runtime and endpoint control plane for local use and tests.

    spec.py          EndpointSpec: model, format, latency, limits and faults of an endpoint
    server.py        the HTTP server, which routes to runtime.py, control.py and admin.py
    exchange.py      one request; streaming.py and event_stream.py send a streamed answer
    model_server.py  the state of an endpoint: counts, limits and the next fault
    embedding.py     bodies of embedding containers; vectors.py computes the vectors
    generation.py    requests of generating containers; records.py writes their bodies, extractive.py is the model
    resources.py     resources of the control plane; images.py maps container images to specs
    process.py       the emulator as a background process; search.py a real OpenSearch node beside it
    commands.py      the commands

In a test: `with running([EndpointSpec(name="emb", task="embed", format="tei", latency_ms=50)]) as emulator`, then
boto3 with `endpoint_url=emulator.url`, and `emulator.change("emb", faults=[{"kind": "throttle", "count": 2}])`.
"""
