#include "machine/device_model.h"

namespace cnn::emu {
namespace {

constexpr std::size_t kib = 1024, gib = kib * kib * kib;

}  // namespace

DeviceModel DeviceModel::sm80() {
  return {.major = 8, .minor = 0, .name = "CnnNative PTX emulator (sm_80, runs on the CPU)", .multiprocessors = 108,
          .totalMemory = 40 * gib, .sharedPerBlock = 48 * kib, .sharedPerBlockOptin = 163 * kib,
          .sharedPerMultiprocessor = 164 * kib, .sharedReservedPerBlock = kib, .constantMemory = 64 * kib,
          .l2Bytes = 40 * kib * kib, .registersPerBlock = 65536, .registersPerMultiprocessor = 65536,
          .threadsPerBlock = 1024, .threadsPerMultiprocessor = 2048, .blocksPerMultiprocessor = 32,
          .maxBlock = {1024, 1024, 64}, .maxGrid = {2147483647, 65535, 65535}, .maxClusterBlocks = 0,
          .maxParameterBytes = 32764, .clockKilohertz = 1410000, .memoryClockKilohertz = 1215000, .memoryBusBits = 5120,
          .architectureSpecific = true};
}

DeviceModel DeviceModel::sm90() {
  return {.major = 9, .minor = 0, .name = "CnnNative PTX emulator (sm_90, runs on the CPU)", .multiprocessors = 132,
          .totalMemory = 80 * gib, .sharedPerBlock = 48 * kib, .sharedPerBlockOptin = 227 * kib,
          .sharedPerMultiprocessor = 228 * kib, .sharedReservedPerBlock = kib, .constantMemory = 64 * kib,
          .l2Bytes = 50 * kib * kib, .registersPerBlock = 65536, .registersPerMultiprocessor = 65536,
          .threadsPerBlock = 1024, .threadsPerMultiprocessor = 2048, .blocksPerMultiprocessor = 32,
          .maxBlock = {1024, 1024, 64}, .maxGrid = {2147483647, 65535, 65535}, .maxClusterBlocks = 8,
          .maxParameterBytes = 32764, .clockKilohertz = 1980000, .memoryClockKilohertz = 2619000, .memoryBusBits = 5120,
          .architectureSpecific = true};
}

}  // namespace cnn::emu
