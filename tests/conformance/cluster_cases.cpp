// Clusters of two blocks: their barrier, addresses of the other's shared memory, stores, reductions and copies that end
// at an mbarrier there, copies to both; and what else came with Hopper: elect, setmaxnreg, fences between proxies.
#include "reduction.h"
#include "whole_block.h"

namespace cnn::conformance {
namespace {

constexpr unsigned blocks = 2, tileBytes = 2048;
const std::string declarations = ".shared .align 1024 .b8 tile[2048];\n.shared .align 8 .b64 bar;";
const std::string meet = "barrier.cluster.arrive.aligned; barrier.cluster.wait.aligned;\n  ";
// %r8, %r9: the tile and the mbarrier of this block; %r10: the other block; %r11, %r12: its tile and mbarrier; %p1: thread 0.
const std::string addresses = "mov.u32 %r8, tile; mov.u32 %r9, bar; mov.u32 %r10, %cluster_ctarank; xor.b32 %r10, %r10, 1; setp.eq.u32 %p1, %r1, 0;\n  "
                              "mapa.shared::cluster.u32 %r11, %r8, %r10; mapa.shared::cluster.u32 %r12, %r9, %r10;\n  ";

// The mbarrier of each block, open until `bytes` have come.
std::string expectBytes(unsigned bytes) {
  return "@%p1 mbarrier.init.shared.b64 [%r9], 1; @%p1 fence.mbarrier_init.release.cluster; @%p1 mbarrier.arrive.expect_tx.shared.b64 %d8, [%r9], "
         + std::to_string(bytes) + "; fence.proxy.async;\n  " + meet;
}

Case& addPair(Corpus& corpus, const std::string& name, const std::string& body, Type result, std::size_t outputsPerBlock, std::vector<Operand> operands,
              std::function<Column(const Columns&)> expected) {
  Case& test = addWhole(corpus, "cluster/" + name, addresses + body, result, blocks * outputsPerBlock, std::move(operands), std::move(expected));
  test.blocks = blocks;
  test.declarations = declarations;
  test.sm = 90;
  return test;
}

std::function<Column(const Columns&)> perThread(std::uint64_t (*f)(unsigned block, unsigned thread)) {
  return [f](const Columns&) {
    Column out;
    for (unsigned block = 0; block < blocks; ++block)
      for (unsigned t = 0; t < threads; ++t) out.push_back(f(block, t));
    return out;
  };
}

// Each thread of a block writes 1000 * block + thread.
const std::string ownWords = "mad.lo.u32 %r13, %r1, 4, %r8; mad.lo.u32 %r14, %r2, 1000, %r1; st.shared.b32 [%r13], %r14; mad.lo.u32 %r15, %r1, 4, %r11;\n  ";
std::uint64_t otherWord(unsigned block, unsigned t) { return 1000 * (1 - block) + t; }

void addBarriers(Corpus& corpus) {
  for (const std::string arrive : {"", ".release", ".relaxed"})
    for (const std::string wait : {"", ".acquire"})
      for (const std::string aligned : {"", ".aligned"}) {
        const std::string sync = "barrier.cluster.arrive" + arrive + aligned + "; barrier.cluster.wait" + wait + aligned + ";\n  ";
        addPair(corpus, "barrier.cluster.arrive" + arrive + aligned + "+wait" + wait + aligned,
                ownWords + (arrive == ".relaxed" ? "fence.acq_rel.cluster; " : "") + sync + "ld.shared::cluster.b32 %r16, [%r15];\n  " + keep("%r16", 0) + sync, Type::u32,
                threads, {}, perThread(otherWord));
      }
}

// The other block's words through every kind of address, and the rank that each address has.
void addAddresses(Corpus& corpus) {
  addPair(corpus, "mapa.shared::cluster.u32", ownWords + meet + "ld.shared::cluster.u32 %r16, [%r15];\n  " + keep("%r16", 0) + meet, Type::u32, threads, {}, perThread(otherWord));
  addPair(corpus, "mapa.shared::cluster.u64", ownWords + meet + "cvt.u64.u32 %d8, %r13; mapa.shared::cluster.u64 %d9, %d8, %r10; ld.shared::cluster.u32 %r16, [%d9];\n  "
          + keep("%r16", 0) + meet, Type::u32, threads, {}, perThread(otherWord));
  const std::string generic = "cvt.u64.u32 %d8, %r13; cvta.shared.u64 %d8, %d8; mapa.u64 %d9, %d8, %r10; ";
  addPair(corpus, "mapa.u64", ownWords + meet + generic + "ld.u32 %r16, [%d9];\n  " + keep("%r16", 0) + meet, Type::u32, threads, {}, perThread(otherWord));
  addPair(corpus, "cvta.shared::cluster.u64", ownWords + meet + "cvt.u64.u32 %d8, %r15; cvta.shared::cluster.u64 %d8, %d8; isspacep.shared::cluster %p2, %d8; "
          "@%p2 ld.u32 %r16, [%d8]; cvta.to.shared::cluster.u64 %d9, %d8; ld.shared::cluster.u32 %r17, [%d9]; setp.ne.u32 %p3, %r16, %r17; @%p3 mov.u32 %r16, 0;\n  "
          + keep("%r16", 0) + meet, Type::u32, threads, {}, perThread(otherWord));
  const auto rank = [](unsigned block, unsigned) -> std::uint64_t { return 10 * (1 - block) + block; };
  addPair(corpus, "getctarank.shared::cluster.u32", meet + "getctarank.shared::cluster.u32 %r16, %r11; getctarank.shared::cluster.u32 %r17, %r8; mad.lo.u32 %r16, %r16, 10, %r17;\n  "
          + keep("%r16", 0) + meet, Type::u32, threads, {}, perThread(rank));
  addPair(corpus, "getctarank.shared::cluster.u64", meet + "cvt.u64.u32 %d8, %r11; cvt.u64.u32 %d9, %r8; getctarank.shared::cluster.u64 %r16, %d8; "
          "getctarank.shared::cluster.u64 %r17, %d9; mad.lo.u32 %r16, %r16, 10, %r17;\n  " + keep("%r16", 0) + meet, Type::u32, threads, {}, perThread(rank));
  addPair(corpus, "getctarank.u64", "mov.u32 %r13, %r8; " + generic + meet + "getctarank.u64 %r16, %d9; getctarank.u64 %r17, %d8; mad.lo.u32 %r16, %r16, 10, %r17;\n  "
          + keep("%r16", 0) + meet, Type::u32, threads, {}, perThread(rank));
}

void addRegisters(Corpus& corpus) {
  struct Register { const char* name; std::uint64_t (*value)(unsigned, unsigned); };
  for (const Register& r : {Register{"%cluster_ctarank", [](unsigned block, unsigned) -> std::uint64_t { return block; }},
                            {"%cluster_nctarank", [](unsigned, unsigned) -> std::uint64_t { return blocks; }},
                            {"%cluster_ctaid.x", [](unsigned block, unsigned) -> std::uint64_t { return block; }},
                            {"%cluster_nctaid.x", [](unsigned, unsigned) -> std::uint64_t { return blocks; }},
                            {"%clusterid.x", [](unsigned, unsigned) -> std::uint64_t { return 0; }},
                            {"%nclusterid.x", [](unsigned, unsigned) -> std::uint64_t { return 1; }},
                            {"%cluster_ctaid.y", [](unsigned, unsigned) -> std::uint64_t { return 0; }}})
    addPair(corpus, std::string("mov.u32 ") + r.name, std::string("mov.u32 %r16, ") + r.name + ";\n  " + keep("%r16", 0), Type::u32, threads, {}, perThread(r.value));
}

// st.async: every thread writes one vector of operand 0 to the other block.
void addAsyncStores(Corpus& corpus) {
  struct Form { const char* type; Type element; int bits; };
  for (const Form& form : {Form{"b32", Type::u32, 32}, {"u32", Type::u32, 32}, {"s32", Type::u32, 32}, {"f32", Type::u32, 32}, {"b64", Type::u32, 64}, {"u64", Type::u32, 64},
                           {"s64", Type::u32, 64}, {"f64", Type::u32, 64}})
    for (const unsigned count : {1u, 2u, 4u}) {
      const unsigned bytes = count * unsigned(form.bits) / 8;
      if (bytes > 16) continue;
      for (const std::string space : {"", ".shared::cluster"}) {
        if (space.empty() && count > 1) continue;
        const std::string prefix = form.type[0] == 'f' ? (form.bits == 32 ? "%f" : "%e") : form.bits == 32 ? "%r2" : "%d2";
        const std::string value = count == 1 ? prefix + "0" : vectorOf(prefix, 0, count), vector = count == 1 ? "" : ".v" + std::to_string(count);
        const std::string opcode = "st.async" + space + ".mbarrier::complete_tx::bytes" + vector + "." + form.type;
        const std::string target = space.empty() ? "%d18" : "%r16", barrier = space.empty() ? "%d19" : "%r12";
        addPair(corpus, opcode, fillShared("tile", "%in1", tileBytes) + expectBytes(threads * bytes) + "mad.wide.u32 %d10, %r1, " + std::to_string(bytes) + ", %in0; ld.global"
                + vector + "." + form.type + " " + value + ", [%d10]; mad.lo.u32 %r16, %r1, " + std::to_string(bytes) + ", %r11; cvt.u64.u32 %d18, %r16; cvt.u64.u32 %d19, %r12; "
                "cvta.shared::cluster.u64 %d18, %d18; cvta.shared::cluster.u64 %d19, %d19; " + opcode + " [" + target + "], " + value + ", [" + barrier + "];\n  "
                + awaitPhase("%r9", 0) + dumpShared("tile", tileBytes) + meet,
                Type::u32, tileBytes / 4, {{Type::u32, Range::any, tileBytes / 4}, {Type::u32, Range::any, tileBytes / 4}}, [bytes](const Columns& in) {
          Column out;
          for (unsigned block = 0; block < blocks; ++block)
            for (unsigned i = 0; i < tileBytes / 4; ++i) out.push_back(i < threads * bytes / 4 ? in[0][i] : in[1][i]);
          return out;
        }).ptx = 81;
      }
    }
}

// What every block's array becomes when operand 0 is combined into operand 1.
std::function<Column(const Columns&)> combined(const Reduction& r) {
  return [r](const Columns& in) {
    Column out;
    for (unsigned block = 0; block < blocks; ++block)
      for (std::size_t i = 0; i < in[1].size(); ++i) out.push_back(i < in[0].size() ? r.combine(in[1][i], in[0][i]) : in[1][i]);
    return out;
  };
}

void addAsyncReductions(Corpus& corpus) {
  for (const Reduction& r : reductions()) {
    if (!r.onShared) continue;
    const unsigned size = unsigned(bitsOf(r.element)) / 8;
    const std::string value = size == 4 ? "%r20" : "%d20", load = "ld.global.b" + std::to_string(8 * size) + " " + value;
    const std::string opcode = "red.async.relaxed.cluster.shared::cluster.mbarrier::complete_tx::bytes" + r.operation + r.type;
    addPair(corpus, opcode, fillShared("tile", "%in1", tileBytes) + expectBytes(threads * size) + "mad.wide.u32 %d10, %r1, " + std::to_string(size) + ", %in0; " + load
            + ", [%d10]; mad.lo.u32 %r16, %r1, " + std::to_string(size) + ", %r11; " + opcode + " [%r16], " + value + ", [%r12];\n  " + awaitPhase("%r9", 0)
            + dumpShared("tile", tileBytes) + meet,
            r.element, tileBytes / size, {{r.element, r.range, threads}, {r.element, r.range, tileBytes / size}}, combined(r)).ptx = 81;
    const std::string bulk = "cp.reduce.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes" + r.operation + r.type;
    Case& test = addPair(corpus, bulk, fillShared("tile", "%in1", tileBytes) + fillShared("given", "%in0", 1024) + expectBytes(1024) + "mov.u32 %r16, given; @%p1 " + bulk
                         + " [%r11], [%r16], 1024, [%r12];\n  " + awaitPhase("%r9", 0) + dumpShared("tile", tileBytes) + meet,
                         r.element, tileBytes / size, {{r.element, r.range, 1024 / size}, {r.element, r.range, tileBytes / size}}, combined(r));
    test.declarations += "\n.shared .align 128 .b8 given[1024];";
  }
}

// Copies into the other block, and copies by block 0 or 1 into the blocks of a mask.
void addCopies(Corpus& corpus) {
  const auto arrived = [](const Columns& in) {
    Column out;
    for (unsigned block = 0; block < blocks; ++block)
      for (std::size_t i = 0; i < in[1].size(); ++i) out.push_back(i < in[0].size() ? in[0][i] : in[1][i]);
    return out;
  };
  const std::vector<Operand> operands = {{Type::u32, Range::any, 256}, {Type::u32, Range::any, tileBytes / 4}};
  const std::string send = "cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes";
  addPair(corpus, send, fillShared("tile", "%in1", tileBytes) + fillShared("given", "%in0", 1024) + expectBytes(1024) + "mov.u32 %r16, given; @%p1 " + send
          + " [%r11], [%r16], 1024, [%r12];\n  " + awaitPhase("%r9", 0) + dumpShared("tile", tileBytes) + meet, Type::u32, tileBytes / 4, operands, arrived)
      .declarations += "\n.shared .align 128 .b8 given[1024];";
  for (const bool hint : {false, true}) {
    const std::string tail = hint ? ".multicast::cluster.L2::cache_hint" : ".multicast::cluster", policy = hint ? ", %d40" : "";
    const std::string begin = fillShared("tile", "%in1", tileBytes) + "createpolicy.fractional.L2::evict_first.b64 %d40, 1.0; mov.u16 %h8, 3; " + expectBytes(1024)
                              + "setp.eq.and.u32 %p2, %r2, 1, %p1;\n  ";
    const std::string end = awaitPhase("%r9", 0) + dumpShared("tile", tileBytes) + meet;
    const std::string bulk = "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes" + tail;
    addPair(corpus, bulk, begin + "@%p2 " + bulk + " [%r8], [%in0], 1024, [%r9], %h8" + policy + ";\n  " + end, Type::u32, tileBytes / 4, operands, arrived);
    // Tensors of every rank that hold operand 0 as it lies in memory, and their whole as the box.
    for (unsigned rank = 1; rank <= 5; ++rank) {
      TensorMap map;
      map.element = 2;
      const std::uint64_t sizes[5][5] = {{256}, {32, 8}, {16, 4, 4}, {8, 4, 4, 2}, {8, 4, 2, 2, 2}};
      std::uint64_t pitch = 4;
      std::string zeros;
      for (unsigned d = 0; d < rank; ++d) {
        map.sizes.push_back(sizes[rank - 1][d]);
        map.box.push_back(std::uint32_t(sizes[rank - 1][d]));
        map.steps.push_back(1);
        map.pitches.push_back(pitch *= sizes[rank - 1][d]);
        zeros += d ? ", 0" : "0";
      }
      const std::string tiled = "cp.async.bulk.tensor." + std::to_string(rank) + "d.shared::cluster.global.tile.mbarrier::complete_tx::bytes" + tail;
      addPair(corpus, tiled, begin + "@%p2 " + tiled + " [%r8], [%map0, {" + zeros + "}], [%r9], %h8" + policy + ";\n  " + end, Type::u32, tileBytes / 4, operands, arrived)
          .maps.push_back(map);
      if (rank < 3) continue;
      map.lower = map.upper = std::vector<int>(rank - 2, 0);
      map.channels = std::uint32_t(map.sizes[0]);
      map.pixels = std::uint32_t(256 / map.sizes[0]);
      map.box.clear();
      const std::string columns = "cp.async.bulk.tensor." + std::to_string(rank) + "d.shared::cluster.global.im2col.mbarrier::complete_tx::bytes" + tail;
      const std::string offsets = "{" + zeros.substr(0, 3 * (rank - 2) - 2) + "}";
      addPair(corpus, columns, begin + "@%p2 " + columns + " [%r8], [%map0, {" + zeros + "}], [%r9], " + offsets + ", %h8" + policy + ";\n  " + end, Type::u32, tileBytes / 4,
              operands, arrived).maps.push_back(map);
    }
  }
}

// Which lane is elected is not documented; that it is one, of the mask, and known to all, is.
void addElection(Corpus& corpus) {
  addPair(corpus, "elect.sync", "shr.u32 %r16, %r1, 5; mov.u32 %r17, 0xf0f0f0f0; shl.b32 %r17, %r17, %r16; mov.u32 %r19, %laneid; shr.u32 %r18, %r17, %r19; "
          "and.b32 %r18, %r18, 1; setp.eq.u32 %p2, %r18, 0; mov.u32 %r23, 3; @%p2 bra known;\n  elect.sync %r20|%p3, %r17; vote.sync.ballot.b32 %r21, %p3, %r17; mov.u32 %r22, 1; "
          "shl.b32 %r22, %r22, %r20; setp.eq.u32 %p4, %r21, %r22; selp.u32 %r23, 1, 0, %p4; and.b32 %r22, %r22, %r17; setp.ne.u32 %p5, %r22, 0; @%p5 add.u32 %r23, %r23, 4; known:\n  "
          + keep("%r23", 0), Type::u32, threads, {}, perThread([](unsigned, unsigned t) -> std::uint64_t {
    return (0xf0f0f0f0u << t / 32) >> t % 32 & 1 ? 5 : 3;
  }));
}

void addBudgets(Corpus& corpus) {
  Case& test = addPair(corpus, "setmaxnreg", "setmaxnreg.dec.sync.aligned.u32 40; mul.lo.u32 %r16, %r1, 5; setmaxnreg.inc.sync.aligned.u32 96; add.u32 %r16, %r16, %r2;\n  "
                       + keep("%r16", 0), Type::u32, threads, {}, perThread([](unsigned block, unsigned t) -> std::uint64_t { return 5 * t + block; }));
  test.specific = true;
  test.limits = ".maxntid 128\n.maxnreg 96\n";
}

// Fences change no value of a kernel that needs none of them.
void addFences(Corpus& corpus) {
  struct Fence { const char* text; int ptx; };
  for (const Fence& f : {Fence{"fence.proxy.alias;", 80}, {"fence.proxy.async;", 80}, {"fence.proxy.async.global;", 80}, {"fence.proxy.async.shared::cta;", 80},
                         {"fence.proxy.async.shared::cluster;", 80}, {"fence.mbarrier_init.release.cluster;", 80}, {"griddepcontrol.wait;", 80}, {"griddepcontrol.launch_dependents;", 80},
                         {"fence.proxy.tensormap::generic.release.cta;", 83}, {"fence.proxy.tensormap::generic.release.cluster;", 83},
                         {"fence.proxy.tensormap::generic.release.gpu;", 83}, {"fence.proxy.tensormap::generic.release.sys;", 83},
                         {"fence.proxy.tensormap::generic.acquire.cta [%in0], 128;", 83}, {"fence.proxy.tensormap::generic.acquire.cluster [%in0], 128;", 83},
                         {"fence.proxy.tensormap::generic.acquire.gpu [%in0], 128;", 83}, {"fence.proxy.tensormap::generic.acquire.sys [%in0], 128;", 83},
                         {"fence.sc.cluster;", 80}, {"fence.acq_rel.cluster;", 80}, {"fence.acquire.cluster;", 86}, {"fence.release.cluster;", 86},
                         {"fence.acquire.sync_restrict::shared::cluster.cluster;", 86}, {"fence.release.sync_restrict::shared::cta.cluster;", 86}})
    addPair(corpus, std::string(f.text), ownWords + f.text + "\n  " + meet + f.text + " ld.shared::cluster.b32 %r16, [%r15];\n  " + keep("%r16", 0) + meet, Type::u32, threads,
            {{Type::u32}}, perThread(otherWord)).ptx = f.ptx;
}

}  // namespace

void addCluster(Corpus& corpus) {
  addBarriers(corpus);
  addAddresses(corpus);
  addRegisters(corpus);
  addAsyncStores(corpus);
  addAsyncReductions(corpus);
  addCopies(corpus);
  addElection(corpus);
  addBudgets(corpus);
  addFences(corpus);
}

}  // namespace cnn::conformance
