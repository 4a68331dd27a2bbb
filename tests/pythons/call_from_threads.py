"""Calls the functions of the example and the zoo from many threads at once, through the C ABI and without ``tvm_ffi``.

``python call_from_threads.py libtvm_ffi.so libmy_ffi_extension.so libzoo.so`` needs nothing but ``ctypes``, so it
runs on Pythons for which the runtime has no wheel. It compares every answer, and prints how many calls it made.
"""

from __future__ import annotations

import argparse
import ctypes
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

THREADS = 8

# tvm/ffi/c_api.h: TVMFFITypeIndex.
NONE, INT, DLTENSOR, RAW_STRING, SMALL_STRING = 0, 1, 7, 8, 11
FIRST_OBJECT, STRING = 64, 65
# dlpack.h: kDLCPU, kDLFloat.
CPU, FLOAT = 1, 2


class ByteArray(ctypes.Structure):
    """A text and its length: TVMFFIByteArray."""

    _fields_ = (("data", ctypes.c_void_p), ("size", ctypes.c_size_t))

    def text(self) -> str:
        """Return the text."""
        return ctypes.string_at(self.data or 0, self.size).decode() if self.size else ""


class ObjectHeader(ctypes.Structure):
    """What every object begins with: TVMFFIObject."""

    _fields_ = (
        ("ref_counts", ctypes.c_uint64),
        ("type_index", ctypes.c_int32),
        ("padding", ctypes.c_uint32),
        ("deleter", ctypes.c_void_p),
    )


class Value(ctypes.Structure):
    """A value of any type: TVMFFIAny. The second field is a small string's length, the third its text."""

    _fields_ = (("type_index", ctypes.c_int32), ("length", ctypes.c_uint32), ("payload", ctypes.c_uint64))


class Tensor(ctypes.Structure):
    """A tensor that belongs to the caller: DLTensor."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p),
        ("byte_offset", ctypes.c_uint64),
    )


class Method(ctypes.Structure):
    """A method of a registered class: TVMFFIMethodInfo."""

    _fields_ = (
        ("name", ByteArray),
        ("doc", ByteArray),
        ("metadata", ByteArray),
        ("flags", ctypes.c_int64),
        ("method", Value),
    )


class TypeInfo(ctypes.Structure):
    """A registered class: the beginning of TVMFFITypeInfo."""

    _fields_ = (
        ("type_index", ctypes.c_int32),
        ("depth", ctypes.c_int32),
        ("key", ByteArray),
        ("ancestors", ctypes.c_void_p),
        ("key_hash", ctypes.c_uint64),
        ("num_fields", ctypes.c_int32),
        ("num_methods", ctypes.c_int32),
        ("fields", ctypes.c_void_p),
        ("methods", ctypes.POINTER(Method)),
    )


Function = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(Value), ctypes.c_int32, ctypes.POINTER(Value))


class FfiError(Exception):
    """An error that a function of a library has raised; the arguments are its kind and its message."""


class Libraries:
    """The runtime and two extensions, loaded as a process without ``tvm_ffi`` loads them."""

    def __init__(self, runtime: Path, example: Path, zoo: Path) -> None:
        """Load the libraries, the runtime first."""
        self.runtime = ctypes.CDLL(str(runtime), mode=ctypes.RTLD_GLOBAL)
        self.runtime.TVMFFIGetTypeInfo.restype = ctypes.POINTER(TypeInfo)
        self.example, self.zoo = ctypes.CDLL(str(example)), ctypes.CDLL(str(zoo))

    def find_function(self, name: str) -> Callable[..., int]:
        """Return a function that is registered by name."""
        encoded = ctypes.create_string_buffer(name.encode())
        key = ByteArray(ctypes.addressof(encoded), len(encoded) - 1)
        handle = ctypes.c_void_p()
        if self.runtime.TVMFFIFunctionGetGlobal(ctypes.byref(key), ctypes.byref(handle)) != 0 or not handle.value:
            raise LookupError(name)
        return self._bind(handle)

    def find_method(self, type_key: str, name: str) -> Callable[..., int]:
        """Return a method of a class that is registered by its key."""
        encoded = ctypes.create_string_buffer(type_key.encode())
        key = ByteArray(ctypes.addressof(encoded), len(encoded) - 1)
        index = ctypes.c_int32()
        if self.runtime.TVMFFITypeKeyToIndex(ctypes.byref(key), ctypes.byref(index)) != 0:
            raise LookupError(type_key)
        info = self.runtime.TVMFFIGetTypeInfo(index).contents
        for method in info.methods[: info.num_methods]:
            if method.name.text() == name:
                return self._bind(ctypes.c_void_p(method.method.payload))
        raise LookupError(f"{type_key}.{name}")

    def _bind(self, handle: ctypes.c_void_p) -> Callable[..., int]:
        def call(arguments: Any, count: int, result: Any) -> int:
            return int(self.runtime.TVMFFIFunctionCall(handle, arguments, count, result))

        return call

    @staticmethod
    def find_symbol(library: ctypes.CDLL, name: str) -> Callable[..., int]:
        """Return a function that a library exports by the calling convention of the C ABI."""
        symbol = getattr(library, f"__tvm_ffi_{name}")

        def call(arguments: Any, count: int, result: Any) -> int:
            return int(symbol(None, arguments, ctypes.c_int32(count), result))

        return call

    def make_function(self, function: Any) -> int:
        """Return an object that calls back into Python; the caller owns it and keeps ``function``."""
        handle = ctypes.c_void_p()
        assert self.runtime.TVMFFIFunctionCreate(None, function, None, ctypes.byref(handle)) == 0
        assert handle.value
        return handle.value

    def raised(self) -> FfiError:
        """Return the error that this thread's last call has raised."""
        handle = ctypes.c_void_p()
        self.runtime.TVMFFIErrorMoveFromRaised(ctypes.byref(handle))
        assert handle.value
        kind, message = (ByteArray * 2).from_address(handle.value + ctypes.sizeof(ObjectHeader))
        found = FfiError(kind.text(), message.text())
        self.release(handle.value)
        return found

    def release(self, handle: int) -> None:
        """Give up a reference to an object."""
        assert self.runtime.TVMFFIObjectDecRef(ctypes.c_void_p(handle)) == 0


class Thread:
    """What one thread does: each call, and what comes out of it, are its own."""

    def __init__(self, libraries: Libraries, number: int, shared: int) -> None:
        """Remember what to call, the thread's number, and an object that all threads use."""
        self.libraries, self.number, self.shared = libraries, number, shared
        self.calls = 0

    def call(self, function: Callable[..., int], *arguments: Any) -> Any:
        """Call a function; return a number, a text, or the handle of an object that the caller owns.

        Raises:
            FfiError: The function has raised an error.

        """
        packed, result = (Value * max(1, len(arguments)))(), Value()
        kept = [self.pack(value, argument) for value, argument in zip(packed, arguments)]
        status = function(packed, len(arguments), ctypes.byref(result))
        del kept
        self.calls += 1
        if status != 0:
            raise self.libraries.raised()
        return self.unpack(result)

    def pack(self, value: Value, argument: Any) -> Any:
        """Fill a value with an argument; return what has to live as long as the call."""
        if isinstance(argument, str):
            encoded = ctypes.create_string_buffer(argument.encode())
            value.type_index, value.payload = RAW_STRING, ctypes.addressof(encoded)
            return encoded
        if isinstance(argument, Tensor):
            value.type_index, value.payload = DLTENSOR, ctypes.addressof(argument)
        elif isinstance(argument, Handle):
            value.type_index, value.payload = ObjectHeader.from_address(argument).type_index, argument
        else:
            value.type_index, value.payload = INT, argument & (2**64 - 1)
        return argument

    def unpack(self, value: Value) -> Any:
        """Return what a value holds."""
        if value.type_index == NONE:
            return None
        if value.type_index == SMALL_STRING:
            return ctypes.string_at(ctypes.addressof(value) + Value.payload.offset, value.length).decode()
        if value.type_index == STRING:
            text = ByteArray.from_address(value.payload + ctypes.sizeof(ObjectHeader)).text()
            self.libraries.release(value.payload)
            return text
        if value.type_index >= FIRST_OBJECT:
            return Handle(value.payload)
        return ctypes.c_int64(value.payload).value

    def run(self, rounds: int) -> None:
        """Do everything a number of times."""
        for count in range(rounds):
            for each in (self.call_symbols, self.pass_strings, self.pass_tensors, self.use_objects, self.raise_errors):
                with ExitStack() as stack:
                    each(count, stack)

    def own(self, stack: ExitStack, handle: Any) -> Any:
        """Release an object when a stack ends."""
        assert isinstance(handle, Handle), handle
        stack.callback(self.libraries.release, handle)
        return handle

    def call_symbols(self, count: int, _: ExitStack) -> None:
        """Pass numbers, to exported symbols and to registered functions."""
        exported = self.libraries.find_symbol(self.libraries.zoo, "exported")
        assert self.call(exported, self.number * 1000 + count) == self.number * 1000 + count + 1
        assert self.call(self.libraries.find_function("zoo.area"), self.number, count) == self.number * count

    def pass_strings(self, count: int, stack: ExitStack) -> None:
        """Pass texts and containers of texts, short ones that lie in the value and long ones."""
        find, item = self.libraries.find_function, self.libraries.find_function("ffi.MapGetItem")
        words = [f"{self.number}", f"{count}", "word" * self.number]
        array = self.own(stack, self.call(find("ffi.Array"), *words))
        assert self.call(find("my_ffi_extension.join"), array, "-") == "-".join(words)
        assert self.call(find("zoo.str"), words[-1]) == words[-1]
        text = " ".join(words[:1] * (count % 7 + 1))
        counts = self.own(stack, self.call(find("my_ffi_extension.count_words"), text))
        assert self.call(item, counts, words[0]) == count % 7 + 1

    def pass_tensors(self, count: int, _: ExitStack) -> None:
        """Pass tensors that belong to the caller."""
        size = self.number * 16
        buffers = [(ctypes.c_float * size)(*[count] * size), (ctypes.c_float * size)()]
        shape = ctypes.c_int64(size)
        tensors = [
            Tensor(ctypes.addressof(buffer), CPU, 0, 1, FLOAT, 32, 1, ctypes.addressof(shape), None, 0)
            for buffer in buffers
        ]
        strides = ctypes.c_int64(1)
        for tensor in tensors:
            tensor.strides = ctypes.addressof(strides)
        assert self.call(self.libraries.find_symbol(self.libraries.example, "add_one"), *tensors) is None
        assert list(buffers[1]) == [count + 1.0] * size

    def use_objects(self, count: int, stack: ExitStack) -> None:
        """Make objects, use one of all threads, and let the library call back into Python."""
        key = "my_ffi_extension.IntPair"
        make, total = (self.libraries.find_method(key, name) for name in ("__ffi_init__", "sum"))
        pair = self.own(stack, self.call(make, self.number, count))
        assert self.call(total, pair) == self.number + count
        swapped = self.own(stack, self.call(self.libraries.find_method(key, "swapped"), self.shared))
        assert self.call(total, swapped) == SHARED_SUM

        def shout(_: Any, arguments: Any, number: int, result: Any) -> int:
            assert number == 1
            result[0].type_index, result[0].length, result[0].payload = INT, 0, arguments[0].payload * self.number
            return 0

        function = Function(shout)
        handle = self.own(stack, Handle(self.libraries.make_function(function)))
        items = self.own(stack, self.call(self.libraries.find_function("ffi.Array"), count, count + 1))
        found = self.own(stack, self.call(self.libraries.find_function("my_ffi_extension.transform"), handle, items))
        item = self.libraries.find_function("ffi.ArrayGetItem")
        assert [self.call(item, found, index) for index in (0, 1)] == [
            count * self.number,
            (count + 1) * self.number,
        ]

    def raise_errors(self, count: int, _: ExitStack) -> None:
        """Raise errors, which are kept for each thread."""
        message = f"{self.number} has raised {count}"
        for name, arguments, expected in (
            ("my_ffi_extension.raise_error", (message,), ("RuntimeError", message)),
            ("my_ffi_extension.div_mod", (self.number, 0), ("ValueError", "div_mod by zero")),
        ):
            assert self.catch(name, *arguments) == expected

    def catch(self, name: str, *arguments: Any) -> object:
        """Return the kind and the message of the error that a function raises."""
        try:
            return self.call(self.libraries.find_function(name), *arguments)
        except FfiError as error:
            return error.args


class Handle(int):
    """The address of an object of the runtime."""


SHARED_SUM = 42


def main() -> None:
    """Run the threads; stop with the first wrong answer."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("libraries", nargs=3, type=Path, help="of the runtime, the example and the zoo")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--free-threaded", action="store_true", help="fail if the GIL is or comes on")
    args = parser.parse_args()
    libraries = Libraries(*args.libraries)
    pair = Thread(libraries, 0, 0)
    shared = pair.call(libraries.find_method("my_ffi_extension.IntPair", "__ffi_init__"), 40, 2)
    threads = [Thread(libraries, number + 1, shared) for number in range(THREADS)]
    barrier, failures = threading.Barrier(THREADS), []

    def run(thread: Thread) -> None:
        barrier.wait()
        try:
            thread.run(args.rounds)
        except BaseException as error:
            failures.append(error)
            raise

    started = [threading.Thread(target=run, args=(thread,)) for thread in threads]
    for each in started:
        each.start()
    for each in started:
        each.join()
    # One reference is left of the object that all threads have used: each of them gave up its own.
    strong = ObjectHeader.from_address(shared).ref_counts & 0xFFFFFFFF
    assert strong == 1, strong
    libraries.release(shared)
    if failures:
        sys.exit(1)
    if args.free_threaded and getattr(sys, "_is_gil_enabled", lambda: True)():
        sys.exit("the GIL is on")
    sys.stdout.write(f"{sum(thread.calls for thread in threads)} calls from {THREADS} threads\n")


if __name__ == "__main__":
    main()
