// What a search for cuDNN finds: a library that says its version.
#include <cstddef>

extern "C" __attribute__((visibility("default"))) std::size_t cudnnGetVersion() { return 91002; }
