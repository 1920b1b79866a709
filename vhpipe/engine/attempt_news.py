"""Where the engine takes what it hears of attempts: to the scheduler, or to the metrics of the run."""

from collections.abc import Callable

from vhpipe.attempt.news import AttemptNews, HearNews, MetadataFound, MetricsPublished
from vhpipe.engine.run_metrics import RunMetrics
from vhpipe.schedule import stimuli


def hearing(
    hear: Callable[[stimuli.Stimulus], None], hear_soon: Callable[[stimuli.Stimulus], None], metrics: RunMetrics
) -> HearNews:
    """One that hears news. A stop-condition is met amid the reading of output, so it is heard a little later."""

    def heard(news: AttemptNews) -> None:
        if isinstance(news, stimuli.AttemptReported):
            hear(news)
        elif isinstance(news, MetadataFound):
            metrics.select(news)
        elif isinstance(news, MetricsPublished):
            metrics.add(news.attempt, news.points)
        elif isinstance(news, stimuli.StopConditionMet):
            hear_soon(news)

    return heard
