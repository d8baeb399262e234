#include "ptx/flow.h"

#include <algorithm>
#include <limits>

namespace cnn::emu::ptx {
namespace {

bool isUnconditional(const Statement& s) { return s.guard == noRegister; }

// Where a statement may jump to, besides the next one.
std::vector<std::uint32_t> targets(const Function& function, const Statement& s) {
  if (s.opcode == "bra") return {s.operands[0].reg};
  if (s.opcode == "brx") return function.targetLists[s.operands[1].reg].positions;
  return {};
}

std::vector<bool> findLeaders(const Function& function) {
  std::vector<bool> leader(function.statements.size() + 1, false);
  leader[0] = true;
  for (std::size_t i = 0; i < function.statements.size(); ++i) {
    const Statement& s = function.statements[i];
    if (!endsBlock(s)) continue;
    leader[i + 1] = true;
    for (const std::uint32_t target : targets(function, s)) leader[target] = true;
  }
  return leader;
}

// Bourdoncle's algorithm. Elements are found last to first, so `sequence_` holds the order reversed.
class WeakTopologicalOrder {
 public:
  explicit WeakTopologicalOrder(std::vector<FlowBlock>& blocks) : blocks_(blocks), number_(blocks.size(), 0) {}

  void run() {
    std::vector<std::uint32_t> order;
    visit(0, order);
    for (std::uint32_t b = 0; b < blocks_.size(); ++b)
      if (number_[b] == 0) visit(b, order);  // unreachable code comes first in the reversed order: it never runs
    std::uint32_t next = std::uint32_t(order.size());
    for (const std::uint32_t b : order) blocks_[b].order = --next;
  }

 private:
  static constexpr std::uint32_t done = std::numeric_limits<std::uint32_t>::max();

  std::uint32_t visit(std::uint32_t v, std::vector<std::uint32_t>& reversed) {
    stack_.push_back(v);
    const std::uint32_t own = number_[v] = ++count_;
    std::uint32_t head = own;
    bool loop = false;
    for (const std::uint32_t successor : blocks_[v].successors) {
      const std::uint32_t low = number_[successor] == 0 ? visit(successor, reversed) : number_[successor];
      if (low <= head) {
        head = low;
        loop = true;
      }
    }
    if (head == own) {
      number_[v] = done;
      std::uint32_t element = stack_.back();
      stack_.pop_back();
      if (loop) {
        for (; element != v; element = stack_.back(), stack_.pop_back()) number_[element] = 0;
        std::vector<std::uint32_t> body;
        for (const std::uint32_t successor : blocks_[v].successors)
          if (number_[successor] == 0) visit(successor, body);
        reversed.insert(reversed.end(), body.begin(), body.end());
      }
      reversed.push_back(v);
    }
    return head;
  }

  std::vector<FlowBlock>& blocks_;
  std::vector<std::uint32_t> number_, stack_;
  std::uint32_t count_ = 0;
};

}  // namespace

bool endsBlock(const Statement& s) {
  return s.opcode == "bra" || s.opcode == "brx" || s.opcode == "ret" || s.opcode == "exit" || s.opcode == "trap";
}

Flow buildFlow(const Function& function) {
  const auto size = std::uint32_t(function.statements.size());
  const std::vector<bool> leader = findLeaders(function);
  Flow flow;
  flow.blockOf.resize(size);
  for (std::uint32_t i = 0; i < size; ++i) {
    if (leader[i]) flow.blocks.push_back({i, i, {}, 0});
    flow.blocks.back().end = i + 1;
    flow.blockOf[i] = std::uint32_t(flow.blocks.size() - 1);
  }
  for (FlowBlock& block : flow.blocks) {
    const Statement& last = function.statements[block.end - 1];
    for (const std::uint32_t target : targets(function, last)) block.successors.push_back(flow.blockOf[target]);
    const bool falls = !endsBlock(last) || !isUnconditional(last);
    if (falls && block.end < size) block.successors.push_back(flow.blockOf[block.end]);
  }
  WeakTopologicalOrder(flow.blocks).run();
  return flow;
}

}  // namespace cnn::emu::ptx
