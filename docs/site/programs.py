# SPDX-License-Identifier: MIT
"""The reference of the programs, docs/reference/<program>.md: what their own --help says, command after command.

programs.py PROGRAM...            compares the pages with what the programs say, and fails where they differ
programs.py --update PROGRAM...   writes the pages; so does cmake --build BUILD --target update-programs-reference
"""
import difflib
import os
import pathlib
import re
import subprocess
import sys

REFERENCE = pathlib.Path(__file__).resolve().parent.parent / "reference"
UPDATE = "cmake --build BUILD --target update-programs-reference"


def help_of(program, *command):
    """What the program prints, whatever terminal, environment and folder it is run in."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TRM_")} | {"COLUMNS": "100", "NO_COLOR": "1", "LC_ALL": "C"}
    done = subprocess.run([program, *command, "--help"], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    # Which models are there, and which one is the default, is up to TRM_PRESETS.
    text = re.sub(r"^( +--preset NAME +Model[^:(\n]*):.*\n(?: {15,}\S.*\n)*", r"\1: see TRM_PRESETS\n", done.stdout, flags=re.MULTILINE)
    return text.rstrip() + "\n"


def commands_of(text):
    """The names under `Commands:` or `Subcommands:`."""
    section = re.search(r"^\w*commands:\n((?:[ \n].*\n?)*)", text, re.IGNORECASE | re.MULTILINE)
    return re.findall(r"^ {2}([a-z][\w-]*)", section[1], re.MULTILINE) if section else []


def page(program):
    """The whole page of one program."""
    name = pathlib.Path(program).name
    first = help_of(program)
    commands = commands_of(first)
    if not commands:
        raise SystemExit(f"{program} --help names no commands")
    out = [f"# {name}: all options", "", f"As `{name} --help` says it; a test compares this page with the program. What the commands are for: "
           f"[{name}](../{name}.md).", "", "```text", first + "```", ""]
    for command in commands:
        out += [f"## {command}", "", "```text", help_of(program, command) + "```", ""]
    return "\n".join(out)


def main():
    update = sys.argv[1:2] == ["--update"]
    wrong = []
    for program in sys.argv[2:] if update else sys.argv[1:]:
        path = REFERENCE / f"{pathlib.Path(program).name}.md"
        text = page(program)
        if update:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            continue
        written = path.read_text() if path.exists() else ""
        if text != written:
            wrong.append(path)
            sys.stdout.writelines(difflib.unified_diff(written.splitlines(True), text.splitlines(True), str(path), program, n=1))
    if wrong:
        print(f"{', '.join(p.name for p in wrong)}: not what the programs say; bring up to date with\n  {UPDATE}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
