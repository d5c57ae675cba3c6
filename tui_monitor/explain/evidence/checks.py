"""Checks that are no terms of the ledger: what each saw, only where chance would show it in one run of 10 000.

`label_checks` looks at labels, `accuracy_checks` at what the reported values count, `data_checks` at the samples;
`sureness` says how sure each has to be.
"""

from tui_monitor.explain.evidence.accuracy_checks import (
    logit_threshold,
    multi_label_accuracy,
    other_accuracy,
    rare_labels,
    softmax_of_one,
    wrong_scale,
)
from tui_monitor.explain.evidence.check_results import Check
from tui_monitor.explain.evidence.data_checks import (
    changed,
    cut_validation,
    drift,
    new_training,
    not_finite,
    not_shuffled,
    padding_counted,
    penalty,
    repeated,
    rounded,
    weighted_validation,
)
from tui_monitor.explain.evidence.label_checks import label_map, label_shift, missing_classes, unrelated_labels
from tui_monitor.explain.evidence.rounding import rounding_felt
from tui_monitor.explain.samples.counted import training_counted, validation_counted
from tui_monitor.explain.samples.observed import Observed
from tui_monitor.explain.samples.probes import IN_ACCURACY, TrainingProbe, ValidationProbe


def checks(probe: TrainingProbe, validation: ValidationProbe, observed: Observed) -> tuple[Check, ...]:
    """Return what the checks found, nothing where all is as it should be; what weighs most comes first.

    Args:
        probe: at least one training sample.
        validation: at least one sample, in the order of validation.
        observed: what else is known.
    """
    of_accuracy = training_counted(probe, IN_ACCURACY), validation_counted(validation, IN_ACCURACY)
    found: list[Check | None] = [
        softmax_of_one(observed),
        logit_threshold(*of_accuracy, observed),
        other_accuracy(*of_accuracy, observed),
        multi_label_accuracy(observed),
        wrong_scale(probe, validation, observed),
    ]
    if observed.units_are_samples:
        # Time steps of one sample depend on one another: no test that counts them as single ones holds.
        found += _of_single_samples(probe, validation, observed)
    found += [
        changed(observed),
        cut_validation(observed),
        repeated(observed),
        weighted_validation(probe, validation),
        padding_counted(probe, validation, observed),
        not_finite(probe, validation),
        rounded(probe, validation, observed),
        rounding_felt(observed),
        penalty(observed),
        rare_labels(observed),
        new_training(observed),
    ]
    return tuple(check for check in found if check is not None)


def _of_single_samples(probe: TrainingProbe, validation: ValidationProbe, observed: Observed) -> list[Check | None]:
    shifted = label_shift(probe, validation)
    return [
        label_map(probe, validation),
        shifted,
        None if shifted is not None else unrelated_labels(probe, validation),
        not_shuffled(observed),
        missing_classes(probe, validation),
        drift(validation),
    ]
