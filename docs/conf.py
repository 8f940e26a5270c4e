"""How Sphinx builds the site: ``sphinx-build -W -n docs build/site``. Nothing is fetched from another host."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import latex2mathml.converter
from docutils import nodes
from sphinx.application import Sphinx

import jacobians
from jacobians import matrix
from jacobians.explorer import explorer_page
from jacobians.explorer.matrix_page import matrix_page

project = "jacobians"
author = "The jacobians developers"
copyright = "the jacobians developers"
version = release = jacobians.__version__

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = ["build", "site"]
nitpicky = True
# names of other projects, whose inventories are not at hand, and words of numpydoc's types
nitpick_ignore_regex = [("py:.*", r"(?!jacobians\.).*"), ("py:.*", r"jacobians\.(?!operations|linops)\w+\.\w*_.*")]

myst_enable_extensions = ["dollarmath", "colon_fence", "attrs_inline"]
myst_heading_anchors = 4
myst_fence_as_directive = ["math"]  # as GitHub writes formulas
nb_execution_mode = "off"  # the tests run the notebooks, and compare what they show with what is stored
nb_merge_streams = True
autosummary_generate = True
autosummary_filename_map = {  # names that differ by a capital alone would share a file on some disks
    "jacobians.convention": "convention-function",
    "jacobians.jacobian": "jacobian-function",
    **{f"jacobians.matrix.{name}": f"jacobians.matrix.{name}-function" for name in matrix.__all__ if name.islower()},
}
templates_path = ["_templates"]
autodoc_typehints = "none"
numpydoc_show_class_members = False
copybutton_prompt_text = ">>> |\\.\\.\\. |\\$ "
copybutton_prompt_is_regexp = True

html_theme = "pydata_sphinx_theme"
html_title = "jacobians"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_logo = html_favicon = "_static/logo.svg"
html_theme_options = {
    "logo": {"text": "jacobians"},
    "navbar_end": ["theme-switcher"],
    "header_links_before_dropdown": 4,
    "show_prev_next": True,
    "collapse_navigation": True,  # the side bar shows the pages of one section; _templates names its buttons
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_context = {"default_mode": "auto"}
html_sidebars = {"index": []}  # the explorer's two panes need the width
html_show_sourcelink = False


def mathml(translator: Any, node: nodes.Element, display: str) -> None:
    """Write a formula as MathML, which browsers draw without a script."""
    translator.body.append(latex2mathml.converter.convert(node.astext(), display=display))
    raise nodes.SkipNode


def inline_mathml(translator: Any, node: nodes.Element) -> None:
    mathml(translator, node, "inline")


def block_mathml(translator: Any, node: nodes.Element) -> None:
    mathml(translator, node, "block")


def escape_stars(app: Sphinx, what: str, name: str, of: Any, options: Any, lines: list[str]) -> None:
    """Keep the star of a shape such as ``(*codomain, n)`` from beginning an emphasis."""
    for place, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")):
            lines[place] = re.sub(r"(?<=[\[(, `])\*(?=\w)(?![^`]*``)", r"\\*", line)


def without_last_line(app: Sphinx, page: nodes.document) -> None:
    """Drop the empty line with which doctests end, before the fence that closes their block."""
    for block in page.findall(nodes.literal_block):
        if block.rawsource == block.astext():  # else its text is marked up, and Sphinx does not colour it
            block.rawsource = block.astext().rstrip("\n")
            block.children = [nodes.Text(block.rawsource)]


def with_its_own_name(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Let the button of a hidden cell be called by what it shows, "Show code cell content", for screen readers too."""
    if "body" in context:
        context["body"] = context["body"].replace('<summary aria-label="Toggle hidden content">', "<summary>")


def write_explorer(app: Sphinx, error: Exception | None) -> None:
    """Write the explorer's two files beside the pages, which show them in frames."""
    if error is None and app.builder.format == "html":
        (Path(app.outdir) / "explorer-page.html").write_text(explorer_page(), encoding="utf-8")
        (Path(app.outdir) / "matrix-page.html").write_text(matrix_page(), encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Tell Sphinx of the formulas and of the explorer."""
    app.add_html_math_renderer("mathml", (inline_mathml, None), (block_mathml, None))
    app.connect("autodoc-process-docstring", escape_stars, priority=100)  # before numpydoc
    app.connect("doctree-read", without_last_line)
    app.connect("html-page-context", with_its_own_name)
    app.connect("build-finished", write_explorer)


html_math_renderer = "mathml"
