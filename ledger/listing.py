"""Prints the files of a project on the package index, as JSON: one object with name, yanked and requires_python a file.

``python listing.py PROJECT``. No command of pip does: they pass over what this machine could not install. So this is
one more command, of pip's own parts: it asks whichever index pip is configured for, as pip is configured to ask. It
runs in a process of its own, since pip's settings are for a whole process.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from pip._internal.commands.index import IndexCommand
from pip._internal.index.collector import LinkCollector, parse_links
from pip._internal.models.link import Link

if TYPE_CHECKING:
    from optparse import Values

__all__ = ["Listing"]


class Listing(IndexCommand):
    """A command of pip that lists files."""

    def run(self, options: Values, args: list[str]) -> int:
        """Print the files of the project that is the only argument."""
        (project,) = args
        files = []
        with self._build_session(options) as session:
            collector = LinkCollector.create(session, options=options)
            for location in collector.search_scope.get_index_urls_locations(project):
                page = collector.fetch_response(Link(location))
                for link in parse_links(page) if page else ():
                    row = {"name": link.filename, "yanked": link.is_yanked, "requires_python": link.requires_python}
                    files.append(row)
        # To pip an index that does not answer is one that has nothing.
        if not files:
            print(
                f"no index that pip is configured for answers for {project}; look at: pip config list", file=sys.stderr
            )
            return 1
        json.dump(files, sys.stdout)
        return 0


if __name__ == "__main__":
    sys.exit(Listing("listing", "Print the files of a project.").main(["--quiet", *sys.argv[1:]]))
