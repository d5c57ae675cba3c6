"""What rings a terminal and shows a notice on the machine that it runs on, through SSH too."""

from collections.abc import Mapping

from tui_monitor.view.text.rows import plain

_BELL = "\a"
_LONGEST = 200


def notice(title: str, text: str, environment: Mapping[str, str]) -> str:
    """Return the bell with the two usual notices (OSC 9 and OSC 777), with nothing in them that a terminal obeys.

    Args:
        title: of the notice; OSC 9 has none.
        text: of the notice.
        environment: says whether tmux or screen lies between, which pass on only what is wrapped.
    """
    title, text = (plain(part).replace(";", ",")[:_LONGEST] for part in (title, text))
    notices = [f"\x1b]9;{title}: {text}\a", f"\x1b]777;notify;{title};{text}\a"]
    if "TMUX" in environment:
        notices = ["\x1bPtmux;" + one.replace("\x1b", "\x1b\x1b") + "\x1b\\" for one in notices]
    elif environment.get("TERM", "").startswith("screen"):
        notices = [f"\x1bP{one}\x1b\\" for one in notices]
    return _BELL + "".join(notices)
