// A library that exports its types, and whose exceptions have to be caught by their base classes all the same.
#include "caught.h"

TVM_FFI_DLL_EXPORT_TYPED_FUNC(caught, Caught);
