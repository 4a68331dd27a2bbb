"""Makes a wheel for every Python, which requires the runtime that it was built against."""

from setuptools import setup

from tvm_ffi_build.setup_py import Py3Wheel, runtime_requirement

setup(
    cmake_source_dir=".",
    cmdclass={"bdist_wheel": Py3Wheel},
    install_requires=[runtime_requirement()],
)
