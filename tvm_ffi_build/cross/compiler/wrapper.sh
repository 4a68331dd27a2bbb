#!/bin/sh
## The compiler as CMake calls it. script.py renders this template for one language and one platform:
##
##   @NAME@        is replaced, with quotes where it stands for a path or for arguments
##   #@ if A B     starts lines for platforms A and B only, or, with "foreign", for platforms other than this machine's
##   #@ end        ends them
##
## Lines that start with "##", and directives of shellcheck, are not rendered. The script starts nothing but zig and, for
## macOS, Python: it runs before every compilation.
# @LANGUAGE@ for @TRIPLE@, by zig @VERSION@.
refuse() {
  echo "tvm-ffi-build: error: $1" >&2
  exit 1
}
## These are empty strings.
# shellcheck disable=SC1007
linking=yes shared= sources= optimised= debug= hide= for_linker= skipping= before= foreign=
for word in "$@"; do
  shift
  # What is for the linker comes as "-Xlinker WORD", or as "-Wl,WORD".
  if [ -n "$for_linker" ]; then
    for_linker=
    case $skipping$word in
    --exclude-libs) skipping=skip: ;;
    skip:*) skipping= ;;
    *)
      case $word in -exported_symbol | -load_hidden) hide=yes ;; esac
      set -- "$@" -Xlinker "$word"
      ;;
    esac
    continue
  fi
  #@ if foreign
  ## Headers and libraries of this machine are not for another platform. An option has its directory in the same word
  ## or in the next: CMake writes the directories of IMPORTED targets in the second way.
  ## The lists of directories are not patterns before they are rendered.
  # shellcheck disable=SC2195
  case $before$word in
  -I/* | -iquote/* | -isystem/* | -idirafter/*) case /${word#*/}/ in @HEADERS@) foreign=yes ;; esac ;;
  -L/* | /*.a | /*.so | /*.so.*) case /${word#*/}/ in @LIBRARIES@) foreign=yes ;; esac ;;
  esac
  [ -z "$foreign" ] || refuse "${before:+$before }$word is of this machine, and this is for @TAG@; take it out of the project's CMake for cross builds"
  case $word in -I | -iquote | -isystem | -idirafter | -L) before=$word ;; *) before= ;; esac
  #@ end
  ## Of the two patterns for -flto, the first is for macOS and Windows, the second for Linux.
  # shellcheck disable=SC2221,SC2222
  case $word in
  -Xlinker) for_linker=yes && continue ;;
  #@ if linux
  ## An option of GNU ld. zig's linker rejects it, and does what it asks for by itself.
  -Wl,--exclude-libs,*) continue ;;
  #@ end
  #@ if macos windows
  ## zig has no linker with link-time optimisation for macOS, and no C library that is ready for it for Windows.
  -flto*) continue ;;
  #@ end
  #@ if windows
  ## Options of GNU ld, and what CMake writes for Microsoft's linker. zig's linker rejects them.
  -Wl,--major-image-version* | -Wl,--minor-image-version* | -Wl,--enable-auto-import) continue ;;
  ## File names on Windows ignore case, and projects write the names of libraries in many ways.
  -l*[A-Z]*) word=$(printf %s "$word" | tr '[:upper:]' '[:lower:]') ;;
  #@ end
  #@ if macos
  -Wl,-exported_symbol,* | -Wl,-load_hidden,*) hide=yes ;;
  #@ end
  -c | -E | -S | -M | -MM | -fsyntax-only) linking= ;;
  -shared | -dynamiclib | -bundle) shared=yes ;;
  *.[cCmsS] | *.cc | *.mm | *.cpp | *.cxx | *.c++) sources=yes ;;
  -flto*) sources=yes ;;
  -O*) optimised=yes ;;
  -g0) ;;
  -g*) debug=yes ;;
  esac
  set -- "$@" "$word"
done
if [ -n "$linking" ]; then
  ## zig builds its libraries once for each optimisation level, which takes minutes, and unoptimised if a link gives no
  ## level. So every link gets the same level, as the last option, which counts; unless it also compiles.
  { [ -n "$optimised" ] && [ -n "$sources" ]; } || set -- "$@" -O2
  ## zig keeps the debug information of its libraries, ten times the size of an extension, unless everything is stripped.
  [ -n "$debug" ] || set -- "$@" -s
  #@ if linux
  ## A library that contains zig's C++ library must not bind the type of tvm::ffi::Error to the copy in libtvm_ffi.so.
  ## The base class of that copy is std::exception of another C++ library: "catch (const std::exception&)" would not
  ## catch it.
  [ -z "$shared" ] || set -- "$@" -Wl,-Bsymbolic
  #@ end
  #@ if macos
  ## zig's linker has no lists of exported symbols, so the other symbols become private in the object files. That also
  ## binds the type of tvm::ffi::Error inside the library.
  if [ -n "$hide" ]; then
    exec @PYTHON@ -I @HIDE@ @ZIG@ @LANGUAGE@ -target @TRIPLE@@ARGUMENTS@ -- "$@"
  fi
  #@ end
fi
exec @ZIG@ @LANGUAGE@ -target @TRIPLE@@ARGUMENTS@ "$@"
