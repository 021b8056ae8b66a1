"""The manual: English at the root, Chinese in `zh/`, one Sphinx build for each, nothing fetched from the network.

`make docs` sets CELLWRIGHT_MANUAL to the language; the source folder is `docs` or `docs/zh`.
"""

import os
from pathlib import Path

HERE = Path(__file__).parent
CHINESE = os.environ.get("CELLWRIGHT_MANUAL") == "zh"

project = "Cellwright"
author = "The Cellwright contributors"
project_copyright = "2026, The Cellwright contributors"
language = "zh_CN" if CHINESE else "en"
release = version = next(
    line.split('"')[1]
    for line in (HERE.parent / "src" / "cellwright" / "__init__.py").read_text(encoding="utf-8").splitlines()
    if line.startswith("__version__")
)

extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3
source_suffix = {".md": "markdown"}
root_doc = "index"
exclude_patterns = ["_build"] if CHINESE else ["_build", "zh"]

html_theme = "furo"
html_title = "Cellwright 手册" if CHINESE else "Cellwright manual"
templates_path = [str(HERE / "_templates")]
html_copy_source = False
html_show_sphinx = False
html_permalinks_icon = "#"
html_context = {
    "other_language": "English" if CHINESE else "简体中文",
    "other_root": "../" if CHINESE else "zh/",
}
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/other_language.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
html_theme_options = {
    "light_css_variables": {
        "font-stack": "system-ui, 'Noto Sans CJK SC', 'Noto Sans SC', 'WenQuanYi Micro Hei', sans-serif"
    },
    "dark_css_variables": {
        "font-stack": "system-ui, 'Noto Sans CJK SC', 'Noto Sans SC', 'WenQuanYi Micro Hei', sans-serif"
    },
}
