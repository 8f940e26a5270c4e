"""``python -m tests.explorer.measure``: the page's size, and how long it takes to answer each switch, in a browser.

A time runs from the change of a control to the frame in which the page shows the answer.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from jacobians.explorer import explorer_page
from jacobians.explorer.example_nets import EXAMPLES
from tests.explorer.browser import Tab, open_browser

ROUNDS = 10
SWITCH = """([name, value]) => new Promise((done) => {
    const input = document.querySelector(`input[name="${name}"][value="${value}"]`);
    requestAnimationFrame(() => {
        const start = performance.now();
        input.click();
        requestAnimationFrame(() => {
            const channel = new MessageChannel();
            channel.port1.onmessage = () => done(performance.now() - start);
            channel.port2.postMessage(null);
        });
    });
})"""
CHOICES = {
    "batch": ("rows", "columns"),
    "weights": ("rows", "columns"),
    "bias": ("first", "separate"),
    "vec": ("C", "F"),
    "derivative": ("denominator", "numerator"),
}


def main() -> None:
    """Write the page, open it, and print a table."""
    start = time.perf_counter()
    page = explorer_page()
    print(f"written in {time.perf_counter() - start:.1f} s, {len(page.encode()) / 1000:.0f} kB")
    with tempfile.TemporaryDirectory() as folder, open_browser() as browser:
        file = Path(folder) / "explorer.html"
        file.write_text(page, encoding="utf-8")
        print(f"{'milliseconds to the answer':28}{'best':>8}{'median':>8}{'worst':>8}   of {ROUNDS * 2}")
        for example in EXAMPLES:
            tab = Tab(browser, file, f"#net={example.key}")
            tab.settle(300)
            for switch, values in CHOICES.items():
                times = [
                    tab.page.evaluate(SWITCH, [f"left-{switch}", value]) for _ in range(ROUNDS) for value in values
                ]
                print(
                    f"{example.key + ', ' + switch:28}{min(times):8.0f}{statistics.median(times):8.0f}{max(times):8.0f}"
                )
            tab.close()


if __name__ == "__main__":
    main()
