"""Reads JSON lines {"rule", "start"}, answers JSON lines: the first instances that python-dateutil finds before 2095, an empty list for a rule it finds empty, null past ten milliseconds of CPU time."""
import itertools
import json
import signal
import sys
from datetime import datetime

from dateutil.rrule import rrulestr


def give_up(_signal, _frame):
    raise TimeoutError


signal.signal(signal.SIGVTALRM, give_up)
for line in sys.stdin:
    case = json.loads(line)
    start = datetime.fromisoformat(case["start"])
    # It may also ring while it is being stopped.
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.01)
        try:
            found = itertools.takewhile(lambda at: at.year < 2095, rrulestr(case["rule"], dtstart=start))
            answer = [at.isoformat() for at in itertools.islice(found, case["count"])]
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    except TimeoutError:
        answer = None
    except ValueError as error:
        answer = [] if "empty" in str(error) else [str(error)]
    print(json.dumps(answer))
