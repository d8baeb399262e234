// cp.async.bulk and cp.reduce.async.bulk: copies and reductions of arrays between global and shared memory.
#include "reduction.h"
#include "whole_block.h"

namespace cnn::conformance {
namespace {

constexpr unsigned bytes = 1024;
const std::string shared = ".shared .align 128 .b8 tile[1024];\n.shared .align 8 .b64 bar;";
const std::string hintPolicy = "createpolicy.fractional.L2::evict_first.b64 %d40, 1.0;\n  ";

// Thread 0 makes an mbarrier for one arrival; %r8 is the array, %r9 the mbarrier, %p1 says whether it is thread 0.
const std::string prepare = "mov.u32 %r8, tile; mov.u32 %r9, bar; setp.eq.u32 %p1, %r1, 0;\n  @%p1 mbarrier.init.shared.b64 [%r9], 1; "
                            "@%p1 fence.mbarrier_init.release.cluster; fence.proxy.async; bar.sync 0;\n  ";

// A global array arrives in shared memory, `skipped` bytes into it; the rest stays what it was.
void addLoad(Corpus& corpus, const std::string& destination, bool hint, unsigned skipped, unsigned copied, int ptx) {
  const std::string opcode = "cp.async.bulk." + destination + ".global.mbarrier::complete_tx::bytes" + (hint ? ".L2::cache_hint" : "");
  const std::string body = fillShared("tile", "%in1", bytes) + prepare + (hint ? hintPolicy : "") + "@%p1 mbarrier.arrive.expect_tx.shared.b64 %d8, [%r9], "
                           + std::to_string(copied) + "; @%p1 " + opcode + " [%r8+" + std::to_string(skipped) + "], [%in0+32], " + std::to_string(copied) + ", [%r9]"
                           + (hint ? ", %d40" : "") + ";\n  " + awaitPhase("%r9", 0) + dumpShared("tile", bytes);
  Case& test = addWhole(corpus, "bulk/" + opcode + " " + std::to_string(copied) + " bytes", body, Type::u32, bytes / 4, {{Type::u32, Range::any, 264}, {Type::u32, Range::any, 256}},
                        [=](const Columns& in) {
    Column out = in[1];
    for (unsigned i = 0; i < copied / 4; ++i) out[skipped / 4 + i] = in[0][8 + i];
    return out;
  });
  test.declarations = shared;
  test.sm = 90;
  test.ptx = ptx;
}

// Two halves of an array leave shared memory in two groups.
void addStore(Corpus& corpus, bool hint, const std::string& wait) {
  const std::string opcode = std::string("cp.async.bulk.global.shared::cta.bulk_group") + (hint ? ".L2::cache_hint" : "");
  const std::string policy = hint ? ", %d40" : "";
  std::string body = fillShared("tile", "%in0", bytes) + prepare + (hint ? hintPolicy : "") + "@!%p1 bra end;\n  ";
  for (const std::string at : {"0", "512"})
    body += opcode + " [%out+" + at + "], [%r8+" + at + "], 512" + policy + "; cp.async.bulk.commit_group;\n  ";
  body += wait + " cp.async.bulk.wait_group 0; end:";
  Case& test = addWhole(corpus, "bulk/" + opcode + (wait.empty() ? "" : ", " + wait), body, Type::u32, bytes / 4, {{Type::u32, Range::any, 256}},
                        [](const Columns& in) { return in[0]; });
  test.declarations = shared;
  test.sm = 90;
}

// The outputs begin as operand 1; the array of operand 0 is combined into them.
void addReduction(Corpus& corpus, const Reduction& r, bool hint) {
  const std::string opcode = std::string("cp.reduce.async.bulk.global.shared::cta.bulk_group") + (hint ? ".L2::cache_hint" : "") + r.operation + r.type;
  const std::string body = fillShared("tile", "%in1", bytes) + dumpShared("tile", bytes) + "bar.sync 0; " + fillShared("tile", "%in0", bytes) + prepare
                           + (hint ? hintPolicy : "") + "@!%p1 bra end; " + opcode + " [%out], [%r8], 1024" + (hint ? ", %d40" : "")
                           + "; cp.async.bulk.commit_group; cp.async.bulk.wait_group 0; end:";
  const std::size_t count = bytes * 8 / std::size_t(bitsOf(r.element));
  Case& test = addWhole(corpus, "bulk/" + opcode, body, r.element, count, {{r.element, r.range, count}, {r.element, r.range, count}}, [r](const Columns& in) {
    Column out = in[1];
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = r.combine(out[i], in[0][i]);
    return out;
  });
  test.declarations = shared;
  test.sm = 90;
}

}  // namespace

void addBulk(Corpus& corpus) {
  for (const bool hint : {false, true}) {
    for (const unsigned copied : {16u, 512u, 1008u}) addLoad(corpus, "shared::cluster", hint, 16, copied, 80);
    addLoad(corpus, "shared::cta", hint, 16, 512, 86);
    for (const std::string wait : {"", "cp.async.bulk.wait_group 1;", "cp.async.bulk.wait_group.read 0;"}) addStore(corpus, hint, wait);
    for (const Reduction& r : reductions()) addReduction(corpus, r, hint);
  }
}

}  // namespace cnn::conformance
