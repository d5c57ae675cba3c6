"""What an exception says, in words for a run's sentences: exceptions are anybody's, and may say nothing, or pages."""

from typing import Final

_MOST_OF_A_LINE: Final = 300
_MOST: Final = 4000


def text_of(error: BaseException) -> str:
    """Return what an exception says, in characters that every file can hold; empty where asking it fails."""
    try:
        text = str(error)
    except Exception:  # the class is the script's
        return ""
    return _cut(text.encode("utf-8", errors="backslashreplace").decode(), _MOST)


def in_words(error: BaseException) -> str:
    """Return an exception's type and what it says, as Python ends a traceback: `ValueError: no such column`."""
    text = text_of(error)
    return f"{type(error).__name__}: {text}" if text.strip() else type(error).__name__


def in_a_line(error: BaseException) -> str:
    """Return the same for use inside a sentence: on one line, without its end, and not more than a sentence bears."""
    return _cut(" ".join(in_words(error).split()).rstrip(".:"), _MOST_OF_A_LINE)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
