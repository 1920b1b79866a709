"""An attempt that has all it needs and whose process has not started, or the report of why it cannot."""

from typing import NamedTuple

import msgspec

from vhpipe.attempt.attempt_timer import AttemptTimer
from vhpipe.attempt.fatal_failures import survivable
from vhpipe.attempt.news import HearNews
from vhpipe.attempt.paths import OutsidePath
from vhpipe.attempt.preparation_errors import CannotPrepareError
from vhpipe.attempt.prepare import AttemptTools, PreparedAttempt, prepare
from vhpipe.attempt.publishing_spool import Spool
from vhpipe.attempt.spec import AttemptSpec
from vhpipe.attempt.storage import CodeCopies
from vhpipe.code.copy_pool import HeldCopy
from vhpipe.errors import VhpipeError
from vhpipe.schedule import stimuli
from vhpipe.schedule.terms import Status
from vhpipe.store.blobs import DamagedBlobError
from vhpipe.store.long_work import GivenUpError


class ReadyAttempt(NamedTuple):
    """An attempt with its folder and its working copy; `spool` reads what its step publishes."""

    spec: AttemptSpec
    folder: OutsidePath
    prepared: PreparedAttempt
    copy: HeldCopy
    spool: Spool
    timer: AttemptTimer


def make_ready(
    spec: AttemptSpec, tools: AttemptTools, folder: OutsidePath, code: CodeCopies, hear: HearNews, timer: AttemptTimer
) -> ReadyAttempt | stimuli.AttemptReported:
    """The attempt, or the report of one that cannot start, whose working copy is given back.

    Errors: `VhpipeError` for what no other attempt would survive either.
    """
    copy = None
    try:
        copy = code.take()
        prepared = prepare(spec, tools, folder, OutsidePath(str(copy.path)), hear, code.snapshot)
        return ReadyAttempt(spec, folder, prepared, copy, Spool(spec.id, folder, tools.masking, hear), timer)
    except CannotPrepareError as problem:
        report = stimuli.AttemptReported(spec.id, Status.ERROR, because=tools.masking.text(str(problem)), final=True)
    except DamagedBlobError as damage:
        report = stimuli.AttemptReported(spec.id, Status.ERROR, because=damage.message, final=True, damaged=damage.blob)
    except GivenUpError as end:
        report = stimuli.AttemptReported(spec.id, Status.STOPPED, because=end.message)
    except (VhpipeError, OSError, ValueError) as failure:
        report = stimuli.AttemptReported(spec.id, Status.CRASHED, because=survivable(failure, "cannot prepare"))
    if copy is not None:
        code.give_back(copy)
    return msgspec.structs.replace(report, setup_s=timer.setup_s, ran_s=0.0)


def unstarted_report(ready: ReadyAttempt, code: CodeCopies, outcome: Status, because: str) -> stimuli.AttemptReported:
    """The report of an attempt that was ready and did not start; its working copy is given back."""
    setup_s = ready.timer.setup_s
    code.give_back(ready.copy)
    return stimuli.AttemptReported(ready.spec.id, outcome, because=because, setup_s=setup_s, ran_s=0.0)
