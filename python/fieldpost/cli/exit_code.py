"""The exit codes that scripts may rely on."""

from __future__ import annotations

from fieldpost import AuthError, FieldpostError, Report

DONE, DEFECT, CONFIGURATION, SIGN_IN, EVENTS, DESTINATION, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130

# Its own time, stop_when or the day's cap: the destination answers.
_ENDED_EARLY = ("E731", "E732", "E734")
_DESTINATION_ILL = ("E501", "E502", "E503", "E505")
_TOKEN_ENDPOINT_DOWN = ("E602", "E604")


def of_error(error: FieldpostError) -> int:
    """2 configuration, source or ledger; 3 sign-in refused; 5 what answers is not as it should."""
    if isinstance(error, AuthError):
        return DESTINATION if error.unreachable else SIGN_IN
    return DESTINATION if error.code in _DESTINATION_ILL else CONFIGURATION


def of_report(report: Report, tolerated: float = 0.0) -> int:
    """0 all delivered, or why not. tolerated: share of failures that counts as none."""
    if report.interrupted:
        return INTERRUPTED
    if report.stopped is not None:
        code = report.stopped.code
        if code in _ENDED_EARLY or _is_the_files(report):
            return EVENTS
        if code in _TOKEN_ENDPOINT_DOWN or not code.startswith(("E6", "E8")):
            return DESTINATION
        return SIGN_IN if code.startswith("E6") else CONFIGURATION
    if report.dry_run and report.failed == report["waiting"]:
        return DONE
    return EVENTS if report.failed_share > tolerated else DONE


def _is_the_files(report: Report) -> bool:
    """Whether the run came to nothing because of bodies that the destination does not know."""
    paused = [one.paused for one in report.subscriptions.values() if one.paused is not None]
    told = [one for one in paused if report.stopped and one.code == report.stopped.code]
    return bool(told) and all(one.action_needed.startswith("mapping") for one in told)
