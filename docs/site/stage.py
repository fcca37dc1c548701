# SPDX-License-Identifier: MIT
"""Lays out what Sphinx is to read: docs/*.md as they are, the pages of the API, the sources that a page links to.

A link between pages, or to a file of the repository, is written as GitHub wants it, relative to the page. Here a link to a header
becomes one to its page of the API, a link to another source one to a page that shows it, a link to README.md one to the start.
What links to nothing is an error.
"""
import pathlib
import re
import shutil
import sys

import api
import doxygen
import headers

ROOT = doxygen.ROOT
SITE = pathlib.Path(__file__).resolve().parent
LANGUAGES = {".cpp": "cpp", ".hpp": "cpp", ".cuh": "cuda", ".cu": "cuda", ".py": "python", ".sh": "bash", ".cmake": "cmake", ".json": "json", ".toml": "toml"}


def source_page(stage, path):
    """A page that shows the file, or lists the folder; its name in the stage."""
    name = pathlib.Path("source") / (str(path) + ".rst")
    target = stage / name
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        title = str(path)
        out = [":orphan:", "", title, "=" * len(title), ""]
        if (ROOT / path).is_dir():
            out += [f"* ``{one.name}``" for one in sorted((ROOT / path).iterdir()) if not one.name.startswith((".", "_"))]
        else:
            language = "cmake" if path.name == "CMakeLists.txt" else LANGUAGES.get(path.suffix, "none")
            shutil.copy(ROOT / path, target.parent / path.name)
            out += [f".. literalinclude:: {path.name}", f"   :language: {language}"]
        target.write_text("\n".join(out) + "\n")
    return name


def linked(stage, page, target):
    """What a link of `page` (relative to the repository) is in the site."""
    if re.match(r"[a-z]+:", target) or target.startswith("#"):
        return target
    name, _, anchor = target.partition("#")
    path = (ROOT / page.parent / name).resolve()
    if not path.exists():
        raise SystemExit(f"{page}: the link to {target} leads nowhere")
    path = path.relative_to(ROOT)
    anchor = "#" + anchor if anchor else ""
    up = "../" * len(page.parent.parts)
    if str(path) == "README.md":
        return up + "index.md"
    if path.suffix in (".md", ".svg", ".png"):
        return target
    if path.suffix in (".hpp", ".cuh") and path.is_relative_to("include/trm"):
        return up + str(pathlib.Path("api") / headers.page_of(path.relative_to("include/trm")))
    return up + str(source_page(stage, path)) + anchor


def staged(stage, page):
    """Copies a page, with its links rewritten."""
    out, fenced = [], False
    for text in (ROOT / page).read_text().split("\n"):
        fenced ^= text.lstrip().startswith("```")
        if not fenced and not text.startswith("    "):
            text = re.sub(r"(\]\()([^)\s]+)(\))", lambda m: m[1] + linked(stage, page, m[2]) + m[3], text)
        if text.startswith("|") and not fenced:  # no line ends behind the sign of an exponent
            text = re.sub(r"(?<![\w.`-])(\d[\d.]*e-\d+)(?![\w`])", r'<span class="number">\1</span>', text)
        out.append(text)
    (stage / page).parent.mkdir(parents=True, exist_ok=True)
    (stage / page).write_text("\n".join(out))


def lay_out(stage, xml):
    """Writes everything below `stage`."""
    pages = [p.relative_to(ROOT) for p in sorted((ROOT / "docs").rglob("*.md")) if SITE not in p.parents]
    pages += [pathlib.Path(name) for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")]
    for page in pages:
        staged(stage, page)
    for picture in [*(ROOT / "docs").rglob("*.svg"), *(ROOT / "docs").rglob("*.png")]:
        target = stage / picture.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(picture, target)
    api.pages(xml, stage)
    # The start lists all pages; those that are not there are left out.
    listed, out, in_tree = set(), [], False
    for text in (SITE / "index.md").read_text().split("\n"):
        in_tree = text.startswith("```{toctree}") or (in_tree and not text.startswith("```"))
        entry = re.sub(r"^.* <(.*)>$", r"\1", text.strip())  # `title <page>` or `page`
        if in_tree and entry and not entry.startswith((":", "```")):
            listed.add(entry)
            if not (stage / (entry + ".md")).exists() and not (stage / (entry + ".rst")).exists():
                print(f"not there yet: {entry}.md")
                continue
        out.append(text)
    (stage / "index.md").write_text("\n".join(out))
    for page in pages:
        if str(page.with_suffix("")) not in listed:
            raise SystemExit(f"{page}: no section of docs/site/index.md lists it")


def main():
    work = pathlib.Path(sys.argv[1])
    lay_out(work / "pages", doxygen.run(work))


if __name__ == "__main__":
    main()
