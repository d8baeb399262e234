#include "driver/ordered_memory.h"

#include <algorithm>

namespace cnn::emu::driver {
namespace {

constexpr std::size_t rememberedReleases = 256;

std::string unordered(const std::string& first, const char* relation, const std::string& second) {
  return ": nothing orders " + first + relation + second;
}

}  // namespace

// Whatever lay there before is forgotten.
OrderedMemory::Life& OrderedMemory::begin(std::uint64_t address, std::size_t bytes) {
  auto next = lives_.upper_bound(address);
  if (next != lives_.begin() && std::prev(next)->first + std::prev(next)->second.bytes > address) --next;
  while (next != lives_.end() && next->first < address + bytes) next = lives_.erase(next);
  Life& life = lives_[address] = {};
  life.bytes = bytes;
  return life;
}

OrderedMemory::Life* OrderedMemory::find(std::uint64_t address) {
  const auto next = lives_.upper_bound(address);
  if (next == lives_.begin()) return nullptr;
  auto& [base, life] = *std::prev(next);
  return address - base < life.bytes ? &life : nullptr;
}

void OrderedMemory::allocate(std::uint64_t address, std::size_t bytes, const Actor& actor) {
  Life& life = begin(address, bytes);
  life.state = State::ordered;
  life.allocated = actor.when;
  life.allocator = actor.name;
}

OrderedMemory::Problem OrderedMemory::allocateReserved(std::uint64_t address, const Actor& node) {
  Life& life = lives_.at(address);
  // Still allocated by the previous launch, where the graph may free it when it is launched again.
  if (life.state == State::ordered)
    if (Problem problem = unorderedUse(life, node)) return problem;
  life.state = State::ordered;
  life.allocated = node.when;
  life.allocator = node.name;
  life.uses.clear();
  return {};
}

void OrderedMemory::note(Life& life, const Actor& user) {
  std::erase_if(life.uses, [&](const Use& use) {
    return use.when.own.chain == user.when.own.chain || use.when.own.chain->settled;
  });
  life.uses.push_back({user.when, user.name});
}

OrderedMemory::Problem OrderedMemory::objection(std::uint64_t address, const Actor& user) {
  const Life* life = find(address);
  if (!life) return {};
  if (life->state == State::reserved) return unordered(user.name, " behind ", "the node of a graph that allocates it");
  if (life->state == State::freed && !life->beforeFree.covers(user.when)) return unordered(user.name, " before ", life->freer);
  if (life->allocator.empty() || user.clock.covers(life->allocated)) return {};
  return unordered(user.name, " behind ", life->allocator);
}

OrderedMemory::Problem OrderedMemory::use(std::uint64_t address, const Actor& user) {
  if (Problem problem = objection(address, user)) return problem;
  if (Life* life = find(address)) note(*life, user);
  return {};
}

OrderedMemory::Problem OrderedMemory::unorderedUse(const Life& life, const Actor& end) {
  const auto open = std::ranges::find_if(life.uses, [&](const Use& use) { return !end.clock.covers(use.when); });
  if (open == life.uses.end()) return {};
  return unordered(open->name, " before ", end.name);
}

OrderedMemory::Problem OrderedMemory::free(std::uint64_t address, const Actor& free) {
  Life& life = lives_.at(address);
  if (life.state == State::freed || life.state == State::reserved) return ": " + free.name + " frees it, but nothing has allocated it";
  if (!life.allocator.empty() && !free.clock.covers(life.allocated)) return unordered(free.name, " behind ", life.allocator);
  if (Problem problem = unorderedUse(life, free)) return problem;
  life.state = State::freed;
  life.freer = free.name;
  life.beforeFree = free.clock;
  return {};
}

void OrderedMemory::release(std::uint64_t address) {
  const auto found = lives_.find(address);
  if (found == lives_.end()) return;
  found->second.released = true;
  released_.push_back(address);
  if (released_.size() <= rememberedReleases) return;
  const auto oldest = lives_.find(released_.front());
  if (oldest != lives_.end() && oldest->second.released) lives_.erase(oldest);
  released_.pop_front();
}

}  // namespace cnn::emu::driver
