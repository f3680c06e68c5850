"""Counts the test cases of one `bazel test`, for tools/test.

Usage: count_tests.py BUILD_EVENTS_JSON EXIT_STATUS_OF_BAZEL

Shows the log of each test program with a failure, lists the skipped and failed cases, then prints `N passed, N failed, N skipped` as the last line.
A target that could not be built, a test program that died or a run that broke off counts as one
failure. Exits with 0 when nothing failed, else with 1.
"""

import json
import sys
import urllib.parse
import xml.etree.ElementTree as ElementTree


class Count:
    def __init__(self):
        self.passed = 0
        self.skipped = []  # (name, reason)
        self.failed = []  # (name, reason)


def read_events(path):
    with open(path, encoding="utf-8") as events:
        return [json.loads(line) for line in events if line.strip()]


def test_reports(events):
    """(label, status, {output name: path}) of every test that was run or remembered."""
    for event in events:
        key = event.get("id", {}).get("testResult")
        if key is None:
            continue
        result = event.get("testResult", {})
        outputs = {
            output["name"]: urllib.parse.unquote(urllib.parse.urlparse(output.get("uri", "")).path)
            for output in result.get("testActionOutput", [])
        }
        yield key["label"], result.get("status", "NO_STATUS"), outputs


def unbuilt_targets(events):
    """Targets of which nothing or only a failure is known."""
    for event in events:
        key = event.get("id", {})
        if "targetCompleted" in key and not event.get("completed", {}).get("success"):
            yield key["targetCompleted"]["label"]


def skip_reason(case):
    message = case.find("skipped")
    text = case.get("result") if message is None else message.get("message") or message.text
    return " ".join((text or "no reason given").split())


def count_case(count, name, case):
    if case.find("failure") is not None or case.find("error") is not None:
        count.failed.append((name, "failed"))
    elif case.get("result") == "skipped" or case.find("skipped") is not None:
        count.skipped.append((name, skip_reason(case)))
    elif case.get("status") == "notrun":
        count.skipped.append((name, "disabled"))
    else:
        count.passed += 1


def count_report(count, label, status, path):
    """True when nothing failed."""
    before = len(count.failed)
    if path is not None:
        try:
            cases = list(ElementTree.parse(path).getroot().iter("testcase"))
        except (OSError, ElementTree.ParseError) as error:
            cases = []
            count.failed.append((label, f"unreadable report: {error}"))
        for case in cases:
            name = f"{label} {case.get('classname', '')}.{case.get('name', '')}"
            count_case(count, name, case)
    if status not in ("PASSED", "FLAKY") and len(count.failed) == before:
        count.failed.append((label, f"ended with {status}"))
    return len(count.failed) == before


def show_log(label, path):
    print(f"==== output of {label}")
    try:
        with open(path, encoding="utf-8", errors="replace") as log:
            print(log.read())
    except OSError as error:
        print(error)


def main():
    events = read_events(sys.argv[1])
    count = Count()
    for label, status, outputs in test_reports(events):
        if not count_report(count, label, status, outputs.get("test.xml")):
            show_log(label, outputs.get("test.log", ""))
    for label in unbuilt_targets(events):
        count.failed.append((label, "could not be built"))
    if int(sys.argv[2]) != 0 and not count.failed:
        count.failed.append(("bazel", f"ended with exit status {sys.argv[2]}"))

    for name, reason in count.skipped:
        print(f"skipped: {name}: {reason}")
    for name, reason in count.failed:
        print(f"failed: {name}: {reason}")
    print(f"{count.passed} passed, {len(count.failed)} failed, {len(count.skipped)} skipped")
    return 1 if count.failed else 0


if __name__ == "__main__":
    sys.exit(main())
