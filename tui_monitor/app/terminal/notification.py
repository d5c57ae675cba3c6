"""What rings a terminal and shows a notification on the machine that it runs on, through SSH too."""

from collections.abc import Mapping

from tui_monitor.view.text.rows import plain

_BELL = "\a"
_LONGEST = 200


def notification(title: str, text: str, environment: Mapping[str, str]) -> str:
    """Return the bell with the two usual notifications (OSC 9 and OSC 777), with no control character in their texts.

    Args:
        title: of the notification; OSC 9 has none.
        text: of the notification.
        environment: says whether tmux or screen lies between, which pass on only what is wrapped.
    """
    # A semicolon separates the fields of OSC 777, and a control character would end or escape the sequence.
    title, text = (plain(part).replace(";", ",")[:_LONGEST] for part in (title, text))
    sequences = [f"\x1b]9;{title}: {text}\a", f"\x1b]777;notify;{title};{text}\a"]
    # tmux first: it sets TERM to screen, too. Within its wrapping it takes a doubled escape for a single one.
    if "TMUX" in environment:
        sequences = ["\x1bPtmux;" + one.replace("\x1b", "\x1b\x1b") + "\x1b\\" for one in sequences]
    elif environment.get("TERM", "").startswith("screen"):
        sequences = [f"\x1bP{one}\x1b\\" for one in sequences]
    return _BELL + "".join(sequences)
