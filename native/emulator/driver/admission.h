// Operations meet memory that is allocated and freed in stream order: may they touch it?
#pragma once

#include "driver/driver.h"

namespace cnn::emu::driver {

// Of a kernel while it runs.
class KernelAdmission : public Admission {
 public:
  KernelAdmission(Driver& driver, const Operation& operation);
  bool admits(std::uint64_t base) override;
  std::string remark(std::uint64_t address) override;

 private:
  Driver& driver_;
  const Operation& operation_;
  const Actor actor_;
};

// Of a copy or a memset, without the driver's lock.
std::optional<Fault> touch(Driver& driver, const Operation& operation, std::uint64_t address);
// Of the nodes of a graph that allocate and free.
std::optional<Fault> allocateReserved(Driver& driver, const Operation& operation, std::uint64_t address);
std::optional<Fault> freeReserved(Driver& driver, const Operation& operation, std::uint64_t address);

// The free of any other memory, when the call is made; fails with CUDA_ERROR_ILLEGAL_ADDRESS, and the context is lost.
void freeInOrder(Driver& driver, Context& context, std::uint64_t address, const std::string& name, const Clock& before);

}  // namespace cnn::emu::driver
