# SPDX-License-Identifier: MIT
"""Every link of every page of the repository leads somewhere: to a file or folder that git has, and where it names a section, to that.

links.py ROOT. Not looked at: addresses elsewhere (https:, mailto:), blocks of code, and `api/`, which only the site has.
"""
import pathlib
import re
import subprocess
import sys

LINK = re.compile(r"\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)|<(?:img|a)\s[^>]*?(?:src|href)=\"([^\"]+)\"")


def prose(text):
    """The lines with blocks of code and `code` made empty."""
    out, fence = [], ""
    for line in text.split("\n"):
        mark = re.match(r"\s*(```+|~~~+)", line)
        if mark and (not fence or mark[1].startswith(fence)):
            fence = "" if fence else mark[1]
            line = ""
        out.append("" if fence or line.startswith("    ") else re.sub(r"`[^`]*`", "", line))
    return out


def sections(path):
    """The anchors of a page's headings, as GitHub and the site make them."""
    found, fence = {}, False
    for line in path.read_text(encoding="utf-8").split("\n"):
        fence ^= line.lstrip().startswith("```")
        if not fence and (heading := re.match(r"#{1,6} (.*)", line)):
            text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[1]).replace("`", "").strip().lower()
            anchor = re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", text))
            again = found.setdefault(anchor, 0)
            found[anchor] += 1
            if again:
                found[f"{anchor}-{again}"] = 1
    return found


def broken(root, page, files):
    """What is wrong with the links of one page, a line each."""
    for number, line in enumerate(prose((root / page).read_text(encoding="utf-8")), 1):
        for match in LINK.finditer(line):
            target = match[1] or match[2]
            if re.match(r"[a-z]+:", target) or target.startswith("api/"):
                continue
            name, _, anchor = target.partition("#")
            # The start of the site is laid out as if it lay at the root.
            base = root if page == pathlib.Path("docs/site/index.md") else (root / page).parent
            path = (base / name).resolve() if name else root / page
            where = path.relative_to(root) if path.is_relative_to(root) else None
            if where is None or (where not in files and not any(where in one.parents for one in files)):
                yield f"{page}:{number}: the link to {target} leads to no file of the repository"
            elif anchor and path.suffix == ".md" and anchor not in sections(path):
                yield f"{page}:{number}: {where} has no section #{anchor}"


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    known = subprocess.run(["git", "-c", "safe.directory=*", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                           capture_output=True, text=True, check=False)
    if known.returncode == 0:
        files = {pathlib.Path(name) for name in known.stdout.split("\0") if name and (root / name).exists()}
    else:  # an archive has no git; build folders are not in it
        files = {path.relative_to(root) for path in root.rglob("*") if path.is_file() and "build" not in path.relative_to(root).parts}
    pages = sorted(path for path in files if path.suffix == ".md")
    if len(pages) < 10:
        raise SystemExit(f"{root}: only {len(pages)} pages were found")
    wrong = [one for page in pages for one in broken(root, page, files)]
    print("\n".join(wrong) if wrong else f"{len(pages)} pages: every link leads somewhere")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
