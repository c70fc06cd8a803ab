"""Histograms as Prometheus reads them."""

from service.metrics import Metrics


def test_requests_are_counted_under_every_bound_they_are_within() -> None:
    metrics = Metrics()
    for seconds in (0.0005, 0.004, 0.004, 7.0, 60.0):
        metrics.requests.add(("/livez", "GET", "200"), seconds)
    metrics.requests.add(("/livez", "GET", "500"), 0.1)
    text = metrics.render().decode()
    labels = 'method="GET",route="/livez",status="200"'
    found = {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if labels in line
    }
    name = "coverd_http_request_seconds"

    def up_to(bound: str) -> float:
        return next(v for k, v in found.items() if k.startswith(f"{name}_bucket") and f'le="{bound}"' in k)

    assert [up_to(bound) for bound in ("0.0005", "0.0025", "0.005", "5.0", "10.0", "+Inf")] == [
        1,
        1,
        3,
        3,
        4,
        5,
    ]
    assert found[f"{name}_count{{{labels}}}"] == 5
    assert found[f"{name}_sum{{{labels}}}"] == 67.0085
