"""The size of the house at some revisions, as a table: `python -m tests.figures REVISION...`, Markdown on stdout.

Owns: what is counted and how (docs/architecture.md, In figures). Not here: judgements. Invariant: only what git has at
a revision is read, so that anybody with a clone gets the same figures.
"""

import ast
import io
import statistics
import subprocess
import sys
import tokenize
from dataclasses import dataclass

_FORMATS = {"table", "json", "csv", "markdown", "html", "github", "junit"}
_END = "\n"
_NOT_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Module:
    """One file with Python in it."""

    path: str
    source: str

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.source)

    @property
    def code_lines(self) -> int:
        """Lines with code: neither blank, comment nor docstring."""
        tokens = tokenize.generate_tokens(io.StringIO(self.source).readline)
        lines = {n for one in tokens if one.type not in _NOT_CODE for n in range(one.start[0], one.end[0] + 1)}
        for node in ast.walk(self.tree):
            if isinstance(node, (ast.Module, ast.ClassDef, *_DEFINITIONS)) and ast.get_docstring(node) is not None:
                text = node.body[0]
                lines -= set(range(text.lineno, (text.end_lineno or text.lineno) + 1))
        return len(lines)

    @property
    def function_lines(self) -> list[int]:
        """The length of each function, from `def` to its last line."""
        functions = [node for node in ast.walk(self.tree) if isinstance(node, _DEFINITIONS)]
        return [(node.end_lineno or node.lineno) - node.lineno + 1 for node in functions]

    @property
    def format_branches(self) -> int:
        """Comparisons with the name of a form of output."""
        compared = [node for node in ast.walk(self.tree) if isinstance(node, ast.Compare)]
        return sum(any(_is_format(one) for one in [node.left, *node.comparators]) for node in compared)


def _is_format(node: ast.expr) -> bool:
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return any(_is_format(one) for one in node.elts)
    return isinstance(node, ast.Constant) and node.value in _FORMATS


def modules(revision: str) -> list[Module]:
    """The packages' modules at a revision, without tests and migrations."""
    names = _git("ls-tree", "-r", "--name-only", revision, "--", "billing", "reports").splitlines()
    names = [name for name in names if name.endswith(".py") and "tests" not in name.split("/")]
    return [Module(name, _git("show", f"{revision}:{name}")) for name in names]


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], capture_output=True, text=True, check=True).stdout


def figures(revision: str) -> dict[str, str]:
    """What is counted, by name."""
    house = modules(revision)
    functions = sorted(length for module in house for length in module.function_lines)
    code = [module.code_lines for module in house]
    ninetieth = functions[len(functions) * 9 // 10]
    return {
        "modules": f"{len(house)}",
        "lines of code": f"{sum(code):,}",
        "modules of fewer than 60 lines": f"{sum(module.source.count(_END) < 60 for module in house)}",
        "functions": f"{len(functions):,}",
        "lines of a function: median, 90th percentile, longest": f"{statistics.median(functions):g}, {ninetieth}, "
        f"{functions[-1]}",
        "`found` as a word, tests included": f"{_words('found', revision):,}",
        "comparisons with a form of output in `cli/`": f"{sum(m.format_branches for m in house if '/cli/' in m.path)}",
    }


def _words(word: str, revision: str) -> int:
    lines = _git("grep", "-how", word, revision, "--", "*.py", "*.js").splitlines()
    return len(lines)


def main(*revisions: str) -> None:
    """Print the table, a column for each revision."""
    columns = [figures(revision) for revision in revisions]
    print(f"| | {' | '.join(revisions)} |\n|---{'|--:' * len(revisions)}|")
    for name in columns[0]:
        print(f"| {name} | {' | '.join(column[name] for column in columns)} |")


if __name__ == "__main__":
    main(*(sys.argv[1:] or ["HEAD"]))
