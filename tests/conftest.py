"""Settings of all tests: a busy machine must not fail a property by being slow."""

from hypothesis import HealthCheck, settings

settings.register_profile("vhpipe", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("vhpipe")
