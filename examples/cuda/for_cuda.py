"""Write a copy of this project for one major version of CUDA: ``python for_cuda.py 12 build/cu12``."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

# CUDA 13 does not compile for 7.0, and CUDA 12 compiles for 12.0 since 12.8.
ARCHITECTURES = {"12": '["7.0", "8.0", "9.0", "12.0+PTX"]', "13": '["7.5", "8.0", "9.0", "12.0+PTX"]'}


def main() -> None:
    """Copy the project, with another name and other architectures."""
    major, folder = sys.argv[1], Path(sys.argv[2])
    source = Path(__file__).parent
    folder.mkdir(parents=True)
    for name in ("src", "python"):
        shutil.copytree(source / name, folder / name)
    for name in ("CMakeLists.txt", "README.md"):
        shutil.copy(source / name, folder)
    text = (source / "pyproject.toml").read_text(encoding="utf-8")
    text = re.sub(r'^name = "(.*)"$', rf'name = "\1-cu{major}"', text, flags=re.MULTILINE)
    text = re.sub(r"^architectures = .*$", f"architectures = {ARCHITECTURES[major]}", text, flags=re.MULTILINE)
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
