# SPDX-License-Identifier: MIT
"""The pages of the API: a folder of pages for each folder of include/trm, a page for each header, its names in the header's order."""
import collections
import re
import xml.etree.ElementTree as ElementTree

import doxygen
import documented
import headers

# Folders in the order in which one meets them, each with what it holds.
FOLDERS = {
    "core": "Shapes, views, parameters, random draws, the exception",
    "ops": "Operations, and the sinks that say what becomes of their results",
    "layers": "Layers, and the contract they keep",
    "compose": "Compositions of layers, and the recursion",
    "models": "The configuration, the model, its plan of memory and FLOPs",
    "optim": "Optimizers, schedules of the learning rate, puzzle rows",
    "train": "Trainer, solver, evaluation, several processes",
    "train/cuda": "Trainer and solver on a GPU",
    "data": "Batches, datasets, samplers",
    "data/arc": "ARC: tasks, augmentation, building, voting, grading, submissions",
    "data/sudoku": "Sudoku: generator, solvers, rating, symmetries",
    "data/maze": "Mazes: generator, solver, symmetries",
    "io": "Files: safetensors, .npy, JSON, PyTorch's .pt, checkpoints, TensorBoard",
    "backend": "A backend that only counts, and observers",
    "backend/cpu": "The CPU: products, attention, threads, instruction sets; what its operations compute is said in trm/ops",
    "backend/cuda": "The GPU: contexts, memory, kernels; what its operations compute is said in trm/ops",
    "testing": "The gradient check",
    "": "Forward declarations and the version",
}


def plain(text):
    """Text of which reStructuredText takes nothing for markup; `code` stays code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        parts = [text.replace("`", "'")]
    return "".join(f"``{part}``" if i % 2 else re.sub(r"([\\*_|])", r"\\\1", part) for i, part in enumerate(parts))


def introduction(path):
    """The comment at the header's beginning as reStructuredText, and its first sentence."""
    out, literal = [], False
    lines = headers.introduction(path)
    for text in lines:
        if re.match(r"  +\S", text):
            out += [] if literal else ["", "::", ""]
            out.append("   " + text)
            literal = True
        else:
            out += [""] if literal else []
            out.append(plain(text))
            literal = False
    first = re.split(r"(?<=[.:])\s", " ".join(lines).strip() + " ")[0].rstrip(":")
    return out, plain(first)


def refused(path, first, last):
    """The messages of the static_asserts in these lines: what the compiler refuses."""
    text = "\n".join(path.read_text().split("\n")[first - 1:last])
    found = []
    for match in re.finditer(r'static_assert\((?:[^;"]|"(?=\s*"))*?,\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\)\s*;', text):
        message = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', match[1]))
        if message not in found:
            found.append(message)
    return found


def paragraph(parent, text, code=None):
    para = ElementTree.SubElement(parent, "para")
    para.text = text
    if code is not None:
        ElementTree.SubElement(para, "computeroutput").text = code


def prune(xml):
    """Leaves in the XML what a reader looks for: neither what the contracts prescribe, nor what the language writes itself; adds what
    Breathe leaves out, requires-clauses, and what the compiler refuses."""
    dropped = set()
    for path in xml.glob("*.xml"):
        tree = ElementTree.parse(path)
        for compound in tree.getroot().findall("compounddef"):
            title = compound.findtext("compoundname")
            if "at" in title.split("::")[1:] or "detail" in title.split("::"):
                dropped.add(compound.get("id"))
    for path in xml.glob("*.xml"):
        if path.name == "index.xml":
            continue
        tree = ElementTree.parse(path)
        for compound in tree.getroot().findall("compounddef"):
            in_class = compound.get("kind") in ("class", "struct")
            for inner in compound.findall("innerclass"):
                if inner.get("refid") in dropped or inner.get("prot") != "public":
                    compound.remove(inner)
            for tag in ("derivedcompoundref", "includes"):
                for one in compound.findall(tag):
                    compound.remove(one)
            for section in compound.findall("sectiondef"):
                for member in section.findall("memberdef"):
                    name = doxygen.Name(member, member.findtext("name"), member.get("kind"), None)
                    member.set("inline", "no")  # in a library of headers it says nothing
                    initial = member.find("initializer")
                    text = "" if initial is None else "".join(initial.itertext())
                    if len(text) > 60 or "{" in text.replace("{}", "") or "\n" in text:
                        member.remove(initial)  # longer than what is to be read, or a lambda, which Sphinx cannot parse
                    for parameter in member.findall("param"):
                        default = parameter.find("defval")
                        if default is not None and "[" in "".join(default.itertext()):
                            parameter.remove(default)
                    arguments = member.find("argsstring")
                    if arguments is not None and arguments.text:  # Sphinx knows no attribute behind a name
                        arguments.text = re.sub(r"\s*\[\[.*?\]\]|=\s*\[\].*\}", "", arguments.text)
                    if (in_class and name.name in documented.CONTRACT) or doxygen.is_special(name):
                        section.remove(member)
                        continue
                    clause = member.find("requiresclause")
                    if clause is not None:
                        paragraph(member.find("detaileddescription"), "Requires ", " ".join("".join(clause.itertext()).split()))
                if section.find("memberdef") is None:
                    compound.remove(section)
            place = compound.find("location")
            if in_class and "::" in compound.findtext("compoundname") and place.get("bodystart"):
                messages = refused(doxygen.ROOT / "include" / place.get("file"), int(place.get("bodystart")), int(place.get("bodyend")))
                if messages:
                    details = compound.find("detaileddescription")
                    paragraph(details, "The compiler refuses what breaks one of these:")
                    items = ElementTree.SubElement(ElementTree.SubElement(details, "para"), "itemizedlist")
                    for message in messages:
                        paragraph(ElementTree.SubElement(items, "listitem"), message)
        tree.write(path, encoding="unicode")
    unlink(xml, dropped)


def unlink(xml, dropped):
    """Takes away links to what is not shown."""
    shown = set()
    for path in xml.glob("*.xml"):
        if path.stem not in dropped and not path.name.startswith(("index", "dir_", "namespace")) and not path.stem.endswith(("_8hpp", "_8cuh")):
            shown.update(re.findall(r'<(?:compounddef|memberdef|enumvalue)[^>]* id="([^"]+)"', path.read_text()))
    for path in xml.glob("namespace*.xml"):
        if "detail" not in path.stem:
            shown.update(re.findall(r'<(?:memberdef|enumvalue)[^>]* id="([^"]+)"', path.read_text()))
    for path in xml.glob("*.xml"):
        if path.name != "index.xml":
            path.write_text(re.sub(r'<ref refid="([^"]+)"[^>]*>(.*?)</ref>', lambda m: m[0] if m[1] in shown else m[2], path.read_text()))


def pages(xml, stage):
    """Writes api/... below `stage`."""
    include = doxygen.ROOT / "include" / "trm"
    prune(xml)
    of_file = collections.defaultdict(list)
    for name in doxygen.names(xml):
        parts = name.qualified.split("::")
        if not name.file or "at" in parts[:-1] or name.kind == "enumvalue" or name.name.startswith(("TRM_DETAIL_", "MPICH_", "OMPI_", "@")):
            continue
        if name.owner is None:
            of_file[name.file].append(name)
    written = collections.defaultdict(list)
    for path in headers.found(include):
        inside = path.relative_to(include)
        folder = "" if str(inside.parent) == "." else str(inside.parent)
        names = [n for n in of_file[f"trm/{inside}"] if "<" not in n.name or n.text or n.name.startswith("model")]
        classes = {n.qualified for n in names if n.kind in ("class", "struct", "union")}
        names = [n for n in names if not any(n.qualified.startswith(outer + "::") for outer in classes)]
        intro, first = introduction(path)
        title = str(inside)
        home = "/api/" + (f"{folder}/index" if folder else "top")
        out = [":orphan:", "", title, "=" * len(title), "", f":doc:`trm/{folder} <{home}>`", ""] + intro + ["", ".. code-block:: cpp", "", f'   #include "trm/{inside}"', ""]
        for name in sorted(names, key=lambda n: n.line):
            kind = "compound" if name.kind in ("class", "struct", "union", "concept") else "member"
            out += [f".. trm-{kind}:: {name.id}", ""]
        page = stage / "api" / headers.page_of(inside)
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text("\n".join(out) + "\n")
        written[folder].append((inside.name, headers.page_of(inside).stem, first))
    for folder, text in FOLDERS.items():
        if folder not in written:
            continue
        title = f"trm/{folder}".rstrip("/")
        out = [title, "=" * len(title), "", text + ".", "", ".. list-table::", "   :widths: 28 72", ""]
        for header, stem, first in written[folder]:
            out += [f"   * - :doc:`{header} <{stem}>`", f"     - {first}"]
        below = [f for f in written if f.startswith(folder + "/")] if folder else []
        # The pages of headers are in no tree of contents: every page of the site would repeat it.
        out += ["", ".. toctree::", "   :hidden:", ""] + [f"   {f.removeprefix(folder + '/')}/index" for f in below]
        name = stage / "api" / folder / ("index.rst" if folder else "top.rst")
        name.write_text("\n".join(out) + "\n")
    unknown = set(written) - set(FOLDERS)
    if unknown:
        raise SystemExit(f"docs/site/api.py: FOLDERS says nothing about include/trm/{sorted(unknown)[0]}")
    out = ["Reference of the library", "========================", "",
           "One page for each header. Everything is in namespace ``trm``; what is in a namespace ``detail`` may change at any time and is",
           "not shown. Bound layers (``at``) and functions that a contract prescribes (``forward``, ``backward``, ``fields``, ...) are described",
           "where the contract is: :doc:`layers/contract`, :doc:`core/parameters`, :doc:`ops/sinks`.", "", ".. list-table::", "   :widths: 28 72", ""]
    tops = [f for f in FOLDERS if f in written]
    for folder in tops:
        link = f"{folder}/index" if folder else "top"
        out += [f"   * - :doc:`trm/{folder} <{link}>`", f"     - {FOLDERS[folder]}"]
    out += ["", ".. toctree::", "   :hidden:", ""]
    out += [f"   {f + '/index' if f else 'top'}" for f in tops if "/" not in f]
    (stage / "api" / "index.rst").write_text("\n".join(out) + "\n")
