"""What makes a site of the documents as they are (hooks of MkDocs).

Owns: which documents outside docs/ are pages, links between documents wherever they are, and what of a document is not
shown. Not here: the order of pages (mkdocs.yml). Invariant: a document says the same on the site as in the repository;
a page of docs/ that the navigation does not name is put at its end, so that none is lost.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
MERMAID = ROOT / ".mermaid" / "mermaid.min.js"  # fetched by `make diagrams`
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "DECISIONS.md": "decisions.md",
    "deploy/README.md": "deploy.md",
}
"""Documents outside docs/, and the pages that they are."""

_SOURCES = {page: document for document, page in PAGES.items()}
_COG = re.compile(r"^<!-- \[\[\[cog$.*?^\]\]\] -->$|^<!-- \[\[\[end\]\]\] -->$", re.MULTILINE | re.DOTALL)
_FENCE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
_SOURCE = re.compile(r'((?:src|srcset)=")([^"]+)"')
_REMOTE = re.compile(rb"https://unpkg\.com/([a-z-]+)[^\"'`]*")


def on_config(config: Any) -> Any:  # noqa: ANN401 - MkDocs's own, which is not installed where types are checked
    """Draw diagrams, if Mermaid is here; else they are shown as text. Name the pages that the navigation does not."""
    if MERMAID.exists():
        from pymdownx.superfences import fence_code_format

        fence = {"name": "mermaid", "class": "mermaid", "format": fence_code_format}
        config.mdx_configs["pymdownx.superfences"] = {"custom_fences": [fence]}
    named = set(_leaves(config.nav))
    pages = sorted(path.name for path in Path(config.docs_dir).glob("*.md"))
    config.nav[-1]["Reference"] += [page for page in pages if page not in named]
    return config


def on_files(files: Any, config: Any) -> Any:  # noqa: ANN401
    """Add the documents that are not in docs/, the style, and Mermaid."""
    from mkdocs.structure.files import File

    for document, page in PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / document).read_text("utf-8")))
    files.append(File.generated(config, "assets/gembill.css", abs_src_path=str(Path(__file__).with_name("style.css"))))
    if MERMAID.exists():
        files.append(File.generated(config, "assets/mermaid.min.js", abs_src_path=str(MERMAID)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:  # noqa: ANN401
    """The document without the programs that write it, its links leading to pages."""
    place = page.file.src_uri
    return shown(markdown, _SOURCES.get(place, f"docs/{place}"))


def on_post_build(config: Any) -> None:  # noqa: ANN401
    """Let the theme take Mermaid from the site, and from a server elsewhere nothing: the rest is for old browsers."""
    for script in Path(config.site_dir, "assets", "javascripts").glob("bundle*.js"):
        script.write_bytes(_REMOTE.sub(local, script.read_bytes()))


def local(remote: re.Match[bytes]) -> bytes:
    """What takes the place of a script elsewhere."""
    return b"assets/mermaid.min.js" if remote[1] == b"mermaid" else b"data:text/javascript,"


def shown(markdown: str, document: str) -> str:
    """A document, named by its path in the repository, as the site shows it. Blocks of code stay as they are."""
    pieces = _FENCE.split(_COG.sub("", markdown))
    return "".join(piece if place % 2 else _linked(piece, document) for place, piece in enumerate(pieces))


def _linked(text: str, document: str) -> str:
    text = _LINK.sub(lambda link: _link(link, document), text)
    return _SOURCE.sub(lambda source: f'{source[1]}{target(source[2], document) or source[2]}"', text)


def _link(link: re.Match[str], document: str) -> str:
    where = target(link[3], document)
    if where is not None:
        return f"{link[1]}[{link[2]}]({where})"
    return link[2]  # a file of the repository that is not part of the site


def target(link: str, document: str) -> str | None:
    """Where a link of a document leads on the site, as seen from any page; None if it is not there."""
    if "://" in link or link.startswith(("#", "mailto:")):
        return link
    path, mark, anchor = link.partition("#")
    path = posixpath.normpath(posixpath.join(posixpath.dirname(document), path))
    if path in PAGES:
        return PAGES[path] + mark + anchor
    return path.removeprefix("docs/") + mark + anchor if path.startswith("docs/") else None


def _leaves(nav: Any) -> list[str]:  # noqa: ANN401
    if isinstance(nav, str):
        return [nav]
    inner = nav.values() if isinstance(nav, dict) else nav
    return [leaf for one in inner for leaf in _leaves(one)]
