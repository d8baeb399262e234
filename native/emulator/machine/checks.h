// The checks that cost time, chosen by CNN_EMULATOR_CHECK=race,init,async,nc or all.
#pragma once

#include "machine/access.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace cnn::emu {

struct Block;

enum Check : unsigned { checkRace = 1, checkInit = 2, checkAsync = 4, checkNc = 8, checkAll = 15 };

// The checks asked for by the environment, or by setChecks. An unknown word is reported on stderr and ends the process,
// because a check that silently does not run is worse than none.
unsigned requestedChecks();
void setChecks(unsigned checks);

// ---- for asynchronous families; all do nothing unless checkAsync is on -----------------------------------------
// [address, address + bytes) of shared memory (a .shared address of this block) is being written by an asynchronous
// operation: any access by a thread before asyncWriteEnd is a fault. `what` names the operation in the report.
void asyncWriteBegin(Block& block, std::uint32_t address, std::uint32_t bytes, const char* what);
void asyncWriteEnd(Block& block, std::uint32_t address, std::uint32_t bytes);
// It is being read by one (wgmma operand, bulk store): a write by a thread before asyncReadEnd is a fault.
void asyncReadBegin(Block& block, std::uint32_t address, std::uint32_t bytes, const char* what);
void asyncReadEnd(Block& block, std::uint32_t address, std::uint32_t bytes);
// An asynchronous write has given the bytes a value (for the init check), an asynchronous operation reads them now.
void asyncInitialised(Block& block, std::uint32_t address, std::uint32_t bytes);

}  // namespace cnn::emu
