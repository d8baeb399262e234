// What a search for cuBLAS finds: a library that says its version, 12.8.4, part by part.
extern "C" __attribute__((visibility("default"))) int cublasGetProperty(int part, int* value) {
  constexpr int success = 0, invalidValue = 7, version[] = {12, 8, 4};
  if (part < 0 || part > 2) return invalidValue;
  return *value = version[part], success;
}
