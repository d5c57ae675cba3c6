"""Writes a copy of a package in which every function, lambdas and nested ones included, calls `reach` first.

A copy rather than patches of functions that are loaded: decorators, closures, generators, properties and names bound by
`from x import f` need no care, and what reads source (TensorFlow's AutoGraph) finds what runs.
"""

import ast
import shutil
from pathlib import Path

_HOOK = "__faults__"
_IMPORT = f"import tests.unchanged.faults.reach as {_HOOK}"


def instrument(package: Path, target: Path, parts: tuple[str, ...]) -> list[str]:
    """Copy a package and instrument the modules below some of its parts; return the names of all their functions.

    Args:
        package: its folder.
        target: folder that gets the copy, to be put first on the path.
        parts: of the package, as `training`.
    """
    copy = target / package.name
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__"))
    functions: list[str] = []
    for part in parts:
        for path in sorted((copy / part).rglob("*.py")):
            module = ".".join(path.relative_to(target).with_suffix("").parts)
            source, named = instrumented(path.read_text(encoding="utf-8"), module)
            path.write_text(source, encoding="utf-8")
            functions += named
    return functions


def instrumented(source: str, module: str) -> tuple[str, list[str]]:
    """Return a module's source with the calls in it, and its functions' names.

    Args:
        source: of the module.
        module: its dotted name, which begins the functions' names.
    """
    tree = ast.parse(source)
    visitor = _Instrumenting(module)
    tree = visitor.visit(tree)
    position = _after_head(tree.body)
    tree.body[position:position] = ast.parse(_IMPORT).body
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n", visitor.functions


def _after_head(body: list[ast.stmt]) -> int:
    """Return the index after a docstring and imports from `__future__`."""
    position = 1 if body and _is_text(body[0]) else 0
    while position < len(body) and _is_of_future(body[position]):
        position += 1
    return position


def _is_of_future(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


class _Instrumenting(ast.NodeTransformer):
    """Adds the calls, from the outside in."""

    def __init__(self, module: str) -> None:
        self.functions: list[str] = []
        self._names = [module]

    def _call(self, name: str) -> ast.Expr:
        self.functions.append(name)
        return ast.Expr(ast.parse(f"{_HOOK}.reach({name!r})", mode="eval").body)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """Go through a class; those of typing alone hold no functions that run."""
        if any(ast.unparse(base).startswith("Protocol") for base in node.bases):
            return node
        self._names.append(node.name)
        self.generic_visit(node)
        self._names.pop()
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Put the call behind a docstring, and inside of a `try` that is all there is: nothing fails before that."""
        name = ".".join([*self._names, node.name])
        if name in self.functions:
            name = f"{name}:{node.lineno}"
        call = self._call(name)
        self._names.append(node.name)
        self.generic_visit(node)
        self._names.pop()
        body = node.body[1:] if _is_text(node.body[0]) else node.body
        if body and isinstance(body[0], ast.Try):
            body[0].body.insert(0, call)
        else:
            node.body.insert(len(node.body) - len(body), call)
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        """Make the call part of a lambda's expression."""
        name = ".".join([*self._names, f"<lambda>:{node.lineno}"])
        call = self._call(name)
        self.generic_visit(node)
        node.body = ast.Subscript(ast.Tuple([call.value, node.body], ast.Load()), ast.Constant(1), ast.Load())
        return node
