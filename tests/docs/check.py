#!/usr/bin/env python3
"""Keeps the code blocks of README.md and docs/ honest; docs/changing.md has the rules.

    with_server check.py --tool PROGRAM --installed PREFIX [PAGE...]
"""

import argparse
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# What the pages call the machines of their reader: here they are the test's server.
EXAMPLE_HOST = re.compile(r"\b(?:web|db)-\d(?:([: ])\d+)?(?![\w-])")
SHELL_BLOCK_BOUND = 300


@dataclass
class Block:
    page: Path
    line: int
    language: str
    text: str
    # From a comment `<!-- KEY: VALUE -->` on the line above.
    not_run: str = ""
    file: str = ""

    def complain(self, text):
        return f"{self.page.relative_to(ROOT)}:{self.line}: {text}"


def blocks_of(page):
    """All code blocks of a page; an indented one is an error, since nobody could name its language."""
    blocks, problems = [], []
    fence = None
    above = ""
    in_list = False
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if fence:
            if line.strip() == "```":
                blocks.append(fence)
                fence = None
            else:
                fence.text += line + "\n"
        elif line.startswith("```"):
            fence = Block(page, number, line[3:].strip(), "")
            if mark := re.fullmatch(r"<!-- (not run|file): (.+) -->", above):
                setattr(fence, mark[1].replace(" ", "_"), mark[2])
        elif line.startswith("    ") and not in_list and not above.startswith(("    ", "|")):
            problems.append(f"{page.relative_to(ROOT)}:{number}: an indented code block: fence it")
        if re.match(r"([-*]|\d+\.) ", line):
            in_list = True
        elif line and not line.startswith(" "):
            in_list = False
        above = line.strip() if line.strip().startswith("<!--") else line
    if fence:
        problems.append(fence.complain("the block does not end"))
    return blocks, problems


def prose_of(page):
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)


def anchors_of(page):
    """What the headings of a page can be linked by, as GitHub makes it."""
    for heading in re.findall(r"^#+ (.+)$", prose_of(page), flags=re.M):
        yield re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def dead_links(page):
    for file, anchor in re.findall(r"\]\(([^)#]*)#?([^)]*)\)", prose_of(page)):
        target = page.parent / file if file else page
        if "://" in file:
            continue
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            yield f"{page.relative_to(ROOT)}: a link to {file}#{anchor}, which is not there"


def significant(text):
    """Lines without their indentation and without empty ones."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def parts(lines):
    """What lies between lines with nothing but an ellipsis, in a comment or not."""
    result = [[]]
    for line in lines:
        if re.fullmatch(r"(//|#)? ?…", line):
            result.append([])
        else:
            result[-1].append(line)
    return result


def is_excerpt(block, example):
    """Whether all parts of a block are in a file, each in one piece."""
    lines = significant(example.read_text())
    return all(
        any(lines[i : i + len(part)] == part for i in range(len(lines) - len(part) + 1))
        for part in parts(significant(block.text))
    )


def with_host(text, host, port):
    """Text in which the machines of examples are this server."""
    return EXAMPLE_HOST.sub(lambda found: host + (found[1] or ":") + port, text)


def shape(line):
    """A line without what differs from run to run."""
    line = with_host(line, "127.0.0.1", "22")
    line = re.sub(r"SHA256:[\w+/]+", "SHA256:KEY", line)
    line = re.sub(r"\d+(\.\d+)?", "N", line)
    return re.sub(r"\s+", " ", line).strip()


def has_shape(sample, output):
    pattern = [
        r"(?:.*\n)*" if line.strip() == "…" else re.escape(shape(line)) + r"\n"
        for line in sample.splitlines()
    ]
    return re.fullmatch("".join(pattern), "".join(shape(x) + "\n" for x in output.splitlines()))


class Reader:
    """One who does what a page says, in an empty directory."""

    def __init__(self, directory, tool):
        self.directory = directory
        self.bin = directory.parent / "bin"
        self.output = None
        self.bin.mkdir(exist_ok=True)
        wrapper = f'#!/bin/sh\n[ $# -gt 0 ] || set -- demo\nexec "{tool}" "$@"\n'
        for name in [self.bin / "sshexec", directory / "run"]:
            name.write_text(wrapper)
            name.chmod(0o755)

    def read(self, block, examples):
        """What is wrong with a block, if anything."""
        if block.file:
            (self.directory / block.file).write_text(block.text)
            return None
        if block.not_run:
            self.output = None
            return None
        if block.language == "sh":
            return self.run(block)
        if block.language == "text":
            return self.compare(block)
        if block.language in ("cpp", "cmake"):
            if any(is_excerpt(block, example) for example in examples):
                return None
            return block.complain("not to be found in any example")
        if block.language == "diagram":
            return None
        return block.complain(
            f"'{block.language}' is none of sh, text, cpp, cmake and diagram; "
            "what is written to a file has a comment '<!-- file: NAME -->' above"
        )

    def run(self, block):
        script = with_host(
            block.text, os.environ["SSHEXEC_HOST"], os.environ["SSHEXEC_PORT"]
        )
        environment = dict(os.environ, PATH=f"{self.bin}:{os.environ['PATH']}")
        # A file and a group of its own: what a block leaves running holds up nothing, and ends. Its
        # output is what a terminal would show.
        with tempfile.TemporaryFile("w+") as out:
            shell = subprocess.Popen(
                ["bash", "-euo", "pipefail", "-c", script],
                cwd=self.directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
            try:
                status = f"exit code {shell.wait(SHELL_BLOCK_BOUND)}"
            except subprocess.TimeoutExpired:
                status = f"did not end within {SHELL_BLOCK_BOUND} s"
            with contextlib.suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
            out.seek(0)
            self.output = out.read()
            if status == "exit code 0":
                return None
            return block.complain(f"{status}\n{self.output}")

    def compare(self, block):
        if self.output is None:
            return block.complain("sample output of nothing that was run: is it a diagram?")
        if has_shape(block.text, self.output):
            return None
        return block.complain(f"the output looks otherwise:\n{self.output}")


def missing_settings():
    """Options that the operator is not told."""
    told = (ROOT / "docs/operating.md").read_text()
    for name in re.findall(r'read\("([a-z-]+)"', (ROOT / "actors/settings.cpp").read_text()):
        if f"`{name}`" not in told:
            yield f"docs/operating.md: there is no setting `{name}`"


def check(page, directory, tool, examples):
    blocks, problems = blocks_of(page)
    problems += dead_links(page)
    directory.mkdir()
    reader = Reader(directory, tool)
    for block in blocks:
        if problem := reader.read(block, examples):
            problems.append(problem)
    return problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", type=Path, required=True)
    parser.add_argument("--installed", type=Path, required=True, help="an installed sshexec")
    parser.add_argument("pages", type=Path, nargs="*")
    arguments = parser.parse_args()
    pages = arguments.pages or [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    examples = [
        file
        for folder in ("docs/examples", "tests/package/consumer")
        for file in (ROOT / folder).rglob("*")
        if file.suffix in (".cpp", ".hpp") or file.name == "CMakeLists.txt"
    ]

    home = Path(os.environ["HOME"])
    (home / "sshexec").symlink_to(arguments.installed.resolve())
    shutil.copy(home / ".ssh/id_ed25519", home / ".ssh/deploy")
    problems = list(missing_settings())
    with tempfile.TemporaryDirectory() as directory:
        for page in pages:
            problems += check(
                page.resolve(), Path(directory) / page.stem, arguments.tool.resolve(), examples
            )
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
