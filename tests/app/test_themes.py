"""Every style can be read on the background of its theme, dark or light."""

from collections.abc import Iterable

import pytest

from tests.app.driving import screen_of
from tests.app.snapshots import snapshot
from tui_monitor.app.monitor_app import MonitorApp
from tui_monitor.app.screens.layout import PanelLayout
from tui_monitor.view.styles import STYLE_NAMES

_LEAST_CONTRAST = 1.5
"""Of the faintest decoration; the usual measure, from 1 for equal to 21."""


def _luminance(triplet: Iterable[int]) -> float:
    parts = [value / 255 for value in triplet]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light"])
async def test_nothing_vanishes_in_the_background(theme: str) -> None:
    """Each style's colour stands out against its own background, or the screen's where it has none."""
    async with screen_of(snapshot()) as pilot:
        pilot.app.theme = theme
        await pilot.pause()
        assert isinstance(pilot.app, MonitorApp)
        panels = pilot.app.main.query_one(PanelLayout)
        behind = pilot.app.screen.rich_style.bgcolor
        for name in STYLE_NAMES:
            style = panels.get_component_rich_style(f"cells--{name}", partial=True)
            ground = style.bgcolor or behind
            if style.color is None or ground is None:
                continue
            lighter, darker = sorted(
                (_luminance(colour.get_truecolor()) for colour in (style.color, ground)), reverse=True
            )
            assert (lighter + 0.05) / (darker + 0.05) > _LEAST_CONTRAST, name
