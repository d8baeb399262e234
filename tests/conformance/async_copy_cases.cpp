// cp.async: every size, cache operator, prefetch and policy; sources shorter than the copy; the ways to wait.
#include "whole_block.h"

namespace cnn::conformance {
namespace {

constexpr unsigned tileBytes = 2048;  // 16 bytes per thread
const std::string declarations = ".shared .align 16 .b8 tile[2048];\n.shared .align 8 .b64 bar;";

enum class Source { whole, sized, ignored };

// Thread t copies `size` bytes from byte 16 t of operand 0, of which the first few exist: the rest are zeros.
unsigned existing(Source source, unsigned thread, unsigned size) {
  switch (source) {
    case Source::sized: return thread * 3 % (size + 1);
    case Source::ignored: return thread % 2 ? 0 : size;
    default: return size;
  }
}

struct Copy {
  std::string modifiers = ".ca.shared.global";
  unsigned size = 16;
  Source source = Source::whole;
  bool hint = false;
  std::string wait = "cp.async.commit_group; cp.async.wait_group 0; bar.sync 0;";
  std::string note = "";
};

void addCopy(Corpus& corpus, const Copy& c) {
  const std::string size = std::to_string(c.size), opcode = "cp.async" + c.modifiers;
  const std::string extra = c.source == Source::sized ? ", %r12" : c.source == Source::ignored ? ", %p1" : "";
  const std::string body = fillShared("tile", "%in1", tileBytes) + "mov.u32 %r8, tile; mov.u32 %r15, bar; mad.lo.u32 %r8, %r1, 16, %r8; mad.wide.u32 %d8, %r1, 16, %in0; "
                           "mul.lo.u32 %r12, %r1, 3; rem.u32 %r12, %r12, " + std::to_string(c.size + 1) + "; and.b32 %r13, %r1, 1; setp.ne.u32 %p1, %r13, 0;\n  "
                           + (c.hint ? "createpolicy.fractional.L2::evict_first.b64 %d40, 1.0; " : "") + "setp.eq.u32 %p2, %r1, 0; @%p2 mbarrier.init.shared.b64 [%r15], 128; bar.sync 0;\n  "
                           + opcode + " [%r8], [%d8], " + size + extra + (c.hint ? ", %d40" : "") + ";\n  " + c.wait + "\n  " + dumpShared("tile", tileBytes);
  const std::string source = c.source == Source::sized ? " with a size" : c.source == Source::ignored ? " with a predicate" : "";
  addWhole(corpus, "async_copy/" + opcode + " " + size + " bytes" + source + c.note, body, Type::u32, tileBytes / 4,
           {{Type::u32, Range::any, tileBytes / 4}, {Type::u32, Range::any, tileBytes / 4}}, [size = c.size, source = c.source](const Columns& in) {
    const auto from = bytesOf(in[0], Type::u32);
    auto to = bytesOf(in[1], Type::u32);
    for (unsigned t = 0; t < threads; ++t)
      for (unsigned i = 0; i < size; ++i) to[16 * t + i] = i < existing(source, t, size) ? from[16 * t + i] : 0;
    return wordsOf(to);
  }).declarations = declarations;
}

// Two groups, of which the older one is waited for first.
void addGroups(Corpus& corpus) {
  const std::string body = fillShared("tile", "%in1", tileBytes) + "mov.u32 %r8, tile; mad.lo.u32 %r8, %r1, 4, %r8; mad.wide.u32 %d8, %r1, 4, %in0;\n  "
                           "cp.async.ca.shared.global [%r8], [%d8], 4; cp.async.commit_group; cp.async.ca.shared.global [%r8+512], [%d8+512], 4; cp.async.commit_group;\n  "
                           "cp.async.wait_group 1; ld.shared.b32 %r9, [%r8]; cp.async.wait_group 0; ld.shared.b32 %r10, [%r8+512];\n  " + keep("%r9", 0) + keep("%r10", 1);
  addWhole(corpus, "async_copy/cp.async.wait_group, two groups", body, Type::u32, 2 * threads, {{Type::u32, Range::any, 2 * threads}, {Type::u32, Range::any, tileBytes / 4}},
           [](const Columns& in) { return in[0]; }).declarations = declarations;
}

}  // namespace

void addAsyncCopy(Corpus& corpus) {
  for (const std::string space : {".shared", ".shared::cta"})
    for (const std::string prefetch : {"", ".L2::64B", ".L2::128B", ".L2::256B"})
      for (const bool hint : {false, true})
        for (const Source source : {Source::whole, Source::sized, Source::ignored})
          for (const std::string cache : {".ca", ".cg"})
            for (const unsigned size : {4u, 8u, 16u}) {
              const bool plain = prefetch.empty() && !hint;
              if (cache == ".cg" ? size != 16 : !plain && size != 16) continue;
              addCopy(corpus, {.modifiers = cache + space + ".global" + (hint ? ".L2::cache_hint" : "") + prefetch, .size = size, .source = source, .hint = hint});
            }
  addCopy(corpus, {.wait = "cp.async.wait_all; bar.sync 0;", .note = ", wait_all"});
  // Without .noinc the arrival is one more than the barrier counts, so that each thread arrives itself as well.
  for (const std::string space : {".shared", ".shared::cta"}) {
    addCopy(corpus, {.wait = "cp.async.mbarrier.arrive.noinc" + space + ".b64 [%r15]; " + awaitPhase("%r15", 0, "test_wait"), .note = ", mbarrier.arrive.noinc" + space});
    addCopy(corpus, {.wait = "cp.async.mbarrier.arrive" + space + ".b64 [%r15]; mbarrier.arrive.shared.b64 %d10, [%r15]; " + awaitPhase("%r15", 0, "test_wait"),
                     .note = ", mbarrier.arrive" + space});
  }
  addGroups(corpus);
}

}  // namespace cnn::conformance
