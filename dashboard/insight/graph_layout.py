"""Pure: where each node of a diagram is drawn, in pixels: one after the other downwards, what may
run beside each other side by side and down to where it is awaited, what holds others as a frame
around them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise
from math import inf

from dashboard.insight.graph import Lane, Node

WIDTH, HEIGHT = 216, 46
#: Between two nodes, where an arrow stands; between two lanes.
DOWN, ACROSS = 22, 16
#: A frame's own room: within its edge, and for its title.
EDGE, HEAD, LABEL = 12, 26, 18
LETTERS = 27


@dataclass(frozen=True)
class Box:
    """A node at its place; `is_frame`: others stand in it."""

    node: Node
    x: float
    y: float
    width: float
    height: float
    is_frame: bool

    @property
    def title(self) -> str:
        return _cut(self.node.title, round(LETTERS * self.width / WIDTH))

    @property
    def note(self) -> str:
        is_said = self.node.title == self.node.word or self.node.type == "step_do"
        word = "" if is_said else self.node.word
        words = ": ".join(part for part in (word, self.node.note) if part)
        return _cut(words, round(1.2 * LETTERS * self.width / WIDTH))

    @property
    def text_x(self) -> float:
        return self.x + 10

    @property
    def title_y(self) -> float:
        return self.y + 18

    @property
    def note_y(self) -> float:
        return self.y + 35


@dataclass(frozen=True)
class Line:
    """An arrow from one node down to the next."""

    x: float
    y1: float
    y2: float

    @property
    def head(self) -> str:
        """The points of its head."""
        return f"{self.x - 4},{self.y2 - 6} {self.x + 4},{self.y2 - 6} {self.x},{self.y2}"


@dataclass(frozen=True)
class Label:
    """When a lane runs."""

    x: float
    y: float
    text: str
    full: str


@dataclass
class Drawing:
    """All that is drawn, frames before what stands in them."""

    width: float = 0
    height: float = 0
    boxes: list[Box] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)


@dataclass(frozen=True)
class Spot:
    """Where a node stands in its lane, and how high it is. `follows`: where the arrow to it begins,
    None where there is none."""

    node: Node
    x: float
    y: float
    height: float
    follows: float | None = None

    def lower(self, by: float) -> Spot:
        follows = None if self.follows is None else self.follows + by
        return replace(self, y=self.y + by, follows=follows)


def draw(node: Node) -> Drawing:
    """The node with all inside it."""
    return _Layout().draw(node)


class _Layout:
    """Each node is measured once, however deep it is nested."""

    def __init__(self) -> None:
        self._sizes: dict[Node, tuple[float, float]] = {}
        self._spots: dict[Lane, list[Spot]] = {}

    def draw(self, node: Node) -> Drawing:
        drawing = Drawing()
        width, height = self.size(node)
        drawing.width, drawing.height = width + 2, height + 2
        self._place(drawing, node, 1, 1, height)
        return drawing

    def size(self, node: Node) -> tuple[float, float]:
        if node not in self._sizes:
            self._sizes[node] = self._measured(node)
        return self._sizes[node]

    def _measured(self, node: Node) -> tuple[float, float]:
        if not node.lanes:
            return WIDTH, HEIGHT
        sizes = [self._lane_size(lane) for lane in node.lanes]
        width = sum(width for width, _ in sizes) + ACROSS * (len(sizes) - 1)
        height = max(height for _, height in sizes)
        return max(WIDTH, width + 2 * EDGE), _head(node) + height + EDGE

    def _lane_size(self, lane: Lane) -> tuple[float, float]:
        spots = self.spots(lane)
        width = max((spot.x + self.size(spot.node)[0] for spot in spots), default=WIDTH)
        return width, max((spot.y + spot.height for spot in spots), default=0)

    def _place(self, drawing: Drawing, node: Node, x: float, y: float, height: float) -> None:
        width, _ = self.size(node)
        drawing.boxes.append(Box(node, x, y, width, height, is_frame=bool(node.lanes)))
        left, top = x + EDGE, y + _head(node)
        for lane in node.lanes:
            lane_width, _ = self._lane_size(lane)
            if lane.label:
                text = _cut(lane.label, round(LETTERS * lane_width / WIDTH))
                drawing.labels.append(Label(left, top - 6, text, lane.label))
            for spot in self.spots(lane):
                if spot.follows is not None:
                    at = left + spot.x + WIDTH / 2
                    drawing.lines.append(Line(at, top + spot.follows, top + spot.y))
                self._place(drawing, spot.node, left + spot.x, top + spot.y, spot.height)
            left += lane_width + ACROSS

    def spots(self, lane: Lane) -> list[Spot]:
        """The nodes of a lane, one under the other; those that start before others are awaited
        stand beside them. All begin at the left: a phone shows that first."""
        if lane in self._spots:
            return self._spots[lane]
        spots: list[Spot] = []
        at = 0.0
        for block in _blocks(lane.nodes):
            first, *others = self._beside(block)
            if spots:
                first = replace(first, follows=-DOWN)
            beside = [spot.lower(at) for spot in (first, *others)]
            # Whoever has it read aloud hears the order of the code, wherever the nodes stand.
            places = {id(node): place for place, node in enumerate(block)}
            spots += sorted(beside, key=lambda spot: places[id(spot.node)])
            at = max(spot.y + spot.height for spot in beside) + DOWN
        self._spots[lane] = spots
        return spots

    def _beside(self, nodes: list[Node]) -> list[Spot]:
        """Nodes in columns, from the level where each starts down to the one where it is awaited;
        what is awaited last stands first."""
        y, x = self._levels(nodes), 0.0
        spots = []
        for column in sorted(_columns(nodes), key=lambda some: _end(some[-1]), reverse=True):
            before: float | None = None
            for node in column:
                top = y[node.starts or 0]
                is_next = before is not None and before == node.starts
                follows = top - DOWN if is_next else None
                spots.append(Spot(node, x, top, y[_end(node)] - DOWN - top, follows))
                before = _end(node)
            x += max(self.size(node)[0] for node in column) + ACROSS
        return spots

    def _levels(self, nodes: list[Node]) -> dict[float, float]:
        """How far down each level is, so that there is room for what is awaited at it."""
        ending: dict[float, list[Node]] = {}
        for node in nodes:
            ending.setdefault(_end(node), []).append(node)
        levels = sorted({node.starts or 0 for node in nodes} | ending.keys())
        y = {levels[0]: 0.0}
        for before, level in pairwise(levels):
            ends = [
                y[node.starts or 0] + self.size(node)[1] + DOWN for node in ending.get(level, ())
            ]
            y[level] = max([y[before] + DOWN, *ends])
        return y


def _blocks(nodes: tuple[Node, ...]) -> Iterator[list[Node]]:
    """Nodes that stand beside each other: those with levels that follow each other."""
    for has_levels, run in groupby(nodes, key=lambda node: node.starts is not None):
        if has_levels:
            yield list(run)
        else:
            yield from ([node] for node in run)


def _columns(nodes: list[Node]) -> list[list[Node]]:
    """As few as can be, so that of two in a column the one is awaited before the other starts."""
    columns: list[list[Node]] = []
    for node in sorted(nodes, key=lambda node: node.starts or 0):
        free = (column for column in columns if _end(column[-1]) <= (node.starts or 0))
        if column := next(free, None):
            column.append(node)
        else:
            columns.append([node])
    return columns


def _end(node: Node) -> float:
    """The level at which it is awaited; after all others where nothing says it."""
    return inf if node.resolves is None else node.resolves


def _head(node: Node) -> float:
    """What stands above the nodes in a frame: its title, its note, the labels of its lanes."""
    has_note = node.note or node.name
    return HEAD + (LABEL if has_note else 0) + (LABEL if any(x.label for x in node.lanes) else 0)


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else f"{text[: letters - 1]}…"
