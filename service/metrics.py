"""The Prometheus metrics of one process, on a registry of its own."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from service.timings import Timings


class Metrics:
    """Every metric coverd keeps; names begin with ``coverd_``."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._delivered: dict[tuple[str, str], Counter] = {}
        ProcessCollector(namespace="coverd", registry=self.registry)
        self.deliveries = Counter(
            "coverd_deliveries_total",
            "Webhook requests by source and answer: stored, duplicate, or why not.",
            ["source", "outcome"],
            registry=self.registry,
        )
        self.processed = Counter(
            "coverd_deliveries_processed_total",
            "Deliveries by source and what became of them.",
            ["source", "outcome"],
            registry=self.registry,
        )
        self.effects = Counter(
            "coverd_effects_total",
            "Effects by kind and outcome: done, retried, parked, withdrawn.",
            ["kind", "outcome"],
            registry=self.registry,
        )
        self.effect_seconds = Histogram(
            "coverd_effect_seconds", "Time an effect's calls took.", ["kind"], registry=self.registry
        )
        self.requests = Timings(
            "coverd_http_request_seconds",
            "Requests by route, method and status.",
            ("route", "method", "status"),
        )
        self.registry.register(self.requests)
        self.feed_lag = Gauge(
            "coverd_feed_lag_events", "Events not yet in the read models.", registry=self.registry
        )
        self.feed_stopped = Gauge(
            "coverd_feed_stopped_buckets",
            "Buckets whose read models stopped at an event they cannot take.",
            registry=self.registry,
        )
        self.feed_lag_seconds = Gauge(
            "coverd_feed_lag_seconds",
            "How long ago the oldest event was recorded that a read model has not applied yet; 0: none.",
            registry=self.registry,
        )
        self.store_up = Gauge(
            "coverd_store_up",
            "1 while Postgres answers and can keep deliveries; else what is measured of it stays as it was.",
            registry=self.registry,
        )
        self.inbox_due = Gauge(
            "coverd_inbox_due",
            "Deliveries that are due and not taken up; counted up to 1,000.",
            registry=self.registry,
        )
        self.inbox_due_seconds = Gauge(
            "coverd_inbox_due_seconds",
            "How long the longest of them has been due.",
            registry=self.registry,
        )
        self.outbox_due = Gauge(
            "coverd_outbox_due",
            "Effects that are due and not taken up, by channel; 1,000 are counted in all.",
            ["channel"],
            registry=self.registry,
        )
        self.outbox_due_seconds = Gauge(
            "coverd_outbox_due_seconds",
            "How long the longest of them has been due.",
            ["channel"],
            registry=self.registry,
        )
        self.attention = Gauge(
            "coverd_attention_items",
            "What waits for a person on engagements, by code.",
            ["code"],
            registry=self.registry,
        )
        self.engagements = Gauge(
            "coverd_engagements", "Engagements by state.", ["state"], registry=self.registry
        )
        self.uncovered = Gauge(
            "coverd_uncovered_engagements",
            "Active contracts that are not covered now, or of which nobody knows.",
            ["answer"],
            registry=self.registry,
        )
        self.survey_age = Gauge(
            "coverd_survey_age_seconds",
            "How long ago engagements and what waits on them were counted.",
            registry=self.registry,
        )
        self.chain_verified = Gauge(
            "coverd_chain_verified_timestamp_seconds",
            "When coverd verify last came to its end; 0: never.",
            registry=self.registry,
        )
        self.chain_faults = Gauge("coverd_chain_faults", "Faults that it found.", registry=self.registry)
        self.refusals = Counter(
            "coverd_webhook_refusals_total",
            "Webhook requests that were not proven, by source and why.",
            ["source", "why"],
            registry=self.registry,
        )
        self.config_holes = Gauge(
            "coverd_config_holes",
            "Category codes of the configuration that 1099Policy does not list.",
            registry=self.registry,
        )
        self.drift = Counter(
            "coverd_drift_total",
            "Facts found by asking a source that no webhook had brought in time, by source and type.",
            ["source", "type"],
            registry=self.registry,
        )
        self.unread = Counter(
            "coverd_unread_total",
            "Objects of live engagements that a source refused to show to a sweep.",
            ["source"],
            registry=self.registry,
        )
        self.source_heard = Gauge(
            "coverd_source_heard_seconds",
            "Seconds since a source was last heard of.",
            ["source"],
            registry=self.registry,
        )
        self.source_silent = Gauge(
            "coverd_source_silent",
            "1 while a source has left what it was asked unanswered past its limit.",
            ["source"],
            registry=self.registry,
        )
        self.breaker_open = Gauge(
            "coverd_breaker_open",
            "1 while an operation of a vendor (* for all of them) is left alone because it failed.",
            ["vendor", "operation"],
            registry=self.registry,
        )
        self.vendor_paused = Gauge(
            "coverd_vendor_paused",
            "1 while a person has paused a vendor.",
            ["vendor"],
            registry=self.registry,
        )
        self.operation_paused = Gauge(
            "coverd_operation_paused",
            "1 while a person has paused one operation of a vendor.",
            ["vendor", "operation"],
            registry=self.registry,
        )
        self.calls_in_vain = Gauge(
            "coverd_calls_in_vain",
            "Calls of one kind that failed a dozen times and more and are made again.",
            ["vendor", "operation"],
            registry=self.registry,
        )
        self.reads_per_request = Histogram(
            "coverd_upwork_reads_per_request",
            "Reads of contracts, or of parts of them, that go to Upwork in one request.",
            buckets=(1, 2, 5, 10, 15, 20, 24, 25),
            registry=self.registry,
        )
        self.vendor_requests_today = Gauge(
            "coverd_vendor_requests_today",
            "Turns to ask a vendor that were taken on this day, UTC, by all processes.",
            ["vendor"],
            registry=self.registry,
        )

    def delivered(self, source: str, outcome: str) -> None:
        """Count a webhook request."""
        key = source, outcome
        series = self._delivered.get(key)
        if series is None:
            series = self._delivered[key] = self.deliveries.labels(source, outcome)
        series.inc()

    def render(self) -> bytes:
        """The exposition text."""
        return generate_latest(self.registry)
