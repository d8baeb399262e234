// A CUDA driver of years ago: it starts, says its version, and has none of the functions that came later.
extern "C" __attribute__((visibility("default"))) int cuInit(unsigned) { return 0; }
extern "C" __attribute__((visibility("default"))) int cuDriverGetVersion(int* version) { return *version = 11040, 0; }
