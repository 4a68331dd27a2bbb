"""Which GPUs run which device code, by the rules of CUDA's manuals, and the table that this rests on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tvm_ffi_build import gpus
from tvm_ffi_build.binaries.device_code import DeviceCode, DeviceImage
from tvm_ffi_build.contract.device_support import device_code_as_json, device_code_as_text, group_by_target
from tvm_ffi_build.gpus.catalogue import read_catalogue
from tvm_ffi_build.gpus.coverage import assess_gpus, has_cuda
from tvm_ffi_build.platforms.cuda_architectures import (
    CudaArchitecture,
    DeclaredArchitecture,
    parse_architecture,
    parse_declared,
)

if TYPE_CHECKING:
    from tvm_ffi_build.binaries.device_code.device_image import ImageKind
    from tvm_ffi_build.gpus.coverage import Run

DATA = json.loads(Path(gpus.__file__).with_name("gpus.json").read_text(encoding="utf-8"))


def image(target: str, isa: tuple[int, int] | None = None, *, is_relocatable: bool = False) -> DeviceImage:
    kind: ImageKind = "ptx" if target.startswith("compute") else "cubin"
    return DeviceImage(kind, target, 0, 1, 1, isa=isa, is_relocatable=is_relocatable)


def code(*images: DeviceImage, toolkits: tuple[str, ...] = ("13.0",)) -> DeviceCode:
    return DeviceCode(images, toolkits)


def runs(*images: DeviceImage, toolkits: tuple[str, ...] = ("13.0",)) -> dict[str, Run]:
    found = assess_gpus(code(*images, toolkits=toolkits), read_catalogue())
    return {str(run.capability): run for run in found if run.manner != "no"}


def test_each_row_names_a_document_and_a_toolkit_that_are_in_the_table() -> None:
    for name in ("capabilities", "toolkits", "toolkit_majors"):
        for row in DATA[name]:
            assert row["sources"]
            assert set(row["sources"]) <= set(DATA["sources"])
    assert all(source["title"] and source["url"].startswith("https://") for source in DATA["sources"].values())
    toolkits = {row["version"] for row in DATA["toolkits"]}
    assert {row["first_toolkit"] for row in DATA["capabilities"]} <= toolkits


def test_the_table_is_in_order_and_newer_is_never_older() -> None:
    catalogue = read_catalogue()
    assert list(catalogue.capabilities) == sorted(catalogue.capabilities, key=lambda row: row.number)
    versions = [row.version for row in catalogue.toolkits]
    assert versions == sorted(versions)
    for column in ([row.ptx for row in catalogue.toolkits], [row.driver for row in catalogue.toolkits if row.driver]):
        assert column == sorted(column)
    # The first toolkit of a major version came with the oldest driver that serves all of them; but for 11.0, whose
    # driver was replaced by the first update.
    drivers = {row.version: row.driver for row in catalogue.toolkits}
    assert [(drivers[major, 0], row.oldest_driver) for major, row in catalogue.majors.items()] == [
        (445, 450),
        (525, 525),
        (580, 580),
    ]


def test_a_cubin_runs_on_the_same_major_number_from_its_minor_number_on() -> None:
    assert set(runs(image("sm_80"))) == {"8.0", "8.6", "8.9"}
    assert set(runs(image("sm_86"))) == {"8.6", "8.9"}
    assert set(runs(image("sm_120"))) == {"12.0", "12.1"}


def test_systems_on_a_chip_run_their_own_cubins_only() -> None:
    assert set(runs(image("sm_87"))) == {"8.7"}
    assert set(runs(image("sm_72"))) == {"7.2"}


def test_code_for_one_architecture_runs_there_only() -> None:
    assert set(runs(image("sm_90a"))) == {"9.0"}
    assert set(runs(image("sm_100a"), image("compute_100a", (9, 0)))) == {"10.0"}


def test_code_for_a_family_runs_on_its_later_members() -> None:
    assert {"10.0", "10.3"} <= set(runs(image("sm_100f")))
    assert set(runs(image("sm_103f"))) & {"10.0", "12.0"} == set()
    assert set(runs(image("compute_120f", (9, 0)))) == {"12.0", "12.1"}


def test_ptx_runs_on_its_own_and_all_later_gpus() -> None:
    found = runs(image("compute_90", (9, 0)))
    assert set(found) == {"9.0", "10.0", "10.3", "10.7", "11.0", "12.0", "12.1"}
    assert {run.manner for run in found.values()} == {"ptx"}


def test_machine_code_is_taken_before_ptx_and_the_closest_before_others() -> None:
    found = runs(image("sm_80"), image("sm_86"), image("compute_80", (8, 0)), image("compute_90", (8, 0)))
    assert {gpu: (run.manner, run.through) for gpu, run in found.items() if gpu < "9.1"} == {
        "8.0": ("compiled", "sm_80"),
        "8.6": ("compiled", "sm_86"),
        "8.7": ("ptx", "compute_80"),
        "8.9": ("compiled", "sm_86"),
        "9.0": ("ptx", "compute_90"),
        "10.0": ("ptx", "compute_90"),
        "10.3": ("ptx", "compute_90"),
        "10.7": ("ptx", "compute_90"),
        "11.0": ("ptx", "compute_90"),
        "12.0": ("ptx", "compute_90"),
        "12.1": ("ptx", "compute_90"),
    }


@pytest.mark.parametrize(
    ("images", "toolkits", "gpu", "driver"),
    [
        ([image("sm_80")], ("11.8",), "8.0", 450),
        ([image("sm_80")], ("12.8",), "8.0", 525),
        ([image("sm_80")], ("13.2",), "8.0", 580),
        # Of two, the newer decides; and a GPU needs a driver that supports it.
        ([image("sm_80")], ("12.8", "13.0"), "8.0", 580),
        ([image("sm_120")], ("12.8",), "12.0", 570),
        ([image("sm_89")], (), "8.9", 520),
        # PTX needs the driver of its own version.
        ([image("compute_80", (8, 0))], ("12.0",), "8.0", 525),
        ([image("compute_80", (8, 7))], ("12.8",), "8.0", 570),
        ([image("compute_80", (9, 1))], ("13.1",), "8.0", 590),
        ([image("compute_80", (8, 0)), image("compute_80", (8, 7))], ("12.8",), "8.0", 570),
        ([image("compute_80", (8, 0))], ("12.0",), "12.0", 570),
        ([image("compute_80", (9, 5))], ("13.5",), "8.0", None),
        ([image("compute_80", (99, 0))], (), "8.0", None),
    ],
)
def test_the_oldest_driver(images: list[DeviceImage], toolkits: tuple[str, ...], gpu: str, driver: int | None) -> None:
    assert runs(*images, toolkits=toolkits)[gpu].driver == driver


def test_of_code_that_is_to_be_linked_yet_ptx_counts_and_cubins_where_nothing_is_linked() -> None:
    linkable = image("sm_80", is_relocatable=True), image("compute_90", (9, 0), is_relocatable=True)
    assert runs(*linkable)["8.0"].manner == "compiled"
    found = runs(*linkable, image("sm_90"))
    assert "8.0" not in found
    assert found["10.0"].manner == "ptx"


def test_code_of_other_makers_runs_on_none_of_these() -> None:
    other = DeviceImage("amdgpu", "gfx942", 0, 1, 1)
    assert not has_cuda(code(other))
    assert not runs(other)
    assert device_code_as_json({"a.so": code(other)})["device_code"][0]["gpus"] == []


def test_a_report_names_sizes_gpus_and_drivers() -> None:
    found = code(image("sm_90a"), image("sm_90a"), image("compute_120", (9, 1)), toolkits=("13.1",))
    text = device_code_as_text({"demo/lib.so": found})
    assert "demo/lib.so: 0.0 kB of device code, compiled by CUDA 13.1\n" in text
    assert "    ptx 9.1 for compute_120: 0.0 kB\n" in text
    assert "    runs as compiled, with driver 580 or newer: 9.0 (H100, H200)\n" in text
    assert "    runs through PTX, with driver 590 or newer: 12.0 (GeForce RTX 5090, " in text
    assert "    does not run: 5.0 (GeForce GTX 750 Ti, " in text
    assert [(target.name, target.size) for target in group_by_target(found.images)] == [
        ("sm_90a", 2),
        ("compute_120", 1),
    ]


@pytest.mark.parametrize(
    ("text", "spelled", "number"),
    [("9.0a", "9.0a", "90a"), ("sm_90a", "9.0a", "90a"), ("compute_120f", "12.0f", "120f"), ("12.1", "12.1", "121")],
)
def test_spellings_of_an_architecture(text: str, spelled: str, number: str) -> None:
    found = parse_architecture(text)
    assert (str(found), found.number) == (spelled, number)
    assert parse_architecture(f"sm_{number}") == found


@pytest.mark.parametrize("text", ["9", "90", "sm_9", "sm_1234", "9.0b", "sm_90aa", "gfx942", "09.0"])
def test_what_is_no_architecture(text: str) -> None:
    with pytest.raises(ValueError, match=text):
        parse_architecture(text)


def test_what_a_project_declares() -> None:
    assert parse_declared(["8.0", "9.0a", "12.0+PTX", "8.0+PTX"]) == (
        DeclaredArchitecture(CudaArchitecture(8, 0), has_ptx=True),
        DeclaredArchitecture(CudaArchitecture(9, 0, "a"), has_ptx=False),
        DeclaredArchitecture(CudaArchitecture(12, 0), has_ptx=True),
    )
    assert [one.cmake for one in parse_declared(["8.0", "9.0a", "12.0+PTX"])] == ["80-real", "90a-real", "120"]
    assert [str(one) for one in parse_declared(["8.0", "12.0f+PTX"])] == ["8.0", "12.0f+PTX"]


@pytest.mark.parametrize("text", ["Hopper", "8", "8.0+ptx", "8.0 9.0", "sm_80", "+PTX"])
def test_what_a_project_cannot_declare(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_declared([text])
