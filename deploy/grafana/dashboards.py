"""The dashboards that Grafana reads: the network, an office, a service, and the watch.

    .venv/bin/python -m deploy.grafana.dashboards

writes them into `dashboards/` beside this file. Processes on one database show the same figures, so every expression
takes their `max` before it sums.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, pairwise
from pathlib import Path
from string import ascii_uppercase

from grafana_foundation_sdk.builders import common as looks
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders import heatmap, stat, table, timeseries
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common, dashboard
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

FOLDER = Path(__file__).parent / "dashboards"
PROMETHEUS = dashboard.DataSourceRef("prometheus", "prometheus")

NETWORK, OFFICE, SERVICE = "", '{office="$office"}', '{office="$office",service="$service"}'
"""Whom an expression is about."""

BY_OFFICE, BY_SERVICE, BY_CHANNEL = " by (office)", " by (service)", " by (channel)"

TODAY = "office_channel:queue_waits_met:ratio12h"

Steps = Sequence[tuple[float | None, str]]
"""Colours from a value on; the first has none."""

WAIT: Steps = ((None, "green"), (600, "yellow"), (900, "red"))
TIME_LEFT: Steps = ((None, "red"), (0, "yellow"), (300, "green"))
SHARE: Steps = ((None, "red"), (0.95, "yellow"), (0.99, "green"))
ANY: Steps = ((None, "green"), (1, "red"))
BURN: Steps = ((None, "green"), (1, "yellow"), (3, "red"))
PULSE: Steps = ((None, "green"), (10, "yellow"), (30, "red"))
SONG: Steps = ((None, "green"), (90, "yellow"), (180, "red"))
UP: Steps = ((None, "red"), (1, "green"))
PLAIN: Steps = ((None, "blue"),)

WIDTH = 24
"""Columns of Grafana's grid."""

Panel = heatmap.Panel | stat.Panel | table.Panel | timeseries.Panel


def main() -> None:
    """Write all dashboards."""
    for name, text in texts():
        (FOLDER / name).write_text(text, encoding="utf-8")


def texts() -> Iterator[tuple[str, str]]:
    """The name and the text of each file."""
    for each in (network(), office(), service(), watch()):
        yield f"{each.uid}.json", json.dumps(each, cls=JSONEncoder, indent=2, ensure_ascii=False) + "\n"


# The dashboards


def network() -> dashboard.Dashboard:
    """All offices: who is in trouble, and how the month goes."""
    columns = {
        "past the limit": over(NETWORK, BY_OFFICE),
        "longest wait": longest(NETWORK, BY_OFFICE),
        "next limit in": left(NETWORK, BY_OFFICE),
        "waiting": waiting(NETWORK, BY_OFFICE),
        "at work": at_work(NETWORK, BY_OFFICE),
        "walk-in today": f'sum by (office) ({TODAY}{{channel="walk_in"}})',
        "booked today": f'sum by (office) ({TODAY}{{channel="booked"}})',
    }
    month, burn = "channel:queue_waits_met:ratio30d", "channel:queue_wait_budget:burn"
    return board(
        "network",
        "The network",
        [
            *the_moment(NETWORK),
            figure("Within the limit today", {"{{channel}}": "channel:queue_waits_met:ratio12h"}, SHARE, "percentunit"),
            figure("Within the limit in 30 days", {"{{channel}}": month}, SHARE, "percentunit"),
        ],
        [
            lines("Offices", columns, "office", "/d/fifteen-office?var-office=${__value.raw}"),
            course("Longest waits", {"{{office}}": f"topk(10, {longest(NETWORK, BY_OFFICE)})"}, "s", WAIT),
            course("Waiting, and counters at work", {"waiting": waiting(NETWORK), "at work": at_work(NETWORK)}),
            course("Limits passed per hour", {"{{office}}": f"topk(10, {breaches(NETWORK, BY_OFFICE)} * 3600)"}),
            course(
                "Passed limits, as a multiple of what a month can bear",
                {"{{channel}}, 6 hours": f"{burn}6h", "{{channel}}, a day": f"{burn}1d"},
                steps=BURN,
            ),
        ],
        NETWORK,
    )


def office() -> dashboard.Dashboard:
    """One office: its services, its counters, its day."""
    columns = {
        "past the limit": over(OFFICE, BY_SERVICE),
        "longest wait": longest(OFFICE, BY_SERVICE),
        "next limit in": left(OFFICE, BY_SERVICE),
        "waiting": waiting(OFFICE, BY_SERVICE),
    }
    called, done = '{office="$office",outcome="called"}', '{office="$office",outcome="done"}'
    return board(
        "office",
        "An office",
        [
            *the_moment(OFFICE),
            figure("Within the limit today", {"{{channel}}": f"{TODAY}{OFFICE}"}, SHARE, "percentunit"),
            figure("Counters", {"{{state}}": f"max by (state) (queue_counters{OFFICE})"}, PLAIN),
        ],
        [
            lines("Services", columns, "service", "/d/fifteen-service?var-office=${office}&var-service=${__value.raw}"),
            course("Longest waits", {"{{service}}": longest(OFFICE, BY_SERVICE)}, "s", WAIT),
            course("Waiting, and counters at work", {"waiting": waiting(OFFICE), "at work": at_work(OFFICE)}),
            spread("Waits until the call, and how many of each", bucket_increase("queue_wait_seconds", called)),
            course("Waits until the call", quantiles("queue_wait_seconds", called, "channel"), "s", WAIT),
            course("Services", quantiles("queue_service_seconds", done, "outcome"), "s"),
            course("Tickets per hour", {"{{channel}}": f"{issued(OFFICE, BY_CHANNEL)} * 3600"}),
        ],
        OFFICE,
        {"office": "label_values(queue_tickets_waiting, office)"},
    )


def service() -> dashboard.Dashboard:
    """One service of an office."""
    today = f"{decided('met')} / ({decided('met|breached')} > 0)"
    return board(
        "service",
        "A service",
        [
            *the_moment(SERVICE),
            figure("Within the limit today", {"{{channel}}": today}, SHARE, "percentunit"),
            figure("Waiting", {"": waiting(SERVICE)}, PLAIN),
        ],
        [
            course("Longest wait", {"longest wait": longest(SERVICE)}, "s", WAIT),
            course("Waiting", {"waiting": waiting(SERVICE), "past the limit": over(SERVICE)}),
            course("Tickets per hour", {"{{channel}}": f"{issued(SERVICE, BY_CHANNEL)} * 3600"}),
            course("Limits passed per hour", {"{{channel}}": f"{breaches(SERVICE, BY_CHANNEL)} * 3600"}),
        ],
        SERVICE,
        {
            "office": "label_values(queue_tickets_waiting, office)",
            "service": f"label_values(queue_tickets_waiting{OFFICE}, service)",
        },
    )


def watch() -> dashboard.Dashboard:
    """Who watches the watch: servers, detection, deliveries, the canary."""
    firing = 'ALERTS{alertstate="firing",alertname!="DeadMansSwitch"}'
    delivered = "sum by (result) (rate(queue_deliveries_total[$__rate_interval])) * 3600"
    return board(
        "watch",
        "The watch",
        [
            figure("Servers", {"{{instance}}": 'up{job="queue"}'}, UP),
            figure("Since the watch looked", {"{{instance}}": age("queue_watch_last_success")}, PULSE, "s"),
            figure("Since the canary came through", {"{{instance}}": age("queue_canary_last_success")}, SONG, "s"),
            figure("Messages to deliver", {"": "max(queue_deliveries_pending)"}, PLAIN),
            figure("The oldest message", {"": f"max({age('queue_oldest_delivery')} >= 0)"}, PULSE, "s"),
            figure("Alerts", {"": f"count({firing})"}, ANY),
        ],
        [
            listing("Alerts now", firing, ("alertname", "severity", "office", "service", "instance")),
            spread("From due to its record", bucket_increase("queue_breach_detection_delay_seconds", "")),
            course("Since the watch looked", {"{{instance}}": age("queue_watch_last_success")}, "s", PULSE),
            course("Writing to the journal", quantiles("queue_journal_append_seconds", "", "instance"), "s"),
            course("Deliveries per hour", {"{{result}}": delivered}),
            course("The canary, from due to notice", {"{{instance}}": "queue_canary_delay_seconds"}, "s"),
            course("A scrape takes", {"{{instance}}": 'scrape_duration_seconds{job="queue"}'}, "s"),
        ],
    )


# The expressions


def over(where: str, by: str = "") -> str:
    """People past their limit."""
    return f"sum{by} (max by (office, service) (queue_tickets_over_limit{where}))"


def longest(where: str, by: str = "") -> str:
    """The longest wait in seconds; nothing when nobody waits."""
    return f"time() - min{by} (queue_oldest_ticket_timestamp_seconds{where}) > -Inf"


def left(where: str, by: str = "") -> str:
    """Seconds until the first limit passes; negative when it has, nothing when nobody waits."""
    return f"min{by} (queue_earliest_due_timestamp_seconds{where}) - time() < Inf"


def waiting(where: str, by: str = "") -> str:
    """People who wait."""
    return f"sum{by} (max by (office, service) (queue_tickets_waiting{where}))"


def at_work(where: str, by: str = "") -> str:
    """Counters that are open, with a visitor or without."""
    counters = _and(where, 'state=~"open|serving"')
    return f"sum{by} (max by (office, state) (queue_counters{counters}))"


def issued(where: str, by: str) -> str:
    """Tickets per second."""
    rate = f"rate(queue_tickets_issued_total{where}[$__rate_interval])"
    return f"sum{by} (max by (office, service, channel) ({rate}))"


def breaches(where: str, by: str) -> str:
    """Limits passed per second."""
    rate = f"rate(queue_wait_breaches_total{where}[$__rate_interval])"
    return f"sum{by} (max by (office, service, channel) ({rate}))"


def decided(results: str) -> str:
    """Waits of one service that were decided so today."""
    outcomes = _and(SERVICE, f'result=~"{results}"')
    increase = f"increase(queue_wait_limit_outcomes_total{outcomes}[12h])"
    return f"sum by (channel) (max by (channel, result) ({increase}))"


def bucket_increase(name: str, where: str) -> str:
    """What came into each bucket of a histogram. The hall's have an office, a process's own have none."""
    increase = f"increase({name}_bucket{where}[$__rate_interval])"
    return f"sum by (le) (max by (office, channel, outcome, le) ({increase}))"


def quantiles(name: str, where: str, label: str) -> dict[str, str]:
    """The value that half, and nine in ten, stay below."""
    rate = f"max by ({label}, le) (rate({name}_bucket{where}[$__rate_interval]))"
    return {
        f"{{{{{label}}}}}, half": f"histogram_quantile(0.5, {rate})",
        f"{{{{{label}}}}}, nine in ten": f"histogram_quantile(0.9, {rate})",
    }


def age(name: str) -> str:
    """Seconds since an instant, at the moment of its scrape."""
    return f"timestamp({name}_timestamp_seconds) - {name}_timestamp_seconds"


def _and(where: str, further: str) -> str:
    return f"{where[:-1]},{further}}}" if where else f"{{{further}}}"


# The panels


def the_moment(where: str) -> list[stat.Panel]:
    """What comes first wherever people wait."""
    return [
        figure("Past the limit now", {"": over(where)}, ANY),
        figure("Longest wait now", {"": longest(where)}, WAIT, "s"),
        figure("The next limit passes in", {"": left(where)}, TIME_LEFT, "s"),
    ]


def figure(title: str, queries: Mapping[str, str], steps: Steps, unit: str = "short") -> stat.Panel:
    """The present value, large."""
    panel = stat.Panel().title(title).height(4).unit(unit).thresholds(_thresholds(steps)).no_value("–")
    panel.reduce_options(looks.ReduceDataOptions().calcs(["lastNotNull"])).graph_mode(common.BigValueGraphMode.NONE)
    panel.targets([query.instant() for query in _queries(queries)])
    return panel.datasource(PROMETHEUS)


def course(title: str, queries: Mapping[str, str], unit: str = "short", steps: Steps = PLAIN) -> timeseries.Panel:
    """Values over time, with a line at each step."""
    panel = timeseries.Panel().title(title).span(WIDTH // 2).height(8).unit(unit).min(0).fill_opacity(10)
    panel.color_scheme(build.FieldColor().mode(dashboard.FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
    if len(steps) > 1:
        style = looks.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.DASHED)
        panel.thresholds(_thresholds(steps)).thresholds_style(style)
    panel.targets([query.range() for query in _queries(queries)])
    return panel.datasource(PROMETHEUS)


def spread(title: str, buckets: str) -> heatmap.Panel:
    """A histogram over time: the more, the darker."""
    panel = heatmap.Panel().title(title).span(WIDTH // 2).height(8).calculate(False)
    panel.y_axis(heatmap.YAxisConfig().unit("s")).filter_values(heatmap.FilterValueRange().le(1e-9))
    panel.color(heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Oranges").steps(64))
    [query] = _queries({"{{le}}": buckets})
    return panel.with_target(query.range().format(PromQueryFormat.HEATMAP)).datasource(PROMETHEUS)


def lines(title: str, columns: Mapping[str, str], label: str, link: str) -> table.Panel:
    """A table with a line for each value of `label`, which leads to the next dashboard."""
    named = {f"Value #{letter}": name for letter, name in zip(ascii_uppercase, columns, strict=False)}
    panel = _table(title, columns).with_transformation(dashboard.DataTransformerConfig("merge", options={}))
    panel.with_transformation(_organized(renamed=named, order=[label, *named]))
    panel.override_by_name(label, [_setting("links", [{"title": "Look closer", "url": link}])])
    for column, unit, steps in (
        ("past the limit", "short", ANY),
        ("longest wait", "s", WAIT),
        ("next limit in", "s", TIME_LEFT),
        ("walk-in today", "percentunit", SHARE),
        ("booked today", "percentunit", SHARE),
    ):
        colour = {"mode": "absolute", "steps": [{"value": value, "color": name} for value, name in steps]}
        cell = _setting("custom.cellOptions", {"type": "color-text"})
        panel.override_by_name(column, [_setting("unit", unit), _setting("thresholds", colour), cell])
    return panel.sort_by([looks.TableSortByFieldState().display_name("past the limit").desc(True)])


def listing(title: str, expression: str, labels: Sequence[str]) -> table.Panel:
    """A table of series by their labels."""
    return _table(title, {"": expression}).with_transformation(
        _organized(hidden=["Value", "__name__", "alertstate", "job", "window"], order=labels)
    )


def _table(title: str, columns: Mapping[str, str]) -> table.Panel:
    panel = table.Panel().title(title).span(WIDTH).height(9)
    panel.targets([query.instant().format(PromQueryFormat.TABLE) for query in _queries(columns)])
    return panel.datasource(PROMETHEUS)


def _organized(
    *, order: Sequence[str], hidden: Sequence[str] = (), renamed: Mapping[str, str] | None = None
) -> dashboard.DataTransformerConfig:
    choice = {
        "excludeByName": dict.fromkeys(["Time", *hidden], True),
        "indexByName": {name: place for place, name in enumerate(order)},
        "renameByName": dict(renamed or {}),
    }
    return dashboard.DataTransformerConfig("organize", options=choice)


def _queries(queries: Mapping[str, str]) -> list[Dataquery]:
    return [
        Dataquery().expr(expression).legend_format(legend).ref_id(letter).datasource(PROMETHEUS)
        for letter, (legend, expression) in zip(ascii_uppercase, queries.items(), strict=False)
    ]


def _thresholds(steps: Steps) -> build.ThresholdsConfig:
    thresholds = [dashboard.Threshold(value, colour) for value, colour in steps]
    return build.ThresholdsConfig().mode(dashboard.ThresholdsMode.ABSOLUTE).steps(thresholds)


def _setting(name: str, value: object) -> dashboard.DynamicConfigValue:
    return dashboard.DynamicConfigValue(name, value)


# The boards


class _Breaches(dashboard.AnnotationQuery):
    """Marks where limits were passed. The library does not know all that Grafana reads of such a query."""

    def to_json(self) -> dict[str, object]:
        words = {"titleFormat": "Limit passed", "textFormat": "{{office}} {{service}}", "tagKeys": "channel"}
        return super().to_json() | words | {"step": "15s"}


def board(
    name: str,
    title: str,
    figures: Sequence[stat.Panel],
    panels: Sequence[Panel],
    where: str | None = None,
    choices: Mapping[str, str] | None = None,
) -> dashboard.Dashboard:
    """A dashboard whose uid stays, with marks at the breaches of `where`."""
    built = build.Dashboard(title).uid(f"fifteen-{name}").tags(["fifteen"]).readonly().timezone("browser")
    built.time("now-12h", "now").refresh("10s").tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
    built.link(
        build.DashboardLink("Fifteen").type(dashboard.DashboardLinkType.DASHBOARDS).tags(["fifteen"]).keep_time(True)
    )
    for choice, query in (choices or {}).items():
        variable = build.QueryVariable(choice).query(query).datasource(PROMETHEUS)
        variable.refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED).sort(dashboard.VariableSort.ALPHABETICAL_ASC)
        built.with_variable(variable)
    numbers = count(1)
    for panel in (*_side_by_side(figures), *panels):
        built.with_panel(panel.id(next(numbers)))
    made = built.build()
    if where is not None:
        marks = f"{breaches(where, ' by (office, service, channel)')} > 0"
        made.annotations.list_val = [_Breaches("Limits passed", PROMETHEUS, icon_color="red", expr=marks)]
    return made


def _side_by_side(figures: Sequence[stat.Panel]) -> list[stat.Panel]:
    """All in one line of 24 columns."""
    edges = [WIDTH * place // len(figures) for place in range(len(figures) + 1)]
    return [figure.span(until - since) for figure, (since, until) in zip(figures, pairwise(edges), strict=True)]


if __name__ == "__main__":
    main()
