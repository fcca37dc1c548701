# SPDX-License-Identifier: MIT
"""benchmarks/report.py: what it makes of results, and how it treats what it cannot read. Run as: python3 benchmark_report.py SOURCE_DIR"""
import contextlib
import io
import json
import sys
import tempfile
import unittest
import xml.dom.minidom
from pathlib import Path

sys.path.insert(0, str(Path(sys.argv[1]) / "benchmarks"))
import report  # noqa: E402
import svg  # noqa: E402

DOCUMENT = """# Figures
<!-- begin: machine -->
old
<!-- end: machine -->
between
<!-- begin: ops -->
old
<!-- end: ops -->
<!-- begin: layers -->
kept
<!-- end: layers -->
"""


def entry(name, **counters):
    return {"name": name, "run_type": "iteration", "real_time": 2.0, "cpu_time": 1.0, "time_unit": "us", **counters}


def results_of_google():
    measured = {"best_us": 20.0, "floor_us": 10.0, "share": 50.0, "GFLOP/s": 100.0, "FLOP/byte": 64.0, "GB/s": 1.5, "memory_bound": 0.0}
    moved = {"best_us": 4.0, "floor_us": 1.0, "share": 25.0, "GB/s": 10.0, "memory_bound": 1.0}
    return {
        "context": {"date": "2026-01-02T03:04:05+00:00", "processor": "A <processor> & more", "commit": "0123456789abcdef", "caches": []},
        "benchmarks": [
            entry("ceiling/float32/iterations:1", **{"GFLOP/s": 200.0}),
            entry("ceiling/read/L1/threads:1/iterations:1", **{"GB/s": 300.0}),
            entry("ceiling/triad/L1/threads:1/iterations:1", **{"GB/s": 310.0}),
            entry("ops/matmul/store/float32/1x916x512/threads:1", **measured),
            entry("ops/matmul/store/float32/1x916x512/threads:2/real_time", **measured),
            entry("ops/ema/float32/32642/threads:1", **moved),
            {**entry("ops/broken/float32/1/threads:1"), "error_occurred": True},
            {**entry("ops/matmul/store/float32/1x916x512/threads:1_mean"), "run_type": "aggregate"},
        ]}


class Report(unittest.TestCase):
    def setUp(self):
        self.holder = tempfile.TemporaryDirectory()
        self.folder = Path(self.holder.name)
        self.results = self.folder / "results"
        self.results.mkdir()
        self.document = self.folder / "benchmarks.md"
        self.document.write_text(DOCUMENT)

    def tearDown(self):
        self.holder.cleanup()

    def run_report(self):
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            report.main(["--results", str(self.results), "--document", str(self.document), "--figures", str(self.folder / "drawn")])
        return self.document.read_text()

    def test_fills_what_was_measured_and_leaves_the_rest(self):
        (self.results / "ops.json").write_text(json.dumps(results_of_google()))
        text = self.run_report()
        self.assertIn("A <processor> & more", text)
        self.assertIn("`0123456789ab`", text)
        self.assertIn("2026-01-02", text)
        self.assertIn("| `matmul/store` | float32 | 1x916x512 | 20.0 us | 100 GFLOP/s | 10.0 us, FLOPs | 50 % |", text)
        self.assertIn("`matmul/store`, 2 threads", text)
        self.assertIn("| `ema` | float32 | 32642 | 4.00 us | 10.0 GB/s | 1.00 us, bytes | 25 % |", text)
        self.assertNotIn("broken", text)
        self.assertIn("between", text)
        self.assertIn("kept", text)
        self.assertNotIn("old", text)
        self.assertEqual(text, self.run_report(), "a second run changes nothing")

    def test_drawings_are_xml(self):
        (self.results / "ops.json").write_text(json.dumps(results_of_google()))
        self.run_report()
        drawn = sorted(p.name for p in (self.folder / "drawn").iterdir())
        self.assertEqual(drawn, ["ops.svg", "roofline.svg"])
        for name in drawn:
            self.assertEqual(xml.dom.minidom.parse(str(self.folder / "drawn" / name)).documentElement.tagName, "svg")

    def test_refuses_in_one_line(self):
        with self.assertRaisesRegex(SystemExit, "no results; run benchmarks/run.sh first"):
            self.run_report()
        (self.results / "ops.json").write_text('{"context": ')
        with self.assertRaisesRegex(SystemExit, "ops.json: not JSON"):
            self.run_report()
        (self.results / "ops.json").write_text(json.dumps(results_of_google()))
        self.document.write_text("<!-- begin: ops -->\n")
        with self.assertRaisesRegex(SystemExit, "`<!-- begin: ops -->` has no `<!-- end: ops -->`"):
            self.run_report()

    def test_words(self):
        self.assertEqual([report.number(x) for x in (0, 0.01234, 1.234, 12.34, 99.96, 12345)], ["0", "0.0123", "1.23", "12.3", "100", "12,345"])
        self.assertEqual([report.duration(x) for x in (0.5, 12.34, 4560, 1.2e6)], ["500 ns", "12.3 us", "4.56 ms", "1.20 s"])
        self.assertEqual(report.split_name("matmul/store/bf16/8x97x512/threads:2"), ("matmul/store", "bf16", "8x97x512", 2))
        self.assertEqual(report.plain_name("a/b/iterations:1/threads:2/real_time"), "a/b/threads:2")

    def test_axes(self):
        for top in (0.3, 7, 100, 3131):
            steps = svg.nice_steps(top)
            self.assertEqual(steps[0], 0)
            self.assertGreaterEqual(steps[-1], top * (1 - 1e-9))
            self.assertLessEqual(len(steps), 7)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
