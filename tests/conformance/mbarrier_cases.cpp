// mbarrier: one thread takes an mbarrier through a phase by every form of every operation, and reports what it can see:
// pending counts and completed phases. A model of the documented state says what that must be.
#include "whole_block.h"

namespace cnn::conformance {
namespace {

// The state of an mbarrier as the PTX ISA describes it.
struct Model {
  std::int64_t expected, pending, transactions = 0;
  unsigned phase = 0;

  explicit Model(std::int64_t count) : expected(count), pending(count) {}
  void advance() {
    if (pending != 0 || transactions != 0) return;
    ++phase;
    pending = expected;
  }
  void arrive(std::int64_t count) { pending -= count, advance(); }
  void drop(std::int64_t count) { expected -= count, arrive(count); }
  void complete(std::int64_t bytes) { transactions -= bytes, advance(); }
};

struct Form {
  std::string instruction;
  std::string operands;          // STATE stands for the state that comes out: a register or _
  bool givesState;
  void (*apply)(Model&);
  int sm, ptx;
};

constexpr int bytesExpected = 48;
void arriveOnce(Model& m) { m.arrive(1); }
void arriveTwice(Model& m) { m.arrive(2); }
void dropOnce(Model& m) { m.drop(1); }
void dropTwice(Model& m) { m.drop(2); }
void expect(Model& m) { m.transactions += bytesExpected; }
void expectAndArrive(Model& m) { expect(m), m.arrive(1); }
void expectAndDrop(Model& m) { expect(m), m.drop(1); }

// Completes the phase step by step and reports, in this order: the count pending before the form, if it gives the state;
// the count pending after it; whether the phase is over while arrivals are missing, while bytes are missing, and then; the
// count of the next phase.
void addForm(Corpus& corpus, const Form& form) {
  constexpr int count = 6;
  Model model(count);
  Column seen;
  std::string body = "mov.u32 %r8, bar; setp.ne.u32 %p1, %r1, 0; @%p1 bra end; mbarrier.init.shared.b64 [%r8], " + std::to_string(count) + ";\n  ";
  const auto report = [&](const std::string& value, std::uint64_t wanted) {
    body += "st.global.b32 [%out+" + std::to_string(4 * seen.size()) + "], " + value + ";\n  ";
    seen.push_back(wanted);
  };
  const auto reportPending = [&](const char* state, std::int64_t wanted) {
    body += std::string("mbarrier.pending_count.b64 %r9, ") + state + "; ";
    report("%r9", std::uint64_t(wanted));
  };
  const auto reportPhase = [&] {
    body += "mbarrier.test_wait.parity.shared.b64 %p2, [%r8], 0; selp.b32 %r9, 1, 0, %p2; ";
    report("%r9", model.phase > 0);
  };
  std::string operands = form.operands;
  if (const auto at = operands.find("STATE"); at != std::string::npos) operands.replace(at, 5, form.givesState ? "%d8" : "_");
  body += form.instruction + " " + operands + ";\n  ";
  if (form.givesState) reportPending("%d8", model.pending);
  form.apply(model);
  body += "mbarrier.arrive.shared.b64 %d9, [%r8]; ";
  reportPending("%d9", model.pending);
  model.arrive(1);
  reportPhase();
  body += "mbarrier.arrive.noComplete.shared.b64 %d9, [%r8], " + std::to_string(model.pending - 1) + "; mbarrier.arrive.shared.b64 %d9, [%r8];\n  ";
  model.arrive(model.pending);
  reportPhase();
  if (const std::int64_t missing = model.transactions) {
    body += "mbarrier.complete_tx.shared.b64 [%r8], " + std::to_string(missing) + ";\n  ";
    model.complete(missing);
    reportPhase();
  }
  body += "mbarrier.arrive.shared.b64 %d9, [%r8]; ";
  reportPending("%d9", model.pending);
  body += "mbarrier.inval.shared.b64 [%r8]; end:";
  Case& test = addWhole(corpus, "mbarrier/" + form.instruction + (form.givesState ? " " : " without state ") + form.operands, body, Type::u32, seen.size(), {},
                        [seen](const Columns&) { return seen; });
  test.declarations = ".shared .align 8 .b64 bar;";
  test.sm = form.sm;
  test.ptx = form.ptx;
}

const std::vector<std::string> ownSpaces = {".shared", ".shared::cta"};
const std::vector<std::string> releasing = {".release.cta", ".release.cluster", ".relaxed.cta", ".relaxed.cluster"};

void addArrivals(Corpus& corpus) {
  struct Operation {
    const char* opcode;
    void (*once)(Model&);
    void (*twice)(Model&);
    void (*expecting)(Model&);
  };
  for (const Operation& o : {Operation{"mbarrier.arrive", arriveOnce, arriveTwice, expectAndArrive}, {"mbarrier.arrive_drop", dropOnce, dropTwice, expectAndDrop}}) {
    const auto add = [&](const std::string& modifiers, const char* operands, bool givesState, void (*apply)(Model&), int sm, int ptx) {
      addForm(corpus, {o.opcode + modifiers + ".b64", operands, givesState, apply, sm, ptx});
    };
    for (const std::string& space : ownSpaces) {
      add(space, "STATE, [%r8]", true, o.once, 80, 80);
      add(space, "STATE, [%r8], 2", true, o.twice, 90, 78);
      add(".noComplete" + space, "STATE, [%r8], 2", true, o.twice, 80, 80);
      add(".noComplete.release.cta" + space, "STATE, [%r8], 2", true, o.twice, 80, 80);
      for (const std::string& order : releasing) {
        const bool relaxed = order.starts_with(".relaxed");
        add(order + space, "STATE, [%r8], 2", true, o.twice, 90, relaxed ? 86 : 80);
        add(".expect_tx" + order + space, "STATE, [%r8], 48", true, o.expecting, 90, relaxed ? 86 : 80);
      }
      add(".expect_tx" + space, "STATE, [%r8], 48", true, o.expecting, 90, 80);
    }
    for (const std::string& order : releasing) {
      if (order == ".relaxed.cta") continue;  // of another block: with the scope of a cluster
      const int ptx = order.starts_with(".relaxed") ? 86 : 80;
      add(order + ".shared::cluster", "STATE, [%r8]", false, o.once, 90, ptx);
      add(order + ".shared::cluster", "STATE, [%r8], 2", false, o.twice, 90, ptx);
      add(".expect_tx" + order + ".shared::cluster", "STATE, [%r8], 48", false, o.expecting, 90, ptx);
    }
  }
}

void addTransactions(Corpus& corpus) {
  for (const std::string order : {"", ".relaxed.cta", ".relaxed.cluster"})
    for (const std::string space : {".shared", ".shared::cta", ".shared::cluster"}) {
      addForm(corpus, {"mbarrier.expect_tx" + order + space + ".b64", "[%r8], 48", false, expect, 90, 80});
      addForm(corpus, {"mbarrier.complete_tx" + order + space + ".b64", "[%r8], 0", false, [](Model&) {}, 90, 80});
    }
}

// The forms without an outcome, and generic addresses.
void addLife(Corpus& corpus) {
  for (const std::string space : {"", ".shared", ".shared::cta"}) {
    const std::string address = space.empty() ? "%d8" : "%r8";
    Case& test = addWhole(corpus, "mbarrier/mbarrier.init" + space + ".b64 to mbarrier.inval" + space + ".b64",
                          "mov.u32 %r8, bar; cvt.u64.u32 %d8, %r8; cvta.shared.u64 %d8, %d8; setp.ne.u32 %p1, %r1, 0; @%p1 bra end;\n  "
                          "mbarrier.init" + space + ".b64 [" + address + "], 9; mbarrier.arrive" + space + ".b64 %d9, [" + address + "]; mbarrier.inval" + space + ".b64 [" + address
                          + "];\n  mbarrier.pending_count.b64 %r9, %d9; st.global.b32 [%out], %r9; end:",
                          Type::u32, 1, {}, [](const Columns&) { return Column{9}; });
    test.declarations = ".shared .align 8 .b64 bar;";
  }
}

// A wait does not see an open phase as complete, and sees the one before it.
void addWait(Corpus& corpus, const std::string& instruction, bool parity, bool hint, int sm, int ptx) {
  const auto observe = [&](unsigned at, const std::string& phase) {
    return instruction + " %p2, [%r8], " + phase + (hint ? ", 20" : "") + "; selp.b32 %r9, 1, 0, %p2; st.global.b32 [%out+" + std::to_string(4 * at) + "], %r9;\n  ";
  };
  const std::string body = "mov.u32 %r8, bar; setp.ne.u32 %p1, %r1, 0; @%p1 bra end; mbarrier.init.shared.b64 [%r8], 2; mbarrier.arrive.shared.b64 %d8, [%r8];\n  "
                           + observe(0, parity ? "0" : "%d8") + "mbarrier.arrive.shared.b64 %d9, [%r8];\n  " + observe(1, parity ? "0" : "%d8") + observe(2, parity ? "1" : "%d9")
                           + "mbarrier.arrive.shared.b64 %d10, [%r8];\n  " + observe(3, parity ? "0" : "%d9") + observe(4, parity ? "1" : "%d10") + "end:";
  // A parity means the open phase or the one before it, whichever has it.
  const Column wanted = {0, 1, parity ? 0u : 1u, 1, 0};
  Case& test = addWhole(corpus, "mbarrier/" + instruction + (hint ? " with a hint" : ""), body, Type::u32, wanted.size(), {}, [wanted](const Columns&) { return wanted; });
  test.declarations = ".shared .align 8 .b64 bar;";
  test.sm = sm;
  test.ptx = ptx;
}

void addWaits(Corpus& corpus) {
  for (const bool parity : {false, true}) {
    const std::string suffix = parity ? ".parity" : "";
    for (const std::string& space : ownSpaces) {
      addWait(corpus, "mbarrier.test_wait" + suffix + space + ".b64", parity, false, 80, 80);
      for (const bool hint : {false, true}) addWait(corpus, "mbarrier.try_wait" + suffix + space + ".b64", parity, hint, 90, 80);
      for (const std::string order : {".acquire.cta", ".acquire.cluster", ".relaxed.cta", ".relaxed.cluster"}) {
        const int ptx = order.starts_with(".relaxed") ? 86 : 80;
        addWait(corpus, "mbarrier.test_wait" + suffix + order + space + ".b64", parity, false, 90, ptx);
        addWait(corpus, "mbarrier.try_wait" + suffix + order + space + ".b64", parity, true, 90, ptx);
      }
    }
  }
}

// What one thread writes before it arrives is there for all who have waited, phase after phase.
void addHandover(Corpus& corpus) {
  std::string body = "mov.u32 %r8, bar; mov.u32 %r9, word; setp.eq.u32 %p1, %r1, 0; @%p1 mbarrier.init.shared.b64 [%r8], 128; bar.sync 0;\n  ";
  for (unsigned phase = 0; phase < 3; ++phase)
    body += "setp.eq.u32 %p1, %r1, " + std::to_string(40 * phase) + "; add.u32 %r10, %r1, 7; @%p1 st.shared.b32 [%r9+" + std::to_string(4 * phase) + "], %r10; "
            "mbarrier.arrive.shared.b64 %d8, [%r8];\n  " + awaitPhase("%r8", phase % 2, "test_wait") + "ld.shared.b32 %r11, [%r9+" + std::to_string(4 * phase) + "]; " + keep("%r11", phase);
  addWhole(corpus, "mbarrier/all arrive and wait, three phases", body, Type::u32, 3 * threads, {}, [](const Columns&) {
    Column out(3 * threads);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = 40 * (i / threads) + 7;
    return out;
  }).declarations = ".shared .align 8 .b64 bar;\n.shared .align 4 .b32 word[4];";
}

}  // namespace

void addMbarrier(Corpus& corpus) {
  addArrivals(corpus);
  addTransactions(corpus);
  addLife(corpus);
  addWaits(corpus);
  addHandover(corpus);
}

}  // namespace cnn::conformance
