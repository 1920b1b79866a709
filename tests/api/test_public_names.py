"""What `import vhpipe.api` gives, and that it is the same whatever has been imported before."""

import vhpipe.api
from vhpipe.api import _HOMES


def test_no_module_of_the_package_hides_a_public_name() -> None:
    for name in vhpipe.api.__all__:
        found = getattr(vhpipe.api, name)
        assert callable(found), f"`vhpipe.api.{name}` is {found}"


def test_the_names_stay_what_they_are_once_all_modules_are_imported() -> None:
    before = {name: getattr(vhpipe.api, name) for name in vhpipe.api.__all__}
    for module in filter(None, set(_HOMES.values())):
        __import__(f"vhpipe.api.{module}")
    assert {name: getattr(vhpipe.api, name) for name in vhpipe.api.__all__} == before
