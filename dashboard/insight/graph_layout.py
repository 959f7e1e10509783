"""Pure: where each node of a diagram is drawn, in pixels: one after the other downwards, what may
run beside each other side by side, what holds others as a frame around them."""

from __future__ import annotations

from dataclasses import dataclass, field

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


def draw(node: Node) -> Drawing:
    """The node with all inside it."""
    drawing = Drawing()
    width, height = _size(node)
    drawing.width, drawing.height = width + 2, height + 2
    _place(drawing, node, 1, 1)
    return drawing


def _size(node: Node) -> tuple[float, float]:
    if not node.lanes:
        return WIDTH, HEIGHT
    sizes = [_lane_size(lane) for lane in node.lanes]
    width = sum(width for width, _ in sizes) + ACROSS * (len(sizes) - 1)
    height = max(height for _, height in sizes)
    return max(WIDTH, width + 2 * EDGE), _head(node) + height + EDGE


def _head(node: Node) -> float:
    """What stands above the nodes in a frame: its title, its note, the labels of its lanes."""
    has_note = node.note or node.name
    return HEAD + (LABEL if has_note else 0) + (LABEL if any(x.label for x in node.lanes) else 0)


def _lane_size(lane: Lane) -> tuple[float, float]:
    sizes = [_size(node) for node in lane.nodes]
    width = max((width for width, _ in sizes), default=WIDTH)
    return width, sum(height for _, height in sizes) + DOWN * max(0, len(sizes) - 1)


def _place(drawing: Drawing, node: Node, x: float, y: float) -> None:
    width, height = _size(node)
    drawing.boxes.append(Box(node, x, y, width, height, is_frame=bool(node.lanes)))
    left, top = x + EDGE, y + _head(node)
    for lane in node.lanes:
        lane_width, _ = _lane_size(lane)
        if lane.label:
            text = _cut(lane.label, round(LETTERS * lane_width / WIDTH))
            drawing.labels.append(Label(left, top - 6, text, lane.label))
        _place_lane(drawing, lane, left, top)
        left += lane_width + ACROSS


def _place_lane(drawing: Drawing, lane: Lane, left: float, at: float) -> None:
    # All begin at the left: a phone shows that first.
    for number, node in enumerate(lane.nodes):
        if number:
            drawing.lines.append(Line(left + WIDTH / 2, at - DOWN, at))
        _place(drawing, node, left, at)
        at += _size(node)[1] + DOWN


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else f"{text[: letters - 1]}…"
