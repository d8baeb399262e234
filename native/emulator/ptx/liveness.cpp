#include "ptx/liveness.h"

#include <algorithm>
#include <bit>
#include <queue>

namespace cnn::emu::ptx {
namespace {

using Bits = std::vector<std::uint64_t>;

bool test(const Bits& bits, std::uint32_t i) { return bits[i / 64] >> (i % 64) & 1; }
void set(Bits& bits, std::uint32_t i) { bits[i / 64] |= 1ull << (i % 64); }
// Visits the bits that `seen` lacks, and adds them to it.
void forEachNew(const Bits& bits, Bits& seen, auto&& visit) {
  for (std::size_t w = 0; w < bits.size(); ++w) {
    for (std::uint64_t rest = bits[w] & ~seen[w]; rest != 0; rest &= rest - 1) visit(std::uint32_t(w * 64) + std::uint32_t(std::countr_zero(rest)));
    seen[w] |= bits[w];
  }
}

struct BlockSets {
  Bits used, killed, in, out;  // used before killed in the block; live at its borders
};

// A guarded write leaves the old value to some lanes, so it kills nothing.
std::vector<BlockSets> localSets(const Function& function, const Flow& flow, const std::vector<Uses>& uses) {
  const std::size_t words = function.registers.size() / 64 + 1;
  std::vector<BlockSets> sets(flow.blocks.size(), {Bits(words), Bits(words), Bits(words), Bits(words)});
  for (std::size_t b = 0; b < flow.blocks.size(); ++b)
    for (std::uint32_t s = flow.blocks[b].begin; s < flow.blocks[b].end; ++s) {
      for (const std::uint32_t r : uses[s].read)
        if (!test(sets[b].killed, r)) set(sets[b].used, r);
      if (function.statements[s].guard != noRegister) continue;
      for (const std::uint32_t r : uses[s].written) set(sets[b].killed, r);
    }
  return sets;
}

void solve(const Flow& flow, std::vector<BlockSets>& sets) {
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t b = flow.blocks.size(); b-- > 0;) {
      BlockSets& own = sets[b];
      for (const std::uint32_t successor : flow.blocks[b].successors)
        for (std::size_t w = 0; w < own.out.size(); ++w) own.out[w] |= sets[successor].in[w];
      for (std::size_t w = 0; w < own.in.size(); ++w) {
        const std::uint64_t in = own.used[w] | (own.out[w] & ~own.killed[w]);
        changed |= in != own.in[w];
        own.in[w] = in;
      }
    }
  }
}

struct Interval {
  std::uint32_t reg, begin = noRegister, end = 0;
  void cover(std::uint32_t position) {
    begin = std::min(begin, position);
    end = std::max(end, position);
  }
};

// From the first to the last place in the text where the register is live. Statement s reads at 2s and writes at 2s+1.
std::vector<Interval> intervals(const Function& function, const Flow& flow, const std::vector<Uses>& uses,
                                const std::vector<BlockSets>& sets) {
  std::vector<Interval> all(function.registers.size());
  for (std::uint32_t r = 0; r < all.size(); ++r) all[r].reg = r;
  for (std::uint32_t s = 0; s < uses.size(); ++s) {
    for (const std::uint32_t r : uses[s].read) all[r].cover(2 * s);
    for (const std::uint32_t r : uses[s].written) all[r].cover(2 * s + 1);
  }
  // Of the blocks where it is live at a border, only the first and the last count.
  Bits entered(sets[0].in.size()), left(sets[0].in.size());
  for (std::size_t b = 0; b < sets.size(); ++b)
    forEachNew(sets[b].in, entered, [&](std::uint32_t r) { all[r].cover(2 * flow.blocks[b].begin); });
  for (std::size_t b = sets.size(); b-- > 0;)
    forEachNew(sets[b].out, left, [&](std::uint32_t r) { all[r].cover(2 * flow.blocks[b].end); });
  std::erase_if(all, [](const Interval& i) { return i.begin == noRegister; });
  std::sort(all.begin(), all.end(), [](const Interval& a, const Interval& b) { return a.begin < b.begin; });
  return all;
}

// Linear scan: the lowest slot that is free when the interval begins.
class Pool {
 public:
  std::uint32_t take(const Interval& interval) {
    while (!busy_.empty() && busy_.top().first < interval.begin) {
      free_.push(busy_.top().second);
      busy_.pop();
    }
    std::uint32_t slot = count_;
    if (free_.empty()) {
      ++count_;
    } else {
      slot = free_.top();
      free_.pop();
    }
    busy_.push({interval.end, slot});
    return slot;
  }
  std::uint32_t count() const { return count_; }
  std::uint32_t live() const { return std::uint32_t(busy_.size()); }

 private:
  using Busy = std::pair<std::uint32_t, std::uint32_t>;
  std::priority_queue<Busy, std::vector<Busy>, std::greater<>> busy_;
  std::priority_queue<std::uint32_t, std::vector<std::uint32_t>, std::greater<>> free_;
  std::uint32_t count_ = 0;
};

}  // namespace

SlotPlan planSlots(const Function& function, const Flow& flow, const std::vector<Uses>& uses) {
  std::vector<BlockSets> sets = localSets(function, flow, uses);
  solve(flow, sets);
  SlotPlan plan;
  plan.slot.assign(function.registers.size(), noRegister);
  Pool predicates, words, doubles;
  for (const Interval& interval : intervals(function, flow, uses, sets)) {
    const Type type = function.registers[interval.reg].type;
    Pool& pool = type == Type::pred ? predicates : bits(type) > 32 ? doubles : words;
    plan.slot[interval.reg] = pool.take(interval);
    plan.pressure = std::max(plan.pressure, words.live() + 2 * doubles.live());
  }
  plan.predicates = predicates.count();
  plan.words = words.count();
  plan.doubles = doubles.count();
  return plan;
}

}  // namespace cnn::emu::ptx
