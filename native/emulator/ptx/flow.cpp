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

// Bourdoncle's algorithm, with a stack of its own instead of recursion: a kernel has as many levels as its author likes.
// Elements are found last to first, so the order is built reversed.
class WeakTopologicalOrder {
 public:
  explicit WeakTopologicalOrder(std::vector<FlowBlock>& blocks) : blocks_(blocks), number_(blocks.size(), 0) {}

  // False when loops are nested more deeply than `deepestLoop`.
  bool run() {
    for (std::uint32_t b = 0; b < blocks_.size(); ++b)
      if (number_[b] == 0 && !visit(b)) return false;  // unreachable code comes first in the reversed order: it never runs
    auto next = std::uint32_t(reversed_.size());
    for (const std::uint32_t b : reversed_) blocks_[b].order = --next;
    return true;
  }

 private:
  static constexpr std::uint32_t done = std::numeric_limits<std::uint32_t>::max();
  static constexpr unsigned deepestLoop = 1000;  // each level walks its body once more

  struct Frame {
    std::uint32_t block, own, head;  // own: its number; head: the least number that it reaches
    std::size_t next = 0;            // successor to look at
    bool isLoop = false, inBody = false;
  };

  void enter(std::uint32_t block) {
    component_.push_back(block);
    number_[block] = ++count_;
    frames_.push_back({block, count_, count_});
  }

  bool visit(std::uint32_t root) {
    for (enter(root); !frames_.empty();) {
      Frame& frame = frames_.back();
      const std::vector<std::uint32_t>& successors = blocks_[frame.block].successors;
      if (frame.next == successors.size()) {
        if (!leave(frame)) return false;
        continue;
      }
      const std::uint32_t successor = successors[frame.next++];
      if (number_[successor] == 0) enter(successor);
      else if (!frame.inBody) reach(frame, number_[successor]);
    }
    return true;
  }

  static void reach(Frame& frame, std::uint32_t low) {
    if (low > frame.head) return;
    frame.head = low;
    frame.isLoop = true;
  }

  // All successors are seen: the block closes its component, begins the walk of its loop's body, or belongs to a component
  // of a block below it on the stack.
  bool leave(Frame& frame) {
    const std::uint32_t low = frame.head;
    if (!frame.inBody && low == frame.own) {
      closeComponent(frame);
      if (frame.isLoop) {
        frame.inBody = true;
        frame.next = 0;
        return ++loops_ <= deepestLoop;
      }
    }
    if (frame.inBody) --loops_;
    if (low == frame.own) reversed_.push_back(frame.block);
    frames_.pop_back();
    if (!frames_.empty() && !frames_.back().inBody) reach(frames_.back(), low);
    return true;
  }

  // The blocks of a loop are numbered anew when its body is walked.
  void closeComponent(const Frame& frame) {
    for (; component_.back() != frame.block; component_.pop_back()) number_[component_.back()] = 0;
    component_.pop_back();
    number_[frame.block] = done;
  }

  std::vector<FlowBlock>& blocks_;
  std::vector<std::uint32_t> number_, component_, reversed_;
  std::vector<Frame> frames_;
  std::uint32_t count_ = 0;
  unsigned loops_ = 0;  // whose bodies are being walked
};

}  // namespace

bool endsBlock(const Statement& s) {
  return s.opcode == "bra" || s.opcode == "brx" || s.opcode == "ret" || s.opcode == "exit" || s.opcode == "trap";
}

Flow buildFlow(const Function& function, Diagnostics& diagnostics) {
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
  if (!WeakTopologicalOrder(flow.blocks).run()) diagnostics.error(function.line, "loops of `" + std::string(function.name) + "` are nested too deeply");
  return flow;
}

}  // namespace cnn::emu::ptx
