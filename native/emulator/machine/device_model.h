// What the emulated device claims to be. Limits are those of the chip of that compute capability.
#pragma once

#include <cstddef>

namespace cnn::emu {

struct DeviceModel {
  int major, minor;
  const char* name;
  int multiprocessors;
  std::size_t totalMemory;
  std::size_t sharedPerBlock;           // without opting in
  std::size_t sharedPerBlockOptin;      // with cuFuncSetAttribute(MAX_DYNAMIC_SHARED_SIZE_BYTES)
  std::size_t sharedPerMultiprocessor;
  std::size_t sharedReservedPerBlock;
  std::size_t constantMemory;
  std::size_t l2Bytes;
  int registersPerBlock, registersPerMultiprocessor;
  int threadsPerBlock, threadsPerMultiprocessor, blocksPerMultiprocessor;
  unsigned maxBlock[3], maxGrid[3];
  int maxClusterBlocks;                 // 0: the chip has no clusters
  std::size_t maxParameterBytes;        // of a kernel whose PTX version allows the large limit
  int clockKilohertz, memoryClockKilohertz, memoryBusBits;
  bool architectureSpecific;            // also runs sm_XYa code of exactly this capability

  int sm() const { return major * 10 + minor; }

  static DeviceModel sm80();
  static DeviceModel sm90();
};

}  // namespace cnn::emu
