"""What a library has to do with the runtime: the symbols that it calls of it, and those that it has for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..platforms.systems import Platform
    from . import Binary

__all__ = ["calls_runtime", "is_c_abi_symbol", "is_runtime_symbol", "uses_runtime"]

# What an extension exports for the runtime to call (TVM_FFI_DLL_EXPORT_TYPED_FUNC).
_EXPORTED = "__tvm_ffi_"
# The end of the scope tvm::ffi in the names that Microsoft's compiler makes.
_MICROSOFT = "@ffi@tvm@@"


def is_runtime_symbol(symbol: str) -> bool:
    """Say whether a symbol is one of the runtime's: of its C ABI, or declared in the namespace ``tvm::ffi``.

    >>> [is_runtime_symbol(name) for name in ("TVMFFIFunctionCall", "_ZTVN3tvm3ffi9ModuleObjE", "_ZN3tvm2te5sum_E")]
    [True, True, False]
    """
    if is_c_abi_symbol(symbol):
        return True
    # The Itanium ABI's mangling; letters before the name say what of it this is: a method, a vtable, a variable.
    return symbol.startswith("_Z") and symbol[2:].lstrip("CGIKNTSVZ").startswith("3tvm3ffi")


def is_c_abi_symbol(symbol: str) -> bool:
    """Say whether a symbol is of the runtime's C ABI, whose prefix is reserved for it."""
    return symbol.startswith("TVMFFI")


def calls_runtime(binary: Binary, platform: Platform) -> bool:
    """Say whether a library needs the runtime's library or calls the runtime."""
    return any(map(platform.is_runtime, binary.libraries)) or any(
        is_runtime_symbol(symbol) or (symbol.startswith("?") and _MICROSOFT in symbol) for symbol in binary.imported
    )


def uses_runtime(binary: Binary, platform: Platform) -> bool:
    """Say whether a library is one of a TVM-FFI extension: it calls the runtime, or has functions for it to call."""
    return calls_runtime(binary, platform) or any(symbol.startswith(_EXPORTED) for symbol in binary.exported)
