"""`Admission` keeps what costs clearly more than a check, and gives up on what does not."""

from __future__ import annotations

from proxydb.cache.admission import CLEAR, ENOUGH, FIRST_RETRIAL, RETRIAL, SURE, TRIALS, UNUSED, Admission

CHECK = 1000
CHEAP, DEAR = 2 * CHECK, 2 * CHECK + 1
CLEARLY_DEAR, SURELY_DEAR = CLEAR * CHEAP + 1, SURE * CHEAP + 1


def _after(*runs: int, ratio: float = 2.0) -> Admission:
    admission = Admission(ratio)
    for nanoseconds in runs:
        admission.measure(nanoseconds, CHECK)
    return admission


def test_new_statement_is_not_refused() -> None:
    """A statement that has not run yet is not refused."""
    assert not Admission(2.0).refused


def test_cheap_run_is_not_kept() -> None:
    """A run that takes no more than the ratio's many checks is not worth keeping."""
    assert not Admission(2.0).measure(CHEAP, CHECK)


def test_much_dearer_run_is_kept_at_once() -> None:
    """A first run that is far above the threshold is kept."""
    assert Admission(2.0).measure(SURELY_DEAR, CHECK)


def test_first_dear_run_is_not_kept() -> None:
    """A single run a little above the threshold may be noise."""
    assert not Admission(2.0).measure(DEAR, CHECK)


def test_repeated_dear_runs_are_kept() -> None:
    """Runs that stay above the threshold are kept."""
    assert _after(*[DEAR] * (ENOUGH - 1)).measure(DEAR, CHECK)


def test_fewer_dear_runs_are_not_kept() -> None:
    """Fewer of them are not."""
    assert not _after(*[DEAR] * (ENOUGH - 2)).measure(DEAR, CHECK)


def test_second_clearly_dear_run_is_kept() -> None:
    """Two runs in a row that are clearly above the threshold are enough."""
    assert _after(CLEARLY_DEAR).measure(CLEARLY_DEAR, CHECK)


def test_one_clearly_dear_run_is_not_kept() -> None:
    """One of them may have been interrupted."""
    assert not _after(DEAR).measure(CLEARLY_DEAR, CHECK)


def test_cheap_run_between_starts_anew() -> None:
    """Dear runs count only in a row."""
    assert not _after(*[CLEARLY_DEAR] * ENOUGH, CHEAP).measure(CLEARLY_DEAR, CHECK)


def test_cheap_runs_in_a_row_refuse() -> None:
    """As many cheap runs in a row as there are trials refuse the statement."""
    assert _after(*[CHEAP] * TRIALS).refused


def test_fewer_cheap_runs_do_not_refuse() -> None:
    """Fewer cheap runs than there are trials refuse nothing."""
    assert not _after(*[CHEAP] * (TRIALS - 1)).refused


def test_dear_run_between_cheap_ones() -> None:
    """One dear run forgives the cheap ones before it."""
    assert not _after(*[CHEAP] * (TRIALS - 1), DEAR, CHEAP).refused


def test_retry_measures_again() -> None:
    """After `retry` the statement is not refused."""
    admission = _after(*[CHEAP] * TRIALS)
    admission.retry()
    assert not admission.refused


def test_retry_lasts_for_one_run() -> None:
    """One cheap run after `retry` refuses the statement again."""
    admission = _after(*[CHEAP] * TRIALS)
    admission.retry()
    admission.measure(CHEAP, CHECK)
    assert admission.refused


def test_ratio_of_nothing_keeps_everything() -> None:
    """With ``admission=0`` any run that took time is kept."""
    assert Admission(0).measure(1, CHECK)


def test_run_without_a_result_is_cheap() -> None:
    """A run whose rows cannot be kept is measured as nothing, and is never worth keeping."""
    assert _after(*[0] * TRIALS, ratio=0).refused


def _keeping(times: int, *, used: bool, ratio: float = 2.0) -> Admission:
    admission = Admission(ratio)
    for _ in range(times):
        admission.kept(used=used)
    return admission


def test_results_that_nobody_asks_for() -> None:
    """As many as that in a row are kept in vain, fewer are not."""
    assert [_keeping(times, used=False).in_vain for times in (UNUSED - 1, UNUSED)] == [False, True]


def test_results_that_are_asked_for() -> None:
    """One that was asked for starts the count anew."""
    admission = _keeping(UNUSED, used=False)
    admission.kept(used=True)
    assert (_keeping(UNUSED, used=True).in_vain, admission.in_vain) == (False, False)


def test_nothing_is_in_vain_when_everything_is_to_be_kept() -> None:
    """With a ratio of 0 nothing is left out."""
    assert not _keeping(UNUSED, used=False, ratio=0).in_vain


def test_runs_near_the_threshold_are_measured_again_soon() -> None:
    """What is kept for runs a little above the threshold is measured again after few answers, then after ever more."""
    assert [_after(*[DEAR] * runs).retrial // FIRST_RETRIAL for runs in (0, 1, 2, 3)] == [1, 2, 4, 8]


def test_retrials_become_no_rarer_than_others() -> None:
    """It is measured again at least as often as what is clearly above the threshold."""
    assert _after(*[DEAR] * 20).retrial == _after(CLEARLY_DEAR).retrial == RETRIAL


def test_a_cheap_run_makes_retrials_frequent() -> None:
    """After a cheap run there is doubt again."""
    assert _after(*[CLEARLY_DEAR] * ENOUGH, CHEAP).retrial == FIRST_RETRIAL
