"""How executions, nodes and the run end: failure policies applied, siblings stopped, what follows skipped.

The policies themselves are the tables of `on_error`. Source: decisions 20, 21, 44 to 46.
"""

from collections.abc import Iterable

from vhpipe.config.model import OnChildError
from vhpipe.plan.execution import is_group
from vhpipe.plan.model import NO_EXTRAS, AttemptId, ExecutionId, PlannedDeployment, PlannedTask, RetryPolicy
from vhpipe.schedule import effects, events, stimuli
from vhpipe.schedule.expectations import expects_proposals
from vhpipe.schedule.ledger import Ledger
from vhpipe.schedule.on_error import attempts_allowed, settled_status, siblings_go_on, stops_everything
from vhpipe.schedule.state import NodeState
from vhpipe.schedule.terms import Moment, Status, what_became

REQUIRE_APPROVAL, STOP_PIPELINE, ERROR_PIPELINE = "require-approval", "stop-pipeline", "error-pipeline"
FAILED = (Status.ERROR, Status.CRASHED)


class Endings:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._state = ledger.state
        self._nodes = ledger.nodes

    # ── an execution ─────────────────────────────────────────────────────────────────────────────

    def attempt_failed(self, report: stimuli.AttemptReported) -> None:
        """Try again if the policy allows it; else the execution has failed for good."""
        execution = report.attempt.execution
        node, failures = self._state.nodes[execution.node], self._state.execution(execution).failures
        may_retry = not (report.final or node.stopping or self._state.stopping or is_group(self._nodes[execution.node]))
        if may_retry and failures < self._attempts_allowed(execution.node):
            self._try_again(execution, report.attempt.number + 1, failures)
        else:
            self._execution_failed(execution)

    def _attempts_allowed(self, name: str) -> int:
        retry = self._retry(name)
        return 1 + retry.count if retry else attempts_allowed(self._nodes[name].on_error)

    def _retry(self, name: str) -> RetryPolicy | None:
        planned = self._nodes[name]
        return None if isinstance(planned, PlannedDeployment) else planned.retry

    def _try_again(self, execution: ExecutionId, number: int, failures: int) -> None:
        retry = self._retry(execution.node)
        delay_s = retry.delay(failures) if retry else 0.0
        self._ledger.emit(events.RetryScheduled(execution, number, delay_s))
        if delay_s:
            self._ledger.ask(effects.SetTimer(delay_s, execution))

    def stop_by_condition(self, met: stimuli.StopConditionMet) -> None:
        """End an execution early and well; where the condition is the task's, its siblings are stopped.

        Source: decision 23.
        """
        execution = met.attempt.execution
        name, state = execution.node, self._state.execution(execution)
        node, because = self._state.nodes[name], met.because
        if self._state.stopping or node.stopping or node.status is not Status.STARTED:
            return
        if state.status is Status.STARTED and state.attempt == met.attempt.number and not state.is_stopping:
            self._ledger.emit(events.AttemptStopping(met.attempt, because))
            self._ledger.ask(effects.StopAttempt(met.attempt, because, completes=True))
        if met.of_task:
            self._ledger.emit(events.NodeStopping(name, because))
            self._stop_running([name], because)
            self.settle_if_over(name)

    def _execution_failed(self, execution: ExecutionId) -> None:
        """Node-error actions first, then what the siblings do."""
        name = execution.node
        self.end_by_action(name, self._ledger.take_actions(name, Moment.ERROR, execution.index))
        node = self._state.nodes[name]
        if node.stopping or not (node.queued or node.running):
            return
        if siblings_go_on(self._nodes[name].on_error, self._on_child_error(name)):
            return
        because = self._why_failed(name, node)
        self._ledger.emit(events.NodeStopping(name, because))
        if stops_everything(self._nodes[name].on_error):
            self.stop_run(Status.ERROR, f"`{name}` failed: {because}")
        else:
            self._stop_running([name], because)

    def _on_child_error(self, name: str) -> OnChildError | None:
        """What the blueprint says of failed children; it speaks only where there are children."""
        planned = self._nodes[name]
        if isinstance(planned, PlannedTask) and self._state.nodes[name].executions:
            return planned.on_child_error
        return None

    def _why_failed(self, name: str, node: NodeState) -> str:
        """The first failure and, of a task, how many there are."""
        first = next((index for index, each in enumerate(node.executions) if each.status in FAILED), None)
        if first is None:
            return node.because or "failed"
        because = node.executions[first].because or "failed"
        if not isinstance(self._nodes[name], PlannedTask):
            return because
        further = f"; {node.failed} of {len(node.executions)} executions failed" if node.failed > 1 else ""
        return f"`{ExecutionId(name, first)}` failed: {because}{further}"

    # ── a node ───────────────────────────────────────────────────────────────────────────────────

    def settle_if_over(self, name: str) -> None:
        """Settle a started node of which nothing is queued or running any more."""
        node = self._state.nodes[name]
        if node.status is not Status.STARTED or node.queued or node.running or node.making_deployment:
            return
        if self._goes_on_searching(name):
            return
        if node.failed:
            self._settle_failed(name, self._why_failed(name, node), node.failed)
        elif node.completed + node.left_out == len(node.executions):
            self.complete(name)
        elif node.stopping and node.completed and not self._state.stopping:
            self.complete(name, node.stopping)
        else:
            stopping = self._state.stopping
            self._settle(name, Status.STOPPED, node.stopping or (stopping.because if stopping else None))

    def _goes_on_searching(self, name: str) -> bool:
        """Whether a search has more to propose; it is asked for it then."""
        if not expects_proposals(self._state, self._nodes[name]):
            return False
        self._ledger.ask(effects.Propose(name))
        return True

    def extend_sweep(self, answer: stimuli.ProposalsAnswered) -> None:
        """Queue what a search has proposed; a search that fails is a failure of its node."""
        name = answer.node
        if not expects_proposals(self._state, self._nodes[name]):
            return
        if answer.sets:
            self._ledger.emit(events.SweepExtended(name, answer.sets))
        else:
            self._settle_failed(name, answer.because or "its search proposed nothing")

    def complete(self, name: str, because: str | None = None, failed: int = 0) -> None:
        """Settle as complete; node-complete actions come before anything downstream starts."""
        then = () if self._state.stopping else self._ledger.take_actions(name, Moment.COMPLETE)
        is_owed = self._state.nodes[name].withheld is Moment.COMPLETE and not self._state.stopping
        is_asked = REQUIRE_APPROVAL in then or is_owed
        held = is_asked and STOP_PIPELINE not in then and ERROR_PIPELINE not in then
        self._settle(name, Status.COMPLETE, because, failed, held)
        self.end_by_action(name, then)
        if held:
            self.await_approval(name, Moment.COMPLETE)

    def settle_given(self, name: str) -> None:
        """Settle a node that has what it would make already; what follows is looked at with all others."""
        self._settle(name, Status.COMPLETE)

    def fail_without_execution(self, name: str, because: str) -> None:
        """The node is an error before any execution could start, or is a deployment that failed."""
        then = self._ledger.take_actions(name, Moment.ERROR)
        self._settle_failed(name, because)
        self.end_by_action(name, then)

    def skip(self, name: str, because: str) -> None:
        """A node that has not started will not."""
        if self._state.nodes[name].status is Status.CREATED:
            self._settle(name, Status.SKIPPED, because)

    def _settle_failed(self, name: str, because: str, failed: int = 1) -> None:
        """Settle a node in which something failed for good as its policy says, and do what follows outside of it."""
        planned, node = self._nodes[name], self._state.nodes[name]
        is_task = isinstance(planned, PlannedTask)
        status = settled_status(planned.on_error, self._on_child_error(name), node.completed, is_task)
        if status is Status.COMPLETE:
            self.complete(name, because, failed)
            return
        self._settle(name, status, because, failed)
        if stops_everything(planned.on_error):
            self.stop_run(Status.ERROR, f"`{name}` failed: {because}")

    def _settle(
        self, name: str, status: Status, because: str | None = None, failed: int = 0, held: bool = False
    ) -> None:
        if self._state.nodes[name].status not in (Status.CREATED, Status.STARTED):
            return
        hooked = self._has_post_hook(name)
        self._ledger.emit(events.NodeSettled(name, status, because, failed, held, hooked))
        if hooked:
            self._ledger.ask(effects.RunHook(name, "post"))
        if status is Status.COMPLETE:
            self._warn_of_unmatched(name)
            self._ledger.consider_downstream(name)
        else:
            self._leave_downstream(name, f"`{name}` {what_became(status)}")

    def _warn_of_unmatched(self, name: str) -> None:
        if self._nodes[name].extras.monitor == NO_EXTRAS.monitor:
            return
        from vhpipe.schedule.unmatched_monitors import warn_of_unmatched  # most nodes are not monitored

        warn_of_unmatched(self._ledger, name)

    def _leave_downstream(self, name: str, because: str) -> None:
        """Skip what needs a node that is not complete; those for which another one is enough are looked at."""
        for downstream in self._state.downstream[name]:
            if not self._nodes[downstream].extras.any_before:
                self._ledger.to_skip.append((downstream, because))
            elif not self._state.nodes[downstream].waiting_for:
                self._ledger.to_consider.append(downstream)

    def _has_post_hook(self, name: str) -> bool:
        """Whether a hook is to be called at the end of a node, which must have begun."""
        hooks = self._nodes[name].hooks
        return bool(hooks and hooks.post) and self._state.nodes[name].status is not Status.CREATED

    # ── the run ──────────────────────────────────────────────────────────────────────────────────

    def stop_run(self, status: Status, because: str, by_user: bool = False, request: str | None = None) -> None:
        """Nothing starts any more; what runs is stopped; what has not started is skipped."""
        if self._state.stopping or self._state.status is not Status.STARTED:
            return
        self._ledger.emit(events.RunStopping(status, because, by_user, request))
        self._stop_running(self._state.nodes, because)
        for name in self._state.nodes:
            self.skip(name, because)
            self.settle_if_over(name)

    def _stop_running(self, names: Iterable[str], because: str) -> None:
        for name in names:
            node = self._state.nodes[name]
            for index, execution in enumerate(node.executions if node.running else ()):
                if execution.status is Status.STARTED and not execution.is_stopping:
                    attempt = AttemptId(ExecutionId(name, index), execution.attempt)
                    self._ledger.emit(events.AttemptStopping(attempt, because))
                    self._ledger.ask(effects.StopAttempt(attempt, because))

    def end_run_if_over(self) -> None:
        """A run in which a node is an error never ends well, unless the user stopped it: then it is stopped."""
        state, stopping = self._state, self._state.stopping
        if state.unsettled or state.awaiting or state.hooking or state.status is not Status.STARTED:
            return
        bad = next((name for name, node in state.nodes.items() if node.status is Status.ERROR), None)
        if stopping and (stopping.by_user or stopping.status is Status.ERROR or not bad):
            self._ledger.emit(events.RunEnded(stopping.status, stopping.because))
        elif bad:
            self._ledger.emit(events.RunEnded(Status.ERROR, f"`{bad}` failed: {state.nodes[bad].because}"))
        else:
            self._ledger.emit(events.RunEnded(Status.COMPLETE))

    # ── what actions ask for ─────────────────────────────────────────────────────────────────────

    def end_by_action(self, name: str, then: tuple[str, ...]) -> None:
        """Stop the run where an action of the node says so."""
        if ERROR_PIPELINE in then:
            self.stop_run(Status.ERROR, f"an action of `{name}` says {ERROR_PIPELINE}")
        elif STOP_PIPELINE in then:
            self.stop_run(Status.STOPPED, f"an action of `{name}` says {STOP_PIPELINE}")

    def await_approval(self, name: str, moment: Moment) -> None:
        self._ledger.emit(events.ApprovalAwaited(name, moment))
        self._ledger.ask(effects.AskApproval(name, moment))
