"""Every symbolic style name a row may carry; the style sheet gives each its look in theme colours."""

from tui_monitor.run_log.format.layout import State

STYLE_NAMES = (
    "title",
    "legend",
    "axis",
    "tick-label",
    "train",
    "train-mark",
    "train-band",
    "validation",
    "validation-line",
    "gap",
    "alert",
    "caution",
    "strong",
    "muted",
    "heading",
    "heading-row",
    "heading-note",
    "headline",
    "key",
    "key-name",
    "cursor",
    "baseline",
    *(f"run-{number}" for number in range(1, 9)),
    "bar",
    "bar-rest",
    "bar-raises",
    "bar-lowers",
    "bar-lowers-edge",
    "zero-axis",
    "verdict-main",
    "verdict-contributes",
    "verdict-offsets",
    "verdict-ruled-out",
    "verdict-cannot-tell",
    *(f"state-{state.value}" for state in State),
)

COMPONENT_CLASSES = frozenset(f"cells--{name}" for name in STYLE_NAMES)

_PLAIN = str.maketrans(
    {
        "█": "#",
        "░": ".",
        "▒": ":",
        **dict(zip("▁▂▃▄▅▆▇", "_.,-~+*", strict=True)),
        **dict.fromkeys("▏▎▍", " "),
        **dict.fromkeys("▌▋▊▉", "#"),
        "│": "|",
        "─": "-",
        "━": "=",
        "┈": ".",
        "–": "-",
        "−": "-",
        "·": "-",
        "●": "o",
        "◆": "V",
        "◈": "*",
        "×": "x",
        "•": "*",
        "→": ">",
        "←": "<",
        "…": "~",
        "ℓ": "l",
        "↑": "^",
        "↓": "v",
        "┐": "+",
        "┘": "+",
        "╴": "-",
        "▶": ">",
        "▲": "^",
        "┼": "+",
        "┿": "+",
        "≤": "<",
        "≥": ">",
    }
)


def to_ascii(text: str) -> str:
    """Return text for a terminal without UTF-8, as wide as before; what has no likeness becomes `?`."""
    return text.translate(_PLAIN).encode("ascii", "replace").decode("ascii")
