#include "driver/symbols.h"

#include <cstring>

// Only the addresses matter here, so the declarations leave the parameters out.
#define CNN_SYMBOL(name, symbol, version) extern "C" CUresult symbol();
#include "driver/symbols.inc"
#undef CNN_SYMBOL

namespace cnn::emu::driver {
namespace {

struct Symbol {
  const char* name;
  CUresult (*function)();
  int version;
};

constexpr Symbol symbols[] = {
#define CNN_SYMBOL(name, symbol, version) {#name, &symbol, version},
#include "driver/symbols.inc"
#undef CNN_SYMBOL
};

}  // namespace

CUdriverProcAddressQueryResult findSymbol(const char* name, int version, void** function) {
  auto result = CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND;
  *function = nullptr;
  for (const Symbol& symbol : symbols) {
    if (std::strcmp(symbol.name, name) != 0) continue;
    if (result == CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND) result = CU_GET_PROC_ADDRESS_VERSION_NOT_SUFFICIENT;
    if (symbol.version > version) continue;
    *function = reinterpret_cast<void*>(symbol.function);
    result = CU_GET_PROC_ADDRESS_SUCCESS;
  }
  return result;
}

}  // namespace cnn::emu::driver
