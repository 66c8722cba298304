"""An emulator of SageMaker's runtime and endpoint control plane for local use and tests.

    spec.py          EndpointSpec: model, format, latency, limits and faults of an endpoint
    server.py        the HTTP server, which routes to runtime.py, control.py and admin.py
    runtime.py       a request of an endpoint and its response; streaming.py and event_stream.py send a streamed one
    model_server.py  the state of an endpoint: counts, limits and the next fault
    encoders.py      bodies of embedding and classification containers; vectors.py computes the vectors
    generation.py    requests of generating containers and their tokens, from the model in extractive.py
    generation_bodies.py  their response bodies
    control.py       the control plane; resources.py its resources, images.py maps container images to specs
    process.py       the emulator as a background process, in state_folder.py's folder; search.py a real OpenSearch node
    commands.py      the commands

In a test: `with running([EndpointSpec(name="emb", task="embed", format="tei", latency_ms=50)]) as emulator`, then
boto3 with `endpoint_url=emulator.url`, and `emulator.change("emb", faults=[{"kind": "throttle", "count": 2}])`.
"""
