"""Prints the files of a project on the package indexes, as JSON: name, yanked and requires_python of each.

``python listing.py PROJECT``. No command of pip lists files for other platforms. So this program reads pip's settings
with ``pip config list`` and asks the indexes itself, by the simple repository API (PEP 503 for HTML, PEP 691 for JSON).
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

import requests
from packaging.utils import canonicalize_name
from pypi_simple import PYPI_SIMPLE_ENDPOINT, ProjectPage, UnsupportedContentTypeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pypi_simple import DistributionPackage

__all__ = ["find_files", "read_pip_settings"]

# Those that come later override the others; a variable such as PIP_INDEX_URL overrides every file.
_SECTIONS = ("global", "download", ":env:")
_TRUE = {"1", "on", "true", "y", "yes"}
# PEP 691: an index that has JSON gives that, any other its HTML.
_ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"


def main() -> None:
    """Print the files of the project that is the only argument."""
    project = canonicalize_name(sys.argv[1])
    files = [
        {"name": file.filename, "yanked": file.is_yanked, "requires_python": file.requires_python}
        for file in find_files(project, read_pip_settings())
    ]
    if not files:
        sys.exit(f"no index that pip is configured for answers for {project}; look at: pip config list")
    json.dump(files, sys.stdout)


def read_pip_settings() -> dict[str, str]:
    """Return the settings of pip for downloads, by the name of the option."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "list"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8")
    rows = [line.partition("=") for line in done.stdout.splitlines() if "=" in line]
    found = {name: str(ast.literal_eval(value)) for name, _, value in rows}
    return {
        name.removeprefix(f"{section}."): value
        for section in _SECTIONS
        for name, value in found.items()
        if name.startswith(f"{section}.")
    }


def find_files(project: str, settings: Mapping[str, str]) -> Iterator[DistributionPackage]:
    """Yield the files of a project in each place that pip would look in. A place that does not answer has none."""
    with requests.Session() as session:
        session.headers["Accept"] = _ACCEPT
        session.verify = settings.get("cert") or session.verify
        session.cert = settings.get("client-cert")
        if "proxy" in settings:
            session.proxies = dict.fromkeys(("http", "https"), settings["proxy"])
        timeout = float(settings.get("timeout") or settings.get("default-timeout") or 15)
        for address in _pages(project, settings):
            try:
                page = _read_page(address, project, session, timeout)
            except (UnsupportedContentTypeError, OSError):  # requests' errors are OSErrors
                continue
            for file in page.packages:
                if file.project and canonicalize_name(file.project) == project:
                    yield file


def _pages(project: str, settings: Mapping[str, str]) -> Iterator[str]:
    """Yield the addresses of the pages that can have files of a project."""
    yield from settings.get("find-links", "").split()
    if settings.get("no-index", "0").lower() not in _TRUE:
        for index in (settings.get("index-url", PYPI_SIMPLE_ENDPOINT), *settings.get("extra-index-url", "").split()):
            yield f"{index.rstrip('/')}/{project}/"


def _read_page(address: str, project: str, session: requests.Session, timeout: float) -> ProjectPage:
    """Return what a page of an index, a page of links or a directory lists.

    Raises:
        OSError, UnsupportedContentTypeError: It cannot be read.

    """
    if address.startswith(("http://", "https://")):
        answer = session.get(address, timeout=timeout)
        answer.raise_for_status()
        return ProjectPage.from_response(answer, project)
    path = Path(url2pathname(urlsplit(address).path) if address.startswith("file:") else address)
    if path.is_dir() and not (path / "index.html").exists():
        return ProjectPage.from_html(
            project, "".join(f'<a href="{file.name}">{file.name}</a>' for file in path.iterdir())
        )
    return ProjectPage.from_html(project, (path / "index.html" if path.is_dir() else path).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
