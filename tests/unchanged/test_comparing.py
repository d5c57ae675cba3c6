"""The proof itself: what counts as a difference, as chance, as unrecorded, and what is injected where."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.unchanged.comparing import Run, compare, differences, table
from tests.unchanged.faults.instrument import instrumented
from tests.unchanged.faults.judging import Fault, judge
from tests.unchanged.faults.reach import EVERY, FIRST, SECOND, InjectedFault, Watch, reach, watched
from tests.unchanged.fingerprint import exact, plain
from tests.unchanged.suites import TestFile, bring

_SAME = {"weights": "1 arrays ab", "exception": "", "epochs": "[0]", "attributes": "['a']"}


def _fit(number: int = 1, recorded: Any = None, **parts: str) -> dict[str, Any]:
    fingerprint = {**_SAME, **parts}
    note = {"note": "fit", "test": "t", "number": number, "depth": 0, "seconds": 1.0, "processor": 1.0}
    return {**note, "recorded": recorded, "fingerprint": fingerprint}


def _test(outcome: str = "passed") -> dict[str, Any]:
    return {"note": "test", "test": "t", "when": "call", "outcome": outcome, "said": ""}


def _run(*notes: Any, code: int = 0) -> Run:
    return Run(notes, code, 1.0)


def test_every_kind_of_difference_is_found() -> None:
    """Another outcome, another part, a missing fit and an end of the whole process are differences; equal runs none."""
    same = _run(_test(), _fit())
    assert differences(same, same) == []
    cases = {
        "outcome": _run(_test("failed"), _fit()),
        "weights": _run(_test(), _fit(weights="1 arrays cd")),
        "attributes": _run(_test(), _fit(attributes="['a', 'b']")),
        "fit": _run(_test()),
    }
    for what, other in cases.items():
        assert [found.what for found in differences(same, other)] == [what]
    assert differences(same, _run(_test(), _fit(), code=-11))[0].recorded == "exit code -11"


def test_what_differs_between_two_bare_runs_is_no_difference() -> None:
    """A fit that is random bare is called not deterministic, and only that fit."""
    bare, again = _run(_fit(), _fit(2)), [_run(_fit(), _fit(2)), _run(_fit(weights="other"), _fit(2))]
    recorded = _run(_fit(weights="third"), _fit(2, weights="wrong"))
    comparison = compare("file", bare, recorded, again)
    assert comparison.differing_fits == {("t", 2)}
    assert [found.fit for found in comparison.random] == [1]


def test_modules_of_a_checkout_are_looked_for_where_they_are_installed(tmp_path: Path) -> None:
    """Imports of modules and modules named without one are led to the installed ones; the public API is left alone."""
    file = tmp_path / "some_test.py"
    file.write_text(
        "import tf_keras as keras\nfrom tf_keras.engine import training\n"
        "keras.utils.data_utils.Sequence, keras.utils.to_categorical\n"
    )
    brought = bring(TestFile(file, "some_test.py"), tmp_path / "brought")
    assert brought.read_text() == (
        "import tf_keras as keras\nfrom tf_keras.src.engine import training\n"
        "keras.src.utils.data_utils.Sequence, keras.utils.to_categorical\n"
    )


def test_a_fit_that_the_run_says_nothing_of_is_unrecorded() -> None:
    """A fit in the run, one with a sentence, one that raised and one without epochs are all accounted for."""
    silent, known = {"fits": 0, "sentences": []}, {"fits": 1, "sentences": []}
    said = {"fits": 0, "sentences": ["Recording stopped: …"]}
    notes = (
        _fit(1, silent),
        _fit(2, known),
        _fit(3, said),
        _fit(4, silent, exception="ValueError"),
        _fit(5, silent, epochs="[]"),
    )
    comparison = compare("file", _run(*notes), _run(*notes))
    assert comparison.unrecorded == [("t", 1)]
    assert [number for _, number, _ in comparison.stopped] == [3]
    assert table([comparison])[-1].startswith("| **all** | 0 | 5 | 0 | 0 | 0 | 0 | 1 | 1 |")


def test_a_fingerprint_tells_bits_and_types_apart_but_no_addresses() -> None:
    """The next float and another type are others; an address and a temporary folder are not."""
    assert exact(1.0) != exact(1.0000000000000002)
    assert exact(1.0) != exact(1)
    assert plain("<f at 0x7f00deadbeef> in /tmp/abc/x.py") == plain("<f at 0x7f11deadbeef> in /tmp/def/x.py")


_SOURCE = '''"""Module."""
from __future__ import annotations
import functools

class C:
    """Class."""
    size = property(lambda self: 3)

    def method(self):
        """Docstring."""
        def inner():
            yield 1
        return list(inner())

def guard():
    """Guards itself."""
    try:
        return 1
    except Exception:
        return 2
'''


def test_every_function_of_a_module_calls_reach_first() -> None:
    """Methods, nested functions, generators, lambdas and guards do what they did, and raise where they are to."""
    source, functions = instrumented(_SOURCE, "m")
    assert functions == ["m.C.<lambda>:7", "m.C.method", "m.C.method.inner", "m.guard"]
    namespace: dict[str, Any] = {}
    exec(compile(source, "m.py", "exec"), namespace)
    thing = namespace["C"]()
    with watched(Watch()) as watch:
        assert (thing.method(), thing.size) == ([1], 3)
    assert dict(watch.calls) == dict.fromkeys(functions[:3], 1)
    assert namespace["C"].method.__doc__ == "Docstring."
    with watched(Watch("m.guard", EVERY)):
        assert namespace["guard"]() == 2
    for function in functions[:3]:
        with watched(Watch(function, FIRST)), pytest.raises(InjectedFault, match="injected into"):
            _ = thing.method(), thing.size


def test_a_fault_is_injected_into_the_calls_that_are_to_fail() -> None:
    """The first, the second or every call fails, and none outside of a watch."""
    for mode, failing in ((FIRST, [1]), (SECOND, [2]), (EVERY, [1, 2, 3])):
        failed = []
        with watched(Watch("f", mode)):
            for call in (1, 2, 3):
                try:
                    reach("f")
                except InjectedFault:
                    failed.append(call)
        assert failed == failing
    reach("f")


@dataclass
class _Shown:
    parts: dict[str, str] = field(default_factory=lambda: {"weights": "a", "functions": "f"})
    sentences: list[str] = field(default_factory=lambda: ["Recording stopped: …"])
    held: str = "1 fit"
    escaped: list[str] = field(default_factory=list)


def test_a_fault_is_harmless_only_if_training_is_the_same_and_the_run_says_so() -> None:
    """Another weight, a thread that died, silence over something lost and a second sentence are all told."""
    bare, fault = {"weights": "a", "functions": "f"}, Fault("plain", "tui_monitor.training.x.f", EVERY)

    def verdict(shown: _Shown) -> tuple[int, str]:
        judged = judge(fault, 1, shown, bare, bare, "2 fits")
        return len(judged.problems), judged.silence

    assert verdict(_Shown()) == (0, "")
    assert verdict(_Shown(parts={"weights": "b", "functions": "f"})) == (1, "")
    assert verdict(_Shown(escaped=["injected into f"])) == (1, "")
    assert verdict(_Shown(sentences=[])) == (0, "no sentence, though the run holds 1 fit for 2 fits")
    assert verdict(_Shown(sentences=[], held="2 fits")) == (0, "")
    assert verdict(_Shown(sentences=["one", "two"])) == (0, "2 sentences")


def test_hooks_that_stand_only_in_part_are_a_fault() -> None:
    """All of them may stand, none, or exactly those of callbacks."""
    every = "k.CallbackList.on_epoch_end, k.CallbackList.on_train_end, k.Mean.update_state, k.Trainer.fit"
    of_callbacks = "k.CallbackList.on_epoch_end, k.CallbackList.on_train_end, k.Trainer.fit"
    fault = Fault("watch()", "tui_monitor.training.x.f", EVERY)
    allowed = {}
    for hooks in (every, "", of_callbacks, "k.CallbackList.on_epoch_end, k.Trainer.fit", "k.Mean.update_state"):
        shown = _Shown(parts={"patched": hooks})
        allowed[hooks] = not judge(fault, 1, shown, {"patched": ""}, {"patched": every}, "").problems
    assert list(allowed.values()) == [True, True, True, False, False]
