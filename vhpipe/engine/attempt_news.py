"""Where the engine takes what it hears of attempts: to the scheduler, or to the metrics of the run."""

from collections.abc import Callable

from vhpipe.attempt.news import AttemptNews, HearNews, MetadataFound, MetricsPublished
from vhpipe.engine.run_metrics import RunMetrics
from vhpipe.schedule import stimuli


def hearing(
    hear: Callable[[stimuli.Stimulus], None],
    metrics: RunMetrics,
    explain: Callable[[stimuli.AttemptReported], stimuli.AttemptReported],
) -> HearNews:
    """One that hears news, and tells `hear` what the scheduler has to know.

    `explain` says of an attempt that found an input damaged where that comes from.
    """

    def heard(news: AttemptNews) -> None:
        if isinstance(news, stimuli.AttemptReported) and news.damaged is not None:
            hear(explain(news))
        elif isinstance(news, stimuli.AttemptReported | stimuli.StopConditionMet):
            hear(news)
        elif isinstance(news, MetadataFound):
            metrics.select(news)
        elif isinstance(news, MetricsPublished):
            metrics.add(news.attempt, news.points)

    return heard
