#include "ptx/wgmma_order.h"

#include <algorithm>
#include <cstdint>

namespace cnn::emu::ptx {
namespace {

// What is known of one register at a point. A forward analysis: at a join the worse of both holds.
struct RegisterState {
  std::uint8_t inFlight = 0;   // 0: no; else 1 + the number of commits since the latest wgmma that writes it
  bool touched = true;         // accessed by something else since the latest wgmma.fence

  bool join(const RegisterState& other) {
    const RegisterState before = *this;
    if (other.inFlight != 0) inFlight = inFlight == 0 ? other.inFlight : std::min(inFlight, other.inFlight);
    touched |= other.touched;
    return inFlight != before.inFlight || touched != before.touched;
  }
};
using State = std::vector<RegisterState>;

constexpr std::uint8_t oldest = 9;   // wait_group counts to 7

class Checker {
 public:
  Checker(const Function& function, const Flow& flow, const std::vector<Uses>& uses) : function_(function), flow_(flow), uses_(uses) {}

  std::string run() {
    const auto isWgmma = [](const Statement& s) { return s.opcode == "wgmma"; };
    if (std::none_of(function_.statements.begin(), function_.statements.end(), isWgmma)) return {};
    entries_.assign(flow_.blocks.size(), {});
    entries_[0].resize(function_.registers.size());
    std::vector<std::uint32_t> work{0};
    while (!work.empty() && problem_.empty()) {
      const std::uint32_t block = work.back();
      work.pop_back();
      State state = entries_[block];
      for (std::uint32_t s = flow_.blocks[block].begin; s < flow_.blocks[block].end; ++s) apply(s, state);
      for (const std::uint32_t next : flow_.blocks[block].successors)
        if (merge(entries_[next], state)) work.push_back(next);
    }
    return problem_;
  }

 private:
  static bool merge(State& into, const State& from) {
    if (into.empty()) {
      into = from;
      return true;
    }
    bool changed = false;
    for (std::size_t r = 0; r < into.size(); ++r) changed |= into[r].join(from[r]);
    return changed;
  }

  void apply(std::uint32_t index, State& state) {
    const Statement& s = function_.statements[index];
    if (s.opcode == "wgmma") return wgmma(s, state);
    if (isCopy(s)) {
      state[s.operands[0].reg] = state[s.operands[1].reg];
      return;
    }
    for (const std::uint32_t r : uses_[index].read) access(s, r, state);
    for (const std::uint32_t r : uses_[index].written) access(s, r, state);
  }

  static bool isCopy(const Statement& s) {
    return s.opcode == "mov" && s.operands.size() == 2 && s.operands[0].kind == Operand::Kind::reg && s.operands[1].kind == Operand::Kind::reg;
  }

  void access(const Statement& s, std::uint32_t r, State& state) {
    if (state[r].inFlight != 0) report(s, r, "is touched before wgmma.wait_group");
    state[r] = {0, true};
  }

  void wgmma(const Statement& s, State& state) {
    if (s.has("fence")) {
      for (RegisterState& r : state) r.touched = false;
    } else if (s.has("commit_group")) {
      for (RegisterState& r : state)
        if (r.inFlight != 0) r.inFlight = std::min<std::uint8_t>(oldest, r.inFlight + 1);
    } else if (s.has("wait_group")) {
      // Uncommitted (1) is never waited for; the group of the latest commit is 2, the one before it 3.
      for (RegisterState& r : state)
        if (r.inFlight >= s.operands[0].value + 2) r.inFlight = 0;
    } else {
      for (const Operand& part : s.operands[1].parts) fragment(s, part.reg, state);
      for (const Operand& part : s.operands[0].parts) {
        if (part.kind != Operand::Kind::reg) continue;
        fragment(s, part.reg, state);
        state[part.reg].inFlight = 1;
      }
    }
  }

  void fragment(const Statement& s, std::uint32_t r, const State& state) {
    if (r != noRegister && state[r].touched) report(s, r, "was touched since the last wgmma.fence");
  }

  void report(const Statement& s, std::uint32_t r, const char* what) {
    if (problem_.empty())
      problem_ = "PTX line " + std::to_string(s.line) + ": register " + std::string(function_.registers[r].name) + " of a wgmma " + what;
  }

  const Function& function_;
  const Flow& flow_;
  const std::vector<Uses>& uses_;
  std::vector<State> entries_;
  std::string problem_;
};

}  // namespace

std::string checkWgmmaOrder(const Function& function, const Flow& flow, const std::vector<Uses>& uses) {
  return Checker(function, flow, uses).run();
}

}  // namespace cnn::emu::ptx
