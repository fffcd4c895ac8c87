"""``python -m vfiscope.options.generate``: writes what is generated from the declarations into a
checkout: the types of the keyword arguments, and docs/options.md."""

from __future__ import annotations

from pathlib import Path

from vfiscope.options.keyword_types import keywords_source
from vfiscope.options.option_page import option_page

__all__ = ["generated"]


def generated() -> dict[Path, str]:
    """{file: its text}, of this checkout."""
    here = Path(__file__).parent
    return {
        here / "keywords.py": keywords_source(),
        here.parents[1] / "docs" / "options.md": option_page(),
    }


if __name__ == "__main__":
    for path, text in generated().items():
        path.write_text(text, encoding="utf-8")
        print(path)
