"""report.html: one page that needs no other file, for people to look at."""

from __future__ import annotations

from html import escape
from pathlib import PurePath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from napari_simpleclick.evaluation.page_cases import case_blocks
from napari_simpleclick.evaluation.report import CURVES, NAMES
from napari_simpleclick.io.units import convert_length

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from napari_simpleclick.evaluation.cases import Case

_STYLE: Final = """
body{font:15px/1.5 system-ui,sans-serif;color:#222;margin:2.5rem auto;max-width:72rem;
padding:0 1.5rem}
h1{font-size:1.6rem;margin:0}h2{font-size:1.15rem;margin:2.2rem 0 .6rem}
p{margin:.3rem 0}.note{color:#666;font-size:.9rem}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;width:100%}
th,td{padding:.3rem .5rem;text-align:right;border-bottom:1px solid #e3e3e3}
th:first-child,td:first-child{text-align:left}th{font-weight:600;vertical-align:bottom}
td:first-child{white-space:nowrap}
td small{display:block;color:#777;font-size:.72rem;white-space:nowrap}
tr.published td{font-size:.85rem;
color:#777;font-style:italic;background:#fafafa}
.cases{display:grid;grid-template-columns:repeat(auto-fill,minmax(22rem,1fr));gap:1rem}
figure{margin:0}figure img{width:100%;border-radius:4px}
figcaption{font-size:.82rem;color:#555;overflow-wrap:anywhere}
svg{width:100%;height:auto}dl{display:grid;grid-template-columns:max-content 1fr;
gap:.15rem 1.2rem;font-size:.9rem}dt{color:#666}dd{margin:0;overflow-wrap:anywhere}
"""
_LAST: Final = MappingProxyType(
    {
        "boundary_iou": "boundary IoU (%)",
        "surface_mm": "surface",
        "seconds_per_click": "s / click",
    }
)
"""Last columns, by name in a report; they are there if any model has a value."""
_MIOU_CLICKS: Final = ("1", "3", "5", "10", "20")


def page(
    document: Mapping[str, Any],
    curves: Path,
    cases: Mapping[str, tuple[Sequence[Case], Sequence[Case]]],
) -> str:
    """Lay out a report.

    Parameters
    ----------
    document : mapping
        What `report` returned.
    curves : Path
        The curves as SVG.
    cases : mapping
        By name of the model: worst and best objects.

    Returns
    -------
    str
        HTML with everything in it.
    """
    title = f"Interactive segmentation of {_subject(document)}"
    svg = curves.read_text(encoding="utf-8")
    digests = {m["model"]: m["checkpoint_sha256"] for m in document["models"]}
    runtimes = {m["model"]: m["runtime"] for m in document["models"]}
    parts = (
        f"<h1>{escape(title)}</h1>",
        f"<p class=note>{_opening(document)}</p>",
        _figures(document),
        "<h2>Clicks and accuracy</h2>",
        svg[svg.index("<svg") :],
        "<p class=note>Bands are the 95&nbsp;% intervals.</p>",
        *(
            case_blocks(name, document["measure"], *pair)
            for name, pair in cases.items()
        ),
        _facts("Settings", document["settings"]),
        _facts("Checkpoints (SHA-256)", digests),
        _facts("Computed by", runtimes),
        _facts("Versions", document["versions"]),
        _facts("Machine", document["machine"]),
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(title)}'
        f"</title><style>{_STYLE}</style>\n" + "\n".join(parts) + "\n</html>\n"
    )


def _subject(document: Mapping[str, Any]) -> str:
    """Name of the data set; one's own data go by their folder, file or layer."""
    name, settings = str(document["dataset"]), document["settings"]
    if name in ("folder", "volume"):
        return f"{PurePath(settings['root']).name} ({name})"
    return f"{settings['image']} ({name})" if "image" in settings else name


def _opening(document: Mapping[str, Any]) -> str:
    whole = document["measure"] == "dice"
    images, place = (
        (
            "volumes",
            "on the slice with the largest error, in the middle of it; slices "
            "without a click are filled in.",
        )
        if whole
        else ("images", "in the middle of the largest error that is left.")
    )
    return (
        f"Objects: {document['n_objects']}, {images}: {document['n_images']}. A "
        f"simulated user makes {len(document['miou_at'])} clicks on each, every one "
        f"{place} {_averaging(document)}"
    )


def _averaging(document: Mapping[str, Any]) -> str:
    if document["settings"].get("flip"):
        return "Networks average with the mirrored image, as in the published figures."
    return "Networks see each image once, as in the viewer; the published ones, twice."


def _figures(document: Mapping[str, Any]) -> str:
    curve, measure = CURVES[document["measure"]], NAMES[document["measure"]]
    clicks = [k for k in _MIOU_CLICKS if k in document[curve]]
    targets = list(document["noc"])
    last = [key for key in _LAST if any(m[key] is not None for m in document["models"])]
    header = (
        "model",
        *(f"mean {measure} @{k} (%)" for k in clicks),
        *(f"clicks to {t} %" for t in targets),
        *(_LAST[key] for key in last),
    )
    rows = [
        _measured(model, curve, clicks, targets, last) for model in document["models"]
    ]
    rows += _published(document["published"]["figures"], clicks, targets, len(last))
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    source = escape(document["published"]["source"])
    note = (
        f"<p class=note>Italic rows are published figures ({source}), not measured "
        f"here; training data in brackets. {escape(document['published']['note'])}</p>"
        if document["published"]["figures"]
        else ""
    )
    return (
        f"<h2>Figures</h2><table><tr>{head}</tr>{''.join(rows)}</table>{note}"
        "<p class=note>Small: 95&nbsp;% intervals (bootstrap over images; none where "
        "there is but one), and the objects that never reach the goal, whose clicks "
        "count as the most allowed. Boundary and surface are measured after the last "
        "click.</p>"
    )


def _measured(
    model: Mapping[str, Any],
    curve: str,
    clicks: Iterable[str],
    targets: Iterable[str],
    last: Iterable[str],
) -> str:
    cells = [f"<b>{escape(model['model'])}</b>"]
    is_sampled = model["n_images"] > 1  # the interval of one image has no width
    for k in clicks:
        low, high = (100 * end for end in model[f"{curve}_interval"][k])
        small = f"<small>{low:.1f}&ndash;{high:.1f}</small>" if is_sampled else ""
        cells.append(f"{100 * model[curve][k]:.1f}{small}")
    for t in targets:
        low, high = model["noc_interval"][t]
        small = f"<small>{low:.2f}&ndash;{high:.2f}</small>" if is_sampled else ""
        never = f"<small>{model['failures'][t]} never</small>"
        cells.append(f"{model['noc'][t]:.2f}{small}{never}")
    for key in last:
        cells.append("" if model[key] is None else _written(key, model[key]))
    return _row(cells)


def _written(key: str, value: float) -> str:
    """Write a value of one of the `_LAST` columns."""
    if key == "boundary_iou":
        return f"{100 * value:.1f}"
    if key == "seconds_per_click":
        return f"{value:.3f}"
    unit = "mm" if value >= 0.01 or not value else "um" if value >= 1e-5 else "nm"
    length = convert_length(value, "mm", unit)
    return f"{length:.3g}&nbsp;{unit.replace('u', '&micro;')}"


def _published(
    figures: Sequence[Mapping[str, Any]],
    clicks: Sequence[str],
    targets: Sequence[str],
    n_empty: int,
) -> list[str]:
    values: dict[tuple[str, str], dict[tuple[str, str], float]] = {}
    for figure in figures:
        row = figure["method"], figure["training_data"]
        key = figure["measure"], str(figure["at"])
        values.setdefault(row, {})[key] = figure["value"]
    rows = []
    for (method, data), by_key in values.items():
        cells = [f"{escape(method)} [{escape(data)}]"]
        for k in clicks:
            value = by_key.get(("miou", k))
            cells.append("" if value is None else f"{100 * value:.1f}")
        for t in targets:
            value = by_key.get(("noc", t))
            cells.append("" if value is None else f"{value:.2f}")
        rows.append(_row([*cells, *[""] * n_empty], "published"))
    return rows


def _row(cells: Iterable[str], kind: str = "measured") -> str:
    return f"<tr class={kind}>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _facts(heading: str, facts: Mapping[str, Any]) -> str:
    items = "".join(
        f"<dt>{escape(str(key))}</dt><dd>{escape(str(value))}</dd>"
        for key, value in facts.items()
        if value is not None
    )
    return f"<h2>{escape(heading)}</h2><dl>{items}</dl>"
