"""What a headline claims, read back from its words alone, and whether the values say the same."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_SUBJECTS = {
    "the running average": "in_epoch_averaging",
    "layers that act in training": "train_mode_layers",
    "class weights": "sample_weights",
    "sample weights": "sample_weights",
    "the mean of batch means": "batch_averaging",
    "validation holds": "class_mix",
    "class for class": "within_class",
    "an unexplained rest": "measurement",
    "that batch norm": "train_mode_layers",
}
_LISTED = {
    "averaging": "in_epoch_averaging",
    "dropout / batch norm": "train_mode_layers",
    "class weights": "sample_weights",
    "sample weights": "sample_weights",
    "mean of batch means": "batch_averaging",
    "class mix": "class_mix",
    "within class": "within_class",
    "unexplained rest": "measurement",
}
_UP_IN_TRAINING = {"raise": 1, "raises": 1, "lower": -1, "lowers": -1}
_ON_VALIDATION = {"costs": 1, "gives": -1, "lowers": 1, "raises": -1, "lower": 1, "higher": -1}
_NUMBER = r"([\d.]+)"

_TOLD = (
    (rf"(\w+) the training accuracy by {_NUMBER} points", "accuracy", _UP_IN_TRAINING),
    (rf"(costs|gives) it {_NUMBER} points of accuracy", "accuracy", _ON_VALIDATION),
    (rf"(lowers|raises) its loss by {_NUMBER}", "loss", _ON_VALIDATION),
    (rf"(lowers|raises) val_loss by {_NUMBER}", "loss", _ON_VALIDATION),
    (rf"(lowers|raises) val_accuracy by {_NUMBER} points", "accuracy", _ON_VALIDATION),
    (rf"\(?loss {_NUMBER} (lower|higher)", "loss", _ON_VALIDATION),
    (rf"accuracy {_NUMBER} points (lower|higher)", "accuracy", _ON_VALIDATION),
)
"""What clauses say, the metric, and the sign of training minus validation that goes with each word."""


@dataclass(frozen=True)
class Claim:
    """One amount that a clause gives to a cause, with the sign of training minus validation."""

    cause: str
    metric: str
    sign: int
    amount: str
    """As written: nats with three decimals, or points with one."""


def claims(headline: str) -> list[Claim]:
    """Return everything that a headline claims of a cause."""
    return [claim for clause in headline.rstrip(".").split("; ") for claim in _clause_claims(clause)]


def _clause_claims(clause: str) -> list[Claim]:
    text = clause[0].lower() + clause[1:]
    listed = re.match(r"(loss|accuracy) gap: (.*)", text)
    if listed is not None:
        metric, amounts = listed.groups()
        named = re.findall(rf"([a-z /-]+?) ([+−]){_NUMBER}", amounts.removesuffix(" points"))
        return [Claim(_LISTED[name.strip()], metric, 1 if s == "+" else -1, amount) for name, s, amount in named]
    brief = re.match(rf"({'|'.join(_LISTED)}): (.*)", text)
    if brief is not None:
        amounts = re.findall(rf"(loss|accuracy) gap ([+−]){_NUMBER}", brief[2])
        return [Claim(_LISTED[brief[1]], metric, 1 if s == "+" else -1, amount) for metric, s, amount in amounts]
    cause = next((cause for words, cause in _SUBJECTS.items() if text.startswith(words)), None)
    if cause is None:
        return []
    found = []
    for verb, sign, amount in re.findall(rf"(\w+) (?:only )?the training loss \(([+−]){_NUMBER}\)", text):
        assert _UP_IN_TRAINING[verb] == (1 if sign == "+" else -1), clause
        found.append(Claim(cause, "loss", _UP_IN_TRAINING[verb], amount))
    for pattern, metric, signs in _TOLD:
        for how, amount in (sorted(match, key=_is_number) for match in re.findall(pattern, text)):
            found.append(Claim(cause, metric, signs[how], amount))
    return found


def _is_number(word: str) -> bool:
    return word[0].isdigit()


def faults(explanation: Mapping[str, Any]) -> list[str]:
    """Return where an explanation's verdict and headline differ from its own values; empty where they agree.

    Args:
        explanation: as `explain --json` prints it.
    """
    found = _verdict_faults(explanation)
    claimed = claims(explanation["headline"])
    for claim in claimed:
        term = next(term for term in explanation[claim.metric]["terms"] if term["cause"] == claim.cause)
        if claim.amount != _written(claim.metric, term["effect"]):
            found.append(f"{claim}: the effect is {term['effect']}")
        if claim.sign * term["effect"] <= 0:
            found.append(f"{claim}: the effect has the other sign")
        if term["verdict"] not in ("main", "contributes", "offsets"):
            found.append(f"{claim}: its verdict is {term['verdict']}")
    for metric in ("loss", "accuracy"):
        for term in (explanation[metric] or {"terms": []})["terms"]:
            named = any(claim.cause == term["cause"] and claim.metric == metric for claim in claimed)
            if term["verdict"] == "main" and not named:
                found.append(f"{term['cause']} is the main cause of the {metric} gap and is not named")
    return found


def unnamed_of_like_size(explanation: Mapping[str, Any]) -> list[str]:
    """Return the causes at least half as large as the largest of their ledger of which the headline says nothing."""
    claimed = {(claim.cause, claim.metric) for claim in claims(explanation["headline"])}
    found = []
    for metric in ("loss", "accuracy"):
        terms = (explanation[metric] or {"terms": []})["terms"]
        named = [term for term in terms if term["verdict"] in ("main", "contributes", "offsets")]
        least = max((abs(term["effect"]) for term in named), default=0.0) / 2
        like = [term["cause"] for term in named if abs(term["effect"]) >= least]
        found += [f"{cause} of {metric}" for cause in like if (cause, metric) not in claimed]
    return found


def _verdict_faults(explanation: Mapping[str, Any]) -> list[str]:
    found = []
    verdict = explanation["verdict"]
    for metric in ("loss", "accuracy"):
        ledger = explanation[metric]
        if ledger is None or ledger["gap"] is None:
            continue
        expected = f"{metric} is {_compared(metric, ledger['gap'])}"
        expected += " (within chance)" if ledger["within_noise"] else ""
        if expected not in verdict:
            found.append(f"verdict {verdict!r} does not say {expected!r}")
    if ", yet " in verdict and not explanation["paradox"]:
        found.append("the verdict claims a paradox that is not reported")
    return found


def _compared(metric: str, gap: float) -> str:
    """Return how validation's value lies to training's: the same where the digits that are shown are all 0."""
    way = "lower" if gap > 0 else "higher"
    if metric == "accuracy":
        points = _written(metric, gap)
        return "the same" if points == "0.0" else f"{points} points {way}"
    if gap == 0:
        return "the same"
    loss = _written(metric, gap)
    # Too small for three decimals, a loss is written in powers of ten.
    return f"{loss if float(loss) else f'{abs(gap):.2e}'.replace('e-0', 'e-')} {way}"


def _written(metric: str, amount: float) -> str:
    return f"{abs(amount):.3f}" if metric == "loss" else f"{abs(amount) * 100:.1f}"
