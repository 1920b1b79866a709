"""Settings of all tests: a busy machine must not fail a property by being slow, nor a shell that ignores Ctrl-C.

`make test` draws fewer examples for each property (`--hypothesis-profile=quick`) than `make test-all`.
"""

import signal

from hypothesis import HealthCheck, settings

settings.register_profile("vhpipe", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.register_profile("quick", settings.get_profile("vhpipe"), max_examples=40)
settings.load_profile("vhpipe")

# A shell starts what it runs in the background with SIGINT ignored, and programs hand that on to those they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
