// Device memory as one launch may see it: what is allocated, less what the launch is not ordered behind.
#pragma once

#include "machine/memory.h"

#include <string>

namespace cnn::emu {

// Asked when a thread of a launch touches an allocation that it has not touched lately; from several threads at once.
class Admission {
 public:
  virtual ~Admission() = default;
  virtual bool admits(std::uint64_t base) = 0;
  // What a report about this address should say besides where it lies: ", which ...", or nothing.
  virtual std::string remark(std::uint64_t address) = 0;
};

class MemoryView {
 public:
  MemoryView(const Memory& memory, Admission* admission = nullptr) : memory_(memory), admission_(admission) {}

  bool range(std::uint64_t address, Memory::Range& found) const {
    return memory_.range(address, found) && (!admission_ || admission_->admits(found.base));
  }
  std::byte* resolve(std::uint64_t address, std::size_t bytes) const;
  std::string describe(std::uint64_t address) const {
    return memory_.describe(address) + (admission_ ? admission_->remark(address) : std::string());
  }

 private:
  const Memory& memory_;
  Admission* admission_;
};

}  // namespace cnn::emu
