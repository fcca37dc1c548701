# SPDX-License-Identifier: MIT
"""The headers as Doxygen is to read them: a copy, line by line, in which the comments of this repository are comments of Doxygen's.

In the headers `///` stands before what it describes, `//` behind it; text is plain, code stands between `backticks` or is indented.
Doxygen would take `<`, `*`, `@` in formulas for commands of its own, and a `//` for nothing. So here, outside of functions,

- a line of comment directly before a declaration becomes `///`, one behind a declaration `///<`;
- one that only divides, `// ---- rows ----`, is left out,
- what Doxygen would take for a command is escaped, `x` becomes <code>x</code>, an indented block @code or @verbatim.
"""
import pathlib
import re

GNU_ATTRIBUTE = re.compile(r"__attribute__\(\((?:[^()\n]|\([^()\n]*\))*\)\) ?")
LABEL = re.compile(r"\b(public|private|protected)\s*:")
ATTRIBUTE = re.compile(r"\[\[.*?\]\]|\balignas\s*\([^)]*\)|\b(TRM_HD|inline|constexpr|static|typedef|friend)\b")


def without_template(text):
    """Text without the template<...> that it begins with."""
    while match := re.match(r"\s*template\s*<", text):
        depth, i = 1, match.end()
        while i < len(text) and depth:
            depth += {"<": 1, ">": -1}.get(text[i], 0)
            i += 1
        text = text[i:]
    return text


def scope_of(head):
    """What a `{` opens behind this text: namespace, class, enum, or code."""
    head = ATTRIBUTE.sub("", without_template(LABEL.sub("", head))).strip()
    if match := re.match(r"(namespace|struct|class|union|enum)\b", head):
        return {"namespace": "namespace", "enum": "enum"}.get(match[1], "class")
    return "code"


class Comment:
    """A `//` comment: its line and column, its text with the slashes, the scope it stands in, and what code its line has before."""

    def __init__(self, line, column, text, scope, before, within):
        self.line, self.column, self.text, self.scope, self.before = line, column, text, scope, before
        self.within = within  # a declaration that has begun and not ended


def comments_of(source):
    """Every // comment of a header, with its place."""
    found, stack, pending, parens = [], [], "", []
    line, line_start, i = 0, 0, 0
    while i < len(source):
        rest = source[i:i + 2]
        if source[i] == "\n":
            line, line_start = line + 1, i + 1
            pending += " "
            i += 1
        elif source[i] == "#" and not source[line_start:i].strip():  # a directive, to the end of its last line
            while True:
                end = source.find("\n", i)
                end = len(source) if end < 0 else end
                if source[end - 1] != "\\":
                    break
                line, line_start, i = line + 1, end + 1, end + 1
            i = end
        elif rest == "//":
            end = source.find("\n", i)
            end = len(source) if end < 0 else end
            before = source[line_start:i]
            within = bool(LABEL.sub("", pending).strip()) or bool(parens and parens[-1])
            found.append(Comment(line, i - line_start, source[i:end], stack[-1] if stack else "namespace", before, within))
            i = end
        elif rest == "/*":
            end = source.index("*/", i) + 2
            line += source.count("\n", i, end)
            i = end
        elif rest == 'R"' and (match := re.match(r'R"([^(]*)\(', source[i:i + 20])):
            end = source.index(")" + match[1] + '"', i) + len(match[1]) + 2
            line += source.count("\n", i, end)
            i = end
        elif source[i] == '"' or (source[i] == "'" and not (i and source[i - 1].isalnum())):
            match = re.compile(r'"(\\.|[^"\\])*"' if source[i] == '"' else r"'(\\.|[^'\\])*'").match(source, i)
            pending += '""'
            i = match.end()
        else:
            c = source[i]
            if c == "{":
                inside = bool(parens and parens[-1])
                stack.append("code" if inside or (stack and stack[-1] in ("code", "enum")) else scope_of(pending))
                parens.append(0)
                pending = ""
            elif c == "}":
                closed = stack.pop()
                parens.pop()
                pending = "" if not (parens and parens[-1]) else pending
                if closed in ("class", "enum"):
                    pending = "}"  # until its semicolon
            elif c == "(":
                parens = parens or [0]
                parens[-1] += 1
                pending += c
            elif c == ")":
                parens[-1] -= 1
                pending += c
            elif c == ";" and not (parens and parens[-1]):
                pending = ""
            else:
                pending += c
            i += 1
    return found


def escaped(text):
    """Plain text, of which Doxygen takes nothing for a command."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # a backtick alone
        parts = [text]
    out = []
    for i, part in enumerate(parts):
        part = re.sub(r"([@\\#%$])", r"\\\1", part.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
        part = part.replace("::", r"\::").replace("--", r"\--").replace('"', r"\"") if i % 2 == 0 else part.replace('"', r"\"")
        out.append(f"<code>{part}</code>" if i % 2 else part)
    return "".join(out)


def translated(block):
    """The text of the lines of one comment, as Doxygen's: indented lines are code."""
    out, i = [], 0
    indented = [bool(re.match(r" {3,}\S", text)) for text in block]
    while i < len(block):
        if not indented[i]:
            out.append(escaped(block[i]))
            i += 1
            continue
        end = i
        while end < len(block) and (indented[end] or (not block[end].strip() and end + 1 < len(block) and indented[end + 1])):
            end += 1
        code = block[i:end]
        margin = min(len(t) - len(t.lstrip()) for t in code if t.strip())
        code = [t[margin:] for t in code]
        kind = "code" if re.search(r"[;{}]|#include", "".join(code)) else "verbatim"
        begin = "@code{.cpp} " if kind == "code" else "@verbatim "
        # On lines of their own, without a line more than there was: the text before ends in the command.
        if out:
            out[-1] += " " + begin
        else:
            code[0] = begin + code[0]
        code[-1] += f" @end{kind}"
        out += code
        i = end
    return out


def converted(source):
    """A header for Doxygen; it has as many lines."""
    lines = source.split("\n")
    top = next((n for n, text in enumerate(lines) if text.startswith("#pragma once")), 0)
    comments = {c.line: c for c in comments_of(source)}
    kinds = {}  # line: "///" or "///<"
    for n in sorted(comments, reverse=True):
        c = comments[n]
        if n < top or c.scope == "code" or re.fullmatch(r"// -+ .* -+", c.text):
            continue
        if not c.before.strip():
            below = lines[n + 1].strip() if n + 1 < len(lines) else ""
            follows = comments.get(n - 1) if (n - 1) in comments else None
            if follows is not None and follows.before.strip() and follows.column == c.column:
                kinds[n] = "///<"
            elif c.within and c.scope != "enum":
                continue
            elif below.startswith("//"):
                if n + 1 in kinds and kinds[n + 1] == "///":
                    kinds[n] = "///"
            elif c.text.startswith("///") or (below and not re.match(r"[}#]|(public|private|protected)\s*:|namespace\b", below)):
                kinds[n] = "///"
        elif not c.within or c.scope == "enum":
            if not re.match(r"\s*[}#]|.*\b(struct|class|namespace|enum)\b[^;]*\{\s*$", c.before):
                kinds[n] = "///<"
    done = set()
    for n in sorted(comments):
        if n not in kinds or n in done:
            if n not in kinds and not comments[n].before.strip() and comments[n].text.startswith("///"):
                lines[n] = ""  # inside a declaration: nothing Doxygen should look at
            continue
        block = [n]
        while block[-1] + 1 in kinds and kinds[block[-1] + 1] == kinds[n] and not comments[block[-1] + 1].before.strip():
            block.append(block[-1] + 1)
        done.update(block)
        texts = [re.sub(r"^///?<?", "", comments[m].text) for m in block]
        for m, text in zip(block, translated(texts)):
            lines[m] = lines[m][:comments[m].column] + kinds[n] + text
    return GNU_ATTRIBUTE.sub("", "\n".join(lines))


def found(include):
    """Every header below `include`; those for nvcc alone are named .cuh."""
    return sorted([*include.rglob("*.hpp"), *include.rglob("*.cuh")])


def page_of(path):
    """The page of a header, of the same path: x.rst of x.hpp, x.cuh.rst of x.cuh."""
    return path.with_suffix(".rst") if path.suffix == ".hpp" else path.with_name(path.name + ".rst")


def prepare(include, output):
    """Copies every header below `include` to `output`, converted."""
    for path in found(include):
        target = output / path.relative_to(include)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(converted(path.read_text()))


def introduction(path):
    """The comment a header begins with, after its licence: lines of text."""
    lines = []
    for text in path.read_text().split("\n")[1:]:
        if not text.startswith("//"):
            break
        lines.append(text[2:].removeprefix(" "))
    return lines


if __name__ == "__main__":
    import sys
    prepare(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
