"""What to do next about each cause, as one concrete step, with the line of code that does it."""

from collections.abc import Sequence
from dataclasses import dataclass

from tui_monitor import units
from tui_monitor.explain.evidence.check_results import MISREAD
from tui_monitor.explain.words.causes_within import labels_apart, leading_part
from tui_monitor.explain.words.checked import checked
from tui_monitor.explain.words.facts import Facts, main_term, term_of
from tui_monitor.run_log.events.explanation import Stratified
from tui_monitor.run_log.events.ledger import LAG, OWN_NOISE, Cause, Ledger
from tui_monitor.run_log.events.opened import CopiedSample, FoundLeak

_MOST_SAMPLES_WORTH_ASKING = 10_000_000


@dataclass(frozen=True)
class Advice:
    """One step."""

    short: str
    """For the one line under the verdict: imperative, without a full stop."""
    sentence: str
    """The step with its reason or its values."""
    code: str = ""
    """What does it, lines of Python; empty where there is nothing to type."""


def advice(cause: Cause, facts: Facts) -> Advice:
    """Return the step for a cause, given which way it works here."""
    return {
        Cause.IN_EPOCH_AVERAGING: _in_epoch_averaging,
        Cause.TRAIN_MODE_LAYERS: _train_mode_layers,
        Cause.SAMPLE_WEIGHTS: _sample_weights,
        Cause.BATCH_AVERAGING: _batch_averaging,
        Cause.CLASS_MIX: _class_mix,
        Cause.LEAKED: _leaked,
        Cause.INPUT_SCALE: _input_scale,
        Cause.UNFAMILIAR: _unfamiliar,
        Cause.MEMORISED: _memorised,
        Cause.WITHIN_CLASS: _within_class,
        Cause.MEASUREMENT: _measurement,
    }[cause](facts)


def next_step(facts: Facts) -> str:
    """Return the steps for the main causes of both gaps in one line, or what would settle a gap within chance."""
    if labels_apart(facts):
        return next(finding.advice for finding in map(checked, facts.checks) if finding.cause in _OF_LABELS)
    # A leak hides how bad validation is, whatever else is the main cause.
    leaks = any(isinstance(check, FoundLeak) for check in facts.checks)
    steps = [_short(checked(check).advice) for check in facts.checks if isinstance(check, MISREAD)][:1]
    steps += [advice(Cause.LEAKED, facts).short] if leaks else []
    for ledger in (facts.loss, facts.accuracy):
        term = main_term(ledger)
        if term is not None and (step := _timely(term.cause, facts)) not in steps:
            steps.append(step)
    if not steps and facts.checks:
        return checked(facts.checks[0]).advice
    if not steps:
        needed = samples_to_settle(facts)
        return f"Validate on about {units.count(needed)} samples to tell these gaps from chance." if needed else ""
    text = "; ".join(steps)
    return text[0].upper() + text[1:] + "."


def _timely(cause: Cause, facts: Facts) -> str:
    """Return a cause's step; nobody has to regularise a model whose gaps are no more than chance."""
    step = advice(cause, facts).short
    gaps = [ledger.within_noise for ledger in (facts.loss, facts.accuracy) if ledger is not None]
    changes_the_model = cause in _OF_THE_MODEL and _effect(facts, cause) < 0
    return f"if the gaps grow, {step}" if changes_the_model and all(gaps) else step


def _short(sentences: str) -> str:
    """Return the first of some sentences as a step among others."""
    first = sentences.split(". ", maxsplit=1)[0].removesuffix(".")
    return first[0].lower() + first[1:]


_OF_THE_MODEL = (Cause.WITHIN_CLASS, Cause.MEMORISED)
"""Causes whose step changes the model, which costs more than looking at data."""
_OF_LABELS = ("label_map", "labels_shifted")
"""Checks whose finding explains the gap whatever the ledger calls it."""


def samples_to_settle(facts: Facts) -> int | None:
    """Return how many validation samples would tell every gap within chance from 0, or None where none would do."""
    ledgers = [ledger for ledger in (facts.loss, facts.accuracy) if ledger is not None and ledger.within_noise]
    needed = [ledger.samples_to_settle for ledger in ledgers]
    known = [number for number in needed if number is not None]
    if not known or len(known) < len(needed) or max(known) > _MOST_SAMPLES_WORTH_ASKING:
        return None
    return _rounded(max(known))


def _rounded(number: int) -> int:
    """Return a number rounded up to two significant digits: an estimate is not exact to the sample."""
    unit = int(10 ** max(0, len(str(number)) - 2))
    return -(-number // unit) * unit


def _effect(facts: Facts, cause: Cause) -> float:
    """Return which way a cause moves the losses; where only accuracy moves, the way that would go with it."""
    loss, accuracy = term_of(facts.loss, cause), term_of(facts.accuracy, cause)
    named = [ledger for ledger in (facts.loss, facts.accuracy) if _is_main(ledger, cause)]
    if named == [facts.accuracy] and accuracy is not None:
        return -(accuracy.effect or 0.0)
    if loss is not None and loss.effect:
        return loss.effect
    return -(accuracy.effect or 0.0) if accuracy is not None else 0.0


def _is_main(ledger: Ledger | None, cause: Cause) -> bool:
    term = main_term(ledger)
    return term is not None and term.cause is cause


def _in_epoch_averaging(facts: Facts) -> Advice:
    return Advice(
        "compare with `model.evaluate` on training data",
        "Compare with the training value at the epoch's end; the gap closes as learning slows.",
        "model.evaluate(x_train, y_train)",
    )


def _train_mode_layers(facts: Facts) -> Advice:
    part = leading_part(facts)
    if part is not None and part.kind == LAG:
        return _batch_norm_lag(facts)
    if part is not None and part.kind == OWN_NOISE:
        return Advice(
            "use larger batches, or `LayerNormalization`",
            "Single batches are too small for batch norm's statistics: use larger batches, or a normalisation that "
            "looks at one sample.",
            "keras.layers.LayerNormalization()",
        )
    if _effect(facts, Cause.TRAIN_MODE_LAYERS) < 0:
        return Advice(
            "lower batch norm's `momentum` or use larger batches",
            "Training mode does better than inference mode: batch norm's moving statistics lag behind its batches. "
            "Lower `momentum`, use larger batches or train longer.",
            "keras.layers.BatchNormalization(momentum=0.9)",
        )
    return Advice(
        "compare both sides in inference mode with `model.evaluate`",
        "Compare both sides in inference mode; this part of the gap is no fault of the model.",
        "model.evaluate(x_train, y_train)",
    )


def _batch_norm_lag(facts: Facts) -> Advice:
    lag = facts.opened.batch_norm if facts.opened is not None else None
    sentence = "Batch norm's moving statistics lag behind the weights: lower `momentum`, or train for more steps."
    if lag is not None:
        steps = units.count(_rounded(round(lag.steps_to_follow)))
        sentence += f" With this momentum they need about {steps} steps to follow."
        if lag.val_loss is not None:
            sentence += f" With statistics of now val_loss would be {lag.val_loss:.3f}."
    return Advice("lower batch norm's `momentum`", sentence, "keras.layers.BatchNormalization(momentum=0.9)")


def _sample_weights(facts: Facts) -> Advice:
    code = 'model.compile(optimizer, loss, metrics=["accuracy", "crossentropy"])'
    sentence = "Report the unweighted loss beside the weighted one."
    weights = facts.class_weights
    if weights is not None and set(weights) == {0, 1} and min(weights.values()) > 0:
        threshold = weights[1] / (weights[0] + weights[1])
        sentence += (
            f" The weights shift the probabilities: where every mistake costs the same, class 1 begins at "
            f"{threshold:.2f}, not 0.50."
        )
        code += f"\npredicted = probability_of_class_1 > {threshold:.2f}"
    return Advice("report the unweighted loss beside the weighted one", sentence, code)


def _batch_averaging(facts: Facts) -> Advice:
    return Advice(
        "weight each batch by its size",
        "Weight each batch by its size in the training value, or train with equal batches.",
        "loss_tracker.update_state(loss, sample_weight=tf.shape(x)[0])",
    )


def _class_mix(facts: Facts) -> Advice:
    sentence = "Shuffle and split by class (`validation_split` takes the last samples as they come)."
    if facts.stratified is not None:
        sentence += " " + stratified_sentence(facts.stratified)
    return Advice(
        "split with `stratify` and judge by recall",
        sentence,
        "train_test_split(x, y, stratify=labels)",
    )


def stratified_sentence(stratified: Stratified) -> str:
    """Return what validation would have shown at training's class shares."""
    loss = f"loss {stratified.loss:.3f} [{stratified.loss_low:.3f}, {stratified.loss_high:.3f}]"
    parts = [loss]
    if stratified.accuracy is not None:
        low, high = stratified.accuracy_low or 0.0, stratified.accuracy_high or 0.0
        parts.append(f"accuracy {stratified.accuracy:.3f} [{low:.3f}, {high:.3f}]")
    return f"At training's class shares validation shows {' and '.join(parts)}."


def _leaked(facts: Facts) -> Advice:
    leak = facts.opened.leak if facts.opened is not None else None
    examples = "" if leak is None else f" The first are validation samples {_listed(leak.examples)}."
    return Advice(
        "take samples that stand in training out of validation (`GroupShuffleSplit` keeps copies on one side)",
        "Take the copies out of validation, and split so that copies stay on one side: by patient, recording, author "
        f"or document.{examples}",
        "GroupShuffleSplit(test_size=0.2).split(x, y, groups)",
    )


def _listed(examples: Sequence[CopiedSample]) -> str:
    return ", ".join(str(example.validation) for example in examples[:5])


def _input_scale(facts: Facts) -> Advice:
    scale = facts.opened.scale if facts.opened is not None else None
    code = _SCALE_LAYERS.get(scale.pattern, "") if scale is not None else ""
    return Advice(
        "prepare both sides' inputs with the same code" + (f", such as `{code}`" if code else ""),
        "Prepare both sides' inputs with the same code, best as layers of the model, so that neither can lack it.",
        code or "normalization = keras.layers.Normalization(); normalization.adapt(x_train)",
    )


_SCALE_LAYERS = {
    "x / 255": "keras.layers.Rescaling(1 / 255)",
    "x * 255": "keras.layers.Rescaling(1 / 255)",
    "x / 127.5 - 1": "keras.layers.Rescaling(1 / 127.5, offset=-1)",
    "(x + 1) * 127.5": "keras.layers.Rescaling(1 / 127.5, offset=-1)",
}
"""Layers that bring inputs of both sides to one scale, by the pattern that was found."""


def _unfamiliar(facts: Facts) -> Advice:
    if _effect(facts, Cause.UNFAMILIAR) < 0:
        return Advice(
            "look for what sets validation's samples and labels apart",
            "Look for what sets validation apart: where and when its samples were collected, how they were labelled, "
            "what training's pipeline alone does to them. Split at random where both sides should be alike.",
            "train_test_split(x, y, stratify=labels, shuffle=True)",
        )
    return Advice(
        "look for augmentation or label noise in training alone",
        "Validation is easier for a model that knows neither side: look for augmentation or noisy labels in training "
        "alone, and for easier samples in validation.",
        "train_test_split(x, y, stratify=labels, shuffle=True)",
    )


def _memorised(facts: Facts) -> Advice:
    return Advice(
        "regularise, stop earlier (`EarlyStopping`) or add data",
        "Regularise, stop where validation loss is lowest, or add data.",
        "keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)",
    )


def _within_class(facts: Facts) -> Advice:
    if _effect(facts, Cause.WITHIN_CLASS) < 0:
        return Advice(
            "regularise, stop earlier (`EarlyStopping`) or add data",
            "Regularise, stop earlier or add data; check that validation's labels are as clean as training's.",
            "keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)",
        )
    return Advice(
        "look for duplicates, and for noise in training alone",
        "Look for samples that are in both sets, and for label noise or augmentation in training alone.",
        "len({x.tobytes() for x in x_train} & {x.tobytes() for x in x_val})",
    )


def _measurement(facts: Facts) -> Advice:
    return Advice(
        "measure more with --probe-budget 0.05",
        "Raise the probe budget to measure more of validation.",
        "tui-monitor run --probe-budget 0.05 train.py",
    )
