"""The views of what lies behind the explanation: one panel, which of them it shows decided by the view."""

from tui_monitor.charts.markers import MarkerSet
from tui_monitor.history.snapshot import FitSnapshot, Snapshot
from tui_monitor.run_log.events.distributions import Distributions
from tui_monitor.view.explanations import newest_answer, newest_with_distributions
from tui_monitor.view.panels.evidence.calibration import calibration_rows
from tui_monitor.view.panels.evidence.confusion import confusion_rows
from tui_monitor.view.panels.evidence.found import found_rows
from tui_monitor.view.panels.evidence.losses import losses_rows
from tui_monitor.view.panels.evidence.recall import recall_rows
from tui_monitor.view.panels.evidence.shares import label_shares_rows, shares_rows
from tui_monitor.view.panels.gap.age import age_of
from tui_monitor.view.panels.gap.empty_state import empty_state_sentences
from tui_monitor.view.text.rows import Row, Rows, heading, wrap
from tui_monitor.view.view_state import View, ViewState

_TITLES = {
    View.RECALL: "Recall and precision of each class",
    View.CONFUSION: "Which class is taken for which",
    View.CALIBRATION: "Is it right as often as it is sure?",
    View.LOSSES: "How loss is spread over samples",
    View.SHARES: "Class shares and their test",
    View.FOUND: "What was found, and where",
}
_NOTHING_HELD = "This run holds no such evidence: it was recorded before it was kept, or nothing was measured in it."


def evidence_inputs(snapshot: Snapshot, view: ViewState) -> object:
    """Return what of a snapshot decides the panel."""
    fit = view.fit_of(snapshot)
    if fit is None or not fit.explanations:
        return empty_state_sentences(snapshot, fit)
    return fit.info, len(fit.explanations), age_of(snapshot, fit)


def evidence_head(snapshot: Snapshot, view: ViewState, width: int) -> Row:
    """Return the title row, which says of what moment the evidence is and how old it is."""
    fit = view.fit_of(snapshot)
    found = newest_with_distributions(fit)
    note = ""
    if found is not None:
        age = age_of(snapshot, fit, found)
        note = f"epoch {found.epoch}{f' · {age}' if age else ''}"
    return heading(_TITLES.get(view.view, ""), note, width)


def evidence_rows(snapshot: Snapshot, view: ViewState, width: int, height: int, markers: MarkerSet) -> Rows:
    """Return the view's rows, or in a sentence why there is nothing to show."""
    fit = view.fit_of(snapshot)
    if fit is None or not fit.explanations:
        said = empty_state_sentences(snapshot, fit)
        return tuple(row for sentence in (said or (_NOTHING_HELD,)) for row in wrap(sentence, width))
    if view.view is View.RECALL:
        return recall_rows(fit, width, height, markers)
    if view.view is View.SHARES:
        return _shares(snapshot, fit, width)
    found = newest_with_distributions(fit)
    explanation = found.explanation if found is not None else None
    if explanation is None or explanation.distributions is None:
        return wrap(_NOTHING_HELD, width)
    if view.view is View.FOUND:
        return found_rows(explanation, width, markers)
    return _distribution(view.view, explanation.distributions, width, height)


def _shares(snapshot: Snapshot, fit: FitSnapshot, width: int) -> Rows:
    found = newest_with_distributions(fit)
    explanation = found.explanation if found is not None else newest_answer(snapshot, fit).explanation
    if explanation is not None and explanation.labels is not None:
        return label_shares_rows(explanation.labels, width)
    if explanation is None or explanation.classes is None:
        return wrap("Class shares are not known in this run: its samples have no classes, or none were counted.", width)
    return shares_rows(explanation, explanation.classes, width)


def _distribution(view: View, held: Distributions, width: int, height: int) -> Rows:
    if view is View.CONFUSION and held.confusion is not None:
        return confusion_rows(held.confusion, width)
    if view is View.CALIBRATION and held.calibration is not None:
        return calibration_rows(held.calibration, width)
    if view is View.LOSSES and held.losses is not None:
        return losses_rows(held.losses, width, height)
    why = {
        View.CONFUSION: "The samples of this run belong to no classes, so none can be taken for another.",
        View.CALIBRATION: "The outputs of this model are no probabilities of classes, so it is never sure of one.",
        View.LOSSES: "No sample that was measured has a finite loss.",
    }
    return wrap(why.get(view, _NOTHING_HELD), width)
