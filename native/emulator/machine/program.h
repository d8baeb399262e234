// The decoded code of one kernel.
#pragma once

#include "machine/counters.h"
#include "machine/instruction.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <vector>

namespace cnn::emu {

// Special registers. Those up to `clusterRank` have one value per launch, block or warp and are kept in slots.
enum class Special : std::uint8_t {
  tidX, tidY, tidZ, ntidX, ntidY, ntidZ, ctaidX, ctaidY, ctaidZ, nctaidX, nctaidY, nctaidZ,
  laneId, warpId, nwarpId, smId, nsmId, gridId, environment, workspaceLow, workspaceHigh,
  laneMaskEq, laneMaskLe, laneMaskLt, laneMaskGe, laneMaskGt,
  dynamicShared, totalShared, aggregateShared,
  clusterIdX, clusterIdY, clusterIdZ, nclusterIdX, nclusterIdY, nclusterIdZ,
  clusterCtaidX, clusterCtaidY, clusterCtaidZ, clusterNctaidX, clusterNctaidY, clusterNctaidZ,
  clusterRank, clusterNctaRank, explicitCluster,
  clock, clockHi, clock64, globalTimer, globalTimerLo, globalTimerHi,  // read anew by every mov
};
inline bool isClock(Special s) { return s >= Special::clock; }

struct AlignedDelete {
  void operator()(void* memory) const { ::operator delete(memory, std::align_val_t(64)); }
};
using AlignedMemory = std::unique_ptr<std::byte, AlignedDelete>;
AlignedMemory allocateAligned(std::size_t bytes);  // zeroed

struct Site {
  std::uint32_t line, file, sourceLine;
  std::string text;         // the opcode
  std::uint32_t block;      // control-flow block
};

// Static counts of one control-flow block; its execution count gives the dynamic ones.
struct BlockMix {
  std::array<std::uint32_t, std::size_t(Class::count)> instructions{};
  std::uint32_t flops = 0, order = 0;
};

struct Program {
  std::string name;
  std::vector<std::string> files;       // by number of .file
  AlignedMemory codeMemory;
  const Instruction* code = nullptr;
  std::vector<Site> sites;              // per instruction
  std::vector<BlockMix> blocks;
  std::vector<AlignedMemory> tables;    // Decoder::allocate

  // Frame of a warp: predicates, 4-byte slots, 8-byte slots.
  std::uint32_t frameBytes = 0;
  struct Constant {
    std::uint32_t slot;
    bool wide;
    std::uint64_t value;
  };
  std::vector<Constant> constants;
  struct SpecialSlot {
    std::uint32_t slot;
    Special special;
    bool wide;
  };
  std::vector<SpecialSlot> specials;
  std::uint32_t onesSlot = 0;           // the guard of unguarded instructions

  bool copiesFromGlobal = false;        // has bulk copies out of global memory
  std::string wgmmaProblem;             // registers of wgmma used out of order; a fault under the async check

  std::size_t staticShared = 0;         // bytes before the dynamic part
  std::size_t localBytes = 0;           // per thread
  std::size_t parameterBytes = 0;

  // "PTX line 12 `st.global.f32` (saxpy.cu:7)"
  std::string describe(const Instruction* i) const;
};

}  // namespace cnn::emu
