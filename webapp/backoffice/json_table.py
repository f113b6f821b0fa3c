"""A JSON column as HTML tables."""

from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString


def json_table(value: Any) -> SafeString | str:
    """Render an object as a table, nested objects as tables inside it, and numbers with thousands separators."""
    if isinstance(value, dict):
        rows = ((name, json_table(item)) for name, item in value.items())
        body = format_html_join("", '<tr><th scope="row">{}</th><td>{}</td></tr>', rows)
        return format_html("<table>{}</table>", body) if value else "–"
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return objects_table(value)
    if isinstance(value, list):
        return format_html_join(", ", "{}", ((json_table(item),) for item in value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return "–" if value is None else str(value)


def objects_table(objects: list[dict[str, Any]]) -> SafeString:
    """Render a list of objects, such as an input's files, as the rows of one table with the first one's columns."""
    columns = list(objects[0])
    head = format_html_join("", '<th scope="col">{}</th>', ((name,) for name in columns))
    rows = [[json_table(each.get(name)) for name in columns] for each in objects]
    cells = [format_html_join("", "<td>{}</td>", ((value,) for value in row)) for row in rows]
    return format_html("<table><tr>{}</tr>{}</table>", head, format_html_join("", "<tr>{}</tr>", ((c,) for c in cells)))
