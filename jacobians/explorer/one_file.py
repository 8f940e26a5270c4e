"""`one_file`: a template, its styles, scripts and data as one HTML file under a strict content-security policy."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from typing import Any

from jacobians import __version__


def one_file(
    template: str, styles: Sequence[str], scripts: Sequence[str], data: Any, *, first: str = "", **parts: str
) -> str:
    """Return a page that loads nothing. It runs only its own scripts and has only its own styles.

    Parameters
    ----------
    template : str
        The file in ``static``, with ``{{policy}}``, ``{{style}}``, ``{{script}}``, ``{{data}}`` and ``{{version}}``.
    styles, scripts : sequence of str
        Files in ``static``, scripts without ``.js``; they share one scope.
    data
        What JSON can hold.
    first : str
        A script before the others.
    **parts : str
        Markup for other places of the template.
    """
    style = "\n".join(map(_read, styles))
    code = [*([first] if first else []), *(_read(f"{name}.js") for name in scripts)]
    script = '(async () => {\n"use strict";\n' + "\n".join(code) + "})();\n"
    own = {
        "policy": escape(_policy(style, script)),
        "version": escape(__version__),
        "style": style,
        "script": script,
        "data": _packed(data),
        **parts,
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: own[found[1]], _read(template))


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _packed(data: Any) -> str:
    """JSON, deflated, in base 64. No letter of it can end the element around it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def _read(name: str) -> str:
    return files("jacobians.explorer").joinpath("static", name).read_text(encoding="utf-8")
