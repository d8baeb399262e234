// A management library (NVML) with one GPU, whose clocks never change: it shows that the right questions are asked.
#include <cstring>

#define DOUBLE extern "C" __attribute__((visibility("default"))) int

namespace {
constexpr int success = 0, invalidArgument = 2, notFound = 6;
int gpu;
bool started;
}  // namespace

DOUBLE nvmlInit_v2() { return started = true, success; }

DOUBLE nvmlDeviceGetHandleByPciBusId_v2(const char* bus, void** device) {
  if (!started || std::strcmp(bus, "00000000:1b:00.0") != 0) return notFound;
  return *device = &gpu, success;
}

DOUBLE nvmlDeviceGetClockInfo(void* device, int clock, unsigned* megahertz) {
  if (device != &gpu || clock < 0 || clock > 3) return invalidArgument;
  const unsigned graphics_multiprocessors_memory_video[] = {1975, 1980, 2619, 1545};
  return *megahertz = graphics_multiprocessors_memory_video[clock], success;
}
