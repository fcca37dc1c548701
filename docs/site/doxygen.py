# SPDX-License-Identifier: MIT
"""Runs Doxygen on the converted headers and reads the names it found."""
import pathlib
import re
import subprocess
import xml.etree.ElementTree as ElementTree

import headers

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def run(work):
    """Converts include/ into `work`, runs Doxygen there; the folder of its XML. Its warnings are errors."""
    source = work / "headers"
    headers.prepare(ROOT / "include", source)
    (work / "doxygen").mkdir(parents=True, exist_ok=True)
    settings = (pathlib.Path(__file__).parent / "Doxyfile").read_text()
    settings += f'INPUT = "{source}"\nSTRIP_FROM_PATH = "{source}"\nOUTPUT_DIRECTORY = "{work / "doxygen"}"\n'
    done = subprocess.run(["doxygen", "-"], input=settings, text=True, capture_output=True, check=False)
    warnings = [text.replace(str(source), "include") for text in done.stderr.split("\n") if text.strip()]
    if done.returncode or warnings:
        raise SystemExit("\n".join(warnings) or "doxygen failed")
    return work / "doxygen" / "xml"


class Name:
    """A public name: what it is called and is, where it stands, what its comment says, and what it belongs to."""

    def __init__(self, element, qualified, kind, owner):
        place = element.find("location")
        self.element, self.qualified, self.kind, self.owner = element, qualified, kind, owner
        self.id = element.get("id")
        self.name = qualified.rsplit("::", 1)[-1]
        self.file = place.get("file") if place is not None else None
        self.line = int(place.get("line")) if place is not None and place.get("line") else 0
        self.text = "".join(t for tag in ("briefdescription", "detaileddescription", "inbodydescription")
                            for t in (element.find(tag).itertext() if element.find(tag) is not None else ())).strip()


def names(xml):
    """All public names but those of namespaces called detail, in no order."""
    found = []
    for path in sorted(xml.glob("*.xml")):
        if path.name == "index.xml" or path.name.startswith("dir_"):
            continue
        for compound in ElementTree.parse(path).getroot().findall("compounddef"):
            title, kind = compound.findtext("compoundname"), compound.get("kind")
            if "detail" in title.split("::") or compound.get("prot") in ("private", "protected"):
                continue
            owner = None
            if kind not in ("file", "namespace"):
                owner = Name(compound, title, kind, None)
                if owner.name.startswith("@"):
                    continue
                found.append(owner)
            for member in compound.iter("memberdef"):
                if member.get("prot") != "public" or (kind == "file") != (member.get("kind") == "define"):
                    continue
                name = member.findtext("name")
                entry = Name(member, name if kind == "file" else f"{title}::{name}", member.get("kind"), owner)
                found.append(entry)
                for value in member.findall("enumvalue"):
                    one = Name(value, f"{entry.qualified}::{value.findtext('name')}", "enumvalue", entry)
                    one.file = entry.file
                    found.append(one)
    return found


def is_special(name):
    """Written by the language rather than by us: copying, deleted, defaulted, destructors."""
    arguments = name.element.findtext("argsstring") or ""
    return (bool(re.search(r"=\s*(default|delete)\s*$", arguments)) or name.name.startswith("~") or
            name.name == "operator=")
