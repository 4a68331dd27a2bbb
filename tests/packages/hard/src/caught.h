#pragma once
#include <tvm/ffi/tvm_ffi.h>

#include <stdexcept>
#include <string>

static void Throw(int64_t kind) {
  struct Mine : std::runtime_error {
    Mine() : std::runtime_error("mine") {}
  };
  switch (kind) {
    case 0:
      throw std::out_of_range("range");
    case 1:
      throw Mine();
    case 2:
      TVM_FFI_THROW(ValueError) << "value";
    default:
      throw 42;
  }
}

// Who catches it: the base class of all exceptions before any other.
static tvm::ffi::String Caught(int64_t kind) {
  try {
    Throw(kind);
  } catch (const std::exception& error) {
    const bool is_error = dynamic_cast<const tvm::ffi::Error*>(&error) != nullptr;
    return std::string(is_error ? "Error " : "exception ") + error.what();
  } catch (int number) {
    return std::to_string(number);
  } catch (...) {
    return "passed by";
  }
  return "nothing";
}
