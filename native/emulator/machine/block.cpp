#include "machine/block.h"

#include "machine/program.h"

namespace cnn::emu {
namespace {

std::string triple(std::uint64_t x, std::uint64_t y, std::uint64_t z) {
  return "(" + std::to_string(x) + "," + std::to_string(y) + "," + std::to_string(z) + ")";
}

}  // namespace

std::byte* Block::sharedAt(std::uint32_t address, std::uint32_t bytes) const {
  const Block* owner = this;
  if (const std::uint32_t rank = address >> sharedRankShift; rank != 0) {
    if (rank > cluster.size()) return nullptr;
    owner = cluster[rank - 1];
    address &= (1u << sharedRankShift) - 1;
  }
  return address <= owner->sharedBytes && bytes <= owner->sharedBytes - address ? owner->shared + address : nullptr;
}

std::byte* Block::at(std::uint64_t address, std::size_t bytes) const {
  if (address - sharedWindow < sharedWindowBytes)
    return bytes < sharedWindowBytes ? sharedAt(std::uint32_t(address - sharedWindow), std::uint32_t(bytes)) : nullptr;
  return launch->memory->resolve(address, bytes);
}

std::uint64_t Block::number() const {
  const Dim3& grid = launch->request->grid;
  return index.x + grid.x * (index.y + std::uint64_t(grid.y) * index.z);
}

std::uint32_t Block::nextRandom() {
  random ^= random << 13;
  random ^= random >> 7;
  random ^= random << 17;
  return std::uint32_t(random >> 32);
}

std::string Block::describeThread(std::uint32_t thread) const {
  const Dim3& size = launch->request->block;
  return triple(thread % size.x, thread / size.x % size.y, thread / size.x / size.y);
}

void Block::raise(int code, std::string message, const Instruction* i, std::uint32_t thread) {
  std::string report = message + "\n  in kernel `" + launch->program->name + "`, block " +
                       triple(index.x, index.y, index.z) + ", thread " + describeThread(thread);
  if (i) report += ", at " + launch->program->describe(i);
  const std::lock_guard lock(launch->mutex);
  if (!launch->fault) launch->fault = Fault{code, std::move(report)};
  launch->stopped.store(true, std::memory_order_relaxed);
}

}  // namespace cnn::emu
