/*!
 * Names, default values and documentation of the parameters of registered functions, for stubs and keyword arguments.
 *
 *   #include <tvm_ffi_build/signature.h>
 *
 *   TVM_FFI_STATIC_INIT_BLOCK() {
 *     tvm::ffi::reflection::GlobalDef().def("my_ext.axpy", TVM_FFI_SIG("x, y, alpha=1.0", "Return alpha * x + y.", Axpy));
 *   }
 *
 *   TVM_FFI_DLL_EXPORT_SIG(axpy, Axpy, "x, y, alpha=1.0", "Return alpha * x + y.");
 *
 * A signature is what stands between the parentheses of a Python function, without types. Default values are literals of
 * Python. "/" and "*" mean what they mean there.
 *
 * Header-only, C++17, for apache-tvm-ffi 0.1.1 and newer, which have tvm::ffi::reflection::Metadata.
 */
#ifndef TVM_FFI_BUILD_SIGNATURE_H_
#define TVM_FFI_BUILD_SIGNATURE_H_

#include <tvm/ffi/function.h>
#include <tvm/ffi/reflection/registry.h>

#include <type_traits>
#include <utility>

namespace tvm_ffi_build {
namespace detail {

/*! The number of parameters, where it cannot be told: of a generic lambda, for example. */
constexpr int kUnknown = -1;

/*! A class that is called or, like reflection::init<Args...>, lists the types of its parameters. */
template <typename F, typename = void>
struct Arity {
  static constexpr int value = kUnknown;
};
template <template <typename...> class List, typename... Args>
struct Arity<List<Args...>, void> {
  static constexpr int value = sizeof...(Args);
};
template <typename R, typename... Args>
struct Arity<R (*)(Args...), void> {
  static constexpr int value = sizeof...(Args);
};
// Of a method, without the object: Python's "self" is implied.
template <typename C, typename R, typename... Args>
struct Arity<R (C::*)(Args...), void> {
  static constexpr int value = sizeof...(Args);
};
template <typename C, typename R, typename... Args>
struct Arity<R (C::*)(Args...) const, void> {
  static constexpr int value = sizeof...(Args);
};
template <typename F, typename = void>
struct CallArity : Arity<F> {};
template <typename F>
struct CallArity<F, std::void_t<decltype(&F::operator())>> : Arity<decltype(&F::operator())> {};

constexpr bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace detail

/*!
 * Return how many parameters a signature has. "/" and "*" are none.
 *
 * As a constant expression it does not compile if a string or a bracket is not closed, or if a parameter is missing.
 */
constexpr int CountParameters(const char* signature) {
  int count = 0;
  int depth = 0;
  char quote = 0;
  char first = 0;  // of the current part
  bool has_more = false;
  for (const char* at = signature;; ++at) {
    const char c = *at;
    if (quote != 0) {
      if (c == 0) throw "the signature has a string that is not closed";
      if (c == '\\' && at[1] != 0) {
        ++at;
      } else if (c == quote) {
        quote = 0;
      }
      continue;
    }
    if (c == 0 || (c == ',' && depth == 0)) {
      if (depth != 0) throw "the signature has a bracket that is not closed";
      if (first == 0 && (c == ',' || count > 0)) throw "the signature lacks a parameter before or after a comma";
      if (first != 0 && (has_more || (first != '/' && first != '*'))) ++count;
      if (c == 0) return count;
      first = 0;
      has_more = false;
      continue;
    }
    if (detail::IsBlank(c)) continue;
    if (c == '\'' || c == '"') quote = c;
    if (c == '(' || c == '[' || c == '{') ++depth;
    if (c == ')' || c == ']' || c == '}') --depth;
    if (first == 0) {
      first = c;
    } else {
      has_more = true;
    }
  }
}

/*! Return a function, if it has the given number of parameters; otherwise this does not compile. */
template <int kCount, typename F>
constexpr F&& CheckSignature(F&& function) {
  constexpr int arity = detail::CallArity<std::decay_t<F>>::value;
  static_assert(arity == detail::kUnknown || arity == kCount,
                "the signature has another number of parameters than the function");
  return std::forward<F>(function);
}

}  // namespace tvm_ffi_build

/*!
 * A function with its signature and documentation, as the last arguments of def, def_static or def_method.
 *
 * The function comes last, so that a lambda may have commas. One that takes its object itself, as a lambda for a method
 * does, has "self" as its first parameter.
 */
#define TVM_FFI_SIG(Signature, Doc, ...)                                                           \
  ::tvm_ffi_build::CheckSignature<::tvm_ffi_build::CountParameters(Signature)>(__VA_ARGS__),       \
      ::tvm::ffi::reflection::Metadata {                                                           \
    {"signature", Signature}, { "doc", Doc }                                                       \
  }

/*!
 * Export a function as a C symbol, with its signature and documentation, if metadata is exported: METADATA ON.
 *
 * They are exported as one text, in the form in which functions of CPython have them (__text_signature__).
 */
#define TVM_FFI_DLL_EXPORT_SIG(Name, Function, Signature, Doc)                                     \
  static_assert((static_cast<void>(::tvm_ffi_build::CheckSignature<                                \
                    ::tvm_ffi_build::CountParameters(Signature)>(Function)),                       \
                 true));                                                                           \
  TVM_FFI_DLL_EXPORT_TYPED_FUNC(Name, Function)                                                    \
  TVM_FFI_BUILD_EXPORT_DOC(Name, #Name "(" Signature ")\n--\n\n" Doc)

// The first releases of the runtime export no documentation.
#ifdef TVM_FFI_DLL_EXPORT_TYPED_FUNC_DOC
#define TVM_FFI_BUILD_EXPORT_DOC(Name, Doc) TVM_FFI_DLL_EXPORT_TYPED_FUNC_DOC(Name, Doc)
#else
#define TVM_FFI_BUILD_EXPORT_DOC(Name, Doc)
#endif

#endif  // TVM_FFI_BUILD_SIGNATURE_H_
