"""``python -m tests.explorer.measure``: the page's size, and how long it takes to answer each switch, in a browser.

A time runs from the change of a control to the frame in which the page shows the answer. Other work on the machine
lengthens it. The last column does not depend on that: the processor's time of the page for one switch, with what comes
after the answer.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
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


def processor_of(tab: Tab) -> Callable[[], float]:
    """What reads the processor's time of a tab's page so far, in milliseconds."""
    session = tab.context.new_cdp_session(tab.page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def read() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return 1000 * next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")

    return read


def main() -> None:
    """Write the page, open it, and print a table."""
    start = time.perf_counter()
    page = explorer_page()
    print(f"written in {time.perf_counter() - start:.1f} s, {len(page.encode()) / 1000:.0f} kB")
    with tempfile.TemporaryDirectory() as folder, open_browser() as browser:
        file = Path(folder) / "explorer.html"
        file.write_text(page, encoding="utf-8")
        print(f"{'milliseconds to the answer':28}{'best':>8}{'median':>8}{'worst':>8}   of {ROUNDS * 2}   processor")
        for example in EXAMPLES:
            tab = Tab(browser, file, f"#net={example.key}")
            tab.settle(300)
            processor = processor_of(tab)
            for switch, values in CHOICES.items():
                start = processor()
                times = [
                    tab.page.evaluate(SWITCH, [f"left-{switch}", value]) for _ in range(ROUNDS) for value in values
                ]
                used = (processor() - start) / len(times)
                figures = f"{min(times):8.0f}{statistics.median(times):8.0f}{max(times):8.0f}{used:20.0f}"
                print(f"{example.key + ', ' + switch:28}{figures}")
            tab.close()


if __name__ == "__main__":
    main()
