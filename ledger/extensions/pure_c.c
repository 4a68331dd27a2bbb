// All that the stable C ABI offers to code without C++: no line of this depends on a header other than c_api.h.
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <tvm/ffi/c_api.h>

#define FUNCTION(name) \
  TVM_FFI_DLL_EXPORT int __tvm_ffi_##name(void* self, const TVMFFIAny* args, int32_t count, TVMFFIAny* result)

static TVMFFIByteArray text_of(const TVMFFIAny* value) {
  TVMFFIByteArray text = {NULL, 0};
  if (value->type_index == kTVMFFISmallStr) {
    text.data = value->v_bytes;
    text.size = value->small_str_len;
  } else if (value->type_index == kTVMFFIStr) {
    text = *(const TVMFFIByteArray*)((const char*)value->v_obj + sizeof(TVMFFIObject));
  } else if (value->type_index == kTVMFFIRawStr) {
    text.data = value->v_c_str;
    text.size = strlen(value->v_c_str);
  }
  return text;
}

static TVMFFIByteArray bytes(const char* text) {
  TVMFFIByteArray array = {text, strlen(text)};
  return array;
}

static int give_int(TVMFFIAny* result, int64_t number) {
  result->type_index = kTVMFFIInt;
  result->zero_padding = 0;
  result->v_int64 = number;
  return 0;
}

static int give_object(TVMFFIAny* result, TVMFFIObjectHandle object) {
  result->type_index = ((TVMFFIObject*)object)->type_index;
  result->zero_padding = 0;
  result->v_obj = (TVMFFIObject*)object;
  return 0;
}

FUNCTION(add_two) {
  if (count != 1 || args[0].type_index != kTVMFFIInt) {
    TVMFFIErrorSetRaisedFromCStr("TypeError", "add_two takes a number");
    return -1;
  }
  return give_int(result, args[0].v_int64 + 2);
}

FUNCTION(half) {
  result->type_index = kTVMFFIFloat;
  result->zero_padding = 0;
  result->v_float64 = args[0].v_float64 / 2;
  return 0;
}

FUNCTION(reversed) {
  TVMFFIByteArray text = text_of(&args[0]);
  char* copy = (char*)malloc(text.size + 1);
  for (size_t i = 0; i < text.size; ++i) copy[i] = text.data[text.size - 1 - i];
  TVMFFIByteArray array = {copy, text.size};
  int code = TVMFFIStringFromByteArray(&array, result);
  free(copy);
  return code;
}

FUNCTION(fail) {
  const char* parts[] = {"one ", "two ", "three"};
  TVMFFIErrorSetRaisedFromCStrParts("ValueError", parts, 3);
  return -1;
}

// An error made as an object, with a backtrace, as a front end of another language would.
FUNCTION(fail_with_object) {
  TVMFFIByteArray kind = bytes("KeyError"), message = bytes("no such key"), backtrace = bytes("");
  TVMFFIObjectHandle error = NULL;
  int code = TVMFFIErrorCreate(&kind, &message, &backtrace, &error);
  if (code != 0) return code;
  TVMFFIErrorSetRaised(error);
  TVMFFIObjectDecRef(error);
  return -1;
}

FUNCTION(call) {
  TVMFFIAny arguments[2];
  memcpy(arguments, args + 1, sizeof(arguments));
  return TVMFFIFunctionCall(args[0].v_obj, arguments, 2, result);
}

// The kind of what a function raises, which is then gone.
FUNCTION(kind_raised) {
  TVMFFIAny ignored = {0};
  if (TVMFFIFunctionCall(args[0].v_obj, NULL, 0, &ignored) == 0) return give_int(result, 0);
  TVMFFIObjectHandle error = NULL;
  TVMFFIErrorMoveFromRaised(&error);
  TVMFFIErrorCell* cell = (TVMFFIErrorCell*)((char*)error + sizeof(TVMFFIObject));
  int code = TVMFFIStringFromByteArray(&cell->kind, result);
  TVMFFIObjectDecRef(error);
  return code;
}

FUNCTION(sum) {
  const DLTensor* tensor = args[0].type_index == kTVMFFIDLTensorPtr
                               ? (const DLTensor*)args[0].v_ptr
                               : (const DLTensor*)((const char*)args[0].v_obj + sizeof(TVMFFIObject));
  double sum = 0;
  for (int64_t i = 0; i < tensor->shape[0]; ++i) {
    int64_t stride = tensor->strides ? tensor->strides[0] : 1;
    sum += ((const double*)((const char*)tensor->data + tensor->byte_offset))[i * stride];
  }
  result->type_index = kTVMFFIFloat;
  result->zero_padding = 0;
  result->v_float64 = sum;
  return 0;
}

static int count_up(void* self, const TVMFFIAny* args, int32_t count, TVMFFIAny* result) {
  return give_int(result, ++*(int64_t*)self);
}

// A closure.
FUNCTION(counter) {
  int64_t* state = (int64_t*)malloc(sizeof(int64_t));
  *state = args[0].v_int64;
  TVMFFIObjectHandle function = NULL;
  int code = TVMFFIFunctionCreate(state, count_up, free, &function);
  return code != 0 ? code : give_object(result, function);
}

FUNCTION(register_counter) {
  TVMFFIAny counter = {0};
  int code = __tvm_ffi_counter(NULL, args, 1, &counter);
  if (code != 0) return code;
  TVMFFIByteArray name = bytes("matrix.pure_c.count");
  code = TVMFFIFunctionSetGlobal(&name, counter.v_obj, 1);
  TVMFFIObjectDecRef(counter.v_obj);
  return code != 0 ? code : give_int(result, 0);
}

FUNCTION(call_global) {
  TVMFFIByteArray name = text_of(&args[0]);
  TVMFFIObjectHandle function = NULL;
  int code = TVMFFIFunctionGetGlobal(&name, &function);
  if (code != 0) return code;
  if (function == NULL) {
    TVMFFIErrorSetRaisedFromCStr("LookupError", "there is none of that name");
    return -1;
  }
  code = TVMFFIFunctionCall(function, NULL, 0, result);
  TVMFFIObjectDecRef(function);
  return code;
}

FUNCTION(keep) {
  static TVMFFIAny kept = {0};
  if (kept.type_index >= kTVMFFIStaticObjectBegin) TVMFFIObjectDecRef(kept.v_obj);
  int code = TVMFFIAnyViewToOwnedAny(&args[0], &kept);
  if (code != 0) return code;
  if (kept.type_index >= kTVMFFIStaticObjectBegin) TVMFFIObjectIncRef(kept.v_obj);
  *result = kept;
  return 0;
}

FUNCTION(lanes) {
  TVMFFIByteArray text = text_of(&args[0]);
  DLDataType type;
  int code = TVMFFIDataTypeFromString(&text, &type);
  return code != 0 ? code : give_int(result, type.lanes);
}

FUNCTION(type_index) {
  TVMFFIByteArray key = text_of(&args[0]);
  int32_t index = 0;
  int code = TVMFFITypeKeyToIndex(&key, &index);
  return code != 0 ? code : give_int(result, index);
}

FUNCTION(fields) {
  TVMFFIByteArray key = text_of(&args[0]);
  int32_t index = 0;
  int code = TVMFFITypeKeyToIndex(&key, &index);
  return code != 0 ? code : give_int(result, TVMFFIGetTypeInfo(index)->num_fields);
}
