"""One record as a web page: a single file without scripts, to attach to a run or an issue.

It needs jinja2, which nothing else here does.
"""

from __future__ import annotations

import importlib
from typing import Any

from reports.cause import description
from reports.causes import causes
from reports.errors import MissingExtra
from reports.record import Record
from reports.rows import FINDING, KNOWN_DEFECT, PASS
from reports.tally import by_behaviour, outcome_counts, percent, short, tally
from reports.visible import visible

TEMPLATE = """\
<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ header.subject }} on torch {{ header.torch }}</title>
<style>
  body { font: 15px/1.45 system-ui, sans-serif; max-width: 72rem; }
  body { margin: 2rem auto; padding: 0 1rem; }
  table { border-collapse: collapse; margin: .5rem 0 1.5rem; }
  th, td { border-bottom: 1px solid #ccc; padding: .25rem .75rem; text-align: left; }
  td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
  code { font-size: .9em; overflow-wrap: anywhere; }
  .finding { background: #fde2e0; }
  .known_defect { background: #fff3cd; }
</style>
<h1>{{ header.subject }} on torch {{ header.torch }}</h1>
<p>Tier {{ header.tier }}{% if header.selection is not none %}, selection
<code>{{ header.selection }}</code>{% endif %}, seed {{ header.seed }}; suite {{ header.suite }},
Python {{ header.python }}, NumPy {{ header.numpy }}, {{ header.platform }}, {{ header.threads }}
threads; pytest exit status {{ footer.exit }}.</p>
<p>{{ total.cases }} cases: {{ total.outcomes[PASS] }} pass,
{{ total.outcomes[KNOWN_DEFECT] }} show a known defect, {{ total.outcomes[FINDING] }} are findings.
{{ total.forwards }} forwards checked, {{ footer.compared }} quantities compared.</p>
{% if not header.release_in_table %}
<p>Release {{ header.release }} is not in the table of semantics: the newest were expected.</p>
{% endif %}
{% if causes %}
<h2>Causes</h2>
<table>
<tr><th class="number">cases</th><th>what is wrong</th><th>one case</th></tr>
{% for cause in causes %}
<tr class="{{ FINDING }}"><td class="number">{{ cause.cases }}</td><td>{{ description(cause) }}</td>
<td><code>{{ cause.id }}</code></td></tr>
{% endfor %}
</table>
{% endif %}
{% for title, outcome in (("Findings", FINDING), ("Known defects", KNOWN_DEFECT)) %}
{% if total.outcomes[outcome] %}
<h2>{{ title }}</h2>
<table>
<tr><th>case</th><th>{{ "what was seen" if outcome == FINDING else "defect" }}</th></tr>
{% for row in rows if row.outcome == outcome %}
<tr class="{{ outcome }}"><td><code>{{ row.id }}</code></td>
<td>{{ row.finding if outcome == FINDING else row.defect }}</td></tr>
{% endfor %}
</table>
{% endif %}
{% endfor %}
<h2>Budget</h2>
<table>
<tr><th>quantity</th><th class="number">largest share used</th><th class="number">median</th>
<th class="number">worst detectable relative error</th></tr>
{% for usage in total.usage %}
<tr><td>{{ usage.quantity }}</td>
<td class="number">{{ "–" if usage.largest is none else percent(usage.largest.value) }}</td>
<td class="number">{{ "–" if usage.median is none else percent(usage.median) }}</td>
<td class="number">{{ "–" if usage.detectable is none else short(usage.detectable.value) }}</td>
</tr>
{% endfor %}
</table>
<h2>Behaviours</h2>
<table>
<tr><th>behaviour</th><th class="number">pass</th><th class="number">known defect</th>
<th class="number">finding</th></tr>
{% for name, counts in behaviours %}
<tr class="{{ FINDING if counts[FINDING] else KNOWN_DEFECT if counts[KNOWN_DEFECT] else PASS }}">
<td>{{ name }}</td><td class="number">{{ counts[PASS] }}</td>
<td class="number">{{ counts[KNOWN_DEFECT] }}</td><td class="number">{{ counts[FINDING] }}</td></tr>
{% endfor %}
</table>
</html>
"""


def webpage(record: Record) -> str:
    """Return the page of ``record``.

    Raises:
        MissingExtra: jinja2 is not installed.
    """
    jinja2 = _jinja2()
    environment = jinja2.Environment(
        autoescape=True, finalize=_shown, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    text: str = environment.from_string(TEMPLATE).render(
        header=record.header,
        footer=record.footer,
        rows=record.rows,
        total=tally(record.rows),
        causes=causes(record.rows),
        description=description,
        behaviours=[
            (name, outcome_counts(rows)) for name, rows in by_behaviour(record.rows).items()
        ],
        percent=percent,
        short=short,
        PASS=PASS,
        KNOWN_DEFECT=KNOWN_DEFECT,
        FINDING=FINDING,
    )
    return text


def _shown(value: object) -> object:
    """Return the page's text for a value; the template escapes its markup."""
    return visible(value) if isinstance(value, str) else value


def _jinja2() -> Any:
    try:
        return importlib.import_module("jinja2")
    except ModuleNotFoundError:
        raise MissingExtra(
            "the web page needs jinja2, which is not installed: python -m pip install jinja2"
        ) from None
