"""The generated work is what the tables say it is, and the files that carry it are good ones."""

import pytest

from benchmarks import graphs
from benchmarks.valohai_files import pipeline_file, sweep_file


@pytest.mark.parametrize(
    ("graph", "jobs", "edges"),
    [
        (graphs.wide(1000), 1000, 0),
        (graphs.chain(100), 100, 99),
        (graphs.layers(10, 20), 200, 3600),
        (graphs.heap(1000), 1000, 1996),
    ],
)
def test_a_graph_has_the_jobs_and_edges_it_is_named_for(graph, jobs, edges):
    assert (len(graph), graphs.edge_count(graph)) == (jobs, edges)


@pytest.mark.parametrize("graph", [graphs.chain(9), graphs.layers(3, 4), graphs.heap(20)])
def test_every_job_comes_after_and_above_what_it_waits_for(graph):
    levels = {}
    for job in graph:
        assert all(levels[name] < job.level for name in job.upstream)
        levels[job.name] = job.level


@pytest.mark.parametrize("text", [pipeline_file(graphs.layers(2, 3)), pipeline_file(graphs.heap(20)), sweep_file(10)])
def test_the_official_linter_finds_nothing_in_a_generated_file(text):
    yaml = pytest.importorskip("valohai_yaml")
    assert list(yaml.lint.lint(text).messages) == []
