"""Checks exports offline: every hash, every chain, every place, and that nothing is missing in between.

Of a log's export only the streams of one bucket are held at a time; of a feed's, and of several files that
follow one another, the last hash of every stream.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from domain.ids import BUCKETS, bucket_of
from service.api.feed import seq_of
from service.audit.lines import Header, Line, NotALine, parse_header, parse_line
from service.store.chain import START, event_hash


@dataclass(slots=True)
class Checked:
    """How many events there were, and of how many streams the part before was not there to be checked."""

    events: int = 0
    unanchored: int = 0


@dataclass(slots=True)
class Checker:
    """Walks files in the order in which they were exported. Each fault is a sentence."""

    keep: bool = False
    """Whether another file follows, so that no stream may be forgotten."""
    told: Checked = field(default_factory=Checked)
    _of: str | None = None
    _last: dict[str, tuple[int, str]] = field(default_factory=dict)
    _reached: dict[int, int] = field(default_factory=dict)
    _whole: set[int] = field(default_factory=set)
    """The buckets that are here from their first position on."""
    _seq: int | None = None
    _bucket: int = -1

    def file(self, lines: Iterable[bytes]) -> Iterator[str]:
        """The faults of one file."""
        lines = iter(lines)
        try:
            header = parse_header(next(lines, b""))
            yield from self._begin(header)
        except NotALine as error:
            yield str(error)
            return
        for number, text in enumerate(lines, start=2):
            try:
                line = parse_line(text)
            except NotALine as error:
                yield f"line {number}: {error}"
                continue
            self.told.events += 1
            for why in (*self._place(header, line), *self._chain(line)):
                yield f"line {number}, {line.stream_id}@{line.version}: {why}"
        yield from self._end(header)

    def _begin(self, header: Header) -> Iterator[str]:
        if self._of not in (None, header.of):
            raise NotALine(why=f"an export of the {header.of} does not follow one of the {self._of}")
        self._of, self._bucket = header.of, -1
        if header.of == "feed":
            begin = seq_of(str(header.begin))
            if begin is None or seq_of(str(header.end)) is None:
                raise NotALine(why="the first line's cursors are not the feed's")
            if self._seq not in (None, begin):
                yield "it does not follow the file before it"
            self._whole |= set(range(BUCKETS)) if begin == 0 else set()
            self._seq = begin
            return
        for bucket, (begin, _) in header.buckets.items():
            if self._reached.get(bucket, begin) != begin:
                yield f"bucket {bucket} does not follow the file before it"
            self._whole |= {bucket} if begin == 0 else set()
            self._reached[bucket] = begin

    def _place(self, header: Header, line: Line) -> Iterator[str]:
        """Buckets in their order and every position in it, or every number of the feed."""
        if line.bucket != bucket_of(line.stream_id):
            yield f"its stream does not belong to bucket {line.bucket}"
        if header.of == "feed":
            seq = seq_of(line.cursor or "")
            if seq is None or self._seq is None or seq != self._seq + 1:
                yield "events of the feed are missing or moved before it"
            self._seq = seq if seq is not None else self._seq
            return
        if line.bucket != self._bucket:
            if line.bucket < self._bucket or line.bucket not in header.buckets:
                yield f"bucket {line.bucket} does not stand here"
            if not self.keep:
                self._last.clear()
            self._bucket = line.bucket
        expected = self._reached.get(line.bucket, 0) + 1
        if line.position != expected:
            yield f"position {line.position} stands where {expected} must"
        self._reached[line.bucket] = line.position

    def _chain(self, line: Line) -> Iterator[str]:
        known = self._last.get(line.stream_id)
        self._last[line.stream_id] = line.version, line.hash
        if event_hash(bytes.fromhex(line.previous), line.link).hex() != line.hash:
            yield "its content or its place is not what was written"
        if known is not None and (line.version, line.previous) != (known[0] + 1, known[1]):
            yield f"it does not follow event {known[0]} of its stream"
        elif known is None and line.version == 1 and line.previous != START.hex():
            yield "it is its stream's first and builds on something else"
        elif known is None and line.version > 1 and line.bucket in self._whole:
            yield "what comes before it in its stream is missing"
        elif known is None and line.version > 1:
            self.told.unanchored += 1

    def _end(self, header: Header) -> Iterator[str]:
        if header.of == "feed":
            if self._seq != seq_of(str(header.end)):
                yield "it is cut off: the last events of the feed are missing"
            return
        for bucket, (_, end) in sorted(header.buckets.items()):
            if self._reached[bucket] != end:
                yield f"it is cut off: bucket {bucket} ends at {self._reached[bucket]} and not at {end}"
