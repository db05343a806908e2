"""What every page of the project keeps to."""

import re


def undefined(page: str) -> list[str]:
    """Return the headings of tables and charts, the tiles and the figures of a page that nothing defines."""
    marks = re.findall(r"<th([^>]*)>([^<]+)</th>|<figure[^>]*><h3([^>]*)>([^<]+)<", page)
    named = [(of_table or of_chart, heading or title) for of_table, heading, of_chart, title in marks]
    named += re.findall(r'<div class="tile"([^>]*)><p class="label">([^<]+)<', page)
    for group in re.findall(r'<dl class="pairs">(.*?)</dl>', page, re.DOTALL):
        named += re.findall(r"<div([^>]*)><dt>([^<]+)<", group)
    assert named
    return [name for attributes, name in named if not re.search(r'title="[^"]{3,}"', attributes)]
