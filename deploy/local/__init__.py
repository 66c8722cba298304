"""SageMaker on this machine: an emulator of the runtime and of the endpoint control plane, for laptops and tests."""
