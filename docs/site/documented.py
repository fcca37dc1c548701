# SPDX-License-Identifier: MIT
"""Every public name has a comment. Prints those without one, by file and line, and fails.

Public is what namespace trm holds outside of `detail`: types, functions, variables, aliases, concepts, macros, public members,
values of enumerations. A name has a comment where

- a comment stands directly before it, or behind it on its line;
- the comment of what it belongs to names it (members that are data, values of an enumeration);
- it is an overload, and follows one that has a comment; or it is data or an alias, and one comment stands over all of
  an unbroken run of such lines;
- a plain `//` comment heads the run of declarations, without an empty line, in which it stands.

What overrides a virtual function, and what specialises a template, is described where that is. What a contract prescribes is described
there: members of a bound layer `at` and those of CONTRACT in layers/contract.hpp, core/parameters.hpp and ops/sinks.hpp, those of a
provider of products in backend/cpu/product_provider.hpp, those of a recursion schedule in compose/schedule.hpp.
"""
import collections
import pathlib
import re
import shutil
import sys
import tempfile

import doxygen
import headers

CONTRACT = {"at", "fields", "needs", "out", "needs_output", "params", "saved", "scratch", "forward", "entry", "backward"}
PRESCRIBED = (  # by contracts of one folder: names of members of these classes
    (re.compile(r"trm::cpu::\w+_product"), {"row_block", "rows_independent", "column_unit", "prepared_bytes", "prepare", "preferred_rows", "pack",
     "multiply_workspace", "multiply_columns", "multiply", "accumulate_workspace", "accumulate"}),
    (re.compile(r"trm::(two_state|single_state|six_state|hierarchical|no_recursion)"), {"states", "nets", "output", "applications"}),
)
RUNS = {"variable", "typedef", "enumvalue"}


def prescribed(name):
    """Is it described where the contract is?"""
    return name.name in CONTRACT or (name.owner is not None and any(
        owners.fullmatch(name.owner.qualified) and name.name in names for owners, names in PRESCRIBED))


class Source:
    """A header's lines, and which of them are comments outside of functions."""

    def __init__(self, path):
        self.lines = path.read_text().split("\n")
        comments = [c for c in headers.comments_of("\n".join(self.lines)) if c.scope != "code"]
        self.whole = {c.line + 1: c for c in comments if not c.before.strip()}
        self.behind = {c.line + 1 for c in comments if c.before.strip()}

    def indent(self, line):
        text = self.lines[line - 1]
        return len(text) - len(text.lstrip())

    def headed(self, name, at_line):
        """Does a comment stand over the run of declarations that `name` is in?"""
        indent, line = self.indent(name.line), name.line - 1
        unbroken = True  # only lines of the same sort between
        while line > 0 and self.lines[line - 1].strip():
            if self.indent(line) < indent:
                return False
            if line in self.whole and self.whole[line].column == indent:
                return not self.whole[line].text.startswith("///") or unbroken
            if self.indent(line) == indent and not re.match(r"\s*(template|requires)\b", self.lines[line - 1]):
                before = at_line.get((name.file, line), ())
                overload = any(n.name == name.name for n in before)
                alike = name.kind in RUNS and any(n.kind in RUNS for n in before)
                unbroken = unbroken and (overload or alike or self.lines[line - 1].strip() == "}")
            line -= 1
        return False


def undocumented(xml):
    """The names without a comment, and how many names there are."""
    everything = [n for n in doxygen.names(xml) if n.file and not doxygen.is_special(n)]
    at_line = collections.defaultdict(list)
    for n in everything:
        at_line[n.file, n.line].append(n)
    sources, missing = {}, []
    for n in everything:
        parts = n.qualified.split("::")
        overrides = n.element.find("reimplements") is not None  # described where it was declared first
        internal = n.name.startswith(("TRM_DETAIL_", "MPICH_", "OMPI_", "@"))
        if prescribed(n) or overrides or internal or n.name.endswith(">") or "at" in parts[:-1]:
            continue
        if n.file not in sources:
            sources[n.file] = Source(doxygen.ROOT / "include" / n.file)
        source = sources[n.file]
        in_owner = n.kind in RUNS and n.owner and re.search(rf"\b{re.escape(n.name)}\b", n.owner.text)
        if n.text or in_owner:
            continue
        if n.line in source.behind or (n.kind != "enumvalue" and source.headed(n, at_line)):
            continue
        if n.kind == "enumvalue" and enum_value_described(n, source):
            continue
        missing.append(n)
    return missing, len(everything)


def enum_value_described(n, source):
    """Doxygen gives values no place: theirs is the line that holds them."""
    for line in range(n.owner.line, len(source.lines) + 1):
        if re.search(rf"\b{re.escape(n.name)}\b", source.lines[line - 1].split("//")[0]) and line != n.owner.line:
            return line in source.behind
        if "}" in source.lines[line - 1]:
            return False
    return False


def main():
    if shutil.which("doxygen") is None:
        print("SKIPPED: it needs doxygen")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        missing, count = undocumented(doxygen.run(pathlib.Path(folder)))
    for n in sorted(missing, key=lambda n: (n.file, n.line)):
        print(f"include/{n.file}:{n.line}: {n.kind} {n.qualified} has no comment")
    print(f"{count} public names, {len(missing)} without a comment")
    return 1 if missing or count < 1000 else 0


if __name__ == "__main__":
    sys.exit(main())
