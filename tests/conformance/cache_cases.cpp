// What a program may say about caches and order without changing a value: operators and hints of loads and stores, orders and
// scopes, prefetches, policies, fences.
#include "whole_block.h"

namespace cnn::conformance {
namespace {

Case& add(Corpus& corpus, const std::string& name, const std::string& body, std::size_t operands = 1) {
  return addWhole(corpus, "memory/" + name, "mad.wide.u32 %d8, %r1, 4, %in0; mad.wide.u32 %d9, %r1, 4, %out; mov.u32 %r8, tile; mad.lo.u32 %r8, %r1, 4, %r8;\n  "
                  "createpolicy.fractional.L2::evict_last.b64 %d40, 1.0;\n  " + body, Type::u32, threads, std::vector<Operand>(operands, Operand{Type::u32}),
                  [](const Columns& in) { return in[0]; });
}

Case& declared(Case& test, int sm = 80, int ptx = 80) {
  test.declarations = ".shared .align 16 .b8 tile[1024];";
  test.sm = sm;
  test.ptx = ptx;
  return test;
}

void addLoads(Corpus& corpus) {
  for (const std::string form : {".weak.global", ".volatile.global", ".global.ca", ".global.cg", ".global.cs", ".global.lu", ".global.cv", ".global.L1::evict_normal", ".global.L1::evict_unchanged",
                                 ".global.L1::evict_first", ".global.L1::evict_last", ".global.L1::no_allocate", ".global.L2::64B", ".global.L2::128B", ".global.L2::256B",
                                 ".global.nc", ".global.ca.nc", ".global.cg.nc", ".global.cs.nc", ".global.nc.L1::no_allocate", ".global.nc.L2::128B", ".relaxed.cta.global", ".relaxed.gpu.global",
                                 ".relaxed.sys.global", ".acquire.cta.global", ".acquire.gpu.global", ".acquire.sys.global"})
    declared(add(corpus, "ld" + form + ".b32", "ld" + form + ".b32 %r9, [%d8]; st.global.b32 [%d9], %r9;"));
  for (const std::string form : {".global.L2::cache_hint", ".global.nc.L2::cache_hint"})
    declared(add(corpus, "ld" + form + ".b32", "ld" + form + ".b32 %r9, [%d8], %d40; st.global.b32 [%d9], %r9;"));
  for (const std::string form : {".relaxed.cluster.global", ".acquire.cluster.global"})
    declared(add(corpus, "ld" + form + ".b32", "ld" + form + ".b32 %r9, [%d8]; st.global.b32 [%d9], %r9;"), 90);
  declared(add(corpus, "ldu.global.b32", "ldu.global.b32 %r9, [%d8]; st.global.b32 [%d9], %r9;"));
  for (const std::string space : {".shared::cta", ".volatile.shared"})
    declared(add(corpus, "ld" + space + ".b32", "ld.global.b32 %r9, [%d8]; st.shared.b32 [%r8], %r9; ld" + space + ".b32 %r10, [%r8]; st.global.b32 [%d9], %r10;"));
}

void addStores(Corpus& corpus) {
  for (const std::string form : {".weak.global", ".volatile.global", ".global.wb", ".global.cg", ".global.cs", ".global.wt", ".global.L1::evict_first", ".global.L1::no_allocate", ".relaxed.cta.global",
                                 ".relaxed.gpu.global", ".relaxed.sys.global", ".release.cta.global", ".release.gpu.global", ".release.sys.global"})
    declared(add(corpus, "st" + form + ".b32", "ld.global.b32 %r9, [%d8]; st" + form + ".b32 [%d9], %r9;"));
  declared(add(corpus, "st.global.L2::cache_hint.b32", "ld.global.b32 %r9, [%d8]; st.global.L2::cache_hint.b32 [%d9], %r9, %d40;"));
  declared(add(corpus, "st.release.cluster.global.b32", "ld.global.b32 %r9, [%d8]; st.release.cluster.global.b32 [%d9], %r9;"), 90);
  declared(add(corpus, "st.shared::cta.b32", "ld.global.b32 %r9, [%d8]; st.shared::cta.b32 [%r8], %r9; ld.shared.b32 %r10, [%r8]; st.global.b32 [%d9], %r10;"));
}

// Something that only speaks of what follows, then a plain copy.
void addHint(Corpus& corpus, const std::string& text, int sm = 80, int ptx = 80) {
  declared(add(corpus, text, text + (text.back() == '}' ? " " : "; ") + "ld.global.b32 %r9, [%d8]; st.global.b32 [%d9], %r9;"), sm, ptx);
}

void addHints(Corpus& corpus) {
  for (const std::string level : {"L1", "L2"}) {
    addHint(corpus, "prefetch.global." + level + " [%d8]");
    addHint(corpus, "prefetch." + level + " [%d8]");
  }
  addHint(corpus, "{ .local .align 16 .b8 own[16]; .reg .b64 %l; mov.u64 %l, own; prefetch.local.L1 [%l]; prefetch.local.L2 [%l]; }");
  addHint(corpus, "prefetchu.L1 [%d8]");
  for (const std::string scope : {"cta", "gl", "sys"}) addHint(corpus, "membar." + scope);
  for (const std::string scope : {"cta", "gpu", "sys"}) {
    for (const std::string order : {"", ".sc", ".acq_rel"}) addHint(corpus, "fence" + order + "." + scope);
    for (const std::string order : {".acquire", ".release"}) addHint(corpus, "fence" + order + "." + scope, 80, 86);
  }
  addHint(corpus, "cp.async.bulk.prefetch.L2.global [%in0], 512", 90);
  addHint(corpus, "cp.async.bulk.prefetch.L2.global.L2::cache_hint [%in0], 512, %d40", 90);
  for (const std::string first : {"L2::evict_last", "L2::evict_normal", "L2::evict_first", "L2::evict_unchanged"}) {
    addHint(corpus, "createpolicy.fractional." + first + ".b64 %d41");
    for (const std::string second : {"", ".L2::evict_first", ".L2::evict_unchanged"}) {
      addHint(corpus, "createpolicy.fractional." + first + second + ".b64 %d41, 0.5");
      for (const std::string space : {"", ".global"}) addHint(corpus, "createpolicy.range" + space + "." + first + second + ".b64 %d41, [%in0], 64, 128");
    }
  }
  addHint(corpus, "createpolicy.cvt.L2.b64 %d41, 0");
  // Of memory that nobody reads afterwards: operand 1.
  declared(add(corpus, "discard.global.L2", "setp.eq.u32 %p1, %r1, 0; @%p1 discard.global.L2 [%in1], 128; ld.global.b32 %r9, [%d8]; st.global.b32 [%d9], %r9;", 2));
}

// A tensor that is operand 0, one, two, ... dimensional.
void addTensorHints(Corpus& corpus) {
  const std::uint64_t sizes[5][5] = {{128}, {16, 8}, {8, 4, 4}, {8, 4, 2, 2}, {4, 4, 2, 2, 2}};
  for (unsigned rank = 1; rank <= 5; ++rank)
    for (const bool columns : {false, true}) {
      if (columns && rank < 3) continue;
      TensorMap map;
      map.element = 2;
      std::uint64_t pitch = 4;
      std::string zeros, offsets;
      for (unsigned d = 0; d < rank; ++d) {
        map.sizes.push_back(sizes[rank - 1][d]);
        map.steps.push_back(1);
        map.pitches.push_back(pitch *= sizes[rank - 1][d]);
        zeros += d ? ", 0" : "0";
        if (d + 2 < rank) offsets += d ? ", 0" : "0";
      }
      if (columns) map.lower = map.upper = std::vector<int>(rank - 2, 0), map.channels = 4, map.pixels = 16;
      else map.box.assign(map.sizes.begin(), map.sizes.end());
      for (const std::string hint : {"", ".L2::cache_hint"}) {
        const std::string opcode = "cp.async.bulk.prefetch.tensor." + std::to_string(rank) + "d.L2.global" + (columns ? ".im2col" : ".tile") + hint;
        declared(add(corpus, opcode, opcode + " [%map0, {" + zeros + "}]" + (columns ? ", {" + offsets + "}" : "") + (hint.empty() ? "" : ", %d40")
                     + "; ld.global.b32 %r9, [%d8]; st.global.b32 [%d9], %r9;"), 90).maps.push_back(map);
      }
      if (rank > 1 || columns) continue;
      declared(add(corpus, "prefetch.tensormap", "prefetch.tensormap [%map0]; ld.global.b32 %r9, [%d8]; st.global.b32 [%d9], %r9;"), 90).maps.push_back(map);
    }
}

}  // namespace

void addCache(Corpus& corpus) {
  addLoads(corpus);
  addStores(corpus);
  addHints(corpus);
  addTensorHints(corpus);
}

}  // namespace cnn::conformance
