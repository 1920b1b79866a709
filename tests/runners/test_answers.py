"""What places say of themselves where they can and cannot be used."""

from vhpipe.namespaces.trial import tried_here
from vhpipe.runners import answers
from vhpipe.runners.table import RUNNERS


def test_every_place_can_be_asked_and_either_is_there_or_says_why_not() -> None:
    for name in ("local", "process"):
        answer = RUNNERS[name].answer()
        assert bool(answer.facts) != bool(answer.refusal)
    assert (RUNNERS["local"].answer().refusal is None) == (tried_here().way is not None)


def test_where_apparmor_refuses_the_profile_for_this_program_alone_is_offered_too() -> None:
    cure = answers._with_profile("sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0")
    assert cure.startswith(
        "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0; or for this Python alone: printf '"
    )
    assert "userns," in cure
    assert cure.endswith("sudo apparmor_parser -r /etc/apparmor.d/vhpipe")
